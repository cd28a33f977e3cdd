"""A workflow in production with weekly checkpoints behind it: what a stable cycle is made of, to be taken away."""

from __future__ import annotations

from pathlib import Path

from tests.loop.pilots import Truth, write_programme
from tests.running import Ran, run_trueup

# Mondays; each checkpoint closes the week before it.
CHECKPOINTS = ("2024-06-03", "2024-06-10", "2024-06-17")
NOW = "2024-06-17"
LIMIT = "exceptions: {at_most: 20%, kpi: first_pass}\n"


def run(*arguments: str | Path) -> Ran:
    return run_trueup(*arguments, "--json")


def write_stable(root: Path, truth: Truth | None = None, extra: str = LIMIT, next_: str = "letters") -> Path:
    """Write a workflow in production, with a registered promise and a declared limit of exceptions."""
    write_programme(root, truth or Truth(missing=0.02))
    workflow, use_case = root / "workflows" / "claims.yaml", root / "use-cases" / "claims.yaml"
    text = workflow.read_text("utf-8").replace("next: [letters]", f"next: [{next_}]")
    workflow.write_text(text + extra, "utf-8")
    assert run("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31").exit_code == 0
    use_case.write_text(use_case.read_text("utf-8").replace("stage: pilot", "stage: production"), "utf-8")
    return root


def hold(root: Path, *days: str) -> None:
    """Hold the weekly checkpoint on days; every change is taken."""
    for day in days:
        name = run("review", root, "--as-of", day).data["id"]
        ran = run("apply", root, name, "--by", "chief", "--as-of", day)
        assert ran.exit_code == 0, ran


def give_evidence(root: Path, items: tuple[str, ...]) -> None:
    """Record evidence for checklist items."""
    for item in items:
        args = ("--workflow", "claims", "--item", item, "--evidence", "seen", "--by", "owner", "--as-of", NOW)
        ran = run("record", root, "checklist", *args)
        assert ran.exit_code == 0, ran
