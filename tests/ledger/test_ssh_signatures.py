"""SSH signatures of decisions: both ways with the real ssh-keygen, and what is refused."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric import ec, ed25519, rsa
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from trueup.kernel.canonical import Json, canonical, digest
from trueup.kernel.errors import NotPermittedError, UsageError
from trueup.ledger.decision import problem_of, sign_decision
from trueup.ledger.sshsig import NAMESPACE, parse, public_line, sign, verify

DECISION: dict[str, Json] = {"review": "r-1", "n": 3, "outcome": "go", "because": "clears the bar"}
CURVES = {"ecdsa-256": ec.SECP256R1(), "ecdsa-384": ec.SECP384R1(), "ecdsa-521": ec.SECP521R1()}
KINDS = ["ed25519", "rsa", *CURVES]


@pytest.fixture(params=KINDS, scope="module")
def pair(request: pytest.FixtureRequest) -> tuple[bytes, str]:
    return make_pair(request.param)


def make_pair(kind: str) -> tuple[bytes, str]:
    key = made(kind)
    private = key.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption())
    return private, key.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


def made(kind: str) -> ed25519.Ed25519PrivateKey | ec.EllipticCurvePrivateKey | rsa.RSAPrivateKey:
    if kind == "ed25519":
        return ed25519.Ed25519PrivateKey.generate()
    if kind == "rsa":
        return rsa.generate_private_key(65537, 2048)
    return ec.generate_private_key(CURVES[kind])


def keygen() -> str:
    found = shutil.which("ssh-keygen")
    if found is None:
        pytest.skip("ssh-keygen is not installed")
    return found


def test_a_signature_verifies_and_is_bound_to_message_key_and_namespace(pair: tuple[bytes, str]) -> None:
    private, public = pair
    armoured, line = sign(b"message", private)
    assert line == public
    assert parse(armoured).public_line == public
    assert verify(b"message", armoured, f"{public} a comment")
    assert not verify(b"massage", armoured, public)
    assert not verify(b"message", armoured, public, "file")
    assert not verify(b"message", armoured, make_pair("ed25519")[1])


def test_ssh_keygen_accepts_what_we_sign(pair: tuple[bytes, str], tmp_path: Path) -> None:
    private, public = pair
    armoured, _ = sign(b"message", private)
    (tmp_path / "signature").write_text(armoured)
    (tmp_path / "allowed").write_text(f"coo {public}\n")
    command = [keygen(), "-Y", "verify", "-f", "allowed", "-I", "coo", "-n", NAMESPACE, "-s", "signature"]
    for message, code in ((b"message", 0), (b"massage", 255)):
        done = subprocess.run(command, input=message, cwd=tmp_path, capture_output=True, check=False)
        assert done.returncode == code, done.stderr


def test_we_accept_what_ssh_keygen_signs(pair: tuple[bytes, str], tmp_path: Path) -> None:
    private, public = pair
    (tmp_path / "key").write_bytes(private)
    (tmp_path / "key").chmod(0o600)
    (tmp_path / "message").write_bytes(b"message")
    subprocess.run(
        [keygen(), "-Y", "sign", "-f", "key", "-n", NAMESPACE, "message"], cwd=tmp_path, capture_output=True, check=True
    )
    armoured = (tmp_path / "message.sig").read_text()
    assert verify(b"message", armoured, public)
    assert not verify(b"massage", armoured, public)


def test_every_flipped_byte_of_a_signature_is_refused() -> None:
    private, public = make_pair("ed25519")
    armoured, _ = sign(b"message", private)
    for at in range(len(armoured)):
        bent = bytearray(armoured.encode())
        bent[at] ^= 2
        try:
            accepted = verify(b"message", bent.decode("utf-8"), public)
        except ValueError:
            continue
        assert not accepted, at


def test_a_decision_is_signed_by_the_key_the_programme_names() -> None:
    private, public = make_pair("ed25519")
    signed = {**DECISION, "signature": sign_decision(canonical(DECISION), private, f"{public} ada")}
    assert problem_of(signed) is None
    assert problem_of({**DECISION, "claimed": "ada"}) is None
    bends: list[dict[str, Json]] = [{**signed, "n": 4}, {**signed, "more": 1}]
    for bent in bends:
        assert problem_of(bent) == "the signature does not belong to this decision"
    assert problem_of({**signed, "signature": 7}) == "the signature is not text"
    assert "begins with" in (problem_of({**signed, "signature": "x"}) or "")
    with pytest.raises(NotPermittedError, match="not the one"):
        sign_decision(canonical(DECISION), private, make_pair("ed25519")[1])


def test_ssh_keygen_verifies_a_decision_from_its_digest(tmp_path: Path) -> None:
    private, public = make_pair("ed25519")
    (tmp_path / "signature").write_text(sign_decision(canonical(DECISION), private, public))
    (tmp_path / "allowed").write_text(f"coo {public}\n")
    done = subprocess.run(
        [keygen(), "-Y", "verify", "-f", "allowed", "-I", "coo", "-n", NAMESPACE, "-s", "signature"],
        input=digest(DECISION).encode(),
        cwd=tmp_path,
        capture_output=True,
        check=False,
    )
    assert done.returncode == 0, done.stderr


@pytest.mark.parametrize("private", [b"", b"nonsense", b"-----BEGIN OPENSSH PRIVATE KEY-----\nAAAA\n"])
def test_what_is_no_private_key_is_refused_with_a_way_out(private: bytes) -> None:
    with pytest.raises(UsageError, match="cannot be signed") as refused:
        sign_decision(b"{}", private, make_pair("ed25519")[1])
    assert "ssh-keygen -t ed25519" in refused.value.hint


def test_a_key_with_a_passphrase_is_refused(tmp_path: Path) -> None:
    subprocess.run(
        [keygen(), "-q", "-t", "ed25519", "-N", "secret", "-f", "key"], cwd=tmp_path, capture_output=True, check=True
    )
    with pytest.raises(UsageError, match="passphrase"):
        sign_decision(b"{}", (tmp_path / "key").read_bytes(), (tmp_path / "key.pub").read_text())


@pytest.mark.parametrize(
    "line",
    [
        "",
        "ssh-ed25519",
        "ssh-ed25519 AAAA",
        "ssh-ed25519 !!!!",
        "ssh-ed25519 AAAAC3NzaC1lZDI1NTE5AAAAIA==",
        "ssh-rsa AAAAC3NzaC1lZDI1NTE5AAAAIHk=",
        "sk-ssh-ed25519@openssh.com AAAAGnNrLXNzaC1lZDI1NTE5QG9wZW5zc2guY29t",
    ],
)
def test_what_is_no_public_key_is_refused(line: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        public_line(line)


@pytest.mark.parametrize("text", ["", "-----BEGIN SSH SIGNATURE-----\nAAAA\n-----END SSH SIGNATURE-----", "x\ny\nz"])
def test_what_is_no_signature_is_refused(text: str) -> None:
    with pytest.raises(ValueError, match=r"."):
        parse(text)
