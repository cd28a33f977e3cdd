"""Pilots that never were: a launch is pretended on an untouched log, registered and judged by the product itself."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING, cast

import numpy as np

from studies.logs import WEEK, Series, added
from trueup.declare.model.kpi import KpiKind
from trueup.declare.model.workflow import Pilot, Workflow
from trueup.evidence.designs.stable import BASELINE_WEEKS
from trueup.kernel.clock import start_of_day
from trueup.kernel.progress import silent
from trueup.kernel.quantities import Bar
from trueup.loop.baseline import Ask, registration_of
from trueup.loop.gates import judge_registered
from trueup.loop.pilots.comparisons import PilotView
from trueup.loop.pilots.level import registered_level
from trueup.observe.tables import Arm, CaseVector, Population

if TYPE_CHECKING:
    from trueup.decide.gate import GateVerdict
    from trueup.declare.model.registration import Registration
    from trueup.loop.workbench import Workbench
    from trueup.observe.observer import Observer

GATES = (4, 8, 12)
LAST = 12
# What a pilot promises: little, the usual, much; by kind of KPI. Time and effort relative, shares in points.
PROMISES: Mapping[str, tuple[str, str, str]] = {
    "time": ("-20%", "-30%", "-50%"),
    "effort": ("-15%", "-30%", "-50%"),
    "share": ("+7pp", "+10pp", "+15pp"),
}
SIZES = ("small", "usual", "large")


def kind_of(series: Series) -> str:
    """Return time, effort or share."""
    return {KpiKind.DURATION: "time", KpiKind.COUNT: "effort"}.get(series.kpi.kind, "share")


def promise(series: Series, size: str) -> Bar:
    """Return what a pilot of some size promises for a KPI, in its own direction."""
    text = PROMISES[kind_of(series)][SIZES.index(size)]
    return Bar.parse(text.replace("+", "-") if series.kpi.sign < 0 else text)


@dataclass(frozen=True, slots=True)
class Design:
    """How the pretended pilot is designed, as a workflow file declares it; `name` makes another draw of it."""

    declared: Mapping[str, object]
    name: str = "pilot"


BEFORE_AFTER = Design({"assigned": "none"})


@dataclass(slots=True)
class Pretended:
    """What an observer would answer about a pretended pilot, from cases that were read once."""

    series: Series
    workflow: Workflow
    launches: dict[str, datetime] = field(default_factory=dict)

    def cases(self, workflow: str, kpi: str, *, since: datetime, until: datetime, mature_by: datetime) -> CaseVector:
        """Return the mature cases of a window, each in the arm that the design gives it."""
        del workflow, kpi
        vector, matures = self.series.cases, int(self.series.matures.total_seconds())
        begins, ends = int(since.timestamp()), int(until.timestamp())
        seen = (vector.started >= begins) & (vector.started < ends)
        found = vector.where(seen & (vector.started + matures <= int(mature_by.timestamp())))
        return replace(found, arm=self._arms(found))

    def _arms(self, vector: CaseVector) -> np.ndarray[tuple[int], np.dtype[np.object_]]:
        pilot = self.workflow.pilot
        assert pilot is not None
        assert pilot.starts is not None
        starts = int(start_of_day(pilot.starts).timestamp())
        if pilot.design.assigned == "matched":
            treated = np.isin(vector.unit.astype(str), pilot.design.treated)
        elif pilot.design.assigned == "staggered":
            far = 2**62
            from_when = {unit: int(at.timestamp()) for unit, at in self.launches.items()}
            treated = vector.started >= np.array([from_when.get(str(unit), far) for unit in vector.unit])
        else:
            treated = np.ones(len(vector), dtype=bool)
        arms = np.where(treated, str(Arm.TREATED), str(Arm.CONTROL))
        found: np.ndarray[tuple[int], np.dtype[np.object_]] = np.where(
            vector.started < starts, str(Arm.BASELINE), arms
        ).astype(object)
        return found

    def population(self, workflow: str, *, since: datetime, until: datetime, as_of: datetime) -> Population:
        """Return how many cases started in whole weeks, and the mix of those that are mature."""
        del workflow
        weeks = {
            week: n
            for week, n in self.series.started.items()
            if start_of_day(week) >= since and start_of_day(week) + WEEK <= until
        }
        mature = [week for week in weeks if start_of_day(week) + WEEK + self.series.matures <= as_of]
        old = sum(weeks[week] for week in mature)
        mix = added(self.series.mix(week) for week in mature)
        # Nothing but the counts differs from the population of the whole log, in which no case has an arm either.
        return replace(
            self.series.whole,
            by_arm={Arm.TREATED: old},
            immature={Arm.TREATED: sum(weeks.values()) - old},
            weeks=dict(weeks),
            mix=mix,
        )

    def newest(self, data: str, as_of: datetime) -> str:
        """Return the instant itself: a pretended pilot ends before its log does."""
        del data
        return as_of.isoformat()


@dataclass(frozen=True, slots=True)
class _Observations:
    observed: Pretended

    def observer(self) -> Pretended:
        return self.observed

    def digests(self) -> dict[str, str]:
        return {}


@dataclass(frozen=True, slots=True)
class FakeLaunch:
    """A registered pilot on a log that nobody treated."""

    series: Series
    bench: Workbench
    view: PilotView

    @property
    def registration(self) -> Registration:
        """What was registered."""
        return self.view.registration

    def verdict(self, week: int) -> GateVerdict:
        """Return what the gate of a week says."""
        at = self.view.starts + week * WEEK
        level = registered_level(self.registration)
        return judge_registered(self.bench, self.view, f"week-{week}", at, level).verdict

    def says_go(self) -> bool:
        """Tell whether any of the three gates says go: a false claim, for nothing happened."""
        return any(self.verdict(week).outcome.value == "go" for week in GATES)


def before(series: Series) -> int:
    """Return the weeks that a launch needs before it: a baseline, and the time until it is mature."""
    return BASELINE_WEEKS + delay(series)


def delay(series: Series) -> int:
    """Return the weeks until a case is mature."""
    return int(series.matures / WEEK)


def mondays(series: Series) -> list[datetime]:
    """Return every Monday on which a pilot of twelve weeks could have been launched."""
    return series.mondays(before=before(series), after=LAST)


def apart(series: Series, number: int) -> bool:
    """Tell whether the numbered launch shares no week with the previous ones of this kind."""
    return number % (before(series) + LAST) == 0


def pretend(series: Series, at: datetime, design: Design, promised: Bar) -> FakeLaunch:
    """Register a pilot that starts on a Monday, with the baseline of the rule. Raises DataError without cases."""
    begins = at - before(series) * WEEK
    declared = {
        "starts": at.date(),
        "baseline": {"from": begins.date(), "to": (at - timedelta(days=1)).date()},
        "because_of": "nothing",
        "design": dict(design.declared),
        "primary": series.name,
        "gates": {f"week-{week}": {} for week in GATES},
    }
    name = design.name
    kpi = series.kpi.model_copy(update={"worth_having": promised})
    untouched = series.programme.workflows[series.log].model_copy(
        update={"workflow": name, "kpis": {series.name: kpi}, "pilot": Pilot.model_validate(declared)}
    )
    observed = Pretended(series, untouched)
    programme = replace(series.programme, workflows={name: untouched}, registrations={})
    # A pretended pilot has neither folder nor ledger: what registers and judges it asks for what is here only.
    bench = cast("Workbench", _Bench(programme, _Observations(observed)))
    pilot = untouched.pilot
    assert pilot is not None
    assert pilot.baseline is not None
    registered = registration_of(bench, Ask(name, at), untouched, pilot, pilot.baseline)
    observed.launches = {launch.unit: start_of_day(launch.on) for launch in registered.rollout}
    # Any improvement counts as a claim, so that no bar makes claims rarer than the method does.
    plain = series.kpi.model_copy(update={"worth_having": None})
    judged = untouched.model_copy(update={"kpis": {series.name: plain}})
    return FakeLaunch(series, bench, PilotView(name, judged, registered, cast("Observer", observed)))


@dataclass(frozen=True, slots=True)
class _Bench:
    programme: object
    observations: _Observations
    # A synthetic control is shown and decides nothing; a study of its own asks for it.
    weigher: None = None

    def progress(self, label: str, done: float = 0.0, total: float | None = None) -> None:
        silent(label, done, total)


def units_before(series: Series, at: datetime) -> list[str]:
    """Return the units that have a case in the baseline of a launch, by name."""
    vector = series.cases
    first, last = int((at - before(series) * WEEK).timestamp()), int(at.timestamp())
    inside = (vector.started >= first) & (vector.started < last)
    return sorted({str(unit) for unit in vector.unit[inside]} - {"(none)"})


def every(items: Sequence[datetime], step: int) -> Iterator[tuple[int, datetime]]:
    """Yield every so many-th item with its number."""
    yield from ((number, item) for number, item in enumerate(items) if number % step == 0)
