"""What a model is not sure of, or what rests on nothing, waits for a person where the file asks for that."""

from __future__ import annotations

import json
import math
import tempfile
from dataclasses import replace
from datetime import date
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.enforce.governed import NOW, World, pay, world
from trueup.declare.model.workflow import Autonomy
from trueup.declare.read import read_programme
from trueup.enforce.autonomy.rung import Rungs, basis_of, note_basis, policy_in_force
from trueup.enforce.certainty.confidence import confident, floored, needed_confidence, raised
from trueup.enforce.policy import Policy
from trueup.enforce.rehearsal.dry import dry_run
from trueup.enforce.request import Request
from trueup.enforce.steps import State
from trueup.kernel.canonical import Json
from trueup.ledger.entry import Entry

NEEDS = "autonomy: {level: act, wrong_at_most: 5%, sure: 95%, confidence: CONFIDENCE}"


def asking(root: Path, confidence: str, more: str = "") -> World:
    """A workflow at `act` that asks for a confidence, and perhaps for sources."""
    at = world(root)
    file = root / "workflows" / "payments.yaml"
    terms = NEEDS.replace("CONFIDENCE", confidence + more)
    text = file.read_text("utf-8").replace("autonomy: {level: act}", terms).replace(", per_day: 3", "")
    file.write_text(text, "utf-8")
    read = read_programme(root, date(2024, 5, 6))
    assert not [found for found in read.findings if "confidence" in found.detail]
    return replace(at, programme=read.programme)


def choose(at: World, threshold: Json, basis: str | None = None) -> None:
    """Put a threshold on record, for what acts now or for something else."""
    number = at.ledger.size()
    data: dict[str, Json] = {
        "workflow": "payments",
        "at": threshold,
        "basis": basis or basis_of(at.programme, "payments"),
    }
    at.ledger.append([Entry("threshold.chosen", f"threshold/payments/{number}", NOW, "chief", data)])


def state(at: World, step: str, **brought: Any) -> str:
    return str(at.gate(step).call(pay(**brought), step, at.tool).state)


def test_below_the_declared_confidence_or_without_one_a_person_decides(tmp_path: Path) -> None:
    at = asking(tmp_path, "80%")
    assert [state(at, f"s{n}", confidence=sure) for n, sure in enumerate((0.8, 0.93, 1, 1.0))] == ["done"] * 4
    assert [state(at, f"t{n}", confidence=sure) for n, sure in enumerate((0.7999, 0.79999999, 0, None))] == ["held"] * 4
    judged = at.last("action.judged").data
    assert judged["rules"] == ["payments.pay", "payments.pay.confidence"]
    asked = [item.entry.data for item in at.ledger.entries("approval.requested")]
    assert [one.get("confidence") for one in asked] == [0.7999, 0.79999999, 0, None]
    assert "less than 80% sure" in str(asked[0]["reasons"])
    # What only reads carries nothing out of the house: nobody has to be sure of it.
    assert at.gate().call(Request("erp.read"), "read", at.tool).state is State.DONE


@pytest.mark.parametrize("sure", [math.nan, math.inf, -0.01, 1.0001, "0.9", "high", True, False, [0.9], {}, 10**400])
def test_what_is_no_confidence_passes_nothing(tmp_path: Path, sure: Any) -> None:
    at = asking(tmp_path, "80%")
    outcome = at.gate().call(pay(confidence=sure), "s", at.tool)
    assert (outcome.state, at.tool.calls) == (State.DENIED, [])
    body = {"tool": "erp.pay", "arguments": {"amount": 120}, "confidence": sure}
    verdict = dry_run(at.policy, at.ledger, json.dumps(body).encode(), NOW)
    assert verdict.decision == "deny"


@pytest.mark.parametrize("sources", ["rule-7", [""], [" "], [7], {"rule-7": 1}, 7, ["x" * 201], ["x"] * 21])
def test_what_names_no_sources_passes_nothing(tmp_path: Path, sources: Any) -> None:
    at = asking(tmp_path, "80%", ", sources: required")
    outcome = at.gate().call(pay(confidence=0.9, sources=sources), "s", at.tool)
    assert (outcome.state, at.tool.calls) == (State.DENIED, [])


def test_an_answer_without_a_source_is_held_and_counted_apart(tmp_path: Path) -> None:
    at = asking(tmp_path, "80%", ", sources: required")
    assert state(at, "a", confidence=0.9, sources=("rules/7",)) == "done"
    assert at.last("action.intended").data["sources"] == ["rules/7"]
    assert state(at, "b", confidence=0.9) == "held"
    assert at.last("action.judged").data["rules"] == ["payments.pay", "payments.pay.sources"]
    assert state(at, "c", confidence=0.1) == "held"
    assert at.last("action.judged").data["rules"] == [
        "payments.pay",
        "payments.pay.confidence",
        "payments.pay.sources",
    ]


def test_a_learned_threshold_holds_everything_until_there_is_one_for_what_acts(tmp_path: Path) -> None:
    at = asking(tmp_path, "learned")
    assert state(at, "a", confidence=1.0) == "held"
    gate = at.gate("one")
    choose(at, 0.5, basis="sha256:another-model")
    assert gate.call(pay(confidence=1.0), "b", at.tool).state is State.HELD
    choose(at, 0.9)
    # The gate that was open sees it with its next action, and so does one that is opened.
    assert gate.call(pay(confidence=0.9), "c", at.tool).state is State.DONE
    assert gate.call(pay(confidence=0.89), "d", at.tool).state is State.HELD
    assert state(at, "e", confidence=0.89) == "held"
    assert policy_in_force(at.programme, "payments", at.ledger).confidence == 0.9
    for broken in (None, "0.5", True, 7, -1):
        choose(at, broken)
        assert gate.call(pay(confidence=1.0), f"broken {broken!r}", at.tool).state is State.HELD


def test_another_model_has_no_threshold_and_falls(tmp_path: Path) -> None:
    at = asking(tmp_path, "learned")
    at.gate().call(pay(), "noted", at.tool)
    choose(at, 0.5)
    rung = Rungs(at.ledger, "payments").now()
    assert (rung.threshold, rung.chosen) == (0.5, at.ledger.size() - 1)
    file = tmp_path / "workflows" / "payments.yaml"
    file.write_text(file.read_text("utf-8") + "model: {name: another}\n", "utf-8")
    changed = read_programme(tmp_path, date(2024, 5, 6)).programme
    fallen = note_basis(changed, "payments", at.ledger, NOW)
    assert (fallen.level, fallen.cause, fallen.threshold) == ("draft", "basis", None)
    assert policy_in_force(changed, "payments", at.ledger).confidence == "learned"


@pytest.mark.parametrize("asked", ["confidence: 10%", "sources: none"])
def test_asking_less_of_answers_is_another_policy(tmp_path: Path, asked: str) -> None:
    at = asking(tmp_path, "80%", ", sources: required")
    before = basis_of(at.programme, "payments")
    file = tmp_path / "workflows" / "payments.yaml"
    key = asked.partition(":")[0]
    text = file.read_text("utf-8").replace(
        {"confidence": "confidence: 80%", "sources": "sources: required"}[key], asked
    )
    file.write_text(text, "utf-8")
    assert basis_of(read_programme(tmp_path, date(2024, 5, 6)).programme, "payments") != before


def test_a_prompt_is_part_of_what_acts(tmp_path: Path) -> None:
    at = world(tmp_path)
    file, prompt = tmp_path / "workflows" / "payments.yaml", tmp_path / "prompts" / "pay.md"
    prompt.parent.mkdir()
    file.write_text(file.read_text("utf-8") + "model: {name: m, prompts: [prompts/*.md]}\n", "utf-8")
    programme = read_programme(tmp_path, date(2024, 5, 6)).programme
    found = []
    for text in ("Pay what is due.", "Pay everything.", "Pay what is due."):
        prompt.write_text(text, "utf-8")
        found.append(basis_of(programme, "payments"))
    assert found[0] == found[2] != found[1]
    assert found[0] != basis_of(at.programme, "payments")


@pytest.mark.parametrize("pattern", ["/etc/passwd", "../other/*.md", '""'])
def test_prompts_lie_in_the_programme(tmp_path: Path, pattern: str) -> None:
    world(tmp_path)
    file = tmp_path / "workflows" / "payments.yaml"
    file.write_text(file.read_text("utf-8") + f"model: {{prompts: [{pattern}]}}\n", "utf-8")
    assert any("prompts" in found.detail for found in read_programme(tmp_path, date(2024, 5, 6)).findings)


@pytest.mark.parametrize("declared", ["high", "true", "120%", "-5%", "[0.9]", "Learned"])
def test_what_is_no_confidence_is_refused_in_the_file(tmp_path: Path, declared: str) -> None:
    world(tmp_path)
    file = tmp_path / "workflows" / "payments.yaml"
    text = file.read_text("utf-8").replace("level: act", f"level: act, confidence: {declared}")
    file.write_text(text, "utf-8")
    found = read_programme(tmp_path, date(2024, 5, 6)).findings
    assert any("confidence" in one.detail for one in found), [one.detail for one in found]


@given(st.floats(0, 1), st.floats(0, 1))
def test_rounding_never_lets_anything_through(sure: float, needed: float) -> None:
    assert float(floored(sure)) <= sure
    assert float(raised(needed)) >= needed
    if confident(sure, needed):
        assert sure >= needed
    assert confident(sure, None)
    assert not confident(None, needed)
    assert not confident(sure, "learned")


def test_of_a_share_and_a_threshold_the_higher_one_holds() -> None:
    def needed(declared: object, chosen: float | None) -> object:
        return needed_confidence(Autonomy.model_validate({"confidence": declared}), chosen)

    assert [needed("80%", None), needed("80%", 0.7), needed("80%", 0.9)] == [0.8, 0.8, 0.9]
    assert [needed("learned", None), needed("learned", 0.2)] == ["learned", 0.2]
    assert needed_confidence(Autonomy(), 0.9) is None
    assert needed_confidence(None, 0.9) is None


@cache
def asking_policy() -> Policy:
    return asking(Path(tempfile.mkdtemp()), "80%", ", sources: required").policy


ANYTHING = st.none() | st.booleans() | st.floats() | st.integers() | st.text(max_size=3) | st.lists(st.integers())


@settings(max_examples=200, deadline=None)
@given(st.floats(0, 1) | ANYTHING, st.lists(st.text(max_size=3), max_size=3).map(tuple) | ANYTHING)
def test_only_a_confidence_that_is_enough_and_a_source_that_is_named_go_on_alone(sure: Any, sources: Any) -> None:
    verdict = asking_policy().judge(pay(confidence=sure, sources=sources))
    number = isinstance(sure, int | float) and not isinstance(sure, bool) and 0 <= sure <= 1
    listed = isinstance(sources, tuple | list) and all(isinstance(one, str) and one.strip() for one in sources)
    if verdict.decision == "allow":
        assert number
        assert sure >= 0.8
        assert listed
        assert sources
    elif verdict.decision == "hold":
        assert number or sure is None
        assert listed
