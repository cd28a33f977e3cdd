"""What a tool says of itself, pinned: a description that changes overnight is another tool.

The first definition that is offered is pinned by itself (trust on first use) and stands in the ledger. Another one is
denied until a person pins it by name. Definitions are digests there; their texts are kept beside it, so that the
person can read what they pin.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from threading import Lock
from typing import TYPE_CHECKING, Any

from trueup.declare.model.people import Role
from trueup.kernel.canonical import canonical, digest, digest_bytes
from trueup.kernel.errors import ConflictError, NotFoundError, NotPermittedError
from trueup.ledger.entry import Entry

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from trueup.declare.programme import Programme
    from trueup.enforce.bodies import Bodies
    from trueup.kernel.canonical import Json
    from trueup.ledger.log import Ledger
    from trueup.ledger.upkeep.tail import Followed

    Sign = Callable[[bytes], Mapping[str, Json]]

_PINNED = "tool.pinned"
_OFFERED = "tool.offered"
_MAY_PIN = {Role.APPROVER, Role.OWNER, Role.SPONSOR, Role.ENGINEER, Role.ADMIN}


@dataclass(frozen=True, slots=True)
class Pin:
    """A tool with the definition that is pinned, by whom (None: on first use), and another one that is offered."""

    tool: str
    definition: str
    by: str | None
    offered: str | None

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {"tool": self.tool, "definition": self.definition, "by": self.by, "offered": self.offered}


class Pins:
    """The pinned definitions of one workflow's tools; reads on from where it stopped."""

    def __init__(self, ledger: Followed, workflow: str) -> None:
        self._ledger = ledger
        self._workflow = workflow
        self._lock = Lock()
        self._read_to = -1
        self._pins: dict[str, list[Entry]] = {}
        self._offers: dict[str, str] = {}

    def of(self, tool: str) -> str | None:
        """Return the digest of the pinned definition of a tool; None before the first."""
        with self._lock:
            self._read_on()
            found = self._pins.get(tool)
            return str(found[-1].data.get("definition")) if found else None

    def all(self) -> list[Pin]:
        """Return the pins, by tool."""
        with self._lock:
            self._read_on()
            return [self._pin(tool, found[-1]) for tool, found in sorted(self._pins.items())]

    def count(self, tool: str) -> int:
        """Return how often a tool was pinned."""
        with self._lock:
            self._read_on()
            return len(self._pins.get(tool, ()))

    def _pin(self, tool: str, entry: Entry) -> Pin:
        definition, offered = str(entry.data.get("definition")), self._offers.get(tool)
        return Pin(tool, definition, entry.by, offered if offered != definition else None)

    def _read_on(self) -> None:
        end = self._ledger.size() - 1
        if end <= self._read_to:
            return
        for kind in (_PINNED, _OFFERED):
            for item in self._ledger.entries(kind, after=self._read_to):
                if item.index <= end and item.entry.data.get("workflow") == self._workflow:
                    self._take(str(item.entry.data.get("tool")), item.entry)
        self._read_to = end

    def _take(self, tool: str, entry: Entry) -> None:
        if entry.type == _PINNED:
            self._pins.setdefault(tool, []).append(entry)
        else:
            self._offers[tool] = str(entry.data.get("definition"))


@dataclass(frozen=True, slots=True)
class Registry:
    """Where definitions are offered by a door, and pinned by people."""

    workflow: str
    ledger: Ledger
    bodies: Bodies
    pins: Pins

    def offer(self, tool: str, definition: Mapping[str, Json], at: datetime) -> str:
        """Take note of the definition that a server offers; the first is pinned. Returns its digest.

        Raises ValueError for a definition that has no canonical form: then the tool cannot be pinned, or called.
        """
        text = canonical(definition)
        found = digest_bytes(text)
        known = self.pins.of(tool)
        if known == found:
            return found
        self.bodies.put(found, text)
        if known is None:
            self._append(_PINNED, tool, found, 0, at, None, {"replaces": None, "because": "first use"})
        elif self.ledger.find(self._id(_OFFERED, tool, found)) is None:
            self._append(_OFFERED, tool, found, None, at, None, {"pinned": known})
        return found

    def pin(self, programme: Programme, tool: str, by: str, because: str, at: datetime, sign: Sign) -> int:
        """Pin the definition that a server offers now; return the entry's index.

        Raises NotFoundError (nothing was offered), NotPermittedError, ConflictError (it is pinned already).
        """
        _require_may(programme, by)
        found = next((pin for pin in self.pins.all() if pin.tool == tool), None)
        if found is None:
            known = ", ".join(pin.tool for pin in self.pins.all())
            raise NotFoundError("no-such-pin", f"No server has offered a tool {tool!r} yet.", f"Known: {known or '-'}.")
        if found.offered is None:
            raise ConflictError("pinned-already", f"{tool!r} is pinned as it is offered.", "")
        data: dict[str, Json] = {"replaces": found.definition, "because": because}
        signed = {**data, **sign(canonical({**data, "tool": tool, "definition": found.offered}))}
        return self._append(_PINNED, tool, found.offered, self.pins.count(tool), at, by, signed)

    def text(self, definition: str) -> Any:
        """Return a definition that was kept, or None."""
        body = self.bodies.get(definition)
        return None if body is None else json.loads(body)

    def _append(
        self, kind: str, tool: str, found: str, n: int | None, at: datetime, by: str | None, more: Mapping[str, Json]
    ) -> int:
        data: dict[str, Json] = {"workflow": self.workflow, "tool": tool, "definition": found, **more}
        entry = Entry(kind, self._id(kind, tool, found if n is None else str(n)), at, by, data)
        try:
            return self.ledger.append([entry])[0]
        except ConflictError as error:
            # Another process has met the same tool at the same moment; what stands is looked up again.
            if error.code == "entry-exists" and by is None:
                return self.ledger.size() - 1
            raise

    def _id(self, kind: str, tool: str, last: str) -> str:
        return f"{kind.replace('.', '/')}/{self.workflow}/{_short(digest(tool))}/{_short(last)}"


def _short(text: str) -> str:
    return text.removeprefix("sha256:")[:32]


def _require_may(programme: Programme, by: str) -> None:
    people = programme.file.people
    able = sorted(who for who, person in people.items() if _MAY_PIN & set(person.roles))
    if by not in able:
        raise NotPermittedError(
            "may-not-pin",
            f"{by!r} may not say that a tool is still the one that was meant.",
            f"These may: {', '.join(able) or 'nobody is declared who may'}.",
        )
