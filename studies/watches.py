"""How soon the watches over what acts alone see that it got worse, and how often they are wrong."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from studies.figures import Count, Figure, Mean, counts_of, means_of
from studies.study import Source, Study
from studies.tables import number, paragraphs, percent, rate, table
from tests.evidence.risk_worlds import LIMIT, alarms_at_the_limit, broken_by_choice, delays, passed_at_the_limit
from trueup.evidence.risk.watch import Promise

# Jumps of the share of wrong outcomes after 2,000 cases, at a limit of 5%.
JUMPS = {"3% to 10%": (0.03, 0.10), "3% to 7%": (0.03, 0.07), "1% to 10%": (0.01, 0.10), "3% to 20%": (0.03, 0.20)}
BATCHES, PATHS = 10, 100
AT_LIMIT, CASES = 1000, 5000
CLIMBS = ((60, 12), (60, 26), (60, 52), (200, 26))
PARTS = (*(f"delay/{name}" for name in JUMPS), "at the limit", "climbing", "thresholds")


def measure(part: str, source: Source, sample: bool) -> list[Figure]:
    """Return delays with their error from batches, or how often something was wrongly said."""
    del source
    if part.startswith("delay/"):
        return _delays(part.removeprefix("delay/"), 2 if sample else BATCHES, 20 if sample else PATHS)
    if part == "at the limit":
        return _at_the_limit(3 if sample else BATCHES, 30 if sample else AT_LIMIT // BATCHES)
    if part == "climbing":
        return _climbing(200 if sample else 4000)
    splits = 100 if sample else 2000
    tested, naive = broken_by_choice(splits, 1)
    about = {"what": "threshold breaks its limit"}
    return [
        Count({**about, "by": "Learn then Test"}, round(tested * splits), splits),
        Count({**about, "by": "its own sample"}, round(naive * splits), splits),
    ]


def _delays(name: str, batches: int, paths: int) -> list[Figure]:
    before, after = JUMPS[name]
    found = [delays(paths, 100 + batch, before=before, after=after) for batch in range(batches)]
    figures: list[Figure] = []
    for watch in ("detector", "process"):
        means = [one[watch] for one in found]
        error = float(np.std(means, ddof=1)) / len(means) ** 0.5
        about = {"jump": name, "watch": watch}
        figures.append(Mean({**about, "what": "delay"}, float(np.mean(means)), batches * paths, error))
        early = round(sum(one[f"{watch} before"] for one in found) * paths)
        figures.append(Count({**about, "what": "alarm before the jump"}, early, batches * paths))
    return figures


def _at_the_limit(batches: int, paths: int) -> list[Figure]:
    found = [alarms_at_the_limit(paths, CASES, 200 + batch) for batch in range(batches)]
    runs = [run for _, run in found]
    error = float(np.std(runs, ddof=1)) / len(runs) ** 0.5
    alarms = round(sum(alarmed for alarmed, _ in found) * paths)
    return [
        Count({"watch": "process", "what": f"alarm within {CASES:,} cases"}, alarms, batches * paths),
        Mean({"watch": "detector", "what": "run length"}, float(np.mean(runs)), batches * paths, error),
    ]


def _climbing(workflows: int) -> list[Figure]:
    figures: list[Figure] = []
    for per_week, weeks in CLIMBS:
        ours, fixed = passed_at_the_limit(workflows, per_week, weeks, 2)
        about = {"what": "climbs", "volume": f"{per_week} a week, {weeks} weeks"}
        figures.append(Count({**about, "by": "anytime-valid bound"}, round(ours * workflows), workflows))
        figures.append(Count({**about, "by": "fixed-sample bound"}, round(fixed * workflows), workflows))
    return figures


def page(figures: Sequence[Figure]) -> str:
    """Write the page."""
    delayed = {(one.about.get("jump", ""), one.about["watch"]): one for one in means_of(figures)}
    rows = []
    for jump in JUMPS:
        early = {one.about["watch"]: one for one in counts_of(figures, jump=jump)}
        means = [delayed[jump, watch] for watch in ("detector", "process")]
        rows.append(
            [
                jump,
                *(number(one) for one in means),
                *(rate(early[w]) for w in ("detector", "process")),
                f"{means[0].n:,}",
            ]
        )
    head = (
        "wrong outcomes",
        "detector: cases until alarm",
        "e-process: cases until alarm",
        "detector alarmed before",
        "e-process alarmed before",
        "paths",
    )
    return paragraphs(
        INTRO, table(head, rows), ANCHOR, "## At the limit", _limit(figures, delayed["", "detector"]), RULE
    )


def _limit(figures: Sequence[Figure], run: Mean) -> str:
    process = counts_of(figures, watch="process", what=f"alarm within {CASES:,} cases")[0]
    rows = [
        [f"the e-process alarms within {CASES:,} cases at exactly {percent(LIMIT, 0)}", "at most 5%", rate(process)],
        [
            "cases between two alarms of the detector there",
            f"at least {Promise(LIMIT).run_length:,.0f}",
            f"{number(run)} (n {run.n:,})",
        ],
    ]
    for one in counts_of(figures, what="climbs", by="anytime-valid bound"):
        fixed = counts_of(figures, what="climbs", by="fixed-sample bound", volume=one.about["volume"])[0]
        rows.append(
            [
                f"a workflow at exactly the limit climbs, {one.about['volume']}",
                "at most 5%",
                f"{rate(one)}; with a fixed-sample bound {rate(fixed)}",
            ]
        )
    for one in counts_of(figures, what="threshold breaks its limit"):
        promised = "at most 10%" if one.about["by"] == "Learn then Test" else "nothing"
        rows.append([f"a threshold chosen by {one.about['by']} breaks a limit of 5%, 90% sure", promised, rate(one)])
    return table(("question", "promised", "found"), rows)


INTRO = """\
2,000 reviewed cases with few wrong outcomes, then more; the limit is 5%. Counted are the reviewed cases from the
jump to the alarm (mean ± Monte-Carlo error), over paths without an alarm before it.
"""
ANCHOR = """\
Known beforehand for 3% to 10%: 228 by the detector, 1,618 by the e-process, from bets that were not recorded. Ours
are the six stakes of `evidence/risk/watch.py`, which the gate runs. The detector is quicker by more than chance
explains, and still runs as long between false alarms as it promises (below); the e-process is slower by about two
errors.
"""
RULE = """\
**What protects the user.** The e-process is the guarantee and slow; the detector is quick and says how seldom it is
wrong by its run length, in weeks, with `trueup why`. Either takes the workflow one rung down, with nobody's
signature. How much has to be reviewed for that is in [autonomy](../concepts/autonomy.md).
"""

STUDY = Study(
    "watches",
    "How soon a watch sees that autonomy went wrong",
    PARTS,
    measure,
    page,
    ("climbing", "thresholds", "delay/3% to 20%"),
    real=False,
)
