"""What a program does to a gate when whoever wrote it knew nothing but the guide: each mistake is told, none acts."""

from __future__ import annotations

import shlex
import subprocess
import sys
from collections.abc import Iterator
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.doors import Clock, write
from tests.running import run_trueup
from trueup.kernel.errors import TrueupError, UsageError
from trueup.sdk import DeniedError, HeldError, Workflow, workflow
from trueup.workspace import reading_ledger

# As in the documentation: a workflow of the module, that nobody closes.
PROGRAM = """\
from trueup.sdk import workflow

payments = workflow({root!r}, "payments")


@payments.action("pay")
def pay(amount: int) -> str:
    return "paid"


print(pay(5))
"""

# Nobody holds the workflow here, only what was asked of it.
PROGRAM_WITH_A_GATE = """\
import gc

from trueup.enforce.request import Request
from trueup.sdk import workflow

gate = workflow({root!r}, "payments").gate()
gc.collect()
print(gate.call(Request("pay", {{"amount": 5}}), "S-1", lambda _: "paid").result)
"""


@pytest.fixture
def payments(tmp_path: Path) -> Iterator[Workflow]:
    with workflow(write(tmp_path), "payments", clock=Clock()) as opened:
        yield opened


@pytest.mark.parametrize("program", [PROGRAM, PROGRAM_WITH_A_GATE])
def test_a_program_that_closes_nothing_ends_in_silence_with_its_record_signed(program: str, tmp_path: Path) -> None:
    root = write(tmp_path / "programme")
    (tmp_path / "program.py").write_text(program.format(root=str(root)), "utf-8")
    ran = subprocess.run(
        [sys.executable, str(tmp_path / "program.py")], capture_output=True, text=True, check=False, timeout=60
    )
    assert (ran.returncode, ran.stdout, ran.stderr) == (0, "paid\n", "")
    with reading_ledger(root) as ledger:
        checkpoint = ledger.checkpoint()
        assert checkpoint is not None
        assert int(checkpoint.splitlines()[1]) == ledger.size() > 2, "the last entry is under a signed state"


def test_a_step_made_of_a_case_is_no_step_without_one(payments: Workflow) -> None:
    paid: list[Any] = []

    @payments.action("pay", step="{case}/{account}")
    def pay(amount: int, account: str) -> None:
        paid.append((amount, account))

    with pytest.raises(UsageError, match="made of a case, and there is none") as refused:
        pay(5, "GB-17")
    assert "payments.case('CASE')" in refused.value.hint
    with payments.case("D-17"):
        pay(5, "GB-17")
    assert paid == [(5, "GB-17")]


@pytest.mark.parametrize(
    "step", ["{case}/{acount}", "{}", "{0}", "{case", "{account.name", "{case}/{more[acount]}", "{amount:{width}}"]
)
def test_a_step_that_no_call_can_fill_in_is_refused_before_there_is_a_call(payments: Workflow, step: str) -> None:
    with pytest.raises(UsageError) as refused:

        @payments.action("pay", step=step)
        def pay(amount: int, account: str) -> None:
            raise AssertionError((amount, account))

    assert refused.value.code in {"unreadable-step", "step-of-nothing"}
    assert refused.value.hint


@pytest.mark.parametrize("step", ["{account.name}", "{account[x]}", "{amount:%Y}", "{account:d}"])
def test_a_step_that_these_arguments_cannot_fill_in_is_told_and_nothing_runs(payments: Workflow, step: str) -> None:
    @payments.action("pay", step=step)
    def pay(amount: int, account: str) -> None:
        raise AssertionError((amount, account))

    with pytest.raises(UsageError, match="cannot be filled in") as refused:
        pay(5, "GB-17")
    assert refused.value.code == "step-of-nothing"


def test_a_step_of_open_arguments_is_looked_at_when_they_are_there(payments: Workflow) -> None:
    @payments.action("pay", step="{case}/{account}")
    def pay(amount: int, **more: str) -> str:
        return f"{amount} {more['account']}"

    with payments.case("D-17"):
        assert pay(5, account="GB-17") == "5 GB-17"
        with pytest.raises(UsageError, match="'account', which is no argument"):
            pay(5, acount="GB-17")


def test_a_denial_says_what_to_do_where_there_is_something(payments: Workflow) -> None:
    @payments.action("pay", step="{case}")
    def pay(amount: object) -> None:
        raise AssertionError(amount)

    @payments.action("refund")
    def refund() -> None:
        raise AssertionError

    def denied(call: Any, case: str) -> TrueupError:
        with payments.case(case), pytest.raises(DeniedError) as error:
            call()
        return error.value

    decimal = denied(lambda: pay(Decimal(5)), "A")
    assert "Decimal is not a JSON type" in decimal.message
    assert "int or float" in decimal.hint
    assert "declare it under `actions`" in denied(refund, "B").hint
    denied(lambda: pay(501), "C")
    again = denied(lambda: pay(501), "C")
    assert "step 'pay/C' was denied before" in again.message
    assert "another step" in again.hint


def test_what_is_held_is_found_by_the_command_that_stands_there(payments: Workflow, tmp_path: Path) -> None:
    @payments.action("mail")
    def mail(to: str) -> None:
        raise AssertionError(to)

    with pytest.raises(HeldError) as held:
        mail("jo")
    command = shlex.split(held.value.hint.splitlines()[-1])
    assert command == ["trueup", "approvals", "show", str(tmp_path), held.value.approval]
    shown = run_trueup(*command[1:], "--as-of", "2024-05-06T13:00:00Z")
    assert (shown.exit_code, '"to": "jo"' in shown.out) == (0, True)
