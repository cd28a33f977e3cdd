"""The confidence that is enough: chosen on what people found at levels where they looked at everything, then kept."""

from __future__ import annotations

import random
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.doors import Clock, write
from tests.running import Ran, run_trueup
from trueup.enforce.approvals import Ask
from trueup.enforce.autonomy.rung import policy_in_force
from trueup.enforce.request import Request
from trueup.evidence.risk.thresholds import chosen_threshold
from trueup.kernel.canonical import Json
from trueup.kernel.progress import silent
from trueup.ledger.entry import Entry
from trueup.loop.autonomy.evidence import standing_of
from trueup.loop.autonomy.threshold import _before
from trueup.sdk import governed
from trueup.workspace import approval_desk, opened

WORKFLOW = """\
workflow: Payments
owners: {business: owner, escalation: chief}
autonomy: {level: draft, may_reach: act, wrong_at_most: 10%, sure: 90%, confidence: learned}
actions:
  pay: {tool: pay, impact: medium, approval: until-act, approvers: [lead]}
"""
AT = Clock().at + timedelta(days=1)
AS_OF = AT.date().isoformat()


def programme(root: Path) -> Path:
    write(root, workflow=WORKFLOW)
    file = root / "programme.yaml"
    file.write_text(file.read_text("utf-8") + "sponsor: chief\n", "utf-8")
    with governed(root, "payments", clock=Clock()) as gate:
        # The first action notes what acts: from then on outcomes are of that.
        gate.call(Request("pay", {"amount": 0}, case="first"), "first", lambda _: "done")
    return root


def cases(n: int, seed: int = 1) -> list[tuple[float, bool]]:
    """Confidences, and whether each answer is wrong: the surer, the rarer."""
    chance = random.Random(seed)
    drawn = [round(chance.random(), 3) for _ in range(n)]
    return [(sure, chance.random() < (1 - sure) / 2) for sure in drawn]


def reviewed(root: Path, found: list[tuple[float, bool]], *, blind: bool = False) -> None:
    with opened(root, silent, write=True) as bench:
        first = bench.ledger.size()
        entries = []
        for n, (sure, wrong) in enumerate(found, first):
            data: dict[str, Json] = {"workflow": "payments", "case": f"c{n}", "wrong": wrong, "share": 1.0}
            entries.append(
                Entry(
                    "outcome.reviewed",
                    f"outcome/payments/{n}",
                    Clock().at + timedelta(minutes=n),
                    "clerk",
                    {**data, "blind": blind, "confidence": sure},
                )
            )
        bench.ledger.append(entries)


def threshold(root: Path, *more: str) -> Ran:
    return run_trueup("autonomy", "threshold", root, "payments", "--as-of", AS_OF, *more, "--json")


def paid(root: Path, case: str, sure: float | None) -> Any:
    with governed(root, "payments", clock=Clock()) as gate:
        return gate.call(Request("pay", {"amount": 1}, case=case, confidence=sure), case, lambda _: "done").state


def test_the_threshold_is_that_of_learn_then_test_and_says_what_it_automates(tmp_path: Path, repository: Path) -> None:
    root, found = programme(tmp_path), cases(600)
    reviewed(root, found)
    expected = chosen_threshold([sure for sure, _ in found], [float(wrong) for _, wrong in found], 0.1, 0.1)
    assert expected is not None
    said = threshold(root).data
    assert (said["reviewed"], said["needed"], said["in_force"], said["because"]) == (600, 22, None, None)
    assert said["threshold"] == {
        "at": expected.at,
        "automated": expected.share,
        "accepted": expected.accepted,
        "wrong": expected.wrong,
        "p_value": expected.p_value,
    }
    text = run_trueup("autonomy", "threshold", root, "payments", "--as-of", AS_OF).out
    assert f"{expected.share:.1%}, {expected.accepted} of 600 reviewed" in text
    assert "at most 10% wrong, 90% sure" in text
    assert "threshold.chosen" not in types(root), "without --register nothing is recorded"
    page = (repository / "docs" / "concepts" / "autonomy.md").read_text("utf-8")
    assert text.partition("\n\n")[0] in page, text


def test_only_who_may_give_more_autonomy_registers_it_and_from_then_on_it_holds(tmp_path: Path) -> None:
    root = programme(tmp_path)
    reviewed(root, cases(300))
    assert threshold(root, "--register").error["code"] == "option-missing"
    assert threshold(root, "--register", "--by", "clerk").error["code"] == "may-not-sign"
    assert threshold(root, "--register", "--by", "owner").error["code"] == "may-not-sign"
    said = threshold(root, "--register", "--by", "chief").data
    at = said["threshold"]["at"]
    entry = run_trueup("ledger", "entry", root, str(said["entry"]), "--json").data["entry"]
    assert (entry["type"], entry["by"], entry["data"]["at"], entry["data"]["seen"]) == (
        "threshold.chosen",
        "chief",
        at,
        300,
    )
    assert threshold(root).data["in_force"] == at
    file = root / "workflows" / "payments.yaml"
    # At `act`, whose file and ledger agree, what is sure enough goes on alone.
    file.write_text(file.read_text("utf-8").replace("level: draft", "level: act"), "utf-8")
    promote(root)
    assert [str(paid(root, f"n{n}", sure)) for n, sure in enumerate((at, 1.0, at - 0.001, None))] == [
        "done",
        "done",
        "held",
        "held",
    ]


def promote(root: Path) -> None:
    """Sign the level act."""
    data: dict[str, Json] = {
        "kind": "autonomy",
        "subject": "payments",
        "decision": "applied",
        "outcome": "act",
        "because": "shown",
    }
    with opened(root, silent, write=True) as bench:
        bench.ledger.append([Entry("change.decided", "change/promoted", AT, "chief", data)])


def types(root: Path) -> list[str]:
    with opened(root, silent) as bench:
        return [item.entry.type for item in bench.ledger.entries()]


def test_a_higher_level_is_earned_at_the_threshold_on_later_cases(tmp_path: Path) -> None:
    root = programme(tmp_path)
    reviewed(root, cases(300))
    at = threshold(root, "--register", "--by", "chief").data["threshold"]["at"]
    fresh = cases(100, seed=2)
    reviewed(root, fresh)
    with opened(root, silent) as bench:
        standing = standing_of(bench, "payments", AT + timedelta(days=1))
    assert standing is not None
    counted = [wrong for sure, wrong in fresh if sure >= at]
    assert (standing.evidence.reviewed, standing.evidence.wrong) == (len(counted), sum(counted))
    assert standing.inputs()["confidence needed"] == at


def test_too_little_and_too_much_wrong_choose_nothing(tmp_path: Path) -> None:
    root = programme(tmp_path)
    reviewed(root, [(0.99, False)] * 21)
    few = threshold(root).data
    assert few["threshold"] is None
    assert few["because"] == ("21 outcomes with a confidence were reviewed, and with none of them wrong 22 are needed")
    assert "no threshold" in run_trueup("autonomy", "threshold", root, "payments", "--as-of", AS_OF).out
    refused = threshold(root, "--register", "--by", "chief").error
    assert refused["code"] == "nothing-shown"
    reviewed(root, [(0.99, True)] * 60)
    assert "too many are wrong" in threshold(root).data["because"]
    # With no threshold nothing can be shown for a higher level either.
    with opened(root, silent) as bench:
        standing = standing_of(bench, "payments", AT)
    assert standing is not None
    assert (standing.evidence.reviewed, standing.needed) == (0, "learned")


def test_what_was_selected_or_is_of_another_model_is_not_chosen_on(tmp_path: Path) -> None:
    root = programme(tmp_path)
    reviewed(root, cases(260))
    reviewed(root, cases(40, seed=3), blind=True)
    promote(root)
    reviewed(root, cases(40))
    assert threshold(root).data["reviewed"] == 300, "with no threshold everything waits, at whatever level"
    assert threshold(root, "--register", "--by", "chief").data["reviewed"] == 300
    reviewed(root, cases(40, seed=4))
    assert threshold(root).data["reviewed"] == 300, "from then on the surest are not looked at by a person"
    file = root / "workflows" / "payments.yaml"
    file.write_text(file.read_text("utf-8") + "model: {name: another}\n", "utf-8")
    assert threshold(root).data["reviewed"] == 0


def test_the_decisions_of_approvers_are_what_it_is_chosen_on(tmp_path: Path) -> None:
    root = programme(tmp_path)
    with governed(root, "payments", clock=Clock()) as gate:
        held = [
            gate.call(Request("pay", {"amount": n}, case=f"a{n}", confidence=sure), f"a{n}", lambda _: "done").approval
            for n, sure in enumerate((0.9, 0.4, None))
        ]
    with opened(root, silent, write=True) as bench:
        desk, policy = approval_desk(bench), policy_in_force(bench.programme, "payments", bench.ledger)
        for approval, decision in zip(held, ("accept", "reject", "accept"), strict=True):
            desk.decide(Ask(str(approval), decision, "lead"), policy, Clock().at, lambda _: {})
        found, _ = _before(bench, "payments", AT)
    assert [(one.confidence, one.wrong) for one in found] == [(0.9, False), (0.4, True)]


@pytest.mark.parametrize(("workflow", "code"), [("nowhere", "no-such-workflow"), ("payments", "no-limit")])
def test_a_limit_has_to_be_promised(tmp_path: Path, workflow: str, code: str) -> None:
    root = write(tmp_path)
    assert run_trueup("autonomy", "threshold", root, workflow, "--json").error["code"] == code


@pytest.mark.parametrize("bad", ["-0.1", "1.01", "nan"])
def test_an_outcome_carries_a_confidence_that_is_one(tmp_path: Path, bad: str) -> None:
    root = programme(tmp_path)
    outcome = ("record", root, "outcome", "--workflow", "payments", "--by", "clerk", "--right", "--as-of", AS_OF)
    assert run_trueup(*outcome, "--case", "x", "--confidence", bad, "--json").error["code"] == "bad-confidence"
    assert run_trueup(*outcome, "--case", "x", "--confidence", "0.75", "--json").data["data"]["confidence"] == 0.75
    assert threshold(root).data["reviewed"] == 1
