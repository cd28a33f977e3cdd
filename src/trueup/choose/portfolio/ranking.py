"""The ranked portfolio of a programme: what each use case is worth, what is funded, and how sure that is."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from typing import TYPE_CHECKING

import numpy as np

from trueup.choose.portfolio.problem import Problem, require_no_circle
from trueup.choose.portfolio.scenarios import Draws, funded
from trueup.choose.portfolio.solver import SECONDS, Selection, select
from trueup.choose.portfolio.success import success_of
from trueup.choose.portfolio.worth import EFFORTS, Drawn, Money, Worth, drawn_worth, range_ends, worth_of
from trueup.declare.model.programme import Limits
from trueup.declare.model.use_case import Stage
from trueup.kernel.errors import DataError

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from trueup.declare.model.use_case import UseCase
    from trueup.declare.programme import Programme

DRAWS = 1_000
# Draws of a very large portfolio are fewer, so that use cases times draws stay this many.
_FIGURES = 1_000_000
_FEWEST_DRAWS = 50
SEED = 1
RUNNING = frozenset({Stage.PILOT, Stage.PRODUCTION})
ENDED = frozenset({Stage.STOPPED, Stage.RETIRED})
# Where `limits` leaves them open; the answer says so.
ASSUMED_YEARS = 3.0
ASSUMED_DISCOUNT = 0.08
# Amounts beyond this cannot be added up to the penny; nothing that is planned costs as much.
_BEYOND = 1e15


@dataclass(frozen=True, slots=True)
class Question:
    """What is asked: on which day, with which seed and how many draws, with which measured readiness of data."""

    on: date
    seed: int = SEED
    draws: int = DRAWS
    seconds: float = SECONDS
    readiness: Mapping[str, float] | None = None


@dataclass(frozen=True, slots=True)
class Ranked:
    """The answer: the problem that was solved, the selection, and the funded set of every draw.

    Positions are those of `problem.names`, sorted by id. `funded` has the shape (use cases, draws).
    """

    problem: Problem
    selection: Selection
    worths: tuple[Worth, ...]
    drawn: tuple[Drawn, ...]
    funded: NDArray[np.bool_]
    money: Money
    question: Question

    @property
    def draws(self) -> int:
        """How many draws were made."""
        return int(self.funded.shape[1])

    def p_funded(self, at: int) -> float:
        """Return the share of draws in which a use case is funded."""
        return float(self.funded[at].mean())

    def order(self) -> list[int]:
        """Return the positions in their rank: by probability of being funded, then by expected net value.

        What is unknown comes after what is known, what has ended last.
        """

        def key(at: int) -> tuple[bool, float, float, str]:
            net = self.worths[at].net
            ended = bool(self.problem.barred[at] and not self.worths[at].missing)
            return (ended, -self.p_funded(at), float("inf") if net is None else -net, self.problem.names[at])

        return sorted(range(self.problem.size), key=key)


def rank(programme: Programme, question: Question) -> Ranked:
    """Rank the use cases of a programme.

    Raises ConflictError `impossible-portfolio` (with the smallest set that conflicts) and `needs-circle`,
    DataError `beyond-figures` for amounts that cannot be added up.
    """
    cases = dict(sorted(programme.use_cases.items()))
    require_no_circle({name: case.needs for name, case in cases.items()})
    require_figures(cases)
    limits = programme.file.limits or Limits()
    money = money_of(limits)
    chances = {
        name: success_of(name, case, programme.file, question.readiness or {}, question.on)
        for name, case in cases.items()
    }
    worths = tuple(worth_of(name, case, chances[name], money) for name, case in cases.items())
    problem = problem_of(cases, worths, limits)
    selection = select(problem, question.seconds)
    draws = max(min(question.draws, _FIGURES // max(len(cases), 1)), _FEWEST_DRAWS)
    drawn = tuple(drawn_worth(name, case, chances[name], money, question.seed, draws) for name, case in cases.items())
    return Ranked(problem, selection, worths, drawn, funded(problem, figures(problem, drawn, draws)), money, question)


def money_of(limits: Limits) -> Money:
    """Return how money over time is counted."""
    years = ASSUMED_YEARS if limits.horizon is None else limits.horizon.years
    return Money(years, ASSUMED_DISCOUNT if limits.discount is None else limits.discount)


def declared_limits(limits: Limits) -> dict[str, float]:
    """Return the limits that are declared, by name."""
    named = ("budget", *EFFORTS, "parallel_pilots")
    given = {name: getattr(limits, name) for name in named}
    return {name: float(value) for name, value in given.items() if value is not None}


def problem_of(cases: Mapping[str, UseCase], worths: Sequence[Worth], limits: Limits) -> Problem:
    """Return the choice as numbers. A candidate is barred when something that decides about it is not declared."""
    names = tuple(cases)
    at = {name: position for position, name in enumerate(names)}
    rows = declared_limits(limits)
    uses = np.array([[uses_of(worth, cases[worth.name], row) or 0.0 for worth in worths] for row in rows])
    stays = [case.stage in RUNNING for case in cases.values()]
    barred = [
        case.stage in ENDED or (case.stage not in RUNNING and bool(unknowns(worth, rows)))
        for case, worth in zip(cases.values(), worths, strict=True)
    ]
    pairs = {tuple(sorted((at[one], at[two]))) for one in names for two in cases[one].excludes if two in at}
    return Problem(
        names=names,
        net=np.array([worth.net or 0.0 for worth in worths], dtype=float),
        uses=uses.reshape(len(rows), len(names)),
        limits=np.array(list(rows.values()), dtype=float),
        rows=tuple(rows),
        stays=np.array(stays, dtype=bool),
        barred=np.array(barred, dtype=bool),
        needs=tuple((at[one], at[two]) for one in names for two in dict.fromkeys(cases[one].needs) if two in at),
        excludes=tuple((one, two) for one, two in sorted(pairs)),
    )


def uses_of(worth: Worth, case: UseCase, limit: str) -> float | None:
    """Return what a use case takes of a limit; one that is not in production yet is, or would be, one pilot."""
    if limit == "parallel_pilots":
        return 0.0 if case.stage is Stage.PRODUCTION else 1.0
    return worth.uses[limit]


def unknowns(worth: Worth, limits: Mapping[str, float]) -> tuple[str, ...]:
    """Return what is not declared of a use case and has to be, before it can be chosen."""
    efforts = tuple(f"effort.{name}" for name in EFFORTS if name in limits and worth.uses[name] is None)
    return (*worth.missing, *efforts)


def figures(problem: Problem, drawn: Sequence[Drawn], draws: int) -> Draws:
    """Return every draw's figures as arrays; what is not known takes no part."""
    nothing = np.zeros(draws)
    net = np.array([nothing if one.net is None else one.net for one in drawn]).reshape(problem.size, draws)
    uses = np.zeros((len(problem.rows), problem.size, draws))
    for row, name in enumerate(problem.rows):
        if name == "parallel_pilots":
            uses[row] = problem.uses[row][:, None]
        else:
            uses[row] = np.array([one.uses.get(name, nothing) for one in drawn]).reshape(problem.size, draws)
    return Draws(net, uses)


def require_figures(cases: Mapping[str, UseCase]) -> None:
    """Raise DataError `beyond-figures` where an amount is too large to be added to others."""
    for name, case in cases.items():
        if not all(-_BEYOND <= end <= _BEYOND for end in range_ends(case)):
            raise DataError(
                "beyond-figures",
                f"A value, cost or effort of {name!r} is beyond {_BEYOND:.0e}, and cannot be added up.",
                f"Correct the ranges in use-cases/{name}.yaml.",
            )
