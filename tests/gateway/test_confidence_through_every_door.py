"""How sure the model is comes in through each door, and each holds what is not sure enough, or says nothing usable."""

from __future__ import annotations

import asyncio
import math
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.doors import WORKFLOW, Bench, Clock, answer_of, bench, write
from trueup.connectors.mcp.answers import CONFIDENCE, SOURCES
from trueup.sdk import DeniedError, HeldError, workflow

ASKING = WORKFLOW.replace("{level: approve}", "{level: approve, confidence: 80%, sources: required}")
BOTH = pytest.mark.parametrize("mode", ["auto", "legacy"])


def test_a_function_acts_within_what_its_program_says_of_the_answer(tmp_path: Path) -> None:
    write(tmp_path, workflow=ASKING)
    paid: list[int] = []
    with workflow(tmp_path, "payments", clock=Clock()) as payments:

        @payments.action("pay")
        def pay(amount: int) -> int:
            paid.append(amount)
            return amount

        @payments.action("pay")
        async def paid_later(amount: int) -> int:
            paid.append(amount)
            return amount

        with payments.case("c-1"), payments.answer(confidence=0.91, sources=("rules/7",)):
            assert pay(1) == 1
            assert asyncio.run(paid_later(2)) == 2
        with payments.case("c-2"):
            with pytest.raises(HeldError):
                pay(3)
            with payments.answer(confidence=0.5, sources=("rules/7",)), pytest.raises(HeldError):
                pay(4)
            with payments.answer(confidence=0.9), pytest.raises(HeldError):
                pay(5)
            unusable: tuple[Any, ...] = (math.nan, "0.9", True, 1.1, -0.1)
            for bad in unusable:
                with payments.answer(confidence=bad, sources=("rules/7",)), pytest.raises(DeniedError):
                    pay(6)
            # The same call is the same step: a higher confidence does not get it past the person who is asked.
            with payments.answer(confidence=1.0, sources=("rules/7",)), pytest.raises(HeldError):
                pay(3)
    assert paid == [1, 2]


@BOTH
def test_an_agent_says_so_beside_its_call(tmp_path: Path, mode: str) -> None:
    async def session(at: Bench) -> None:
        async with at.gateway.connected(), at.agent(mode) as agent:

            async def pay(amount: int, **said: Any) -> Any:
                meta: Any = {{"sure": CONFIDENCE, "rests": SOURCES}[key]: value for key, value in said.items()}
                return await agent.call_tool("pay", {"amount": amount}, meta=meta)

            assert not (await pay(1, sure=0.85, rests=["rules/7"])).is_error
            assert answer_of(await pay(2))["verdict"] == "hold"
            assert answer_of(await pay(3, sure=0.79, rests=["rules/7"]))["verdict"] == "hold"
            assert answer_of(await pay(4, sure=0.85))["verdict"] == "hold"
            said: Any
            for said in ("0.85", True, 1.01, -1, [0.9], {"sure": 1})[: None if mode == "auto" else 1]:
                refused = answer_of(await pay(5, sure=said, rests=["rules/7"]))
                assert (refused["verdict"], refused["decisive"]) == ("deny", "request.bad-confidence"), said
            for said in ("rules/7", [7], {"rules": 7}, 7, [""])[: None if mode == "auto" else 1]:
                assert answer_of(await pay(6, sure=0.9, rests=said))["verdict"] == "deny", said

    write(tmp_path, workflow=ASKING)
    with bench(tmp_path) as at:
        asyncio.run(session(at))
        assert at.paid() == ["pay:1:GB-17:None"]
        asked = [(one.get("confidence"), one.get("sources")) for one in at.entries("action.intended")[:4]]
        assert asked == [(0.85, ["rules/7"]), (None, None), (0.79, ["rules/7"]), (0.85, None)]
