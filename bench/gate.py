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

from bench.report import Report, in_alternation
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
ENTRIES = 3
RULES = 100
PROGRAMME = "programme: Generated programme\ncurrency: GBP\n"
WORKFLOW = """\
workflow: Payments
autonomy: {level: act}
actions:
  pay: {tool: erp.pay, impact: high, approval: until-act, limits: {amount: {at_most: 500}, per_day: 100000}}
"""


class Clock:
    """A clock for the bench."""

    def now(self) -> datetime:
        """Return the present instant."""
        return datetime.now(UTC)


def run(report: Report, data: Path | None) -> None:  # noqa: ARG001 -- the frame's signature; nothing is read
    """Measure the way through the gate, and the parts of it."""
    request = Request("erp.pay", {"amount": 120, "account": "GB-17"}, case="c1")
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder)
        policy = compiled(root)
        ledger = Ledger(SqliteStore(root / "ledger.db"), Clock(), None, "bench.example/log")
        gate = Gate(
            read_programme(root, date(2026, 1, 1)).programme, policy, ledger, FolderBodies(root), Clock(), "bench"
        )
        steps = itertools.count()

        def governed() -> None:
            gate.call(request, f"step {next(steps)}", lambda _: None)

        with (root / "bare").open("wb", buffering=0) as stream:

            def bare() -> None:
                for _ in range(ENTRIES):
                    stream.write(b"x" * 700)
                    os.fsync(stream.fileno())

            ours, peer = in_alternation(repeated(governed), repeated(bare), rounds=5)
        report.row(
            "governed action: intent, verdict, outcome",
            ours / ACTIONS,
            peer / ACTIONS,
            note=f"peer: {ENTRIES} writes of 700 B, each with fsync; {1 / (ours / ACTIONS):,.0f} actions/s",
        )
        longest = worst(governed)
        report.row("governed action, 99th percentile", longest)
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


def repeated(work: Callable[[], None]) -> Callable[[], None]:
    """Return a call that does the work many times."""

    def many() -> None:
        for _ in range(ACTIONS):
            work()

    return many


def seconds(work: Callable[[], object], calls: int = 1000) -> float:
    """Return the median time of a call."""
    times = []
    for _ in range(calls):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.median(times)


def worst(work: Callable[[], None]) -> float:
    """Return the 99th percentile of a call's time."""
    times = []
    for _ in range(ACTIONS):
        began = time.perf_counter()
        work()
        times.append(time.perf_counter() - began)
    return statistics.quantiles(times, n=100)[98]
