"""How people read the route, the ranked portfolio and the plan."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from trueup.cli.views.figures import wrapped

if TYPE_CHECKING:
    from collections.abc import Mapping


def rank_text(data: Mapping[str, Any]) -> str:
    """Render the portfolio: a line a use case with its ranges, then why, then what the set takes of each limit."""
    if not data["use_cases"]:
        return "There are no use cases to rank. Each is a file in use-cases/."
    currency = data["currency"] or "no currency"
    lines = [f"Portfolio as of {data['as_of']} · {currency} over {data['horizon']['years']:g} years", ""]
    lines.append(f"     {'use case':<24}{'value p10..p90':>17}{'cost p50':>10}{'chance':>8}{'P(funded)':>11}")
    for case in data["use_cases"]:
        mark = "in " if case["selected"] else "out"
        lines.append(
            f"{mark}  {case['id'][:23]:<24}{_span(case['value']):>17}{_middle(case['cost']):>10}"
            f"{case['success']:>8.2f}{case['p_funded']:>11.2f}"
        )
        lines += [wrapped(reason, 5) for reason in case["because"]]
    lines += ["", "Taken of the limits:"]
    lines += [f"  {_limit(name, row)}" for name, row in data["limits"].items()] or ["  no limit is declared"]
    gap = "proven best" if data["gap"] == 0 else f"within {data['gap']:.2%} of the best possible"
    lines += ["", f"Expected net value {data['expected_net']:,.0f}, {gap}; {data['draws']} draws, seed {data['seed']}."]
    lines += [wrapped(f"note: {note}", 0) for note in data["notes"]]
    return "\n".join(lines)


def _span(figures: Mapping[str, float] | None) -> str:
    return "unknown" if figures is None else f"{amount(figures['p10'])}..{amount(figures['p90'])}"


def _middle(figures: Mapping[str, float] | None) -> str:
    return "unknown" if figures is None else amount(figures["p50"])


def amount(value: float) -> str:
    """Write money in three or four digits: 940, 12.3k, 4.5M."""
    size = abs(value)
    for unit, name in ((1e9, "bn"), (1e6, "M"), (1e3, "k")):
        if size >= unit * 0.9995:
            return f"{value / unit:.{0 if size >= unit * 100 else 1}f}{name}"
    return f"{value:.0f}"


def _limit(name: str, row: Mapping[str, Any]) -> str:
    unknown = f", not known for {', '.join(row['unknown'])}" if row["unknown"] else ""
    return f"{name.replace('_', ' '):<16}{row['used']:>12,.0f} of {row['limit']:,.0f}{unknown}"
