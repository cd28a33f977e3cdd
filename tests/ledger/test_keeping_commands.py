"""Exports, backups, bringing one back, and a whole programme on PostgreSQL, as a person and a script see them."""

from __future__ import annotations

import base64
import shutil
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest

from tests.enforce.governed import Tool, pay, write
from tests.ledger import second_verifier as second
from tests.ledger.logs import ORIGIN, SIGNER, VKEY, make_log, note, open_log, tampered, verified
from tests.running import Run, run_trueup
from trueup.ledger.keys import store_key
from trueup.ledger.note import Signer
from trueup.sdk import governed
from trueup.workspace import URL_SETTING


@pytest.fixture
def programme(tmp_path: Path) -> Path:
    """A programme with a pinned ledger of seven entries, five of them signed."""
    root = tmp_path / "northwind"
    (root / ".trueup").mkdir(parents=True)
    (root / "programme.yaml").write_text(
        f"programme: Northwind (simulated)\nledger: {{origin: {ORIGIN}, vkey: {VKEY}}}\n"
    )
    store_key(root / ".trueup" / "key", SIGNER)
    make_log(root / ".trueup" / "ledger.db")
    return root


def database(root: Path) -> Path:
    return root / ".trueup" / "ledger.db"


def witnessed(root: Path) -> None:
    """Put the newest checkpoint into the folder, as `apply` does."""
    with closing(open_log(database(root))) as log:
        (root / "checkpoints").mkdir()
        (root / "checkpoints" / "latest").write_text(log.sign_checkpoint())


def test_export_signs_what_is_uncovered_and_can_be_repeated(programme: Path, trueup: Run, tmp_path: Path) -> None:
    for form in ("tiles", "jsonl"):
        ran = trueup("ledger", "export", programme, "--out", tmp_path / form, "--format", form, "--json")
        assert ran.data == {"folder": str(tmp_path / form), "format": form, "size": 7, "uncovered": 0}
    before = database(programme).read_bytes()
    assert "holds 7 entries as tiles" in trueup("ledger", "export", programme, "--out", tmp_path / "tiles").out
    assert database(programme).read_bytes() == before
    size, root = second.open_checkpoint((tmp_path / "tiles" / "checkpoint").read_text(), VKEY, ORIGIN)
    lines = (tmp_path / "jsonl" / "entries.jsonl").read_bytes().splitlines()
    assert (size, root) == (7, second.tree_hash(lines))


def test_export_without_the_key_refuses_rather_than_leaves_out(programme: Path, trueup: Run, tmp_path: Path) -> None:
    (programme / ".trueup" / "key").unlink()
    ran = trueup("ledger", "export", programme, "--out", tmp_path / "tiles", "--json")
    assert (ran.exit_code, ran.error["code"]) == (6, "key-missing")


def test_continuity_from_the_command_line(programme: Path, trueup: Run, tmp_path: Path) -> None:
    out = tmp_path / "proof"
    data = trueup("ledger", "prove", programme, "--from", "3", "--out", out, "--json").data
    assert (data["from"], data["index"], data["size"]) == (3, None, 5)
    with closing(open_log(database(programme))) as log:
        root = second.tree_hash([item.leaf for item in log.entries()][:3])
    assert second.check_continuity(out.read_text(), root, data["vkey"], ORIGIN) == (3, 5)
    assert "continues its first 6 entries" in trueup("ledger", "prove", programme, "--from", "6", "--out", out).out
    for wrong in (["--from", "9"], []):
        assert trueup("ledger", "prove", programme, *wrong, "--out", out, "--json").exit_code in {1, 2}
    assert trueup("ledger", "prove", programme, "3", "--from", "3", "--out", out, "--json").exit_code == 2


def test_a_checkpoint_that_somebody_kept_is_a_witness(programme: Path, trueup: Run, tmp_path: Path) -> None:
    kept = tmp_path / "auditor"
    with closing(open_log(database(programme))) as log:
        kept.write_text(log.sign_checkpoint())
    assert trueup("ledger", "verify", programme, "--witness", kept, "--json").data["witness"] == "auditor: 7 entries"
    database(programme).unlink()
    make_log(database(programme), entries=7, signed_at=(2, 7))
    with closing(open_log(database(programme))) as log:
        log.append([note(7)], checkpoint=True)
    tampered(database(programme), "DELETE FROM entries", "DELETE FROM checkpoints")
    with closing(open_log(database(programme))) as log:
        log.append([note(n, "invented") for n in range(8)], checkpoint=True)
    assert trueup("ledger", "verify", programme, "--json").exit_code == 0
    ran = trueup("ledger", "verify", programme, "--witness", kept, "--json")
    assert (ran.exit_code, [item["kind"] for item in ran.data["problems"]]) == (6, ["witness-mismatch"])
    assert trueup("ledger", "verify", programme, "--witness", tmp_path / "none", "--json").exit_code == 1


def test_a_backup_made_while_somebody_writes_is_whole(programme: Path, trueup: Run, tmp_path: Path) -> None:
    writing = subprocess.Popen(
        [sys.executable, "-m", "tests.ledger.writer", str(database(programme)), "1000", "100000"],
        stdout=subprocess.PIPE,
        cwd=Path(__file__).resolve().parents[2],
    )
    assert writing.stdout is not None
    try:
        for n in range(4):
            writing.stdout.readline()
            data = trueup("ledger", "backup", programme, "--out", tmp_path / f"{n}.db", "--json").data
            assert data["verify"]["ok"], data
            assert data["entries"] == data["verify"]["size"] == verified(tmp_path / f"{n}.db").size
    finally:
        writing.kill()
        writing.communicate()
    assert sorted(file.name for file in tmp_path.glob("*.db*")) == ["0.db", "1.db", "2.db", "3.db"]


def test_a_backup_is_brought_back_and_continued(programme: Path, trueup: Run, tmp_path: Path) -> None:
    witnessed(programme)
    assert "is not in it" in trueup("ledger", "backup", programme, "--out", tmp_path / "copy.db").out
    assert trueup("ledger", "restore", programme, tmp_path / "copy.db", "--json").error["code"] == "ledger-not-empty"
    before = trueup("ledger", "verify", programme, "--json").data
    database(programme).unlink()
    data = trueup("ledger", "restore", programme, tmp_path / "copy.db", "--json").data
    assert (data["entries"], data["verify"]) == (7, before)
    with closing(open_log(database(programme))) as log:
        assert log.append([note(6), note(7)], checkpoint=True) == [6, 7]
    assert trueup("ledger", "verify", programme, "--json").data["ok"]


def test_what_a_writer_left_beside_a_ledger_that_is_gone_is_named_and_nothing_is_put_there(
    programme: Path, trueup: Run, tmp_path: Path
) -> None:
    assert trueup("ledger", "backup", programme, "--out", tmp_path / "copy.db").exit_code == 0
    file = database(programme)
    with closing(open_log(file)) as log:
        log.append([note(9)])
        file.rename(tmp_path / "elsewhere.db")
        verified = trueup("ledger", "verify", programme, "--json")
        assert (verified.exit_code, verified.data["ok"]) == (6, False)
        assert "is gone" in str(verified.data["problems"])
        refused = trueup("ledger", "restore", programme, tmp_path / "copy.db", "--json")
        assert refused.error["code"] == "log-left-behind"
        assert not file.exists()


def test_a_copy_that_is_damaged_too_old_or_anothers_does_not_come_back(
    programme: Path, trueup: Run, tmp_path: Path
) -> None:
    make_log(tmp_path / "old.db", entries=4, signed_at=(3,))
    make_log(tmp_path / "other.db", signer=Signer(ORIGIN, bytes(32)))
    make_log(tmp_path / "damaged.db")
    tampered(tmp_path / "damaged.db", "DELETE FROM entries WHERE idx = 2")
    (tmp_path / "text.db").write_text("no database")
    open_log(tmp_path / "empty.db").close()
    witnessed(programme)
    database(programme).unlink()
    for name in ("old", "other", "damaged", "text", "empty"):
        ran = trueup("ledger", "restore", programme, tmp_path / f"{name}.db", "--json")
        assert ran.exit_code in {1, 6}, name
        assert ran.error["code"] in {"copy-not-sound", "no-such-copy"}, name
        assert not database(programme).exists()


def test_the_copy_of_a_broken_ledger_is_evidence_and_said_to_be_broken(
    programme: Path, trueup: Run, tmp_path: Path
) -> None:
    tampered(database(programme), "UPDATE entries SET type = 'x' WHERE idx = 2")
    ran = trueup("ledger", "backup", programme, "--out", tmp_path / "copy.db", "--json")
    assert (ran.exit_code, ran.data["verify"]["ok"]) == (6, False)
    assert (tmp_path / "copy.db").exists()
    assert trueup("ledger", "backup", programme, "--out", tmp_path / "copy.db", "--json").exit_code == 1


@pytest.fixture
def on_postgres(postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A programme whose ledger lies in PostgreSQL, by the name of a setting in its files."""
    root = write(tmp_path / "payments", "approve")
    with (root / "programme.yaml").open("a") as file:
        file.write(f"ledger: {{origin: test.example/{tmp_path.name}, store: env:PAYMENTS_LEDGER}}\n")
    monkeypatch.setenv("PAYMENTS_LEDGER", postgres)
    return root


def answered(*arguments: Any) -> Any:
    return run_trueup(*arguments, "--json").data


def test_a_programme_lives_on_postgresql(on_postgres: Path, tmp_path: Path) -> None:
    root, tool = on_postgres, Tool()
    with governed(root, "payments") as gate:
        outcome = gate.call(pay(120), "one", tool)
        assert outcome.approval is not None
        (waiting,) = answered("approvals", "list", root)["approvals"]
        assert waiting["arguments"] == {"amount": 120}
        answered("approvals", "accept", root, outcome.approval, "--by", "lead")
        assert gate.resume(outcome.approval, tool).state == "done"
    assert len(tool.calls) == 1
    report = answered("ledger", "verify", root)
    assert (report["ok"], report["uncovered"]) == (True, 0)
    assert not (root / ".trueup" / "ledger.db").exists()
    assert not (root / ".trueup" / "bodies").exists()
    pinned = (root / "programme.yaml").read_text()
    assert "store: env:PAYMENTS_LEDGER" in pinned
    assert "vkey: " in pinned
    answered("record", root, "note", "--by", "lead", "--about", "payments", "--text", "works")
    (kept,) = answered("ledger", "retain", root)["bodies"]
    answered("ledger", "erase", root, kept["digest"], "--by", "lead", "--because", "asked for")
    proof = answered("ledger", "prove", root, "2", "--out", tmp_path / "proof")
    leaf = base64.b64decode(answered("ledger", "entry", root, "2")["leaf"])
    origin = f"test.example/{tmp_path.name}"
    assert second.check_proof((tmp_path / "proof").read_text(), leaf, proof["vkey"], origin) == 2


def test_a_ledger_moves_from_the_folder_to_postgresql_and_back(
    programme: Path, postgres: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    answered("ledger", "backup", programme, "--out", tmp_path / "one.db")
    before = answered("ledger", "verify", programme)
    monkeypatch.setenv(URL_SETTING, postgres)
    ran = run_trueup("record", programme, "note", "--by", "x", "--about", "y", "--text", "z", "--json")
    assert ran.exit_code == 6 or ran.error["kind"] == "ledger", ran
    assert answered("ledger", "restore", programme, tmp_path / "one.db")["verify"] == before
    answered("ledger", "backup", programme, "--out", tmp_path / "two.db")
    monkeypatch.delenv(URL_SETTING)
    database(programme).unlink()
    assert answered("ledger", "restore", programme, tmp_path / "two.db")["verify"] == before


@pytest.mark.parametrize(
    ("value", "code"),
    [
        (None, "store-not-set"),
        ("", "store-not-set"),
        ("nonsense", "bad-store"),
        ("mysql://u:secret@host/db", "bad-store"),
        ("postgresql:///x?host=/nowhere&user=u&password=secret", "ledger-storage"),
        ("postgresql://u:secret@[", "bad-store"),
    ],
)
def test_a_store_that_cannot_be_used_is_named_without_its_address(
    on_postgres: Path, monkeypatch: pytest.MonkeyPatch, value: str | None, code: str
) -> None:
    monkeypatch.delenv("PAYMENTS_LEDGER")
    if value is not None:
        monkeypatch.setenv("PAYMENTS_LEDGER", value)
    for command in (("ledger", "verify"), ("approvals", "list")):
        ran = run_trueup(*command, on_postgres, "--json")
        assert ran.exit_code in {1, 2, 6}
        assert ran.error["code"] == code
        assert "secret" not in ran.out + ran.err


@pytest.mark.parametrize("store", ["postgresql://u:p@h/d", "env:", "env:1X", "PAYMENTS", "env:A B"])
def test_an_address_has_no_place_in_files(on_postgres: Path, store: str) -> None:
    file = on_postgres / "programme.yaml"
    file.write_text(file.read_text().replace("env:PAYMENTS_LEDGER", f'"{store}"'))
    ran = run_trueup("ledger", "verify", on_postgres, "--json")
    assert (ran.exit_code, ran.error["code"]) == (3, "pin-unreadable")
    found = [item["code"] for item in answered("check", on_postgres)["findings"]]
    assert "TYPE01" in found


def test_two_programmes_share_a_database_and_see_nothing_of_each_other(
    on_postgres: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, postgres: str
) -> None:
    other = tmp_path / "other"
    shutil.copytree(on_postgres, other)
    file = other / "programme.yaml"
    file.write_text(file.read_text().replace(f"origin: test.example/{tmp_path.name}", "origin: other.example/log"))
    for root in (on_postgres, other):
        with governed(root, "payments") as gate:
            gate.call(pay(120), "one", Tool())
    sizes = [answered("ledger", "verify", root)["size"] for root in (on_postgres, other)]
    assert sizes[0] == sizes[1]
    monkeypatch.setenv("PAYMENTS_LEDGER", postgres)
    assert len(answered("approvals", "list", other)["approvals"]) == 1
