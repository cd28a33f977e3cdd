"""Who waits for the disk together: entries of several threads, committed as one group, each asked for alone.

The first thread that gets its turn commits for all that wait behind it. A request that is refused (its id says
something else already) spoils nobody else's.
"""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass
from typing import TYPE_CHECKING, NoReturn, Protocol

from trueup.kernel.errors import StorageError, TrueupError

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from trueup.ledger.entry import Draft, Entry, Recorded

MOST_ENTRIES = 512


class Premise(Protocol):
    """What was true of the log at a size, and what is appended rests on."""

    @property
    def size(self) -> int:
        """The number of entries that the log had."""
        ...

    def holds(self, news: Sequence[Recorded], beside: Sequence[Recorded]) -> bool:
        """Tell, under the log's lock, whether it is still true behind what came since.

        `news` stands in the log; `beside` is what other requests add in the same transaction, which may yet be undone.
        """
        ...


@dataclass(slots=True, eq=False)
class Request:
    """What one thread wants appended, and what became of it: indices, or an error.

    Nothing of it is appended unless its `premise` holds, and then all of it is new. `drafts` are its entries, ready to
    be written.
    """

    entries: Sequence[Entry]
    checkpoint: bool = False
    before_commit: Callable[[str | None], None] | None = None
    premise: Premise | None = None
    drafts: Sequence[Draft] = ()
    indices: list[int] | None = None
    error: BaseException | None = None

    @property
    def alone(self) -> bool:
        """True when it cannot share a transaction: what it brings along may undo everything in it."""
        return self.before_commit is not None

    @property
    def settled(self) -> bool:
        """True when it was committed or refused."""
        return self.indices is not None or self.error is not None

    def result(self) -> list[int]:
        """Return the indices, or raise what happened."""
        if self.error is not None:
            _raise(self.error)
        return list(self.indices or ())


class Groups:
    """The queue in front of one log; `commit` settles a group, whatever happens."""

    def __init__(self, commit: Callable[[list[Request]], None]) -> None:
        self._commit = commit
        self._waiting: deque[Request] = deque()
        self._turn = threading.Lock()

    def settle(self, request: Request) -> list[int]:
        """Have a request committed, with others that wait; return its indices. Raises what happened to it."""
        self._waiting.append(request)
        with self._turn:
            while not request.settled:
                self._commit(self._next())
        return request.result()

    def _next(self) -> list[Request]:
        """Take the longest group that may share a transaction, in the order of asking."""
        group = [self._waiting.popleft()]
        entries = len(group[0].entries)
        while not group[0].alone and self._waiting and not self._waiting[0].alone:
            entries += len(self._waiting[0].entries)
            if entries > MOST_ENTRIES:
                break
            group.append(self._waiting.popleft())
        return group


def _raise(error: BaseException) -> NoReturn:
    """Raise what happened: in every thread an exception of its own, as two that raise one mix their tracebacks."""
    if isinstance(error, TrueupError):
        raise type(error)(error.code, error.message, error.hint, error.findings) from error
    if isinstance(error, Exception):
        raise error
    raise StorageError(
        "interrupted", "The thread that committed for others was interrupted.", "Append the same again; that is safe."
    ) from error
