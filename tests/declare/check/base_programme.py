"""A clean, complete programme of an invented library: no finding as of TODAY. Cases change it and see what is found."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date
from pathlib import Path

from trueup.declare.read import read_programme
from trueup.kernel.finding import Finding

TODAY = date(2024, 3, 1)
MARK = "§"

PROGRAMME = """\
programme: Harbour Library (invented)
sponsor: director
currency: EUR
adopted: 2023-06-01
people:
  director: {name: Director, roles: [sponsor]}
  lending: {name: Head of lending, roles: [owner, approver]}
  desk: {name: Front desk, roles: [reviewer]}
objectives:
  quick-renewals:
    outcome: Readers keep a book as long as nobody else waits for it
    kpi: renewals.days_to_answer
    targets:
      - by: 2024-12-31
        reach: -30%
    owner: lending
  fair-fees:
    outcome: No reader pays a fee that was not owed
    kpi: fee-letters.corrected
    targets:
      - by: 2024-12-31
        reach: -20%
    owner: lending
operating_model:
  kind: hybrid
  coordination: director
  decides: [director]
assessment:
  organisation: {maturity: low, regulation: high, culture: collaborative, resources: constrained, size: sme}
limits:
  parallel_pilots: 2
  budget: 90000
data:
  loans:
    source: data/loans.csv
    sensitivity: internal
    fields: {branch: Branch, days: LoanDays}
    expects: {days: {type: number, min: 0}}
  fees:
    source: data/fees.csv
    sensitivity: personal
    fields: {amount: FeeAmount, branch: Branch}
    expects: {amount: {type: number, min: 0}}
actuals:
  people: {source: actuals/people.csv, person: person, workflow: workflow, trained_on: trained}
sensitivity:
  internal: {mask: [email], models: [on-premises, eu]}
  personal: {mask: [email, phone], models: [on-premises]}
incidents:
  wrong-fee:
    severity: 1
    tell: [director]
    within: 1h
    first: rollback
suppliers:
  shelfware:
    process: renewals
    owner: lending
    baseline: 6d
    expected: -25%
    cadence: weekly
    handover: documented by month 3
frameworks: [gdpr]
"""

LOAN_RENEWALS = """\
use_case: Renewal of loans
objective: quick-renewals
owner: lending
team: front-of-house
stage: production
scope: adult cards of the town
faces: none
value:
  hours_saved:
    range: [100, 200, 400]
    rate: 30
cost:
  build: [5000, 8000, 15000]
  run: [1000, 2000, 3000]
feasibility:
  data: data.loans
  integration: 2
approach:
  choice: buy
  alternatives:
    build: {cost: [20000, 30000, 50000], because_not: nobody to keep it}
risk:
  eu_ai_act: minimal
  personal_data: false
"""

FEE_LETTERS = """\
use_case: Letters about fees
objective: fair-fees
owner: lending
team: back-office
stage: pilot
scope: reminders for late returns
faces: customer
value:
  letters_avoided:
    range: [50, 90, 200]
    each: 12
cost:
  build: [5000, 8000, 15000]
effort:
  engineering: [10pd, 20pd, 40pd]
feasibility:
  data: data.fees
approach:
  choice: build
  alternatives:
    buy: {because_not: no supplier knows our fees}
risk:
  eu_ai_act: limited
  personal_data: true
  lawful_basis: contract
"""

SHELF_SEARCH = """\
use_case: Search along the shelves
objective: quick-renewals
owner: desk
team: stacks
stage: candidate
approach:
  choice: build
  alternatives:
    buy: {because_not: needs a new catalogue}
risk:
  eu_ai_act: minimal
"""

CHAT_KIOSK = """\
use_case: Kiosk that answers questions
objective: quick-renewals
team: foyer
stage: idea
"""

OLD_SCANNER = """\
use_case: Scanner of spines
owner: somebody-who-left
stage: stopped
cost:
  build: 5000
"""

RENEWALS = """\
workflow: Renewal
use_case: loan-renewals
owners:
  business: lending
  prompts: desk
  knowledge: desk
  incidents: lending
  escalation: director
workstreams:
  training: desk
events:
  data: loans
  case: LoanId
  activity: Step
  at: At
  complete: [Answered]
  matures_after: 21d
kpis:
  days_to_answer:
    duration: {from: first Asked, to: last Answered}
    better: lower
    target: -30%
    worth_having: -10%
  refused: {share: {with: [Refused]}, better: lower}
autonomy:
  level: approve
  may_reach: act
  wrong_at_most: 3%
  sure: 95%
  detect: {rise_to: 10%, within: 4w}
actions:
  renew:
    tool: lms.loan.renew
    impact: high
    approval: until-act
    approvers: [lending]
    reversible_by: lms.loan.shorten
    limits: {days: {at_most: 28}, per_day: 400}
  look_up:
    tool: lms.loan.read
    impact: none
model: {name: env:MODEL, kind: eu}
"""

FEES = """\
workflow: Letters about fees
use_case: fee-letters
owners:
  business: lending
workstreams:
  integration: desk
events:
  data: fees
  case: FeeId
  activity: Step
  at: At
  segment: [branch]
  complete: [Letter Sent]
  matures_after: 21d
kpis:
  corrected:
    share: {with: [Letter Corrected]}
    better: lower
    target: -20%
    worth_having: -10%
  days_to_letter: {duration: {from: first Due, to: last Letter Sent}, better: lower}
  paid: {share: {with: [Paid]}, better: higher}
pilot:
  starts: 2024-02-05
  baseline: {from: 2023-09-04, to: 2024-02-04}
  design: {assigned: random, by: column Arm, treated: [new], control: [old], share: 80%}
  primary: corrected
  guardrails:
    paid: {no_worse_than: -2pp}
    days_to_letter: {no_worse_than: +10%}
  gates:
    week-4: {}
    week-8: {bar: -15%}
    week-12: {scale: true}
  scale_plan:
    handover: desk
    training: the desk by May
    operates: lending
autonomy:
  level: draft
actions:
  send:
    tool: mail.send
    impact: medium
    approval: always
    egress: [to, body]
model: {name: env:MODEL, kind: on-premises}
checks:
  factuality: required
  brand_voice: required
"""

REGISTRATION = """\
workflow: fee-letters
registered: 2024-02-01T09:00:00Z
baseline_from: 2023-09-04
baseline_to: 2024-02-04
starts: 2024-02-05
matures_after: 21d
primary: corrected
level: A
data_digest: sha256:0
cases_a_week: 60
kpis: {}
"""

POLICY = """\
// a comment may say Action::"anything"
forbid(principal, action == Action::"renew", resource)
  when { context.tool like "lms.loan.*" && resource in Workflow::"renewals" };
"""

FILES: Mapping[str, str] = {
    "programme.yaml": PROGRAMME,
    "use-cases/loan-renewals.yaml": LOAN_RENEWALS,
    "use-cases/fee-letters.yaml": FEE_LETTERS,
    "use-cases/shelf-search.yaml": SHELF_SEARCH,
    "use-cases/chat-kiosk.yaml": CHAT_KIOSK,
    "use-cases/old-scanner.yaml": OLD_SCANNER,
    "workflows/renewals.yaml": RENEWALS,
    "workflows/fee-letters.yaml": FEES,
    "registrations/fee-letters.yaml": REGISTRATION,
    "policies/own.cedar": POLICY,
}
# How cases name the files.
SHORT = {
    "P": "programme.yaml",
    "loan": "use-cases/loan-renewals.yaml",
    "fee": "use-cases/fee-letters.yaml",
    "shelf": "use-cases/shelf-search.yaml",
    "kiosk": "use-cases/chat-kiosk.yaml",
    "scanner": "use-cases/old-scanner.yaml",
    "Renewals": "workflows/renewals.yaml",
    "Fees": "workflows/fee-letters.yaml",
    "reg": "registrations/fee-letters.yaml",
    "policy": "policies/own.cedar",
}

Edit = tuple[str, str, str]


@dataclass(frozen=True)
class Case:
    """A change of the base programme that brings one code, at the marks in its new text."""

    code: str
    says: str
    edits: tuple[Edit, ...]
    today: date = TODAY

    def __str__(self) -> str:
        return f"{self.code} {self.says}"


def case(code: str, says: str, *edits: Edit, today: date = TODAY) -> Case:
    return Case(code, says, edits, today)


def edited(*edits: Edit) -> tuple[dict[str, str], list[str]]:
    """Return the files after edits (short name, old text, new text), and the marked places as `file:line:col`.

    Old text `*` stands for the whole file; new text `-` deletes it. The mark § in new text is taken out of it.
    """
    files = dict(FILES)
    for short, old, new in edits:
        file = SHORT[short]
        if new == "-":
            del files[file]
        elif old == "*":
            files[file] = new
        else:
            assert files[file].count(old) == 1, f"{old!r} stands {files[file].count(old)} times in {file}"
            files[file] = files[file].replace(old, new)
    marked = [f"{file}:{_position(text)}" for file, text in files.items() if MARK in text]
    return {file: text.replace(MARK, "") for file, text in files.items()}, marked


def _position(text: str) -> str:
    before = text[: text.index(MARK)]
    return f"{before.count(chr(10)) + 1}:{len(before) - before.rfind(chr(10))}"


def write(root: Path, files: Mapping[str, str]) -> Path:
    """Write files into a folder."""
    for file, text in files.items():
        path = root / file
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return root


def found(root: Path, files: Mapping[str, str], today: date = TODAY) -> list[Finding]:
    """Return the findings of a programme, by place."""
    return sorted(read_programme(write(root, files), today).findings, key=Finding.sort_key)
