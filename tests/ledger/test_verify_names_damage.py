"""Every way to break a log, each found and called by its name."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from tests.ledger.logs import (
    ORIGIN,
    SIGNER,
    START,
    VKEY,
    copied,
    kinds,
    make_log,
    note,
    open_log,
    tampered,
    verified,
)
from trueup.kernel.canonical import canonical
from trueup.ledger.entry import leaf
from trueup.ledger.note import Checkpoint, Signer
from trueup.ledger.tree import Frontier, leaf_hash
from trueup.ledger.verify import MOST_PROBLEMS, NO_WITNESS, PROBLEM_KINDS

SWAP = (
    "UPDATE entries SET idx = -1 WHERE idx = 0",
    "UPDATE entries SET idx = 0 WHERE idx = 2",
    "UPDATE entries SET idx = 2 WHERE idx = -1",
)
SHIFT = ("UPDATE entries SET idx = -idx - 1 WHERE idx > 3", "UPDATE entries SET idx = -idx - 2 WHERE idx < 0")
INSERT = "INSERT INTO entries SELECT {}, id || 'x', type, time, recorded, leaf, nodes FROM entries WHERE idx = {}"

DAMAGE: dict[str, tuple[tuple[str, ...], set[str]]] = {
    "leaf": (("UPDATE entries SET leaf = CAST(replace(leaf, 'moved', 'moves') AS BLOB)",), {"leaf-altered"}),
    "id": (("UPDATE entries SET id = 'other' WHERE idx = 4",), {"column-altered"}),
    "type": (("UPDATE entries SET type = 'review.applied' WHERE idx = 6",), {"column-altered"}),
    "time": (("UPDATE entries SET time = recorded WHERE idx = 1",), {"column-altered"}),
    "recorded": (("UPDATE entries SET recorded = time WHERE idx = 6",), {"column-altered"}),
    "own hash": (("UPDATE entries SET nodes = zeroblob(32) WHERE idx = 6",), {"leaf-altered"}),
    "inner hash": (
        ("UPDATE entries SET nodes = CAST(substr(nodes, 1, 32) || zeroblob(32) AS BLOB) WHERE idx = 1",),
        {"tree-altered"},
    ),
    "hash left out": (("UPDATE entries SET nodes = substr(nodes, 1, 32) WHERE idx = 1",), {"tree-altered"}),
    "dropped": (("DELETE FROM entries WHERE idx = 2",), {"entry-missing", "checkpoint-mismatch"}),
    "dropped and closed up": (("DELETE FROM entries WHERE idx = 3", *SHIFT), {"tree-altered", "checkpoint-mismatch"}),
    "first dropped": (("DELETE FROM entries WHERE idx = 0",), {"entry-missing"}),
    "reordered": (SWAP, {"tree-altered", "checkpoint-mismatch"}),
    "inserted before": ((INSERT.format(-1, 3),), {"entry-unexpected"}),
    "duplicated at the end": ((INSERT.format(7, 6),), {"column-altered"}),
    "tail cut into the signed": (("DELETE FROM entries WHERE idx > 3",), {"truncated"}),
    "all gone": (("DELETE FROM entries",), {"truncated"}),
    "checkpoint text": (("UPDATE checkpoints SET note = replace(note, char(10) || '3', char(10) || '2')",), set()),
    "checkpoint moved": (("UPDATE checkpoints SET size = 4 WHERE size = 3",), {"checkpoint-size"}),
    "checkpoint garbage": (("UPDATE checkpoints SET note = 'x' WHERE size = 3",), {"checkpoint-unreadable"}),
    "checkpoint doubled": (
        ("UPDATE checkpoints SET note = note || substr(note, instr(note, char(8212))) WHERE size = 3",),
        {"checkpoint-unreadable"},
    ),
    "table added": (("CREATE TABLE more (x)",), {"schema"}),
    "view added": (("CREATE VIEW more AS SELECT 1",), {"schema"}),
    "trigger added": (
        ("CREATE TRIGGER t AFTER INSERT ON entries BEGIN DELETE FROM entries; END",),
        {"schema"},
    ),
    "index added": (("CREATE INDEX more ON entries (type)",), {"schema"}),
    "table dropped": (("DROP TABLE checkpoints",), {"schema", "unreadable"}),
    "column added": (("ALTER TABLE entries ADD COLUMN more TEXT",), {"schema"}),
    "statistics": (("ANALYZE",), {"schema"}),
    "application mark": (("PRAGMA application_id = 1",), {"schema"}),
    "version mark": (("PRAGMA user_version = 7",), {"schema"}),
}


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    make_log(path)
    return path


def test_a_sound_log_is_sound_and_says_what_is_not_covered(log_file: Path) -> None:
    report = verified(log_file)
    assert report.to_json() == {
        "ok": True,
        "size": 7,
        "root": report.root,
        "uncovered": 2,
        "witness": NO_WITNESS,
        "problems": [],
    }


@pytest.mark.parametrize("name", DAMAGE)
def test_damage_is_found_and_named(log_file: Path, name: str) -> None:
    statements, expected = DAMAGE[name]
    tampered(log_file, *statements)
    report = verified(log_file)
    assert not report.ok
    assert expected <= kinds(report), report.problems
    assert kinds(report) <= set(PROBLEM_KINDS)


def test_the_altered_entry_is_named_by_its_index(log_file: Path) -> None:
    tampered(log_file, "UPDATE entries SET leaf = CAST(replace(leaf, 'moved', 'moves') AS BLOB) WHERE idx = 4")
    problems = {(problem.kind, problem.index) for problem in verified(log_file).problems}
    assert problems == {("leaf-altered", 4), ("checkpoint-mismatch", 5)}


def test_a_moved_entry_is_named_with_the_range_it_stands_in(log_file: Path) -> None:
    tampered(log_file, *SWAP)
    assert "entries 0 to 1" in next(item.detail for item in verified(log_file).problems if item.kind == "tree-altered")


def test_a_dropped_range_is_named(log_file: Path) -> None:
    tampered(log_file, "DELETE FROM entries WHERE idx IN (2, 3)")
    missing = next(item for item in verified(log_file).problems if item.kind == "entry-missing")
    assert (missing.index, missing.detail) == (2, "entry 2 to 3 is missing")


def test_a_tail_cut_after_the_last_checkpoint_is_found_by_nobody_but_a_witness(log_file: Path) -> None:
    with closing(open_log(log_file)) as log:
        newest = log.sign_checkpoint()
    tampered(log_file, "DELETE FROM entries WHERE idx > 4", "DELETE FROM checkpoints WHERE size > 5")
    assert verified(log_file).ok
    report = verified(log_file, newest)
    assert kinds(report) == {"witness-truncated"}
    assert report.problems[0].index == 7


def test_a_witness_that_agrees_is_named(log_file: Path, tmp_path: Path) -> None:
    signed = make_log(tmp_path / "same.db")
    report = verified(log_file, signed[-1])
    assert report.ok
    assert report.witness == "checkpoints/latest: 5 entries"


def test_a_witness_covers_entries_too(log_file: Path) -> None:
    with closing(open_log(log_file)) as log:
        newest = log.sign_checkpoint()
    tampered(log_file, "DELETE FROM checkpoints")
    report = verified(log_file, newest)
    assert (report.ok, report.uncovered) == (True, 0)


def test_a_forked_log_of_the_same_key_is_found_by_its_witness(log_file: Path, tmp_path: Path) -> None:
    with closing(open_log(tmp_path / "fork.db")) as fork:
        fork.append([note(0), note(9, "forked")], checkpoint=True)
        other = fork.checkpoint() or ""
    assert kinds(verified(log_file, other)) == {"witness-mismatch"}


def test_a_rebuilt_log_of_the_same_key_is_found_by_its_witness(log_file: Path, tmp_path: Path) -> None:
    witness = make_log(tmp_path / "kept.db")[-1]
    log_file.unlink()
    with closing(open_log(log_file)) as log:
        for n in range(7):
            log.append([note(n, "invented")], checkpoint=n in {2, 4})
    assert verified(log_file).ok
    assert kinds(verified(log_file, witness)) == {"witness-mismatch"}


def test_a_log_of_another_key_is_found_by_the_pin(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    make_log(path, signer=Signer(ORIGIN, bytes(32)))
    assert kinds(verified(path)) == {"checkpoint-signature"}


def test_a_log_of_another_programme_is_found_by_the_pin(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    make_log(path, signer=Signer("other.example/trueup", bytes(32)))
    assert kinds(verified(path)) == {"checkpoint-origin"}


@pytest.mark.parametrize(
    ("witness", "kind"),
    [
        ("garbage", "witness-unreadable"),
        (
            SIGNER.renamed("other.example/log").sign(Checkpoint("other.example/log", 0, bytes(32)).text),
            "witness-origin",
        ),
        (Signer(ORIGIN, bytes(32)).sign(Checkpoint(ORIGIN, 0, bytes(32)).text), "witness-signature"),
    ],
)
def test_a_witness_that_is_not_ours_is_named(log_file: Path, witness: str, kind: str) -> None:
    assert kind in kinds(verified(log_file, witness))


def test_a_missing_log_is_found_when_a_witness_knew_it(tmp_path: Path) -> None:
    witness = make_log(tmp_path / "kept.db")[-1]
    gone = tmp_path / "ledger.db"
    assert verified(gone).ok
    assert kinds(verified(gone, witness)) == {"ledger-missing"}
    assert not gone.exists()


def test_entries_without_a_pin_cannot_be_vouched_for(log_file: Path, tmp_path: Path) -> None:
    assert kinds(verified(log_file, vkey=None)) == {"not-pinned"}
    assert kinds(verified(log_file, vkey="nonsense")) == {"pin-unreadable"}
    assert "pin-unreadable" in kinds(verified(log_file, origin="other.example/log"))
    assert verified(tmp_path / "none.db", vkey=None).ok


@pytest.mark.parametrize("content", [b"x", b"not a database at all\n" * 300, b"SQLite format 3\x00" + b"\xff" * 5000])
def test_a_file_that_is_no_database_is_unreadable(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(content)
    assert "unreadable" in kinds(verified(path))


@pytest.mark.parametrize("keep", [4096, 5000, 8192, 12288])
def test_a_file_cut_short_is_found(log_file: Path, keep: int) -> None:
    log_file.write_bytes(log_file.read_bytes()[:keep])
    assert not verified(log_file).ok


def test_an_empty_file_is_a_log_that_was_never_begun(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    path.write_bytes(b"")
    assert verified(path).ok
    with closing(open_log(path)) as log:
        assert log.append([note(0)]) == [0]


def test_problems_are_listed_up_to_a_limit(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(open_log(path)) as log:
        log.append([note(n) for n in range(2 * MOST_PROBLEMS)])
    tampered(path, "UPDATE entries SET leaf = CAST(replace(leaf, 'moved', 'moves') AS BLOB)")
    problems = verified(path).problems
    assert len(problems) == MOST_PROBLEMS + 1
    assert problems[-1].kind == "more"


def rewritten(path: Path, change: Callable[[bytes], bytes]) -> None:
    """Rewrite every leaf and all hashes, as somebody would who knows the format but has no key."""
    with closing(open_log(path)) as log:
        leaves = [change(item.leaf) for item in log.entries()]
    frontier = Frontier()
    for index, data in enumerate(leaves):
        nodes = frontier.append(leaf_hash(data))
        tampered(
            path,
            "UPDATE entries SET leaf = ?, nodes = ? WHERE idx = ?",
            arguments=(data, nodes, index),
        )


def test_a_careful_rewrite_of_everything_still_meets_the_signed_root(log_file: Path, tmp_path: Path) -> None:
    careful = copied(log_file, tmp_path)
    rewritten(careful, lambda data: data.replace(b"moved", b"moves"))
    assert kinds(verified(careful)) == {"checkpoint-mismatch"}


def test_a_decision_whose_signature_was_bent_is_named(tmp_path: Path) -> None:
    path = tmp_path / "ledger.db"
    with closing(open_log(path)) as log:
        log.append([note(0), replace(note(1), type="change.decided", data={"n": 1, "signature": "no such thing"})])
    assert [(item.kind, item.index) for item in verified(path).problems] == [("signature-invalid", 1)]


def test_leaves_of_the_walk_are_those_of_the_entries() -> None:
    """The walk compares columns with the end of the leaf: that needs these members to come last, in this order."""
    content = json.loads(leaf(note(3), START))
    tail = canonical({key: content[key] for key in ("id", "recorded", "time", "type")})
    assert leaf(note(3), START).endswith(b"," + tail[1:])
    assert sorted(content) == ["by", "data", "id", "recorded", "time", "type"]
    assert VKEY.startswith(ORIGIN)
