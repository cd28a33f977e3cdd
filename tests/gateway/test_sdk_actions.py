"""Functions that exist already, as declared actions: called by the gate with what was judged, or not at all."""

from __future__ import annotations

import asyncio
import math
from collections.abc import Callable, Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.gateway.doors import Clock, write
from tests.running import run_trueup
from trueup.kernel.errors import ConflictError, UsageError
from trueup.sdk import DeniedError, DoneBeforeError, HeldError, UnknownOutcomeError, Workflow, workflow


@pytest.fixture
def payments(tmp_path: Path) -> Iterator[Workflow]:
    with workflow(write(tmp_path), "payments", clock=Clock()) as opened:
        yield opened


@pytest.fixture
def paid() -> list[Any]:
    return []


@pytest.fixture
def pay(payments: Workflow, paid: list[Any]) -> Callable[..., Any]:
    @payments.action("pay")
    def pay(amount: Any, account: str = "GB-17", *notes: str, memo: str | None = None, **more: Any) -> str:
        """Pay."""
        paid.append((amount, account, notes, memo, more))
        return "paid"

    return pay


def test_an_amount_counts_by_position_and_by_keyword(pay: Callable[..., Any], paid: list[Any]) -> None:
    assert pay(120) == "paid"
    assert pay(amount=120) == "paid"
    assert paid == [(120, "GB-17", (), None, {})] * 2
    for args, more in (((501,), {}), ((), {"amount": 501}), ((501, "GB-18"), {})):
        with pytest.raises(DeniedError, match="at most 500"):
            pay(*args, **more)
    assert len(paid) == 2


@pytest.mark.parametrize(
    "amount",
    [
        None,
        "120",
        "",
        True,
        -1,
        -0.0001,
        math.nan,
        math.inf,
        2**53 + 1,
        0.1 + 0.2,
        [120],
        {"a": 1},
        Decimal(120),
        "\ud800",
    ],
)
def test_what_is_no_amount_never_counts_as_nothing(pay: Callable[..., Any], paid: list[Any], amount: Any) -> None:
    with pytest.raises(DeniedError) as denied:
        pay(amount)
    assert not str(denied.value).endswith("..")
    with pytest.raises(DeniedError):
        pay(amount=amount)
    assert paid == []


def test_a_missing_amount_is_the_callers_mistake(pay: Callable[..., Any], paid: list[Any]) -> None:
    with pytest.raises(TypeError, match="amount"):
        pay()
    assert paid == []


def test_every_kind_of_parameter_arrives_as_it_was_given(pay: Callable[..., Any], paid: list[Any]) -> None:
    pay(1, "GB-1", "x", "y", memo="m", extra=[1])
    assert paid == [(1, "GB-1", ("x", "y"), "m", {"extra": [1]})]


def test_the_function_gets_its_own_copy(payments: Workflow) -> None:
    @payments.action("add")
    def add(items: list[int]) -> None:
        items.append(2)

    mine = [1]
    add(mine)
    assert mine == [1]


def test_what_stands_apart_is_passed_on_unseen(payments: Workflow) -> None:
    class Bank:
        @payments.action("pay", apart=("self", "session"))
        def pay(self, session: object, amount: int) -> tuple[object, int]:
            return session, amount

    session = object()
    assert Bank().pay(session, 5) == (session, 5)


def test_a_held_call_goes_on_once_after_a_yes(payments: Workflow, tmp_path: Path) -> None:
    sent: list[str] = []

    @payments.action("mail")
    def mail(to: str) -> str:
        sent.append(to)
        return "sent"

    with payments.case("D-17", requester="clerk"):
        with pytest.raises(HeldError) as held:
            mail("a@test.example")
        with pytest.raises(HeldError) as again:
            mail(to="a@test.example")
        assert again.value.approval == held.value.approval
        own = run_trueup("approvals", "accept", tmp_path, held.value.approval, "--by", "clerk", "--json")
        assert own.error["code"] == "own-request"
    with pytest.raises(HeldError) as other:
        mail("a@test.example")
    assert other.value.approval != held.value.approval, "another case is another call"


def accepted(payments: Workflow, approval: str) -> None:
    from trueup.enforce.approvals import Ask

    gate = payments.gate()
    gate._current().desk.decide(Ask(approval, "accept", "lead"), gate.policy_in_force(), Clock().now(), lambda _: {})


def test_after_a_yes_the_same_call_runs_with_the_same_arguments(payments: Workflow) -> None:
    @payments.action("mail")
    def mail(to: str) -> str:
        return f"sent {to}"

    with pytest.raises(HeldError) as held:
        mail("a@test.example")
    accepted(payments, held.value.approval)
    assert mail("a@test.example") == "sent a@test.example"
    with pytest.raises(HeldError):
        mail("a@test.example")


def test_a_step_of_ones_own_runs_once(payments: Workflow) -> None:
    @payments.action("pay", step="{case}/{invoice}")
    def pay(amount: int, invoice: str) -> str:  # noqa: ARG001 -- judged, not used
        return "paid"

    with payments.case("D-17"):
        assert pay(5, "I-1") == "paid"
        with pytest.raises(DoneBeforeError):
            pay(5, "I-1")
        with pytest.raises(ConflictError, match="another request"):
            pay(6, "I-1")
        assert pay(5, "I-2") == "paid"


def test_an_exception_is_an_outcome_and_an_interruption_is_none(payments: Workflow) -> None:
    errors: list[BaseException] = [ValueError("no such account"), KeyboardInterrupt()]

    @payments.action("pay")
    def pay(amount: int) -> None:  # noqa: ARG001 -- judged, not used
        raise errors.pop(0)

    with pytest.raises(ValueError, match="no such account"):
        pay(5)
    with pytest.raises(KeyboardInterrupt):
        pay(5)
    with pytest.raises(UnknownOutcomeError):
        pay(5)
    assert errors == []


def test_an_async_function_is_awaited_behind_the_gate(payments: Workflow) -> None:
    @payments.action("pay")
    async def pay(amount: int) -> str:
        await asyncio.sleep(0)
        return f"paid {amount}"

    async def work() -> None:
        assert await pay(5) == "paid 5"
        with pytest.raises(DeniedError):
            await pay(amount=501)
        assert list(await asyncio.gather(pay(6), pay(7))) == ["paid 6", "paid 7"]

    asyncio.run(work())


def test_a_cancelled_call_is_unknown_and_settled_by_a_person(payments: Workflow, tmp_path: Path) -> None:
    async def work() -> None:
        begun = asyncio.Event()

        @payments.action("pay")
        async def pay(amount: int) -> None:  # noqa: ARG001 -- judged, not used
            begun.set()
            await asyncio.Event().wait()

        task = asyncio.create_task(pay(5))
        await begun.wait()
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        with pytest.raises(UnknownOutcomeError):
            await pay(5)

    asyncio.run(work())
    steps = run_trueup("approvals", "unknown", tmp_path, "--json").data["steps"]
    assert [(step["tool"], step["action"]) for step in steps] == [("pay", "pay")]
    settle = (
        "approvals",
        "settle",
        tmp_path,
        steps[0]["id"],
        "--happened",
        "no",
        "--because",
        "not in the bank",
        "--json",
    )
    assert run_trueup(*settle, "--by", "guest").error["code"] == "not-an-approver"
    assert run_trueup(*settle, "--by", "lead").data["happened"] is False
    assert run_trueup("approvals", "unknown", tmp_path, "--json").data["steps"] == []

    @payments.action("pay")
    def pay(amount: int) -> str:  # noqa: ARG001 -- judged, not used
        return "paid"

    assert pay(5) == "paid"


def test_a_function_that_acts_later_is_refused(payments: Workflow) -> None:
    with pytest.raises(UsageError, match="generator"):

        @payments.action("pay")
        def pay(amount: int) -> Iterator[int]:
            yield amount

    async def real(amount: int) -> int:
        return amount

    @payments.action("pay")
    def wrapped(amount: int) -> Any:
        return real(amount)

    with pytest.raises(TypeError, match="async function itself"):
        wrapped(5)


def test_an_action_that_nobody_declared_is_denied(payments: Workflow) -> None:
    @payments.action("refund")
    def refund() -> str:
        raise AssertionError("never called")

    with pytest.raises(DeniedError, match="declares no action"):
        refund()


def test_no_ledger_no_action(payments: Workflow, pay: Callable[..., Any], paid: list[Any], tmp_path: Path) -> None:
    pay(1)
    payments.close()
    (tmp_path / ".trueup" / "ledger.db").unlink()
    with pytest.raises(Exception, match="ledger"):
        pay(1)
    assert len(paid) == 1


def test_a_policy_file_that_cannot_be_read_denies_the_next_action(pay: Callable[..., Any], tmp_path: Path) -> None:
    assert pay(1) == "paid"
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "own.cedar").write_bytes(b"\xff")
    with pytest.raises(DeniedError):
        pay(2)
    (tmp_path / "policies" / "own.cedar").unlink()
    assert pay(2) == "paid"


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(st.characters(exclude_categories=()), max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=6,
)


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(json_values)
def test_nothing_passes_the_decorator_by_accident(pay: Callable[..., Any], paid: list[Any], amount: Any) -> None:
    before = len(paid)
    try:
        pay(amount)
    except DeniedError:
        assert len(paid) == before
    else:
        assert isinstance(amount, int | float)
        assert not isinstance(amount, bool)
        assert 0 <= amount <= 500
