"""A decision is signed with the person's own SSH key where it is at hand, and the record can tell."""

from __future__ import annotations

from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey
from cryptography.hazmat.primitives.serialization import Encoding, NoEncryption, PrivateFormat, PublicFormat

from tests.loop.pilots import write_programme
from tests.running import Ran, run_trueup

WEEK_8 = "2024-05-27"


def run(*arguments: str | Path) -> Ran:
    return run_trueup(*arguments, "--json")


def write_key(path: Path) -> str:
    """Write a private key as ssh-keygen does; return its public line."""
    private = Ed25519PrivateKey.generate()
    path.write_bytes(private.private_bytes(Encoding.PEM, PrivateFormat.OpenSSH, NoEncryption()))
    path.chmod(0o600)
    return private.public_key().public_bytes(Encoding.OpenSSH, PublicFormat.OpenSSH).decode()


@pytest.fixture
def keyed(tmp_path: Path) -> tuple[Path, Path]:
    root = write_programme(tmp_path / "claims-programme")
    line = write_key(tmp_path / "id")
    text = (root / "programme.yaml").read_text("utf-8")
    text = text.replace("roles: [sponsor]}", f"roles: [sponsor], key: '{line}'}}")
    (root / "programme.yaml").write_text(
        text.replace("currency: GBP", "currency: GBP\nrequire_signatures: true"), "utf-8"
    )
    assert run("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31").exit_code == 0
    return root, tmp_path / "id"


def test_signed_with_the_declared_key(keyed: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    root, key = keyed
    monkeypatch.setenv("TRUEUP_SIGNING_KEY", str(key))
    name = run("review", root, "--as-of", WEEK_8).data["id"]
    ran = run("apply", root, name, "--by", "chief", "--as-of", WEEK_8)
    assert ran.exit_code == 0, ran
    assert ran.data["signed"] is True
    assert run("ledger", "verify", root).data["ok"] is True


def test_a_fact_on_record_is_signed_too(keyed: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    root, key = keyed
    call = ("record", root, "note", "--text", "seen", "--by", "chief", "--as-of", WEEK_8)
    assert run(*call).error["code"] == "signature-required"
    monkeypatch.setenv("TRUEUP_SIGNING_KEY", str(key))
    assert run(*call).data["signed"] is True
    assert run("ledger", "verify", root).data["ok"] is True


def test_a_claim_is_refused_where_signatures_are_required(keyed: tuple[Path, Path]) -> None:
    root, _ = keyed
    name = run("review", root, "--as-of", WEEK_8).data["id"]
    ran = run("apply", root, name, "--by", "chief", "--as-of", WEEK_8)
    assert (ran.exit_code, ran.error["code"]) == (4, "signature-required")


def test_somebody_elses_key_does_not_sign(
    keyed: tuple[Path, Path], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root, _ = keyed
    write_key(tmp_path / "other")
    monkeypatch.setenv("TRUEUP_SIGNING_KEY", str(tmp_path / "other"))
    name = run("review", root, "--as-of", WEEK_8).data["id"]
    ran = run("apply", root, name, "--by", "chief", "--as-of", WEEK_8)
    assert ran.exit_code in {1, 4}
    assert "outcome" not in (root / "workflows" / "claims.yaml").read_text("utf-8")


def test_a_key_file_that_is_not_there_is_named(keyed: tuple[Path, Path], monkeypatch: pytest.MonkeyPatch) -> None:
    root, _ = keyed
    monkeypatch.setenv("TRUEUP_SIGNING_KEY", "no-such-key")
    name = run("review", root, "--as-of", WEEK_8).data["id"]
    ran = run("apply", root, name, "--by", "chief", "--as-of", WEEK_8)
    assert ran.exit_code == 1
    assert "no-such-key" in ran.error["message"]
