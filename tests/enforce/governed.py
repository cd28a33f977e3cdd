"""A small programme whose workflow acts, and everything that a gate needs beside it."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from trueup.backends.bodies import FolderBodies
from trueup.backends.sqlite import SqliteStore
from trueup.declare.programme import Programme
from trueup.declare.read import read_programme
from trueup.enforce.approvals import Desk
from trueup.enforce.gate import Gate
from trueup.enforce.policy import Policy, compile_policy
from trueup.enforce.request import Request
from trueup.ledger.entry import Entry
from trueup.ledger.log import Ledger

NOW = datetime(2024, 5, 6, 12, tzinfo=UTC)
PROGRAMME = """\
programme: Payments (a test)
currency: GBP
people:
  chief: {name: C. Hief, email: chief@test.example, roles: [sponsor]}
  owner: {name: O. Wner, email: owner@test.example, roles: [owner]}
  lead: {name: L. Ead, email: lead@test.example, roles: [approver]}
  clerk: {name: C. Lerk, email: clerk@test.example, roles: [reviewer]}
"""
ACTIONS = """\
  read: {tool: erp.read, impact: none}
  pay: {tool: erp.pay, impact: high, approval: until-act, approvers: [lead], expires: 2d,
        reversible_by: erp.refund, limits: {amount: {at_most: 500}, per_day: 3}}
  note: {tool: erp.note, impact: low, approval: never}
  mail: {tool: mail.send, impact: medium, approval: always, egress: [to, body]}
"""
WORKFLOW = """\
workflow: Payments
owners: {business: owner, escalation: chief}
autonomy: {level: LEVEL}
actions:
"""


@dataclass
class Clock:
    """A clock that stands still until it is moved."""

    at: datetime = NOW

    def now(self) -> datetime:
        return self.at

    def move(self, **by: float) -> None:
        self.at += timedelta(**by)


class BreakingLedger(Ledger):
    """A ledger that cannot write entries of one type."""

    refuses: str = ""
    error: Exception = OSError("the disk is full")

    def append(self, entries: Any, **options: Any) -> list[int]:
        if any(entry.type == self.refuses for entry in entries):
            raise self.error
        return super().append(entries, **options)


@dataclass
class Tool:
    """A tool that counts its calls."""

    calls: list[dict[str, Any]] = field(default_factory=list)

    def __call__(self, arguments: Any) -> dict[str, int]:
        self.calls.append(dict(arguments))
        return {"called": len(self.calls)}


@dataclass
class World:
    """One programme, its ledger, a clock and a tool."""

    root: Path
    programme: Programme
    ledger: BreakingLedger
    clock: Clock
    tool: Tool

    @property
    def policy(self) -> Policy:
        return compile_policy(self.programme, "payments")

    @property
    def bodies(self) -> FolderBodies:
        return FolderBodies(self.root / "bodies")

    @property
    def desk(self) -> Desk:
        return Desk(self.programme, self.ledger, self.bodies)

    def gate(self, runner: str = "one") -> Gate:
        return Gate(self.programme, self.policy, self.ledger, self.bodies, self.clock, runner)

    def types(self) -> list[str]:
        return [item.entry.type for item in self.ledger.entries()]

    def last(self, event_type: str) -> Entry:
        return [item.entry for item in self.ledger.entries(event_type)][-1]


def write(root: Path, level: str = "act", actions: str = ACTIONS, policies: dict[str, str] | None = None) -> Path:
    """Write the programme into a folder."""
    (root / "workflows").mkdir(parents=True, exist_ok=True)
    (root / "programme.yaml").write_text(PROGRAMME, "utf-8")
    (root / "workflows" / "payments.yaml").write_text(WORKFLOW.replace("LEVEL", level) + actions, "utf-8")
    for name, text in (policies or {}).items():
        (root / "policies").mkdir(exist_ok=True)
        (root / "policies" / name).write_text(text, "utf-8")
    return root


def world(root: Path, level: str = "act", actions: str = ACTIONS, policies: dict[str, str] | None = None) -> World:
    """Write the programme and open everything."""
    programme = read_programme(write(root, level, actions, policies), date(2024, 5, 6)).programme
    clock = Clock()
    ledger = BreakingLedger(SqliteStore(root / "ledger.db"), clock, None, "test.example/log")
    return World(root, programme, ledger, clock, Tool())


def pay(amount: Any = 120, **more: Any) -> Request:
    """Return a request to pay."""
    return Request("erp.pay", {"amount": amount}, **more)
