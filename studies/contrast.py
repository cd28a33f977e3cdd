"""What other arithmetic says of the same untouched weeks: tests of cases and of weeks, before against after."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from studies.figures import Count, Figure, pooled
from studies.launches import BEFORE_AFTER, GATES, LAST, FakeLaunch, apart, kind_of, mondays, pretend, promise
from studies.logs import KPIS, LOGS, WEEK, Series
from studies.study import Source, Study
from studies.tables import limits, paragraphs, rate, table
from trueup.decide.comparison import LEAST_CASES
from trueup.evidence import gates, sequences
from trueup.evidence.moments import Interval, Moments
from trueup.kernel.errors import DataError
from trueup.loop.pilots.weeks import frozen_transform

ALPHA = 0.05
METHODS = (
    "cases, z at three gates",
    "cases, z every week",
    "cases, sequence every week",
    "weeks, t at three gates",
    "weeks, sequence every week",
)
PARTS = tuple(f"{log}/{kpi}" for log in LOGS for kpi in KPIS[log])
Floats = NDArray[np.float64]


@dataclass(frozen=True, slots=True)
class Look:
    """Cases and weekly means of the baseline and of a pilot as seen after some weeks, on the scale of the KPI."""

    before: Floats
    after: Floats
    weeks_before: Floats
    weeks_after: Floats
    share: bool

    def interval(self, method: str) -> Interval:
        """Return what a method says of this look."""
        alpha = ALPHA / len(GATES) if "gates" in method else ALPHA
        if method.startswith("weeks"):
            found = gates.block_contrast if "gates" in method else sequences.frozen_blocks
            sides = (self.weeks_after, self.weeks_before)
            return found(*(sides if "gates" in method else sides[::-1]), alpha)
        if "z" in method:
            return gates.mean_contrast(Moments.of(self.after), Moments.of(self.before), alpha)
        if not self.share:
            return sequences.frozen_means(Moments.of(self.before), Moments.of(self.after), alpha)
        events = (int(self.before.sum()), len(self.before), int(self.after.sum()), len(self.after))
        return sequences.frozen_shares(*events, alpha)


def measure(part: str, source: Source, sample: bool) -> list[Figure]:
    """Return how often each method claims a change of one KPI, in the good direction and in either."""
    log, kpi = part.split("/")
    series = source.logs.series(log, kpi)
    about = {"log": log, "kpi": kpi, "kind": kind_of(series)}
    numbered = list(enumerate(mondays(series)))[-8 if sample else 0 :]
    seen = [(apart(series, number), claims) for number, at in numbered for claims in _claims(series, at)]
    return list(_counted(seen, about))


def _counted(seen: Sequence[tuple[bool, Mapping[str, tuple[bool, bool]]]], about: Mapping[str, str]) -> Iterator[Count]:
    for windows, chosen in (("overlapping", seen), ("apart", [one for one in seen if one[0]])):
        for method in METHODS:
            where = {**about, "windows": windows, "method": method}
            yield Count({**where, "what": "better"}, sum(one[method][0] for _, one in chosen), len(chosen))
            yield Count({**where, "what": "either"}, sum(any(one[method]) for _, one in chosen), len(chosen))


def _claims(series: Series, at: datetime) -> Iterator[dict[str, tuple[bool, bool]]]:
    try:
        launch = pretend(series, at, BEFORE_AFTER, promise(series, "usual"))
    except DataError:
        return
    looks = {week: _look(launch, week) for week in range(1, LAST + 1)}
    found = {}
    for method in METHODS:
        weeks = GATES if "gates" in method else range(1, LAST + 1)
        spoken = [look.interval(method) for week in weeks if len((look := looks[week]).after) >= LEAST_CASES]
        good, bad = (any(one.clears(0.0, side) for one in spoken) for side in (series.kpi.sign, -series.kpi.sign))
        found[method] = (good, bad)
    yield found


def _look(launch: FakeLaunch, week: int) -> Look:
    series, view = launch.series, launch.view
    transform = frozen_transform(launch.registration.kpis[series.name])
    until = view.starts + week * WEEK
    weeks = view.weeks
    cases = view.observer.cases(view.name, series.name, since=view.starts - 52 * WEEK, until=until, mature_by=until)
    number = weeks.number(cases)
    values = transform(cases.value)
    early = np.isin(number, list(weeks.numbers_before()))
    late = number >= 0
    means = [weeks.means(cases, transform, numbers) for numbers in (weeks.numbers_before(), range(weeks.mature(until)))]
    before, after = (np.array(list(one.values()), dtype=np.float64) for one in means)
    return Look(values[early], values[late], before, after, kind_of(series) == "share")


def page(figures: Sequence[Figure]) -> str:
    """Write the page."""
    rows = [[method, *_cells(figures, method)] for method in METHODS]
    by_log = [
        [
            log,
            *(
                rate(pooled(figures, log=log, method=method, windows="overlapping", what="either"))
                for method in METHODS
            ),
        ]
        for log in LOGS
    ]
    return paragraphs(
        INTRO,
        table(
            (
                "observations and test",
                "better, every week a launch",
                "better, windows apart",
                "95% limits",
                "either way, every week a launch",
            ),
            rows,
        ),
        "## By log, either way",
        table(("log", *METHODS), by_log),
        RULE,
    )


def _cells(figures: Sequence[Figure], method: str) -> list[str]:
    far = pooled(figures, method=method, windows="apart", what="better")
    every = (pooled(figures, method=method, windows="overlapping", what=what) for what in ("better", "either"))
    better, either = every
    return [rate(better), rate(far), limits(far), rate(either)]


INTRO = """\
Before and after on the untouched weeks of every log, all launches, with nothing asked of the past: what people
usually do, and what better arithmetic alone would do. The baseline is that of the rule (eight matured weeks), the
scale too (logarithms of time and effort, shares as they are). Nominal 5%, over three gates or over twelve weekly
looks as it says.
"""
RULE = """\
**What protects the user.** All of these are level D, *differs from the baseline*: none may say go. The last two rows
know that weeks hang together and are what level D prints; cases as observations are never used without a drawn
control. What makes a rate small is the design and the admission, not the test: [other designs](other-designs.md),
[randomised](randomised.md).
"""

STUDY = Study("contrast", "Plain tests on the same weeks", PARTS, measure, page, ("receipts/steps",), real=True)
