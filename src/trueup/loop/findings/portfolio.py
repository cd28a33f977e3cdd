"""Money: spent in proportion to the value that is now expected."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.declare.check.subject import DEAD
from trueup.declare.programme import use_case_file
from trueup.loop.facts.money import money

if TYPE_CHECKING:
    from collections.abc import Iterator

    from trueup.declare.model.use_case import UseCase
    from trueup.kernel.quantities import Range
    from trueup.loop.findings.seen import Found, Seen

YEARS = 3.0
_YEARLY = ("run", "retraining", "licences")


def spend_past_value(seen: Seen) -> Iterator[Found]:
    """PORT03: what was spent exceeds the value now expected over the horizon, less what running will cost."""
    file = seen.bench.programme.file
    years = file.limits.horizon.years if file.limits and file.limits.horizon else YEARS
    for figures in money(seen.bench, seen.as_of, seen.only):
        use_case = seen.bench.programme.use_cases[figures.use_case]
        if use_case.stage in DEAD or figures.spend is None or figures.expected is None:
            continue
        expected = (figures.expected - _running(use_case)) * years
        if figures.spend > max(expected, 0.0):
            basis = "measured" if figures.measured is not None else "promised"
            detail = (
                f"{figures.spend:,.0f} are spent on {figures.use_case!r}; {basis} are {figures.expected:,.0f} a year, "
                f"which leaves {expected:,.0f} over {years:g} years after running costs."
            )
            fix = "Decide again on these figures: stop, cut the scope, or approve the new case as what it is."
            where = seen.place(use_case_file(figures.use_case), "value")
            yield seen.found("PORT03", figures.use_case, where, detail, fix, basis)


def _running(use_case: UseCase) -> float:
    parts: list[Range | None] = [getattr(use_case.cost, part, None) for part in _YEARLY]
    return sum(part.p50 for part in parts if part is not None)


RULES = (spend_past_value,)
