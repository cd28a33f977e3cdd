"""Killed at random instants, on both stores, one writer or several: nothing reported is lost, nothing stands twice."""

from __future__ import annotations

import os
import random
import select
import shutil
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.ledger.logs import ORIGIN, VKEY, note
from tests.ledger.writer import opened
from trueup.backends import snapshot
from trueup.backends.postgres import PostgresStore
from trueup.backends.sqlite import SqliteStore
from trueup.kernel.errors import StorageError
from trueup.ledger.log import Ledger
from trueup.ledger.store import Store
from trueup.ledger.verify import verify

REPOSITORY = Path(__file__).resolve().parents[2]
ROUND = 100_000


@pytest.fixture(params=["sqlite", "postgres"])
def place(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    if request.param == "sqlite":
        return str(tmp_path / "ledger.db")
    return f"{request.getfixturevalue('postgres')}|{tmp_path}"


def reading(place: str) -> Store:
    url, bar, name = place.partition("|")
    return PostgresStore(url, name, read_only=True) if bar else SqliteStore(Path(place), read_only=True)


def writer(place: str, first: int, count: int, threads: int = 1) -> subprocess.Popen[bytes]:
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY / 'src'}{os.pathsep}{REPOSITORY}"}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.ledger.writer", place, str(first), str(count), str(threads)],
        stdout=subprocess.PIPE,
        cwd=REPOSITORY,
        env=environment,
    )


def told(process: subprocess.Popen[bytes]) -> dict[int, int]:
    """Everything that a writer that has ended reported, whole lines only."""
    assert process.stdout is not None
    lines = process.stdout.read().split(b"\n")[:-1]
    process.wait()
    process.stdout.close()
    pairs = [line.split() for line in lines if line != b"ready"]
    return {int(n): int(index) for n, index in pairs}


def killed(place: str, first: int, chance: random.Random, threads: int) -> dict[int, int]:
    """Start two writers, kill both some moment after the first began to append, and return what they reported."""
    both = [writer(place, first, ROUND // 2, threads), writer(place, first + ROUND // 2, ROUND // 2, threads)]
    streams = [process.stdout for process in both if process.stdout is not None]
    assert select.select(streams, [], [], 60)[0]
    time.sleep(chance.uniform(0.0, 0.15))
    for process in both:
        process.kill()
    reported = [told(process) for process in both]
    return reported[0] | reported[1]


def kill_repeatedly(place: str, rounds: int, seed: int, threads: int) -> int:
    chance, kept = random.Random(seed), dict[int, int]()
    for turn in range(rounds):
        kept |= killed(place, turn * ROUND, chance, threads)
        if turn % 10 == 9 or turn == rounds - 1:
            check(place, kept)
    return len(kept)


def check(place: str, kept: dict[int, int]) -> None:
    with closing(reading(place)) as store:
        report = verify(store, vkey=VKEY, origin=ORIGIN)
        assert report.ok, report.problems
        ids = [row.id if hasattr(row, "id") else row[1] for rows in store.raw_rows() for row in rows]
    assert len(set(ids)) == len(ids)
    lost = {n: index for n, index in kept.items() if index >= len(ids) or ids[index] != f"note/{n}".encode()}
    assert lost == {}
    with closing(opened(place)) as log:
        for n, index in list(kept.items())[-3:]:
            # Asked again after the crash, it is there once.
            assert log.append([note(n)]) == [index]


def test_writers_killed_at_random_lose_and_repeat_nothing(place: str) -> None:
    kill_repeatedly(place, 3, seed=1, threads=2)


@pytest.mark.long
def test_a_thousand_kills(place: str) -> None:
    """Two writers of three threads are killed in every round: 500 rounds a store, 1,000 writers each."""
    reported = kill_repeatedly(place, 500, seed=2, threads=3)
    print(f"\n1,000 writers killed on {'postgres' if '|' in place else 'sqlite'}: {reported:,} reported, none lost")


def test_many_processes_write_in_one_order(place: str) -> None:
    """Four processes of two threads: places are given once, without gaps, and all is under one tree."""
    running = [writer(place, n * 1_000, 40, threads=2) for n in range(4)]
    reported = [told(process) for process in running]
    assert [process.returncode for process in running] == [0] * 4
    assert sorted(index for one in reported for index in one.values()) == list(range(160))
    check(place, {n: index for one in reported for n, index in one.items()})


@pytest.mark.parametrize("place", ["postgres"], indirect=True)
def test_killed_servers_of_postgresql_keep_what_was_reported(place: str, postgres: str) -> None:
    """Not the writer but its session in the server is killed while it appends, which undoes what was not reported."""
    stop, kept = threading.Event(), dict[int, int]()

    def end_sessions() -> None:
        with psycopg.connect(postgres, autocommit=True) as connection:
            while not stop.wait(0.05):
                connection.execute(
                    b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity"
                    b" WHERE pid <> pg_backend_pid() AND backend_type = 'client backend'"
                )

    ending = threading.Thread(target=end_sessions)
    ending.start()
    try:
        with closing(opened(place)) as log:
            kept = dict(numbers(log, 60))
    finally:
        stop.set()
        ending.join()
    check(place, kept)


def numbers(log: Ledger, count: int) -> Iterator[tuple[int, int]]:
    """Append, and again where it failed, until each number is there."""
    for n in range(count):
        for _ in range(50):
            try:
                yield n, log.append([note(n)])[0]
            except StorageError:
                continue
            break


@pytest.mark.parametrize("place", ["sqlite"], indirect=True)
def test_a_reader_of_the_same_process_takes_no_lock_away(place: str, tmp_path: Path) -> None:
    """A copy read beside a writer must not make SQLite's locks vanish, or the next process deletes its log."""
    path = Path(place)
    with closing(opened(place)) as log:
        log.append([note(0)], checkpoint=True)
        with closing(reading(place)) as store:
            assert store.size() == 1
        other = writer(place, 100, 1)
        assert told(other) == {100: 1}
        # The other process has closed the file. Had it taken the write-ahead log for abandoned, it would be gone.
        assert path.with_name("ledger.db-wal").exists()
        assert log.append([note(1)]) == [2]
        shutil.copytree(tmp_path, tmp_path.with_name("after"))
    with closing(reading(str(tmp_path.with_name("after") / "ledger.db"))) as store:
        assert store.size() == 3


def test_descriptors_are_given_back(tmp_path: Path) -> None:
    before = len(list(Path("/proc/self/fd").iterdir()))
    place = str(tmp_path / "ledger.db")
    for n in range(5):
        with closing(opened(place)) as log:
            log.append([note(n)])
            with closing(reading(place)) as store:
                assert store.size() == n + 1
    assert len(list(Path("/proc/self/fd").iterdir())) == before
    assert not snapshot._parked
