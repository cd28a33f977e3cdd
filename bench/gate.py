"""A governed action in process, its intent, verdict and outcome durable, against bare fsyncs; the decision alone."""

from __future__ import annotations

import itertools
import os
import statistics
import tempfile
import time
from collections.abc import Callable
from datetime import UTC, date, datetime
from pathlib import Path

from bench._ledger_writers import SIGNER, writers
from bench.report import Report
from trueup.backends.bodies import FolderBodies
from trueup.backends.sqlite import SqliteStore
from trueup.declare.read import read_programme
from trueup.enforce.autonomy.rung import Rungs
from trueup.enforce.gate import Gate
from trueup.enforce.policy import Policy, compile_policy
from trueup.enforce.request import Request
from trueup.evidence.risk.watch import Promise, WatchState, watched
from trueup.ledger.log import Ledger

ACTIONS = 400
RULES = 100
PROGRAMME = "programme: Generated programme\ncurrency: GBP\n"
WORKFLOW = """\
workflow: Payments
autonomy: {level: act}
actions:
  pay: {tool: erp.pay, impact: high, approval: until-act, limits: {amount: {at_most: 500}, per_day: 100000}}
  note: {tool: erp.note, impact: low, approval: never, limits: {amount: {at_most: 500}}}
"""
REQUESTS = {
    "limited": Request("erp.pay", {"amount": 120, "account": "GB-17"}, case="c1"),
    "governed": Request("erp.note", {"amount": 120, "account": "GB-17"}, case="c1"),
}


class Clock:
    """A clock for the bench."""

    def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)


def run(report: Report, data: Path | None) -> None:  # noqa: ARG001 -- the frame's signature; nothing is read
    """Measure the way through the gate, for one writer and eight on both stores, and the parts of it."""
    request = REQUESTS["limited"]
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        for what, name in (("governed", "low impact"), ("limited", "high impact, limited, signed")):
            report.say(f"actions of {name}, by one writer and by eight, on both stores")
            (root / what).mkdir()
            writers(report, root / what, what, "thrice")
        policy = compiled(root)
        ledger = Ledger(SqliteStore(root / "ledger.db"), Clock(), SIGNER, SIGNER.name)
        gate = gate_of(ledger, root)
        steps = itertools.count()
        for _ in range(ACTIONS):
            gate.call(request, f"step {next(steps)}", lambda _: None)
        level = seconds(lambda: Rungs(ledger, "pay").now(), calls=30)
        report.row("level in force, read anew", level, note=f"from {ledger.size():,} entries; a gate reads on")
        ledger.close()
        promise, state = Promise(0.03), WatchState("bench")
        report.row("both watches, one reviewed outcome", seconds(lambda: watched(promise, state, wrong=False)))
        report.row("verdict alone", seconds(lambda: policy.judge(request)))
        question = policy._question(request, "pay", 0, approved=False)  # noqa: SLF001 -- the engine's part, measured apart
        report.row("Cedar alone, one question", seconds(lambda: policy.ask([question])))
        many = compiled(root, rules=RULES)
        report.row(f"verdict with {RULES} policies of the programme's own", seconds(lambda: many.judge(request)))
        report.row("compile a workflow", seconds(lambda: compiled(root), calls=30))


def gate_of(ledger: Ledger, root: Path) -> Gate:
    """Return a gate over a ledger; its programme is written into a folder."""
    policy = compiled(root)
    programme = read_programme(root, date(2026, 1, 1)).programme
    return Gate(programme, policy, ledger, FolderBodies(root, lambda: bytes(32)), Clock(), f"bench {os.getpid()}")


def compiled(root: Path, rules: int = 0) -> Policy:
    """Write the programme, read it and compile it."""
    for name in ("workflows", "policies"):
        (root / name).mkdir(exist_ok=True)
    (root / "programme.yaml").write_text(PROGRAMME)
    (root / "workflows" / "payments.yaml").write_text(WORKFLOW)
    amounts = (f'context.numbers.amount.greaterThan(decimal("{1000 + n}.0"))' for n in range(rules))
    own = (f"forbid(principal, action, resource) when {{ context.numbers has amount && {part} }};" for part in amounts)
    (root / "policies" / "own.cedar").write_text("\n".join(own))
    policy = compile_policy(read_programme(root, date(2026, 1, 1)).programme, "payments")
    if policy.broken is not None:
        raise SystemExit(policy.broken)
    return policy


def seconds(work: Callable[[], object], calls: int = 1000) -> float:
    """Return the median time of a call."""
    times = []
    for _ in range(calls):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)
