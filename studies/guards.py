"""Rules that one might add to before and after, on untouched logs: fewer false claims, and at what price."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from datetime import datetime

import numpy as np
from numpy.typing import NDArray

from studies.figures import Count, Figure, Mean, counts_of, means_of
from studies.launches import LAST, before, delay, kind_of, mondays
from studies.logs import KPIS, LOGS, WEEK, Series
from studies.study import Source, Study
from studies.tables import paragraphs, percent, rate, simulated, table
from tests.evidence.simulation import ALPHA, GATES, World, draw
from trueup.evidence import gates
from trueup.evidence.adjust.strata import standardised
from trueup.evidence.designs.matched import placebo_in_space
from trueup.evidence.designs.scales import Transform
from trueup.evidence.designs.stable import BASELINE_WEEKS, StableSeries
from trueup.evidence.moments import Moments
from trueup.loop.pilots.weeks import PilotWeeks, floor_of, transform_for

YEAR = 52
RAMPS = (0, 4, 8, 12)
RAMPED, SAMPLED = 2000, 100
LOG_PARTS = tuple(f"{log}/{kpi}" for log in LOGS for kpi in KPIS[log])
PARTS = (*LOG_PARTS, "ramp-up")
YEAR_RULES = ("margin alone", "and more than a year ago")
MIX_RULES = ("raw", "at equal mix of units")
SPACE_RULES = ("enough units to reach one in twenty", "among the most extreme twentieth")
Floats = NDArray[np.float64]


def measure(part: str, source: Source, sample: bool) -> list[Figure]:
    """Return what each rule does to the false claims of one KPI, or a slow start to the power."""
    if part == "ramp-up":
        return list(_ramps(SAMPLED if sample else RAMPED))
    log, kpi = part.split("/")
    series = source.logs.series(log, kpi)
    transform = transform_for(series.kpi, series.cases.value)
    about = {"log": log, "kpi": kpi, "kind": kind_of(series)}
    launches = mondays(series)[-8:] if sample else mondays(series)
    found = [*_year_ago(series, transform, launches, about)]
    if series.has_units:
        found += [*_standardising(series, transform, launches, about), *_placebo(series, transform, launches, about)]
    return found


def _weeks(series: Series, at: datetime) -> PilotWeeks:
    return PilotWeeks(at, series.matures, (at - before(series) * WEEK).date(), (at - WEEK / 7).date())


def _stable(series: Series, transform: Transform, at: datetime) -> StableSeries:
    weeks = _weeks(series, at)
    sides = (range(-before(series), -delay(series)), range(LAST - delay(series)))
    means = [weeks.means(series.cases, transform, numbers) for numbers in sides]
    early, late = (tuple(series.kpi.sign * value for value in side.values()) for side in means)
    return StableSeries(early, late, floor_of(series.kpi) or 0.0)


def _year_ago(
    series: Series, transform: Transform, launches: Sequence[datetime], about: dict[str, str]
) -> Iterator[Figure]:
    """Count changes beyond the margin at the last week, with the same weeks a year ago taken off and without."""
    plain = guarded = n = 0
    moves: tuple[list[float], list[float]] = ([], [])
    for at in launches:
        if at - (YEAR + before(series)) * WEEK < series.begins:
            continue
        now, then = _stable(series, transform, at), _stable(series, transform, at - YEAR * WEEK)
        seen, past = now.change(), then.change()
        if not (math.isfinite(seen.lower) and math.isfinite(past.lower)):
            continue
        n += 1
        moves[0].append(abs(seen.estimate))
        moves[1].append(abs(seen.estimate - past.estimate))
        plain += seen.lower > 0
        guarded += seen.lower > 0 and seen.estimate - past.estimate > now.margin
    for rule, hits, moved in zip(YEAR_RULES, (plain, guarded), moves, strict=True):
        yield Count({**about, "guard": "year ago", "rule": rule}, hits, n)
        if moved:
            yield Mean({**about, "guard": "year ago", "rule": rule, "what": "median move"}, float(np.median(moved)), n)


def _standardising(
    series: Series, transform: Transform, launches: Sequence[datetime], about: dict[str, str]
) -> Iterator[Figure]:
    """Count z claims at the last week, raw and at equal mix of units, and how far each estimate moves."""
    raw: list[float] = []
    mixed: list[float] = []
    claims = [0, 0]
    for at in launches:
        strata = _strata(series, transform, at)
        if not strata:
            continue
        found = standardised(strata, ALPHA)
        if not (found.raw.known and found.standardised.known):
            continue
        for place, interval in enumerate((found.raw, found.standardised)):
            claims[place] += not interval.contains(0.0)
        raw.append(abs(found.raw.estimate))
        mixed.append(abs(found.standardised.estimate))
    for rule, hits, moved in zip(MIX_RULES, claims, (raw, mixed), strict=True):
        where = {**about, "guard": "standardised", "rule": rule}
        yield Count(where, hits, len(moved))
        if moved:
            yield Mean({**where, "what": "median move"}, float(np.median(moved)), len(moved))


def _strata(series: Series, transform: Transform, at: datetime) -> list[tuple[Moments, Moments]]:
    number = _weeks(series, at).number(series.cases)
    values, units = transform(series.cases.value), series.cases.unit.astype(str)
    early = (number >= -before(series)) & (number < -delay(series))
    late = (number >= 0) & (number < LAST - delay(series))
    return [
        (Moments.of(values[late & (units == unit)]), Moments.of(values[early & (units == unit)]))
        for unit in np.unique(units[early | late])
    ]


def _placebo(
    series: Series, transform: Transform, launches: Sequence[datetime], about: dict[str, str]
) -> Iterator[Figure]:
    """Count how often one treated unit has the largest move, to one in twenty, among units that nobody treated."""
    extreme = n = speaking = 0
    rng = np.random.default_rng(7)
    numbers = [*range(-before(series), -delay(series)), *range(LAST - delay(series))]
    for at in launches:
        weeks = _weeks(series, at)
        cases = series.cases.where(np.isin(weeks.number(series.cases), numbers))
        units = sorted({str(unit) for unit in cases.unit} - {"(none)"})
        if len(units) < 3:
            continue
        panel = weeks.panel(cases, transform, units, numbers)
        busy = np.flatnonzero(panel.cases[:, : panel.before].sum(1) >= BASELINE_WEEKS)
        if len(busy) < 3:
            continue
        treated = np.zeros(len(busy), dtype=bool)
        treated[rng.integers(len(busy))] = True
        n += 1
        found = placebo_in_space(panel.means[busy], panel.cases[busy], treated, panel.before, 7)
        if found is not None:
            # With g other units the smallest rank is 1/(g+1): fewer than 19 of them can never reach one in twenty.
            speaking += 1 / (1 + found[1]) <= ALPHA
            extreme += found[0] <= ALPHA
    for rule, hits in zip(SPACE_RULES, (speaking, extreme), strict=True):
        yield Count({**about, "guard": "placebo", "rule": rule}, hits, n)


def _ramps(pilots: int) -> Iterator[Figure]:
    """Count pilots that see an effect which grows in a straight line over some weeks, a fifth held out."""
    world = World("normal", 60, 0.2, icc=0.05, phi=0.4)
    full = math.log1p(-0.3)
    for ramp in RAMPS:
        rng = np.random.default_rng(9)
        values = draw(world, pilots, LAST, rng)
        treated = rng.random(values.shape) >= 0.2
        grown = np.minimum(1.0, (np.arange(LAST) + 1) / (ramp + 1))
        values = np.where(treated, values + full * grown[None, :, None], values)
        seen = sum(_sees(row, chosen) for row, chosen in zip(values, treated, strict=True))
        yield Count({"guard": "ramp-up", "weeks": f"{ramp}"}, seen, pilots)
        shown = float(np.mean(grown))
        yield Mean({"guard": "ramp-up", "weeks": f"{ramp}", "what": "part of the effect at week 12"}, shown, LAST)


def _sees(values: Floats, treated: NDArray[np.bool_]) -> bool:
    looks = (
        gates.mean_contrast(
            Moments.of(values[:week][treated[:week]]), Moments.of(values[:week][~treated[:week]]), ALPHA / len(GATES)
        )
        for week in GATES
    )
    return any(look.clears(0.0, -1) for look in looks)


def page(figures: Sequence[Figure]) -> str:
    """Write the page."""
    return paragraphs(
        INTRO,
        f"## Year-ago guard\n\n{YEAR_AGO}",
        _both(figures, "year ago", YEAR_RULES),
        _moved(figures, YEAR_RULES, "with the move of a year ago taken off"),
        f"## Standardising the mix\n\n{MIX}",
        _both(figures, "standardised", MIX_RULES),
        _moved(figures, MIX_RULES, "at equal mix"),
        MIX_WIDER,
        f"## Placebo in space\n\n{SPACE}",
        _both(figures, "placebo", SPACE_RULES),
        f"## A slow start\n\n{RAMP}",
        _ramp_table(figures),
        OPEN,
    )


def _both(figures: Sequence[Figure], guard: str, rules: tuple[str, str]) -> str:
    body = []
    chosen = counts_of(figures, guard=guard)
    for log in (*LOGS, ""):
        of_log = [one for one in chosen if log in {"", one.about["log"]}]
        sums = [_sum([one for one in of_log if one.about["rule"] == rule]) for rule in rules]
        if sums[0].n:
            body.append([log or "**all**", *map(rate, sums)])
    return table(("log, all its KPIs", *rules), body)


def _sum(counts: Sequence[Count]) -> Count:
    return Count({}, sum(one.hits for one in counts), sum(one.n for one in counts))


def _moved(figures: Sequence[Figure], rules: tuple[str, str], words: str) -> str:
    pairs: dict[tuple[str, str], dict[str, float]] = {}
    for one in means_of(figures):
        if one.about.get("rule") in rules:
            pairs.setdefault((one.about["log"], one.about["kpi"]), {})[one.about["rule"]] = one.value
    lower = sum(pair[rules[1]] < pair[rules[0]] for pair in pairs.values())
    ratio = float(np.median([pair[rules[1]] / pair[rules[0]] for pair in pairs.values()]))
    kpis = f"{lower} of {len(pairs)} KPIs"
    return f"The median move is smaller {words} for {kpis}; the median ratio of moves is {ratio:.2f}."


def _ramp_table(figures: Sequence[Figure]) -> str:
    shown = {one.about["weeks"]: one for one in means_of(figures) if one.about.get("guard") == "ramp-up"}
    body = [
        [one.about["weeks"], simulated(one), percent(shown[one.about["weeks"]].value, 0)]
        for one in counts_of(figures, guard="ramp-up")
    ]
    return table(
        (
            "weeks until the effect is whole",
            "seen by three gates, ± Monte-Carlo error",
            "part of the effect in the mean of 12 weeks",
        ),
        body,
    )


INTRO = """\
Each row counts every week of a log as a launch that never was, without admission, so that a rule has something to
guard against. Windows overlap: there are more of them than independent ones. A year-ago guard and a
correction for slow starts are not in the product; the mix is shown beside what was registered, and placebos may take a
claim back.
"""
YEAR_AGO = """\
A change has to exceed its margin, and to exceed by the same margin what the same weeks did a year ago. It needs a
year of history before the baseline, which most pilots do not have. Taking off a second move that is as uncertain as
the first mostly adds to the noise: that is why it is not a rule.
"""
MIX = """\
Cases of the pilot against those of the baseline by a test of cases (z at 5%, after 12 weeks), raw, and at the mix of
both together over the log's units. The product prints both and decides on what was registered.
"""
MIX_WIDER = """\
So most of the fall from the first column to the second is the interval, which has grown (Student's t at the fewest
degrees of freedom of any unit), and not the drift, which is still there. Neither column may say go: weeks hang
together, and no mix takes that out.
"""
SPACE = """\
One unit is taken as treated, and its move is ranked among those of all others. Among exchangeable units one in
twenty is in the most extreme twentieth. Few units have few ranks: below twenty nothing can be that extreme, so that
a placebo cannot confirm. It can warn: where more than a twentieth of untouched groups moved as much, a gate takes
the claim of B back (`decide/beside.py`). [Other designs](other-designs.md) count B with that rule.
"""
RAMP = """\
60 cases a week, a fifth held out, -30% on logarithms, growing in a straight line. A gate reads the mean of all
weeks, so that a slow start is seen later and looks smaller than it is. No rule corrects for it: the estimate is of
the weeks that were, and not of those to come.
"""
OPEN = """\
## Open

- **A ramp that is taken off.** Leaving the first weeks out would have to be declared before the launch; its price is
  not measured.
- **Season.** A year-ago guard for logs of one year does not exist; `baseline` says "season not identifiable".
- **Units that were chosen**, not drawn: every treated unit above is drawn by chance. People choose the keen ones.
- **Other logs.** Five logs are five processes. How far *your* KPI moved by itself is printed by `trueup baseline`
  (`drift`) wherever there is past enough.
"""

STUDY = Study(
    "guards",
    "Rules that might be added, and what is open",
    PARTS,
    measure,
    page,
    ("ramp-up", "receipts/cycle"),
    real=True,
)
