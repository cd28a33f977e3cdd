"""Each rule finds its fault where it stands, and nothing else; the base programme has none."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest

from tests.declare.check.base_programme import FILES, MARK, PROGRAMME, Case, case, edited, found
from trueup.declare.check.registry import PAGES, RULES

ACTUALS = PROGRAMME[PROGRAMME.index("actuals:") : PROGRAMME.index("sensitivity:\n")]

PEOPLE = (
    case(
        "OWN01",
        "objective without owner",
        ("P", "  fair-fees:\n", "  §fair-fees:\n"),
        ("P", "        reach: -20%\n    owner: lending\n", "        reach: -20%\n"),
    ),
    case(
        "OWN01",
        "use case without owner",
        ("fee", "use_case: Letters", "§use_case: Letters"),
        ("fee", "owner: lending\n", ""),
    ),
    case("OWN01", "use case with an empty owner", ("fee", "owner: lending", "owner: §''")),
    case("OWN01", "owner is a team", ("fee", "owner: lending", "owner: §back-office")),
    case("OWN01", "owner is a team, in another spelling", ("fee", "owner: lending", "owner: §Back-Office")),
    case("OWN01", "owner is a supplier", ("fee", "owner: lending", "owner: §shelfware")),
    case("OWN01", "owner is misspelt", ("Fees", "business: lending", "business: §lendin")),
    case("OWN01", "pilot without business owner", ("Fees", "owners:\n  business: lending", "§owners: {}")),
    case("OWN01", "candidate without owner", ("shelf", "use_case: S", "§use_case: S"), ("shelf", "owner: desk\n", "")),
    case(
        "OWN02", "nobody for incidents", ("Renewals", "owners:", "§owners:"), ("Renewals", "  incidents: lending\n", "")
    ),
    case("OWN02", "prompts owned by a supplier", ("Renewals", "prompts: desk", "prompts: §shelfware")),
    case("OWN03", "workstream without owner", ("Fees", "integration: desk", "integration: §null")),
    case("OWN03", "workstream owned by nobody known", ("Fees", "integration: desk", "integration: §dsk")),
    case(
        "OWN04",
        "unknown owner of prompts in a pilot",
        ("Fees", "  business: lending\n", "  business: lending\n  prompts: §vendor\n"),
    ),
    case(
        "PPL01",
        "no record of training",
        ("P", "programme: H", "§programme: H"),
        (
            "P",
            ACTUALS,
            "",
        ),
    ),
    case(
        "PPL01",
        "no plan for training",
        ("Renewals", "workflow: Renewal", "§workflow: Renewal"),
        ("Renewals", "workstreams:\n  training: desk\n", ""),
    ),
    case(
        "OWN05",
        "nobody signs",
        ("P", "programme: H", "§programme: H"),
        ("P", "sponsor: director\n", ""),
        ("P", "  decides: [director]\n", ""),
    ),
    case(
        "PPL02", "no handover", ("P", "  shelfware", "  §shelfware"), ("P", "    handover: documented by month 3\n", "")
    ),
    case("PPL03", "no cadence", ("P", "  shelfware", "  §shelfware"), ("P", "    cadence: weekly\n", "")),
    case("PPL04", "a key cut short", ("P", "roles: [sponsor]}", "roles: [sponsor], key: §ssh-ed25519 AAAAC3Nz}")),
)

MEASURES = (
    case("OBJ01", "no KPI", ("P", "  fair-fees:\n", "  §fair-fees:\n"), ("P", "    kpi: fee-letters.corrected\n", "")),
    case(
        "OBJ01",
        "no targets",
        ("P", "  fair-fees:\n", "  §fair-fees:\n"),
        ("P", "    targets:\n      - by: 2024-12-31\n        reach: -20%\n", ""),
    ),
    case(
        "OBJ01", "target without a date", ("P", "      - by: 2024-12-31\n        reach: -20%", "      - §reach: -20%")
    ),
    case(
        "OBJ02",
        "use case for nothing",
        ("fee", "use_case: Letters", "§use_case: Letters"),
        ("fee", "objective: fair-fees\n", ""),
    ),
    case(
        "OBJ02",
        "idea for nothing",
        ("kiosk", "use_case: Kiosk", "§use_case: Kiosk"),
        ("kiosk", "objective: quick-renewals\n", ""),
    ),
    case("KPI01", "pilot without registration", ("reg", "*", "-"), ("Fees", "starts: 2024", "starts: §2024")),
    case(
        "KPI01",
        "pilot in two weeks",
        ("reg", "*", "-"),
        ("Fees", "starts: 2024", "starts: §2024"),
        today=date(2024, 1, 22),
    ),
    case(
        "KPI02",
        "accuracy alone",
        ("P", "    kpi: renewals.days_to_answer", "    kpi: renewals.accuracy"),
        ("Renewals", "kpis:", "§kpis:"),
        (
            "Renewals",
            "  days_to_answer:\n    duration: {from: first Asked, to: last Answered}\n    better: lower",
            "  accuracy:\n    share: {with: [Right]}\n    better: lower",
        ),
        ("Renewals", "  refused: {share: {with: [Refused]}, better: lower}\n", ""),
    ),
    case(
        "KPI03",
        "volume without quality",
        (
            "Renewals",
            "  refused: {share: {with: [Refused]}, better: lower}",
            "  answers: {throughput: §{of: [Answered]}}",
        ),
    ),
    case("KPI06", "target in the wrong direction", ("Renewals", "target: -30%", "target: §+30%")),
    case(
        "KPI06",
        "worth having in the wrong direction",
        ("Fees", "    worth_having: -10%", "    worth_having: §+10%"),
        ("Fees", "week-8: {bar: -15%}", "week-8: {}"),
    ),
    case("KPI06", "objective in the wrong direction", ("P", "reach: -30%", "reach: §+30%")),
    case(
        "KPI07",
        "guardrail without direction",
        (
            "Fees",
            "  days_to_letter: {duration: {from: first Due, to: last Letter Sent}, better: lower}",
            "  §days_to_letter: {duration: {from: first Due, to: last Letter Sent}}",
        ),
    ),
    case(
        "KPI07",
        "bar without direction",
        ("Fees", "  corrected:", "  §corrected:"),
        ("Fees", "[Letter Corrected]}\n    better: lower", "[Letter Corrected]}"),
    ),
    case(
        "KPI08",
        "primary without worth having",
        ("Fees", "  corrected:", "  §corrected:"),
        ("Fees", "    worth_having: -10%\n", ""),
    ),
    case("KPI09", "baseline into the pilot", ("Fees", "to: 2024-02-04", "to: §2024-02-05")),
    case("KPI10", "baseline of seven weeks", ("Fees", "{from: 2023-09-04", "{from: §2023-12-12")),
)

GATES = (
    case(
        "GATE01",
        "no gates",
        ("Fees", "  gates:\n    week-4: {}\n    week-8: {bar: -15%}\n    week-12: {scale: true}\n", ""),
        ("Fees", "pilot:", "§pilot:"),
    ),
    case("GATE01", "no week 4", ("Fees", "  gates:\n    week-4: {}\n", "  §gates:\n")),
    case("GATE01", "no decision to scale", ("Fees", "  gates:", "  §gates:"), ("Fees", "{scale: true}", "{}")),
    case(
        "GATE01",
        "scale decision too late",
        ("Fees", "  gates:", "  §gates:"),
        ("Fees", "    week-12: {scale: true}", "    week-13: {scale: true}"),
    ),
    case(
        "GATE01",
        "stage pilot, workflow without pilot",
        ("shelf", "stage: candidate", "stage: §pilot\nfeasibility: {data: data.loans}"),
        ("shelf", "minimal", "minimal\n  personal_data: false"),
    ),
    case(
        "GATE03",
        "no scale plan",
        ("Fees", "pilot:", "§pilot:"),
        ("Fees", "  scale_plan:\n    handover: desk\n    training: the desk by May\n    operates: lending\n", ""),
    ),
    case(
        "GATE03",
        "scale plan without operation",
        ("Fees", "  scale_plan:", "  §scale_plan:"),
        ("Fees", "    operates: lending\n", ""),
    ),
    case("GATE04", "bar below what is worth having", ("Fees", "bar: -15%", "bar: §-9%")),
    case(
        "GATE04",
        "bar below, higher is better",
        ("Fees", "primary: corrected", "primary: paid"),
        (
            "Fees",
            "  paid: {share: {with: [Paid]}, better: higher}",
            "  paid: {share: {with: [Paid]}, better: higher, worth_having: +3pp}",
        ),
        ("Fees", "bar: -15%", "bar: §+2pp"),
    ),
    case(
        "GATE06",
        "gate due as cases mature",
        ("Fees", "matures_after: 21d", "matures_after: 28d"),
        ("Fees", "week-4: {}", "§week-4: {}"),
    ),
    case("GATE07", "relative and points", ("Fees", "bar: -15%", "bar: §-15pp")),
    case("GATE08", "guardrail with a turned sign", ("Fees", "no_worse_than: -2pp", "no_worse_than: §+2pp")),
    case("GATE09", "no primary KPI", ("Fees", "pilot:", "§pilot:"), ("Fees", "  primary: corrected\n", "")),
    case("GATE10", "arm without values", ("Fees", "  design: {", "  §design: {"), ("Fees", " control: [old],", "")),
    case("GATE10", "value in both arms", ("Fees", "control: [old]", "control: §[old, new]")),
    case("GATE10", "everybody treated", ("Fees", "share: 80%", "share: §100%")),
    case("GATE10", "assigned by neither", ("Fees", "by: column Arm, treated: [new], control: [old]", "by: §Arm")),
)

PORTFOLIO = (
    case("PORT01", "two pilots, one allowed", ("P", "parallel_pilots: 2", "parallel_pilots: §0")),
    case(
        "PORT02",
        "the same in two teams",
        ("shelf", "use_case: Search along the shelves", "use_case: §Renewals of loan\nscope: adult cards of the town"),
    ),
    case("PORT05", "data judged in words", ("fee", "data: data.fees", "data: §we looked at it")),
    case(
        "PORT05",
        "judged data",
        ("fee", "data: data.fees", "data: §2"),
    ),
    case("PORT05", "no data", ("fee", "feasibility:\n  data: data.fees\n", ""), ("fee", "use_case: L", "§use_case: L")),
    case(
        "PORT06",
        "no choice",
        ("shelf", "approach:\n  choice: build\n  alternatives:\n    buy: {because_not: needs a new catalogue}\n", ""),
        ("shelf", "use_case: S", "§use_case: S"),
    ),
    case(
        "PORT06",
        "no alternatives",
        ("shelf", "  alternatives:\n    buy: {because_not: needs a new catalogue}\n", ""),
        ("shelf", "approach:", "§approach:"),
    ),
    case(
        "PORT06",
        "an alternative that says nothing",
        ("shelf", "  alternatives:\n    buy: {because_not: needs a new catalogue}", "  §alternatives:\n    buy: {}"),
    ),
    case("PORT07", "single cost", ("fee", "build: [5000, 8000, 15000]", "build: §8000")),
    case("PORT07", "single value", ("fee", "range: [50, 90, 200]", "range: §90")),
    case("PORT07", "single effort", ("fee", "[10pd, 20pd, 40pd]", "§20pd")),
    case("PORT07", "single cost of an alternative", ("loan", "cost: [20000, 30000, 50000]", "cost: §30000")),
)

STRATEGY = (
    case(
        "STRAT05",
        "a tool for an outcome",
        ("P", "outcome: No reader pays a fee that was not owed", "outcome: §Roll out an AI assistant to the desks"),
    ),
    case(
        "STRAT05",
        "a supplier for an outcome",
        ("P", "outcome: No reader pays a fee that was not owed", "outcome: §Shelfware is used everywhere"),
    ),
    case(
        "STRAT06",
        "teams without coordination",
        ("P", "operating_model:", "§operating_model:"),
        ("P", "  coordination: director\n", ""),
    ),
    case(
        "STRAT06",
        "teams without operating model",
        ("P", "programme: H", "§programme: H"),
        ("P", "operating_model:\n  kind: hybrid\n  coordination: director\n  decides: [director]\n", ""),
    ),
    case("STRAT07", "bottom-up under regulation", ("P", "kind: hybrid", "kind: §bottom-up")),
    case(
        "STRAT07",
        "top-down over autonomy",
        ("P", "kind: hybrid", "kind: §top-down"),
        ("P", "culture: collaborative", "culture: autonomous"),
    ),
)

GOVERNANCE = (
    case("GOV01", "never asked", ("Renewals", "approval: until-act", "approval: §never")),
    case(
        "GOV01",
        "approval not declared",
        ("Renewals", "  renew:\n", "  §renew:\n"),
        ("Renewals", "    approval: until-act\n", ""),
    ),
    case(
        "GOV02",
        "level without rule",
        ("P", "    sensitivity: internal", "    sensitivity: §secret"),
    ),
    case(
        "GOV02",
        "personal data, no mask, no basis",
        ("fee", "  lawful_basis: contract\n", ""),
        ("fee", "risk:", "§risk:"),
        ("P", "personal: {mask: [email, phone], ", "personal: {"),
    ),
    case("GOV03", "policy on an unknown action", ("policy", '"renew"', '"§renw"')),
    case("GOV03", "policy on tools that match nothing", ("policy", '"lms.loan.*"', '"§lms.loans.*"')),
    case("GOV03", "policy on an unknown workflow", ("policy", '"renewals"', '"§renewal"')),
    case("GOV03", "limit on an unknown field", ("Renewals", "limits: {days: ", "limits: {§day: ")),
    case(
        "GOV04",
        "no incidents",
        ("P", "programme: H", "§programme: H"),
        (
            "P",
            "incidents:\n  wrong-fee:\n    severity: 1\n    tell: [director]\n    within: 1h\n    first: rollback\n",
            "",
        ),
    ),
    case(
        "GOV04",
        "incident without a first step",
        ("P", "  wrong-fee", "  §wrong-fee"),
        ("P", "    first: rollback\n", ""),
    ),
    case("GOV05", "no review of brand", ("Fees", "brand_voice: required", "brand_voice: §none")),
    case(
        "GOV05",
        "no review at all",
        ("Fees", "checks:\n  factuality: required\n  brand_voice: required\n", ""),
        ("Fees", "workflow: L", "§workflow: L"),
    ),
    case(
        "GOV06",
        "no risk class",
        ("shelf", "risk:\n  eu_ai_act: minimal\n", ""),
        ("shelf", "use_case: S", "§use_case: S"),
    ),
    case("GOV06", "forbidden use", ("shelf", "eu_ai_act: minimal", "eu_ai_act: §prohibited")),
    case("GOV06", "high risk without its duties", ("loan", "eu_ai_act: minimal", "eu_ai_act: §high")),
    case(
        "GOV06",
        "masked personal data without a basis",
        ("fee", "  lawful_basis: contract\n", ""),
        ("fee", "risk:", "§risk:"),
    ),
    case("GOV06", "personal data not said", ("fee", "  personal_data: true\n", ""), ("fee", "risk:", "§risk:")),
    case("GOV09", "model not permitted", ("Renewals", "kind: eu", "kind: §us-cloud")),
    case("RUN06", "every outcome may be wrong", ("Fees", "level: draft", "level: draft\n  wrong_at_most: §100%")),
    case("RUN06", "noticed in no time", ("Renewals", "within: 4w}", "within: §0d}")),
    case("RUN06", "rise within what is allowed", ("Renewals", "rise_to: 10%", "rise_to: §3%")),
    case("RUN06", "zero errors allowed", ("Renewals", "wrong_at_most: 3%", "wrong_at_most: §0%")),
    case("RUN06", "certain", ("Renewals", "sure: 95%", "sure: §100%")),
    case(
        "RUN06",
        "acts alone unwatched",
        ("Renewals", "autonomy:", "§autonomy:"),
        ("Renewals", "  detect: {rise_to: 10%, within: 4w}\n", ""),
    ),
    case("RUN08", "four eyes of one", ("Renewals", "[lending]", "§[lending]\n    approvers_needed: 2")),
    case(
        "RUN08",
        "nobody has the role",
        ("P", "roles: [owner, approver]", "roles: [reviewer]"),
        ("Fees", "  send:\n", "  §send:\n"),
    ),
)

WAIVERS = (
    case(
        "WAIV01",
        "expired",
        ("P", "frameworks: [gdpr]", "waivers:\n  - {code: PPL02, because: w, by: director, until: §2024-02-29}"),
    ),
    case(
        "WAIV02",
        "nothing to waive",
        ("P", "frameworks: [gdpr]", "waivers:\n  - {code: §PPL02, because: w, by: director, until: 2024-03-01}"),
    ),
    case(
        "WAIV03",
        "by somebody who may not",
        ("P", "frameworks: [gdpr]", "waivers: [{code: KPI04, because: w, by: §desk, until: 2024-03-01}]"),
    ),
    case(
        "WAIV02",
        "unknown code",
        ("P", "frameworks: [gdpr]", "waivers:\n  - {code: §PPL22, because: w, by: director, until: 2024-03-01}"),
    ),
    case(
        "WAIV02",
        "wrong place",
        (
            "P",
            "frameworks: [gdpr]",
            "waivers:\n  - {code: PPL02, at: §use-cases/x.yaml, because: w, by: director, until: 2024-03-01}",
        ),
    ),
    case(
        "WAIV02",
        "a code that cannot be waived",
        ("P", "frameworks: [gdpr]", "waivers:\n  - {code: §TYPE01, because: w, by: director, until: 2024-03-01}"),
    ),
)

CASES = (*PEOPLE, *MEASURES, *GATES, *PORTFOLIO, *STRATEGY, *GOVERNANCE, *WAIVERS)


def test_a_clean_programme_has_no_finding(tmp_path: Path) -> None:
    assert found(tmp_path, FILES) == []


@pytest.mark.parametrize("one", CASES, ids=str)
def test_a_rule_finds_its_fault_where_it_stands_and_nothing_else(one: Case, tmp_path: Path) -> None:
    files, marked = edited(*one.edits)
    findings = found(tmp_path, files, one.today)
    assert marked, "the case marks no place"
    assert [(finding.code, str(finding.where)) for finding in findings] == [(one.code, place) for place in marked]
    page = PAGES[one.code]
    assert [(finding.severity, finding.summary) for finding in findings] == [(page.severity, page.title)]


def test_every_rule_of_the_files_has_a_case() -> None:
    assert {rule.page.code for rule in RULES if rule.look is not None} <= {one.code for one in CASES}


@pytest.mark.parametrize("one", CASES, ids=str)
def test_a_finding_says_what_where_and_what_to_write(one: Case, tmp_path: Path) -> None:
    files, _marked = edited(*one.edits)
    for finding in found(tmp_path, files, one.today):
        assert finding.detail.endswith((".", "?"))
        assert finding.fix.endswith(".")
        assert MARK not in finding.detail
