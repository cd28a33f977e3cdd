"""Worlds in which nothing happens (or something does), and how often the methods claim that it did.

Support for the tests of promises: cases are drawn, the product's own functions decide. Seeds are fixed.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import numpy as np
from scipy import special, stats

from trueup.evidence import gates, sequences
from trueup.evidence.moments import Interval, Moments

if TYPE_CHECKING:
    from collections.abc import Iterator

    from numpy.typing import NDArray

    Floats = NDArray[np.float64]

WEEKS = 12
BASELINE = 8
GATES = (4, 8, 12)
ALPHA = 0.05
# Entry conditions of a gate, as the programme format has them.
LEAST_AT_GATE = 30
LEAST_EVENTS = 5
_CHUNK = 500


@dataclass(frozen=True)
class World:
    """A process: the kind of its values, cases a week, weekly shocks (intraclass correlation, AR(1)).

    `holdout` is the control's share; None compares with a frozen baseline of 8 weeks. `effect` is the treated
    mean's change: in standard deviations for normal values, relative for the others, absolute for shares.
    `ratio` is the bar that claims are counted against: 1 for a change at all.
    """

    kind: str
    per_week: int
    holdout: float | None = None
    icc: float = 0.0
    phi: float = 0.0
    effect: float = 0.0
    share: float = 0.05
    baseline: int = BASELINE
    ratio: float = 1.0

    def __str__(self) -> str:
        kind = f"{self.kind} {self.share:g}" if self.kind == "share" else self.kind
        design = f"after {self.baseline} weeks" if self.holdout is None else f"holdout {self.holdout:.0%}"
        shocks = f" shocks {self.icc:g}/{self.phi:g}" if self.icc else ""
        return f"{kind} {self.per_week} a week {design}{shocks}"


@dataclass(frozen=True)
class Claims:
    """In how many pilots something was claimed; `by_look` is the share that did so at that look or before."""

    pilots: int
    up: int
    down: int
    either: int
    by_look: tuple[float, ...]

    def proves_more_than(self, level: float, confidence: float = 0.999) -> bool:
        """Tell whether `either` is too many for the level, beyond the play of chance (Clopper and Pearson)."""
        failures = self.pilots - self.either + 1
        return self.either > 0 and float(stats.beta.ppf(1 - confidence, self.either, failures)) > level

    def rate(self) -> float:
        """Return the share of pilots with a claim in either direction."""
        return self.either / self.pilots


def draw(world: World, pilots: int, weeks: int, rng: np.random.Generator) -> Floats:
    """Return values (pilots, weeks, cases) of an untouched process."""
    shock = _shocks(world, pilots, weeks, rng)[:, :, None]
    shape = (pilots, weeks, world.per_week)
    if world.kind == "exponential":
        # A factor of variance c on a unit exponential has intraclass correlation c / (1 + 2 c).
        spread = math.log1p(world.icc / (1 - 2 * world.icc))
        return rng.standard_exponential(shape) * np.exp(math.sqrt(spread) * shock - spread / 2)
    normal = math.sqrt(world.icc) * shock + math.sqrt(1 - world.icc) * rng.standard_normal(shape)
    if world.kind == "normal":
        return normal
    if world.kind == "lognormal":
        return np.exp(normal)
    return (normal < special.ndtri(world.share)).astype(np.float64)


def _shocks(world: World, pilots: int, weeks: int, rng: np.random.Generator) -> Floats:
    shocks = rng.standard_normal((pilots, weeks))
    for week in range(1, weeks):
        shocks[:, week] = world.phi * shocks[:, week - 1] + math.sqrt(1 - world.phi**2) * shocks[:, week]
    return shocks


def affected(world: World, values: Floats, rng: np.random.Generator) -> Floats:
    """Return what the values would have been under treatment."""
    if world.effect == 0:
        return values
    if world.kind == "normal":
        return values + world.effect
    if world.kind != "share":
        return values * (1 + world.effect)
    if world.effect > 0:
        return np.maximum(values, rng.random(values.shape) < world.effect / (1 - world.share))
    return values * (rng.random(values.shape) >= -world.effect / world.share)


@dataclass(frozen=True)
class Pilot:
    """Cumulated moments of both arms after each of 12 weeks, and the weekly means of a frozen comparison."""

    treated: list[Moments]
    control: list[Moments]
    baseline_weeks: Floats
    weeks: Floats


def pilots_of(world: World, pilots: int, seed: int) -> Iterator[Pilot]:
    """Yield pilots, drawn in chunks."""
    rng = np.random.default_rng(seed)
    for start in range(0, pilots, _CHUNK):
        count = min(_CHUNK, pilots - start)
        yield from _frozen(world, count, rng) if world.holdout is None else _concurrent(world, count, rng)


def _frozen(world: World, count: int, rng: np.random.Generator) -> Iterator[Pilot]:
    values = draw(world, count, world.baseline + WEEKS, rng)
    before, after = values[:, : world.baseline], affected(world, values[:, world.baseline :], rng)
    grown = _cumulated(after, np.ones(after.shape, dtype=bool))
    for index in range(count):
        yield Pilot(
            grown[index], [Moments.of(before[index].ravel())] * WEEKS, before[index].mean(1), after[index].mean(1)
        )


def _concurrent(world: World, count: int, rng: np.random.Generator) -> Iterator[Pilot]:
    values = draw(world, count, WEEKS, rng)
    treated = rng.random(values.shape) >= (world.holdout or 0.0)
    values = np.where(treated, affected(world, values, rng), values)
    arms = _cumulated(values, treated), _cumulated(values, ~treated)
    nothing = np.array([], dtype=np.float64)
    for index in range(count):
        yield Pilot(arms[0][index], arms[1][index], nothing, nothing)


def _cumulated(values: Floats, chosen: NDArray[np.bool_]) -> list[list[Moments]]:
    """Return moments after each week; centred on the grand mean so that sums of squares lose nothing."""
    centre = float(values.mean()) if values.max() > 1 or values.min() < 0 else 0.0
    moved = np.where(chosen, values - centre, 0.0)
    n = np.cumsum(chosen.sum(2), axis=1)
    totals, squares = np.cumsum(moved.sum(2), axis=1), np.cumsum((moved * moved).sum(2), axis=1)
    return [
        [_moments(int(n[i, w]), float(totals[i, w]), float(squares[i, w]), centre) for w in range(WEEKS)]
        for i in range(len(values))
    ]


def _moments(n: int, total: float, squares: float, centre: float) -> Moments:
    centred = Moments.from_sums(n, total, squares)
    return replace(centred, mean=centred.mean + centre if n else 0.0)


def gate_interval(world: World, pilot: Pilot, week: int) -> Interval | None:
    """Return the gate interval after `week` weeks, at a third of 5%; None where the gate must hold its tongue."""
    treated, control = pilot.treated[week - 1], pilot.control[week - 1]
    alpha = ALPHA / len(GATES)
    if world.kind == "share" and _rarer(treated, control) < LEAST_EVENTS:
        return None
    if world.holdout is None:
        enough = treated.n >= LEAST_AT_GATE
        return gates.block_contrast(pilot.weeks[:week], pilot.baseline_weeks, alpha, world.ratio) if enough else None
    if min(treated.n, control.n) < LEAST_AT_GATE:
        return None
    if world.kind == "share":
        return gates.share_contrast(events(treated), treated.n, events(control), control.n, alpha, world.ratio)
    return gates.mean_contrast(treated, control, alpha, world.ratio)


def watched_interval(world: World, pilot: Pilot, week: int) -> Interval | None:
    """Return what people watch after `week` weeks."""
    treated, control = pilot.treated[week - 1], pilot.control[week - 1]
    if world.holdout is None:
        return sequences.frozen_blocks(pilot.baseline_weeks, pilot.weeks[:week], ALPHA, world.ratio)
    return case_interval(world, treated, control)


def case_interval(world: World, treated: Moments, control: Moments) -> Interval | None:
    """Return the sequence over single cases: exact for shares, asymptotic for means."""
    if world.kind != "share":
        return sequences.concurrent_means(treated, control, ALPHA, world.ratio)
    if world.ratio == 1 and _plainly_nothing(treated, control):
        return None
    return sequences.concurrent_shares(events(treated), treated.n, events(control), control.n, ALPHA, world.ratio)


def frozen_case_interval(world: World, pilot: Pilot, week: int) -> Interval | None:
    """Return the sequence over single cases against the frozen baseline, for weeks without shocks."""
    treated, control = pilot.treated[week - 1], pilot.control[week - 1]
    if world.kind != "share":
        return sequences.frozen_means(control, treated, ALPHA, world.ratio)
    return sequences.frozen_shares(events(control), control.n, events(treated), treated.n, ALPHA, world.ratio)


def events(arm: Moments) -> int:
    """Return the number of ones behind the moments of a share."""
    return round(arm.n * arm.mean)


def _rarer(treated: Moments, control: Moments) -> int:
    seen = events(treated) + events(control)
    return min(seen, treated.n + control.n - seen)


def _plainly_nothing(treated: Moments, control: Moments) -> bool:
    """Tell that no exact sequence can claim: a mixture never beats the best shares, so it needs their e-value.

    It only saves time.
    """
    if min(treated.n, control.n) == 0:
        return True
    pooled = (events(treated) + events(control)) / (treated.n + control.n)
    best = sum(
        arm.n * float(special.kl_div(arm.mean, pooled) + special.kl_div(1 - arm.mean, 1 - pooled))
        for arm in (treated, control)
    )
    return best <= -math.log(ALPHA)


def at_gates(world: World, pilots: int, seed: int) -> Claims:
    """Count claims (interval beyond 0) at the gates of weeks 4, 8 and 12."""
    return _count([[gate_interval(world, pilot, week) for week in GATES] for pilot in pilots_of(world, pilots, seed)])


def watched(world: World, pilots: int, seed: int, *, by_case: bool = False) -> Claims:
    """Count claims in 12 weekly looks at the watched sequence; `by_case` uses the frozen sequences over cases."""
    look = frozen_case_interval if by_case else watched_interval
    return _count(
        [[look(world, pilot, week) for week in range(1, WEEKS + 1)] for pilot in pilots_of(world, pilots, seed)]
    )


def _count(looks: list[list[Interval | None]]) -> Claims:
    up = np.array([[seen is not None and seen.clears(0, 1) for seen in pilot] for pilot in looks])
    down = np.array([[seen is not None and seen.clears(0, -1) for seen in pilot] for pilot in looks])
    ever = np.logical_or.accumulate(up | down, axis=1)
    return Claims(
        len(looks), int(up.any(1).sum()), int(down.any(1).sum()), int(ever[:, -1].sum()), tuple(ever.mean(0).tolist())
    )
