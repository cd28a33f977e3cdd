"""False claims of designs whose cases are not drawn one by one: staggered, matched, before and after."""

from __future__ import annotations

import zlib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from studies.figures import Count, Figure, counts_of, pooled
from studies.launches import (
    BEFORE_AFTER,
    GATES,
    SIZES,
    Design,
    FakeLaunch,
    apart,
    kind_of,
    mondays,
    pretend,
    promise,
    units_before,
)
from studies.logs import KPIS, LOGS, Series
from studies.study import Source, Study
from studies.tables import limits, paragraphs, rate, table
from trueup.evidence.designs.staggered import LEAST_UNITS
from trueup.kernel.errors import DataError

# Draws of units a launch; the order of a rollout is drawn in every second week, for it takes a quarter of a second.
DRAWS = 2
ROLLOUTS = 1
DESIGNS = ("C", "B one unit", "B half of the units", "A-")
PARTS = tuple(
    f"{log}/{kpi}/{design}"
    for log, declared in LOGS.items()
    for kpi in KPIS[log]
    for design in DESIGNS
    if design == "C" or declared.unit is not None
)


@dataclass(frozen=True, slots=True)
class Seen:
    """One pretended pilot: whether it stood apart, which promises admit it, and what its gates say."""

    apart: bool
    admitted: frozenset[str]
    go: bool
    short: bool
    broken: bool


def measure(part: str, source: Source, sample: bool) -> list[Figure]:
    """Return how many pretended pilots were admitted, and of how many of those a gate said go."""
    log, kpi, design = part.split("/")
    series = source.logs.series(log, kpi)
    about = {"log": log, "kpi": kpi, "kind": kind_of(series), "design": design}
    launches = mondays(series)[-8:] if sample else mondays(series)
    seen = [one for number, at in enumerate(launches) for one in _seen(series, number, at, design, sample)]
    return list(_counted(seen, about))


def _counted(seen: Sequence[Seen], about: Mapping[str, str]) -> Iterator[Figure]:
    for windows, chosen in (("overlapping", seen), ("apart", [one for one in seen if one.apart])):
        where = {**about, "windows": windows}
        for size in SIZES:
            admitted = [one for one in chosen if size in one.admitted]
            told = {**where, "promise": size}
            yield Count({**told, "what": "admitted"}, len(admitted), len(chosen))
            yield Count({**told, "what": "go"}, sum(one.go for one in admitted), len(admitted))
            yield Count({**told, "what": "stop"}, sum(one.short for one in admitted), len(admitted))
            yield Count({**told, "what": "broken"}, sum(one.broken for one in admitted), len(admitted))


def _seen(series: Series, number: int, at: datetime, design: str, sample: bool) -> Iterator[Seen]:
    if design == "A-" and number % 2:
        return
    for declared in _designs(series, at, design, 1 if sample else None):
        try:
            launch = pretend(series, at, declared, promise(series, "large"))
        except DataError:
            # No mature case in the baseline: `baseline` refuses, and there is no pilot.
            continue
        admitted = _admitting(series, at, declared, launch)
        told = Counter() if not admitted else Counter(_words(launch))
        yield Seen(apart(series, number), admitted, bool(told["go"]), bool(told["stop"]), bool(told["series-broken"]))


def _words(launch: FakeLaunch) -> Iterator[str]:
    for week in GATES:
        verdict = launch.verdict(week)
        yield verdict.outcome.value
        yield verdict.code


def _designs(series: Series, at: datetime, design: str, draws: int | None) -> Iterator[Design]:
    unit = LOGS[series.log].unit
    if design == "C":
        yield BEFORE_AFTER
        return
    units = units_before(series, at)
    if design == "A-":
        if len(units) >= LEAST_UNITS:
            for draw in range(draws or ROLLOUTS):
                yield Design({"assigned": "staggered", "unit": unit}, f"pilot-{draw}")
        return
    rng = np.random.default_rng([zlib.crc32(f"{series.log}/{series.name}/{design}".encode()), int(at.timestamp())])
    size = 1 if design == "B one unit" else len(units) // 2
    for _ in range(draws or DRAWS if 1 <= size < len(units) else 0):
        treated = sorted(rng.permutation(units)[:size].tolist())
        control = sorted(set(units) - set(treated))
        yield Design({"assigned": "matched", "unit": unit, "treated": treated, "control": control})


def _admitting(series: Series, at: datetime, declared: Design, launch: FakeLaunch) -> frozenset[str]:
    """Return the promises with which the product lets this pilot speak; a drawn order asks nothing of the past."""
    if declared.declared["assigned"] == "staggered":
        return frozenset(SIZES)
    if not _admitted(launch):
        return frozenset()
    smaller = (size for size in SIZES[:-1] if _admitted(pretend(series, at, declared, promise(series, size))))
    return frozenset((*smaller, SIZES[-1]))


def _admitted(launch: FakeLaunch) -> bool:
    admission = launch.registration.admission
    return admission is not None and admission.admitted


def page(figures: Sequence[Figure]) -> str:
    """Write the page."""
    return paragraphs(
        INTRO,
        "## All logs",
        table(
            ("design", "promise", "admitted", "go, every week a launch", "go, windows apart", "its 95% limits"),
            [_row(figures, design, size) for design in DESIGNS for size in (SIZES if design != "A-" else ("usual",))],
        ),
        PROMISED,
        "## By log, the usual promise",
        table(("log", *(f"{design}: go of admitted" for design in DESIGNS)), [_by_log(figures, log) for log in LOGS]),
        "## Where the promise fails",
        _failing(figures),
        "## What else these gates said",
        table(
            ("design", "stop: short of any improvement", "unknown: series broken"),
            [
                [
                    design,
                    *(
                        rate(pooled(figures, design=design, windows="overlapping", promise="large", what=what))
                        for what in ("stop", "broken")
                    ),
                ]
                for design in DESIGNS
            ],
        ),
        RULE,
    )


def _row(figures: Sequence[Figure], design: str, size: str) -> list[str]:
    where = {"design": design, "promise": size}
    admitted = pooled(figures, **where, windows="overlapping", what="admitted")
    every = pooled(figures, **where, windows="overlapping", what="go")
    far = pooled(figures, **where, windows="apart", what="go")
    promised = "(asks nothing of the past)" if design == "A-" else size
    return [design, promised, rate(admitted), rate(every), rate(far), limits(far)]


def _by_log(figures: Sequence[Figure], log: str) -> list[str]:
    found = (
        pooled(figures, log=log, design=design, windows="overlapping", promise="usual", what="go") for design in DESIGNS
    )
    return [log, *map(rate, found)]


def _failing(figures: Sequence[Figure]) -> str:
    over = [
        one
        for one in counts_of(figures, windows="overlapping", what="go")
        if one.n and one.share > ALLOWED and (one.about["design"] != "A-" or one.about["promise"] == "usual")
    ]
    if not over:
        return "No KPI of any log has more than 5% false claims among its admitted launches."
    body = []
    for one in sorted(over, key=lambda one: (one.about["design"], -one.share)):
        far = pooled(figures, **{**one.about, "windows": "apart"})
        body.append(
            [one.about["design"], f"{one.about['log']}, {one.about['kpi']}", one.about["promise"], rate(one), rate(far)]
        )
    head = ("design", "KPI", "promise", "go, every week a launch", "go, windows apart")
    return f"{FAILS}\n\n" + table(head, body)


ALLOWED = 0.05
INTRO = f"""\
Every week of every log, with room for a baseline before it and twelve weeks after it, is taken as the launch of a
pilot that never was. It is registered by the code of `trueup baseline` and judged by the code of `trueup review` at
weeks 4, 8 and 12. Any improvement counts as a claim: there is no bar besides the rule's own, and week 12 is judged
without what scaling asks for besides, which could only lower these rates. Nothing happened in any of them, so that
each *go* is false. Counted are those that the product **admits**: a rate among pilots that may not speak would
flatter.

Units of B are drawn by chance, {DRAWS} times a launch; the order of A- in every second week. *Every week a launch* uses
each week many times over. *Windows apart* takes launches that share no week, and only for those the 95% limits (Clopper
and Pearson) mean what they say; in B the draws of one launch count as two, though they share its weeks.
"""
PROMISED = """\
A promise decides who is admitted, and nothing else: small is -20% of time, -15% of effort, 7 points of a share;
usual -30%, -30%, 10 points; large -50%, -50%, 15 points. The larger the promise, the more restless the series that
may speak.
"""
FAILS = """\
More than 5 in 100 admitted launches of these KPIs would have been called a success. A row of a few launches says
little; and launches of neighbouring weeks see nearly the same data, so that one bad quarter makes many of them. The
last column says how many share no week.
"""
RULE = """\
**What protects the user.** C never says go before week 8, says *changed after; cause not established*, and never
scales by itself: the scale gate wants B or stronger, or the sponsor's signature on a waiver that stays on the
record. B says *consistent with an effect*, never *caused*. A series whose volume or mix has broken is *unknown*. Who
wants less than that draws cases by chance: [randomised](randomised.md). The alternatives to these rules, and what
they claim on the same weeks, are in [plain tests](contrast.md).
"""

STUDY = Study(
    "other-designs",
    "False claims without a drawn control",
    PARTS,
    measure,
    page,
    ("receipts/steps/C", "receipts/steps/B half of the units"),
    real=True,
)
