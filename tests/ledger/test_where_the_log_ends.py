"""A writer goes on from where it knows the log to end, in one exchange: if it does end there, and not otherwise."""

from __future__ import annotations

import errno
import os
import signal
import socket
import sqlite3
import subprocess
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack, closing, contextmanager
from dataclasses import dataclass
from pathlib import Path

import psycopg
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger.logs import ORIGIN, SIGNER, VKEY, TickingClock, note
from trueup.backends import sqlite_appending
from trueup.backends.postgres import PostgresStore
from trueup.backends.postgres_layout import lock_of, schema_of
from trueup.backends.sqlite import SqliteStore
from trueup.kernel.errors import ConflictError, StorageError
from trueup.ledger.entry import Recorded
from trueup.ledger.log import Ledger
from trueup.ledger.store import Edge, Row, Store
from trueup.ledger.verify import verify

Open = Callable[[], Ledger]


@dataclass
class Stood:
    """What is rested on: the log as it stood at a size; `taken` is what was asked about."""

    size: int
    answer: bool = True
    taken: tuple[list[str], list[str]] | None = None

    def holds(self, news: Sequence[Recorded], beside: Sequence[Recorded]) -> bool:
        self.taken = [item.id for item in news], [item.id for item in beside]
        return self.answer


class Counting(PostgresStore):
    """A store that counts how it was written to."""

    ways = ""

    def extend(self, edge: Edge, rows: Sequence[Row], note: str | None = None) -> bool:
        done = super().extend(edge, rows, note)
        self.ways += "1" if done else "0"
        return done


@pytest.fixture(params=["sqlite", "postgres"])
def opened(request: pytest.FixtureRequest, tmp_path: Path) -> Open:
    if request.param == "sqlite":
        return lambda: Ledger(SqliteStore(tmp_path / "ledger.db"), TickingClock(), SIGNER, ORIGIN)
    url = request.getfixturevalue("postgres")
    return lambda: Ledger(PostgresStore(url, f"{tmp_path}"), TickingClock(), SIGNER, ORIGIN)


def sound(store: Store) -> int:
    report = verify(store, vkey=VKEY, origin=ORIGIN)
    assert report.ok, report.problems
    return report.size


@settings(max_examples=10, deadline=None)
@given(script=st.lists(st.tuples(st.integers(0, 2), st.integers(1, 3), st.booleans()), max_size=24))
@pytest.mark.parametrize("kind", ["sqlite", "postgres"])
def test_several_writers_in_any_order_make_one_sound_log(
    tmp_path_factory: pytest.TempPathFactory,
    request: pytest.FixtureRequest,
    kind: str,
    script: list[tuple[int, int, bool]],
) -> None:
    folder = tmp_path_factory.mktemp("logs")
    url = request.getfixturevalue("postgres") if kind == "postgres" else ""
    with ExitStack() as stack:
        stores: list[Store] = [
            PostgresStore(url, f"{folder}") if url else SqliteStore(folder / "ledger.db") for _ in range(3)
        ]
        logs = [stack.enter_context(closing(Ledger(store, TickingClock(), SIGNER, ORIGIN))) for store in stores]
        n = 0
        for who, count, sign in script:
            found = logs[who].append([note(n + more) for more in range(count)], checkpoint=sign)
            assert found == list(range(n, n + count))
            n += count
        assert sound(stores[0]) == n
        assert [item.id for item in logs[0].entries()] == [f"note/{at}" for at in range(n)]
        signed = [text for _, _, text in script]
        assert (
            logs[1].covered()
            == sum(count for _, count, _ in script[: len(signed) - signed[::-1].index(True)]) * (True in signed)
            if True in signed
            else logs[1].checkpoint() is None
        )


def test_what_is_rested_on_is_asked_about_under_the_lock(opened: Open) -> None:
    with closing(opened()) as one, closing(opened()) as two:
        one.append([note(0)])
        mine = Stood(1)
        assert one.append([note(1)], premise=mine) == [1]
        assert mine.taken == ([], [])
        two.append([note(2), note(3)])
        late = Stood(1, answer=False)
        with pytest.raises(ConflictError, match="4 entries by now"):
            one.append([note(4)], premise=late)
        assert late.taken == (["note/1", "note/2", "note/3"], [])
        assert one.append([note(4)], premise=Stood(1)) == [4]
        with pytest.raises(ConflictError):
            one.append([note(5)], premise=Stood(6))
        assert one.size() == 5


def test_nobody_rests_on_what_he_cannot_know(opened: Open) -> None:
    with closing(opened()) as one, closing(opened()) as two:
        one.append([note(0)])
        two.append([note(n) for n in range(1, 300)])
        # The second time it is not asked first whether the log still ends where it did.
        with pytest.raises(ConflictError):
            one.append([note(300)], premise=Stood(1))
        far = Stood(1)
        with pytest.raises(ConflictError, match="300 entries"):
            one.append([note(300)], premise=far)
        assert far.taken is None
        assert one.append([note(300)], premise=Stood(300)) == [300]


def test_who_rests_on_something_writes_it_once(opened: Open) -> None:
    with closing(opened()) as one:
        one.append([note(0)])
        for again in (note(0), note(0, "other")):
            with pytest.raises(ConflictError, match="note/0"):
                one.append([note(1), again], premise=Stood(1))
        assert one.size() == 1


def test_of_a_group_each_hears_of_what_the_others_add(opened: Open) -> None:
    with closing(opened()) as one:
        one.append([note(0)])
        stood = [Stood(1) for _ in range(8)]
        with ThreadPoolExecutor(8) as pool:
            found = [pool.submit(one.append, [note(n + 1)], premise=item) for n, item in enumerate(stood)]
            indices = sorted(future.result()[0] for future in found)
        assert indices == list(range(1, 9))
        heard = sorted(len(news) + len(beside) for news, beside in (item.taken or ([], []) for item in stood))
        assert heard == list(range(8))


def test_a_lone_writer_needs_one_exchange_and_one_among_several_looks_first(postgres: str, tmp_path: Path) -> None:
    store, beside = Counting(postgres, f"{tmp_path}"), PostgresStore(postgres, f"{tmp_path}")
    with closing(Ledger(store, TickingClock(), SIGNER, ORIGIN)) as one:
        with closing(Ledger(beside, TickingClock(), SIGNER, ORIGIN)) as two:
            for n in range(4):
                one.append([note(n)], checkpoint=n == 2)
            assert store.ways == "11"
            two.append([note(4)])
            for n in range(5, 20):
                one.append([note(n)])
            assert store.ways == "110" + "1" * 6
            two.sign_checkpoint()
            one.append([note(20)], checkpoint=True)
            one.append([note(21)], checkpoint=True)
            assert store.ways.endswith("01")
        assert sound(store) == 22


class Relay:
    """A way to the server that can be cut: what is on its way to the server arrives, its answers do not."""

    def __init__(self, folder: Path, url: str) -> None:
        server = url.partition("host=")[2].partition("&")[0]
        self._target = f"{server}/.s.PGSQL.5432"
        self._listener = socket.socket(socket.AF_UNIX)
        self._listener.bind(f"{folder}/.s.PGSQL.5432")
        self._listener.listen()
        self.url = url.replace(server, f"{folder}")
        self.cut = threading.Event()
        self._ends: list[socket.socket] = []
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self) -> None:
        while True:
            try:
                client, _ = self._listener.accept()
            except OSError:
                return
            server = socket.socket(socket.AF_UNIX)
            server.connect(self._target)
            self._ends += [client, server]
            threading.Thread(target=self._pass_on, args=(client, server, False), daemon=True).start()
            threading.Thread(target=self._pass_on, args=(server, client, True), daemon=True).start()

    def _pass_on(self, source: socket.socket, target: socket.socket, answers: bool) -> None:
        try:
            while data := source.recv(65_536):
                if answers and self.cut.is_set():
                    self.cut.clear()
                    target.shutdown(socket.SHUT_RDWR)
                    source.shutdown(socket.SHUT_RDWR)
                    return
                target.sendall(data)
        except OSError:
            return

    def lose(self) -> None:
        """Lose the clients at once; the server does not hear of it."""
        for end in self._ends[::2]:
            end.shutdown(socket.SHUT_RDWR)

    def close(self) -> None:
        for end in (self._listener, *self._ends):
            end.close()


@pytest.fixture
def relay(postgres: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Relay]:
    with closing(Relay(tmp_path_factory.mktemp("r"), postgres)) as made:
        yield made


def test_an_answer_that_is_lost_behind_the_commit_is_looked_up(relay: Relay, tmp_path: Path) -> None:
    store = Counting(relay.url, f"{tmp_path}")
    with closing(Ledger(store, TickingClock(), SIGNER, ORIGIN)) as log:
        log.append([note(0)], checkpoint=True)
        relay.cut.set()
        assert log.append([note(1)], checkpoint=True) == [1]
        for n in range(3, 12):
            log.append([note(n)])
        relay.cut.set()
        # What was to be written once is there, and nobody can say by whom: it is not done again.
        with pytest.raises(ConflictError, match="note/2"):
            log.append([note(2)], premise=Stood(11))
        assert store.ways == "010"
        assert [item.id for item in log.entries()][-2:] == ["note/11", "note/2"]
        log.append([note(99)], checkpoint=True)
        assert sound(store) == 13


def test_what_is_still_under_way_when_its_writer_is_gone_lands_once(
    postgres: str, relay: Relay, tmp_path: Path
) -> None:
    store = Counting(relay.url, f"{tmp_path}")
    with closing(Ledger(store, TickingClock(), SIGNER, ORIGIN)) as log:
        log.append([note(0)])
        with ThreadPoolExecutor(1) as pool, held(postgres, f"{tmp_path}") as waiting:
            future = pool.submit(log.append, [note(1)])
            waiting(1)
            relay.lose()
            waiting(2)
            assert not future.done()
        assert future.result() == [1]
        assert store.ways == "0"
        assert log.append([note(2)]) == [2]
        assert sound(store) == 3


@contextmanager
def held(url: str, origin: str) -> Iterator[Callable[[int], None]]:
    """Hold a log's lock; yield what waits until so many others wait for it."""
    with psycopg.connect(url, autocommit=True) as holder, psycopg.connect(url, autocommit=True) as looking:
        holder.execute("SELECT pg_advisory_lock(%s)", (lock_of(schema_of(origin)),))

        def waiting(count: int) -> None:
            query = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND NOT granted"
            while (looking.execute(query).fetchone() or (0,))[0] < count:
                threading.Event().wait(0.002)

        yield waiting


def test_a_server_that_ended_the_session_is_asked_anew(postgres: str, tmp_path: Path) -> None:
    store = Counting(postgres, f"{tmp_path}")
    with closing(Ledger(store, TickingClock(), SIGNER, ORIGIN)) as log:
        log.append([note(0)])
        assert store._writer is not None
        with psycopg.connect(postgres, autocommit=True) as other:
            other.execute("SELECT pg_terminate_backend(%s, 5000)", (store._writer.info.backend_pid,))
        assert log.append([note(1)]) == [1]
        assert (store.ways, sound(store)) == ("0", 2)


HOLDING = """\
import sqlite3, sys
connection = sqlite3.connect(sys.argv[1], isolation_level=None)
connection.execute("BEGIN IMMEDIATE")
print("held", flush=True)
sys.stdin.read()
"""


@contextmanager
def holding(path: Path) -> Iterator[subprocess.Popen[str]]:
    """Let another process hold SQLite's lock."""
    command = [sys.executable, "-c", HOLDING, str(path)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "held\n"
        try:
            yield process
        finally:
            process.kill()


def test_a_stopped_holder_is_waited_for_and_a_killed_one_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "ledger.db"
    with closing(Ledger(SqliteStore(path), TickingClock(), SIGNER, ORIGIN)) as log:
        log.append([note(0)])
        with holding(path) as process, ThreadPoolExecutor(1) as pool:
            process.send_signal(signal.SIGSTOP)
            with monkeypatch.context() as patch:
                patch.setattr(sqlite_appending, "PATIENCE_SECONDS", 0.05)
                with pytest.raises(StorageError, match="Another process holds the ledger"):
                    log.append([note(1)])
            future = pool.submit(log.append, [note(1)])
            assert not future.done()
            process.kill()
            assert future.result() == [1]


def test_a_disk_that_fails_behind_the_commit_is_an_error_and_asking_again_is_safe(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not sqlite_appending.Flush.able:
        pytest.skip("SQLite itself waits for the disk here")

    def fails(_: int) -> None:
        raise OSError(errno.EIO, "Input/output error")

    store = SqliteStore(tmp_path / "ledger.db")
    with closing(Ledger(store, TickingClock(), SIGNER, ORIGIN)) as log:
        log.append([note(0)])
        store._flush._wanted = 2
        with monkeypatch.context() as patch:
            patch.setattr(os, "fdatasync", fails)
            with pytest.raises(StorageError, match="to the disk"):
                log.append([note(1)])
        assert log.append([note(1), note(2)]) == [1, 2]


@pytest.mark.parametrize("able", [True, False])
def test_each_commit_is_waited_for_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, able: bool) -> None:
    """SQLite waits under its lock (FULL is 2), or the store does behind it (NORMAL is 1); never neither."""
    flushed: list[int] = []
    levels: list[int] = []
    monkeypatch.setattr(sqlite_appending.Flush, "able", able)
    monkeypatch.setattr(os, "fdatasync", flushed.append, raising=False)
    path = tmp_path / "ledger.db"
    store = SqliteStore(path)
    with closing(Ledger(store, TickingClock(), SIGNER, ORIGIN)) as log, ThreadPoolExecutor(1) as pool:
        log.append([note(0)])
        assert isinstance(store._writer, sqlite3.Connection)
        with holding(path) as process:
            waiting = pool.submit(log.append, [note(1)])
            assert not waiting.done()
            process.kill()
            waiting.result()
        # Whether it had to wait at all is not for this test to hope for.
        store._flush._wanted = 8
        for n in range(2, 12):
            log.append([note(n)])
            levels += store._writer.execute("PRAGMA synchronous").fetchone()
    assert levels == ([1] * 8 + [2] * 2 if able else [2] * 10)
    assert len(flushed) == (8 if able else 0)


@pytest.mark.parametrize("many", [1, 120])
def test_who_is_told_that_an_entry_is_held_waits_for_the_disk_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, many: int
) -> None:
    """Its writer may have committed and not be on disk yet, or has heard that the disk fails."""
    if not sqlite_appending.Flush.able:
        pytest.skip("SQLite itself waits for the disk here")
    fails = [True]
    flushed: list[int] = []

    def flush(descriptor: int) -> None:
        if fails.pop() if fails else False:
            raise OSError(errno.EIO, "Input/output error")
        flushed.append(descriptor)

    monkeypatch.setattr(os, "fdatasync", flush)
    stores = [SqliteStore(tmp_path / "ledger.db") for _ in range(2)]
    notes = [note(n) for n in range(many)]
    with ExitStack() as stack:
        logs = [stack.enter_context(closing(Ledger(store, TickingClock(), SIGNER, ORIGIN))) for store in stores]
        stores[0]._flush._wanted = 1
        with pytest.raises(StorageError, match="to the disk"):
            logs[0].append(notes)
        for count, log in enumerate(reversed(logs), 1):
            assert log.append(notes) == list(range(many))
            assert len(flushed) == count
