"""The text of a starter programme: every block says what it is for."""

from __future__ import annotations

PROGRAMME = """
# What the whole is for, who answers for it, and what it may cost.
# The format: docs/reference/programme-format.md. What is wrong or open: trueup check
programme: {programme}
{sponsor}
currency: {currency}
{adopted}
# The name of this programme's record; written once, never changed.
ledger: {{origin: {origin}}}

# Everybody who is named anywhere. Roles: viewer, reviewer, approver, owner, sponsor, auditor, engineer, admin.
{people}

# An outcome that people would notice, measured by a KPI of a workflow.
objectives:
  {objective}:
{outcome}
    kpi: {kpi}
    targets:
      - {by}
{reach}
{owner}

# Who may propose an idea, who may stop one.
operating_model:
  kind: hybrid
{coordination}
  intake: anyone
  decides: {decides}

# How ready we are: 0, 1 or 2 each, with the reason. Where to begin follows from it: trueup assess
# assessment:
#   on: DATE
#   outcome_clarity: {{score: 1, because: ...}}
#   ownership: {{score: 1, because: ...}}
#   data_readiness: {{score: 1, because: ...}}
#   risk_posture: {{score: 1, because: ...}}
#   team_capacity: {{score: 1, because: ...}}
#   landscape: first-steps          # first-steps | stalled-pilots | in-production | scattered
#   organisation: {{maturity: low, regulation: medium, culture: collaborative, resources: constrained, size: sme}}

# What everything together has to fit into; also budget, engineering and change (person-days: 400pd).
limits: {{parallel_pilots: 3, horizon: 3y, discount: 8%, strategy_phase: 8w}}
reviews: {{checkpoint: weekly, strategy: 30d}}

# Where the facts come from.
data:
  {data}:
{source}
    zone: {zone}
    sensitivity: internal
sensitivity:
  internal: {{models: [on-premises, eu], retain: 400d}}

# What happens when it goes wrong, decided in advance.
incidents:
  wrong-result: {{severity: 2, tell: {tell}, within: 4h, first: rollback}}

# Beliefs that the plan rests on; a measurement may prove one false. For example:
# assumptions:
#   forms-are-complete:
#     says: Nine forms in ten arrive with an amount
#     measure: data.{data}.completeness(amount)
#     at_least: 0.9
#     supports: []
"""

USE_CASE = """
# One application of AI: what it is worth, what it costs, what could go wrong.
use_case: {name}
objective: {objective}
{owner}
stage: candidate                  # idea | candidate | pilot | production | stopped | retired
faces: staff                      # customer | staff | none

# What is not known is a range: [one in ten is lower, as likely lower as higher, one in ten is higher]. For example:
# value:
#   hours_saved: {{range: [400, 900, 1500], rate: 38}}
# cost: {{build: [20000, 35000, 60000], run: [6000, 9000, 15000]}}
# effort: {{engineering: [30pd, 45pd, 80pd], change: [10pd, 20pd, 30pd]}}
feasibility: {{data: {data}}}       # also: integration, process, risk, 0 to 2 each
# approach: {{choice: build, alternatives: {{buy: {{because_not: ...}}}}}}
# risk: {{eu_ai_act: limited, personal_data: true, lawful_basis: legitimate-interests, affects: employees}}
"""

WORKFLOW = """
# The process behind the use case: how it is measured, how the pilot is judged, what it may do alone.
workflow: {name}
use_case: {use_case}
owners:
{business}

events:
  data: {data}
{case}
{activity}
{at}
{complete}
{matures}

# Activities are exact names; * is the only wildcard.
kpis:
  cycle_time:
    duration: {{from: {from}, to: {to}}}
    unit: days
    better: lower
    target: {target}
    worth_having: -10%              # the smallest change that is worth having
  first_pass_quality:
    share: {{without: {wrong}}}
    better: higher

# A random share of the cases goes on as before, so that a difference is an effect and not a coincidence.
pilot:
{starts}
{baseline}
  design: {{assigned: random, unit: case, by: ledger, share: {share}}}
  primary: cycle_time
  guardrails: {{first_pass_quality: {{no_worse_than: -2pp}}}}
  gates: {{week-4: {{}}, week-8: {{}}, week-12: {{scale: true}}}}
  # What happens if it works, answered before the start:
  # scale_plan: {{handover: ID, training: who and by when, operates: ID}}

autonomy: {{level: shadow, may_reach: draft}}
"""

KNOWLEDGE = """# Knowledge

Documents that a workflow may use when it drafts an answer. A workflow names them under `knowledge`.
"""

IGNORED = """# The program's own state: the ledger, its key, reviews. The key never leaves this machine.
.trueup/
"""
