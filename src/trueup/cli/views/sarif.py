"""Findings in SARIF 2.1.0, the form in which code hosts show them beside the lines of a change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any
from urllib.parse import quote

from trueup import __version__

_SCHEMA = "https://docs.oasis-open.org/sarif/sarif/v2.1.0/errata01/os/schemas/sarif-schema-2.1.0.json"


def sarif_log(
    findings: Iterable[Mapping[str, Any]], pages: Mapping[str, Mapping[str, str]], folder: str
) -> dict[str, Any]:
    """Return a SARIF log with one run. `pages` explains every code that occurs, `folder` leads to the programme."""
    found = list(findings)
    codes = sorted({finding["code"] for finding in found})
    driver = {
        "name": "trueup",
        "semanticVersion": __version__,
        "rules": [_rule(pages[code]) for code in codes],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(finding, codes.index(finding["code"]), folder) for finding in found],
    }
    return {"$schema": _SCHEMA, "version": "2.1.0", "runs": [run]}


def _rule(page: Mapping[str, str]) -> dict[str, Any]:
    markdown = f"{page['why']}\n\n**Fix.** {page['fix']}\n\n```yaml\n{page['example']}\n```\n"
    return {
        "id": page["code"],
        "shortDescription": {"text": page["title"]},
        "fullDescription": {"text": page["why"]},
        "help": {"text": f"{page['why']}\n\n{page['fix']}", "markdown": markdown},
        "defaultConfiguration": {"level": page["severity"]},
    }


def _result(finding: Mapping[str, Any], rule_index: int, folder: str) -> dict[str, Any]:
    region = {"startLine": finding["line"], "startColumn": finding["col"]}
    artifact = {"uri": quote(f"{folder}{finding['file']}"), "uriBaseId": "%SRCROOT%"}
    result: dict[str, Any] = {
        "ruleId": finding["code"],
        "ruleIndex": rule_index,
        "level": finding["severity"],
        "message": {"text": f"{finding['summary']}. {finding['detail']} {finding['fix']}"},
        "locations": [{"physicalLocation": {"artifactLocation": artifact, "region": region}}],
    }
    if "waived" in finding:
        result["suppressions"] = [{"kind": "inSource", "status": "accepted", "justification": finding["waived"]}]
    return result
