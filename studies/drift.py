"""How far KPIs move that nobody touched: the mean of a pilot's weeks against that of the eight weeks before."""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence

import numpy as np

from studies.figures import Figure, Mean, means_of
from studies.launches import LAST, delay, kind_of
from studies.logs import KPIS, LOGS, Series
from studies.study import Source, Study
from studies.tables import paragraphs, percent, table
from trueup.evidence.designs.stable import BASELINE_WEEKS, moves
from trueup.loop.pilots.weeks import EFFORT_FLOOR, SHARE_FLOOR, TIME_FLOOR, PilotWeeks, transform_for

KINDS = ("time", "effort", "share")
ALL = "all logs"
POOLED = tuple(f"{ALL}/{kind}" for kind in KINDS)
PARTS = (*(f"{log}/{kpi}" for log in LOGS for kpi in KPIS[log]), *POOLED)
QUANTILES = {"median": 0.5, "three quarters": 0.75, "nine tenths": 0.9}
FLOORS = {"time": TIME_FLOOR, "effort": EFFORT_FLOOR, "share": SHARE_FLOOR}

INTRO = f"""\
Every week of every log is taken as a launch that never was: the mean of the weeks that a pilot of {LAST} weeks would
have seen mature, against the mean of the {BASELINE_WEEKS} matured weeks before it. Nobody changed anything. Time and
effort are compared on logarithms and shown as a relative change (of geometric means), shares in points. Where many
cases take next to no time, the logarithm of a week swings most: what moves by hundreds of percent are KPIs of that
kind. Windows overlap, so that there are more windows than independent ones.
"""
RULE = """\
**What protects the user.** A floor alone would not: kinds differ more between processes than within. So a pilot
without a drawn control is admitted only where eight weeks of *its own* KPI are calm enough for what it promises
(`evidence/designs/stable.py`): the margin grows with their spread, and is at least the floor. A series that swings
as the worst rows here do is refused before it starts, stays at level D, and may not say go. What then comes through
all the same is counted in [other designs](other-designs.md). Volume, throughput and cost are never admitted.
"""


def measure(part: str, source: Source, sample: bool) -> list[Figure]:
    """Return quantiles of the moves of one KPI, or of all KPIs of a kind."""
    del sample  # There is no chance in it: a sample is a whole part.
    log, kpi = part.split("/")
    if part in POOLED:
        every = [source.logs.series(name, one) for name in LOGS for one in KPIS[name]]
        chosen = [series for series in every if kind_of(series) == kpi]
        return _quantiles([move for series in chosen for move in _moves(series)], {"log": log, "kind": kpi})
    series = source.logs.series(log, kpi)
    return _quantiles(_moves(series), {"log": log, "kpi": kpi, "kind": kind_of(series)})


def _quantiles(found: Sequence[float], about: dict[str, str]) -> list[Figure]:
    return [
        Mean({**about, "what": what}, float(np.quantile(found, at)) if found else math.nan, len(found))
        for what, at in QUANTILES.items()
    ]


def _moves(series: Series) -> list[float]:
    """Return the moves of all weeks that have a case, on the scale on which designs compare the KPI."""
    cases = series.cases
    first, last = series.begins.date(), series.ends.date()
    weeks = PilotWeeks(series.begins, series.matures, first, last)
    count = int((series.ends - series.begins).days / 7)
    transform = transform_for(series.kpi, cases.value)
    means = weeks.means(cases, transform, range(count - delay(series)))
    return moves(list(means.values()), LAST - delay(series), delay(series))


def page(figures: Sequence[Figure]) -> str:
    """Write the page."""
    found = {_key(one): one for one in means_of(figures)}
    named = sorted({key[:3] for key in found}, key=lambda key: (KINDS.index(key[0]), key[1] == ALL, key))
    rows = []
    for kind, log, kpi in named:
        values = [found[kind, log, kpi, what] for what in QUANTILES]
        name = "**all of this kind**" if log == ALL else f"{log}, {kpi}"
        rows.append([kind, name, *(_shown(one.value, kind) for one in values), f"{values[0].n}"])
    head = ("kind", "KPI", "half of the moves are below", "three quarters below", "nine tenths below", "windows")
    return paragraphs(INTRO, table(head, rows), _against_floors(found), RULE)


def _key(one: Mean) -> tuple[str, str, str, str]:
    return one.about["kind"], one.about["log"], one.about.get("kpi", ""), one.about["what"]


def _against_floors(found: Mapping[tuple[str, str, str, str], Mean]) -> str:
    said = []
    for kind in KINDS:
        upper = found.get((kind, ALL, "", "three quarters"))
        if upper is not None:
            side = "below" if upper.value <= FLOORS[kind] else "**above**"
            said.append(f"- {kind}: {_shown(upper.value, kind)}, {side} the floor of {_shown(FLOORS[kind], kind)}")
    return "What three quarters of all moves of a kind stay below, against the floor of that kind:\n\n" + "\n".join(
        said
    )


def _shown(move: float, kind: str) -> str:
    if math.isnan(move):
        return "-"
    return f"{100 * move:.1f} points" if kind == "share" else percent(math.expm1(move))


STUDY = Study(
    "drift", "How far untouched KPIs move", PARTS, measure, page, ("receipts/cycle", "receipts/confirmed"), real=True
)
