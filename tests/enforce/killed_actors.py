"""Programs that act and are killed: python -m tests.enforce.killed_actors ROOT ROUNDS SEED.

Each round forks two that try the same steps, kills both at some instant, and looks at what they left: in the ledger, in
the world that they acted on, and in what they had reported. Prints a summary as JSON, or fails.
"""

from __future__ import annotations

import json
import os
import random
import select
import signal
import sys
import time
from collections import Counter
from pathlib import Path

from trueup.enforce.steps import StepIds
from trueup.kernel.errors import ConflictError, TrueupError
from trueup.kernel.progress import silent
from trueup.ledger.log import Ledger
from trueup.sdk import DoneBeforeError, UnknownOutcomeError, workflow
from trueup.workspace import reading_ledger, verify_ledger

AHEAD = 400
LONGEST_SECONDS = 0.12
PROGRAMME = """\
programme: Payments (a test)
currency: GBP
people:
  lead: {name: L. Ead, email: lead@test.example, roles: [approver, owner, sponsor]}
"""
WORKFLOW = """\
workflow: Payments
owners: {business: lead}
autonomy: {level: act}
actions:
  pay: {tool: pay, impact: high, approval: until-act, limits: {amount: {at_most: 500, per_month: 1000000}}}
"""


def write(root: Path) -> Path:
    """Write the programme."""
    (root / "workflows").mkdir(parents=True)
    (root / "programme.yaml").write_text(PROGRAMME, "utf-8")
    (root / "workflows" / "payments.yaml").write_text(WORKFLOW, "utf-8")
    return root


def world(root: Path) -> Counter[int]:
    """How often each payment was made."""
    file = root / "world.txt"
    return Counter(map(int, file.read_text().split())) if file.exists() else Counter()


def act(root: Path, steps: range, out: int) -> None:
    """Make payments, one step each, and report each as it ended. In the world it counts before it is reported."""
    paid = os.open(root / "world.txt", os.O_WRONLY | os.O_CREAT | os.O_APPEND)
    with workflow(root, "payments") as payments:

        @payments.action("pay", step="{n}")
        def pay(n: int, amount: int) -> int:
            os.write(paid, f"{n}\n".encode())
            return amount

        for n in steps:
            try:
                pay(n, 1)
                said = "done"
            except DoneBeforeError:
                said = "before"
            except UnknownOutcomeError:
                said = "unknown"
            except ConflictError as error:
                said = error.code
            os.write(out, f"{n} {said}\n".encode())


def forked(root: Path, steps: range) -> tuple[int, int]:
    """Start one that acts; return its process and what it reports through."""
    reading, writing = os.pipe()
    process = os.fork()
    if process == 0:
        os.close(reading)
        code = 1
        try:
            act(root, steps, writing)
            code = 0
        except TrueupError as error:
            os.write(2, f"{error.code}: {error.message}\n".encode())
        finally:
            os._exit(code)
    os.close(writing)
    return process, reading


def reported(reading: int) -> dict[int, str]:
    """Return everything that was reported, whole lines only."""
    with os.fdopen(reading) as stream:
        lines = [line.split() for line in stream.read().split("\n")[:-1]]
    return {int(n): said for n, said in lines}


def killed_round(root: Path, first: int, chance: random.Random) -> dict[int, str]:
    """Let two try the same steps, kill both; return what was reported as done."""
    both = [forked(root, range(first, first + AHEAD)) for _ in range(2)]
    # From the first report on, or from the start: opening a programme may be interrupted too.
    if chance.random() < 0.8:
        select.select([reading for _, reading in both], [], [], 30)
    time.sleep(chance.uniform(0.0, LONGEST_SECONDS))
    for process, _ in both:
        os.kill(process, signal.SIGKILL)
    for process, _ in both:
        os.waitpid(process, 0)
    return {n: said for _, reading in both for n, said in reported(reading).items() if said == "done"}


def check(root: Path, done: set[int]) -> dict[str, int]:
    """Hold ledger, world and reports against each other. Raises AssertionError."""
    made = world(root)
    assert max(made.values(), default=0) <= 1, f"made twice: {[n for n, count in made.items() if count > 1]}"
    assert done <= set(made), f"reported and never made: {sorted(done - set(made))}"
    report = verify_ledger(root, silent)
    assert report.ok, report.problems
    with reading_ledger(root) as ledger:
        # One further than what was made: the next one may have been allowed.
        states = Counter(state_of(ledger, n, made) for n in range(max(made, default=0) + 2))
        finished = {n for n in made if ledger.find(ids(n).finished) is not None}
    assert done <= finished, f"reported, and the ledger lost the outcome: {sorted(done - finished)}"
    return {"payments": len(made), "reported": len(done), "unknown": states["unknown"], "entries": report.size}


def ids(n: int) -> StepIds:
    """The ids of a payment's entries."""
    return StepIds.of("payments", f"pay/{n}")


def state_of(ledger: Ledger, n: int, made: Counter[int]) -> str:
    """How a payment stands. What was made has its intent and verdict, always."""
    allowed = ledger.find(ids(n).judged)
    if made[n]:
        assert ledger.find(ids(n).intended) is not None, f"{n} was made without an intent"
        assert allowed is not None, f"{n} was made without a verdict"
    if ledger.find(ids(n).finished) is not None:
        assert made[n] == 1, f"{n} is done in the ledger, and was never made"
        return "done"
    return "none" if allowed is None else "unknown"


def main() -> None:
    """Kill for so many rounds, then let one go through all of it undisturbed."""
    root, rounds, chance = Path(sys.argv[1]), int(sys.argv[2]), random.Random(int(sys.argv[3]))
    done: set[int] = set()
    for turn in range(rounds):
        # A few steps back, so that what was under way is tried again.
        done |= set(killed_round(root, max(max(world(root), default=0) - 3, 0), chance))
        if turn % 50 == 49:
            check(root, done)
    last = max(world(root), default=0)
    process, reading = forked(root, range(last + 2))
    said = reported(reading)
    assert os.waitpid(process, 0)[1] == 0
    assert len(said) == last + 2
    done |= {n for n, word in said.items() if word == "done"}
    found = check(root, done)
    unknown = sum(word == "unknown" for word in said.values())
    assert unknown == found["unknown"], (unknown, found)
    print(json.dumps({"killed": 2 * rounds, **found}))


if __name__ == "__main__":
    main()
