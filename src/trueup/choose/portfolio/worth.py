"""What a use case is worth, costs and takes: expected, and in every draw. What is not declared stays unknown."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, TypeVar

import numpy as np

from trueup.choose.portfolio.metalog import Metalog, stratified
from trueup.choose.portfolio.success import BY_SCORE, Success

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator

    from numpy.typing import NDArray

    from trueup.declare.model.use_case import UseCase, ValueLine
    from trueup.kernel.quantities import Range

AT_ONCE = ("build", "labelling")
YEARLY = ("run", "retraining", "licences")
# What the budget pays: everything at once, and the first year of running (licences are part of running).
RUNNING_COST = ("run", "licences")
BUDGETED = (*AT_ONCE, *RUNNING_COST)
EFFORTS = ("engineering", "change")

Amount = TypeVar("Amount", float, "NDArray[np.float64]")


@dataclass(frozen=True, slots=True)
class Money:
    """How money over time is counted: amounts of a year fall at its end; a last part of a year counts in part."""

    years: float
    discount: float

    @property
    def annuity(self) -> float:
        """What one unit a year is worth today: sum of (1 + r)^-t over the years, the last one in part."""
        return self._over(self.years)

    @property
    def first_year(self) -> float:
        """What one unit in the first year is worth today: the annuity of at most one year."""
        return self._over(min(self.years, 1.0))

    def _over(self, years: float) -> float:
        whole = int(years)
        full = sum((1 + self.discount) ** -year for year in range(1, whole + 1))
        return full + (years - whole) * (1 + self.discount) ** -(whole + 1)


@dataclass(frozen=True, slots=True)
class Worth:
    """The expected figures of a use case, in currency and person-days; None where they are not declared.

    `value` and `cost` are present values over the horizon, both as if it worked; `committed` is the part of the cost
    that is paid whether or not it does. `uses` is what it takes of each limit. `missing` says what would have to be
    declared.
    """

    name: str
    value: float | None
    cost: float | None
    committed: float | None
    success: Success
    uses: Mapping[str, float | None]
    missing: tuple[str, ...]

    @property
    def net(self) -> float | None:
        """What is expected to be earned, all in all; None where value or cost is not declared."""
        if self.value is None or self.cost is None or self.committed is None:
            return None
        return net_value(self.success.expected, self.value, self.cost, self.committed)


@dataclass(frozen=True, slots=True)
class Drawn:
    """The same figures in every draw. `inputs` keeps, for each uncertain input, where in its range each draw lay."""

    value: NDArray[np.float64] | None
    cost: NDArray[np.float64] | None
    committed: NDArray[np.float64] | None
    success: NDArray[np.float64]
    uses: Mapping[str, NDArray[np.float64]]
    inputs: Mapping[str, NDArray[np.float64]] = field(default_factory=dict)

    @property
    def net(self) -> NDArray[np.float64] | None:
        """The same sum in every draw."""
        if self.value is None or self.cost is None or self.committed is None:
            return None
        return net_value(self.success, self.value, self.cost, self.committed)


def net_value(chance: Amount, value: Amount, cost: Amount, committed: Amount) -> Amount:
    """Return what is expected: chance times (value less what is still to be paid), less what is committed.

    What the budget pays is spent before anybody knows whether it works. Running it further, and retraining it, is paid
    by what works, and so is the value earned; what does not work is stopped by a gate within its first year.
    """
    return chance * (value - (cost - committed)) - committed


def worth_of(name: str, use_case: UseCase, success: Success, money: Money) -> Worth:
    """Return the expected figures: the means of the distributions, in closed form."""
    lines = {line: _price(value) * Metalog.through(value.range).mean for line, value in use_case.value.items()}
    parts = {part: _mean(given) for part, given in cost_parts(use_case).items()}
    missing = tuple(_missing(use_case))
    unknown_cost = any(gap.startswith("cost") for gap in missing)
    cost = None if unknown_cost else present_cost(parts, money)
    committed = None if unknown_cost else committed_cost(parts, money)
    uses: dict[str, float | None] = {"budget": None if cost is None else _sum(parts, BUDGETED)}
    for effort in EFFORTS:
        given: Range | None = getattr(use_case.effort, effort, None)
        uses[effort] = None if given is None else _mean(given)
    value = sum(lines.values()) * money.annuity if lines else None
    return Worth(name, value, cost, committed, success, uses, missing)


def drawn_worth(name: str, use_case: UseCase, success: Success, money: Money, seed: int, draws: int) -> Drawn:
    """Return the figures in every draw.

    Each input has a random stream of its own, made from the seed and its name: what is declared elsewhere does not
    move it, so that two rankings differ by what changed and not by chance.
    """
    inputs: dict[str, NDArray[np.float64]] = {}

    def draw(key: str, given: Range) -> NDArray[np.float64]:
        share = stratified(draws, stream(seed, name, key))
        if given.p10 < given.p90:
            inputs[key] = share
        return Metalog.through(given).quantile(share)

    lines = [_price(line) * draw(f"value.{key}", line.range) for key, line in use_case.value.items()]
    parts = {part: _floor(given, draw(f"cost.{part}", given)) for part, given in cost_parts(use_case).items()}
    chance = np.full(draws, success.known)
    for factor in success.unknown:
        share = inputs[f"feasibility.{factor}"] = stratified(draws, stream(seed, name, factor))
        chance = chance * np.asarray(BY_SCORE)[np.minimum((share * len(BY_SCORE)).astype(int), len(BY_SCORE) - 1)]
    uses: dict[str, NDArray[np.float64]] = {"budget": _sum(parts, BUDGETED) + np.zeros(draws)}
    for effort in EFFORTS:
        given: Range | None = getattr(use_case.effort, effort, None)
        if given is not None:
            uses[effort] = _floor(given, draw(f"effort.{effort}", given))
    unknown_cost = any(gap.startswith("cost") for gap in _missing(use_case))
    cost = None if unknown_cost else present_cost(parts, money) + np.zeros(draws)
    committed = None if unknown_cost else committed_cost(parts, money) + np.zeros(draws)
    value = sum(lines, np.zeros(draws)) * money.annuity if lines else None
    return Drawn(value, cost, committed, chance, uses, inputs)


def stream(seed: int, *names: str) -> np.random.Generator:
    """Return the random stream that belongs to a name."""
    name = hashlib.blake2b("\0".join(names).encode(), digest_size=8).digest()
    return np.random.default_rng([seed, int.from_bytes(name, "big")])


def cost_parts(use_case: UseCase) -> dict[str, Range]:
    """Return the parts of the cost that are declared."""
    parts = {part: getattr(use_case.cost, part, None) for part in (*AT_ONCE, *YEARLY)}
    return {part: given for part, given in parts.items() if given is not None}


def present_cost(parts: Mapping[str, Amount], money: Money) -> Amount | float:
    """Return what all parts cost today: what is paid at once, and what is paid every year of the horizon."""
    return _sum(parts, AT_ONCE) + _sum(parts, YEARLY) * money.annuity


def committed_cost(parts: Mapping[str, Amount], money: Money) -> Amount | float:
    """Return what the budgeted parts cost today: what is paid whether or not it works."""
    return _sum(parts, AT_ONCE) + _sum(parts, RUNNING_COST) * money.first_year


def _sum(parts: Mapping[str, Amount], names: Iterable[str]) -> Amount | float:
    return sum((parts[name] for name in names if name in parts), 0.0)


def _mean(given: Range) -> float:
    mean = Metalog.through(given).mean
    return mean if given.p10 < 0 else max(mean, 0.0)


def _floor(given: Range, amounts: NDArray[np.float64]) -> NDArray[np.float64]:
    """Return no cost and no effort below zero, unless the range itself begins there."""
    return amounts if given.p10 < 0 else np.maximum(amounts, 0.0)


def _missing(use_case: UseCase) -> Iterator[str]:
    declared = cost_parts(use_case)
    if not use_case.value:
        yield "value"
    if "build" not in declared:
        yield "cost.build"
    if not {"run", "licences"} & set(declared):
        yield "cost.run"


def range_ends(use_case: UseCase) -> Iterator[float]:
    """Yield the two ends of every declared range, value in money."""
    for line in use_case.value.values():
        yield from (line.range.p10 * _price(line), line.range.p90 * _price(line))
    efforts = (getattr(use_case.effort, effort, None) for effort in EFFORTS)
    for given in (*cost_parts(use_case).values(), *efforts):
        yield from () if given is None else (given.p10, given.p90)


def _price(line: ValueLine) -> float:
    """Return what one of a value line's units is worth; without `rate` and `each` its range is money already."""
    return (1.0 if line.rate is None else line.rate) * (1.0 if line.each is None else line.each)
