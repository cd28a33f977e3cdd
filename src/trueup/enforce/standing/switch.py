"""The kill switch: one entry stops a workflow, or all of them, in every process from its next action on.

There is no message to deliver and no process to reach: each gate looks into the ledger before each action.
"""

from __future__ import annotations

from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING

from trueup.declare.model.people import Role
from trueup.kernel.canonical import canonical
from trueup.kernel.errors import ConflictError, NotFoundError, NotPermittedError
from trueup.kernel.text import did_you_mean
from trueup.ledger.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from trueup.declare.programme import Programme
    from trueup.kernel.canonical import Json
    from trueup.ledger.log import Ledger
    from trueup.ledger.upkeep.tail import Followed

    Sign = Callable[[bytes], Mapping[str, Json]]

KILLED = "killed"
RUNNING = "running"
_TYPE = "kill.switched"
# Stopping is what anybody who works with it may do; going on again is a decision.
_MAY_KILL = {Role.REVIEWER, Role.APPROVER, Role.OWNER, Role.SPONSOR, Role.ENGINEER, Role.ADMIN}
_MAY_RESUME = {Role.OWNER, Role.SPONSOR, Role.ADMIN}
_MAY_RESUME_ALL = {Role.SPONSOR, Role.ADMIN}


class Switch:
    """The kill switch as one process sees it; reads on from where it stopped."""

    def __init__(self, ledger: Followed) -> None:
        self._ledger = ledger
        self._lock = Lock()
        self._read_to = -1
        self._killed: dict[str | None, str] = {}

    def why_not(self, workflow: str) -> str | None:
        """Return why nothing of a workflow may run; None when it may."""
        with self._lock:
            end = self._ledger.size() - 1
            if end > self._read_to:
                for item in self._ledger.entries(_TYPE, after=self._read_to):
                    if item.index <= end:
                        self._take(item.entry)
                self._read_to = end
            whole, own = self._killed.get(None), self._killed.get(workflow)
        if whole is not None:
            return f"the whole programme was stopped: {whole}"
        return None if own is None else f"{workflow!r} was stopped: {own}"

    def _take(self, entry: Entry) -> None:
        scope = entry.data.get("workflow")
        key = scope if isinstance(scope, str) else None
        if entry.data.get("to") == RUNNING:
            self._killed.pop(key, None)
        else:
            self._killed[key] = f"{entry.by}, {entry.data.get('because')}"


@dataclass(frozen=True, slots=True)
class Throw:
    """What a person wants of the switch: `to` killed or running, for a workflow, or for all (None)."""

    to: str
    workflow: str | None
    by: str
    because: str


def throw(programme: Programme, ledger: Ledger, wanted: Throw, at: datetime, sign: Sign) -> int:
    """Record a kill or its end; return the entry's index.

    Raises NotFoundError (no such workflow), NotPermittedError, and ConflictError when it stands so already.
    """
    _require_known(programme, wanted.workflow)
    _require_may(programme, wanted)
    found = [item.entry for item in ledger.entries(_TYPE) if item.entry.data.get("workflow") == wanted.workflow]
    if wanted.to == (found[-1].data.get("to") if found else RUNNING):
        what = repr(wanted.workflow) if wanted.workflow else "The programme"
        raise ConflictError("switched-already", f"{what} is {wanted.to} already.", "")
    data: dict[str, Json] = {"workflow": wanted.workflow, "to": wanted.to, "because": wanted.because}
    signed = {**data, **sign(canonical(data))}
    scope = wanted.workflow or "programme:"
    return ledger.append([Entry(_TYPE, f"kill/{scope}/{len(found)}", at, wanted.by, signed)])[0]


def _require_known(programme: Programme, workflow: str | None) -> None:
    known = sorted(programme.workflows)
    if workflow is not None and workflow not in known:
        raise NotFoundError(
            "no-such-workflow",
            f"There is no workflow {workflow!r}.{did_you_mean(workflow, known)}",
            f"Declared are: {', '.join(known) or 'none'}. Without a workflow, all are stopped.",
        )


def _require_may(programme: Programme, wanted: Throw) -> None:
    people = programme.file.people
    able = sorted(who for who in people if _may(programme, who, wanted))
    if not able and wanted.to == RUNNING:
        # What nobody could let go on again would be stopped for ever: then its owners may.
        able = sorted(who for who, person in people.items() if Role.OWNER in person.roles)
    if wanted.by in able:
        return
    if wanted.by not in people:
        raise NotPermittedError(
            "unknown-person",
            f"{wanted.by!r} is not in `people` of programme.yaml.{did_you_mean(wanted.by, people)}",
            f"Declared are: {', '.join(sorted(people)) or 'nobody yet'}.",
        )
    verb = "stop" if wanted.to == KILLED else "resume"
    raise NotPermittedError(
        "may-not-switch",
        f"{wanted.by!r} may not {verb} {repr(wanted.workflow) if wanted.workflow else 'the programme'}.",
        f"These may: {', '.join(able) or 'nobody is declared who may'}.",
    )


def _may(programme: Programme, who: str, wanted: Throw) -> bool:
    roles = set(programme.file.people[who].roles)
    if wanted.to == KILLED:
        owners = programme.workflows[wanted.workflow].owners if wanted.workflow else None
        named = {owners.business, owners.incidents, owners.escalation} if owners else set()
        return who in named or who == programme.file.sponsor or bool(roles & _MAY_KILL)
    enough = _MAY_RESUME if wanted.workflow else _MAY_RESUME_ALL
    return who == programme.file.sponsor or bool(roles & enough)
