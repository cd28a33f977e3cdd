"""What `ledger/store.py` promises of every backend; a new one is added to STORES and has to pass unchanged."""

from __future__ import annotations

import threading
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from tests.ledger.logs import ORIGIN, SIGNER, VKEY, TickingClock, note
from trueup.backends.postgres import PostgresStore
from trueup.backends.sqlite import SqliteStore
from trueup.kernel.errors import ConflictError, LedgerBrokenError, StorageError
from trueup.ledger.log import Ledger
from trueup.ledger.store import Store
from trueup.ledger.verify import verify

STORES = ("sqlite", "postgres")


@pytest.fixture(params=STORES)
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[bool], Store]:
    if request.param == "sqlite":
        return lambda read_only: SqliteStore(tmp_path / "ledger.db", read_only=read_only)
    url, origin = request.getfixturevalue("postgres"), f"{tmp_path}"
    return lambda read_only: PostgresStore(url, origin, read_only=read_only)


def log_on(store: Store) -> Ledger:
    return Ledger(store, TickingClock(), SIGNER, ORIGIN)


def filled(opened: Callable[[bool], Store], entries: int = 5) -> None:
    with closing(log_on(opened(False))) as log:
        log.append([note(n) for n in range(entries)], checkpoint=True)


def test_1_entries_are_numbered_without_gaps_in_order(opened: Callable[[bool], Store]) -> None:
    filled(opened, 2_500)
    with closing(opened(True)) as store:
        assert [index for index, _ in store.leaves()] == list(range(2_500))
        assert sum(len(rows) for rows in store.raw_rows()) == 2_500
        assert store.leaf(2_499) is not None
        assert store.leaf(2_500) is None


def test_2_a_transaction_takes_effect_whole_or_not_at_all(opened: Callable[[bool], Store]) -> None:
    filled(opened)
    with closing(opened(False)) as store:
        with pytest.raises(RuntimeError), store.write() as transaction:  # noqa: PT012 -- the block is what is undone
            transaction.insert_checkpoint(99, "text")
            raise RuntimeError
        assert (store.size(), store.newest_checkpoint() or (0, ""))[0] == 5
        assert [size for size, _ in store.raw_checkpoints()] == [5]


def test_3_one_writer_at_a_time(opened: Callable[[bool], Store]) -> None:
    with closing(opened(False)) as first, closing(opened(False)) as second:
        first.size()
        order: list[str] = []

        def wait() -> None:
            log_on(second).append([note(1)], before_commit=lambda _: order.append("second"))

        with first.write() as transaction:
            thread = threading.Thread(target=wait)
            thread.start()
            thread.join(0.2)
            order.append("first")
            assert transaction.size() == 0
        thread.join()
        assert order == ["first", "second"]
        assert first.size() == 1


def test_4_an_id_is_held_once(opened: Callable[[bool], Store]) -> None:
    filled(opened)
    with closing(opened(False)) as store:
        found = store.find("note/3")
        assert found is not None
        assert found[0] == 3
        assert store.find("note/9") is None
        with pytest.raises(ConflictError):
            log_on(store).append([note(3, "other")])


def test_5_reading_changes_nothing_and_sees_what_was_committed(opened: Callable[[bool], Store], tmp_path: Path) -> None:
    with closing(opened(True)) as store:
        assert store.size() == 0
    assert list(tmp_path.iterdir()) == []
    filled(opened)
    before = {file.name: file.read_bytes() for file in tmp_path.iterdir()}
    with closing(opened(True)) as store:
        assert store.size() == 5
        assert verify(store, vkey=VKEY, origin=ORIGIN).ok
        with pytest.raises(StorageError), store.write():
            pass
    assert {file.name: file.read_bytes() for file in tmp_path.iterdir()} == before


def test_7_what_is_missing_or_wrong_is_named(opened: Callable[[bool], Store]) -> None:
    filled(opened)
    with closing(opened(True)) as store:
        assert store.defects() == []
        with pytest.raises(LedgerBrokenError):
            store.nodes(5)
