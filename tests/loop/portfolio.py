"""A programme of several candidates around the pilot of `pilots`, whose ranking the evidence can overturn."""

from __future__ import annotations

from pathlib import Path

from tests.loop.pilots import Truth, write_programme

LIMITS = "limits: {budget: 60000, horizon: 3y, discount: 8%}\n"
CANDIDATE = """\
use_case: NAME
objective: faster
owner: owner
stage: candidate
value: {hours_saved: {range: VALUE}}
cost: {build: [20000, 25000, 30000], run: [1000, 2000, 3000]}
feasibility: {data: DATA, integration: 2, process: 2, risk: 2}
approach: {choice: build, alternatives: {buy: {because_not: none is sold}}}
risk: {eu_ai_act: minimal, personal_data: false}
"""
VALUES = {"letters": "[40000, 50000, 60000]", "summary": "[34000, 44000, 54000]", "triage": "[30000, 38000, 46000]"}
BELIEF = "    supports: [claims]"


def write_portfolio(root: Path, supports: str = "[letters]", data: str = "2", missing: float = 0.2) -> Path:
    """Write three candidates of which two fit, best first: letters, summary, triage; a belief supports some of them."""
    write_programme(root, Truth(missing=missing))
    file = root / "programme.yaml"
    text = file.read_text("utf-8").replace(BELIEF, f"    supports: {supports}\n    if_false: {{success: x0.3}}")
    file.write_text(text + LIMITS, "utf-8")
    for name, value in VALUES.items():
        said = CANDIDATE.replace("NAME", name.title()).replace("VALUE", value).replace("DATA", data)
        (root / "use-cases" / f"{name}.yaml").write_text(said, "utf-8")
    return root
