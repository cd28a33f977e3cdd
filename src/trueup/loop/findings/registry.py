"""All dynamic findings of a programme at an instant, waivers applied."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

from trueup.declare.check import waivers
from trueup.loop.findings import (
    autonomy,
    control,
    data,
    groups,
    operation,
    people,
    pilots,
    portfolio,
    segments,
    strategy,
)
from trueup.loop.findings.seen import Seen

if TYPE_CHECKING:
    from datetime import datetime

    from trueup.loop.findings.seen import Found
    from trueup.loop.workbench import Workbench

RULES = (
    *pilots.RULES,
    *segments.RULES,
    *strategy.RULES,
    *data.RULES,
    *portfolio.RULES,
    *people.RULES,
    *control.RULES,
    *groups.RULES,
    *operation.RULES,
    *autonomy.RULES,
)


def findings_of(bench: Workbench, as_of: datetime, only: str | None = None) -> list[Found]:
    """Return what data, ledger and calendar show by an instant, by place; with `only`, about one workflow."""
    seen = Seen(bench, as_of, only)
    found = [one for rule in RULES for one in rule(seen)]
    marked = waivers.covered(bench.programme, [one.finding for one in found], as_of.date())
    both = (replace(one, finding=finding) for one, finding in zip(found, marked, strict=True))
    return sorted(both, key=lambda one: one.finding.sort_key())
