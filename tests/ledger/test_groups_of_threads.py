"""Threads that append at the same time share a commit, on both stores; nobody's refusal is another's."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from tests.ledger.logs import ORIGIN, SIGNER, VKEY, TickingClock, note
from trueup.backends.postgres import PostgresStore
from trueup.backends.sqlite import SqliteStore
from trueup.kernel.errors import ConflictError, StorageError, UsageError
from trueup.ledger.entry import Entry
from trueup.ledger.groups import Groups, Request
from trueup.ledger.log import Ledger
from trueup.ledger.store import Store
from trueup.ledger.verify import verify

THREADS = 8


@pytest.fixture(params=["sqlite", "postgres"])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[[], Store]:
    if request.param == "sqlite":
        return lambda: SqliteStore(tmp_path / "ledger.db")
    url = request.getfixturevalue("postgres")
    return lambda: PostgresStore(url, f"{tmp_path}")


def test_eight_threads_append_without_gaps_and_without_repeats(make: Callable[[], Store]) -> None:
    with closing(make()) as store, ThreadPoolExecutor(THREADS) as pool:
        log = Ledger(store, TickingClock(), SIGNER, ORIGIN)

        def many(thread: int) -> list[int]:
            places = []
            for n in range(25):
                entry = note(thread * 100 + n)
                places += log.append([entry], checkpoint=n % 10 == 0)
                # Durable and visible as soon as it is returned, to this and to every other thread.
                held = log.find(entry.id)
                assert held is not None
                assert held.index == places[-1]
                assert log.append([entry]) == places[-1:]
            return places

        places = [place for found in pool.map(many, range(THREADS)) for place in found]
        assert sorted(places) == list(range(25 * THREADS))
        log.sign_checkpoint()
        report = verify(store, vkey=VKEY, origin=ORIGIN)
        assert (report.ok, report.size, report.uncovered) == (True, 25 * THREADS, 0)


class Counting:
    """A log's commits, held up until told, and counted."""

    def __init__(self) -> None:
        self.groups: list[list[Request]] = []
        self.begun, self.go_on = threading.Event(), threading.Event()

    def commit(self, group: list[Request]) -> None:
        self.groups.append(group)
        self.begun.set()
        self.go_on.wait(10)
        for request in group:
            request.indices = [len(self.groups)]


def queued(groups: Groups, pool: ThreadPoolExecutor, requests: list[Request]) -> Iterator[object]:
    """Ask in order, each in a thread of its own."""
    for request in requests:
        before = len(groups._waiting)
        yield pool.submit(groups.settle, request)
        while len(groups._waiting) == before:
            threading.Event().wait(0.001)


def test_who_waits_while_one_commits_is_committed_together() -> None:
    counting = Counting()
    groups = Groups(counting.commit)
    special = Request([note(3)], before_commit=lambda _: None)
    requests = [Request([note(1)]), Request([note(2)]), special, Request([note(4)]), Request([note(5)])]
    with ThreadPoolExecutor(THREADS) as pool:
        pool.submit(groups.settle, Request([note(0)]))
        assert counting.begun.wait(10)
        waiting = list(queued(groups, pool, requests))
        counting.go_on.set()
        assert len(waiting) == 5
    assert [[request.entries[0].id for request in group] for group in counting.groups] == [
        ["note/0"],
        ["note/1", "note/2"],
        ["note/3"],
        ["note/4", "note/5"],
    ]


def test_a_group_is_not_endless() -> None:
    counting = Counting()
    groups = Groups(counting.commit)
    with ThreadPoolExecutor(THREADS) as pool:
        pool.submit(groups.settle, Request([note(0)]))
        assert counting.begun.wait(10)
        assert len(list(queued(groups, pool, [Request([note(n)] * 300) for n in range(3)]))) == 3
        counting.go_on.set()
    assert [len(group) for group in counting.groups] == [1, 1, 1, 1]


class Held(SqliteStore):
    """A store whose transactions wait until told, or fail when told."""

    def __init__(self, path: Path) -> None:
        super().__init__(path)
        self.inside, self.go_on = threading.Event(), threading.Event()
        self.fails = False

    @contextmanager
    def write(self, ids: Sequence[str] = (), *, after: int | None = None, signs: bool = False) -> Iterator[Any]:
        with super().write(ids, after=after, signs=signs) as transaction:
            self.inside.set()
            assert self.go_on.wait(10)
            if self.fails:
                raise StorageError("ledger-storage", "The disk is full.", "")
            yield transaction


def together(log: Ledger, store: Held, pool: ThreadPoolExecutor, requests: list[list[Entry]]) -> list[object]:
    """Append a first entry, and the requests as the group behind it; return results or errors, in order."""
    first = pool.submit(log.append, [note(999)])
    assert store.inside.wait(10)
    futures = []
    for entries in requests:
        before = len(log._groups._waiting)
        futures.append(pool.submit(log.append, entries))
        while len(log._groups._waiting) == before:
            threading.Event().wait(0.001)
    store.go_on.set()
    assert first.result() == [0]
    return [future.exception() or future.result() for future in futures]


def test_a_refused_request_spoils_nobody_elses_and_leaves_nothing(tmp_path: Path) -> None:
    with closing(Held(tmp_path / "ledger.db")) as store, ThreadPoolExecutor(THREADS) as pool:
        log = Ledger(store, TickingClock(), SIGNER, ORIGIN)
        found = together(
            log,
            store,
            pool,
            [[note(1)], [note(2), note(999, "other")], [note(1)], [note(3), note(4, "x" * 40_000)], [note(4)]],
        )
        assert found[0] == found[2] == [1]
        assert isinstance(found[1], ConflictError)
        assert isinstance(found[3], UsageError)
        assert found[4] == [2]
        assert log.find("note/2") is None


def test_entries_of_one_group_that_share_an_id_are_one_or_a_conflict(tmp_path: Path) -> None:
    with closing(Held(tmp_path / "ledger.db")) as store, ThreadPoolExecutor(THREADS) as pool:
        log = Ledger(store, TickingClock(), SIGNER, ORIGIN)
        found = together(log, store, pool, [[note(1), note(1)], [note(1, "other")], [note(1), note(2)]])
        assert found[0] == [1, 1]
        assert isinstance(found[1], ConflictError)
        assert found[2] == [1, 2]
        assert verify(store, vkey=None, origin=None).size == 3


def test_a_full_disk_is_told_to_everybody_in_the_group(tmp_path: Path) -> None:
    with closing(Held(tmp_path / "ledger.db")) as store, ThreadPoolExecutor(THREADS) as pool:
        log = Ledger(store, TickingClock(), SIGNER, ORIGIN)
        store.go_on.set()
        log.append([note(0)])
        store.fails = True
        errors = [future.exception() for future in [pool.submit(log.append, [note(n)]) for n in range(1, 5)]]
        assert {type(error) for error in errors} == {StorageError}
        assert len({id(error) for error in errors}) == 4
        store.fails = False
        assert log.append([note(1)]) == [1]


def test_an_interrupted_leader_tells_the_others_that_it_may_be_asked_again(tmp_path: Path) -> None:
    def interrupt(_: str | None) -> None:
        raise KeyboardInterrupt

    with closing(SqliteStore(tmp_path / "ledger.db")) as store:
        log = Ledger(store, TickingClock(), SIGNER, ORIGIN)
        with pytest.raises(KeyboardInterrupt):
            log.append([note(1)], before_commit=interrupt)
        assert log.append([note(1)]) == [0]
    request = Request([])
    request.error = KeyboardInterrupt()
    with pytest.raises(StorageError, match="interrupted"):
        request.result()


def test_an_entry_that_cannot_be_leaves_nothing_of_its_request(tmp_path: Path) -> None:
    with closing(SqliteStore(tmp_path / "ledger.db")) as store:
        log = Ledger(store, TickingClock(), SIGNER, ORIGIN)
        with pytest.raises(UsageError):
            log.append([note(1), replace(note(2), id="with space")])
        assert log.size() == 0
