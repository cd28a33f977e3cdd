"""Laws of the ledger: they hold for every log, not only for the ones in the examples."""

from __future__ import annotations

import sqlite3
import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.ledger import second_verifier as second
from tests.ledger.logs import START, note, open_log, verified
from trueup.kernel.canonical import Json
from trueup.kernel.errors import UsageError
from trueup.ledger.entry import Entry, leaf, read_leaf
from trueup.ledger.tree import (
    Frontier,
    consistency_proof,
    inclusion_proof,
    leaf_hash,
    peaks_of,
    root_of,
    verify_consistency,
    verify_inclusion,
)

LARGEST = 64
LEAVES = [b"entry %d" % n for n in range(LARGEST)]
JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**53), 2**53)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


def stored() -> list[bytes]:
    frontier = Frontier()
    return [frontier.append(leaf_hash(data)) for data in LEAVES]


NODES = stored()


def node(level: int, position: int) -> bytes:
    return NODES[((position + 1) << level) - 1][level * 32 : level * 32 + 32]


@contextmanager
def temporary() -> Iterator[Path]:
    with tempfile.TemporaryDirectory() as folder:
        yield Path(folder) / "ledger.db"


@pytest.mark.parametrize("size", range(1, LARGEST + 1))
def test_every_entry_of_every_tree_is_proved_to_both_verifiers(size: int) -> None:
    root = root_of(peaks_of(size, node))
    assert root == second.tree_hash(LEAVES[:size])
    for index in range(size):
        path = inclusion_proof(index, size, node)
        assert verify_inclusion(index, size, leaf_hash(LEAVES[index]), path, root)
        assert second.root_from_path(index, size, LEAVES[index], path) == root


@pytest.mark.parametrize("new", range(1, LARGEST + 1))
def test_every_earlier_tree_is_a_prefix_to_both_verifiers(new: int) -> None:
    new_root = root_of(peaks_of(new, node))
    for old in range(1, new + 1):
        old_root = root_of(peaks_of(old, node))
        proof = consistency_proof(old, new, node)
        assert verify_consistency(old, new, old_root, new_root, proof)
        assert second.roots_from_consistency(old, new, old_root, proof) == (old_root, new_root)
        assert not verify_consistency(old, new, new_root, old_root, proof) or old == new
        if proof:
            bent = [bytes([proof[0][0] ^ 1]) + proof[0][1:], *proof[1:]]
            assert not verify_consistency(old, new, old_root, new_root, bent)
            assert not verify_consistency(old, new, old_root, new_root, proof[:-1])


@given(data=st.dictionaries(st.text(max_size=8), JSON, max_size=5), by=st.none() | st.text(max_size=10))
def test_an_entry_survives_its_bytes(data: dict[str, Json], by: str | None) -> None:
    entry = Entry("note.recorded", "note/1", START, by, data)
    try:
        written = leaf(entry, START)
    except UsageError:
        return
    again = read_leaf(0, written)
    assert leaf(again.entry, again.recorded) == written


@settings(max_examples=25)
@given(
    entries=st.integers(1, 9),
    signed=st.integers(0, 9),
    column=st.sampled_from(["id", "type", "time", "recorded", "leaf", "nodes"]),
    data=st.data(),
)
def test_any_flipped_byte_is_found(entries: int, signed: int, column: str, data: st.DataObject) -> None:
    with temporary() as path:
        with closing(open_log(path)) as log:
            for n in range(entries):
                log.append([note(n)], checkpoint=n == signed)
        row = data.draw(st.integers(0, entries - 1), label="row")
        with closing(sqlite3.connect(path)) as connection:
            (value,) = connection.execute(
                f"SELECT CAST({column} AS BLOB) FROM entries WHERE idx = ?", (row,)
            ).fetchone()
            at = data.draw(st.integers(0, len(value) - 1), label="byte")
            bent = value[:at] + bytes([value[at] ^ 0x40]) + value[at + 1 :]
            kind = "BLOB" if column in {"leaf", "nodes"} else "TEXT"
            connection.execute(f"UPDATE entries SET {column} = CAST(? AS {kind}) WHERE idx = ?", (bent, row))
            connection.commit()
        report = verified(path)
        assert not report.ok
        assert row in {problem.index for problem in report.problems}


@settings(max_examples=25)
@given(portions=st.lists(st.integers(0, 5), min_size=1, max_size=6))
def test_how_entries_are_grouped_does_not_change_the_tree(portions: list[int]) -> None:
    total = sum(portions)
    roots = set()
    for groups in (portions, [total], [1] * total):
        with temporary() as path, closing(open_log(path)) as log:
            done = 0
            for count in groups:
                log.append([note(n) for n in range(done, done + count)])
                done += count
            recorded = [item.entry for item in log.entries()]
            assert recorded == [note(n) for n in range(total)]
            roots.add(second.tree_hash([item.leaf for item in log.entries()]) == log.root())
    assert roots == {True}


@settings(max_examples=20)
@given(order=st.lists(st.integers(0, 6), max_size=20))
def test_appending_again_changes_nothing(order: list[int]) -> None:
    with temporary() as path, closing(open_log(path)) as log:
        places: dict[int, int] = {}
        for n in order:
            (index,) = log.append([note(n)])
            assert places.setdefault(n, index) == index
        assert log.size() == len(set(order))
