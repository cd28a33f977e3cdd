"""Where there is no fault a rule says nothing: ideas are asked little, the dead nothing."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.declare.check.base_programme import OLD_SCANNER, PROGRAMME, Case, Edit, case, edited, found

PILOT = "  starts: 2024-02-05\n"
ACTUALS = PROGRAMME[PROGRAMME.index("actuals:") : PROGRAMME.index("sensitivity:\n")]
LATER_PILOT: Edit = ("Fees", PILOT, "  starts: 2024-09-02\n")


SILENT = (
    case("OWN01", "an idea needs no owner yet"),
    case(
        "OWN02",
        "a pilot may name them later",
        ("Fees", "  business: lending\n", "  business: lending\n  prompts: desk\n"),
    ),
    case(
        "OWN03",
        "a stopped pilot is asked nothing",
        ("Fees", "integration: desk", "integration: null"),
        ("fee", "stage: pilot", "stage: stopped"),
    ),
    case("KPI01", "a pilot in fifteen days", ("reg", "*", "-"), today=date(2024, 1, 21)),
    case(
        "KPI02",
        "accuracy beside operation",
        (
            "Renewals",
            "  refused: {share: {with: [Refused]}, better: lower}",
            "  accuracy: {share: {with: [Right]}, better: higher}",
        ),
    ),
    case(
        "KPI03",
        "volume beside quality",
        ("Fees", "  paid: {share", "  sent: {throughput: {of: [Letter Sent]}, better: higher}\n  paid: {share"),
    ),
    case(
        "KPI08",
        "every gate has its own bar",
        ("Fees", "    worth_having: -10%\n", ""),
        ("Fees", "week-4: {}", "week-4: {bar: -10%}"),
        ("Fees", "{scale: true}", "{scale: true, bar: -15%}"),
    ),
    case("KPI10", "eight full weeks", ("Fees", "{from: 2023-09-04", "{from: 2023-12-05")),
    case(
        "GATE01",
        "a pilot that ended",
        (
            "Fees",
            "  gates:\n    week-4: {}\n    week-8: {bar: -15%}\n    week-12: {scale: true}\n",
            "  ended: 2024-02-20\n",
        ),
    ),
    case(
        "GATE01",
        "a candidate whose pilot is far",
        ("Fees", "    week-4: {}\n", ""),
        ("fee", "stage: pilot", "stage: candidate"),
        LATER_PILOT,
    ),
    case("GATE04", "a bar equal to what is worth having", ("Fees", "bar: -15%", "bar: -10%")),
    case("GATE06", "a gate a day after the first case", ("Fees", "matures_after: 21d", "matures_after: 27d")),
    case(
        "GATE06",
        "a gate that is decided",
        ("Fees", "matures_after: 21d", "matures_after: 28d"),
        ("Fees", "  scale_plan", "  decided: {week-4: {outcome: hold, on: 2024-03-01, by: lending}}\n  scale_plan"),
    ),
    case(
        "GATE10",
        "no design at all",
        ("Fees", "  design: {assigned: random, by: column Arm, treated: [new], control: [old], share: 80%}\n", ""),
    ),
    case("PORT01", "as many as allowed", ("P", "parallel_pilots: 2", "parallel_pilots: 1")),
    case(
        "PORT02",
        "alike in one team",
        ("shelf", "use_case: Search along the shelves", "use_case: Renewals of loan\nscope: adult cards of the town"),
        ("shelf", "team: stacks", "team: front-of-house"),
    ),
    case(
        "PORT02",
        "alike and known to each other",
        (
            "shelf",
            "use_case: Search along the shelves",
            "use_case: Renewals of loan\nscope: adult cards of the town\nexcludes: [loan-renewals]",
        ),
    ),
    case("PORT07", "a zero may stand alone", ("fee", "build: [5000, 8000, 15000]", "build: 0")),
    case(
        "STRAT05",
        "an outcome that names no tool",
        (
            "P",
            "outcome: No reader pays a fee that was not owed",
            "outcome: Introduce weekly checks so that no fee is wrong",
        ),
    ),
    case("STRAT07", "hybrid fits"),
    case("GOV01", "low impact needs no approval", ("Renewals", "impact: none", "impact: low\n    approval: never")),
    case("GOV02", "a basis is enough", ("P", "personal: {mask: [email, phone], ", "personal: {")),
    case("GOV03", "a limit on a raw column", ("Renewals", "limits: {days: ", "limits: {LoanDays: ")),
    case("GOV03", "limits that count", ("Renewals", "per_day: 400", "per_week: 400, budget: 20, cost_per_day: 3")),
    case(
        "GOV05",
        "staff may be answered unchecked",
        ("fee", "faces: customer", "faces: staff"),
        ("Fees", "brand_voice: required", "brand_voice: none"),
    ),
    case(
        "GOV06",
        "high risk with its duties",
        ("loan", "eu_ai_act: minimal", "eu_ai_act: high"),
        ("Renewals", "autonomy:", "groups: {field: branch, rates_within: 5pp}\nautonomy:"),
    ),
    case(
        "RUN08",
        "whom it is handed on to is the second",
        (
            "Renewals",
            "    approvers: [lending]",
            "    approvers: [lending]\n    approvers_needed: 2\n    escalate_after: 4h",
        ),
    ),
    case(
        "RUN08",
        "nobody is asked",
        ("P", "roles: [owner, approver]", "roles: [reviewer]"),
        ("Fees", "impact: medium\n    approval: always", "impact: low\n    approval: never"),
    ),
    case("RUN06", "a draft needs no detection", ("Fees", "level: draft", "level: draft\n  wrong_at_most: 5%")),
    case(
        "PPL01",
        "a pilot needs no record yet",
        (
            "P",
            ACTUALS,
            "",
        ),
        ("loan", "stage: production", "stage: retired"),
    ),
    case(
        "WAIV02",
        "a waiver of what data may show",
        ("P", "frameworks: [gdpr]", "waivers:\n  - {code: KPI04, because: w, by: director, until: 2024-03-01}"),
    ),
)


@pytest.mark.parametrize("one", SILENT, ids=str)
def test_a_rule_is_silent_where_there_is_no_fault(one: Case, tmp_path: Path) -> None:
    files, _marked = edited(*one.edits)
    assert [f"{finding.where} {finding.code}" for finding in found(tmp_path, files, one.today)] == []


@pytest.mark.parametrize("stage", ["stopped", "retired"])
def test_the_dead_are_left_in_peace(stage: str, tmp_path: Path) -> None:
    files, _marked = edited(("scanner", "*", OLD_SCANNER.replace("stopped", stage)))
    assert found(tmp_path, files) == []


def test_a_policy_that_is_not_text_applies_to_nothing(tmp_path: Path) -> None:
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "binary.cedar").write_bytes(b"\xff\xfe\x00")
    (finding,) = found(tmp_path, edited()[0])
    assert (finding.code, str(finding.where)) == ("GOV03", "policies/binary.cedar:1:1")
