"""Processes that nobody touches, of every kind of KPI: how their cases come, and how weeks and units shake them."""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from scipy import special

from trueup.evidence.designs.scales import PLAIN, Scale, Transform

Floats = NDArray[np.float64]
Whole = NDArray[np.int64]

# Weekly shocks as real logs have them: the part of the variance that a week shares, and how neighbours resemble.
ICC, PHI = 0.05, 0.4
# Part of the variance that a unit keeps for good, and part of a week's shock that is the unit's own.
KEPT, OWN = 0.05, 0.5
LEAST = 0.01
COMPLETED = 0.7
# Days after which the time of a case is cut.
WINDOW = 14.0


@dataclass(frozen=True, slots=True)
class Kind:
    """A KPI: the shape of its cases, and how it is compared.

    `scale` is that of arms that were drawn by case, `weekly` that of designs which compare weeks on a panel; `rare` is
    the part of cases that are not nought, of a share the share itself.
    """

    shape: str
    rare: float = 1.0
    scale: Transform = PLAIN
    weekly: Transform = PLAIN
    quantile: float | None = None
    cap: float | None = None
    covariate: bool = False

    @property
    def share(self) -> bool:
        """Whether a case counts or does not."""
        return self.shape == "share"

    @property
    def paired(self) -> bool:
        """Whether it is a ratio of sums."""
        return self.shape == "ratio"


_LOG = Transform(Scale.LOG, LEAST)
KINDS = {
    "normal": Kind("normal"),
    "exponential": Kind("exponential"),
    "lognormal": Kind("lognormal"),
    "time, cut at two weeks": Kind("lognormal", weekly=_LOG, cap=WINDOW),
    "counts, 70% nought": Kind("counts", 0.3, weekly=Transform(Scale.LOG_COUNT)),
    "hours, 80% nought": Kind("lognormal", 0.2),
    "hours, 95% nought": Kind("lognormal", 0.05),
    "share of 1%": Kind("share", 0.01),
    "share of 5%": Kind("share", 0.05),
    "share of 30%": Kind("share", 0.3),
    "share of 50%": Kind("share", 0.5),
    "cost over completed": Kind("ratio"),
    "median": Kind("lognormal", quantile=0.5, cap=WINDOW),
    "90% quantile": Kind("lognormal", quantile=0.9, cap=WINDOW),
    "logarithm": Kind("lognormal", scale=_LOG, weekly=_LOG),
    "covariates decide": Kind("lognormal", covariate=True),
}


@dataclass(frozen=True, slots=True)
class Cases:
    """Cases in order of time; `under` is what a ratio is divided by, `known` a covariate of each."""

    week: Whole
    unit: Whole
    value: Floats
    under: Floats | None
    known: Floats | None


def draw(kind: Kind, per_week: int, shaken: bool, weeks: int, rng: np.random.Generator, units: int = 1) -> Cases:
    """Draw the cases of some weeks; units differ for good, have cases of their own number and half of the shocks."""
    week = np.repeat(np.arange(weeks), rng.poisson(per_week, weeks))
    weight = rng.dirichlet(np.full(units, 5.0)) if units > 1 else np.ones(1)
    unit = rng.choice(units, len(week), p=weight) if units > 1 else np.zeros(len(week), dtype=np.int64)
    shared = _shared(week, unit, weeks, units, rng, shaken=shaken)
    left = math.sqrt(1 - (ICC if shaken else 0.0) - (KEPT if units > 1 else 0.0))
    noise = rng.standard_normal(len(week))
    known = rng.standard_normal(len(week)) if kind.covariate else None
    if known is not None:
        noise = (known + noise) / math.sqrt(2)
    value, under = _valued(kind, shared + left * noise, shared + left * rng.standard_normal(len(week)), rng)
    return Cases(week, unit, value, under, known)


def _shared(week: Whole, unit: Whole, weeks: int, units: int, rng: np.random.Generator, *, shaken: bool) -> Floats:
    shared = np.zeros(len(week))
    if shaken:
        own = OWN if units > 1 else 0.0
        shared += math.sqrt(ICC * (1 - own)) * _neighbours(1, weeks, rng)[0, week]
        shared += math.sqrt(ICC * own) * _neighbours(units, weeks, rng)[unit, week] if own else 0.0
    return shared + math.sqrt(KEPT) * rng.standard_normal(units)[unit] if units > 1 else shared


def _neighbours(rows: int, weeks: int, rng: np.random.Generator) -> Floats:
    shocks = rng.standard_normal((rows, weeks))
    for week in range(1, weeks):
        shocks[:, week] = PHI * shocks[:, week - 1] + math.sqrt(1 - PHI**2) * shocks[:, week]
    return shocks


def _valued(kind: Kind, score: Floats, other: Floats, rng: np.random.Generator) -> tuple[Floats, Floats | None]:
    """Turn normal scores into values: whether a case is nought at all has a score of its own, and the same shocks."""
    if kind.shape == "normal":
        return score, None
    if kind.share:
        return (score < special.ndtri(kind.rare)).astype(np.float64), None
    if kind.shape == "exponential":
        return np.asarray(-special.log_ndtr(-score), dtype=np.float64), None
    if kind.paired:
        return np.exp(score), (other < special.ndtri(COMPLETED)).astype(np.float64)
    value = np.asarray(np.exp(score), dtype=np.float64)
    if kind.shape == "counts":
        value = 1.0 + rng.poisson(value).astype(np.float64)
    if kind.cap is not None:
        value = np.minimum(3 * value, kind.cap)
    # A bad week has more cases that are not nought, and they are worse.
    return (value if kind.rare == 1 else np.where(-other < special.ndtri(kind.rare), value, 0.0)), None
