"""A waiver marks what it covers, until its day, and says so when it covers nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.declare.check.base_programme import TODAY, Edit, edited, found
from trueup.declare.check.waivers import NEVER_WAIVED
from trueup.declare.read import read_programme
from trueup.kernel.finding import Finding

NO_CHOICE: Edit = ("shelf", "  choice: build\n", "")
SINGLE: Edit = ("shelf", "approach:", "cost:\n  build: 8000\n  run: 900\napproach:")


def waived(root: Path, waiver: str, *edits: Edit, today: date = TODAY) -> list[Finding]:
    text = f"waivers:\n  - {{because: we know, by: director, until: 2024-03-01, {waiver}}}"
    files, _marked = edited(*edits, ("P", "frameworks: [gdpr]", text))
    return found(root, files, today)


@pytest.mark.parametrize(
    "at",
    [
        "",
        ", at: use-cases/shelf-search.yaml",
        ", at: use-cases/*",
        ", at: '*'",
        ", at: use-cases/shelf-search.yaml:approach",
        ", at: '*:appr*'",
    ],
)
def test_a_waiver_covers_the_finding_at_its_place(at: str, tmp_path: Path) -> None:
    (finding,) = waived(tmp_path, f"code: PORT06{at}", NO_CHOICE)
    assert (finding.code, finding.waived) == ("PORT06", "we know")


@pytest.mark.parametrize(
    "at",
    [
        "use-cases/shelf",
        "use-cases/shelf-search.yam?",
        "use-cases/fee-letters.yaml",
        "use-cases/shelf-search.yaml:risk",
        "use-cases/shelf-search.yaml:approach.choice",
        "use-cases/[s]helf-search.yaml",
    ],
)
def test_a_waiver_covers_nothing_elsewhere(at: str, tmp_path: Path) -> None:
    findings = waived(tmp_path, f"code: PORT06, at: '{at}'", NO_CHOICE)
    assert [(finding.code, finding.waived) for finding in findings] == [("WAIV02", None), ("PORT06", None)]


def test_a_key_path_picks_one_of_several_findings(tmp_path: Path) -> None:
    findings = waived(tmp_path, "code: PORT07, at: 'use-cases/shelf-search.yaml:cost.run'", SINGLE)
    assert [(str(finding.where), finding.waived) for finding in findings] == [
        ("use-cases/shelf-search.yaml:7:10", None),
        ("use-cases/shelf-search.yaml:8:8", "we know"),
    ]


def test_a_waiver_counts_on_its_last_day_and_not_on_the_next(tmp_path: Path) -> None:
    on_the_day = waived(tmp_path, "code: PORT06", NO_CHOICE)
    assert [(finding.code, finding.waived) for finding in on_the_day] == [("PORT06", "we know")]
    the_day_after = waived(tmp_path, "code: PORT06", NO_CHOICE, today=date(2024, 3, 2))
    assert [(finding.code, finding.waived) for finding in the_day_after] == [("WAIV01", None), ("PORT06", None)]


def test_a_waived_error_does_not_stop_and_is_still_there(tmp_path: Path) -> None:
    files, _marked = edited(
        ("fee", "owner: lending", "owner: back-office"),
        (
            "P",
            "frameworks: [gdpr]",
            "waivers: [{code: OWN01, because: named in April, by: director, until: 2024-04-30}]",
        ),
    )
    found(tmp_path, files)
    checked = read_programme(tmp_path, TODAY)
    assert [finding.code for finding in checked.findings] == ["OWN01"]
    assert checked.errors == ()


def test_what_cannot_be_read_cannot_be_waived(tmp_path: Path) -> None:
    findings = waived(tmp_path, "code: TYPE01", ("fee", "stage: pilot", "stage: pilotish"))
    assert {(finding.code, finding.waived) for finding in findings if finding.code in NEVER_WAIVED} == {
        ("TYPE01", None),
        ("WAIV02", None),
    }


def test_a_waiver_by_nobody_is_a_reference_to_nobody(tmp_path: Path) -> None:
    files, _marked = edited(
        NO_CHOICE,
        ("P", "frameworks: [gdpr]", "waivers: [{code: PORT06, because: w, by: directr, until: 2024-04-30}]"),
    )
    (finding, _waived) = found(tmp_path, files)
    assert (finding.code, finding.where.file) == ("REF01", "programme.yaml")
    assert "'director'" in finding.detail
