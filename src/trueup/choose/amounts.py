"""How money is written where there is little room."""

from __future__ import annotations

_UNITS = ((1e12, "tn"), (1e9, "bn"), (1e6, "M"), (1e3, "k"))


def amount(value: float) -> str:
    """Write money in three or four digits: 940, 12.3k, 4.5M."""
    size = abs(value)
    for unit, name in _UNITS:
        if size >= unit * 0.9995:
            return f"{value / unit:.{0 if size >= unit * 99.95 else 1}f}{name}"
    return f"{value:.0f}"


def between(figures: dict[str, float] | None) -> str:
    """Write the width of a range: `12.0k..63.9k`."""
    return "unknown" if figures is None else f"{amount(figures['p10'])}..{amount(figures['p90'])}"


def middle(figures: dict[str, float] | None) -> str:
    """Write the middle of a range."""
    return "unknown" if figures is None else amount(figures["p50"])
