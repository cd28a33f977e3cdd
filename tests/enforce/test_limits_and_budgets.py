"""Limits by window, by case and by sum, and budgets: reserved at the intent, counted from the ledger."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.enforce.governed import World, pay, world
from trueup.enforce.approvals import Ask
from trueup.enforce.limits import units_of
from trueup.enforce.request import Request
from trueup.enforce.verdict import Verdict

LIMITED = "  pay: {{tool: erp.pay, impact: medium, approval: never, costs: 0.25, limits: {}}}\n"


def limited(root: Path, limits: str, level: str = "approve", more: str = "") -> World:
    return world(root, level, LIMITED.format(limits) + more)


def states(at: World, *requests: Request) -> list[str]:
    done = sum(1 for _ in at.ledger.entries("action.intended"))
    return [str(at.gate(f"p{n}").call(asked, f"s{done + n}", at.tool).state) for n, asked in enumerate(requests)]


@pytest.mark.parametrize(
    ("window", "later"),
    [
        ("per_minute", {"minutes": 1}),
        ("per_hour", {"hours": 1}),
        ("per_day", {"days": 1}),
        ("per_week", {"days": 7}),
        ("per_month", {"days": 31}),
    ],
)
def test_a_window_fills_and_the_next_one_is_empty(tmp_path: Path, window: str, later: dict[str, int]) -> None:
    at = limited(tmp_path, f"{{{window}: 2}}")
    assert states(at, pay(), pay(), pay()) == ["done", "done", "denied"]
    assert at.last("action.judged").data["decisive"] == f"payments.pay.limits.{window}"
    at.clock.move(**later)
    assert states(at, pay()) == ["done"]


@pytest.mark.parametrize("limits", ["{per_day: 2}", "{per_minute: 2}", "{amount: {per_week: 240}}"])
def test_a_clock_that_is_moved_back_opens_no_window_anew(tmp_path: Path, limits: str) -> None:
    at = limited(tmp_path, limits)
    assert states(at, pay(), pay(), pay()) == ["done", "done", "denied"]
    at.clock.move(days=-8)
    assert states(at, pay()) == ["denied"]
    at.clock.move(days=16)
    assert states(at, pay(), pay(), pay()) == ["done", "done", "denied"]


def test_a_case_has_its_own_window_and_no_case_has_none(tmp_path: Path) -> None:
    at = limited(tmp_path, "{per_case: 1}")
    assert states(at, pay(case="a"), pay(case="a"), pay(case="b"), pay()) == ["done", "denied", "done", "denied"]


def test_a_sum_is_exact_and_takes_what_is_left(tmp_path: Path) -> None:
    at = limited(tmp_path, "{amount: {at_most: 500, per_day: 0.3}}")
    assert states(at, *[pay(0.1)] * 4) == ["done", "done", "done", "denied"]
    at = limited(tmp_path / "more", "{amount: {per_day: 100}}")
    assert states(at, pay(60), pay(60), pay(40), pay(0.0001)) == ["done", "denied", "done", "denied"]


@pytest.mark.parametrize("arguments", [{}, {"amount": None}, {"amount": "5"}, {"amount": -5}, {"amount": True}])
def test_what_is_no_amount_takes_nothing_and_passes_nothing(tmp_path: Path, arguments: dict[str, Any]) -> None:
    at = limited(tmp_path, "{amount: {per_day: 100}}")
    assert states(at, Request("erp.pay", arguments), pay(100)) == ["denied", "done"]


def test_costs_add_up_to_a_budget_over_actions(tmp_path: Path) -> None:
    more = "  note: {tool: erp.note, impact: low, approval: never, costs: 0.5}\nbudget: {per_day: 1}\n"
    at = limited(tmp_path, "{budget: {per_month: 0.5}}", more=more)
    note = Request("erp.note")
    assert states(at, pay(), note, pay(), note, pay()) == ["done", "done", "done", "denied", "denied"]


def test_an_action_without_costs_does_not_pass_a_budget(tmp_path: Path) -> None:
    more = "  note: {tool: erp.note, impact: low, approval: never}\n  look: {tool: erp.look, impact: none}\n"
    at = limited(tmp_path, "{}", more=more + "budget: {per_day: 1}\n")
    assert states(at, Request("erp.note"), Request("erp.look"), pay()) == ["denied", "done", "done"]


def test_two_that_reserve_at_once_do_not_both_fit_a_sum(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    from trueup.enforce.policy import Policy

    at = limited(tmp_path, "{amount: {per_day: 100}}")
    original = Policy.judge
    nested: list[Any] = []

    def judge(self: Policy, request: Request, **more: Any) -> Verdict:
        if not nested:
            nested.append(None)
            nested[0] = at.gate("two").call(pay(60), "second", at.tool)
        return original(self, request, **more)

    monkeypatch.setattr(Policy, "judge", judge)
    first = at.gate("one").call(pay(60), "first", at.tool)
    assert (str(first.state), str(nested[0].state)) == ("denied", "done")


def test_what_a_person_edited_counts_and_a_no_gives_it_back(tmp_path: Path) -> None:
    at = world(tmp_path, "approve", LIMITED.replace("never", "always").format("{amount: {per_day: 100}}"))
    held = [at.gate().call(pay(40), f"h{n}", at.tool).approval for n in range(2)]

    def decide(n: int, how: str, arguments: dict[str, Any] | None = None) -> None:
        at.desk.decide(Ask(str(held[n]), how, "lead", arguments), at.policy, at.clock.now(), lambda _: {})

    decide(0, "edit", {"amount": 60})
    assert at.gate().resume(str(held[0]), at.tool).state == "done"
    assert at.gate().call(pay(1), "full", at.tool).state == "denied"
    decide(1, "reject")
    assert at.gate().call(pay(40), "room", at.tool).state == "held"
    assert at.gate().call(pay(1), "full again", at.tool).state == "denied"


def test_an_edit_beyond_what_is_left_does_not_run(tmp_path: Path) -> None:
    at = world(tmp_path, "approve", LIMITED.replace("never", "always").format("{amount: {per_day: 100}}"))
    held = at.gate().call(pay(40), "one", at.tool).approval
    at.gate().call(pay(50), "two", at.tool)
    at.desk.decide(Ask(str(held), "edit", "lead", {"amount": 90}), at.policy, at.clock.now(), lambda _: {})
    outcome = at.gate().resume(str(held), at.tool)
    assert outcome.verdict is not None
    assert (outcome.state, outcome.verdict.decisive) == ("denied", "payments.pay.limits.amount.per_day")
    assert at.tool.calls == []


@pytest.mark.parametrize(
    ("value", "units"),
    [("120.0000", 1_200_000), (-0.5, -5000), (3, 30_000), ("x", None), (None, None), (0.00001, None)],
)
def test_numbers_in_ten_thousandths(value: object, units: int | None) -> None:
    assert units_of(value) == units
