"""Sums of limited arguments: exact for every process of the programme, and for nobody else to read."""

from __future__ import annotations

import re
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.enforce.governed import BreakingLedger, World, pay, world
from trueup.backends.bodies import FolderBodies
from trueup.backends.sqlite import SqliteStore
from trueup.enforce.gate import Gate
from trueup.enforce.keeping.sealed import seal, unseal
from trueup.enforce.limits import UNITS
from trueup.enforce.rehearsal.dry import dry_run
from trueup.kernel.canonical import Json
from trueup.ledger.entry import Entry

ACTIONS = "  pay: {tool: erp.pay, impact: medium, approval: never, limits: {amount: {per_day: 500}}}\n"
REQUEST = b'{"tool":"erp.pay","arguments":{"amount":AMOUNT}}'


@pytest.fixture
def at(tmp_path: Path) -> World:
    return world(tmp_path, actions=ACTIONS)


def bodies(at: World, key: bytes = bytes(32)) -> FolderBodies:
    return FolderBodies(at.root / "bodies", lambda: key)


def gate(at: World, name: str = "one") -> Gate:
    return Gate(at.programme, at.policy, at.ledger, bodies(at), at.clock, name)


def verdict(at: World, amount: int, kept: FolderBodies | None) -> str:
    data = REQUEST.replace(b"AMOUNT", str(amount).encode())
    return str(dry_run(at.policy, at.ledger, data, at.clock.now(), kept).decision)


@given(st.integers(-(2**63), 2**63), st.text(max_size=5), st.integers(0, 3))
def test_what_was_sealed_is_read_with_the_key_and_not_without(units: int, name: str, n: int) -> None:
    written = f"{'-' if units < 0 else ''}{abs(units) // UNITS}.{abs(units) % UNITS:04d}"
    kept, other = (FolderBodies(Path("unused"), None) for _ in range(2))
    sealed = seal(kept, f"entry/{n}", {name: written})
    assert re.fullmatch(r"sealed:[0-9a-f]{32}", sealed[name])
    assert sealed == seal(other, f"entry/{n}", {name: written})
    assert unseal(kept, f"entry/{n}", name, sealed[name]) == units
    # Another entry, another argument: another pad.
    assert unseal(kept, f"entry/{n + 1}", name, sealed[name]) is None
    assert unseal(kept, f"entry/{n}", f"{name}.", sealed[name]) is None
    assert unseal(None, f"entry/{n}", name, sealed[name]) is None


def test_the_ledger_holds_no_amount_and_no_two_alike(at: World) -> None:
    for n in range(2):
        assert gate(at).call(pay(117.25), f"s{n}", at.tool).state == "done"
    leaves = b"".join(item.leaf for item in at.ledger.entries())
    assert b"117" not in re.sub(rb"[0-9a-f]{16,}", b"", leaves)
    assert len(set(re.findall(rb"sealed:[0-9a-f]{32}", leaves))) == 2


def test_processes_of_one_programme_share_a_sum_exactly(at: World) -> None:
    with closing(BreakingLedger(SqliteStore(at.root / "ledger.db"), at.clock, None, "test.example/log")) as second:
        elsewhere = replace(at, ledger=second)
        done = [
            gate(where, f"p{n}").call(pay(99.9), f"s{n}", at.tool).state for n, where in enumerate([at, elsewhere] * 4)
        ]
    assert [str(state) for state in done] == ["done"] * 5 + ["denied"] * 3
    assert gate(at, "last").call(pay(0.5), "rest", at.tool).state == "done"
    assert gate(at, "last").call(pay(0.0001), "beyond", at.tool).state == "denied"


def test_amounts_that_stand_there_from_before_still_count(at: World) -> None:
    data: dict[str, Json] = {
        "workflow": "payments",
        "action": "pay",
        "tool": "erp.pay",
        "step": "old",
        "reserved": {"amount": "480.0000"},
    }
    at.ledger.append([Entry("action.intended", "action/payments/old/intended", at.clock.now(), None, data)])
    assert (verdict(at, 20, bodies(at)), verdict(at, 21, bodies(at))) == ("allow", "deny")


def test_a_sum_that_cannot_be_read_leaves_no_room(at: World) -> None:
    assert gate(at).call(pay(1), "s", at.tool).state == "done"
    assert (verdict(at, 20, bodies(at)), verdict(at, 20, None)) == ("allow", "deny")
    (at.root / "bodies" / "digest-key").write_bytes(bytes(range(32)))
    assert verdict(at, 20, bodies(at)) == "deny"
    assert gate(at, "two").call(pay(1), "t", at.tool).state == "denied"
