"""The level at which a workflow acts: the lower of what its file declares and what the ledger last set.

A level is raised by a signed change alone. It falls at once, in every process, when the ledger gains an entry that
says so: an alarm, a severity-1 incident, a kill, a tool that was pinned anew, or another basis. No message has to
arrive anywhere: each gate looks into the ledger before each action.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from pathlib import Path
from threading import Lock
from typing import TYPE_CHECKING

from trueup.declare import cedar
from trueup.declare.model.workflow import Autonomy, AutonomyLevel
from trueup.enforce.certainty.confidence import CHOSEN, chosen_at, needed_confidence
from trueup.enforce.policy import compile_policy
from trueup.kernel.canonical import digest, digest_bytes
from trueup.kernel.errors import ConflictError
from trueup.ledger.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from trueup.declare.model.workflow import Workflow
    from trueup.declare.programme import Programme
    from trueup.enforce.policy import Policy
    from trueup.kernel.canonical import Json
    from trueup.ledger.entry import Recorded
    from trueup.ledger.log import Ledger
    from trueup.ledger.upkeep.tail import Followed, Tail

SET = "autonomy.set"
# The cause of an entry that changes nothing: a gate wrote down for the first time what acts.
NOTED = "noted"
# The cause of an entry by which something else acts from then on.
BASIS = "basis"
ANOTHER = "the model, a prompt, an action, the knowledge or a policy is another one"
# The outcome of a signed change that waits for something: it sets no level.
HELD = "hold"
LEVELS = tuple(AutonomyLevel)
# What may change the level of a workflow.
LOWERING = (SET, CHOSEN, "change.decided", "incident.recorded", "kill.switched", "tool.pinned")
_GRAVEST = 1


@dataclass(frozen=True, slots=True)
class Rung:
    """Where a workflow stands by the ledger.

    `level` is None while nothing was set: then the file alone counts. `since` is the index of the entry that began the
    present rung, -1 without one. `basis` names what acts, once a gate has noted it. `threshold` is the confidence that
    was chosen for that basis, by the entry `chosen`; `acts_since` is the entry from which on the same acts as now.
    """

    level: AutonomyLevel | None = None
    since: int = -1
    at: datetime | None = None
    cause: str = ""
    because: str = ""
    basis: str | None = None
    threshold: float | None = None
    chosen: int = -1
    acts_since: int = -1

    def allows(self, declared: AutonomyLevel) -> AutonomyLevel:
        """Return the lower of a declared level and this one."""
        return declared if self.level is None else lower(declared, self.level)


def lower(one: AutonomyLevel, other: AutonomyLevel) -> AutonomyLevel:
    """Return the lower of two levels."""
    return min(one, other, key=LEVELS.index)


def below(level: AutonomyLevel) -> AutonomyLevel:
    """Return the next lower level; the lowest stays."""
    return LEVELS[max(LEVELS.index(level) - 1, 0)]


def declared_level(workflow: Workflow) -> AutonomyLevel:
    """Return the level that a workflow's file declares; without a word it is shadow."""
    return workflow.autonomy.level if workflow.autonomy else AutonomyLevel.SHADOW


class Rungs:
    """The rung of one workflow; reads on from where it stopped."""

    def __init__(self, ledger: Followed, workflow: str) -> None:
        self._ledger = ledger
        self._workflow = workflow
        self._lock = Lock()
        self._read_to = -1
        self._rung = Rung()

    def now(self, until: datetime | None = None) -> Rung:
        """Return the present rung; with `until`, that of the entries about an instant up to it (for a fresh reader)."""
        with self._lock:
            end = self._ledger.size() - 1
            if end > self._read_to:
                found = [item for kind in LOWERING for item in self._ledger.entries(kind, after=self._read_to)]
                for item in sorted(found, key=lambda item: item.index):
                    if item.index <= end and (until is None or item.entry.time <= until):
                        self._rung = after(self._rung, item, self._workflow)
                self._read_to = end
            return self._rung


def rungs_over(ledger: Ledger, workflow: str) -> list[tuple[int, Rung]]:
    """Return every rung that there was, each with the index of the entry by which it came to be; oldest first."""
    items = sorted((item for kind in LOWERING for item in ledger.entries(kind)), key=lambda item: item.index)
    found = [(-1, Rung())]
    for item in items:
        rung = after(found[-1][1], item, workflow)
        if rung != found[-1][1]:
            found.append((item.index, rung))
    return found


def after(rung: Rung, item: Recorded, workflow: str) -> Rung:
    """Return the rung after an entry; the same one when the entry does not concern it."""
    data = item.entry.data
    if item.entry.type == SET and data.get("workflow") == workflow:
        basis = str(data.get("basis")) if data.get("basis") else rung.basis
        if data.get("cause") == NOTED:
            return replace(rung, level=_level(data.get("to")), basis=basis, acts_since=item.index)
        begun = _begun(rung, item, _level(data.get("to")), str(data.get("cause")), str(data.get("because")))
        return replace(begun, basis=basis)
    if item.entry.type == CHOSEN:
        return _chosen(rung, item) if data.get("workflow") == workflow else rung
    if item.entry.type == "change.decided":
        if (data.get("kind"), data.get("subject"), data.get("decision")) != ("autonomy", workflow, "applied"):
            return rung
        if data.get("outcome") == HELD:
            return rung
        return _begun(rung, item, _level(data.get("outcome")), "signed", str(data.get("because")))
    cause = _fall(item.entry, workflow)
    if cause is None:
        return rung
    level = AutonomyLevel.DRAFT if rung.level is None else lower(rung.level, AutonomyLevel.DRAFT)
    return _begun(rung, item, level, *cause)


def _chosen(rung: Rung, item: Recorded) -> Rung:
    """Take a threshold for what acts now; one that was chosen for something else says nothing of it."""
    if item.entry.data.get("basis") != rung.basis:
        return rung
    return replace(rung, threshold=chosen_at(item.entry.data.get("at")), chosen=item.index)


def _fall(entry: Entry, workflow: str) -> tuple[str, str] | None:
    """Return cause and words of a fall to draft; None where an entry is no reason for one."""
    data = entry.data
    if entry.type == "kill.switched":
        concerns = data.get("workflow") in {None, workflow} and data.get("to") == "killed"
        return ("kill", f"stopped by {entry.by}: {data.get('because')}") if concerns else None
    if data.get("workflow") != workflow:
        return None
    if entry.type == "incident.recorded" and data.get("severity") == _GRAVEST:
        return "incident", f"severity-1 incident {data.get('incident')}: {data.get('what')}"
    if entry.type == "tool.pinned" and entry.by is not None:
        return BASIS, f"the definition of the tool {data.get('tool')!r} is another one"
    return None


def _begun(rung: Rung, item: Recorded, level: AutonomyLevel, cause: str, because: str) -> Rung:
    """Begin a rung. The threshold goes on, but not where something else acts from now on."""
    begun = Rung(level, item.index, item.entry.time, cause, because, rung.basis)
    if cause == BASIS:
        return replace(begun, acts_since=item.index)
    return replace(begun, threshold=rung.threshold, chosen=rung.chosen, acts_since=rung.acts_since)


def _level(name: object) -> AutonomyLevel:
    """Read a level; one that nobody knows is the lowest."""
    return AutonomyLevel(str(name)) if str(name) in set(LEVELS) else AutonomyLevel.SHADOW


def as_it_stands(programme: Programme, workflow: str, rung: Rung) -> Programme:
    """Return the programme with one workflow at the level, and with the threshold, that the ledger leaves it."""
    declared = programme.workflows[workflow]
    if declared.autonomy is None:
        return programme
    stands = {
        "level": rung.allows(declared.autonomy.level),
        "confidence": needed_confidence(declared.autonomy, rung.threshold),
    }
    changed = declared.model_copy(update={"autonomy": declared.autonomy.model_copy(update=stands)})
    return replace(programme, workflows={**programme.workflows, workflow: changed})


def policy_in_force(programme: Programme, workflow: str, ledger: Ledger) -> Policy:
    """Compile the policy of a workflow at the level that is in force. Raises as `compile_policy`."""
    if workflow not in programme.workflows:
        return compile_policy(programme, workflow)
    return compile_policy(as_it_stands(programme, workflow, Rungs(ledger, workflow).now()), workflow)


def basis_of(programme: Programme, workflow: str) -> str:
    """Return the digest of what acts: model, prompts, actions, knowledge and policies; not of its level.

    What the file asks of an answer that nobody looks at (`confidence`, `sources`) is part of it: it is a policy too.
    """
    declared = programme.workflows[workflow]
    autonomy = declared.autonomy or Autonomy()
    return digest(
        {
            "declared": declared.model_dump_json(include={"model", "actions", "knowledge", "checks"}),
            "asked of answers": [autonomy.confidence, autonomy.sources],
            "prompts": {file.as_posix(): _content(programme.root / file) for file in prompts_of(programme, workflow)},
            "policies": {file: text for file, text in cedar.policies(programme.root) if text is not None},
        }
    )


def prompts_of(programme: Programme, workflow: str) -> list[Path]:
    """Return the files that a workflow's prompts stand in, relative to the programme; patterns are followed."""
    model, root = programme.workflows[workflow].model, programme.root
    patterns = model.prompts if model else ()
    return sorted({path.relative_to(root) for pattern in patterns for path in root.glob(pattern) if path.is_file()})


def _content(path: Path) -> str | None:
    try:
        return digest_bytes(path.read_bytes())
    except OSError:
        return None


def note_basis(programme: Programme, workflow: str, ledger: Ledger, at: datetime) -> Rung:
    """Hold what acts now against what acted last; another basis takes the level to draft and restarts the evidence.

    The first time it is only noted. Nothing is written for a workflow that promises no bound on its errors.
    """
    declared = programme.workflows[workflow]
    rung = Rungs(ledger, workflow).now()
    if declared.autonomy is None or declared.autonomy.wrong_at_most is None:
        return rung
    basis, level = basis_of(programme, workflow), rung.allows(declared.autonomy.level)
    if rung.basis == basis:
        return rung
    if rung.basis is None:
        change = {"cause": NOTED, "because": "the gate was opened for the first time", "to": level}
    else:
        change = {"cause": BASIS, "because": ANOTHER, "to": lower(level, AutonomyLevel.DRAFT)}
    set_level(ledger, workflow, {**change, "from": level, "basis": basis}, at)
    return Rungs(ledger, workflow).now()


def set_level(ledger: Ledger, workflow: str, data: Mapping[str, Json], at: datetime) -> int | None:
    """Append an entry about a workflow's level; None when another process was first: what stands is looked up again."""
    before = sum(item.entry.data.get("workflow") == workflow for item in ledger.entries(SET))
    try:
        entry = Entry(SET, f"autonomy/{workflow}/{before}", at, None, {"workflow": workflow, **data})
        return ledger.append([entry])[0]
    except ConflictError as error:
        if error.code == "entry-exists":
            return None
        raise


class InForce:
    """The policy of one gate, at the level that the ledger leaves; that only ever falls: a raised file opens anew."""

    def __init__(self, programme: Programme, workflow: str, ledger: Ledger, tail: Tail) -> None:
        self._programme = programme
        self._workflow = workflow
        self._ledger = ledger
        self._tail = tail
        self._rungs = Rungs(tail, workflow)
        self._noted = False

    def of(self, policy: Policy, at: datetime) -> Policy:
        """Return the policy to judge by now: the same one, or one compiled at a lower level.

        The first time, what acts is held against what acted last (`note_basis`). Raises StorageError when that cannot
        be written.
        """
        if not self._noted and policy.broken is None:
            note_basis(self._programme, self._workflow, self._ledger, at)
            self._noted = True
            self._tail.look()
        rung, declared = self._rungs.now(), self._programme.workflows[self._workflow]
        needed = needed_confidence(declared.autonomy, rung.threshold)
        stands = (rung.allows(policy.level), needed)
        if stands == (policy.level, policy.confidence) or policy.broken is not None:
            return policy
        lowered = replace(rung, level=stands[0])
        return compile_policy(as_it_stands(self._programme, self._workflow, lowered), self._workflow)
