"""What makes a gate unknowable: the promise moved, the data stop short, the arms leak, the series broke."""

from __future__ import annotations

from collections import Counter
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

from trueup.decide.gate import Unknown
from trueup.declare.programme import registration_file
from trueup.evidence import checks
from trueup.kernel.clock import format_instant, parse_instant
from trueup.loop.pilots.promise import moved
from trueup.observe.tables import Arm

if TYPE_CHECKING:
    from trueup.loop.pilots.comparisons import PilotView
    from trueup.loop.workbench import Workbench
    from trueup.observe.tables import Population

# evidence.md, section 5: limits beyond which a comparison with a baseline means nothing.
VOLUME_SHIFT = 0.4
MIX_SHIFT = 0.25
# A sample ratio this unlikely under the declared share (p < .001) says that the assignment failed.
RATIO_ALARM = 1000.0
# Values of a segment beyond the commonest are pooled: the index is noise on cells of a few cases.
MIX_CELLS = 9
OTHER = "(other)"
REGISTERING = ("baseline.registered", "baseline.replaced")
STALE_AFTER = timedelta(days=14)
_DEFINITION = {"kpis", "population", "matures_after"}


def moved_promise(view: PilotView) -> Unknown | None:
    """The registered promise against the files as they stand."""
    changed = moved(view.workflow, view.registration)
    if not changed:
        return None
    code = "definition-changed" if _DEFINITION & set(changed) else "promise-changed"
    return Unknown(code, f"{', '.join(changed)} changed after the registration; a bar moved after the data is no bar")


def unrecorded(bench: Workbench, name: str) -> Unknown | None:
    """The registration in the files against its hash in the ledger."""
    now = bench.programme.digests.get(registration_file(name))
    newest = bench.once("registered digests", lambda: _registered(bench))
    if name not in newest:
        return Unknown("registration-unrecorded", f"the ledger knows of no registration of {name}")
    if newest[name] == now:
        return None
    return Unknown("registration-altered", f"registrations/{name}.yaml is not the file whose hash is in the ledger")


def _registered(bench: Workbench) -> dict[object, object]:
    """Return the digest of the newest registration of every workflow, by the ledger."""
    found = [item for kind in REGISTERING for item in bench.ledger.entries(kind)]
    recorded = [item.entry.data for item in sorted(found, key=lambda item: item.index)]
    return {data.get("workflow"): data.get("digest") for data in recorded}


def stale_data(view: PilotView, due: datetime, newest: str | None, fresh_within: timedelta | None) -> Unknown | None:
    """Data that end before the gate: cases would look unfinished only because nobody wrote on."""
    limit = max(fresh_within or STALE_AFTER, STALE_AFTER)
    if newest is not None and parse_instant(newest) >= due - limit:
        return None
    last = f"the newest event is of {newest}" if newest else "there are no events"
    return Unknown("stale-data", f"{view.name}: {last}, the gate was due {format_instant(due)}")


def unusable_arms(view: PilotView, population: Population) -> Unknown | None:
    """Cases in two arms or in none, an empty arm, a ratio that the declared share cannot explain."""
    if not view.concurrent:
        return None
    if population.both:
        return Unknown("arms-leak", f"{_named(population.both)} found in both arms", population.both)
    if population.unassigned:
        return Unknown("arm-unknown", f"{_named(population.unassigned)} in no arm", population.unassigned)
    if population.late:
        return Unknown(
            "arm-late",
            f"the arm of {_named(population.late)} shown only after the first event: what came before it may have "
            "decided it",
            population.late,
        )
    started = {arm: population.by_arm.get(arm, 0) + population.immature.get(arm, 0) for arm in _ARMS}
    empty = [arm for arm, count in started.items() if not count]
    if len(empty) == 1:
        return Unknown("arm-empty", f"no case is in the {empty[0]} arm; cannot compare")
    return _broken_ratio(view, started)


_ARMS = (Arm.TREATED.value, Arm.CONTROL.value)


def _named(cases: tuple[str, ...]) -> str:
    shown = ", ".join(repr(case) for case in cases[:3])
    return f"{shown} and more are" if len(cases) > 3 else f"{shown} {'are' if len(cases) > 1 else 'is'}"


def _broken_ratio(view: PilotView, started: dict[str, int]) -> Unknown | None:
    share = view.registration.design.get("share")
    if share is None or not view.by_case or not sum(started.values()):
        return None
    counts = [started[arm] for arm in _ARMS]
    if checks.ratio_e_value(counts, [float(share), 1 - float(share)]) < RATIO_ALARM:
        return None
    return Unknown(
        "ratio-broken",
        f"{counts[0]} treated to {counts[1]} control cannot come from a share of {float(share):.0%}: "
        "the assignment or the log loses cases",
    )


def broken_series(view: PilotView, population: Population, until: datetime) -> str | None:
    """Say how volume or mix left the baseline behind, or None. Between concurrent arms this is only a note."""
    weeks = (until - view.starts) / timedelta(weeks=1)
    cases = sum(population.by_arm.values()) + sum(population.immature.values())
    said = []
    if weeks > 0 and cases and view.registration.cases_a_week > 0:
        shift = checks.volume_shift(view.registration.cases_a_week, cases / weeks)
        if shift is not None and abs(shift) >= VOLUME_SHIFT:
            said.append(
                f"cases a week went from {view.registration.cases_a_week:.1f} to {cases / weeks:.1f} (ln {shift:+.2f})"
            )
    said += _mix_shifts(view, population)
    return "; ".join(said) or None


def _mix_shifts(view: PilotView, population: Population) -> list[str]:
    before: dict[str, Counter[str | None]] = {}
    for cell in view.registration.mix:
        before.setdefault(cell.name, Counter())[cell.value] += cell.n
    after: dict[str, Counter[str | None]] = {}
    for (name, value), count in population.mix.items():
        after.setdefault(name, Counter())[value] += count
    said = []
    for name, counts in before.items():
        shift = mix_stability(counts, after.get(name, Counter()))
        if shift > MIX_SHIFT:
            said.append(f"the mix of {name} moved (stability index {shift:.2f}, at most {MIX_SHIFT})")
    return said


def mix_stability(before: Counter[str | None], after: Counter[str | None]) -> float:
    """Return the stability index of a segment's values; what lies beyond the commonest counts as one."""
    commonest = [value for value, _ in before.most_common() if value != OTHER][:MIX_CELLS]
    cells = [[counts[value] for value in commonest] for counts in (before, after)]
    rest = [counts.total() - sum(cell) for counts, cell in zip((before, after), cells, strict=True)]
    if any(rest):
        cells = [[*cell, left] for cell, left in zip(cells, rest, strict=True)]
    return checks.population_stability(*cells) or 0.0
