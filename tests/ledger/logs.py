"""Small logs to look at and to break: a clock that ticks, a key from a seed, entries that say little."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from datetime import UTC, datetime, timedelta
from pathlib import Path

from trueup.backends.sqlite import SqliteStore
from trueup.ledger.entry import Entry
from trueup.ledger.log import Ledger
from trueup.ledger.note import Signer
from trueup.ledger.verify import Report, Witness, verify

ORIGIN = "northwind.example/trueup"
SIGNER = Signer(ORIGIN, bytes(range(32)))
VKEY = SIGNER.verifier.text
START = datetime(2026, 1, 5, 9, tzinfo=UTC)


class TickingClock:
    """One second later at every look."""

    def __init__(self, start: datetime = START) -> None:
        self._next = start

    def now(self) -> datetime:
        self._next += timedelta(seconds=1)
        return self._next


def note(n: int, text: str = "moved", by: str | None = "clerk") -> Entry:
    return Entry("note.recorded", f"note/{n}", START, by, {"text": f"{text} {n}", "about": None})


def open_log(path: Path, signer: Signer | None = SIGNER, origin: str = ORIGIN) -> Ledger:
    return Ledger(SqliteStore(path), TickingClock(), signer, origin)


def make_log(path: Path, entries: int = 7, signed_at: tuple[int, ...] = (3, 5), signer: Signer = SIGNER) -> list[str]:
    """Write a log and close it; return its checkpoints."""
    signed: list[str] = []
    with closing(open_log(path, signer, signer.name)) as log:
        for n in range(entries):
            sign = n + 1 in signed_at
            log.append([note(n)], checkpoint=sign, before_commit=lambda text: signed.extend([text] if text else []))
    return signed


def verified(path: Path, *witness: str, vkey: str | None = VKEY, origin: str | None = ORIGIN) -> Report:
    """Verify a log file with its pin and texts from outside."""
    with closing(SqliteStore(path, read_only=True)) as store:
        outside = [Witness("checkpoints/latest", text.encode()) for text in witness]
        return verify(store, vkey=vkey, origin=origin, witnesses=outside)


def kinds(report: Report) -> set[str]:
    return {problem.kind for problem in report.problems}


def tampered(path: Path, *statements: str, arguments: tuple[object, ...] = ()) -> None:
    """Change a log behind its back, as somebody with the file and SQLite can."""
    with closing(sqlite3.connect(path)) as connection:
        for statement in statements:
            connection.execute(statement, arguments)
        connection.commit()
        connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def copied(source: Path, folder: Path) -> Path:
    """Return a fresh copy of a log file."""
    target = folder / "copy.db"
    shutil.copyfile(source, target)
    return target
