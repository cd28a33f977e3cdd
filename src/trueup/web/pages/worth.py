"""Why this rank: from a use case's value, cost and chance to the declared ranges, factors and lines behind them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.choose.portfolio.ranking import money_of
from trueup.choose.portfolio.worth import AT_ONCE, BUDGETED, cost_parts
from trueup.declare.model.programme import Limits
from trueup.declare.programme import use_case_file
from trueup.kernel.errors import NotFoundError
from trueup.kernel.text import did_you_mean
from trueup.web.pages.portfolio import portfolio

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trueup.declare.model.use_case import UseCase
    from trueup.kernel.quantities import Range
    from trueup.web.site import Look, Site


def worth(site: Site, look: Look, name: str) -> dict[str, Any]:
    """Return what a use case's place in the portfolio rests on. Raises NotFoundError for one that is not declared."""
    programme = site.checked(look).programme
    if name not in programme.use_cases:
        raise NotFoundError(
            "no-such-use-case",
            f"There is no use case {name!r}.{did_you_mean(name, programme.use_cases)}",
            "The declared ones are on the page Portfolio.",
        )
    ranked = portfolio(site, look, {})
    case = programme.use_cases[name]
    money = money_of(programme.file.limits or Limits())
    return {
        "id": name,
        "programme": ranked["programme"],
        "currency": ranked["currency"],
        "files": ranked["files"],
        "ranked": next(one for one in ranked["use_cases"] if one["id"] == name),
        "annuity": money.annuity,
        "years": money.years,
        "discount": money.discount,
        "values": [_value(site, look, name, line, case) for line in case.value],
        "costs": [_cost(site, look, name, part, given) for part, given in cost_parts(case).items()],
        "workflows": programme.workflows_of(name),
        "declared": _line(site, look, name),
    }


def _value(site: Site, look: Look, name: str, line: str, case: UseCase) -> dict[str, Any]:
    value = case.value[line]
    return {
        "line": line,
        "range": _range(value.range),
        "rate": value.rate,
        "each": value.each,
        "measured_by": value.measured_by.kpi if value.measured_by else None,
        "declared": _line(site, look, name, "value", line),
    }


def _cost(site: Site, look: Look, name: str, part: str, given: Range) -> dict[str, Any]:
    return {
        "part": part,
        "range": _range(given),
        "paid": "at once" if part in AT_ONCE else "every year",
        "in_budget": part in BUDGETED,
        "declared": _line(site, look, name, "cost", part),
    }


def _range(given: Range) -> Mapping[str, float]:
    return {"p10": given.p10, "p50": given.p50, "p90": given.p90}


def _line(site: Site, look: Look, name: str, *path: str) -> dict[str, Any]:
    span = site.checked(look).programme.places.of(use_case_file(name), *path)
    return {"file": span.file, "line": span.line, "col": span.col}
