"""Tiles, lines and proofs of continuity, judged by the verifier that was written from the specifications alone."""

from __future__ import annotations

import base64
import hashlib
import json
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.ledger import second_verifier as second
from tests.ledger.logs import ORIGIN, VKEY, note, open_log, tampered
from trueup.kernel.errors import ConflictError, LedgerBrokenError, NotFoundError
from trueup.ledger.export.folder import export
from trueup.ledger.export.tiles import tile_path, write_tiles
from trueup.ledger.note import Signer, Verifier
from trueup.ledger.proof import Consistency
from trueup.ledger.tree import EMPTY_ROOT


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    with closing(open_log(path)) as log:
        for first, last in ((0, 4), (4, 290)):
            log.append([note(n) for n in range(first, last)], checkpoint=True)
        log.append([note(n) for n in range(290, 300)])
    return path


@pytest.mark.parametrize(
    ("level", "position", "width", "path"),
    [
        (0, 0, 256, "tile/0/000"),
        (1, 5, 17, "tile/1/005.p/17"),
        ("entries", 1234067, 256, "tile/entries/x001/x234/067"),
        (0, 999, 1, "tile/0/999.p/1"),
        (0, 1000, 256, "tile/0/x001/000"),
    ],
)
def test_paths_are_those_of_the_specification(level: int | str, position: int, width: int, path: str) -> None:
    assert tile_path(level, position, width) == path


@pytest.mark.parametrize("size", [0, 1, 255, 256, 257, 511, 600, 65_536, 70_000])
def test_tiles_are_those_of_the_specification(size: int) -> None:
    leaves = [n.to_bytes(3, "big") for n in range(size)]
    files: dict[str, bytes] = {}
    frontier = write_tiles(leaves, files.__setitem__)
    assert set(files) == second.tiles_of(size)
    if size <= 600:
        assert frontier.root() == second.tree_hash(leaves)
    assert second.root_of_tiles(files, size) == frontier.root()
    assert second.entries_of_tiles(files, size) == leaves


def test_a_stranger_reads_the_exported_log_from_its_tiles(log_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tiles"
    with closing(open_log(log_file)) as log:
        assert export(log, folder, "tiles").size == 290
        leaves = [item.leaf for item in log.entries()][:290]
    size, root = second.open_checkpoint((folder / "checkpoint").read_text(), VKEY, ORIGIN)
    files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    files.pop("checkpoint")
    assert set(files) == second.tiles_of(size)
    assert second.root_of_tiles(files, size) == root
    assert second.entries_of_tiles(files, size) == leaves


def test_an_export_grows_and_what_is_whole_is_not_written_again(log_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tiles"
    with closing(open_log(log_file)) as log:
        export(log, folder, "tiles")
        whole = folder / "tile" / "0" / "000"
        before = whole.stat().st_mtime_ns, whole.stat().st_ino
        log.append([note(n) for n in range(300, 520)], checkpoint=True)
        assert export(log, folder, "tiles").size == 520
        assert (whole.stat().st_mtime_ns, whole.stat().st_ino) == before
    files = {str(file.relative_to(folder)): file.read_bytes() for file in folder.rglob("*") if file.is_file()}
    # Partial tiles of earlier checkpoints stay: somebody may still hold such a checkpoint.
    assert second.tiles_of(520) | second.tiles_of(290) == set(files) - {"checkpoint"}


def test_lines_are_the_hashed_bytes(log_file: Path, tmp_path: Path) -> None:
    with closing(open_log(log_file)) as log:
        export(log, tmp_path / "lines", "jsonl")
    lines = (tmp_path / "lines" / "entries.jsonl").read_bytes().splitlines()
    size, root = second.open_checkpoint((tmp_path / "lines" / "checkpoint").read_text(), VKEY, ORIGIN)
    assert (len(lines), second.tree_hash(lines)) == (size, root)
    assert json.loads(lines[7])["id"] == "note/7"


def test_a_folder_of_another_log_is_not_mixed_with_this_one(log_file: Path, tmp_path: Path) -> None:
    folder = tmp_path / "tiles"
    with closing(open_log(tmp_path / "other.db")) as other:
        other.append([note(1, "other")], checkpoint=True)
        export(other, folder, "tiles")
    with closing(open_log(log_file)) as log, pytest.raises(ConflictError, match="another log"):
        export(log, folder, "tiles")
    (folder / "checkpoint").write_text("garbage")
    with closing(open_log(log_file)) as log, pytest.raises(LedgerBrokenError):
        export(log, folder, "tiles")


def test_what_does_not_hash_to_the_checkpoint_is_not_signed_off(log_file: Path, tmp_path: Path) -> None:
    tampered(log_file, "UPDATE entries SET leaf = CAST(replace(leaf, 'moved', 'moves') AS BLOB) WHERE idx = 9")
    for form in ("tiles", "jsonl"):
        with closing(open_log(log_file)) as log, pytest.raises(LedgerBrokenError, match="do not hash"):
            export(log, tmp_path / form, form)
        assert not (tmp_path / form / "checkpoint").exists()


def test_a_log_without_a_checkpoint_is_not_exported(tmp_path: Path) -> None:
    with closing(open_log(tmp_path / "ledger.db")) as log, pytest.raises(LedgerBrokenError, match="no checkpoint"):
        export(log, tmp_path / "out", "tiles")


@pytest.mark.parametrize("old", [0, 1, 2, 3, 4, 7, 8, 63, 64, 289, 290])
def test_continuity_is_proved_to_a_stranger(log_file: Path, old: int) -> None:
    with closing(open_log(log_file)) as log:
        leaves = [item.leaf for item in log.entries()][:old]
        text = log.prove_from(old).text
        assert log.covered() == 290
    old_root = second.tree_hash(leaves)
    assert second.check_continuity(text, old_root, VKEY, ORIGIN) == (old, 290)
    assert Consistency.parse(text).proves(old_root, Verifier.parse(VKEY), ORIGIN)


def test_continuity_beyond_the_newest_checkpoint_signs_one(log_file: Path) -> None:
    with closing(open_log(log_file)) as log:
        assert log.prove_from(295).size == 300
        with pytest.raises(NotFoundError):
            log.prove_from(301)
        with pytest.raises(NotFoundError):
            log.prove_from(-1)


def test_every_flipped_byte_of_a_proof_of_continuity_is_refused_by_both(log_file: Path) -> None:
    with closing(open_log(log_file)) as log:
        raw = log.prove_from(77).text.encode()
        root = second.tree_hash([item.leaf for item in log.entries()][:77])
    assert accepted_by_us(raw, root)
    assert accepted_by_second(raw, root)
    for at in range(len(raw)):
        bent = bytearray(raw)
        bent[at] ^= 1
        assert not accepted_by_us(bytes(bent), root), at
        assert not accepted_by_second(bytes(bent), root), at


def test_forged_continuity_is_refused_by_both(log_file: Path) -> None:
    with closing(open_log(log_file)) as log:
        proof = log.prove_from(77)
        root = second.tree_hash([item.leaf for item in log.entries()][:77])
    resigned = Signer(ORIGIN, bytes(32)).sign(proof.checkpoint.rpartition("\n\n")[0] + "\n")
    forgeries = [
        Consistency(76, proof.hashes, proof.checkpoint),
        Consistency(77, proof.hashes[1:], proof.checkpoint),
        Consistency(77, (*proof.hashes, bytes(32)), proof.checkpoint),
        Consistency(77, proof.hashes[::-1], proof.checkpoint),
        Consistency(77, proof.hashes, resigned),
        Consistency(0, proof.hashes, proof.checkpoint),
        Consistency(400, proof.hashes, proof.checkpoint),
    ]
    for forged in forgeries:
        assert not accepted_by_us(forged.text.encode(), root)
        assert not accepted_by_second(forged.text.encode(), root)
    assert not accepted_by_us(proof.text.encode(), EMPTY_ROOT)
    assert not accepted_by_second(proof.text.encode(), EMPTY_ROOT)
    assert not proof.proves(root, Verifier.parse(VKEY), "other.example/log")


@given(st.text(max_size=80) | st.binary(max_size=80).map(lambda data: base64.b64encode(data).decode()))
def test_whatever_is_no_proof_is_refused(text: str) -> None:
    for forged in (text, f"old 3\n{text}\n\nx", f"old {text}\n\nx"):
        assert not accepted_by_us(forged.encode("utf-8", "surrogatepass"), hashlib.sha256(b"").digest())


def accepted_by_us(raw: bytes, root: bytes) -> bool:
    try:
        return Consistency.parse(raw.decode()).proves(root, Verifier.parse(VKEY), ORIGIN)
    except ValueError:
        return False


def accepted_by_second(raw: bytes, root: bytes) -> bool:
    try:
        return bool(second.check_continuity(raw.decode(), root, VKEY, ORIGIN))
    except (second.Rejected, ValueError):
        return False
