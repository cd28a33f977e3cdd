"""What happens when something is appended, and what is refused without a trace."""

from __future__ import annotations

import json
import threading
from collections.abc import Mapping
from contextlib import closing
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest

from tests.ledger.logs import ORIGIN, SIGNER, START, VKEY, TickingClock, kinds, note, open_log, tampered, verified
from trueup.backends.sqlite import SqliteStore
from trueup.kernel.canonical import Json
from trueup.kernel.errors import ConflictError, LedgerBrokenError, NotFoundError, StorageError, UsageError
from trueup.ledger.entry import LARGEST_LEAF, Entry, leaf, read_leaf
from trueup.ledger.event_types import EVENT_TYPES
from trueup.ledger.log import Ledger


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "state" / "ledger.db"


def test_entries_are_numbered_and_read_back(path: Path) -> None:
    with closing(open_log(path)) as log:
        assert log.append([note(0), note(1)]) == [0, 1]
        assert log.append([note(2, by=None)]) == [2]
        assert [item.entry for item in log.entries()] == [note(0), note(1), note(2, by=None)]
        assert [item.id for item in log.entries("note.recorded")] == ["note/0", "note/1", "note/2"]
        assert list(log.entries("review.applied")) == []
        assert log.size() == 3


def test_the_leaf_is_canonical_json_of_exactly_these_members(path: Path) -> None:
    with closing(open_log(path)) as log:
        log.append([note(0), note(1, by=None)])
        first, second = log.entries()
    assert first.leaf == (
        b'{"by":"clerk","data":{"about":null,"text":"moved 0"},"id":"note/0","recorded":"2026-01-05T09:00:01Z",'
        b'"time":"2026-01-05T09:00:00Z","type":"note.recorded"}'
    )
    assert set(second.to_json()) == {"data", "id", "recorded", "time", "type"}


def test_nothing_is_created_by_reading_what_is_not_there(path: Path) -> None:
    with closing(Ledger(SqliteStore(path, read_only=True), TickingClock(), None, ORIGIN)) as log:
        assert log.size() == 0
        assert log.checkpoint() is None
        assert list(log.entries()) == []
        assert log.root().hex().startswith("e3b0c442")
    assert not path.parent.exists()


def test_the_same_entry_again_keeps_its_place(path: Path) -> None:
    with closing(open_log(path)) as log:
        log.append([note(0), note(1)])
        assert log.append([note(1), note(2), note(2), note(0)]) == [1, 2, 2, 0]
        assert log.size() == 3
    with closing(open_log(path)) as log:
        assert log.append([note(0)]) == [0]


@pytest.mark.parametrize(
    "other",
    [
        note(0, "stayed"),
        note(0, by="coo"),
        note(0, by=None),
        replace(note(0), time=START.replace(hour=1)),
        replace(note(0), type="checklist.recorded"),
    ],
)
def test_the_same_id_with_other_content_is_refused_whole(path: Path, other: Entry) -> None:
    with closing(open_log(path)) as log:
        log.append([note(0)])
        with pytest.raises(ConflictError, match="says something else"):
            log.append([note(1), other])
        assert [item.entry for item in log.entries()] == [note(0)]


def test_an_unknown_type_is_refused_with_the_near_one(path: Path) -> None:
    with closing(open_log(path)) as log:
        with pytest.raises(UsageError, match=r"Did you mean 'note\.recorded'") as refused:
            log.append([note(0), replace(note(1), type="note.record")])
        assert log.size() == 0
    assert all(name in refused.value.hint for name in EVENT_TYPES)


@pytest.mark.parametrize("entry_id", ["", " ", 'a"b', "a\\b", "a b", "\u00e9", "a\n", "x" * 201, "/a", "-a"])
def test_ids_that_would_read_differently_elsewhere_are_refused(entry_id: str) -> None:
    with pytest.raises(UsageError, match="cannot be the id"):
        leaf(replace(note(0), id=entry_id), START)


@pytest.mark.parametrize(
    "data", [{"text": float("nan")}, {"text": 2**53 + 1}, {"text": "\ud800"}, {"text": [float("inf")]}]
)
def test_what_has_no_canonical_form_is_refused(data: Mapping[str, Json]) -> None:
    with pytest.raises(UsageError, match="cannot be recorded"):
        leaf(replace(note(0), data=data), START)


def test_endless_nesting_is_refused() -> None:
    deep: Json = "x"
    for _ in range(100_000):
        deep = [deep]
    with pytest.raises(UsageError, match="cannot be recorded"):
        leaf(replace(note(0), data={"text": deep}), START)


def test_an_instant_without_a_zone_is_refused() -> None:
    with pytest.raises(UsageError, match="has no zone"):
        leaf(replace(note(0), time=datetime(2026, 1, 1)), START)


def test_an_entry_holds_at_most_32_kb(path: Path) -> None:
    bare = len(leaf(note(0, text=""), START))
    largest = replace(note(0), data={"text": "x" * (LARGEST_LEAF - bare + len(" 0")), "about": None})
    assert len(leaf(largest, START)) == LARGEST_LEAF
    with closing(open_log(path)) as log:
        assert log.append([largest]) == [0]
        with pytest.raises(UsageError, match="at most 32,768"):
            log.append([replace(note(1), data={"text": "x" * LARGEST_LEAF})])
        assert log.size() == 1


def test_the_callback_sees_the_signed_state_and_may_stop_it(path: Path) -> None:
    seen: list[str | None] = []

    def refuse(text: str | None) -> None:
        seen.append(text)
        raise RuntimeError

    with closing(open_log(path)) as log:
        log.append([note(0)])
        with pytest.raises(RuntimeError):
            log.append([note(1)], checkpoint=True, before_commit=refuse)
        with pytest.raises(RuntimeError):
            log.append([note(2)], before_commit=refuse)
        assert (log.size(), log.checkpoint()) == (1, None)
        assert log.append([note(3)], checkpoint=True) == [1]
        assert (log.checkpoint() or "").startswith(f"{ORIGIN}\n2\n")
    assert (seen[0] or "").startswith(f"{ORIGIN}\n2\n")
    assert seen[1] is None
    assert verified(path).ok


def test_what_was_rolled_back_leaves_no_hash_behind(path: Path) -> None:
    """A root kept from an append that did not happen would poison every later one."""

    def refuse(_: str | None) -> None:
        raise RuntimeError

    with closing(open_log(path)) as log:
        log.append([note(0), note(1), note(2)])
        with pytest.raises(RuntimeError):
            log.append([note(3), note(4)], before_commit=refuse)
        log.append([note(5)], checkpoint=True)
    assert verified(path).ok


def test_signing_twice_at_one_size_keeps_one_checkpoint(path: Path) -> None:
    with closing(open_log(path)) as log:
        log.append([note(0)])
        assert log.sign_checkpoint() == log.sign_checkpoint()
        assert log.covered() == 1
    assert verified(path).ok


def test_an_empty_log_can_be_signed(path: Path) -> None:
    with closing(open_log(path)) as log:
        assert log.append([], checkpoint=True) == []
    assert verified(path).ok


def test_nothing_is_signed_without_the_key(path: Path) -> None:
    with closing(open_log(path, signer=None)) as log:
        assert log.append([note(0)]) == [0]
        with pytest.raises(LedgerBrokenError, match="without its signing key"):
            log.append([note(1)], checkpoint=True)
        with pytest.raises(LedgerBrokenError, match="without its signing key"):
            log.vkey()
        assert log.size() == 1


def test_a_state_that_does_not_continue_the_signed_one_is_not_signed(path: Path) -> None:
    with closing(open_log(path)) as log:
        log.append([note(0), note(1)], checkpoint=True)
    tampered(path, "DELETE FROM entries WHERE idx = 1")
    with closing(open_log(path)) as log:
        with pytest.raises(LedgerBrokenError, match="nothing was signed"):
            log.append([note(2)], checkpoint=True)
        assert log.size() == 1


def test_a_store_opened_for_reading_takes_nothing(path: Path) -> None:
    with closing(open_log(path)) as log:
        log.append([note(0)])
    store = SqliteStore(path, read_only=True)
    with pytest.raises(StorageError, match="for reading"):
        Ledger(store, TickingClock(), SIGNER, ORIGIN).append([note(1)])


@pytest.mark.parametrize("index", [-1, 1, 2**40])
def test_an_entry_that_is_not_there(path: Path, index: int) -> None:
    with closing(open_log(path)) as log:
        log.append([note(0)])
        with pytest.raises(NotFoundError, match=r"has no entry"):
            log.entry(index)
        with pytest.raises(NotFoundError, match=r"has no entry"):
            log.prove(index)


def test_proving_signs_only_what_no_checkpoint_covers(path: Path) -> None:
    with closing(open_log(path)) as log:
        log.append([note(0)], checkpoint=True)
        log.append([note(1)])
        assert log.prove(0).size == 1
        assert log.prove(1).size == 2
        assert log.prove(0).size == 2


def test_another_database_is_not_taken_for_a_ledger(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    tampered(path, "CREATE TABLE entries (idx INTEGER PRIMARY KEY)")
    with pytest.raises(LedgerBrokenError, match="not a ledger"), closing(open_log(path)) as log:
        log.append([note(0)])
    assert "schema" in kinds(verified(path))


def test_threads_share_a_log(path: Path) -> None:
    with closing(open_log(path)) as log:
        places: dict[int, int] = {}

        def work(start: int) -> None:
            for n in range(start, start + 20):
                places[n] = log.append([note(n)], checkpoint=n % 7 == 0)[0]

        threads = [threading.Thread(target=work, args=(start,)) for start in range(0, 80, 20)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(places.values()) == list(range(80))
        assert {item.index: item.id for item in log.entries()} == {at: f"note/{n}" for n, at in places.items()}
    report = verified(path)
    assert (report.ok, report.size) == (True, 80)


@pytest.mark.parametrize("data", [b"", b"{}", b"[]", b"\xff", b'{"type":1,"id":2}', b'{"type":"a","id":"b","time":3}'])
def test_bytes_that_are_no_entry_are_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"."):
        read_leaf(0, data)


def test_the_key_of_a_log_is_its_signers(path: Path) -> None:
    with closing(open_log(path)) as log:
        assert log.vkey() == VKEY
        assert json.loads(leaf(note(0), START))["type"] == "note.recorded"
