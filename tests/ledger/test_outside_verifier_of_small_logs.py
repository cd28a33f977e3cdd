"""A small log handed to a stranger: every way to forge it is refused by whoever knows the key and kept one checkpoint.

The stranger uses the verifier that was written from the specifications alone, and nothing of the program's.
"""

from __future__ import annotations

from collections.abc import Callable
from contextlib import closing
from functools import lru_cache
from pathlib import Path

import pytest

from tests.ledger import second_verifier as second
from tests.ledger.logs import ORIGIN, SIGNER, VKEY, make_log, note, open_log
from trueup.ledger.export.folder import export
from trueup.ledger.note import Checkpoint, Signer

Files = dict[str, bytes]
opened_checkpoint = lru_cache(second.open_checkpoint)
SIZE = 11
KEPT_AT = 4


@pytest.fixture(scope="module")
def log(tmp_path_factory: pytest.TempPathFactory) -> tuple[Files, str]:
    """The exported lines, the exported tiles, and the checkpoint that the stranger has kept for long."""
    folder = tmp_path_factory.mktemp("small")
    kept, _ = make_log(folder / "ledger.db", entries=SIZE, signed_at=(KEPT_AT, SIZE))
    return exported(folder / "ledger.db"), kept


def exported(path: Path, signer: Signer = SIGNER) -> Files:
    with closing(open_log(path, signer, signer.name)) as opened:
        for form in ("jsonl", "tiles"):
            export(opened, path.parent / path.stem, form)
    root = path.parent / path.stem
    return {str(file.relative_to(root)): file.read_bytes() for file in root.rglob("*") if file.is_file()}


def accepts(files: Files, kept: str) -> bool:
    """Be the stranger: read all of it, and hold it against the key and against what was kept."""
    try:
        size, root = opened_checkpoint(files["checkpoint"].decode(), VKEY, ORIGIN)
        *lines, end = files["entries.jsonl"].split(b"\n")
        tiles = {name: data for name, data in files.items() if name.startswith("tile/")}
        earlier, its_root = opened_checkpoint(kept, VKEY, ORIGIN)
        return (
            end == b""
            and len(lines) == size >= earlier
            and second.tree_hash(lines) == root
            and second.tree_hash(lines[:earlier]) == its_root
            and set(tiles) == second.tiles_of(size)
            and second.root_of_tiles(tiles, size) == root
            and second.entries_of_tiles(tiles, size) == lines
        )
    except (second.Rejected, ValueError, KeyError, IndexError):
        return False


def test_the_log_itself_is_accepted(log: tuple[Files, str]) -> None:
    assert accepts(*log)


def test_a_flip_of_any_byte_is_refused(log: tuple[Files, str]) -> None:
    files, kept = log
    for name, data in files.items():
        for at in range(len(data)):
            bent = bytearray(data)
            bent[at] ^= 1
            assert not accepts({**files, name: bytes(bent)}, kept), (name, at)


def lines_of(files: Files) -> list[bytes]:
    return files["entries.jsonl"].split(b"\n")[:-1]


def with_lines(files: Files, lines: list[bytes]) -> Files:
    """Write a log anew from lines, tiles and all, as who has no key can."""
    from trueup.ledger.export.tiles import write_tiles

    made: Files = {"checkpoint": files["checkpoint"], "entries.jsonl": b"".join(line + b"\n" for line in lines)}
    write_tiles(lines, made.__setitem__)
    return made


def signed(lines: list[bytes], signer: Signer = SIGNER, origin: str = ORIGIN) -> bytes:
    return signer.sign(Checkpoint(origin, len(lines), second.tree_hash(lines)).text).encode()


WITHOUT_THE_KEY: dict[str, Callable[[list[bytes]], list[bytes]]] = {
    "truncated": lambda lines: lines[:-1],
    "truncated to what was kept": lambda lines: lines[:KEPT_AT],
    "emptied": lambda lines: lines[:0],
    "dropped": lambda lines: lines[:5] + lines[6:],
    "reordered": lambda lines: [*lines[:6], lines[7], lines[6], *lines[8:]],
    "reversed": lambda lines: lines[::-1],
    "inserted": lambda lines: [*lines[:6], lines[6].replace(b"moved", b"added"), *lines[6:]],
    "doubled": lambda lines: [*lines, lines[-1]],
    "altered": lambda lines: [*lines[:6], lines[6].replace(b"moved", b"moves"), *lines[7:]],
    "joined": lambda lines: [*lines[:6], lines[6] + lines[7], *lines[8:]],
}


@pytest.mark.parametrize("how", WITHOUT_THE_KEY)
def test_a_log_that_was_rewritten_without_the_key_is_refused(log: tuple[Files, str], how: str) -> None:
    files, kept = log
    assert not accepts(with_lines(files, WITHOUT_THE_KEY[how](lines_of(files))), kept)


@pytest.mark.parametrize("how", ["fork", "replaced", "truncated", "reordered"])
def test_a_log_that_was_rewritten_with_the_key_meets_what_was_kept(log: tuple[Files, str], how: str) -> None:
    files, kept = log
    lines = lines_of(files)
    rewritten = {
        "fork": [*lines[: KEPT_AT - 1], *(line.replace(b"moved", b"other") for line in lines[KEPT_AT - 1 :])],
        "replaced": [line.replace(b"moved", b"other") for line in lines],
        "truncated": lines[: KEPT_AT - 1],
        "reordered": [lines[1], lines[0], *lines[2:]],
    }[how]
    forged = with_lines(files, rewritten) | {"checkpoint": signed(rewritten)}
    assert not accepts(forged, kept)
    # It is sound in itself: only what was kept shows that it is another one.
    if len(rewritten) >= KEPT_AT:
        assert accepts(forged, signed(rewritten[:KEPT_AT]).decode())


@pytest.mark.parametrize("origin", [ORIGIN, "other.example/log"])
def test_a_log_of_another_key_is_refused_whatever_name_it_bears(log: tuple[Files, str], origin: str) -> None:
    files, kept = log
    lines = lines_of(files)
    assert not accepts({**files, "checkpoint": signed(lines, Signer(origin, bytes(32)), origin)}, kept)


def test_two_histories_of_one_key_do_not_both_continue_what_was_kept(log: tuple[Files, str], tmp_path: Path) -> None:
    _, kept = log
    with closing(open_log(tmp_path / "fork.db")) as fork:
        fork.append([note(n) for n in range(KEPT_AT - 1)])
        fork.append([note(n, "forked") for n in range(KEPT_AT - 1, SIZE)], checkpoint=True)
        proof = fork.prove_from(KEPT_AT).text
        assert accepts(
            exported(tmp_path / "fork.db"), signed([item.leaf for item in fork.entries()][:KEPT_AT]).decode()
        )
    assert not accepts(exported(tmp_path / "fork.db"), kept)
    with pytest.raises(second.Rejected):
        second.check_continuity(proof, second.open_checkpoint(kept, VKEY, ORIGIN)[1], VKEY, ORIGIN)
