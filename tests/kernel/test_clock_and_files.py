"""Instants are UTC; a file is replaced whole or not at all."""

from __future__ import annotations

import resource
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, date, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.kernel.clock import end_of_day, format_instant, parse_instant, week_of
from trueup.kernel.errors import StorageError, UsageError
from trueup.kernel.files import write_durably
from trueup.kernel.text import did_you_mean


@pytest.mark.parametrize(
    ("text", "instant"),
    [
        ("2018-03-03", datetime(2018, 3, 3, tzinfo=UTC)),
        ("2018-03-03T14:00:00Z", datetime(2018, 3, 3, 14, tzinfo=UTC)),
        ("2018-03-03T14:00:00+02:00", datetime(2018, 3, 3, 12, tzinfo=UTC)),
        ("2018-03-03 14:00", datetime(2018, 3, 3, 14, tzinfo=UTC)),
    ],
)
def test_instants_are_read_as_utc(text: str, instant: datetime) -> None:
    assert parse_instant(text) == instant


@pytest.mark.parametrize("text", ["", "yesterday", "2018-13-01", "2018-02-30", "03/03/2018", "1e9"])
def test_what_is_no_instant_is_a_usage_error(text: str) -> None:
    with pytest.raises(UsageError):
        parse_instant(text)


@given(st.datetimes(timezones=st.just(UTC)))
def test_an_instant_survives_being_written(instant: datetime) -> None:
    assert parse_instant(format_instant(instant)) == instant


def test_weeks_begin_on_monday_and_days_are_inclusive() -> None:
    assert week_of(datetime(2018, 3, 4, 23, 59, tzinfo=UTC)) == date(2018, 2, 26)
    assert week_of(datetime(2018, 3, 5, tzinfo=UTC)) == date(2018, 3, 5)
    assert end_of_day(date(2017, 12, 31)) == datetime(2018, 1, 1, tzinfo=UTC)


def test_a_file_is_replaced_whole(tmp_path: Path) -> None:
    path = tmp_path / "deep" / "file"
    write_durably(path, b"one")
    write_durably(path, b"two")
    assert path.read_bytes() == b"two"
    assert [child.name for child in path.parent.iterdir()] == ["file"]


def test_many_may_write_one_file_at_once(tmp_path: Path) -> None:
    contents = [bytes([65 + n]) * 50_000 for n in range(8)]
    with ThreadPoolExecutor(8) as threads:
        for _ in range(5):
            list(threads.map(lambda content: write_durably(tmp_path / "one", content), contents))
            assert (tmp_path / "one").read_bytes() in contents
    assert [path.name for path in tmp_path.iterdir()] == ["one"], "nothing half-written is left"


def test_a_full_disk_leaves_the_old_file(tmp_path: Path) -> None:
    path = tmp_path / "file"
    write_durably(path, b"old")
    code = "import pathlib, sys\nfrom trueup.kernel.files import write_durably\n"
    code += "write_durably(pathlib.Path(sys.argv[1]), b'x' * 100_000)"

    def no_more_room() -> None:
        resource.setrlimit(resource.RLIMIT_FSIZE, (1024, 1024))

    command = [sys.executable, "-c", code, str(path)]
    done = subprocess.run(command, check=False, capture_output=True, text=True, preexec_fn=no_more_room)
    assert StorageError.__name__ in done.stderr
    assert path.read_bytes() == b"old"
    assert [child.name for child in tmp_path.iterdir()] == ["file"]


def test_did_you_mean_speaks_only_when_it_is_close() -> None:
    assert "expense-approval" in did_you_mean("expense-aproval", ["expense-approval", "x"])
    assert did_you_mean("zebra", ["expense-approval"]) == ""
