"""What a door turns away leaves a trace that says nothing of what it was, and no flood can fill the disk with it."""

from __future__ import annotations

import tempfile
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.enforce.governed import World, world
from trueup.enforce.standing.refused import MOST_REASONS, OTHER, Refusals


def refusals(at: World, runner: str = "one") -> Refusals:
    return Refusals(at.ledger, at.bodies.digest, at.clock, runner, "api", None)


def traces(at: World) -> list[dict[str, Any]]:
    return [dict(item.entry.data) for item in at.ledger.entries("request.refused")]


def counts(at: World) -> list[tuple[Any, Any]]:
    return [(trace["reason"], trace["count"]) for trace in traces(at)]


def test_of_a_flood_each_power_of_ten_is_written_and_the_sum_at_the_end(tmp_path: Path) -> None:
    at = world(tmp_path)
    door = refusals(at)
    for number in range(2_345):
        door.note("token.forged", b"%d" % number)
    door.note("request.not-json", b"{")
    assert counts(at) == [("token.forged", count) for count in (1, 10, 100, 1_000)] + [("request.not-json", 1)]
    door.close()
    door.close()
    assert counts(at)[5:] == [("token.forged", 2_345)]


def test_a_trace_holds_a_keyed_digest_and_nothing_of_what_was_sent(tmp_path: Path) -> None:
    at = world(tmp_path)
    refusals(at).note("request.not-json", b"Bearer hunter2-hunter2")
    [trace] = traces(at)
    assert trace["digest"] == at.bodies.digest(b"Bearer hunter2-hunter2")
    assert b"hunter2" not in at.ledger.entry(0).leaf


def test_a_new_day_counts_anew_after_the_old_one_was_summed_up(tmp_path: Path) -> None:
    at = world(tmp_path)
    door = refusals(at)
    for _ in range(3):
        door.note("token.forged", b"x")
    at.clock.at += timedelta(days=1)
    door.note("token.forged", b"x")
    assert [(trace["day"], trace["count"]) for trace in traces(at)] == [
        ("2024-05-06", 1),
        ("2024-05-06", 3),
        ("2024-05-07", 1),
    ]


def test_two_processes_write_beside_each_other(tmp_path: Path) -> None:
    at = world(tmp_path)
    for runner in ("one", "two"):
        refusals(at, runner).note("token.forged", b"x")
    assert [trace["runner"] for trace in traces(at)] == ["one", "two"]


def test_where_the_ledger_cannot_be_written_refusing_goes_on(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    at = world(tmp_path)
    at.ledger.refuses = "request.refused"
    door = refusals(at)
    door.note("token.forged", b"x")
    door.close()
    assert "could not be put on record" in caplog.text
    at.ledger.refuses = ""
    door.note("token.forged", b"x")
    door.close()
    assert counts(at) == [("token.forged", 2)]


@settings(max_examples=12, deadline=None)
@given(st.lists(st.integers(0, 60), max_size=200))
def test_reasons_are_bounded_and_everything_is_counted(reasons: list[int]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        at = world(Path(folder))
        door = refusals(at)
        for reason in reasons:
            door.note(f"reason-{reason}", b"")
        door.close()
        last = dict(counts(at))
        at.ledger.close()
    assert sum(last.values()) == len(reasons)
    assert len(last) <= MOST_REASONS + 1
    assert (OTHER in last) == (len(set(reasons)) > MOST_REASONS)
