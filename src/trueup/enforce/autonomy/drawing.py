"""Which cases done without a person are looked at blind: drawn before they are done, by a hash that nobody can steer.

A case is drawn with a share that the ledger keeps beside the draw. The hash is keyed with the secret of the bodies: who
has the key can draw again and gets the same, an agent cannot know beforehand which case it will be. The share begins
with everything and tapers to what is needed to notice a rise in errors in time.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, replace
from datetime import timedelta
from threading import Lock
from typing import TYPE_CHECKING

from trueup.enforce.autonomy.rung import Rungs
from trueup.enforce.autonomy.watching import plan_of, promise_of
from trueup.enforce.rules import acts
from trueup.enforce.steps import StepIds
from trueup.enforce.verdict import Decision
from trueup.kernel.canonical import canonical

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import date, datetime

    from trueup.declare.programme import Programme
    from trueup.enforce.autonomy.rung import Rung
    from trueup.enforce.bodies import Bodies
    from trueup.enforce.request import Request
    from trueup.enforce.verdict import Verdict
    from trueup.kernel.canonical import Json
    from trueup.ledger.entry import Recorded
    from trueup.ledger.log import Ledger
    from trueup.ledger.upkeep.tail import Followed

JUDGED = "action.judged"
# The volume is that of these days.
RECENT = timedelta(weeks=4)
_WEEK = timedelta(weeks=1)
_SPACE = 2**64


@dataclass(frozen=True, slots=True)
class Draw:
    """What was drawn for one case, or for one step where no case is named: `unit` names it, by a keyed digest."""

    unit: str
    share: float
    drawn: bool

    def to_json(self) -> dict[str, Json]:
        """Return what the verdict carries."""
        return {"unit": self.unit, "share": self.share, "drawn": self.drawn}


@dataclass(frozen=True, slots=True)
class Done:
    """A case that was done without a person: its draw, when and by which entry it was first, its steps' intents."""

    draw: Draw
    at: datetime
    index: int
    intents: tuple[str, ...]


class BlindReview:
    """Draws for one workflow in one process; what other processes drew is read from the ledger."""

    def __init__(self, programme: Programme, workflow: str, ledger: Followed, bodies: Bodies) -> None:
        declared = programme.workflows[workflow]
        self._autonomy, self._promise = declared.autonomy, promise_of(declared.autonomy)
        self._actions = declared.actions
        self._workflow = workflow
        self._ledger = ledger
        self._bodies = bodies
        self._rungs = Rungs(ledger, workflow)
        self._lock = Lock()
        self._read_to, self._from = -1, -2
        self._known: dict[str, Draw] = {}
        self._days: Counter[date] = Counter()

    @property
    def draws(self) -> bool:
        """True where a bound on errors is promised, so that cases are drawn."""
        return self._promise is not None

    def draw(self, request: Request, step: str, verdict: Verdict, at: datetime) -> dict[str, Json]:
        """Return what a verdict carries of the draw; nothing where a person decides, or nothing is promised.

        The arguments of what is drawn are kept, so that a reviewer's own answer can be held against them. Raises
        StorageError when they cannot be.
        """
        action = self._actions.get(verdict.action or "")
        alone = verdict.decision is Decision.ALLOW and action is not None and acts(action)
        if not alone or self._promise is None:
            return {}
        unit = unit_of(self._bodies, self._workflow, request.case if request.case is not None else step)
        with self._lock:
            self._read_on()
            found = self._known.get(unit) or self._drawn(unit, at)
        if found.drawn:
            self._bodies.put(self._bodies.digest(request.body), request.body)
        return {"review": found.to_json()}

    def _drawn(self, unit: str, at: datetime) -> Draw:
        plan = plan_of(self._autonomy, self._promise, per_week(self._days, at))
        share = plan.share_at(len(self._known) + 1) if plan else 1.0
        return Draw(unit, share, int(unit[:16], 16) < share * _SPACE)

    def _read_on(self) -> None:
        rung = self._rungs.now()
        if rung.since != self._from:
            # Another rung: everything is looked at again until enough was seen of it.
            self._from, self._read_to = rung.since, rung.since
            self._known.clear()
            self._days.clear()
        end = self._ledger.size() - 1
        for item in self._ledger.entries(JUDGED, after=self._read_to):
            found = draw_of(item, self._workflow) if item.index <= end else None
            if found is not None and found.unit not in self._known:
                self._known[found.unit] = found
                self._days[item.entry.time.date()] += 1
        self._read_to = max(self._read_to, end)


def unit_of(bodies: Bodies, workflow: str, name: str) -> str:
    """Return the keyed digest that a case is drawn by, as hexadecimal digits. Raises StorageError without the key."""
    return bodies.digest(canonical(["blind review", workflow, name])).rpartition(":")[2]


def draw_of(item: Recorded, workflow: str) -> Draw | None:
    """Return the draw that a verdict carries; None where it carries none."""
    said = item.entry.data.get("review")
    if item.entry.data.get("workflow") != workflow or not isinstance(said, dict):
        return None
    return Draw(str(said["unit"]), float(said["share"]), said["drawn"] is True)


def per_week(days: Counter[date], at: datetime) -> float | None:
    """Return how many cases a week were done without a person lately; None before the first."""
    lately = {day: n for day, n in days.items() if day > (at - RECENT).date()}
    if not lately:
        return None
    return sum(lately.values()) / max(((at.date() - min(lately)) + timedelta(days=1)) / _WEEK, 1.0)


def done_alone(ledger: Ledger, workflow: str, rung: Rung, until: datetime) -> Iterator[Done]:
    """Yield the cases that were done without a person since a rung began, in their order."""
    found: dict[str, Done] = {}
    for item in ledger.entries(JUDGED, after=rung.since):
        draw = draw_of(item, workflow)
        if draw is None or item.entry.time > until:
            continue
        intent = str(item.entry.data.get("intent"))
        before = found.get(draw.unit)
        steps = (*before.intents, intent) if before else (intent,)
        first = before or Done(draw, item.entry.time, item.index, ())
        found[draw.unit] = replace(first, intents=steps)
    yield from found.values()


def ended(ledger: Ledger, done: Done) -> datetime | None:
    """Return when a case could be looked at: its newest step that took effect has ended; None where none has."""
    found = [ledger.find(StepIds.of_intent(intent).finished) for intent in done.intents]
    times = [item.entry.time for item in found if item is not None and item.entry.data.get("ended") == "done"]
    return max(times, default=None)
