"""The promise of every gate and of the watched sequence, for every kind of KPI, design, volume and weekly shock."""

from __future__ import annotations

import math
import zlib
from collections.abc import Iterator, Mapping, Sequence

import numpy as np

from studies.drawn import ALPHA, gate_interval, watched_interval
from studies.figures import Count, Figure
from studies.promised import promised
from studies.study import Source, Study
from studies.untouched import DESIGNS, GATES, STABLE_GATES, Pilot
from studies.worlds import KINDS, Kind
from trueup.decide.comparison import Basis, Comparison
from trueup.evidence.moments import Interval, normal_quantile
from trueup.evidence.shares import T_OPT, mixture_weight, share_e_value

VOLUMES = (10, 30, 100, 300, 1000)
SHOCKS = {"calm": False, "shaken": True}
WAYS = {"up": 1, "down": -1}
PILOTS, SAMPLED = 1000, 12
# What one pilot costs decides how many there are: fits of covariates, orders of a rollout; and few series are admitted.
COSTLY = "covariates decide"
COSTLY_PILOTS, COSTLY_SAMPLED = 200, 2
BY_DESIGN = {"A-": 300, "B": 1500, "C": 1500}
SAMPLED_VOLUMES = (10, 100)
SEED = 43

_WEEKLY = ("time, cut at two weeks", "counts, 70% nought", "share of 5%", "share of 30%")
_SKEWED = ("lognormal", "hours, 80% nought", "share of 1%", "share of 30%", "logarithm")
_PLAIN = tuple(name for name, kind in KINDS.items() if kind.quantile is None and not kind.covariate)
COMPARED: Mapping[str, Sequence[str]] = {
    "A, 20% held out": tuple(KINDS),
    "A, 10% held out": _SKEWED,
    "A, 50% held out": _SKEWED,
    "A, 6 of 12 units": ("normal", "lognormal", "hours, 80% nought", "share of 5%", "logarithm"),
    "A, 4 of 20 units": ("lognormal", "hours, 80% nought", "share of 5%"),
    "A-": _WEEKLY,
    "B": _WEEKLY,
    "C": _WEEKLY,
    "D": _PLAIN,
}
PARTS = tuple(f"{design}/{name}" for design, names in COMPARED.items() for name in names)
REPEATED = (
    "A, 20% held out/hours, 80% nought",
    "A, 20% held out/share of 5%",
    "A, 20% held out/90% quantile",
    "A, 20% held out/covariates decide",
    "A, 6 of 12 units/lognormal",
    "A-/counts, 70% nought",
    "B/share of 5%",
    "C/share of 5%",
    "D/cost over completed",
)


def measure(part: str, source: Source, sample: bool) -> list[Figure]:
    """Return what was claimed of the untouched pilots of one kind and design, by volume and shocks."""
    del source
    design, name = part.split("/")
    if name == COSTLY:
        pilots = COSTLY_SAMPLED if sample else COSTLY_PILOTS
    else:
        pilots = SAMPLED if sample else BY_DESIGN.get(design, PILOTS)
    volumes = SAMPLED_VOLUMES if sample else VOLUMES
    return [one for volume in volumes for shocks in SHOCKS for one in _cell(design, name, volume, shocks, pilots)]


def _cell(design: str, name: str, volume: int, shocks: str, pilots: int) -> Iterator[Figure]:
    rng = np.random.default_rng([SEED, zlib.crc32(f"{design}/{name}".encode()), volume, SHOCKS[shocks]])
    claims = {by: np.zeros(len(WAYS) + 2, dtype=np.int64) for by in ("gates", "sequence")}
    for _ in range(pilots):
        pilot = DESIGNS[design](KINDS[name], volume, SHOCKS[shocks], rng)
        claims["gates"] += _claimed(_at_gates(pilot))
        claims["sequence"] += _claimed(_watched(KINDS[name], pilot))
    about = {"design": design, "kind": name, "volume": f"{volume}", "shocks": shocks}
    for by, (spoke, up, down, either) in claims.items():
        for way, hits in (("up", up), ("down", down), ("either", either)):
            yield Count({**about, "by": by, "way": way}, int(hits), int(spoke))


def _claimed(looks: Sequence[Interval | None]) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
    """Return whether a pilot's looks could speak at all, and whether one of them claims up, down, or either."""
    known = [look for look in looks if look is not None]
    ways = [any(look.clears(0.0, sign) for look in known) for sign in WAYS.values()]
    return np.array([bool(known), *ways, any(ways)], dtype=np.int64)


# An interval that holds nought, and need not be computed.
_NOTHING_CLAIMED = Interval(0.0, -math.inf, math.inf)


def _at_gates(pilot: Pilot) -> list[Interval | None]:
    """Return the intervals of the gates that may say go; None where one has too few cases to speak."""
    if not pilot:
        return []
    gates = STABLE_GATES if pilot[0].basis is Basis.STABLE else GATES
    return [_spoken(pilot[gate - 1]) for gate in gates]


def _spoken(look: Comparison) -> Interval | None:
    if look.too_few() is not None:
        return None
    if look.quantile is not None and _alike(look, watched=False):
        return _NOTHING_CLAIMED
    if look.basis is Basis.CASES:
        return gate_interval(look) or _NOTHING_CLAIMED
    return look.at_gate(ALPHA / len(GATES))


def _watched(kind: Kind, pilot: Pilot) -> list[Interval | None]:
    """Return what people see in each week; None where nothing is known yet."""
    return [_seen(kind, look) for look in pilot]


def _seen(kind: Kind, look: Comparison) -> Interval | None:
    if look.quantile is not None and _alike(look, watched=True):
        return _NOTHING_CLAIMED
    if kind.share and look.basis is Basis.CASES:
        return watched_interval(look) or _NOTHING_CLAIMED
    found = look.watched(ALPHA)
    return found if found.known else None


def _alike(look: Comparison, *, watched: bool) -> bool:
    """Tell that some value can be the quantile of both arms, so that nought is in the interval: it saves time.

    By the counts below the quantile of all cases, which is one of the pairs that `quantile_contrast` looks at.
    """
    one, other = look.treated.values, look.control.values
    if one is None or other is None or not look.quantile or not min(len(one), len(other)):
        return False
    point = float(np.quantile(np.concatenate([one, other]), look.quantile, method="inverted_cdf"))
    if look.cap is not None and point >= look.cap:
        return False
    limit = -math.log(ALPHA) if watched else normal_quantile(ALPHA / len(GATES) / 2) ** 2
    return sum(_distance(arm, point, look.quantile, watched=watched) for arm in (one, other)) < limit


def _distance(
    arm: np.ndarray[tuple[int], np.dtype[np.float64]], point: float, quantile: float, *, watched: bool
) -> float:
    expected = quantile * len(arm)
    up_to, below = int((arm <= point).sum()), int((arm < point).sum())
    if below <= expected <= up_to:
        return 0.0
    count = up_to if up_to < expected else below
    if watched:
        return share_e_value(count, len(arm), quantile, mixture_weight(T_OPT))
    return (count - expected) ** 2 / (expected * (1 - quantile))


def page(figures: Sequence[Figure]) -> str:
    """Write the page."""
    return promised(figures, VOLUMES, tuple(SHOCKS), BY_DESIGN["C"] * len(_WEEKLY) * len(VOLUMES))


STUDY = Study(
    "promises", "The promise, for every kind of KPI and every design", PARTS, measure, page, REPEATED, real=False
)
