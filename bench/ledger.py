"""What the ledger costs: durable appends against bare commits of the same bytes, verify against reading and hashing.

On SQLite and PostgreSQL, one writer and eight; every writer is a process, and its appends wait for the disk.
"""

from __future__ import annotations

import sqlite3
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import closing
from hashlib import sha256
from pathlib import Path

from bench._ledger_writers import NOW, SIGNER, StoppedClock, entries, writers
from bench.report import Report, in_alternation
from trueup.backends.sqlite import SqliteStore
from trueup.ledger.entry import leaf
from trueup.ledger.log import Ledger
from trueup.ledger.verify import verify

APPENDS = 500
BATCH = 100
SIZES = (100_000, 1_000_000)


def run(report: Report, data: Path | None) -> None:  # noqa: ARG001 -- the frame's signature; nothing is read
    """Measure on the disk that holds temporary files; say so, because a slower disk brings the ratios nearer to 1."""
    with tempfile.TemporaryDirectory(prefix="trueup-bench-") as folder:
        _appends(report, Path(folder))
        writers(report, Path(folder))
        for size in SIZES:
            _verifying(report, Path(folder) / f"{size}.db", size)


def _appends(report: Report, folder: Path) -> None:
    counter = iter(range(1_000_000))

    def ours(portion: int) -> Callable[[], None]:
        def work() -> None:
            log = Ledger(SqliteStore(folder / f"ours-{next(counter)}.db"), StoppedClock(), SIGNER, SIGNER.name)
            with closing(log):
                for at in range(0, APPENDS, portion):
                    log.append(made[at : at + portion])

        return work

    def peer(portion: int) -> Callable[[], None]:
        def work() -> None:
            with closing(_bare(folder / f"bare-{next(counter)}.db")) as connection:
                for at in range(0, APPENDS, portion):
                    connection.execute("BEGIN IMMEDIATE")
                    connection.executemany("INSERT INTO leaves VALUES (?, ?)", leaves[at : at + portion])
                    connection.execute("COMMIT")

        return work

    made = entries(0, APPENDS)
    leaves = [(n, leaf(entry, NOW)) for n, entry in enumerate(made)]
    for portion, name in ((1, "durable append, one by one"), (BATCH, f"durable append, {BATCH} at a time")):
        seconds, bare = in_alternation(ours(portion), peer(portion))
        report.row(
            name,
            1e6 * seconds / APPENDS,
            1e6 * bare / APPENDS,
            unit="us",
            note=f"an entry; peer: bare SQLite commits of the same {len(leaves[0][1])} bytes, WAL, synchronous FULL",
        )


def _bare(path: Path) -> sqlite3.Connection:
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("PRAGMA synchronous = FULL")
    connection.execute("CREATE TABLE leaves (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL)")
    return connection


def _verifying(report: Report, path: Path, size: int) -> None:
    report.say(f"writing {size:,} entries")
    with closing(Ledger(SqliteStore(path), StoppedClock(), SIGNER, SIGNER.name)) as log:
        for at in range(0, size, 10_000):
            log.append(entries(at, 10_000), checkpoint=True)
    rounds = 3 if size > 100_000 else 5
    store = SqliteStore(path, read_only=True)
    with closing(store):
        ours, hashing = in_alternation(lambda: _verified(store), lambda: _hashed(_streamed(path)), rounds)
        report.row(
            f"verify of {size:,} entries", ours, hashing, note="peer: read the leaves and hash the tree, no checks"
        )
        leaves = list(_streamed(path))
        started = time.perf_counter()
        _hashed(iter(leaves))
        report.row(
            f"verify of {size:,} entries, to bare hashing",
            ours,
            time.perf_counter() - started,
            note="peer: hash the tree of leaves that lie in memory",
        )


def _verified(store: SqliteStore) -> None:
    if not verify(store, vkey=SIGNER.verifier.text, origin=SIGNER.name).ok:
        msg = "the bench's own ledger does not verify"
        raise RuntimeError(msg)


def _streamed(path: Path) -> Iterator[bytes]:
    with closing(sqlite3.connect(f"file:{path}?mode=ro&immutable=1", uri=True)) as connection:
        for (data,) in connection.execute("SELECT leaf FROM entries ORDER BY idx"):
            yield data


def _hashed(leaves: Iterator[bytes]) -> bytes:
    peaks: list[bytes] = []
    for index, data in enumerate(leaves):
        node, rest = sha256(b"\x00" + data).digest(), index
        while rest & 1:
            node = sha256(b"\x01" + peaks.pop() + node).digest()
            rest >>= 1
        peaks.append(node)
    return peaks[-1]
