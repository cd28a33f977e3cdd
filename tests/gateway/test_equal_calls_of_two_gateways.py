"""Equal calls, in one process and in two: each of them is done once, and what nobody knows is not done again."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator, Mapping
from contextlib import ExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.doors import Clock, write
from trueup.enforce.gate import UncertainError
from trueup.enforce.request import Request
from trueup.enforce.steps import State
from trueup.sdk import GovernedWorkflow, governed


@dataclass
class Two:
    """Two gates over one ledger, as two gateways have them, and what was done through each."""

    gates: list[GovernedWorkflow]
    done: list[str] = field(default_factory=list)
    steps: list[str] = field(default_factory=list)

    def call(self, which: int, how: str = "done", **arguments: Any) -> State | None:
        """Make a call through a gate; return how it ended, as its caller is told."""

        async def run(final: Mapping[str, Any]) -> dict[str, Any]:
            self.done.append(f"{which}:{final['amount']}")
            if how == "unknown":
                raise UncertainError("no answer came")
            if how == "failed":
                raise ValueError("no such account")
            return {"paid": final["amount"]}

        taken = asyncio.run(self.gates[which].take_async(lambda: Request("pay", {"amount": 5, **arguments}), run))
        self.steps.append(taken.turn.step.rpartition("/")[2])
        return taken.outcome.state if taken.outcome else taken.turn.state


@pytest.fixture
def two(tmp_path: Path) -> Iterator[Two]:
    write(tmp_path)
    with ExitStack() as stack:
        yield Two([stack.enter_context(governed(tmp_path, "payments", clock=Clock())) for _ in range(2)])


def test_each_of_many_equal_calls_is_a_step_of_its_own_whoever_makes_it(two: Two) -> None:
    made = [0, 0, 1, 1, 0, 1, 0, 0, 0, 1]
    assert [two.call(which) for which in made] == [State.DONE] * 10
    assert two.done == [f"{which}:5" for which in made]
    assert two.steps == [str(n) for n in range(10)]


def test_what_another_gateway_left_unknown_is_not_done_again(two: Two) -> None:
    assert [two.call(0), two.call(0)] == [State.DONE, State.DONE]
    assert two.call(1, "unknown") is None
    assert [two.call(0), two.call(1)] == [State.UNKNOWN, State.UNKNOWN]
    assert len(two.done) == 3, "the one after that which ended here was begun there"
    assert two.call(0, amount=6) is State.DONE, "another call is no repetition of it"


@pytest.mark.parametrize("how", ["failed", "denied"])
def test_after_a_failure_or_a_no_the_same_call_is_another_one(two: Two, how: str) -> None:
    arguments = {"amount": 501} if how == "denied" else {}
    for _ in range(3):
        two.call(0, how, **arguments)
        two.call(1, how, **arguments)
    assert two.steps == [str(n) for n in range(6)]
    assert len(two.done) == (0 if how == "denied" else 6)
