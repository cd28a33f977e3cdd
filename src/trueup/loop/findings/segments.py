"""Averages: what an aggregate hides when it is split by the segments that were declared."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.decide.comparison import LEAST_CASES, LEAST_EVENTS, WEEKLY_LOOKS
from trueup.decide.gate import ALPHA
from trueup.decide.numbers import known
from trueup.declare.model.kpi import KpiKind
from trueup.declare.programme import workflow_file
from trueup.evidence import gates
from trueup.evidence.blocks import block_error
from trueup.evidence.mix import Stratum, at_equal_mix
from trueup.evidence.moments import Moments
from trueup.kernel.errors import DataError
from trueup.loop.findings.tallies import LOOKED, Tally, of_segment
from trueup.loop.pilots.comparisons import PilotView, is_weekly
from trueup.loop.pilots.promise import moved, watched_kpis
from trueup.observe.tables import Arm

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence

    from trueup.declare.model.kpi import Kpi
    from trueup.evidence.moments import Interval
    from trueup.loop.findings.seen import Found, Seen
    from trueup.observe.tables import WeekStatistic

_LEAST_WEEKS = 4


@dataclass(frozen=True, slots=True)
class Pair:
    """Treated cases beside those that they are compared with, of one segment or of all."""

    treated: Tally
    control: Tally
    frozen: bool
    share: bool

    def enough(self) -> bool:
        """Tell whether the segment has the cases, events and weeks that any interval of it takes."""
        if min(self.treated.n, self.control.n) < LEAST_CASES:
            return False
        if self.frozen:
            return min(len(self.treated.weeks), len(self.control.weeks)) >= _LEAST_WEEKS
        events = self.treated.events + self.control.events
        return not self.share or min(events, self.treated.n + self.control.n - events) >= LEAST_EVENTS

    def interval(self, alpha: float) -> Interval:
        """Return the interval of treated less control: by cases beside a holdout, by weeks beside a baseline."""
        if self.frozen:
            return gates.block_contrast(self.treated.weeks, self.control.weeks, alpha)
        if self.share:
            one, other = self.treated, self.control
            return gates.share_contrast(one.events, one.n, other.events, other.n, alpha)
        return gates.mean_contrast(self.treated.moments, self.control.moments, alpha)

    def stratum(self) -> Stratum:
        """Return the segment as one part of a comparison at equal mix."""
        size = self.treated.n + self.control.n
        if self.frozen:
            one, other = Moments.of(self.treated.weeks), Moments.of(self.control.weeks)
            return Stratum(size, one.mean - other.mean, *block_error(one, other))
        one, other = self.treated.moments, self.control.moments
        return Stratum(size, one.mean - other.mean, gates.contrast_variance(one, other))


def hidden_segment(seen: Seen) -> Iterator[Found]:
    """KPI04: over all it is not surely worse, and in a segment it surely is; or it reverses at equal mix."""
    for name, workflow, _pilot, _starts in seen.running():
        registration = seen.bench.programme.registrations.get(name)
        segments = workflow.events.segment if workflow.events else ()
        if registration is None or not segments or moved(workflow, registration):
            continue
        view = PilotView(name, workflow, registration, seen.bench.observations.observer())
        if view.concurrent and not view.by_case:
            # Units differ for good; of a handful of them no segment has enough.
            continue
        kpis = [kpi for kpi in watched_kpis(workflow) if _is_mean(workflow.kpis[kpi])]
        try:
            rows = view.observer.weekly(name, seen.as_of, kpis=kpis, segments=True)
        except DataError:
            continue
        for kpi in kpis:
            own = [row for row in rows if row.kpi == kpi]
            yield from Split(seen, view, kpi, len(kpis), own, segments).found()


def _is_mean(kpi: Kpi) -> bool:
    """Weekly sums of a segment make a mean; no quantile, and no ratio of sums."""
    return not is_weekly(kpi) and kpi.quantile is None and not kpi.paired


def crowded_segment(seen: Seen) -> Iterator[Found]:
    """DATA01: a declared segment has more values than can be compared, so that nothing is split by it."""
    for name, workflow in seen.living():
        segments = workflow.events.segment if workflow.events else ()
        try:
            lacking = seen.bench.observations.observer().lacking(name) if segments else {}
        except DataError:
            continue
        for segment in segments:
            if segment in lacking:
                where = seen.place(workflow_file(name), "events", "segment")
                yield seen.found("DATA01", name, where, lacking[segment].message, lacking[segment].hint, segment)


@dataclass(frozen=True, slots=True)
class Split:
    """One KPI of a pilot, split by every declared segment."""

    seen: Seen
    view: PilotView
    name: str
    kpis: int
    rows: Sequence[WeekStatistic]
    segments: Sequence[str]

    @property
    def kpi(self) -> Kpi:
        """The KPI that is split."""
        return self.view.workflow.kpis[self.name]

    def found(self) -> Iterator[Found]:
        """Yield the finding, if there is one: the segment that surely got worse most, else a reversal."""
        whole = self._pair([row for row in self.rows if row.segment is None])
        by_name = {name: self._pairs(name) for name in self.segments}
        compared = {f"{name}={value}": pair for name, pairs in by_name.items() for value, pair in pairs.items()}
        if not whole.enough() or len(compared) < 2:
            return
        overall = whole.interval(LOOKED)
        if self._worse(overall):
            return
        intervals = {name: pair.interval(LOOKED / (len(compared) * self.kpis)) for name, pair in compared.items()}
        worse = {name: interval for name, interval in intervals.items() if self._worse(interval)}
        reversed_by = [name for name, pairs in by_name.items() if self._reverses(overall, pairs)]
        if worse:
            name = max(worse, key=lambda one: -self.kpi.sign * worse[one].estimate)
            yield self._finding(f"in {name} {self._said(worse[name])}", overall, len(compared), reversed_by, name)
        elif reversed_by:
            equal = self._at_equal_mix(by_name[reversed_by[0]])
            said = f"at equal mix of {reversed_by[0]} {self._said(equal)}"
            yield self._finding(said, overall, len(compared), [], reversed_by[0])

    def _pairs(self, segment: str) -> Mapping[str, Pair]:
        pairs = {value: self._pair(rows) for value, rows in of_segment(self.rows, segment).items()}
        return {value: pair for value, pair in sorted(pairs.items()) if pair.enough()}

    def _pair(self, rows: Sequence[WeekStatistic]) -> Pair:
        against = Arm.CONTROL if self.view.concurrent else Arm.BASELINE
        treated, control = (Tally.of(row for row in rows if row.arm == arm) for arm in (Arm.TREATED, against))
        return Pair(treated, control, not self.view.concurrent, self.kpi.kind is KpiKind.SHARE)

    def _worse(self, interval: Interval) -> bool:
        return interval.clears(0.0, -self.kpi.sign)

    def _reverses(self, overall: Interval, pairs: Mapping[str, Pair]) -> bool:
        if len(pairs) < 2 or not overall.clears(0.0, self.kpi.sign):
            return False
        return self._worse(self._at_equal_mix(pairs))

    def _at_equal_mix(self, pairs: Mapping[str, Pair]) -> Interval:
        return at_equal_mix([pair.stratum() for pair in pairs.values()], LOOKED / self.kpis)

    def _finding(self, what: str, overall: Interval, compared: int, reversed_by: Sequence[str], key: str) -> Found:
        also = f" Split by {reversed_by[0]}, the whole reverses." if reversed_by else ""
        detail = (
            f"{self.view.name}.{self.name} over all {self._said(overall)}; {what}.{also} {compared} segments were "
            f"compared ({1 - ALPHA:.0%} shared by them, by {self.kpis} KPIs and {WEEKLY_LOOKS} weekly looks)."
        )
        fix = "Decide for that segment on its own: out of the scope, or repaired. `trueup measure --segments` shows it."
        where = self.seen.place(workflow_file(self.view.name), "kpis", self.name)
        return self.seen.found("KPI04", self.view.name, where, detail, fix, f"{self.name} {key}")

    def _said(self, interval: Interval) -> str:
        ends = [known(interval.lower), known(interval.upper)]
        lower, upper = ("unknown" if end is None else f"{end:+.3g}" for end in ends)
        return f"{interval.estimate:+.3g} {self.kpi.shown_unit} [{lower}, {upper}]"


RULES = (crowded_segment, hidden_segment)
