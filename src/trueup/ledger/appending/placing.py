"""The places of what a group of requests adds: each request is placed whole, or refused, and spoils nobody else's."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trueup.kernel.clock import format_instant
from trueup.kernel.errors import ConflictError, LedgerBrokenError, StorageError
from trueup.ledger.entry import Recorded
from trueup.ledger.store import Row

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trueup.ledger.appending.known import Known
    from trueup.ledger.entry import Draft
    from trueup.ledger.groups import Request

    Find = Callable[[str], tuple[int, bytes] | None]


@dataclass(slots=True)
class Placed:
    """What a group adds to a log: rows to insert, the indices of each request, and who was refused, and why."""

    rows: list[Row] = field(default_factory=list)
    requests: list[tuple[Request, list[int]]] = field(default_factory=list)
    refused: list[tuple[Request, Exception]] = field(default_factory=list)

    @property
    def signs(self) -> bool:
        """True when somebody wants the new state signed."""
        return any(request.checkpoint for request, _ in self.requests)

    def settle(self) -> None:
        """Tell every request what became of it."""
        for request, error in self.refused:
            request.error = error
        for request, indices in self.requests:
            request.indices = indices


def placed(known: Known, find: Find, group: Sequence[Request], recorded: str) -> Placed:
    """Place what a group adds behind what is known, which moves on. `find` finds what stands in the log.

    Raises StorageError, LedgerBrokenError; every other error is that of one request.
    """
    found = Placed()
    begin = known.frontier.size
    for request in group:
        try:
            _require_holds(known, request, begin)
            rows, indices = _rows(known, find, request, recorded, found.rows)
        except (StorageError, LedgerBrokenError):
            raise
        except Exception as error:  # noqa: BLE001 -- whatever is wrong with one request is its own affair
            found.refused.append((request, error))
            continue
        found.rows += rows
        found.requests.append((request, indices))
    return found


def _require_holds(known: Known, request: Request, begin: int) -> None:
    """Refuse what was true of another state of the log; what the group adds itself lies behind `begin`."""
    premise = request.premise
    if premise is None:
        return
    news = known.since(premise.size)
    if news is not None:
        mine = known.frontier.size - begin
        if premise.holds(news[: len(news) - mine], news[len(news) - mine :]):
            return
    raise ConflictError(
        "log-moved-on",
        f"The ledger has {known.frontier.size} entries by now, and what was to be written is about {premise.size}.",
        "Look at the ledger as it is now, and decide again.",
    )


def _rows(
    known: Known, find: Find, request: Request, recorded: str, before: Sequence[Row]
) -> tuple[list[Row], list[int]]:
    """Return the rows that entries add, and the index of each; what is known moves on when all can be placed."""
    mine = {row.id: row for row in before}
    leaves: list[tuple[int, Draft, bytes]] = []
    indices = []
    for draft in request.drafts:
        name = draft.entry.id
        other = mine.get(name)
        held = (other.idx, other.leaf) if other is not None else find(name)
        if held is not None:
            indices.append(_same(draft, *held, once=request.premise is not None))
            continue
        data = draft.leaf(recorded)
        index = known.frontier.size + len(leaves)
        leaves.append((index, draft, data))
        # The nodes are made once all entries of the request have their places.
        mine[name] = Row(index, name, "", "", "", data, b"")
        indices.append(index)
    rows = [
        Row(index, draft.entry.id, draft.entry.type, draft.time, recorded, data, known.add(index, data))
        for index, draft, data in leaves
    ]
    return rows, indices


def _same(draft: Draft, index: int, before: bytes, *, once: bool) -> int:
    """Return the index of an entry that is held already.

    Raises ConflictError when it says something else, and for what is written `once` whatever it says.
    """
    # What was recorded then and what is offered now may differ in `recorded` alone.
    if once or draft.leaf(format_instant(Recorded(index, before).recorded)) != before:
        raise ConflictError(
            "entry-exists",
            f"Entry {index} has the id {draft.entry.id!r} and says something else.",
            "What is recorded stays. Look at it:\n  trueup ledger entry DIR " + str(index),
        )
    return index
