"""A receipt for every action of high impact: one file that a stranger can check, and no forgery of it passes."""

from __future__ import annotations

import base64
import json
from dataclasses import replace
from pathlib import Path

import pytest

from tests.gateway.doors import Clock, write
from tests.ledger import second_verifier as second
from tests.ledger.logs import SIGNER
from tests.running import run_trueup
from trueup.ledger.note import Note, Signer, Verifier
from trueup.ledger.proof import Proof
from trueup.sdk import workflow
from trueup.workspace import ledger_vkey

WORKFLOW = """\
workflow: Payments
autonomy: {level: act}
actions:
  pay: {tool: pay, impact: high, approval: until-act, limits: {amount: {at_most: 500}}}
  note: {tool: note, impact: low, approval: never}
"""


@pytest.fixture(scope="module")
def programme(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A programme in which two payments were made, one failed, and a note was written in between."""
    root = write(tmp_path_factory.mktemp("receipts"), workflow=WORKFLOW)
    with workflow(root, "payments", clock=Clock()) as payments:

        @payments.action("pay", step="{account}")
        def pay(amount: int, account: str) -> str:
            if account == "nowhere":
                raise LookupError
            return f"paid {amount}"

        @payments.action("note")
        def note(text: str) -> str:
            return text

        pay(120, "GB-17")
        note("in between")
        pay(121, "GB-18")
        with pytest.raises(LookupError):
            pay(122, "nowhere")
    return root


def receipts(root: Path) -> list[Path]:
    return sorted((root / ".trueup" / "receipts").glob("*.tlog-proof"))


def key_of(root: Path) -> tuple[str, str]:
    vkey = ledger_vkey(root)
    return vkey, vkey.partition("+")[0]


def accepted_by_us(text: str, vkey: str, origin: str) -> bool:
    try:
        proof = Proof.parse(text)
        return proof.proves(proof.extra, Verifier.parse(vkey), origin)
    except ValueError:
        return False


def accepted_by_second(text: str, vkey: str, origin: str) -> bool:
    """Check it as the specification says; the leaf is what the `extra` line brings along."""
    try:
        line = text.split("\n")[1]
        leaf = second.decode(line.removeprefix("extra ")) if line.startswith("extra ") else b""
        return second.check_proof(text, leaf, vkey, origin) >= 0
    except (second.Rejected, ValueError, IndexError):
        return False


def test_every_action_of_high_impact_has_one_and_no_other_has(programme: Path) -> None:
    found = [json.loads(Proof.parse(file.read_text("utf-8")).extra) for file in receipts(programme)]
    assert sorted(entry["data"]["step"] for entry in found) == ["pay/GB-17", "pay/GB-18", "pay/nowhere"]
    assert {entry["type"] for entry in found} == {"action.finished"}
    assert sorted(entry["data"]["ended"] for entry in found) == ["done", "done", "failed"]


def test_a_stranger_accepts_it_offline(programme: Path) -> None:
    vkey, origin = key_of(programme)
    for file in receipts(programme):
        text = file.read_text("utf-8")
        assert accepted_by_us(text, vkey, origin)
        assert accepted_by_second(text, vkey, origin)


def test_every_flipped_byte_of_a_receipt_is_refused_by_both(programme: Path) -> None:
    vkey, origin = key_of(programme)
    raw = receipts(programme)[0].read_bytes()
    for at in range(len(raw)):
        bent = bytearray(raw)
        bent[at] ^= 1
        text = bytes(bent).decode("utf-8", "replace")
        assert not accepted_by_us(text, vkey, origin), at
        assert not accepted_by_second(text, vkey, origin), at


def test_no_forgery_of_a_receipt_is_accepted(programme: Path) -> None:
    vkey, origin = key_of(programme)
    one, other = (Proof.parse(file.read_text("utf-8")) for file in receipts(programme)[:2])
    statement = Note.parse(one.checkpoint).text
    forged = {
        "another outcome": replace(one, extra=one.extra.replace(b'"ended"', b'"added"')),
        "a higher amount": replace(one, extra=other.extra),
        "another place": replace(one, index=one.index + 1),
        "the path of another": replace(one, hashes=other.hashes),
        "a shorter path": replace(one, hashes=one.hashes[:-1]),
        "a longer path": replace(one, hashes=(*one.hashes, bytes(32))),
        "a reordered path": replace(one, hashes=one.hashes[::-1]),
        "the wrong key": replace(one, checkpoint=Signer(origin, bytes(32)).sign(statement)),
        "another log": replace(one, checkpoint=SIGNER.sign(statement.replace(origin, SIGNER.name))),
        "nothing at all": replace(one, extra=b""),
    }
    for what, proof in forged.items():
        assert proof != one, what
        assert not accepted_by_us(proof.text, vkey, origin), what
        assert not accepted_by_second(proof.text, vkey, origin), what


def test_it_can_be_had_again_by_name_step_and_index(programme: Path, tmp_path: Path) -> None:
    listed = run_trueup("ledger", "receipt", programme, "--json").data["receipts"]
    assert len(listed) == 3
    first = listed[0]
    for n, name in enumerate((first["name"], first["step"], str(first["entry"]))):
        out = tmp_path / f"{n}.tlog-proof"
        again = run_trueup("ledger", "receipt", programme, name, "--out", out, "--json")
        assert again.data["receipts"][0]["entry"] == first["entry"]
        assert accepted_by_second(out.read_text("utf-8"), *key_of(programme))
        checked = run_trueup("ledger", "receipt", programme, "--check", out)
        assert checked.exit_code == 0
        assert '"step": "pay/GB-17"' in checked.out


def test_what_was_lost_is_written_again(programme: Path) -> None:
    lost, half, whole = receipts(programme)
    kept = whole.read_bytes()
    lost.unlink()
    half.write_bytes(half.read_bytes()[:100])
    assert run_trueup("ledger", "receipt", programme).exit_code == 0
    assert whole.read_bytes() == kept
    assert all(accepted_by_second(file.read_text("utf-8"), *key_of(programme)) for file in (lost, half, whole))


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["a-unknown"], "no-such-action"),
        (["--out", "x"], "usage"),
        (["a", "--check", "x"], "usage"),
        (["--check", "none"], "no-such-receipt"),
        (["--check", "BENT"], "receipt-invalid"),
        (["--check", "KEYLESS"], "receipt-invalid"),
    ],
)
def test_whatever_is_no_receipt_is_refused(programme: Path, tmp_path: Path, arguments: list[str], code: str) -> None:
    text = receipts(programme)[-1].read_text("utf-8")
    (tmp_path / "BENT").write_text(text.replace(base64.b64encode(b'{"data"').decode()[:6], "AAAAAA"), "utf-8")
    (tmp_path / "KEYLESS").write_text(text.rpartition("\n\n")[0], "utf-8")
    given = [str(tmp_path / one) if one in {"BENT", "KEYLESS"} else one for one in arguments]
    refused = run_trueup("ledger", "receipt", programme, *given, "--json")
    assert refused.error["code"] == code
