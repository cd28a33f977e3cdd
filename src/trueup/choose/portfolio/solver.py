"""HiGHS, and nothing else knows it: a selection, or its relaxation, as a linear programme over zeros and ones."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING

import highspy
import numpy as np

from trueup.choose.portfolio.conflicts import require_possible
from trueup.choose.portfolio.problem import TOLERANCE, closure, followers
from trueup.choose.portfolio.rounding import Rounding

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from trueup.choose.portfolio.problem import Problem

SECONDS = 30.0
# The tightest that HiGHS takes (its smallest is 1e-10); rows are scaled so that a limit is 1.
_FEASIBILITY = 1e-9
_ROWWISE = 2
_MAXIMISE = -1
_INTEGER = 1


@dataclass(frozen=True, slots=True)
class Selection:
    """The chosen set, its expected net value, and how much better another could at most be.

    `gap` is (bound - objective) / max(|objective|, |bound|): 0 when the selection is proven best. `timed_out` says
    that the time limit ended the search, so that another machine may find another set.
    """

    chosen: NDArray[np.bool_]
    objective: float
    bound: float
    gap: float
    timed_out: bool


def select(problem: Problem, seconds: float = SECONDS) -> Selection:
    """Return the set of highest expected net value that keeps every limit, need and exclusion.

    Raises ConflictError when what stays leaves no portfolio.
    """
    require_possible(problem)
    if not problem.size:
        return Selection(np.zeros(0, dtype=bool), 0.0, 0.0, 0.0, timed_out=False)
    programme = Relaxation(problem, integer=True, seconds=seconds)
    shares = programme.solve(problem.net, problem.uses)
    whole = without_losers(problem, shares > 0.5)
    found = [whole] if problem.fits(whole) else []
    if programme.timed_out or not found:
        # A search that ended early may hold nothing, or less than a greedy look would find.
        found.append(Rounding(problem).round(shares, problem.net, problem.uses))
    chosen = max(found, key=lambda one: float(problem.net @ one))
    objective = float(problem.net @ chosen)
    # A search that ended at once has proven nothing; then the bound is everything that earns something.
    most = float(np.maximum(problem.net, 0.0).sum())
    bound = max(min(programme.bound, most), objective)
    # Beyond the solver's own tolerance there is no telling two sums apart.
    proven = bound - objective <= 1e-9 * float(np.abs(problem.net).max(initial=0.0))
    gap = 0.0 if proven else (bound - objective) / max(abs(objective), abs(bound))
    return Selection(chosen, objective, objective if proven else bound, gap, programme.timed_out)


def without_losers(problem: Problem, chosen: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Leave out what earns nothing with everything that was chosen only together with it.

    Beside amounts many times its own the solver cannot tell a small loss from nothing; a person can.
    """
    kept, forced = chosen.copy(), problem.forced()
    before = followers((other, one) for one, other in problem.needs)
    dropped = True
    while dropped:
        dropped = False
        for at in np.flatnonzero(kept & ~forced & (problem.net <= 0)).tolist():
            group = [one for one in closure([at], before) if kept[one]]
            if kept[at] and float(problem.net[group].sum()) <= 0:
                kept[group] = False
                dropped = True
    return kept


class Relaxation:
    """The rows of a problem, handed to HiGHS once for every vector of net values and matrix of uses.

    Without `integer` it is the linear relaxation, and each solution starts from the last one's basis.
    """

    def __init__(self, problem: Problem, *, integer: bool = False, seconds: float = SECONDS) -> None:
        self._problem = problem
        self._integer = integer
        self._forced = problem.forced()
        self._highs = highspy.Highs()
        for option, value in (
            ("output_flag", False),
            ("time_limit", seconds),
            ("mip_rel_gap", 0.0),
            ("mip_abs_gap", 1e-12),
            ("primal_feasibility_tolerance", _FEASIBILITY),
            ("mip_feasibility_tolerance", _FEASIBILITY),
            ("threads", 1),
        ):
            self._highs.setOptionValue(option, value)
        self._starts, self._index, self._values = _structure(problem)
        self._basis: highspy.HighsBasis | None = None
        self.bound = 0.0
        self.timed_out = False

    def solve(self, net: NDArray[np.float64], uses: NDArray[np.float64]) -> NDArray[np.float64]:
        """Return the share of each use case in the best solution, for these figures."""
        problem, rows = self._problem, len(self._problem.rows)
        # What stays may take more than a limit in a draw; then nothing is left for anybody else.
        limits = np.maximum(problem.limits, uses @ self._forced)
        unit = np.where(limits > 0, limits, 1.0)
        alone = uses > (limits - uses @ self._forced)[:, None] * (1 + TOLERANCE) + TOLERANCE * unit[:, None]
        upper = np.where(self._forced, 1.0, np.where(problem.barred | alone.any(axis=0), 0.0, 1.0))
        # A column that is out needs no figures, and must not bring astronomical ones.
        scaled = np.where(upper > 0, uses / unit[:, None], 0.0)
        self._values[: rows * problem.size] = scaled.ravel()
        scale = float(np.abs(np.where(upper > 0, net, 0.0)).max(initial=0.0)) or 1.0
        objective = np.where(upper > 0, net, 0.0) / scale
        upper_rows = np.concatenate([limits / unit, np.zeros(len(problem.needs)), np.ones(len(problem.excludes))])
        shares = self._run(objective, self._forced.astype(float), upper, upper_rows)
        self.bound = self.bound * scale
        return shares

    def _run(
        self,
        objective: NDArray[np.float64],
        lower: NDArray[np.float64],
        upper: NDArray[np.float64],
        upper_rows: NDArray[np.float64],
    ) -> NDArray[np.float64]:
        columns, rows = objective.size, upper_rows.size
        kinds = np.full(columns, int(self._integer), dtype=np.int32)
        self._highs.passModel(
            columns,
            rows,
            self._values.size,
            _ROWWISE,
            _MAXIMISE,
            0.0,
            objective,
            lower,
            upper,
            np.full(rows, -np.inf),
            upper_rows,
            self._starts,
            self._index,
            self._values,
            kinds,
        )
        if self._basis is not None:
            self._highs.setBasis(self._basis)
        self._highs.run()
        status = self._highs.getModelStatus()
        self.timed_out = status == highspy.HighsModelStatus.kTimeLimit
        if not self._integer and status == highspy.HighsModelStatus.kOptimal:
            self._basis = self._highs.getBasis()
        solution = self._highs.getSolution()
        info = self._highs.getInfo()
        self.bound = float(info.mip_dual_bound if self._integer else info.objective_function_value)
        return np.asarray(solution.col_value, dtype=float) if solution.value_valid else lower


def _structure(problem: Problem) -> tuple[NDArray[np.int32], NDArray[np.int32], NDArray[np.float64]]:
    """Return row starts, columns and values: limits first (every column, filled in later), then needs, then excludes.

    A need is x_i - x_j <= 0, an exclusion x_i + x_j <= 1.
    """
    dense = len(problem.rows) * problem.size
    pairs = [*problem.needs, *problem.excludes]
    starts = [*range(0, dense, problem.size), *range(dense, dense + 2 * len(pairs), 2), dense + 2 * len(pairs)]
    index = [*(list(range(problem.size)) * len(problem.rows)), *(at for pair in pairs for at in pair)]
    values = np.zeros(len(index))
    values[dense::2] = 1.0
    values[dense + 1 :: 2] = np.where(np.arange(len(pairs)) < len(problem.needs), -1.0, 1.0)
    return np.array(starts, dtype=np.int32), np.array(index, dtype=np.int32), values


def with_figures(problem: Problem, net: NDArray[np.float64], uses: NDArray[np.float64]) -> Problem:
    """Return the problem with other figures, and limits that what stays never breaks: the exact form of one draw."""
    limits = np.maximum(problem.limits, uses @ problem.forced())
    return replace(problem, net=net, uses=uses, limits=limits)
