"""One and eight processes that append durably to one log or act through one gate, beside as many bare commits.

python -m bench._ledger_writers STORE PLACE FIRST COUNT WHAT: one of those processes; it waits for a line. WHAT is
`ours` (appends) beside `bare` (commits of the same bytes), `governed` or `limited` (actions) beside `thrice` (three
commits).
"""

from __future__ import annotations

import os
import sqlite3
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path

import psycopg

from bench.report import Report
from tests.ledger.postgres_server import binaries, running_server
from trueup.backends.postgres import PostgresStore
from trueup.backends.sqlite import SqliteStore
from trueup.ledger.entry import Entry, leaf
from trueup.ledger.log import Ledger
from trueup.ledger.note import Signer
from trueup.ledger.store import Store

EACH = 200
WRITERS = (1, 8)
ROUNDS = 3
NOW = datetime(2026, 1, 5, tzinfo=UTC)
BYTES = b"x" * 700
SAYS = {
    "ours": "an append; peer: commits of the same bytes",
    "governed": "an action of low impact; peer: three durable writes of 700 B",
    "limited": "an action of high impact with a limit, signed; peer: three durable writes of 700 B",
}
SIGNER = Signer("bench.example/ledger", bytes(32))


class StoppedClock:
    """Always the same instant."""

    def now(self) -> datetime:
        """Return it."""
        return NOW


def entries(first: int, count: int) -> list[Entry]:
    """Entries of about 280 bytes, as decisions without a signature are."""
    body = {"text": "x" * 120, "about": "expense-approval"}
    return [Entry("note.recorded", f"note/{n}", NOW, "clerk", body) for n in range(first, first + count)]


def writers(report: Report, folder: Path, what: str = "ours", beside: str = "bare") -> None:
    """Measure both stores, PostgreSQL where there is one to start."""
    _prepare_sqlite(folder / "bare.db")
    _measure(report, "sqlite", str(folder), (what, beside))
    if binaries() is None:
        report.say("no PostgreSQL on this machine: left out")
        return
    with running_server() as url:
        with psycopg.connect(url, autocommit=True) as connection:
            connection.execute(b"CREATE TABLE bare (idx bigserial PRIMARY KEY, leaf bytea NOT NULL)")
        _measure(report, "postgres", url, (what, beside))


def _measure(report: Report, store: str, place: str, pair: tuple[str, str]) -> None:
    first = 0
    for count in WRITERS:
        found: dict[str, list[float]] = {name: [] for name in pair}
        rates: dict[str, list[float]] = {name: [] for name in pair}
        for _ in range(ROUNDS):
            for what, every in rates.items():
                took, rate = _round(store, place, first, count, what)
                found[what].extend(took)
                every.append(rate)
                first += 100_000
        _rows(report, f"{store}, {count} writer{'s' if count > 1 else ''}", found, rates)
    if pair[0] != "ours":
        return
    took, rate = _threads(store, place, first)
    report.row(f"{store}, 8 threads of one process, p50", _share(took, 50), unit="us", note=f"{rate:,.0f} appends/s")
    report.row(f"{store}, 8 threads of one process, p99", _share(took, 99), unit="us")


def _rows(report: Report, name: str, found: dict[str, list[float]], rates: dict[str, list[float]]) -> None:
    what, beside = found
    ours, bare = (statistics.median(rates[one]) for one in (what, beside))
    note = f"{SAYS[what]}; {ours:,.0f} to {bare:,.0f} a second"
    report.row(f"{name}, p50", _share(found[what], 50), _share(found[beside], 50), unit="us", note=note)
    report.row(f"{name}, p99", _share(found[what], 99), _share(found[beside], 99), unit="us")


def _share(times: list[float], percent: int) -> float:
    return 1e6 * statistics.quantiles(times, n=100)[percent - 1]


def _round(store: str, place: str, first: int, count: int, what: str) -> tuple[list[float], float]:
    """Let processes start together; return the time of each append, and appends a second."""
    command = [sys.executable, "-m", "bench._ledger_writers", store, place]
    running = [
        subprocess.Popen(
            [*command, str(first + n * EACH), str(EACH), what],
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            text=True,
            cwd=Path(__file__).resolve().parents[1],
        )
        for n in range(count)
    ]
    for process in running:
        if process.stdout is None or process.stdout.readline() != "ready\n":
            raise SystemExit("a writer did not start")
    began = time.perf_counter()
    for process in running:
        if process.stdin is not None:
            process.stdin.write("go\n")
            process.stdin.flush()
    times = [float(item) for process in running for item in process.communicate()[0].split()]
    return times, count * EACH / (time.perf_counter() - began)


def _threads(store: str, place: str, first: int) -> tuple[list[float], float]:
    """Let eight threads of this process append to one log: they share commits."""
    with closing(Ledger(_store(store, place), StoppedClock(), SIGNER, SIGNER.name)) as log:
        log.append(entries(first, 1))

        def one(thread: int) -> list[float]:
            return _timed(lambda entry: log.append([entry]), entries(first + 1 + thread * EACH, EACH))

        began = time.perf_counter()
        with ThreadPoolExecutor(8) as pool:
            times = [item for found in pool.map(one, range(8)) for item in found]
        return times, 8 * EACH / (time.perf_counter() - began)


def _store(store: str, place: str) -> Store:
    return SqliteStore(Path(place) / "ours.db") if store == "sqlite" else PostgresStore(place, SIGNER.name)


def _timed(append: Callable[[Entry], object], made: list[Entry]) -> list[float]:
    times = []
    for entry in made:
        began = time.perf_counter()
        append(entry)
        times.append(time.perf_counter() - began)
    return times


def _prepare_sqlite(path: Path) -> None:
    with closing(sqlite3.connect(path)) as connection:
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("CREATE TABLE bare (idx INTEGER PRIMARY KEY, leaf BLOB NOT NULL)")


def _appending(store: str, place: str, what: str) -> Callable[[Entry], object]:
    """Return what appends one entry durably: our log, or a commit of the bytes alone."""
    if what == "ours":
        log = Ledger(_store(store, place), StoppedClock(), SIGNER, SIGNER.name)
        log.size()
        return lambda entry: log.append([entry])
    if what in SAYS:
        return acting(_store(store, place), what)
    if what == "thrice":
        return _thrice(store, place)
    if store == "sqlite":
        bare = sqlite3.connect(Path(place) / "bare.db", isolation_level=None, timeout=60)
        bare.execute("PRAGMA synchronous = FULL")
        return lambda entry: bare.execute("INSERT INTO bare (leaf) VALUES (?)", (leaf(entry, NOW),))
    plain = psycopg.connect(place, autocommit=True)
    return lambda entry: plain.execute(b"INSERT INTO bare (leaf) VALUES (%s)", (leaf(entry, NOW),))


def acting(store: Store, what: str) -> Callable[[Entry], object]:
    """Return what takes one action through a gate of its own, under the id of an entry as its step."""
    from bench.gate import REQUESTS, gate_of

    gate = gate_of(Ledger(store, StoppedClock(), SIGNER, SIGNER.name), Path(tempfile.mkdtemp()))
    request = REQUESTS[what]
    gate.call(request, f"warm {os.getpid()}", lambda _: None)
    return lambda entry: gate.call(request, entry.id, lambda _: None)


def _thrice(store: str, place: str) -> Callable[[Entry], object]:
    """Return three durable writes, one after the other: with fsync to a file, or committed to a table."""
    if store == "sqlite":
        stream = (Path(place) / f"bare-{os.getpid()}").open("wb", buffering=0)

        def written(_: Entry) -> None:
            for _again in range(3):
                stream.write(BYTES)
                os.fsync(stream.fileno())

        return written
    plain = psycopg.connect(place, autocommit=True)

    def committed(_: Entry) -> None:
        for _again in range(3):
            plain.execute(b"INSERT INTO bare (leaf) VALUES (%s)", (BYTES,))

    return committed


def main() -> None:
    """Be one writer."""
    store, place, first, count, what = sys.argv[1:]
    append, made = _appending(store, place, what), entries(int(first), int(count))
    print("ready", flush=True)
    sys.stdin.readline()
    print(" ".join(f"{item:.7f}" for item in _timed(append, made)))


if __name__ == "__main__":
    main()
