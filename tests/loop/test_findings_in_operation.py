"""What the log of a workflow in operation shows: each finding on a log where it is true, and none where it is not."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.loop.operating import Work, documented, found, operating
from tests.running import run_trueup

UNANSWERED = "unanswered: {kpi: unanswered, topic: topic}\n"
EXCEPTIONS = "exceptions: {at_most: 10%, kpi: escalated}\n"
GROUPS = "groups: {field: group, rates_within: 5pp, kpi: refused}\n"
BEFORE_AFTER = "{assigned: none}"


def test_a_workflow_in_order_has_none(tmp_path: Path) -> None:
    root = operating(tmp_path / "p", further=UNANSWERED + EXCEPTIONS + GROUPS)
    assert found(root) == {}


def test_an_average_that_improves_over_a_segment_that_got_worse(tmp_path: Path) -> None:
    root = operating(tmp_path / "p", Work(slower_motor=0.3, slower_home=1.5))
    told = found(root)
    assert list(told) == ["KPI04"]
    assert documented(told["KPI04"])


def test_an_average_that_reverses_when_it_is_split(tmp_path: Path) -> None:
    work = Work(motor=0.9, motor_later=0.2, slower_motor=1.5, slower_home=2.0, home=0.2, design=BEFORE_AFTER)
    told = found(operating(tmp_path / "p", work))
    assert "Split by kind, the whole reverses." in told["KPI04"]
    assert documented(told["KPI04"])
    assert documented(told["RUN04"])


def test_what_got_worse_over_all_hides_nothing(tmp_path: Path) -> None:
    assert "KPI04" not in found(operating(tmp_path / "p", Work(slower_motor=1.8, slower_home=1.8)))


def test_a_rise_of_what_stays_unanswered_names_its_topic(tmp_path: Path) -> None:
    root = operating(tmp_path / "p", Work(unanswered_travel_later=0.9, per_week=90), UNANSWERED)
    told = found(root)
    assert list(told) == ["RUN01"]
    assert "most of the rise: travel (" in told["RUN01"]
    assert documented(told["RUN01"])


def test_exceptions_above_the_limit_are_found_only_where_something_counts_them(tmp_path: Path) -> None:
    root = operating(tmp_path / "p", Work(escalated=0.3), EXCEPTIONS)
    told = found(root)
    assert list(told) == ["RUN02"]
    assert documented(told["RUN02"])
    file = root / "workflows" / "claims.yaml"
    file.write_text(file.read_text("utf-8").replace(", kpi: escalated", ""), "utf-8")
    assert found(root) == {}


def test_a_mix_that_moved_names_what_moved_most(tmp_path: Path) -> None:
    told = found(operating(tmp_path / "p", Work(motor=0.5, motor_later=0.1)))
    assert list(told) == ["RUN04"]
    assert "the baseline: stability index" in told["RUN04"]
    assert "motor went from 49% to 8%" in told["RUN04"]


def test_groups_that_are_refused_unequally(tmp_path: Path) -> None:
    root = operating(tmp_path / "p", Work(refused_a=0.05, refused_b=0.35), GROUPS)
    told = found(root)
    assert list(told) == ["GOV08"]
    assert documented(told["GOV08"])


def test_a_field_of_groups_that_the_log_lacks_is_found_and_stops_nothing_else(tmp_path: Path) -> None:
    root = operating(tmp_path / "p", Work(refused_b=0.35), GROUPS.replace("field: group", "field: grup"))
    told = found(root)
    assert list(told) == ["DATA01"]
    assert "no column 'grup'" in told["DATA01"]


@pytest.mark.parametrize("command", [("measure", "claims"), ("measure", "--data")])
def test_findings_are_part_of_what_measure_answers_and_stop_nothing(tmp_path: Path, command: tuple[str, ...]) -> None:
    root = operating(tmp_path / "p", Work(escalated=0.3), EXCEPTIONS)
    name, *rest = command
    ran = run_trueup(name, root, *rest, "--as-of", "2024-06-24", "--json")
    assert ran.exit_code == 0
    assert [one["code"] for one in ran.data["findings"]] == ["RUN02"]
    assert ran.data["findings_unknown"] is None
    if "--data" in rest:
        text = run_trueup(name, root, *rest, "--as-of", "2024-06-24").out
        assert "warning RUN02 workflows/claims.yaml:" in text
        [source] = ran.data["readiness"]
        assert (source["data"], source["score"]) == ("claims", 1.0)
        assert [part["n"] for part in source["parts"] if part["needed"]][:2] == [25 * 60, 25 * 60]
        assert "data.claims, readiness: 1.00 of 1" in text


def test_baseline_answers_what_was_found_of_its_workflow(tmp_path: Path) -> None:
    root = operating(tmp_path / "p", Work(escalated=0.3), EXCEPTIONS)
    again = ("--by", "owner", "--as-of", "2024-06-24", "--replace", "--because", "a test")
    ran = run_trueup("baseline", root, "claims", *again, "--json")
    assert [one["code"] for one in ran.data["findings"]] == ["RUN02"]


def test_without_the_pinned_ledger_readings_stay_and_findings_are_unknown(tmp_path: Path) -> None:
    root = operating(tmp_path / "p", Work(escalated=0.3), EXCEPTIONS)
    (root / ".trueup" / "ledger.db").unlink()
    ran = run_trueup("measure", root, "--as-of", "2024-06-24", "--json")
    assert ran.data["readings"]
    assert (ran.data["findings"], ran.data["people"]) == ([], None)
    assert "pins a ledger" in ran.data["findings_unknown"]
