"""Every way to break a log on PostgreSQL, each found and called by its name."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import psycopg
import pytest

from tests.ledger.logs import ORIGIN, SIGNER, kinds, note
from tests.ledger.pg_logs import make_pg, open_pg, tampered_pg, verified_pg
from trueup.backends.postgres import PostgresStore
from trueup.backends.postgres_layout import schema_of
from trueup.kernel.errors import LedgerBrokenError, StorageError
from trueup.ledger.note import Checkpoint, Signer
from trueup.ledger.verify import PROBLEM_KINDS

MOVED = "decode(replace(encode(leaf, 'hex'), encode('moved', 'hex'), encode('moves', 'hex')), 'hex')"
SWAP = (
    "UPDATE entries SET idx = -1 WHERE idx = 0",
    "UPDATE entries SET idx = 0 WHERE idx = 2",
    "UPDATE entries SET idx = 2 WHERE idx = -1",
)
SHIFT = ("UPDATE entries SET idx = -idx - 1 WHERE idx > 3", "UPDATE entries SET idx = -idx - 2 WHERE idx < 0")
INSERT = "INSERT INTO entries SELECT {}, id || 'x', type, time, recorded, leaf, nodes FROM entries WHERE idx = {}"

DAMAGE: dict[str, tuple[tuple[str, ...], set[str]]] = {
    "leaf": ((f"UPDATE entries SET leaf = {MOVED}",), {"leaf-altered"}),
    "id": (("UPDATE entries SET id = 'other' WHERE idx = 4",), {"column-altered"}),
    "type": (("UPDATE entries SET type = 'review.applied' WHERE idx = 6",), {"column-altered"}),
    "time": (("UPDATE entries SET time = recorded WHERE idx = 1",), {"column-altered"}),
    "recorded": (("UPDATE entries SET recorded = time WHERE idx = 6",), {"column-altered"}),
    "own hash": (("UPDATE entries SET nodes = decode(repeat('00', 32), 'hex') WHERE idx = 6",), {"leaf-altered"}),
    "hash left out": (("UPDATE entries SET nodes = substr(nodes, 1, 32) WHERE idx = 1",), {"tree-altered"}),
    "dropped": (("DELETE FROM entries WHERE idx = 2",), {"entry-missing", "checkpoint-mismatch"}),
    "dropped and closed up": (("DELETE FROM entries WHERE idx = 3", *SHIFT), {"tree-altered", "checkpoint-mismatch"}),
    "reordered": (SWAP, {"tree-altered", "checkpoint-mismatch"}),
    "inserted before": ((INSERT.format(-1, 3),), {"entry-unexpected"}),
    "duplicated at the end": ((INSERT.format(7, 6),), {"column-altered"}),
    "tail cut into the signed": (("DELETE FROM entries WHERE idx > 3",), {"truncated"}),
    "all gone": (("DELETE FROM entries",), {"truncated"}),
    "checkpoint moved": (("UPDATE checkpoints SET size = 4 WHERE size = 3",), {"checkpoint-size"}),
    "checkpoint garbage": (("UPDATE checkpoints SET note = 'x' WHERE size = 3",), {"checkpoint-unreadable"}),
    "table added": (("CREATE TABLE more (x int)",), {"schema"}),
    "view added": (("CREATE VIEW more AS SELECT 1",), {"schema"}),
    "view in a table's place": (
        ("ALTER TABLE entries RENAME TO real", "CREATE VIEW entries AS SELECT * FROM real WHERE idx < 5"),
        {"schema"},
    ),
    "rule added": (("CREATE RULE r AS ON INSERT TO entries DO INSTEAD NOTHING",), {"schema"}),
    "trigger added": (
        (
            "CREATE FUNCTION f() RETURNS trigger LANGUAGE plpgsql AS 'BEGIN RETURN NULL; END'",
            "CREATE TRIGGER t BEFORE INSERT ON entries FOR EACH ROW EXECUTE FUNCTION f()",
        ),
        {"schema"},
    ),
    "rows hidden": (("ALTER TABLE entries ENABLE ROW LEVEL SECURITY",), {"schema"}),
    "column added": (("ALTER TABLE entries ADD COLUMN x text",), {"schema"}),
    "index dropped": (("ALTER TABLE entries DROP CONSTRAINT entries_id_key",), {"schema"}),
    "index added": (("CREATE INDEX more ON entries (type)",), {"schema"}),
    "null allowed": (("ALTER TABLE entries ALTER COLUMN type DROP NOT NULL",), {"schema"}),
    "table gone": (("DROP TABLE entries",), {"schema", "truncated"}),
    "mark gone": (("COMMENT ON SCHEMA {schema} IS 'mine'",), {"schema"}),
}


@pytest.fixture
def place(request: pytest.FixtureRequest, postgres: str) -> Iterator[str]:
    """A log of seven entries, five of them signed, in a schema of its own."""
    name = request.node.nodeid
    make_pg(postgres, name)
    yield name
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'DROP SCHEMA IF EXISTS "{schema_of(name)}" CASCADE'.encode())


def test_a_sound_log_is_sound(postgres: str, place: str) -> None:
    report = verified_pg(postgres, place)
    assert (report.ok, report.size, report.uncovered, report.problems) == (True, 7, 2, ())


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_in_the_database_is_found_and_named(postgres: str, place: str, name: str) -> None:
    statements, expected = DAMAGE[name]
    tampered_pg(postgres, place, *(text.replace("{schema}", f'"{schema_of(place)}"') for text in statements))
    report = verified_pg(postgres, place)
    assert not report.ok
    assert expected <= kinds(report), report.problems
    assert kinds(report) <= set(PROBLEM_KINDS)


@pytest.mark.parametrize(("table", "key"), [("entries", "idx"), ("checkpoints", "size")])
def test_every_byte_of_every_column_counts_in_the_database(postgres: str, place: str, table: str, key: str) -> None:
    tampered_pg(postgres, place, "DELETE FROM entries WHERE idx > 4")
    schema = schema_of(place)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'SET search_path = "{schema}"'.encode())
        found = connection.execute(
            b"SELECT column_name, data_type FROM information_schema.columns"
            b" WHERE table_schema = %s AND table_name = %s",
            (schema, table),
        )
        for column, kind in found.fetchall():
            rows = connection.execute(f"SELECT {key}, {column} FROM {table} ORDER BY 1 LIMIT 2".encode()).fetchall()
            for row, value in rows:
                for bent in bends(value):
                    change(connection, table, column, bent, key, row)
                    at = bent if column == key else row
                    assert not verified_pg(postgres, place).ok, f"{table}.{column} ({kind}): {value!r} -> {bent!r}"
                    change(connection, table, column, value, key, at)
    assert verified_pg(postgres, place).ok


def change(connection: psycopg.Connection, table: str, column: str, value: object, key: str, at: object) -> None:
    connection.execute(f"UPDATE {table} SET {column} = %s WHERE {key} = %s".encode(), (value, at))


def bends(value: int | str | bytes) -> Iterator[object]:
    """The value with one byte changed (a sample of long ones)."""
    if isinstance(value, int):
        yield from (value + 100, -value - 1)
        return
    data = value.encode() if isinstance(value, str) else value
    for at in range(0, len(data), 1 + len(data) // 6):
        bent = data[:at] + bytes([data[at] ^ 0x01]) + data[at + 1 :]
        if isinstance(value, bytes):
            yield bent
        elif bent.isascii():
            yield bent.decode()


def test_a_cut_a_fork_and_a_replaced_log_meet_their_witness(postgres: str, place: str) -> None:
    with closing(open_pg(postgres, place)) as log:
        newest = log.sign_checkpoint()
    tampered_pg(postgres, place, "DELETE FROM entries WHERE idx > 4", "DELETE FROM checkpoints WHERE size > 5")
    assert verified_pg(postgres, place).ok
    assert kinds(verified_pg(postgres, place, newest)) == {"witness-truncated"}
    other = SIGNER.sign(Checkpoint(ORIGIN, 5, bytes(32)).text)
    assert kinds(verified_pg(postgres, place, other)) == {"witness-mismatch"}
    tampered_pg(postgres, place, "DELETE FROM entries", "DELETE FROM checkpoints")
    assert kinds(verified_pg(postgres, place, newest)) == {"ledger-missing"}


def test_another_key_is_found_by_the_pin_in_the_database(postgres: str, place: str) -> None:
    name = f"{place}/other"
    make_pg(postgres, name, signer=Signer(ORIGIN, bytes(32)))
    assert kinds(verified_pg(postgres, name)) == {"checkpoint-signature"}


def test_nothing_is_signed_over_what_another_key_signed(postgres: str, place: str) -> None:
    with (
        closing(open_pg(postgres, place, Signer(ORIGIN, bytes(32)))) as log,
        pytest.raises(LedgerBrokenError, match="nothing was signed"),
    ):
        log.append([note(20)], checkpoint=True)
    assert verified_pg(postgres, place).size == 7


def test_a_schema_of_something_else_is_not_touched(postgres: str, place: str) -> None:
    name = f"{place}/taken"
    schema = schema_of(name)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(f'CREATE SCHEMA "{schema}" CREATE TABLE "{schema}".mine (x int)'.encode())
    with closing(open_pg(postgres, name)) as log, pytest.raises(LedgerBrokenError, match="not by a ledger"):
        log.append([note(1)])


def test_a_log_whose_tables_are_gone_is_not_begun_anew(postgres: str, place: str) -> None:
    tampered_pg(postgres, place, "DROP TABLE entries")
    with closing(open_pg(postgres, place)) as log, pytest.raises(LedgerBrokenError):
        log.append([note(20)])


def test_a_database_that_is_away_is_no_broken_ledger(tmp_path: Path) -> None:
    store = PostgresStore(f"postgresql:///x?host={tmp_path}&user=nobody&password=secret", ORIGIN)
    with closing(store), pytest.raises(StorageError) as caught:
        store.size()
    assert "secret" not in caught.value.message


def test_a_server_that_came_back_is_used_again(postgres: str, place: str) -> None:
    with closing(open_pg(postgres, place)) as log:
        assert (log.append([note(7)]), log.size()) == ([7], 8)
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(
                b"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid()"
                b" AND backend_type = 'client backend'"
            )
        assert log.size() == 8
        assert log.append([note(8), note(7)]) == [8, 7]
    assert verified_pg(postgres, place).ok


def test_rights_to_add_and_read_are_enough(postgres: str, place: str) -> None:
    """Somebody who may only INSERT and SELECT keeps the log, and cannot change it."""
    schema = schema_of(place)
    with psycopg.connect(postgres, autocommit=True) as connection:
        connection.execute(b"DROP ROLE IF EXISTS appender")
        connection.execute(b"CREATE ROLE appender LOGIN")
        connection.execute(f'GRANT USAGE ON SCHEMA "{schema}" TO appender'.encode())
        connection.execute(f'GRANT SELECT, INSERT ON ALL TABLES IN SCHEMA "{schema}" TO appender'.encode())
    try:
        url = postgres.replace("user=postgres", "user=appender")
        with closing(open_pg(url, place)) as log:
            assert log.append([note(7)], checkpoint=True) == [7]
        assert verified_pg(url, place).uncovered == 0
        with pytest.raises(psycopg.errors.InsufficientPrivilege):
            tampered_pg(url, place, "DELETE FROM entries")
    finally:
        with psycopg.connect(postgres, autocommit=True) as connection:
            connection.execute(b"DROP OWNED BY appender")
            connection.execute(b"DROP ROLE appender")
