"""Notes, keys and checkpoints against the examples of the specification, and against everything that is nearly one."""

from __future__ import annotations

import pytest

from tests.ledger.logs import ORIGIN, SIGNER, VKEY
from trueup.ledger.note import Checkpoint, Note, Signer, Verifier, checked_name

# The example of c2sp.org/signed-note.
EXAMPLE_KEY = "example.com/foo+530d903a+AekyeRrm56hApGFkyQR4ZCbV54Id2LKaANYcrnKv3U2k"
EXAMPLE = (
    "This is an example message.\n\n"
    "\u2014 example.com/foo "
    "Uw2QOkn8srV1yJGh2VYRlL1Tnagv1YEq6TfXppzi2ONncAlTgK7Ztg1ERYNZXsYjOBH3mFXmRKuwHjG1Yu72IneyaQM=\n"
)
TEXT = Checkpoint(ORIGIN, 3, bytes(32)).text


def test_example_of_the_specification_verifies() -> None:
    note = Note.parse(EXAMPLE)
    assert note.text == "This is an example message.\n"
    assert note.signed_by(Verifier.parse(EXAMPLE_KEY))


def test_key_id_of_the_example() -> None:
    key = Verifier.parse(EXAMPLE_KEY)
    assert key.key_id.hex() == "530d903a"
    assert key.text == EXAMPLE_KEY


def test_signature_lines_of_others_are_ignored() -> None:
    other = Signer("witness.example", bytes(32)).sign(TEXT).rpartition("\n\n")[2]
    note = Note.parse(SIGNER.sign(TEXT) + other)
    assert note.signed_by(SIGNER.verifier)
    assert not note.signed_by(Signer("third.example", bytes(32)).verifier)


def test_one_bad_line_of_a_known_key_spoils_the_note() -> None:
    elsewhere = SIGNER.sign("another text\n").rpartition("\n\n")[2]
    assert not Note.parse(SIGNER.sign(TEXT) + elsewhere).signed_by(SIGNER.verifier)


def test_another_key_under_the_same_name_is_not_ours() -> None:
    impostor = Signer(ORIGIN, bytes(32))
    assert not Note.parse(impostor.sign(TEXT)).signed_by(SIGNER.verifier)


def test_every_flipped_byte_of_a_signed_checkpoint_is_refused() -> None:
    raw = SIGNER.sign(TEXT).encode()
    for at in range(len(raw)):
        for bit in range(8):
            bent = bytearray(raw)
            bent[at] ^= 1 << bit
            try:
                accepted = Note.parse(bent.decode()).signed_by(SIGNER.verifier)
            except ValueError:
                continue
            assert not accepted, f"byte {at}, bit {bit}"


@pytest.mark.parametrize(
    "raw",
    [
        "",
        "text\n",
        "text\n\n",
        "text\n\nno dash\n",
        "text\n\n\u2014 name\n",
        "text\n\n\u2014 name !!!!\n",
        "text\n\n\u2014 name AAAAAA==",
        "text\n\n\u2014 name AAAA\n",
        "text\n\n\u2014 na+me AAAAAAAA\n",
        "text\n\n\u2014 name AAAAAAB=\n",
        "te\txt\n\n\u2014 name AAAAAAAA\n",
        "te\rxt\n\n\u2014 name AAAAAAAA\n",
        "text\n\n" + "\u2014 name AAAAAAAA\n" * 65,
        "x" * (1 << 20) + "\n\n\u2014 name AAAAAAAA\n",
    ],
)
def test_nearly_a_note_is_refused(raw: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Note.parse(raw)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "origin\n3\n",
        "origin\n03\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "origin\n-3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "origin\n\u0663\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "origin\n3\nAAAA\n",
        "origin\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAB=\n",
        "\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\n",
        "origin\n3\nAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA=\nextension\n",
    ],
)
def test_nearly_a_checkpoint_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Checkpoint.parse(text)


def test_checkpoint_reads_back() -> None:
    checkpoint = Checkpoint(ORIGIN, 0, bytes(32))
    assert Checkpoint.parse(checkpoint.text) == checkpoint
    assert checkpoint.text.split("\n")[:2] == [ORIGIN, "0"]


@pytest.mark.parametrize(
    "key",
    [
        "",
        "name",
        "name+530d903a",
        EXAMPLE_KEY.replace("530d903a", "530d903b"),
        EXAMPLE_KEY.replace("+Aek", "+Bek"),
        EXAMPLE_KEY[:-4],
        EXAMPLE_KEY.replace("example.com/foo", "example.com/fop"),
        "has space+" + EXAMPLE_KEY.partition("+")[2],
    ],
)
def test_nearly_a_verifier_key_is_refused(key: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        Verifier.parse(key)


def test_signing_key_reads_back_and_hides_itself() -> None:
    again = Signer.parse(SIGNER.text)
    assert again.verifier.text == VKEY
    assert SIGNER.text.rsplit("+", 1)[1] not in repr(again)


@pytest.mark.parametrize("text", ["", VKEY, SIGNER.text[:-4], SIGNER.text.replace("PRIVATE", "private")])
def test_nearly_a_signing_key_is_refused_without_quoting_it(text: str) -> None:
    with pytest.raises(ValueError, match=r".") as refused:
        Signer.parse(text)
    assert not text or text.rsplit("+", 1)[-1] not in str(refused.value)


@pytest.mark.parametrize("name", ["", "a b", "a+b", "a\nb", "a\u00a0b", "a\x7fb"])
def test_names_that_cannot_stand_in_a_note(name: str) -> None:
    with pytest.raises(ValueError, match="cannot name a key"):
        checked_name(name)


@pytest.mark.parametrize("text", ["", "\n", "no newline", "tab\there\n"])
def test_text_that_cannot_be_signed(text: str) -> None:
    with pytest.raises(ValueError, match="the text of a note"):
        SIGNER.sign(text)
