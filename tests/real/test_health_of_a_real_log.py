"""Model health on incidents of a real service desk, in which no model ran: the group that took each is the answer.

A test of cases would call some of its fields drifted, because cases of one week resemble each other. Weeks in random
order do as much: nothing is claimed.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import numpy as np
import pytest
from scipy import stats

from trueup.evidence.health.cells import category_cells
from trueup.kernel.clock import parse_instant
from trueup.kernel.progress import silent
from trueup.loop.health.report import health
from trueup.loop.health.seen import NotKnown, cases_of
from trueup.workspace import opened

INPUTS = ("contact_type", "priority", "impact", "location", "u_symptom")
BLOCK = f"""\
groups: {{field: priority, rates_within: 10pp}}
health:
  reference: {{from: 2016-02-29, to: 2016-04-10}}
  inputs: [{", ".join(INPUTS)}]
  answer: group
  selected: ['70']
  escalated: [Awaiting User Info]
"""
AT = parse_instant("2016-06-12T00:00:00Z")


@pytest.fixture(scope="module")
def incidents(repository: Path, shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    root = tmp_path_factory.mktemp("health") / "incidents"
    shutil.copytree(repository / "examples" / "servicenow-incidents", root)
    (root / "data").mkdir()
    log = shared_data / "logs" / "servicenow" / "incident_event_log.zip"
    (root / "data" / log.name).symlink_to(log.resolve())
    with (root / "workflows" / "incident-triage.yaml").open("a", encoding="utf-8") as stream:
        stream.write(BLOCK)
    file = root / "programme.yaml"
    words = ", ".join(f"{name}: {{type: text}}" for name in ("group", "location", "u_symptom"))
    file.write_text(
        file.read_text("utf-8").replace("sla: {one_of: ['true']}}", f"sla: {{one_of: ['true']}}, {words}}}"), "utf-8"
    )
    return root


def test_what_cases_call_drift_whole_weeks_do_by_chance(incidents: Path) -> None:
    with opened(incidents, silent) as bench:
        report = health(bench, "incident-triage", AT)["incident-triage"]
        cases = cases_of(bench, "incident-triage", AT)
    assert not isinstance(cases, NotKnown)
    assert (report["reference"]["cases"], report["recent"]["cases"]) == (11774, 12160)
    assert {one["state"] for one in report["fields"]} == {"steady"}
    assert report["joint"]["state"] == "steady"
    by_cases = {}
    for name in INPUTS:
        cells = category_cells(cases.fields.first[name])
        table = np.array([cells.counts(cases.earlier), cells.counts(cases.later)])
        by_cases[name] = float(stats.chi2_contingency(table).pvalue)
    assert {name for name, p in by_cases.items() if p < 1e-6} >= {"location", "u_symptom"}


def test_rates_differ_between_priorities_and_what_has_no_label_is_unknown(incidents: Path) -> None:
    with opened(incidents, silent) as bench:
        report = health(bench, "incident-triage", AT)["incident-triage"]
    assert report["calibration"]["unknown"]["code"] == "not-declared"
    rates = {rate["rate"]: rate for rate in report["groups"]["rates"]}
    assert rates["selection"]["difference"]["estimate"] == pytest.approx(0.451, abs=1e-3)
    assert rates["selection"]["difference"]["lower"] == pytest.approx(0.306, abs=1e-3)
    assert rates["escalation"]["difference"]["lower"] > 0
    assert rates["error"]["unknown"]["code"] == "not-declared"
