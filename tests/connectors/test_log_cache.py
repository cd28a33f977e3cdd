"""The folder of normalised logs: used where it is sound, rebuilt where it is not, never half-written."""

from __future__ import annotations

import errno
import hashlib
import os
import shutil
from pathlib import Path
from typing import Any

import pytest
from pyarrow import parquet as pq

from trueup.connectors.logs import digests, normalise
from trueup.connectors.logs.formats import opening
from trueup.connectors.logs.normalise import LogSpec, NormalisedLog, normalised
from trueup.kernel.errors import DataError, StorageError
from trueup.kernel.progress import Progress, silent

_LOG = "case,at\nA,2018-01-31\nB,2018-02-01\n"
_SPEC = LogSpec(times=("at",), case="case")


@pytest.fixture
def source(tmp_path: Path) -> Path:
    path = tmp_path / "log.csv"
    path.write_text(_LOG)
    return path


@pytest.fixture
def readings(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """The sources that were read anew."""
    seen: list[Path] = []
    original = normalise._source

    def counted(path: Path, *rest: Any) -> Any:
        seen.append(path)
        return original(path, *rest)

    monkeypatch.setattr(normalise, "_source", counted)
    return seen


def _read(source: Path, spec: LogSpec = _SPEC) -> NormalisedLog:
    return normalised(source, spec, source.parent / "cache", silent)


def test_the_same_bytes_are_read_once(source: Path, readings: list[Path]) -> None:
    first = _read(source)
    assert _read(source) == first
    assert readings == [source]
    assert first.digest == f"sha256:{hashlib.sha256(source.read_bytes()).hexdigest()}"


def test_another_specification_is_another_reading(source: Path, readings: list[Path]) -> None:
    assert _read(source).path != _read(source, LogSpec(case="case")).path
    assert len(readings) == 2


def test_changed_bytes_are_read_again_whatever_the_stat_says(source: Path, readings: list[Path]) -> None:
    first = _read(source)
    stat = source.stat()
    source.write_text(_LOG.replace("B,", "C,"))
    os.utime(source, ns=(stat.st_atime_ns, stat.st_mtime_ns))
    second = _read(source)
    assert second.digest != first.digest
    assert pq.read_table(second.path).column("case").to_pylist() == ["A", "C"]
    assert len(readings) == 2


def test_an_old_unchanged_file_is_not_hashed_again(
    source: Path, monkeypatch: pytest.MonkeyPatch, readings: list[Path]
) -> None:
    first = _read(source)
    notes = list((source.parent / "cache" / "digests").glob("*.json"))
    for note in notes:
        later = note.stat().st_mtime_ns + 10_000_000_000
        os.utime(note, ns=(later, later))
    monkeypatch.setattr("trueup.connectors.logs.digests._hashed", lambda *_: pytest.fail("hashed again"))
    assert _read(source) == first
    assert readings == [source]


def test_what_is_remembered_of_a_file_that_just_changed_is_not_believed(
    source: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    _read(source)
    hashed: list[Path] = []
    honest = digests._hashed

    def watched(path: Path, progress: Progress) -> str:
        hashed.append(path)
        return honest(path, progress)

    monkeypatch.setattr(digests, "_hashed", watched)
    _read(source)
    assert source in hashed


@pytest.mark.parametrize("damage", ["cut", "flipped", "emptied", "gone", "note cut", "note gone"])
def test_a_damaged_copy_is_built_again(source: Path, readings: list[Path], damage: str) -> None:
    first = _read(source)
    whole = first.path.read_bytes()
    note = first.path.with_suffix(".json")
    if damage == "cut":
        first.path.write_bytes(whole[:-10])
    elif damage == "flipped":
        first.path.write_bytes(whole[:20] + bytes([whole[20] ^ 1]) + whole[21:])
    elif damage == "emptied":
        first.path.write_bytes(b"")
    elif damage == "gone":
        first.path.unlink()
    elif damage == "note cut":
        note.write_bytes(note.read_bytes()[:-5])
    else:
        note.unlink()
    assert _read(source) == first
    assert pq.read_table(first.path).column("case").to_pylist() == ["A", "B"]
    assert len(readings) == 2


def test_the_whole_folder_may_go(source: Path) -> None:
    first = _read(source)
    shutil.rmtree(source.parent / "cache")
    assert _read(source) == first


def test_a_full_disk_leaves_nothing_half_written(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(*_: object, **__: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr(pq.ParquetWriter, "write_table", full)
    with pytest.raises(StorageError, match="No space left on device"):
        _read(source)
    monkeypatch.undo()
    cache = source.parent / "cache"
    assert [path.name for path in cache.iterdir()] == ["digests"]
    assert _read(source).rows == 2


def test_a_folder_that_cannot_be_made_is_a_storage_error(source: Path) -> None:
    (source.parent / "cache").write_text("a file is in the way")
    with pytest.raises(StorageError):
        _read(source)


def test_leftovers_of_a_killed_command_are_swept_after_an_hour(source: Path) -> None:
    cache = source.parent / "cache"
    cache.mkdir()
    old, new = cache / ".old.partial", cache / ".new.partial"
    for path in (old, new):
        path.write_bytes(b"-")
    stat = new.stat()
    os.utime(old, ns=(stat.st_atime_ns, stat.st_mtime_ns - 2 * 3_600 * 1_000_000_000))
    _read(source)
    assert (old.exists(), new.exists()) == (False, True)


def test_a_source_that_changes_while_it_is_read_is_refused(source: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    original = opening.look

    def meddled(path: Path) -> object:
        found = original(path)
        path.write_text(_LOG + "C,2018-03-01\n")
        return found

    monkeypatch.setattr(normalise, "look", meddled)
    with pytest.raises(DataError) as caught:
        _read(source)
    assert caught.value.code == "changed-while-read"
    monkeypatch.undo()
    assert _read(source).rows == 3


def test_two_names_for_the_same_bytes_are_read_apart(source: Path, readings: list[Path]) -> None:
    copy = source.with_name("copy.csv")
    copy.write_text(_LOG)
    assert _read(source).digest == _read(copy).digest
    assert len(readings) == 2


def test_progress_is_told(source: Path) -> None:
    told: list[str] = []

    def report(label: str, done: float = 0.0, total: float | None = None) -> None:
        assert total is None or done <= total
        told.append(label)

    normalised(source, _SPEC, source.parent / "cache", report)
    assert {"hashing log.csv", "reading log.csv"} <= set(told)


def test_progress_names_files_as_people_know_them(source: Path) -> None:
    told: list[str] = []

    def report(label: str, done: float = 0.0, total: float | None = None) -> None:
        assert total is None or done <= total
        told.append(label)

    folder = source.parent / "cache"
    normalised(source, _SPEC, folder, report)
    # Nothing is remembered of a file that has just changed: the second reading looks at every byte again.
    normalised(source, _SPEC, folder, report)
    assert "checking what was read of log.csv" in told
    assert [label for label in told if "log.csv" not in label] == []
