"""What we sign and prove, judged by the verifier that was written from the specifications alone."""

from __future__ import annotations

from contextlib import closing
from pathlib import Path

import pytest

from tests.ledger import second_verifier as second
from tests.ledger.logs import ORIGIN, VKEY, make_log, open_log
from trueup.ledger.note import Signer, Verifier
from trueup.ledger.proof import Proof


@pytest.fixture
def log_file(tmp_path: Path) -> Path:
    path = tmp_path / "ledger.db"
    make_log(path, entries=11, signed_at=(4, 11))
    return path


def test_checkpoints_are_the_hash_of_the_exported_leaves(log_file: Path) -> None:
    with closing(open_log(log_file)) as log:
        leaves = [item.leaf for item in log.entries()]
        size, root = second.open_checkpoint(log.checkpoint() or "", VKEY, ORIGIN)
        assert (size, root) == (11, second.tree_hash(leaves))
        assert root == log.root()


def test_every_entry_can_be_proved_to_a_stranger(log_file: Path) -> None:
    with closing(open_log(log_file)) as log:
        for item in log.entries():
            text = log.prove(item.index).text
            assert second.check_proof(text, item.leaf, VKEY, ORIGIN) == item.index
            assert Proof.parse(text).proves(item.leaf, Verifier.parse(VKEY), ORIGIN)


def test_every_flipped_byte_of_a_proof_is_refused_by_both(log_file: Path) -> None:
    with closing(open_log(log_file)) as log:
        item = log.entry(6)
        raw = log.prove(6).text.encode()
    for at in range(len(raw)):
        bent = bytearray(raw)
        bent[at] ^= 1
        assert not accepted_by_us(bytes(bent), item.leaf), at
        assert not accepted_by_second(bytes(bent), item.leaf), at


def test_forged_leaf_index_origin_and_key_are_refused_by_both(log_file: Path) -> None:
    with closing(open_log(log_file)) as log:
        leaf, proof = log.entry(6).leaf, log.prove(6)
    moved = Proof(7, proof.hashes, proof.checkpoint)
    resigned = Proof(6, proof.hashes, Signer(ORIGIN, bytes(32)).sign(proof.checkpoint.rpartition("\n\n")[0] + "\n"))
    for forged in (moved, resigned, Proof(6, proof.hashes[:-1], proof.checkpoint)):
        assert not accepted_by_us(forged.text.encode(), leaf)
        assert not accepted_by_second(forged.text.encode(), leaf)
    assert not accepted_by_us(proof.text.encode(), leaf.replace(b"moved", b"moves"))
    assert not accepted_by_second(proof.text.encode(), leaf.replace(b"moved", b"moves"))
    assert not proof.proves(leaf, Verifier.parse(VKEY), "other.example/log")


def test_extra_line_is_allowed_and_means_nothing(log_file: Path) -> None:
    with closing(open_log(log_file)) as log:
        leaf, text = log.entry(2).leaf, log.prove(2).text
    with_extra = text.replace("\nindex", "\nextra aGVsbG8=\nindex", 1)
    assert accepted_by_us(with_extra.encode(), leaf)
    assert accepted_by_second(with_extra.encode(), leaf)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "c2sp.org/tlog-proof@v1",
        "c2sp.org/tlog-proof@v1\nindex 01\n\nx",
        "c2sp.org/tlog-proof@v2\nindex 1\n\nx",
        "c2sp.org/tlog-proof@v1\nindex 1\nAAAA\n\nx",
        "c2sp.org/tlog-proof@v1\n\nx",
    ],
)
def test_nearly_a_proof_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Proof.parse(text)


def accepted_by_us(raw: bytes, leaf: bytes) -> bool:
    try:
        return Proof.parse(raw.decode()).proves(leaf, Verifier.parse(VKEY), ORIGIN)
    except ValueError:
        return False


def accepted_by_second(raw: bytes, leaf: bytes) -> bool:
    try:
        return second.check_proof(raw.decode(), leaf, VKEY, ORIGIN) >= 0
    except (second.Rejected, ValueError):
        return False
