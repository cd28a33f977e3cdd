"""Nothing passes the MCP door by accident: hostile bytes do not come in, hostile values are denied."""

from __future__ import annotations

import asyncio
import json
import math
import random
import tempfile
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from mcp import types
from mcp.server import Server as McpServer

from tests.gateway.doors import Bench, answer_of, bench
from trueup.connectors.mcp.upstream import Server
from trueup.connectors.mcp.wire import refusal_of

TEXT = st.text(st.characters(exclude_categories=["Cs"]), max_size=12)
LOOK_ALIKES = [
    "pay",
    "Pay",
    "pаy",
    "ｐay",
    "pay\u200b",
    " pay",
    "pay ",
    "pay\x00",
    "p\u0430y",
    "erp.pay",
    "add",
    "hidden",
    "",
]
VALUES = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**60), 2**60)
    | st.integers(-10, 510)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.decimals(0, 501, places=2).map(float)
    | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=8,
)
ARGUMENTS = st.dictionaries(st.sampled_from(["amount", "Amount", "ａmount", "amount ", "memo"]), VALUES, max_size=4)
MARKS = ["\u200b", "\u0301", "\u202e", "\ufe0f", "\u00ad", "ʏ", "а", "ａ", "А", "\ud800", "\x00", "\t", "%61"]
KEYS = ["amount"] * 8 + [
    "Amount",
    "ａmount",
    "amоunt",
    "amount ",
    "\\u0061mount",
    "amount\u200b",
    "account",
    "memo",
    "",
]
LITERALS = ["120", "500", "0", "499.9999", "1e2", "5.0", "0.1"] * 3 + [
    *("500.0001", "500.00001", "501", "-1", "-0", "-0.0", "1e3", "1e999", "-1e999", "NaN", "Infinity", "-Infinity"),
    *("9007199254740993", "1" * 400, "0x10", "01", "+1", ".5", "1_0", "null", "true", "[120]", '{"amount":1}', "{}"),
    *('"120"', '"1e2"', '""', '"\\ud800"', '"\\u0031"', "120.00000000000001", "1E-400", "1e-5", "\u0661"),
]


class Payments:
    """A real MCP server in this process that remembers what reached it."""

    def __init__(self) -> None:
        self.calls: list[tuple[str, Mapping[str, Any]]] = []
        self.server = McpServer[Any]("erp", on_list_tools=self._tools, on_call_tool=self._call)

    async def _tools(self, _: Any, __: Any) -> types.ListToolsResult:
        schema = {"type": "object"}
        return types.ListToolsResult(tools=[types.Tool(name=name, input_schema=schema) for name in ("pay", "hidden")])

    async def _call(self, _: Any, params: types.CallToolRequestParams) -> types.CallToolResult:
        self.calls.append((params.name, params.arguments or {}))
        return types.CallToolResult(content=[types.TextContent(type="text", text="paid")])


def fits(name: str, arguments: Mapping[str, Any]) -> bool:
    """Say, read a second time and another way, whether the declared rules let a call pass."""
    amount = arguments.get("amount")
    if name != "pay" or isinstance(amount, bool) or not isinstance(amount, int | float) or not math.isfinite(amount):
        return False
    exact = Decimal(repr(amount))
    plain = [key.strip().casefold().replace("ａ", "a") for key in arguments]
    whole = all(abs(number) <= 2**53 for number in integers(arguments))
    return 0 <= exact <= 500 and exact == round(exact, 4) and len(set(plain)) == len(plain) and whole


def integers(value: Any) -> list[int]:
    if isinstance(value, dict):
        return [number for item in value.values() for number in integers(item)]
    if isinstance(value, list):
        return [number for item in value for number in integers(item)]
    return [value] if isinstance(value, int) else []


def deep(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + max(map(deep, inner), default=0)


def once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    if len(dict(pairs)) < len(pairs):
        raise ValueError("a key stands twice")
    return dict(pairs)


def with_agent(work: Callable[[Bench, Any, Payments], Coroutine[Any, Any, None]]) -> None:
    """Run work with an agent behind a gateway, before a server of this process."""
    payments = Payments()
    root = Path(tempfile.mkdtemp())

    async def session(at: Bench) -> None:
        async with at.gateway.connected(), at.agent() as agent:
            await agent.list_tools()
            await work(at, agent, payments)

    # Without the daily sum, which would soon deny everything.
    from tests.gateway.doors import PROGRAMME, WORKFLOW

    (root / "workflows").mkdir()
    (root / "programme.yaml").write_text(PROGRAMME, "utf-8")
    plain = WORKFLOW.replace("PRE", "").replace(", per_day: 900", "")
    (root / "workflows" / "payments.yaml").write_text(plain, "utf-8")
    with bench(root, [Server("", inside=payments.server)]) as at:
        asyncio.run(session(at))


def fuzz(examples: int) -> None:
    loop_calls: list[tuple[str, dict[str, Any]]] = []

    @settings(max_examples=examples, deadline=None, database=None)
    @given(st.sampled_from(LOOK_ALIKES) | st.just("pay"), ARGUMENTS)
    @example("pay", {"amount": 120})
    @example("pay", {"amount": 2**53 + 1})
    @example("pay", {"amount": 0.1 + 0.2})
    @example("pay", {"amount": 1, "Amount": 400})
    @example("pay", {"amount": 1, "memo": [[[[0] * 50] * 2] * 2] * 2})
    def collect(name: str, arguments: dict[str, Any]) -> None:
        loop_calls.append((name, arguments))

    collect()

    async def work(_: Bench, agent: Any, payments: Payments) -> None:
        for name, arguments in loop_calls:
            before = len(payments.calls)
            answer = await agent.session.call_tool(name, arguments)
            reached = payments.calls[before:]
            assert bool(reached) == fits(name, arguments), (name, arguments)
            assert answer.is_error == (not reached)
            if reached:
                assert reached == [(name, arguments)], "what was judged is what arrives"

    with_agent(work)


def test_a_sample_of_hostile_calls_reaches_the_tool_only_where_the_rules_say_so() -> None:
    fuzz(80)


def hostile(chance: random.Random) -> bytes:
    """Return a call as bytes: readable in one way, in several, or not at all."""
    name = chance.choice(["pay"] * 6 + LOOK_ALIKES)
    if chance.random() < 0.2:
        at = chance.randrange(len(name) + 1)
        name = name[:at] + chance.choice(MARKS) + name[at + chance.randrange(2) :]
    members = [(chance.choice(KEYS), chance.choice(LITERALS)) for _ in range(chance.choice([1, 1, 1, 2, 3]))]
    depth = chance.choice([0] * 20 + [3, 29, 33, 200, 5000])
    if depth:
        members.append(("memo", "[" * depth + "]" * depth))
    if chance.random() < 0.01:
        members.append(("memo", json.dumps("x" * chance.choice([1000, 300_000, 1_100_000]))))
    arguments = ",".join(f'"{key}":{value}' for key, value in members)
    said = f'{{"name":{json.dumps(name, ensure_ascii=chance.random() < 0.5)},"arguments":{{{arguments}}}}}'.encode(
        "utf-8", "surrogatepass"
    )
    if chance.random() < 0.05:
        cut = chance.randrange(len(said))
        said = said[:cut] + chance.choice([b"", b"\xff", b"\x00", b",", b"}", b'"']) + said[cut + 1 :]
    return said


def door(messages: int, seed: int) -> None:
    """Send messages through the strict reading to the gate; what reaches the tool is what the rules let pass."""
    chance = random.Random(seed)
    seen = {"refused": 0, "denied": 0, "passed": 0}

    async def work(_: Bench, agent: Any, payments: Payments) -> None:
        for _turn in range(messages):
            message = hostile(chance)
            if refusal_of(message) is not None:
                seen["refused"] += 1
                continue
            read = json.loads(message, object_pairs_hook=once)
            if not isinstance(read, dict) or not isinstance(read.get("name"), str):
                continue
            if not isinstance(read.get("arguments"), dict):
                continue
            with suppress(ValueError, RecursionError):  # the client's own limit of what it sends
                await agent.session.call_tool(read["name"], read["arguments"])
            whole = len(message) < 200_000 and deep(read["arguments"]) <= 31
            assert bool(payments.calls) == (whole and fits(read["name"], read["arguments"])), message[:500]
            assert payments.calls in ([], [(read["name"], read["arguments"])]), "what was judged is what arrives"
            seen["passed" if payments.calls else "denied"] += 1
            payments.calls.clear()

    with_agent(work)
    assert min(seen.values()) > messages // 50, f"every kind was tried: {seen}"


def test_a_sample_of_hostile_messages_passes_only_where_the_rules_say_so() -> None:
    door(200, seed=1)


@pytest.mark.long
def test_a_hundred_thousand_hostile_messages_pass_only_where_the_rules_say_so() -> None:
    door(100_000, seed=2)


@settings(max_examples=300, deadline=None)
@given(st.binary(max_size=100) | VALUES.map(lambda value: json.dumps(value).encode()))
@example(b'{"jsonrpc":"2.0","id":1,"id":2,"method":"tools/call"}')
@example(b'{"a":1,"\\u0061":2}')
@example(b'{"a":NaN}')
@example(b'{"a":-Infinity}')
@example(b'{"a":1e999}')
@example(b'{"a":9007199254740993}')
@example(b'"\\ud800"')
@example(b"[" * 100_000)
@example(b"9" * 10_000)
@example(b"\xff\xfe{}")
@example(b"\xef\xbb\xbf{}")
def test_bytes_that_readers_could_take_differently_are_refused(data: bytes) -> None:
    try:
        read = json.loads(data.decode("utf-8"), object_pairs_hook=once)
        json.dumps(read, allow_nan=False, ensure_ascii=False).encode()
        plain = all(abs(number) <= 2**53 for number in integers(read))
    except (ValueError, RecursionError):
        plain = False
    if not plain:
        assert refusal_of(data) is not None


def test_deep_and_huge_arguments_are_denied() -> None:
    deep: Any = 0
    for _ in range(40):
        deep = [deep]

    async def work(_: Bench, agent: Any, payments: Payments) -> None:
        for memo in (deep, "x" * 300_000, ["x"] * 200_000):
            answer = await agent.session.call_tool("pay", {"amount": 1, "memo": memo})
            assert answer_of(answer)["verdict"] == "deny"
        assert payments.calls == []

    with_agent(work)


def test_where_the_ledger_cannot_be_written_nothing_reaches_the_tool(monkeypatch: pytest.MonkeyPatch) -> None:
    from trueup.kernel.errors import StorageError
    from trueup.ledger.log import Ledger

    def full(*_: Any, **__: Any) -> list[int]:
        raise StorageError("cannot-write", "The disk is full.")

    async def work(_: Bench, agent: Any, payments: Payments) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Ledger, "append", full)
            answer = await agent.session.call_tool("pay", {"amount": 1})
        assert (answer.is_error, payments.calls) == (True, [])
        assert "full" in answer.content[0].text

    with_agent(work)


@pytest.mark.parametrize("where", ["judge", "_standing"])
def test_a_gate_that_fails_lets_nothing_through(where: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from trueup.enforce.acting.judge import Judge
    from trueup.enforce.policy import Policy

    def broken(*_: Any, **__: Any) -> Any:
        raise RuntimeError("broken")

    async def work(_: Bench, agent: Any, payments: Payments) -> None:
        with monkeypatch.context() as patch:
            patch.setattr(Policy if where == "judge" else Judge, where, broken)
            try:
                answer = await agent.session.call_tool("pay", {"amount": 1})
            except Exception:  # noqa: BLE001 -- an error is as good as a no
                answer = None
        assert answer is None or answer.is_error
        assert payments.calls == []

    with_agent(work)
