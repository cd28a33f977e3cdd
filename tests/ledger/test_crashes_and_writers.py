"""Killed writers, several writers, a full disk: what was reported stays, what was not leaves nothing half-done."""

from __future__ import annotations

import os
import random
import resource
import subprocess
import sys
from contextlib import closing
from pathlib import Path

import pytest

from tests.ledger.logs import note, open_log, verified
from trueup.backends.sqlite import SqliteStore
from trueup.kernel.errors import LedgerBrokenError, StorageError

REPOSITORY = Path(__file__).resolve().parents[2]


def writer(path: Path, first: int, count: int) -> subprocess.Popen[str]:
    environment = {**os.environ, "PYTHONPATH": f"{REPOSITORY / 'src'}{os.pathsep}{REPOSITORY}"}
    return subprocess.Popen(
        [sys.executable, "-m", "tests.ledger.writer", str(path), str(first), str(count)],
        stdout=subprocess.PIPE,
        text=True,
        cwd=REPOSITORY,
        env=environment,
    )


def killed_after(path: Path, first: int, lines: int) -> list[tuple[int, int]]:
    """Start a writer, kill it as soon as it reported some appends, and return all that it reported."""
    process = writer(path, first, 100_000)
    assert process.stdout is not None
    seen = [process.stdout.readline() for _ in range(1 + lines)]
    process.kill()
    seen += process.stdout.read().splitlines(keepends=True)
    process.wait()
    process.stdout.close()
    whole = [line.split() for line in seen[1:] if line.endswith("\n")]
    return [(int(n), int(index)) for n, index in whole]


def kill_repeatedly(path: Path, rounds: int) -> None:
    chance = random.Random(20260105)
    kept: dict[int, int] = {}
    for turn in range(rounds):
        kept |= dict(killed_after(path, turn * 100_000, chance.randrange(40)))
        report = verified(path)
        assert report.ok, report.problems
        with closing(SqliteStore(path, read_only=True)) as store:
            held = {entry: index for index, entry in enumerate(ids(store))}
        assert all(held[f"note/{n}"] == index for n, index in kept.items())
    assert kept


def ids(store: SqliteStore) -> list[str]:
    return [row.id.decode() if hasattr(row, "id") else row[1].decode() for rows in store.raw_rows() for row in rows]


def test_a_killed_writer_leaves_a_sound_log_with_all_it_reported(tmp_path: Path) -> None:
    kill_repeatedly(tmp_path / "ledger.db", 4)


@pytest.mark.long
def test_two_hundred_killed_writers(tmp_path: Path) -> None:
    kill_repeatedly(tmp_path / "ledger.db", 200)


def test_reading_after_a_kill_leaves_the_folder_as_it_was(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    reported = killed_after(path, 0, 12)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    assert "ledger.db-wal" in before
    report = verified(path)
    assert report.ok
    assert report.size >= len(reported)
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_two_processes_write_one_log(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    both = [writer(path, 0, 60), writer(path, 1_000, 60)]
    told = [process.communicate()[0] for process in both]
    assert [process.returncode for process in both] == [0, 0]
    places = [int(line.split()[1]) for text in told for line in text.splitlines()[1:]]
    assert sorted(places) == list(range(120))
    report = verified(path)
    assert (report.ok, report.size) == (True, 120)
    assert sorted(file.name for file in tmp_path.iterdir()) == ["ledger.db"]


def test_reading_beside_a_living_writer(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(open_log(path)) as log:
        for n in range(30):
            log.append([note(n)], checkpoint=n % 10 == 9)
            if n % 6 == 0:
                report = verified(path)
                assert (report.ok, report.size) == (True, n + 1)


def test_a_full_disk_appends_nothing_and_says_so(tmp_path: Path) -> None:
    """The limit on file sizes stands in for a full disk: writes fail in the middle of a transaction."""
    path = tmp_path / "ledger.db"
    with closing(open_log(path)) as log:
        log.append([note(0)], checkpoint=True)
        soft, hard = resource.getrlimit(resource.RLIMIT_FSIZE)
        resource.setrlimit(resource.RLIMIT_FSIZE, (40_000, hard))
        try:
            with pytest.raises(StorageError, match="could not be used"):
                log.append([note(n, "x" * 20_000) for n in range(1, 8)], checkpoint=True)
        finally:
            resource.setrlimit(resource.RLIMIT_FSIZE, (soft, hard))
        assert log.size() == 1
        assert log.append([note(9)], checkpoint=True) == [1]
    report = verified(path)
    assert (report.ok, report.size) == (True, 2)


def test_a_folder_that_cannot_be_written_is_a_storage_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(StorageError), closing(open_log(tmp_path / "file" / "ledger.db")) as log:
        log.append([note(0)])


def test_a_ledger_that_cannot_be_looked_at_is_not_taken_for_a_missing_one(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.symlink_to(path)
    with pytest.raises(StorageError, match="could not be looked at"):
        SqliteStore(path, read_only=True).size()


def test_reading_a_closed_log_changes_nothing(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(open_log(path)) as log:
        log.append([note(n) for n in range(5)], checkpoint=True)
    before = {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in tmp_path.iterdir()}
    with closing(SqliteStore(path, read_only=True)) as store:
        assert store.size() == 5
        assert store.defects() == []
    assert verified(path).ok
    assert {file.name: (file.read_bytes(), file.stat().st_mtime_ns) for file in tmp_path.iterdir()} == before


def test_a_reader_notices_what_was_written_since(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(SqliteStore(path, read_only=True)) as store:
        assert store.size() == 0
        for n in range(3):
            with closing(open_log(path)) as log:
                log.append([note(n)])
            assert store.size() == n + 1


@pytest.mark.parametrize("restored", [False, True])
def test_nothing_is_written_into_a_file_that_lies_there_no_more(tmp_path: Path, *, restored: bool) -> None:
    """What was removed under a writer would take entries that nobody finds again."""
    path = tmp_path / "ledger.db"
    with closing(open_log(path)) as log:
        log.append([note(0)], checkpoint=True)
        path.rename(tmp_path / "elsewhere.db")
        if restored:
            with closing(open_log(tmp_path / "other.db")) as other:
                other.append([note(0)], checkpoint=True)
            (tmp_path / "other.db").rename(path)
        for ask in (lambda: log.append([note(1)]), log.size):
            with pytest.raises(LedgerBrokenError, match="removed or replaced"):
                ask()
