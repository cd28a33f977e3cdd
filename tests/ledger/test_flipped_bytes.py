"""Flip bytes one after the other, in the rows and in the raw file: each is found, or changed nothing that is said."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from tests.ledger.logs import make_log, verified

QUERIES = (
    "SELECT * FROM sqlite_schema",
    "SELECT *, typeof(id), typeof(leaf), typeof(nodes) FROM entries ORDER BY idx",
    "SELECT *, typeof(note) FROM checkpoints ORDER BY size",
    "PRAGMA user_version",
    "PRAGMA application_id",
)


@pytest.fixture(scope="module")
def sound(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("sound") / "ledger.db"
    make_log(path, entries=3, signed_at=(2, 3))
    return path


def said(path: Path) -> object:
    """Everything that the file says to a reader."""
    with closing(sqlite3.connect(f"file:{path}?immutable=1", uri=True)) as connection:
        connection.text_factory = bytes
        return [connection.execute(query).fetchall() for query in QUERIES]


def flips_missed(sound: Path, folder: Path, positions: Iterator[int] | range, patterns: tuple[int, ...]) -> list[int]:
    """Positions at which a flip was not found although the file says something else than before."""
    raw, before, target = sound.read_bytes(), said(sound), folder / "flipped.db"
    missed = []
    for at in positions:
        for pattern in patterns:
            bent = bytearray(raw)
            bent[at] ^= pattern
            target.write_bytes(bent)
            if verified(target).ok and said(target) != before:
                missed.append(at)
    return missed


def test_flipped_bytes_of_the_file_are_found_or_meaningless(sound: Path, tmp_path: Path) -> None:
    filled = [at for at, byte in enumerate(sound.read_bytes()) if byte]
    assert flips_missed(sound, tmp_path, iter(filled[::5]), (0x01,)) == []


@pytest.mark.long
def test_every_flipped_bit_of_the_file_is_found_or_meaningless(sound: Path, tmp_path: Path) -> None:
    everywhere = range(len(sound.read_bytes()))
    assert flips_missed(sound, tmp_path, everywhere, tuple(1 << bit for bit in range(8))) == []


@pytest.mark.parametrize(("table", "key"), [("entries", "idx"), ("checkpoints", "size")])
def test_every_byte_of_every_column_counts(sound: Path, tmp_path: Path, table: str, key: str) -> None:
    """Here nothing is meaningless: a changed value in a readable row is always found."""
    target = tmp_path / "bent.db"
    target.write_bytes(sound.read_bytes())
    with closing(sqlite3.connect(target, isolation_level=None)) as connection:
        connection.execute("PRAGMA journal_mode = DELETE")
        columns = [row[1:3] for row in connection.execute(f"PRAGMA table_info({table})")]
        for column, kind in columns:
            for row, value in connection.execute(f"SELECT {key}, {column} FROM {table}").fetchall():
                for bent in bends(value):
                    change(connection, table, column, kind, row, value, bent, key)
                    report = verified(target)
                    assert not report.ok, f"{table}.{column} of {row}: {value!r} -> {bent!r}"
                    change(connection, table, column, kind, row, bent, value, key)
    assert verified(target).ok


def bends(value: int | str | bytes) -> Iterator[object]:
    """The value with one byte changed, for each of its bytes (a sample of long ones)."""
    if isinstance(value, int):
        yield from (value + 100, -value - 1)
        return
    data = value.encode() if isinstance(value, str) else value
    for at in range(0, len(data), 1 + len(data) // 12):
        bent = data[:at] + bytes([data[at] ^ 0x40]) + data[at + 1 :]
        yield bent.decode() if isinstance(value, str) and bent.isascii() else bent


def change(
    connection: sqlite3.Connection, table: str, column: str, kind: str, row: object, old: object, new: object, key: str
) -> None:
    at = old if column == key else row
    connection.execute(f"UPDATE {table} SET {column} = CAST(? AS {kind}) WHERE {key} = ?", (new, at))
