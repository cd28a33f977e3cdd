"""At the scale gate the pre-expansion checklist is evidence in the ledger, item by item, or a waiver by name."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.loop.pilots import Truth, write_programme
from tests.running import run_trueup
from trueup.decide.gate import CHECKLIST

DUE = "2024-06-24"


def run(*arguments: str | Path) -> dict[str, Any]:
    return run_trueup(*arguments, "--json").data


@pytest.fixture
def programme(tmp_path: Path) -> Path:
    root = write_programme(tmp_path / "p", Truth(effect=0.6, per_week=150))
    run("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31")
    return root


def give(root: Path, item: str, as_of: str) -> int:
    about = ("--workflow", "claims", "--item", item, "--evidence", "seen", "--by", "clerk", "--as-of", as_of)
    index: int = run("record", root, "checklist", *about)["entry"]
    return index


def scale_gate(root: Path) -> dict[str, Any]:
    changes = run("review", root, "--as-of", DUE)["changes"]
    found: dict[str, Any] = next(change for change in changes if change.get("gate") == "week-12")
    return found


def test_a_scale_gate_goes_once_every_item_has_evidence(programme: Path) -> None:
    entries = {item: give(programme, item, "2024-06-20") for item in CHECKLIST}
    gate = scale_gate(programme)
    assert [rail["state"] for rail in gate["guardrails"]] == ["held"]
    assert (gate["outcome"], gate["code"]) == ("go", "clears-bar")
    assert {row["item"]: row["entry"] for row in gate["checklist"]} == entries


def test_what_is_missing_holds_and_is_named(programme: Path) -> None:
    for item in CHECKLIST[:-2]:
        give(programme, item, "2024-06-20")
    give(programme, CHECKLIST[-2], "2024-06-25")
    gate = scale_gate(programme)
    assert (gate["outcome"], gate["code"]) == ("hold", "checklist-open")
    assert gate["waivable"] == list(CHECKLIST[-2:]), "evidence about a later instant is no evidence at the gate"
    assert [row["entry"] for row in gate["checklist"]][-2:] == [None, None]


def test_the_newest_evidence_is_shown_and_other_gates_ask_for_none(programme: Path) -> None:
    give(programme, CHECKLIST[0], "2024-05-01")
    newest = give(programme, CHECKLIST[0], "2024-05-02")
    assert scale_gate(programme)["checklist"][0] == {"item": CHECKLIST[0], "entry": newest}
    early = run("review", programme, "--as-of", "2024-05-27")["changes"]
    assert [change["checklist"] for change in early if change["kind"] == "gate"] == [[], []]
