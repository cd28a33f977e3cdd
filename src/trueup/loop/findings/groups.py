"""Groups: whether outcomes differ between them by more than was declared as bearable."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

from trueup.decide.comparison import LEAST_CASES
from trueup.decide.gate import ALPHA
from trueup.declare.model.kpi import KpiKind
from trueup.declare.programme import workflow_file
from trueup.evidence.sequences import concurrent_shares
from trueup.kernel.errors import DataError
from trueup.loop.findings.tallies import Tally, governed, of_segment

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trueup.declare.model.workflow import Groups, Workflow
    from trueup.loop.findings.seen import Found, Seen


def unequal(seen: Seen) -> Iterator[Found]:
    """GOV08: the rate of an outcome differs between two groups, surely by more than the declared bound."""
    for name, workflow in seen.living():
        groups = workflow.groups
        if groups is None or groups.rates_within is None:
            continue
        try:
            lacking = seen.bench.observations.observer().lacking(name).get(groups.field)
            if lacking is not None:
                where = seen.place(workflow_file(name), "groups", "field")
                yield seen.found("DATA01", name, where, lacking.message, lacking.hint, "groups")
                continue
            yield from _compared(seen, name, workflow, groups)
        except DataError:
            continue


def _compared(seen: Seen, name: str, workflow: Workflow, groups: Groups) -> Iterator[Found]:
    shares = _shares(workflow, groups)
    if not shares:
        return
    rows = seen.bench.observations.observer().weekly(name, seen.as_of, kpis=shares, segments=True)
    for kpi in shares:
        its = of_segment((row for row in governed(rows) if row.kpi == kpi), groups.field)
        tallies = {value: Tally.of(cells) for value, cells in its.items()}
        enough = {value: tally for value, tally in sorted(tallies.items()) if tally.n >= LEAST_CASES}
        if len(enough) > 1:
            yield from _apart(seen, name, kpi, groups, enough, len(shares))


def _shares(workflow: Workflow, groups: Groups) -> list[str]:
    """Return the outcomes that are compared: the one that is named, else every share of all cases."""
    if groups.kpi is not None:
        named = workflow.kpis.get(groups.kpi)
        return [groups.kpi] if named is not None and named.kind is KpiKind.SHARE else []
    return [name for name, kpi in workflow.kpis.items() if kpi.share is not None and kpi.share.among is None]


def _apart(seen: Seen, name: str, kpi: str, groups: Groups, tallies: Mapping[str, Tally], kpis: int) -> Iterator[Found]:
    """Hold the two groups that stand out most against the bound; the level is shared by all pairs that could have."""
    bound = groups.rates_within.value if groups.rates_within else 0.0
    pairs = [(one, other) for one in tallies for other in tallies if _rate(tallies[one]) > _rate(tallies[other])]
    if not pairs:
        return
    high, low = max(pairs, key=lambda pair: _standing_out(tallies[pair[0]], tallies[pair[1]], bound))
    one, other = tallies[high], tallies[low]
    possible = len(tallies) * (len(tallies) - 1) // 2
    interval = concurrent_shares(one.events, one.n, other.events, other.n, ALPHA / (possible * kpis))
    if interval.lower <= bound:
        return
    detail = (
        f"{name}.{kpi} is {_rate(one):.1%} of {one.n} cases where {groups.field} is {high}, and {_rate(other):.1%} of "
        f"{other.n} where it is {low}: {interval.estimate * 100:.1f} pp apart [{interval.lower * 100:.1f}, "
        f"{interval.upper * 100:.1f}], at most {groups.rates_within} declared ({1 - ALPHA:.0%} at every look, "
        f"shared by pairs of groups: {possible}, outcomes: {kpis})."
    )
    fix = "Compare like with like (case mix), look at those cases, and take autonomy back until it is explained."
    where = seen.place(workflow_file(name), "groups", "rates_within")
    yield seen.found("GOV08", name, where, detail, fix, f"{kpi} {high} {low}")


def _rate(tally: Tally) -> float:
    return tally.events / tally.n


def _standing_out(one: Tally, other: Tally, bound: float) -> float:
    """Return by how many standard errors two rates are further apart than the bound, half a case added to each side."""
    shares = [((tally.events + 0.5) / (tally.n + 1), tally.n) for tally in (one, other)]
    error = math.sqrt(sum(share * (1 - share) / n for share, n in shares))
    return (_rate(one) - _rate(other) - bound) / error


RULES = (unequal,)
