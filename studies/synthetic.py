"""A synthetic control beside the plain difference, on units that nobody treated: whose move is the smaller."""

from __future__ import annotations

import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime

import numpy as np

from studies.figures import Count, Figure, Mean, counts_of, means_of
from studies.launches import LAST, Design, before, kind_of, mondays, pretend, promise
from studies.logs import KPIS, LOGS, WEEK, Series
from studies.study import Source, Study
from studies.tables import paragraphs, rate, table
from trueup.backends.synthetic import SyntheticControls
from trueup.decide.beside import synthetic_of
from trueup.decide.designs import MatchedUnits
from trueup.evidence.designs.stable import BASELINE_WEEKS
from trueup.kernel.errors import DataError

# Every so many weeks a launch: a fit takes some hundredths of a second, and every other unit is a placebo of its own.
STEP = 4
# Units are compared where they have a case in nearly every week, the busiest first.
MOST = 9
PARTS = tuple(f"{log}/{kpi}" for log, declared in LOGS.items() if declared.unit is not None for kpi in KPIS[log])
RULES = ("plain difference", "synthetic control")


@dataclass(frozen=True, slots=True)
class Move:
    """What is said of a unit that nobody treated, in the KPI's unit, and how many of the others moved as much."""

    plain: float
    synthetic: float
    as_large: int
    groups: int


def measure(part: str, source: Source, sample: bool) -> list[Figure]:
    """Return how often it can speak, how often its move is the smaller one, and how often its rank is the first."""
    log, kpi = part.split("/")
    series = source.logs.series(log, kpi)
    about = {"log": log, "kpi": kpi, "kind": kind_of(series)}
    launches = mondays(series)[-4:] if sample else mondays(series)[::STEP]
    found = [move for at in launches for move in _moved(series, at)]
    figures: list[Figure] = [Count({**about, "what": "could be compared"}, len(found), len(launches))]
    figures.append(Count({**about, "what": "smaller"}, sum(abs(m.synthetic) < abs(m.plain) for m in found), len(found)))
    ranked = [move for move in found if move.groups]
    figures.append(Count({**about, "what": "first"}, sum(not move.as_large for move in ranked), len(ranked)))
    if ranked:
        chance = float(np.mean([1 / (1 + move.groups) for move in ranked]))
        figures.append(Mean({**about, "what": "chance of first"}, chance, len(ranked)))
    return figures


def _moved(series: Series, at: datetime) -> Iterator[Move]:
    """Yield the moves of one busy unit, drawn by chance, against the other busy ones."""
    units = _busy(series, at)
    if len(units) < 3:
        return
    rng = np.random.default_rng([zlib.crc32(f"{series.log}/{series.name}".encode()), int(at.timestamp())])
    treated = str(rng.choice(units))
    control = [unit for unit in units if unit != treated]
    declared = {"assigned": "matched", "unit": LOGS[series.log].unit, "treated": [treated], "control": control}
    try:
        launch = pretend(series, at, Design(declared), promise(series, "large"))
    except DataError:
        return
    comparison = launch.view.compare(series.name, at + LAST * WEEK)
    analysis = comparison.analysis
    assert isinstance(analysis, MatchedUnits)
    found = synthetic_of(comparison, analysis, SyntheticControls())
    if found is not None:
        yield Move(comparison.at_gate(0.05).estimate, found.estimate, found.as_large, found.groups)


def _busy(series: Series, at: datetime) -> list[str]:
    """Return the busiest units before a launch with two cases a week or more."""
    vector = series.cases
    since, until = int((at - before(series) * WEEK).timestamp()), int(at.timestamp())
    names, counts = np.unique(
        vector.unit[(vector.started >= since) & (vector.started < until)].astype(str), return_counts=True
    )
    busy = sorted(zip(-counts, names, strict=True))
    return [str(name) for count, name in busy if -count >= 2 * BASELINE_WEEKS and name != "(none)"][:MOST]


def page(figures: Sequence[Figure]) -> str:
    """Write the page."""
    rows = []
    for log in (*(name for name, declared in LOGS.items() if declared.unit is not None), ""):
        where = {"log": log} if log else {}
        sums = [_sum(counts_of(figures, what=what, **where)) for what in ("could be compared", "smaller", "first")]
        chance = [one for one in means_of(figures) if log in {"", one.about["log"]}]
        expected = sum(one.value * one.n for one in chance) / max(sum(one.n for one in chance), 1)
        rows.append([log or "**all**", *map(rate, sums), f"{100 * expected:.1f}%" if chance else "-"])
    head = (
        "log, all its KPIs",
        "launches that it can speak of",
        "its move is smaller than the plain difference",
        "its move is the largest of all units, where there are three others",
        "the same by chance",
    )
    return paragraphs(INTRO, table(head, rows), RULE)


def _sum(counts: Sequence[Count]) -> Count:
    return Count({}, sum(one.hits for one in counts), sum(one.n for one in counts))


INTRO = f"""\
In every fourth week one busy unit, drawn by chance, is taken as treated; nobody treated it. Its move against the
mean of the other busy units (at most {MOST - 1}, two cases a week each) stands beside its move against the mixture
of them that followed it best over the {BASELINE_WEEKS} weeks before (pysyncon, `decide/beside.py`). Where a unit
lacks a week it can say nothing. Both moves are false; the smaller is the better.
"""
RULE = """\
**What protects the user.** A synthetic control is printed beside the interval of matched units and never says go.
Eight weeks are few to choose weights by: a mixture that follows the noise of the baseline is no better afterwards
than the plain mean, which the column of smaller moves shows. With gaps in the weeks of small units it mostly cannot
speak at all.
"""

STUDY = Study(
    "synthetic-control", "A synthetic control beside the plain difference", PARTS, measure, page, (), real=True
)
