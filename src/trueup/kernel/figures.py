"""How numbers are written for people: value, interval, unit; the same on the terminal and on a page."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from collections.abc import Mapping

_SHORT = {"seconds": "s", "minutes": "min", "hours": "h", "days": "d", "weeks": "w", "share": "pp"}


def unit_word(unit: str | None) -> str:
    """Return the short form of a unit; shares are differences in percentage points."""
    return _SHORT.get(unit or "", unit or "")


def signed(value: float | None, unit: str | None) -> str:
    """Write a difference with its sign: `-4.1 d`, `+1.2 pp`; `?` where it is not known."""
    if value is None:
        return "?"
    scaled = value * 100 if unit == "share" else value
    return f"{scaled:+.{_digits(scaled)}f}"


def plain(value: float | None, unit: str | None) -> str:
    """Write a level: `11.6 d`, `81.2%`; `unknown` where it is not known."""
    if value is None:
        return "unknown"
    if unit == "share":
        return f"{100 * value:.1f}%"
    return f"{value:.{_digits(value)}f} {unit_word(unit)}".rstrip()


def difference(figures: Mapping[str, Any], unit: str | None) -> str:
    """Write `-4.1 d [-5.0, -3.2]` from estimate, lower and upper."""
    if figures.get("estimate") is None:
        return "unknown"
    lower, upper = signed(figures.get("lower"), unit), signed(figures.get("upper"), unit)
    return f"{signed(figures['estimate'], unit)} {unit_word(unit)} [{lower}, {upper}]"


def _digits(value: float) -> int:
    size = abs(value)
    if size >= 100:
        return 0
    return 1 if size >= 1 or size == 0 else 2
