"""A log that signs its own state: some time after an entry that no checkpoint covers yet, and when it is closed."""

from __future__ import annotations

import threading
from contextlib import suppress
from typing import TYPE_CHECKING, TypeAlias

from trueup.kernel.errors import TrueupError
from trueup.ledger.log import Ledger

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence
    from datetime import timedelta

    from trueup.kernel.clock import Clock
    from trueup.ledger.entry import Entry
    from trueup.ledger.groups import Premise
    from trueup.ledger.note import Signer
    from trueup.ledger.store import Store

    # Calls an action once, after some seconds, in another thread; what it returns calls that off.
    Schedule: TypeAlias = Callable[[float, Callable[[], None]], Callable[[], None]]


class KeptLedger(Ledger):
    """A Ledger with its key. At most `every` after an append, and at `close`, a checkpoint covers it.

    What cannot be signed then (a full disk, a database that is away) stays uncovered, which `verify` reports;
    entries never depend on it.
    """

    def __init__(
        self, store: Store, clock: Clock, signer: Signer, origin: str, *, every: timedelta, schedule: Schedule
    ) -> None:
        super().__init__(store, clock, signer, origin)
        self._every = every.total_seconds()
        self._schedule = schedule
        self._due = threading.Lock()
        self._uncovered = False
        self._call_off: Callable[[], None] | None = None

    def append(
        self,
        entries: Sequence[Entry],
        *,
        checkpoint: bool = False,
        before_commit: Callable[[str | None], None] | None = None,
        premise: Premise | None = None,
    ) -> list[int]:
        """Append entries, as of `Ledger.append`; without a checkpoint of their own, one is due."""
        indices = super().append(entries, checkpoint=checkpoint, before_commit=before_commit, premise=premise)
        with self._due:
            if checkpoint:
                # It covers everything before it; another thread's entry may have come since, and has its own turn.
                self._settle()
            elif entries:
                self._uncovered = True
                if self._call_off is None:
                    self._call_off = self._schedule(self._every, self._cover)
        return indices

    def close(self) -> None:
        """Sign what is not covered yet, then let go of files and locks."""
        with self._due:
            uncovered = self._uncovered
            self._settle()
        if uncovered:
            with suppress(TrueupError):
                super().append([], checkpoint=True)
        super().close()

    def _cover(self) -> None:
        with self._due:
            uncovered = self._uncovered
            self._call_off, self._uncovered = None, False
        if uncovered:
            try:
                super().append([], checkpoint=True)
            except TrueupError:
                # The next append makes another attempt due, and `close` makes the last.
                self._uncovered = True

    def _settle(self) -> None:
        if self._call_off is not None:
            self._call_off()
        self._call_off, self._uncovered = None, False
