"""Texts go, the record stays: what is kept too long, what somebody wants erased, and the tombstone for it.

The tombstone is durable before the text goes, and erasing the same again finishes what a crash left. How long a
text may be kept is what the sensitivity of its workflow's data says (`sensitivity: {LEVEL: {retain: 400d}}`); of
several levels the shortest counts. What still waits for a person, or may still run, is never due.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.kernel.clock import format_instant
from trueup.kernel.errors import NotFoundError, NotPermittedError, UsageError
from trueup.kernel.text import did_you_mean
from trueup.ledger.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime, timedelta

    from trueup.declare.programme import Programme
    from trueup.enforce.approvals import Desk
    from trueup.enforce.bodies import Bodies
    from trueup.ledger.entry import Recorded
    from trueup.ledger.log import Ledger

_NAMES_A_BODY = ("action.intended", "approval.requested", "approval.decided", "action.finished", "trail.extended")
_ENDED = frozenset({"used", "rejected", "expired"})


@dataclass(frozen=True, slots=True)
class Kept:
    """A text that lies there: since when by the newest entry that names it, under which rule, and how it stands.

    `state` is `kept`, `due`, `waiting` (its approval is open or may still run), `unruled` (no rule says how long),
    `unnamed` (no entry names it) or `tombstone` (erased in the record, and still there).
    """

    digest: str
    state: str
    entry: int | None
    since: datetime | None
    workflow: str | None
    level: str | None
    until: datetime | None

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {
            "digest": self.digest,
            "state": self.state,
            "entry": self.entry,
            "since": format_instant(self.since) if self.since else None,
            "workflow": self.workflow,
            "level": self.level,
            "until": format_instant(self.until) if self.until else None,
        }


def stock(desk: Desk, at: datetime) -> list[Kept]:
    """Return every text that is kept, and how it stands at an instant; in the order of their digests."""
    kept = list(desk.bodies.kept())
    named = _newest_naming(desk.ledger, frozenset(kept))
    waiting = _waiting(desk, at)
    return [_standing(desk, digest, named.get(digest), waiting, at) for digest in kept]


def erase(ledger: Ledger, bodies: Bodies, digest: str, by: str, because: str, at: datetime) -> int:
    """Record that a text is erased, then erase it; return the tombstone's index.

    Raises NotFoundError when neither text nor tombstone is there, StorageError.
    """
    newest = _newest_naming(ledger, frozenset({digest})).get(digest)
    tombstone = _tombstone(digest, newest)
    found = ledger.find(tombstone)
    if found is None:
        if digest not in set(bodies.kept()):
            raise NotFoundError(
                "no-such-body",
                f"There is no text with the digest {digest!a}.",
                "List them:\n    trueup ledger retain DIR",
            )
        data = {"digest": digest, "because": because, "entry": newest.index if newest else None}
        index = ledger.append([Entry("body.erased", tombstone, at, by, data)], checkpoint=ledger.signs)[0]
    else:
        index = found.index
    bodies.erase(digest)
    return index


def require_person(programme: Programme, who: str) -> None:
    """Raise NotPermittedError unless somebody is declared under `people`."""
    people = programme.file.people
    if who not in people:
        raise NotPermittedError(
            "unknown-person",
            f"{who!r} is not in `people` of programme.yaml.{did_you_mean(who, people)}",
            f"Declared are: {', '.join(sorted(people)) or 'nobody yet'}.",
        )


def require_reason(because: str) -> None:
    """Raise UsageError for a reason without a word, or too long for an entry."""
    if not because.strip() or len(because) > 2000:
        raise UsageError("no-reason", "Erasing needs a reason, of at most 2000 characters.", 'Add --because "...".')


def retention_of(programme: Programme, workflow: str) -> tuple[str, timedelta] | None:
    """Return the level and the length that hold for a workflow's texts; None where no rule says so."""
    declared = programme.workflows.get(workflow)
    use_case = programme.use_cases.get(declared.use_case or "") if declared else None
    names = set()
    if declared is not None and declared.events is not None and declared.events.data:
        names.add(declared.events.data)
    if use_case is not None and use_case.feasibility is not None and use_case.feasibility.data is not None:
        names.add(str(use_case.feasibility.data).removeprefix("data."))
    levels = {programme.file.data[name].sensitivity for name in names if name in programme.file.data}
    levels.add(declared.sensitivity if declared is not None else None)
    rules = [
        (rule.retain.delta(), level)
        for level, rule in programme.file.sensitivity.items()
        if level in levels and rule.retain is not None
    ]
    if not rules:
        return None
    length, level = min(rules)
    return level, length


def _standing(desk: Desk, digest: str, named: Recorded | None, waiting: set[str], at: datetime) -> Kept:
    if desk.ledger.find(_tombstone(digest, named)) is not None:
        return Kept(digest, "tombstone", named.index if named else None, None, None, None, None)
    if named is None:
        return Kept(digest, "unnamed", None, None, None, None, None)
    workflow = _workflow_of(desk.ledger, named)
    rule = retention_of(desk.programme, workflow) if workflow else None
    since = named.recorded
    until = since + rule[1] if rule else None
    state = "unruled" if until is None else "due" if at >= until else "kept"
    if digest in waiting:
        state = "waiting"
    return Kept(digest, state, named.index, since, workflow, rule[0] if rule else None, until)


def _newest_naming(ledger: Ledger, digests: frozenset[str]) -> dict[str, Recorded]:
    """Return the newest entry that names each digest: from it on, the text is kept."""
    found: dict[str, Recorded] = {}
    for kind in _NAMES_A_BODY:
        for item in ledger.entries(kind):
            for member in ("digest", "result"):
                digest = item.entry.data.get(member)
                if isinstance(digest, str) and digest in digests and _later(item, found.get(digest)):
                    found[digest] = item
    return found


def _later(item: Recorded, other: Recorded | None) -> bool:
    return other is None or item.index > other.index


def _waiting(desk: Desk, at: datetime) -> set[str]:
    """Return the digests of steps that are undecided, or accepted and not run yet."""
    asked = (desk.one(str(item.entry.data["approval"]), at) for item in desk.ledger.entries("approval.requested"))
    return {approval.digest for approval in asked if approval.state not in _ENDED}


def _workflow_of(ledger: Ledger, item: Recorded) -> str | None:
    """Return the workflow that an entry is about; a decision names only the intent."""
    data: Mapping[str, Any] = item.entry.data
    if "workflow" not in data and isinstance(data.get("intent"), str):
        intent = ledger.find(data["intent"])
        data = intent.entry.data if intent else {}
    workflow = data.get("workflow")
    return workflow if isinstance(workflow, str) else None


def _tombstone(digest: str, newest: Recorded | None) -> str:
    # A text may be kept again under the same digest; each time has a tombstone of its own.
    return f"erased/{digest.partition(':')[2]}/{newest.index if newest else 'unnamed'}"
