"""What an action may use up: how often, and how much of it, within a window or for one case.

    limits: {per_hour: 10, per_day: 200, per_case: 1, amount: {at_most: 500, per_day: 5000}, budget: {per_month: 300}}

A number beside a window counts calls; under an argument's name it bounds the sum of that argument; under `budget`
the sum of the action's declared `costs`. The workflow's own `budget` bounds the costs of all its actions together.
Windows are those of the calendar in UTC. Sums are exact: whole numbers of ten-thousandths, as Cedar's decimals are.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.enforce.request import decimal_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping
    from datetime import datetime

    from trueup.declare.model.workflow import Action, Workflow

BUDGET = "budget"
PER_DAY = "per_day"
PER_CASE = "per_case"
_WINDOWS = {
    "per_minute": "%Y-%m-%dT%H:%M",
    "per_hour": "%Y-%m-%dT%H",
    PER_DAY: "%Y-%m-%d",
    "per_week": "%G-W%V",
    "per_month": "%Y-%m",
}
WITHIN = frozenset({*_WINDOWS, PER_CASE})
BOUNDS = frozenset({"at_most", "at_least"})
UNITS = 10_000


@dataclass(frozen=True, slots=True)
class Limit:
    """At most `most` within a window. `of` is an argument, `budget` (costs), or None (calls, counted).

    `action` is None where all actions of the workflow count together. `most` is in ten-thousandths unless calls
    are counted.
    """

    name: str
    action: str | None
    of: str | None
    within: str
    most: int

    def window(self, at: datetime, case: str | None) -> str | None:
        """Return the name of the window that an instant (or a case) lies in; None where there is no case."""
        return case if self.within == PER_CASE else at.strftime(_WINDOWS[self.within])

    def amount(self, reserved: Mapping[str, object], costs: int) -> int:
        """Return how much an intent takes of it."""
        if self.of is None:
            return 1
        return costs if self.of == BUDGET else units_of(reserved.get(self.of)) or 0

    @property
    def says(self) -> str:
        """The limit, in words."""
        most = f"{self.most / UNITS:g}" if self.of else f"{self.most}"
        what = {None: "", BUDGET: " of cost"}.get(self.of, f" of {self.of}")
        whole = "" if self.action or self.of is None else ", all actions together"
        zone = "" if self.within == PER_CASE else " (UTC)"
        return f"at most {most}{what} a {self.within.removeprefix('per_')}{zone}{whole}, counted from the ledger"


def units_of(value: object) -> int | None:
    """Return a number, or one written as decimals are, in ten-thousandths; None for what is no exact number."""
    written = value if isinstance(value, str) else decimal_of(value) if isinstance(value, int | float) else None
    if written is None:
        return None
    sign = -1 if written.startswith("-") else 1
    whole, _, rest = written.lstrip("-").partition(".")
    return sign * (int(whole) * UNITS + int(rest.ljust(4, "0") or "0")) if (whole + rest).isdecimal() else None


def summed(action: Action) -> list[str]:
    """Return the arguments whose sum an action limits; their values are reserved with the intent."""
    return [
        name
        for name, declared in action.limits.items()
        if name not in WITHIN and name != BUDGET and isinstance(declared, dict) and set(declared) & WITHIN
    ]


def costs_of(action: Action) -> int | None:
    """Return what one call costs, in ten-thousandths; None where it is not declared."""
    return None if action.costs is None else units_of(action.costs)


def limits_of(workflow: Workflow) -> tuple[Limit, ...]:
    """Return the limits that are counted. What cannot be enforced is not among them: see `unusable`."""
    found = [limit for key, action in workflow.actions.items() for limit in _of_action(key, action)]
    for within, declared in workflow.budget.items():
        most = units_of(declared)
        # Below zero nothing fits: a budget that cannot be counted exactly lets nothing pass.
        found.append(Limit(f"{BUDGET}.{within}", None, BUDGET, within, -1 if most is None else most))
    return tuple(found)


def _of_action(key: str, action: Action) -> Iterator[Limit]:
    for name, declared in action.limits.items():
        if name in WITHIN:
            if whole(declared) is not None:
                yield Limit(name, key, None, name, declared)
        elif isinstance(declared, dict):
            for within in declared:
                most = units_of(declared[within])
                if within in WITHIN and most is not None and most >= 0:
                    yield Limit(f"{name}.{within}", key, name, within, most)


def unusable(name: str, declared: object, action: Action) -> str | None:
    """Return why a declared limit cannot be enforced; None when it can."""
    if name in WITHIN:
        return None if whole(declared) is not None else "is no whole number"
    if not isinstance(declared, dict) or not declared:
        return "is no list of bounds"
    known = WITHIN if name == BUDGET else WITHIN | BOUNDS
    for bound, value in declared.items():
        if bound not in known:
            return f"has {bound!r}, which is none of {', '.join(sorted(known))}"
        units = units_of(value)
        if units is None or isinstance(value, bool | str):
            return f"has {bound}: {value!r}, which is no number with at most four decimals"
        if units < 0 and bound in WITHIN:
            return f"has {bound}: {value!r}, which is below 0"
    if name == BUDGET and costs_of(action) is None:
        return "needs `costs`, what one call costs"
    return None


def whole(declared: Any) -> int | None:
    """Return a count; None for what is no whole number from 0 to 2^53."""
    plain = isinstance(declared, int) and not isinstance(declared, bool)
    return declared if plain and 0 <= declared < 2**53 else None
