"""Workflows whose share of wrong outcomes is known, and how often the methods are mistaken about them.

Support for the tests of promises; `python -m tests.evidence.risk_worlds` prints the table of docs/concepts/autonomy.md.
"""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
from scipy import special

from trueup.evidence.risk.limit import wrong_at_most
from trueup.evidence.risk.thresholds import chosen_threshold, empirical_threshold
from trueup.evidence.risk.watch import STAKES, Promise

if TYPE_CHECKING:
    from numpy.typing import NDArray

LIMIT, DELTA, SURE = 0.05, 0.1, 0.95


def broken_by_choice(splits: int, seed: int, sample: int = 1000) -> tuple[float, float]:
    """Return how often the threshold breaks the limit in the population: by Learn then Test, and by its own sample.

    Confidence is uniform; at confidence c an answer is wrong with probability (1 - c) / 2.5, so that the share above
    a threshold t is (1 - t) / 5, and the limit of 5% lies at t = .75.
    """
    random = np.random.default_rng(seed)
    tested = naive = 0
    for _ in range(splits):
        confidence = random.random(sample)
        wrong = (random.random(sample) < (1 - confidence) / 2.5).astype(float)
        chosen = chosen_threshold(confidence, wrong, LIMIT, DELTA)
        tested += chosen is not None and (1 - chosen.at) / 5 > LIMIT + 1e-12
        taken = empirical_threshold(confidence, wrong, LIMIT)
        naive += taken is not None and (1 - taken) / 5 > LIMIT + 1e-12
    return tested / splits, naive / splits


def passed_at_the_limit(workflows: int, per_week: int, weeks: int, seed: int) -> tuple[float, float]:
    """Return how often a workflow whose share is exactly the limit passes in some week: our bound, a fixed-sample one.

    The fixed-sample bound is that of Clopper and Pearson, one-sided at `SURE`.
    """
    random = np.random.default_rng(seed)
    wrong = np.cumsum(random.binomial(per_week, LIMIT, (workflows, weeks)), axis=1)
    reviewed = per_week * np.arange(1, weeks + 1)
    most = [_most_passing(int(n)) for n in reviewed]
    ours = (wrong <= np.array(most)).any(axis=1).mean()
    fixed = (special.bdtr(wrong, reviewed, LIMIT) <= 1 - SURE).any(axis=1).mean()
    return float(ours), float(fixed)


def _most_passing(reviewed: int) -> int:
    """Return the largest number of wrong ones with which the bound still lies below the limit; -1 without one."""
    low, high = -1, math.ceil(LIMIT * reviewed)
    while high - low > 1:
        middle = (low + high) // 2
        if wrong_at_most(middle, reviewed, SURE) < LIMIT:
            low = middle
        else:
            high = middle
    return low


def delays(paths: int, seed: int, *, clean: int = 2000, before: float = 0.03, after: float = 0.10) -> dict[str, float]:
    """Return the mean reviewed cases from a jump to the alarm, for each watch, and the alarms before the jump."""
    random = np.random.default_rng(seed)
    promise = Promise(LIMIT)
    up, down = (np.array(side) for side in zip(*promise.gains, strict=True))
    values, logs = np.zeros((paths, len(STAKES))), np.zeros((paths, len(STAKES)))
    seen = {"detector": np.full(paths, -1), "process": np.full(paths, -1)}
    false = {"detector": np.zeros(paths, bool), "process": np.zeros(paths, bool)}
    for n in range(1, clean + 6000):
        wrong = random.random(paths) < (before if n <= clean else after)
        gains = np.where(wrong[:, None], up, down)
        values, logs = (1 + values) * gains, logs + np.log(gains)
        alarms = {
            "detector": values.mean(axis=1) >= promise.run_length,
            "process": special.logsumexp(logs, axis=1) - math.log(len(STAKES)) >= -math.log(promise.alpha),
        }
        for name, alarm in alarms.items():
            if n <= clean:
                false[name] |= alarm
            else:
                first = alarm & (seen[name] < 0) & ~false[name]
                seen[name][first] = n - clean
        if n > clean and all(((seen[name] > 0) | false[name]).all() for name in alarms):
            break
    found = {name: float(at[at > 0].mean()) for name, at in seen.items()}
    return {**found, **{f"{name} before": float(hit.mean()) for name, hit in false.items()}}


def alarms_at_the_limit(paths: int, cases: int, seed: int) -> tuple[float, float]:
    """Return how often the e-process alarms within so many cases at exactly the limit, and the detector's run length.

    The run length is the total number of cases divided by the alarms, the detector starting anew after each.
    """
    random = np.random.default_rng(seed)
    promise = Promise(LIMIT)
    up, down = (np.array(side) for side in zip(*promise.gains, strict=True))
    values, logs = np.zeros((paths, len(STAKES))), np.zeros((paths, len(STAKES)))
    alarmed, detections = np.zeros(paths, bool), 0
    for _ in range(cases):
        gains = np.where((random.random(paths) < LIMIT)[:, None], up, down)
        values, logs = (1 + values) * gains, logs + np.log(gains)
        alarmed |= special.logsumexp(logs, axis=1) - math.log(len(STAKES)) >= -math.log(promise.alpha)
        again = values.mean(axis=1) >= promise.run_length
        detections += int(again.sum())
        values[again] = 0
    return float(alarmed.mean()), paths * cases / max(detections, 1)


def outcomes(n: int, share: float, seed: int) -> NDArray[np.bool_]:
    """Return independent outcomes, true where one is wrong."""
    drawn: NDArray[np.float64] = np.random.default_rng(seed).random(n)
    return drawn < share


def main() -> None:
    """Print the simulated rates, each with what was simulated."""
    tested, naive = broken_by_choice(1000, 1)
    print(f"threshold breaks the limit (1,000 splits of 1,000): tested {tested:.3f}, own sample {naive:.3f}")
    for per_week, weeks in ((60, 12), (60, 26), (60, 52), (200, 26)):
        ours, fixed = passed_at_the_limit(4000, per_week, weeks, 2)
        print(f"{per_week} a week for {weeks} weeks at the limit, 4,000 runs: ours {ours:.3f}, fixed {fixed:.3f}")
    print("3% to 10% after 2,000, 1,000 paths:", delays(1000, 3))
    print("at the limit for 5,000 cases, 1,000 paths:", alarms_at_the_limit(1000, 5000, 4))


if __name__ == "__main__":
    main()
