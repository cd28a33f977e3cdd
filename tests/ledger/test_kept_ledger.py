"""A log that signs its own state: some time after an entry, and at its close; never in the way of an entry."""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

import pytest

from tests.ledger.logs import ORIGIN, SIGNER, TickingClock, note, open_log, verified
from trueup.backends.sqlite import SqliteStore
from trueup.backends.sqlite_appending import SqliteTransaction
from trueup.kernel.errors import StorageError
from trueup.ledger.upkeep.kept import KeptLedger


@dataclass
class Timers:
    """Timers that run when they are told to."""

    due: list[tuple[float, Callable[[], None]]] = field(default_factory=list)
    called_off: int = 0

    def start(self, seconds: float, action: Callable[[], None]) -> Callable[[], None]:
        self.due.append((seconds, action))

        def call_off() -> None:
            self.called_off += 1
            self.due = [item for item in self.due if item[1] is not action]

        return call_off

    def ring(self) -> None:
        waiting, self.due = self.due, []
        for _, action in waiting:
            action()


def kept(path: Path, timers: Timers) -> KeptLedger:
    return KeptLedger(
        SqliteStore(path), TickingClock(), SIGNER, ORIGIN, every=timedelta(minutes=5), schedule=timers.start
    )


def test_an_entry_is_covered_after_the_time(tmp_path: Path) -> None:
    timers = Timers()
    with closing(kept(tmp_path / "l.db", timers)) as log:
        for n in range(4):
            log.append([note(n)])
        assert ([seconds for seconds, _ in timers.due], log.covered()) == ([300.0], 0)
        timers.ring()
        assert log.covered() == 4
        assert timers.due == []
        log.append([note(4)])
        assert len(timers.due) == 1


def test_a_checkpoint_asked_for_calls_the_timer_off(tmp_path: Path) -> None:
    timers = Timers()
    with closing(kept(tmp_path / "l.db", timers)) as log:
        log.append([note(0)])
        log.append([note(1)], checkpoint=True)
        assert (timers.due, timers.called_off, log.covered()) == ([], 1, 2)
        log.sign_checkpoint()


def test_what_is_uncovered_is_signed_at_the_close(tmp_path: Path) -> None:
    timers = Timers()
    log = kept(tmp_path / "l.db", timers)
    log.append([note(0)])
    log.close()
    assert timers.due == []
    assert (verified(tmp_path / "l.db").uncovered, verified(tmp_path / "l.db").ok) == (0, True)


def test_a_log_that_was_only_read_is_closed_as_it_was(tmp_path: Path) -> None:
    with closing(open_log(tmp_path / "l.db")) as log:
        log.append([note(0)])
    before = (tmp_path / "l.db").read_bytes()
    log = kept(tmp_path / "l.db", Timers())
    assert log.size() == 1
    log.append([])
    log.close()
    assert (tmp_path / "l.db").read_bytes() == before
    assert verified(tmp_path / "l.db").uncovered == 1


def test_what_cannot_be_signed_stays_uncovered_and_is_tried_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    timers = Timers()
    log = kept(tmp_path / "l.db", timers)
    log.append([note(0)])

    def full(*_: object) -> None:
        raise StorageError("ledger-storage", "The disk is full.", "")

    with monkeypatch.context() as patch:
        patch.setattr(SqliteTransaction, "insert_checkpoint", full)
        timers.ring()
        assert log.covered() == 0
    log.close()
    assert verified(tmp_path / "l.db").uncovered == 0
