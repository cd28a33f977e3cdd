"""False claims where cases are drawn by chance: three gates and the watched sequence, on every log."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

from studies.drawn import Claimed, claims_of
from studies.figures import Count, Figure, counts_of, pooled
from studies.launches import Design, apart, kind_of, mondays, pretend, promise
from studies.logs import KPIS, LOGS, Series
from studies.study import Source, Study
from studies.tables import limits, paragraphs, rate, table
from trueup.kernel.errors import DataError

HOLDOUTS = (0.1, 0.2, 0.5)
DRAWS, SAMPLED = 8, 2
SEED = 20_261
# The promise that admission is asked for; a drawn control needs it for power only.
ADMITTING = ("usual",)
PARTS = tuple(f"{log}/{kpi}" for log in LOGS for kpi in KPIS[log])


@dataclass(frozen=True, slots=True)
class Seen:
    """One launch at one holdout: whether it stood apart, the promises that its volume can show, what was claimed."""

    apart: bool
    able: frozenset[str]
    claims: Sequence[Claimed]


def measure(part: str, source: Source, sample: bool) -> list[Figure]:
    """Return how many pilots had a false claim, by holdout, promise and windows."""
    log, kpi = part.split("/")
    series = source.logs.series(log, kpi)
    about = {"log": log, "kpi": kpi, "kind": kind_of(series)}
    seen: dict[float, list[Seen]] = {holdout: [] for holdout in HOLDOUTS}
    launches = mondays(series)
    for number, at in list(enumerate(launches))[-8 if sample else 0 :]:
        drawn = claims_of(series, at, HOLDOUTS, SAMPLED if sample else DRAWS, SEED)
        for holdout, claims in zip(HOLDOUTS, drawn, strict=True):
            seen[holdout].append(Seen(apart(series, number), _able(series, number, holdout), claims))
    return [one for holdout in HOLDOUTS for one in _counted(seen[holdout], {**about, "holdout": f"{holdout:.0%}"})]


def _able(series: Series, number: int, holdout: float) -> frozenset[str]:
    """Return the promises that the last gate would show with 80% power, as `baseline` says before the launch."""
    at = mondays(series)[number]
    design = Design({"assigned": "random", "unit": "case", "by": "ledger", "share": f"{1 - holdout:.0%}"})
    try:
        launches = {size: pretend(series, at, design, promise(series, size)) for size in ADMITTING}
    except DataError:
        return frozenset()
    return frozenset(size for size, launch in launches.items() if launch.registration.detectable[-1].decides)


def _counted(seen: Sequence[Seen], about: Mapping[str, str]) -> Iterator[Figure]:
    for windows, chosen in (("overlapping", seen), ("apart", [one for one in seen if one.apart])):
        for size in (*ADMITTING, "any"):
            able = [one for one in chosen if size == "any" or size in one.able]
            claims = [claim for one in able for claim in one.claims]
            where = {**about, "windows": windows, "promise": size}
            if size != "any":
                yield Count({**where, "what": "admitted"}, len(able), len(chosen))
            for by, better, worse in (
                ("gates", [one.gate_better for one in claims], [one.gate_worse for one in claims]),
                ("sequence", [one.watch_better for one in claims], [one.watch_worse for one in claims]),
            ):
                yield Count({**where, "what": "better", "by": by}, sum(better), len(claims))
                if size == "any":
                    either = sum(one or other for one, other in zip(better, worse, strict=True))
                    yield Count({**where, "what": "either", "by": by}, either, len(claims))


def page(figures: Sequence[Figure]) -> str:
    """Write the page."""
    shown = [f"{holdout:.0%}" for holdout in HOLDOUTS]
    told = ("windows apart", "95% limits")
    head = ("held out", "launches admitted", "three gates: go", *told, "watched sequence: better", *told)
    by_log = [[log, *(_pair(figures, log, holdout) for holdout in shown)] for log in LOGS]
    halves = [
        [log or "**all**", *(_either(figures, log, holdout, by) for holdout in ("20%", "50%") for by in BY)]
        for log in (*LOGS, "")
    ]
    return paragraphs(
        INTRO,
        "## All logs",
        table(head, [_row(figures, holdout) for holdout in shown]),
        "## By log",
        table(("log", *(f"{holdout} held out: gates, sequence" for holdout in shown)), by_log),
        "## Randomised halves",
        HALVES,
        table(("log", *(f"{holdout}, {by}" for holdout in ("20%", "50%") for by in BY)), halves),
        "## Where the promise fails",
        _failing(figures),
        RULE,
    )


BY = ("gates", "sequence")


def _row(figures: Sequence[Figure], holdout: str) -> list[str]:
    where = {"holdout": holdout, "promise": "usual"}
    cells = [holdout, rate(pooled(figures, **where, windows="overlapping", what="admitted"))]
    for by in BY:
        every, far = (
            pooled(figures, **where, windows=windows, what="better", by=by) for windows in ("overlapping", "apart")
        )
        cells += [rate(every), rate(far), limits(far)]
    return cells


def _pair(figures: Sequence[Figure], log: str, holdout: str) -> str:
    where = {"log": log, "holdout": holdout, "promise": "usual", "windows": "overlapping", "what": "better"}
    return ", ".join(rate(pooled(figures, **where, by=by)) for by in BY)


def _either(figures: Sequence[Figure], log: str, holdout: str, by: str) -> str:
    where = {"holdout": holdout, "promise": "any", "windows": "overlapping", "what": "either", "by": by}
    return rate(pooled(figures, **where, **({"log": log} if log else {})))


def _failing(figures: Sequence[Figure]) -> str:
    over = [
        one
        for what, promise_of in (("better", "usual"), ("either", "any"))
        for one in counts_of(figures, windows="overlapping", what=what, promise=promise_of)
        if one.n and one.share > ALLOWED
    ]
    if not over:
        return "No KPI of any log has more than 5% false claims at any holdout, one way or either way."
    body = []
    for one in sorted(over, key=lambda one: -one.share):
        told = [one.about[key] for key in ("holdout", "by", "what")]
        body.append([f"{one.about['log']}, {one.about['kpi']}", *told, rate(one), limits(one)])
    return f"{FAILS}\n\n" + table(("KPI", "held out", "by", "direction", "false claims", "95% limits"), body)


ALLOWED = 0.05
INTRO = f"""\
Every week of every log is taken as the launch of a pilot that never was. Each case is put into an arm by chance,
{DRAWS} times anew for every launch and holdout, and asked are the three gates (weeks 4, 8 and 12) and the watched
sequence at twelve weekly looks, through `decide.comparison` with the arithmetic mean, the product's default. Nothing
happened, so that every claim is false. *Admitted* are launches of which `trueup baseline` says that the last gate
would show the usual promise (-30% of time or effort, 10 points of a share) with 80% power; one direction counts,
that of a go. *Windows apart* share no week.
"""
HALVES = """\
The same for all launches, admitted or not, and claims in either direction: what is promised to be at most 5% for
three gates together, and for twelve looks together.
"""
FAILS = """\
Single KPIs above 5%. Where the limits hold 5%, chance explains it; where they do not, the promise fails for that KPI.
"""
RULE = """\
**What protects the user.** The arms share every week, so that drift, season and shocks cancel: no admission is
needed. Where few events or few cases are in an arm, a gate says nothing (`not-mature`). A ratio of arms that the
declared share cannot explain, a case in both arms, or in none, make the gate unknown instead.
"""

STUDY = Study(
    "randomised",
    "False claims where cases are drawn by chance",
    PARTS,
    measure,
    page,
    ("receipts/cycle", "receipts/confirmed"),
    real=True,
)
