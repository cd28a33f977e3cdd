"""A small programme on disk, to be assessed, ranked and planned. Harbour claims is simulated."""

from __future__ import annotations

from pathlib import Path

FILES = {
    "programme.yaml": """\
programme: Harbour claims (simulated)
sponsor: dana
currency: EUR
adopted: 2026-01-05
people:
  dana: {name: Dana Example, roles: [sponsor]}
  lena: {name: Lena Example, roles: [owner, approver]}
objectives:
  settle-faster:
    outcome: A claim is settled within a fortnight
    kpi: triage.cycle_time
    targets: [{by: 2026-12-31, reach: -30%}]
    owner: lena
assessment:
  on: 2026-02-23
  outcome_clarity: {score: 2, because: one outcome with a target}
  ownership: {score: 1, because: named for triage alone}
  data_readiness: {score: 1, because: one log}
  risk_posture: {score: 1, because: policy drafted}
  team_capacity: {score: 1, because: two clerks}
  landscape: first-steps
  organisation: {maturity: low, regulation: high, culture: collaborative, resources: constrained, size: enterprise}
operating_model: {kind: hybrid, coordination: dana, intake: anyone, decides: [dana]}
limits: {parallel_pilots: 2, budget: 120000, engineering: 100pd, change: 60pd, horizon: 3y, discount: 8%}
data:
  claims: {source: data/claims.csv, fields: {amount: amount}}
assumptions:
  forms-are-complete:
    says: Nine claims in ten arrive with an amount
    measure: data.claims.completeness(amount)
    at_least: 0.9
    supports: [letters]
""",
    "use-cases/triage.yaml": """\
use_case: Triage of claims
objective: settle-faster
owner: lena
stage: pilot
value: {hours_saved: {range: [1000, 2000, 3000], rate: 40}}
cost: {build: [20000, 30000, 45000], run: [6000, 9000, 15000]}
effort: {engineering: [20pd, 30pd, 50pd], change: [10pd, 15pd, 25pd]}
feasibility: {data: 2, integration: 2, process: 1, risk: 2}
approach: {choice: build, alternatives: {buy: {because_not: price}}}
risk: {eu_ai_act: limited, personal_data: false}
""",
    "use-cases/letters.yaml": """\
use_case: Drafts of letters | to claimants
objective: settle-faster
owner: lena
stage: candidate
value: {hours_saved: {range: [600, 1500, 3000], rate: 40}}
cost: {build: [15000, 25000, 40000], run: [4000, 7000, 12000]}
effort: {engineering: [15pd, 25pd, 40pd], change: [8pd, 12pd, 20pd]}
feasibility: {data: 2, integration: 2, process: 2, risk: 1}
approach: {choice: build, alternatives: {buy: {because_not: price}}}
risk: {eu_ai_act: limited, personal_data: false}
""",
    "use-cases/forecast.yaml": """\
use_case: Forecast of claims
objective: settle-faster
owner: lena
stage: candidate
value: {errors_avoided: {range: [20, 60, 120], each: 500}}
cost: {build: [20000, 30000, 45000], run: [3000, 5000, 9000]}
effort: {engineering: [20pd, 30pd, 45pd], change: [5pd, 8pd, 12pd]}
feasibility: {data: data.claims, integration: 2, process: 2, risk: 2}
approach: {choice: build, alternatives: {buy: {because_not: price}}}
risk: {eu_ai_act: minimal, personal_data: false}
""",
    "workflows/triage.yaml": """\
workflow: Triage
use_case: triage
owners: {business: lena}
events: {data: claims, case: claim, activity: step, at: time, matures_after: 14d}
kpis:
  cycle_time: {duration: {from: first Received, to: last Settled}, better: lower, target: -30%, worth_having: -10%}
  reopened: {share: {with: [Reopened]}, better: lower}
pilot:
  starts: 2026-02-16
  baseline: {from: 2025-10-06, to: 2026-01-04}
  design: {assigned: random, by: ledger, share: 80%}
  primary: cycle_time
  guardrails: {reopened: {no_worse_than: +2pp}}
  gates: {week-4: {}, week-8: {}, week-12: {scale: true}}
  scale_plan: {handover: lena, training: 4 clerks, operates: lena, next: []}
""",
}
AS_OF = "2026-03-02"


def write(root: Path, **changed: tuple[str, str] | None) -> Path:
    """Write the programme; `programme=(old, new)` says one thing in a file otherwise, `letters=None` leaves one out."""
    for file, text in FILES.items():
        # Two files may be called triage; the use case's is meant.
        stem = Path(file).stem if file != "workflows/triage.yaml" else "workflow"
        change = changed.get(stem, ("", ""))
        if change is not None:
            assert not change[0] or text.count(change[0]) == 1, (file, change[0])
            path = root / file
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(text.replace(*change) if change[0] else text, "utf-8")
    return root
