"""Two rankings of the same files with the same draws: they differ by what was learned, and by nothing else."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from trueup.kernel.errors import ConflictError, DataError
from trueup.loop.rankings.evidence import Evidence, decided_evidence, present_evidence

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator, Mapping
    from datetime import date, datetime

    from trueup.choose.portfolio.ranking import Ranked
    from trueup.declare.programme import Programme
    from trueup.loop.workbench import Workbench

# Two probabilities from 1,000 draws each are told apart by about three standard errors of one (0.016 at one half).
NOISE = 0.05
# Every review ranks; a large portfolio is drawn less often there than by `trueup rank`.
_MANY = 60
_FEWER_DRAWS = 200
_SECONDS = 10.0


@dataclass(frozen=True, slots=True)
class Place:
    """Where a use case stands in a ranking, and on which figures."""

    place: int
    p_funded: float
    selected: bool
    success: float
    net: float | None

    def ahead_of(self, other: Place) -> bool:
        """Tell whether it is clearly ahead: by probability where they differ by more than chance, else by net value."""
        if abs(self.p_funded - other.p_funded) > NOISE:
            return self.p_funded > other.p_funded
        return (self.net or 0.0) > (other.net or 0.0)


@dataclass(frozen=True, slots=True)
class Overturning:
    """The decided ranking and the present one, by use case, with what each rests on."""

    before: Mapping[str, Place]
    after: Mapping[str, Place]
    decided: Evidence
    present: Evidence

    def order(self, accepted: Iterable[str] | None = None) -> list[str]:
        """Return the order after accepting all changes, or those about some use cases alone."""
        if accepted is None:
            return sorted(self.after, key=lambda name: self.after[name].place)
        moved = set(accepted)
        order = sorted(self.before.keys() - moved, key=lambda name: self.before[name].place)
        for name in sorted(moved, key=lambda one: self.after[one].place):
            order.insert(self.after[name].place - 1, name)
        return order

    def overturned(self) -> list[str]:
        """Return the use cases whose selection changed, or that changed places with another by what was learned.

        One that only moved because another did is not among them.
        """
        return [name for name in self.order() if self._selection_changed(name) or self._passed(name)]

    def moved_by_evidence(self, name: str) -> bool:
        """Tell whether what was learned is about this use case."""
        return self.before[name].success != self.after[name].success

    def _selection_changed(self, name: str) -> bool:
        return self.before[name].selected != self.after[name].selected

    def _passed(self, name: str) -> bool:
        was, now = self.before[name], self.after[name]
        if was.place == now.place or not self.moved_by_evidence(name):
            return False
        return any(
            self._turned(self.before[other], self.after[other], was, now) for other in self.after if other != name
        )

    @staticmethod
    def _turned(was: Place, now: Place, own_was: Place, own_now: Place) -> bool:
        fell = own_was.ahead_of(was) and now.ahead_of(own_now)
        rose = was.ahead_of(own_was) and own_now.ahead_of(now)
        return (fell and own_now.place > own_was.place) or (rose and own_now.place < own_was.place)


def overturning(bench: Workbench, as_of: datetime, proposed: Mapping[str, float | None]) -> Overturning | None:
    """Return both rankings; None where nothing was learned since the last one, or where there can be no ranking.

    `proposed` as in `present_evidence`.
    """
    programme = bench.programme
    if not programme.use_cases:
        return None
    decided, present = decided_evidence(bench, as_of), present_evidence(bench, as_of, proposed)
    if decided == present:
        return None
    bench.progress(f"ranking {len(programme.use_cases):,} use cases again")
    try:
        before, after = _ranked(programme, decided, as_of.date()), _ranked(programme, present, as_of.date())
    except (ConflictError, DataError):
        # `rank` says why; no change of a ranking can be proposed where there is none.
        return None
    if before.selection.timed_out or after.selection.timed_out:
        # Another run might find another set: that would not be evidence.
        return None
    return Overturning(dict(_places(before)), dict(_places(after)), decided, present)


def _ranked(programme: Programme, evidence: Evidence, on: date) -> Ranked:
    from trueup.choose.portfolio.ranking import DRAWS, Question, rank

    draws = _FEWER_DRAWS if len(programme.use_cases) > _MANY else DRAWS
    question = Question(on, draws=draws, seconds=_SECONDS, readiness=evidence.readiness)
    return rank(evidence.under(programme, on), question)


def _places(ranked: Ranked) -> Iterator[tuple[str, Place]]:
    for place, at in enumerate(ranked.order(), 1):
        worth = ranked.worths[at]
        yield (
            worth.name,
            Place(place, ranked.p_funded(at), bool(ranked.selection.chosen[at]), worth.success.expected, worth.net),
        )
