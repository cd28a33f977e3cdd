"""Functions behind the gate, called with whatever there is: they run where the rule says so, and with just that."""

from __future__ import annotations

import math
import random
import threading
import unicodedata
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from decimal import Decimal
from enum import IntEnum, StrEnum
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.doors import Clock, write
from trueup.kernel.errors import TrueupError
from trueup.sdk import Workflow, workflow

ACTIONS = """\
workflow: Payments
autonomy: {level: act}
actions:
  pay: {tool: pay, impact: medium, approval: never, limits: {amount: {at_most: 500}}}
"""
THREADS = 8
LONGEST = 300_000


class Small(IntEnum):
    """A number that is more than a number."""

    ONE = 1


class Word(StrEnum):
    """A text that is more than a text."""

    YES = "yes"


def nested(depth: int) -> Any:
    found: Any = 0
    for _ in range(depth):
        found = [found]
    return found


NUMBERS: tuple[Any, ...] = (0, 1, 120, 500, 500.0, 0.1, 499.9999, 500.0001, 499.99999, 501, -1, -0.0, 1e-9, 5e-324)
ODD: tuple[Any, ...] = (
    *(2**53, 2**53 + 1, -(2**63), 10**400, 1e308, math.nan, math.inf, -math.inf, True, False, None),
    *("", "120", "٣", "1e3", "0x10", "\ud800", "\x00", "a\u0301", "\u00e1", "x" * LONGEST, "амоunt"),
    *([], {}, (1,), {1: 2}, {"a": 1, "A": 2}, {"a": 1, "а": 2}, {"\ud800": 1}, nested(20), nested(40), [1] * 3),
    *(Decimal(5), b"5", object(), {1, 2}, 5j, Small.ONE, Word.YES, range(3), ["x"] * LONGEST),
)
NAMES = (
    "memo",
    "Amount",
    "AMOUNT",
    "amount ",
    " amount",
    "аmount",
    "ａmount",
    "amo\u0301unt",
    "",
    "tool",
    "\ud800",
    "x",
)


@pytest.fixture
def payments(tmp_path: Path) -> Iterator[Workflow]:
    with workflow(write(tmp_path, workflow=ACTIONS), "payments", clock=Clock()) as opened:
        yield opened


def a_value(chance: random.Random) -> Any:
    kind = chance.random()
    if kind < 0.45:
        return chance.choice(NUMBERS)
    if kind < 0.6:
        return round(chance.uniform(-10, 510), chance.randrange(8))
    # What is large is drawn seldom: it costs a thousand times what the others do.
    return chance.choice(ODD if chance.random() < 0.05 else [one for one in ODD if not is_large(one)])


def is_large(value: Any) -> bool:
    return isinstance(value, str | list) and len(value) >= LONGEST


def is_plain(value: Any) -> bool:
    """Tell whether a value is JSON that means one thing, written without the program's own code."""
    if isinstance(value, str):
        return len(value) < LONGEST and all(not 0xD800 <= ord(one) <= 0xDFFF for one in value)
    if value is None or isinstance(value, bool):
        return True
    if isinstance(value, int | float):
        return math.isfinite(value) if isinstance(value, float) else abs(value) <= 2**53
    if isinstance(value, list | tuple):
        return len(value) < LONGEST and all(map(is_plain, value)) and value != nested(40)
    if isinstance(value, dict):
        # Names of inner members may look alike: only those of arguments name what a rule is about.
        return all(isinstance(key, str) and is_plain(key) for key in value) and all(map(is_plain, value.values()))
    return False


def is_allowed(amount: Any, more: dict[str, Any]) -> bool:
    """Read the declared rule a second time: a plain number from 0 to 500, beside plain arguments of other names."""
    if isinstance(amount, bool) or not isinstance(amount, int | float) or not is_plain(amount):
        return False
    exact = Decimal(repr(float(amount)))
    folded = [unicodedata.normalize("NFKC", name).casefold().strip() for name in ("amount", "account", *more)]
    if len(set(folded)) < len(folded) or not all(is_plain(one) for item in more.items() for one in item):
        return False
    return 0 <= exact <= 500 and exact * 10_000 == int(exact * 10_000)


def same(judged: Any, given: Any) -> bool:
    """Tell whether what arrived is what was given, in the form that JSON has for it."""
    if isinstance(given, list | tuple):
        return isinstance(judged, list) and len(judged) == len(given) and all(map(same, judged, given))
    if isinstance(given, dict):
        return (
            isinstance(judged, dict) and judged.keys() == given.keys() and all(same(judged[k], given[k]) for k in given)
        )
    return bool(judged == given)


def fuzz(payments: Workflow, calls: int, seed: int) -> tuple[int, int]:
    """Call from several threads; return how many calls ran and how many did not."""
    reached = threading.local()

    @payments.action("pay")
    def pay(amount: Any, account: str = "GB-17", **more: Any) -> str:
        reached.calls.append((amount, account, more))
        return "paid"

    def one(chance: random.Random) -> bool:
        amount = a_value(chance)
        more = {chance.choice(NAMES): a_value(chance) for _ in range(chance.choice([0, 0, 0, 1, 2]))}
        reached.calls = []
        try:
            if chance.random() < 0.5:
                pay(amount, **more)
            else:
                pay(amount=amount, **more)
        except (TrueupError, TypeError):
            assert reached.calls == [], (amount, more)
            assert not is_allowed(amount, more), (amount, more)
            return False
        assert is_allowed(amount, more), (amount, more)
        ((got, account, rest),) = reached.calls
        assert (account, type(got) in {int, float}) == ("GB-17", True)
        assert same(got, amount)
        assert same(rest, more)
        return True

    def several(thread: int) -> int:
        chance = random.Random(f"{seed}/{thread}")
        # The same call of another case is another step: threads do not get in each other's way.
        with payments.case(f"case {thread}"):
            return sum(one(chance) for _ in range(calls // THREADS))

    with ThreadPoolExecutor(THREADS) as pool:
        ran = sum(pool.map(several, range(THREADS)))
    return ran, calls // THREADS * THREADS - ran


def test_a_sample_of_hostile_calls_runs_only_what_is_declared(payments: Workflow) -> None:
    ran, refused = fuzz(payments, 240, 1)
    assert min(ran, refused) > 20


@pytest.mark.long
def test_a_hundred_thousand_hostile_calls_run_only_what_is_declared(payments: Workflow) -> None:
    ran, refused = fuzz(payments, 100_000, 2)
    print(f"\n{ran:,} calls ran, {refused:,} did not")
    assert ran + refused == 100_000
