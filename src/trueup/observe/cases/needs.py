"""What a KPI needs to know of a case, in terms that one pass over the events can collect.

A KPI is computed from a few facts of a case: when an activity (one of a set of names) was first and last seen in
the window, how often, and the value of an attribute. Facts that several KPIs need are collected once.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Literal

from trueup.declare.model.kpi import FROM_ACTUALS, UNIT_SECONDS, KpiKind
from trueup.kernel.errors import DataError
from trueup.observe.cases.patterns import matching

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trueup.declare.model.kpi import EventRef, Kpi, Ratio

COMPLETED = "completed"

Names = frozenset[str]
Fact = Literal["first", "last", "count"]


@dataclass(frozen=True, slots=True)
class Attribute:
    """An attribute of events as a fact of the case: its first or last value in the window, text or number."""

    name: str
    which: Literal["first", "last"]
    numeric: bool = False


@dataclass
class Needs:
    """The facts to collect: `facts` of sets of activities, and attributes; each known by its position."""

    activities: tuple[str, ...]
    facts: dict[tuple[Fact, Names], int] = field(default_factory=dict)
    attributes: dict[Attribute, int] = field(default_factory=dict)

    def fact(self, fact: Fact, patterns: Iterable[str]) -> str:
        """Ask for a fact of the activities that match, and return the name of its column."""
        key = (fact, matching(patterns, self.activities))
        return f"fact_{self.facts.setdefault(key, len(self.facts))}"

    def event(self, event: EventRef) -> str:
        """Ask for the time of an event, and return the name of its column."""
        return self.fact(event.which, [event.pattern])

    def attribute(self, attribute: Attribute) -> str:
        """Ask for an attribute, and return the name of the column of its value."""
        return f"value_{self.attributes.setdefault(attribute, len(self.attributes))}"


@dataclass(frozen=True, slots=True)
class Measure:
    """A KPI over the facts of a case.

    `columns` name the facts in the order of the KPI's own parts; `scale` is what the value is divided by
    (seconds in a unit of a duration, else 1); `whole` says that values are whole numbers before that. `under`: the
    column of what a ratio of sums is divided by, of every case.
    """

    name: str
    kpi: Kpi
    columns: tuple[str, ...]
    scale: int = 1
    whole: bool = True
    under: str | None = None


def measure_of(name: str, kpi: Kpi, complete: tuple[str, ...], needs: Needs) -> Measure:
    """Ask for what a KPI needs, and return how it is computed from that.

    Raises DataError `no-completion` when it counts completed cases and no activity completes one, `unknown-unit`.
    """
    match kpi.kind:
        case KpiKind.DURATION:
            return _duration(name, kpi, needs)
        case KpiKind.SHARE:
            assert kpi.share is not None
            if kpi.share.start is not None and kpi.share.to is not None:
                return Measure(name, kpi, (needs.event(kpi.share.start), needs.event(kpi.share.to)))
            if kpi.share.agree is not None:
                answer, label = (needs.attribute(Attribute(field, "last")) for field in kpi.share.agree)
                return Measure(name, kpi, (answer, label))
            patterns = kpi.share.having if kpi.share.having is not None else kpi.share.without or ()
            return Measure(name, kpi, (needs.fact("first", patterns),))
        case KpiKind.COUNT:
            assert kpi.count is not None
            return Measure(name, kpi, (needs.fact("count", kpi.count.of),))
        case KpiKind.RATIO:
            assert kpi.ratio is not None
            return _ratio(name, kpi, kpi.ratio, complete, needs)
        case KpiKind.THROUGHPUT:
            assert kpi.throughput is not None
            patterns = kpi.throughput.of or _completing(name, complete)
            return Measure(name, kpi, (needs.fact("first", patterns),))


def _duration(name: str, kpi: Kpi, needs: Needs) -> Measure:
    if kpi.shown_unit not in UNIT_SECONDS:
        raise DataError(
            "unknown-unit",
            f"The duration {name!r} is in {kpi.shown_unit!r}, which is no unit of time.",
            f"Write one of: {', '.join(UNIT_SECONDS)}.",
        )
    # Waiting and service times are no facts of single events: see `steps`.
    columns = (needs.event(kpi.duration.start), needs.event(kpi.duration.to)) if kpi.duration is not None else ()
    return Measure(name, kpi, columns, scale=kpi.unit_seconds)


def _ratio(name: str, kpi: Kpi, ratio: Ratio, complete: tuple[str, ...], needs: Needs) -> Measure:
    """A field has a value in each case (for `completed`: in each completed one); actuals only have weeks."""
    columns = [needs.attribute(Attribute(field, "last", numeric=True)) for field in ratio.fields]
    completed = needs.fact("first", _completing(name, complete)) if ratio.per == COMPLETED else None
    if ratio.paired:
        under = completed or needs.attribute(Attribute(ratio.per, "last", numeric=True))
        return Measure(name, kpi, tuple(columns), whole=False, under=under)
    if completed is not None:
        columns.append(completed)
    return Measure(name, kpi, tuple(columns), whole=ratio.of in FROM_ACTUALS)


def fields_of(kpi: Kpi) -> tuple[str, ...]:
    """Return the fields of the log that a KPI reads."""
    if kpi.share is not None and kpi.share.agree is not None:
        return kpi.share.agree
    if kpi.ratio is None:
        return ()
    by_field = kpi.ratio.paired and kpi.ratio.per != COMPLETED
    return (*kpi.ratio.fields, *([kpi.ratio.per] if by_field else []))


def _completing(name: str, complete: tuple[str, ...]) -> tuple[str, ...]:
    if not complete:
        raise DataError(
            "no-completion",
            f"The KPI {name!r} counts completed cases, and no activity is said to complete one.",
            "Give the activities that end a case as `complete` under `events` of the workflow.",
        )
    return complete


def from_actuals(kpi: Kpi) -> bool:
    """Tell whether a KPI divides recorded effort or cost by cases: it has one value a week and none a case."""
    return kpi.ratio is not None and kpi.ratio.of in FROM_ACTUALS
