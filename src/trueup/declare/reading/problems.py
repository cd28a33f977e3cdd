"""Findings of reading: what is wrong with a file before any rule is asked. Their pages stand with the rules'."""

from __future__ import annotations

from trueup.declare.check import files
from trueup.kernel.finding import Finding, Span

_PAGES = {rule.page.code: rule.page for rule in files.RULES}


def problem(code: str, where: Span, detail: str, fix: str) -> Finding:
    """Return a finding with the severity and the summary of its code's page."""
    return _PAGES[code].finding(where, detail, fix)
