"""`trueup ledger` as a person and as a script see it."""

from __future__ import annotations

import base64
import json
import subprocess
from contextlib import closing
from pathlib import Path

import pytest

from tests.ledger import second_verifier as second
from tests.ledger.logs import ORIGIN, SIGNER, VKEY, make_log, note, open_log, tampered
from tests.running import Run
from trueup.ledger.keys import store_key
from trueup.ledger.note import Signer
from trueup.ledger.verify import NO_WITNESS


@pytest.fixture
def programme(tmp_path: Path) -> Path:
    """A programme with a pinned ledger of seven entries, five of them signed; its other declarations do not matter."""
    root = tmp_path / "northwind"
    state = root / ".trueup"
    state.mkdir(parents=True)
    pin(root, ORIGIN, VKEY)
    store_key(state / "key", SIGNER)
    make_log(state / "ledger.db")
    return root


def pin(root: Path, origin: str, vkey: str | None) -> None:
    block = f"{{origin: {origin}, vkey: {vkey}}}" if vkey else f"{{origin: {origin}}}"
    (root / "programme.yaml").write_text(f"programme: Northwind (simulated)\nledger: {block}\n")


def put_witness(root: Path, text: str) -> None:
    (root / "checkpoints").mkdir(exist_ok=True)
    (root / "checkpoints" / "latest").write_text(text)


def newest(root: Path) -> str:
    with closing(open_log(root / ".trueup" / "ledger.db")) as log:
        return log.checkpoint() or ""


def contents(root: Path) -> dict[str, tuple[bytes, int]]:
    return {
        str(file.relative_to(root)): (file.read_bytes(), file.stat().st_mtime_ns)
        for file in sorted(root.rglob("*"))
        if file.is_file()
    }


def test_verify_answers_and_changes_nothing(programme: Path, trueup: Run) -> None:
    before = contents(programme)
    ran = trueup("ledger", "verify", programme, "--json")
    assert ran.exit_code == 0
    assert {key: ran.data[key] for key in ("ok", "size", "uncovered", "witness", "problems")} == {
        "ok": True,
        "size": 7,
        "uncovered": 2,
        "witness": NO_WITNESS,
        "problems": [],
    }
    assert contents(programme) == before


def test_verify_reads_for_people(programme: Path, trueup: Run) -> None:
    out = trueup("ledger", "verify", programme).out
    assert out.startswith("The ledger is sound: 7 entries, root ")
    assert "uncovered: the last 2 entries" in out
    assert NO_WITNESS in out
    tampered(programme / ".trueup" / "ledger.db", "DELETE FROM entries WHERE idx = 6")
    tampered(programme / ".trueup" / "ledger.db", "UPDATE entries SET type = 'x' WHERE idx = 2")
    ran = trueup("ledger", "verify", programme)
    assert ran.exit_code == 6
    assert "The ledger is BROKEN" in ran.out
    assert "column-altered at 2: " in ran.out


def test_a_broken_ledger_is_an_answer_with_exit_6(programme: Path, trueup: Run) -> None:
    tampered(programme / ".trueup" / "ledger.db", "DELETE FROM entries WHERE idx = 1")
    ran = trueup("ledger", "verify", programme, "--json")
    assert ran.exit_code == 6
    assert ran.data["ok"] is False
    assert ran.data["problems"][0]["kind"] == "entry-missing"
    assert ran.data["problems"][0]["index"] == 1


def test_the_file_in_the_folder_is_a_witness(programme: Path, trueup: Run) -> None:
    put_witness(programme, newest(programme))
    assert trueup("ledger", "verify", programme, "--json").data["witness"] == "checkpoints/latest: 5 entries"
    (programme / ".trueup" / "ledger.db").unlink()
    ran = trueup("ledger", "verify", programme, "--json")
    assert ran.exit_code == 6
    assert [problem["kind"] for problem in ran.data["problems"]] == ["ledger-missing"]


def test_git_is_a_witness_when_the_file_was_replaced_too(programme: Path, trueup: Run) -> None:
    put_witness(programme, newest(programme))
    git = ["git", "-c", "user.name=Test", "-c", "user.email=test@example.org", "-C", str(programme)]
    for command in (["init", "-q"], ["add", "programme.yaml", "checkpoints"], ["commit", "-qm", "Apply"]):
        subprocess.run([*git, *command], check=True, capture_output=True)
    sound = trueup("ledger", "verify", programme, "--json").data
    assert sound["witness"] == "checkpoints/latest: 5 entries; checkpoints/latest in git: 5 entries"
    database = programme / ".trueup" / "ledger.db"
    database.unlink()
    make_log(database, entries=3, signed_at=(3,))
    put_witness(programme, newest(programme))
    ran = trueup("ledger", "verify", programme, "--json")
    assert ran.exit_code == 6
    assert [problem["kind"] for problem in ran.data["problems"]] == ["witness-truncated"]


def test_another_key_is_found_by_the_pin(programme: Path, trueup: Run) -> None:
    pin(programme, ORIGIN, Signer(ORIGIN, bytes(32)).verifier.text)
    ran = trueup("ledger", "verify", programme, "--json")
    assert ran.exit_code == 6
    assert {problem["kind"] for problem in ran.data["problems"]} == {"checkpoint-signature"}


def test_verify_answers_while_other_declarations_are_broken(programme: Path, trueup: Run) -> None:
    with (programme / "programme.yaml").open("a") as file:
        file.write("currency: [not, one]\nnonsense: 1\n")
    assert trueup("ledger", "verify", programme, "--json").exit_code == 0


def test_entry_gives_the_bytes_that_are_hashed(programme: Path, trueup: Run) -> None:
    data = trueup("ledger", "entry", programme, "4", "--json").data
    assert data["index"] == 4
    assert json.loads(base64.b64decode(data["leaf"])) == data["entry"]
    assert data["entry"]["id"] == "note/4"
    out = trueup("ledger", "entry", programme, "4").out
    assert out.startswith("Entry 4: note.recorded\n  id        note/4\n")
    assert '"text": "moved 4"' in out


def test_an_entry_beyond_the_end_is_not_found(programme: Path, trueup: Run) -> None:
    ran = trueup("ledger", "entry", programme, "7", "--json")
    assert (ran.exit_code, ran.error["code"]) == (1, "no-such-entry")


def test_key_prints_the_pinned_key_or_the_one_at_hand(programme: Path, trueup: Run) -> None:
    assert trueup("ledger", "key", programme, "--json").data == {"vkey": VKEY}
    assert trueup("ledger", "key", programme).out == f"{VKEY}\n"
    pin(programme, ORIGIN, None)
    assert trueup("ledger", "key", programme, "--json").data == {"vkey": VKEY}
    (programme / ".trueup" / "key").unlink()
    ran = trueup("ledger", "key", programme, "--json")
    assert (ran.exit_code, ran.error["code"]) == (1, "no-ledger-key")
    assert not (programme / ".trueup" / "key").exists()


def test_prove_signs_only_when_it_must_and_a_stranger_agrees(programme: Path, trueup: Run, tmp_path: Path) -> None:
    out = tmp_path / "receipt.tlog-proof"
    before = contents(programme)
    covered = trueup("ledger", "prove", programme, "2", "--out", out, "--json").data
    assert covered["size"] == 5
    assert contents(programme) == before
    for index in (2, 6):
        ran = trueup("ledger", "prove", programme, str(index), "--out", out, "--json")
        assert ran.exit_code == 0
        leaf = base64.b64decode(trueup("ledger", "entry", programme, str(index), "--json").data["leaf"])
        assert second.check_proof(out.read_text(), leaf, ran.data["vkey"], ORIGIN) == index
    assert trueup("ledger", "verify", programme, "--json").data["uncovered"] == 0
    assert "proves entry 6" in trueup("ledger", "prove", programme, "6", "--out", out).out


def test_prove_refuses_an_entry_that_is_not_there(programme: Path, trueup: Run, tmp_path: Path) -> None:
    ran = trueup("ledger", "prove", programme, "7", "--out", tmp_path / "p", "--json")
    assert (ran.exit_code, ran.error["code"]) == (1, "no-such-entry")
    assert not (tmp_path / "p").exists()


def test_prove_does_not_sign_for_a_log_that_is_not_ours(programme: Path, trueup: Run, tmp_path: Path) -> None:
    put_witness(programme, newest(programme))
    database = programme / ".trueup" / "ledger.db"
    database.unlink()
    with closing(open_log(database)) as log:
        log.append([note(n, "forged") for n in range(9)])
    ran = trueup("ledger", "prove", programme, "8", "--out", tmp_path / "p", "--json")
    assert (ran.exit_code, ran.error["kind"]) == (6, "ledger")


@pytest.mark.parametrize("command", [["verify"], ["key"], ["entry", "0"], ["prove", "0", "--out", "x"]])
def test_a_folder_that_is_no_programme(tmp_path: Path, trueup: Run, command: list[str]) -> None:
    ran = trueup("ledger", command[0], tmp_path, *command[1:], "--json")
    assert (ran.exit_code, ran.error["code"]) == (1, "not-a-programme")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("text", ["ledger: [", "ledger: {vkey: 3}\n", "ledger: {origin: a, colour: red}\n"])
def test_a_pin_that_cannot_be_read_is_refused(tmp_path: Path, trueup: Run, text: str) -> None:
    (tmp_path / "programme.yaml").write_text(text)
    ran = trueup("ledger", "verify", tmp_path, "--json")
    assert (ran.exit_code, ran.error["code"]) == (3, "pin-unreadable")


def test_a_programme_without_a_ledger_verifies_as_empty(tmp_path: Path, trueup: Run) -> None:
    (tmp_path / "programme.yaml").write_text("programme: New\n")
    ran = trueup("ledger", "verify", tmp_path, "--json")
    assert (ran.exit_code, ran.data["size"]) == (0, 0)
    assert [file.name for file in tmp_path.iterdir()] == ["programme.yaml"]


@pytest.mark.parametrize("index", ["-1", "x", "1.5"])
def test_an_index_that_is_none_is_a_usage_error(programme: Path, trueup: Run, index: str) -> None:
    assert trueup("ledger", "entry", programme, "--", index).exit_code == 2


def test_reading_a_pinned_ledger_needs_no_key(programme: Path, trueup: Run) -> None:
    (programme / ".trueup" / "key").write_text("damaged")
    assert trueup("ledger", "entry", programme, "0", "--json").exit_code == 0
    assert trueup("ledger", "verify", programme, "--json").exit_code == 0
    assert trueup("ledger", "key", programme, "--json").data == {"vkey": VKEY}


def test_a_key_made_before_the_pin_keeps_its_name_when_the_folder_moves(programme: Path, trueup: Run) -> None:
    (programme / "programme.yaml").write_text("programme: Northwind (simulated)\n")
    moved = programme.rename(programme.with_name("moved"))
    assert trueup("ledger", "key", moved, "--json").data == {"vkey": VKEY}
    pin(moved, "new.example/log", None)
    assert trueup("ledger", "key", moved, "--json").data["vkey"].startswith("new.example/log+")
