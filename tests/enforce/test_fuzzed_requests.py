"""Nothing passes by accident: the gate allows a request only where the declared rules, read a second time, do."""

from __future__ import annotations

import json
import tempfile
from decimal import Decimal
from functools import cache
from pathlib import Path
from typing import Any, cast

from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.enforce.governed import NOW, world
from trueup.enforce.policy import Policy
from trueup.enforce.rehearsal.dry import dry_run
from trueup.enforce.request import Request, UnfitRequestError, read_request
from trueup.ledger.log import Ledger

LEVELS = ("shadow", "draft", "approve", "act")
TOOLS = ("erp.read", "erp.pay", "erp.note", "mail.send", "erp.refund", "erp.pаy", "Erp.pay", "erp", "")
ACTS = {"erp.pay", "erp.note", "mail.send"}


class NoEntries:
    """A ledger in which nothing stands."""

    def entries(self, **_: Any) -> list[Any]:
        return []


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
amounts = (
    st.integers(-2, 502)
    | st.floats(-1, 501)
    | st.decimals(-1, 501, places=4).map(float)
    | st.sampled_from([499.9999, 500, 500.0, 500.0001, 2**53, 2**53 + 1, "120", None, True, [1], float("nan")])
    | json_values
)
names = st.sampled_from(["amount", "Amount", "аmount", "amount ", "to", "body", "note"]) | st.text(max_size=4)
arguments = st.dictionaries(names, json_values, max_size=3) | st.builds(
    lambda amount, more: {**more, "amount": amount}, amounts, st.dictionaries(names, json_values, max_size=2)
)
requests = st.builds(
    Request,
    st.sampled_from(TOOLS) | st.text(max_size=8),
    arguments,
    st.none() | st.sampled_from(["pay", "read", "note", "mail", "other"]),
    st.none() | st.text(max_size=3),
    st.none() | st.text(max_size=3),
    st.just(()) | st.tuples(st.sampled_from(["amount", "to"])),
)


@cache
def policy(level: str) -> Policy:
    return world(Path(tempfile.mkdtemp()), level).policy


def reference(level: str, request: Request, today: int) -> str:
    """Read the declared rules of the test's programme by hand: `allow`, `hold`, or `deny` for whatever is odd."""
    declared = {"erp.read": "read", "erp.pay": "pay", "erp.note": "note", "mail.send": "mail"}
    action = declared.get(request.tool)
    if action is None or request.action not in {None, action} or (request.tool in ACTS and level == "shadow"):
        return "deny"
    amount = request.arguments.get("amount")
    if "amount" in request.arguments or action == "pay":
        if isinstance(amount, bool) or not isinstance(amount, int | float):
            return "deny"
        exact = Decimal(str(amount))
        if not exact.is_finite() or exact * 10_000 != int(exact * 10_000) or abs(exact) > Decimal(2**63 - 1) / 10_000:
            return "deny"
        if action == "pay" and (not 0 <= exact <= 500 or today >= 3):
            return "deny"
    if level == "draft" and action != "read":
        return "hold"
    waits = action == "mail" or (action == "pay" and level != "act") or (request.untrusted and action != "read")
    return "hold" if waits else "allow"


@settings(max_examples=600, deadline=None)
@given(st.sampled_from(LEVELS), requests, st.integers(0, 4))
@example("act", Request("erp.pay", {"amount": 500}), 2)
@example("act", Request("erp.pay", {"amount": 500.0001}), 0)
def test_only_what_the_declared_rules_allow_is_allowed(level: str, request: Request, today: int) -> None:
    verdict = policy(level).judge(request, today=today)
    rank = {"deny": 0, "hold": 1, "allow": 2}
    assert rank[str(verdict.decision)] <= rank[reference(level, request, today)]


plain = st.builds(
    Request,
    st.sampled_from(["erp.read", "erp.pay", "erp.note", "mail.send"]),
    st.fixed_dictionaries({"amount": st.integers(-3, 503) | st.sampled_from([499.9999, 0.5, 500.0001])}),
    untrusted=st.just(()) | st.just(("amount",)),
)


@settings(max_examples=300, deadline=None)
@given(st.sampled_from(LEVELS), plain, st.integers(0, 4))
def test_ordinary_requests_get_exactly_what_is_declared(level: str, request: Request, today: int) -> None:
    assert str(policy(level).judge(request, today=today).decision) == reference(level, request, today)


@settings(max_examples=400, deadline=None)
@given(st.binary(max_size=200) | json_values.map(lambda value: json.dumps(value).encode()) | st.text().map(str.encode))
@example(b'{"tool":"erp.read","tool":"erp.pay","arguments":{}}')
@example(b'{"tool":"erp.read","arguments":{"a":1,"a":2}}')
@example(b'{"tool":"erp.read","arguments":{"a":NaN}}')
@example(b'{"tool":"erp.read","arguments":{"a":9007199254740993}}')
@example(b'{"tool":"erp.read","arguments":{"a":1e999}}')
@example(b'{"tool":"erp.read","arguments":{"a":"\\ud800"}}')
@example(b'{"tool":"erp.read","arguments":' + b"[" * 100_000)
@example(b'{"tool":"erp.read","arguments":{"a":' + b"[" * 60 + b"]" * 60 + b"}}")
@example(b'{"tool":"erp.read","arguments":{"a":' + b"9" * 5000 + b"}}")
@example(b'{"tool":"erp.read","arguments":{"a":"' + b"x" * 300_000 + b'"}}')
@example(b'{"tool":"erp.read","arguments":[]}')
@example(b'{"tool":"erp.read","more":1}')
@example(b'\xef\xbb\xbf{"tool":"erp.read"}')
@example(b"")
def test_no_bytes_pass_that_are_not_a_plain_request(data: bytes) -> None:
    verdict = dry_run(policy("act"), cast("Ledger", NoEntries()), data, NOW)
    try:
        request = read_request(data)
    except UnfitRequestError:
        assert verdict.decision == "deny"
    else:
        assert str(verdict.decision) == reference("act", request, 0)
