"""The router: in which arm a case is, drawn before it starts and never drawn again.

The draw is a hash of a salt and the unit, so nobody's choice, and the same in every process. The salt comes from
the first registration of the pilot: whoever registers again does not draw again. What was drawn stands in the
ledger under an id made from workflow and case; the ledger's answer is the answer.

The draw can be computed by anybody who knows the registration. It keeps arms independent of the cases as long as
nobody picks case ids to get an arm. Whether a case had started already is not known here: the entry carries the
instant, and readings ignore an assignment that is later than the case's first event.
"""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from decimal import Decimal
from fractions import Fraction
from typing import TYPE_CHECKING

from trueup.declare.model.workflow import Design
from trueup.kernel.canonical import digest
from trueup.kernel.errors import ConflictError, NotFoundError, UsageError
from trueup.kernel.text import did_you_mean
from trueup.ledger.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Mapping
    from datetime import datetime

    from trueup.declare.programme import Programme
    from trueup.kernel.canonical import Json
    from trueup.ledger.entry import Recorded
    from trueup.ledger.log import Ledger

TREATED, CONTROL = "treated", "control"
_SPACE = 2**64
_LONGEST_NAME = 500
# A balanced block is as long as the share's denominator; with a share such as 33.3% that would be no balance.
_LONGEST_BLOCK = 20


@dataclass(frozen=True, slots=True)
class Assignment:
    """The arm of a case. `entry` is its place in the ledger, `at` the instant from which it counts."""

    case: str
    unit: str
    arm: str
    entry: int
    at: datetime

    def to_json(self) -> dict[str, object]:
        """Return the published form."""
        return {"case": self.case, "unit": self.unit, "arm": self.arm, "entry": self.entry}


@dataclass(frozen=True, slots=True)
class Arrival:
    """A case that is about to start, with its unit (where the design draws units) and its stratum, if it has one."""

    case: str
    unit: str | None = None
    stratum: str | None = None


class Router:
    """Draws the arms of one workflow's cases."""

    def __init__(self, programme: Programme, workflow: str, ledger: Ledger) -> None:
        """Open the router. Raises NotFoundError, and ConflictError without a registered `by: ledger` design."""
        self._workflow = workflow
        self._design = _design(programme, workflow)
        self._share = _share(self._design)
        self._ledger = ledger
        self._salt = _salt(ledger, workflow)
        self._read_to = -1
        self._cases: dict[str, Assignment] = {}
        self._units: dict[str, str] = {}
        self._strata: dict[str, int] = defaultdict(int)

    def assign(self, case: str, at: datetime, *, unit: str | None = None, stratum: str | None = None) -> Assignment:
        """Return the arm of a case; the same ever after. Raises UsageError, StorageError."""
        return self.assign_all([Arrival(case, unit, stratum)], at)[0]

    def assign_all(self, arrivals: Iterable[Arrival], at: datetime) -> list[Assignment]:
        """Return the arms of several cases, recorded together. Raises as `assign`."""
        listed = list(arrivals)
        self._read_on()
        fresh: dict[str, Entry] = {}
        for arrival in listed:
            if arrival.case not in self._cases and arrival.case not in fresh:
                fresh[arrival.case] = self._drawn(arrival, at)
        if fresh:
            self._append(list(fresh.values()))
            self._read_on()
        return [self._cases[arrival.case] for arrival in listed]

    def _append(self, entries: list[Entry]) -> None:
        try:
            self._ledger.append(entries)
        except ConflictError as error:
            if error.code != "entry-exists":
                raise
            # Another process drew one of them meanwhile, at another instant: its answer holds, the rest follows.
            self._ledger.append([entry for entry in entries if self._ledger.find(entry.id) is None])

    def _drawn(self, arrival: Arrival, at: datetime) -> Entry:
        unit = _unit(self._design, arrival)
        arm = self._units.get(unit) or self._draw(unit, arrival.stratum)
        self._units[unit] = arm
        data: dict[str, Json] = {
            "workflow": self._workflow,
            "case": arrival.case,
            "unit": unit,
            "arm": arm,
            "salt": self._salt,
            "share": float(self._share),
            "stratum": arrival.stratum,
        }
        if arrival.stratum is not None:
            self._strata[arrival.stratum] += 1
        return Entry("case.assigned", entry_id(self._workflow, arrival.case), at, None, data)

    def _draw(self, unit: str, stratum: str | None) -> str:
        block = self._share.denominator
        if stratum is None or block > _LONGEST_BLOCK:
            return TREATED if self._hash("unit", unit) < self._share * _SPACE else CONTROL
        # Permuted blocks (Zelen 1974): of each `block` cases of a stratum exactly the share is treated.
        number, place = divmod(self._strata[stratum], block)
        order = sorted(range(block), key=lambda seat: self._hash("block", stratum, str(number), str(seat)))
        return TREATED if order.index(place) < self._share.numerator else CONTROL

    def _hash(self, *words: str) -> int:
        return int(digest([self._salt, *words]).removeprefix("sha256:")[:16], 16)

    def _read_on(self) -> None:
        for item in self._ledger.entries("case.assigned", after=self._read_to):
            self._read_to = item.index
            data = item.entry.data
            if data.get("workflow") == self._workflow:
                found = _assignment(item)
                new = found.case not in self._cases
                self._cases.setdefault(found.case, found)
                self._units.setdefault(found.unit, found.arm)
                stratum = data.get("stratum")
                if new and isinstance(stratum, str):
                    self._strata[stratum] += 1


def entry_id(workflow: str, case: str) -> str:
    """Return the id of the entry that holds the arm of a case."""
    return f"assigned/{workflow}/{digest(case).removeprefix('sha256:')[:40]}"


def drawn_arms(
    programme: Programme, entries: Callable[[], Iterable[Recorded]]
) -> tuple[dict[str, dict[str, str]], dict[str, dict[str, datetime]]]:
    """Return the arms that were drawn, and from when each counts, by workflow and case.

    The ledger is read only where a workflow's design draws here.
    """
    pilots = ((name, workflow.pilot) for name, workflow in programme.workflows.items())
    routed = {name for name, pilot in pilots if pilot is not None and pilot.design.by == "ledger"}
    arms: dict[str, dict[str, str]] = {name: {} for name in routed}
    since: dict[str, dict[str, datetime]] = {name: {} for name in routed}
    for item in entries() if routed else ():
        name = item.entry.data.get("workflow")
        if item.entry.type == "case.assigned" and name in routed:
            drawn = _assignment(item)
            arms[str(name)][drawn.case] = drawn.arm
            since[str(name)][drawn.case] = drawn.at
    return arms, since


def _assignment(item: Recorded) -> Assignment:
    data: Mapping[str, Json] = item.entry.data
    return Assignment(str(data["case"]), str(data["unit"]), str(data["arm"]), item.index, item.entry.time)


def _design(programme: Programme, workflow: str) -> Design:
    """Return the design as it was registered: what the files say since then does not change what is drawn."""
    declared = programme.workflows.get(workflow)
    if declared is None:
        known = sorted(programme.workflows)
        raise NotFoundError(
            "no-such-workflow",
            f"There is no workflow {workflow!r}.{did_you_mean(workflow, known)}",
            f"Declared are: {', '.join(known) or 'none'}.",
        )
    pilot, registration = declared.pilot, programme.registrations.get(workflow)
    if pilot is None or pilot.design.by != "ledger" or pilot.design.assigned != "random":
        raise ConflictError(
            "not-routed",
            f"The pilot of {workflow!r} does not draw its arms here.",
            "Write `design: {assigned: random, by: ledger, share: 80%}` under `pilot`, and register the baseline.",
        )
    if registration is None:
        raise ConflictError(
            "not-registered",
            f"The pilot of {workflow!r} is not registered, so there is no share that was promised.",
            f"Register it first:\n    trueup baseline DIR {workflow} --by WHO",
        )
    design = Design.model_validate(registration.design)
    if design.by != "ledger" or design != pilot.design:
        raise ConflictError(
            "design-moved",
            f"The design of {workflow!r} is no longer the one that was registered.",
            "Put it back, or register again on the record: trueup baseline DIR WORKFLOW --replace --because WHY",
        )
    return design


def _share(design: Design) -> Fraction:
    """Return the treated share as it was written (80% is 4/5); a half where nothing is declared."""
    return Fraction(1, 2) if design.share is None else Fraction(Decimal(repr(design.share)))


def _salt(ledger: Ledger, workflow: str) -> str:
    for item in ledger.entries("baseline.registered"):
        if item.entry.data.get("workflow") == workflow:
            return digest(["trueup-router", workflow, item.entry.data.get("digest")])
    raise ConflictError(
        "not-registered",
        f"The ledger has no registration of {workflow!r}.",
        f"Register the baseline:\n    trueup baseline DIR {workflow} --by WHO",
    )


def _unit(design: Design, arrival: Arrival) -> str:
    if not arrival.case.isprintable() or not 1 <= len(arrival.case) <= _LONGEST_NAME:
        raise UsageError("bad-case", f"{arrival.case[:40]!a} cannot be the id of a case.", "Give it as the log has it.")
    if design.unit == "case":
        if arrival.unit not in {None, arrival.case}:
            raise UsageError("unit-is-case", "This design draws cases, one by one.", "Leave out --unit.")
        return arrival.case
    if not arrival.unit:
        raise UsageError(
            "no-unit", f"This design draws by {design.unit!r}, and the case names none.", "Add --unit with its value."
        )
    return arrival.unit
