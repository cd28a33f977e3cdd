"""All rules in one list: what runs, and every page that can be explained."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import date
from types import MappingProxyType

from trueup.declare.check import (
    data,
    files,
    gates,
    governance,
    kpis,
    objectives,
    owners,
    people,
    portfolio,
    runtime,
    strategy,
)
from trueup.declare.check.rule import Page, Rule
from trueup.declare.check.subject import Subject
from trueup.declare.programme import Programme
from trueup.kernel.errors import NotFoundError
from trueup.kernel.finding import Finding
from trueup.kernel.text import did_you_mean

RULES: tuple[Rule, ...] = (
    *files.RULES,
    *owners.RULES,
    *objectives.RULES,
    *kpis.RULES,
    *gates.RULES,
    *portfolio.RULES,
    *data.RULES,
    *strategy.RULES,
    *governance.RULES,
    *runtime.RULES,
    *people.RULES,
)
PAGES: Mapping[str, Page] = MappingProxyType({rule.page.code: rule.page for rule in RULES})
# Codes that the declared files decide alone: where no finding of them is found now, there is none.
COMPLETE = frozenset(rule.page.code for rule in RULES if rule.complete)


def run(programme: Programme, today: date) -> list[Finding]:
    """Return what the rules find in the declared files alone, as of a day, by place.

    A rule that raises is a defect and is not hidden: it raises here.
    """
    subject = Subject(programme, today)
    return sorted((finding for rule in RULES for finding in rule.findings(subject)), key=Finding.sort_key)


def explain(code: str) -> Page:
    """Return the page of a code, in whatever case it was typed. Raises NotFoundError for a code that is none."""
    page = PAGES.get(code.upper())
    if page is None:
        raise NotFoundError(
            "no-such-code",
            f"{code!r} is not the code of a finding.{did_you_mean(code.upper(), PAGES)}",
            "The codes stand in docs/reference/findings.md.",
        )
    return page
