"""What an objective was to cost and what it has cost: over the use cases that serve it and were begun."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.choose.portfolio.worth import BUDGETED, cost_parts
from trueup.declare.model.use_case import Stage
from trueup.kernel.errors import DataError, LedgerBrokenError

if TYPE_CHECKING:
    from datetime import datetime

    from trueup.declare.model.use_case import UseCase
    from trueup.loop.workbench import Workbench

_BEGUN = {Stage.PILOT, Stage.PRODUCTION, Stage.STOPPED, Stage.RETIRED}


def spend_by_objective(bench: Workbench, as_of: datetime) -> dict[str, dict[str, Any]]:
    """Return for each objective `promised` (middle of the ranges that the budget pays) and `actual` to date.

    `use_cases` are those counted, `unknown` those among them of which one of the two is not known; a sum leaves them
    out, and is None when nothing is known. What is not known is never 0.
    """
    found: dict[str, dict[str, Any]] = {}
    for name in bench.programme.file.objectives:
        cases = {key: case for key, case in bench.programme.use_cases.items() if case.objective == name}
        begun = {key: case for key, case in cases.items() if case.stage in _BEGUN}
        promised = {key: _promised(case) for key, case in begun.items()}
        actual = {key: _actual(bench, key, as_of) for key in begun}
        found[name] = {
            "promised": _sum(promised),
            "actual": _sum(actual),
            "use_cases": sorted(begun),
            "unknown": sorted(key for key in begun if promised[key] is None or actual[key] is None),
        }
    return found


def _promised(case: UseCase) -> float | None:
    parts = cost_parts(case)
    return sum(parts[part].p50 for part in BUDGETED if part in parts) if parts else None


def _actual(bench: Workbench, use_case: str, as_of: datetime) -> float | None:
    try:
        return bench.observations.actuals().total("spend", use_case, as_of=as_of)
    except (DataError, LedgerBrokenError):
        return None


def _sum(amounts: dict[str, float | None]) -> float | None:
    known = [amount for amount in amounts.values() if amount is not None]
    return sum(known) if known else None
