"""A small sound programme, to be broken in one place at a time. Northwind is simulated."""

from __future__ import annotations

from datetime import date
from pathlib import Path

from trueup.declare.read import Checked, read_programme

TODAY = date(2018, 1, 10)

FILES = {
    "programme.yaml": """\
programme: Northwind finance
sponsor: coo
currency: GBP
people:
  coo: {name: Chief, roles: [sponsor]}
  lead: {name: Lead, roles: [owner]}
objectives:
  repay-faster:
    outcome: Repaid in a week
    kpi: triage.cycle_time
    targets: [{by: 2018-12-31, reach: -30%}]
    owner: lead
data:
  forms: {source: data/forms.csv, fields: {amount: Amount}}
assumptions:
  complete:
    says: Nine in ten
    measure: data.forms.completeness(amount)
    at_least: 0.9
    supports: [triage]
""",
    "use-cases/triage.yaml": """\
use_case: Triage of forms
objective: repay-faster
owner: lead
stage: candidate
approach: {choice: build, alternatives: {buy: {because_not: price}}}
risk: {eu_ai_act: minimal, personal_data: false}
feasibility: {data: data.forms}
""",
    "workflows/triage.yaml": """\
workflow: Triage
use_case: triage
owners: {business: lead}
events: {data: forms, case: case, activity: activity, at: time, matures_after: 14d}
kpis:
  cycle_time: {duration: {from: first A, to: last B}, better: lower, worth_having: -10%}
  quality: {share: {without: [C]}, better: higher}
pilot:
  primary: cycle_time
  guardrails: {quality: {no_worse_than: -2pp}}
  gates: {week-4: {}, week-8: {}, week-12: {scale: true}}
""",
}


def write(root: Path, **changed: str | bytes | None) -> Path:
    """Write the programme; a keyword is a file's path with __ for / (and no ending), its value the text instead."""
    files: dict[str, str | bytes | None] = dict(FILES)
    files |= {_file(name): text for name, text in changed.items()}
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if text is not None:
            path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return root


def _file(name: str) -> str:
    return f"{name.replace('__', '/').replace('use_cases', 'use-cases')}.yaml"


def replaced(file: str, old: str, new: str) -> str:
    """Return a file's text with one thing in it said otherwise."""
    assert FILES[file].count(old) == 1, (file, old)
    return FILES[file].replace(old, new)


def codes(checked: Checked) -> list[tuple[str, str]]:
    """Return code and place of every error."""
    return sorted((found.code, str(found.where)) for found in checked.errors)


def check(root: Path) -> Checked:
    """Read and check as of a fixed day."""
    return read_programme(root, TODAY)
