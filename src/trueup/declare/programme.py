"""The whole programme as read from one folder: typed files, where each value stands, what each file hashes to."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trueup.kernel.finding import Span

if TYPE_CHECKING:
    from collections.abc import Mapping
    from pathlib import Path

    from trueup.declare.model.kpi import Kpi
    from trueup.declare.model.programme import ProgrammeFile
    from trueup.declare.model.registration import Registration
    from trueup.declare.model.scenario import Scenarios
    from trueup.declare.model.use_case import UseCase
    from trueup.declare.model.workflow import Workflow

PROGRAMME_FILE = "programme.yaml"

# A path inside a file: keys and list positions, as in ("pilot", "gates", "week-4").
Path_ = tuple[str | int, ...]


@dataclass(frozen=True, slots=True)
class Places:
    """Where every value of every file stands. `values` maps (file, path) to the value, `keys` to its key."""

    values: Mapping[tuple[str, Path_], Span] = field(default_factory=dict)
    keys: Mapping[tuple[str, Path_], Span] = field(default_factory=dict)

    def of(self, file: str, *path: str | int) -> Span:
        """Return the place of a value; of the nearest existing key that should hold it when it is missing."""
        here: Path_ = tuple(path)
        if (file, here) in self.values:
            return self.values[file, here]
        while here:
            here = here[:-1]
            # An item of a list has no key; it stands for itself.
            holders = self.values if here and isinstance(here[-1], int) else self.keys
            if (file, here) in holders:
                return holders[file, here]
        return self.values.get((file, ()), Span(file))

    def of_key(self, file: str, *path: str | int) -> Span:
        """Return the place of the key itself (for findings about the key, not its value)."""
        return self.keys.get((file, tuple(path)), self.of(file, *path))


@dataclass(frozen=True, slots=True)
class Programme:
    """A programme's declared state. Ids are file stems; `digests` maps each relative file to its SHA-256."""

    root: Path
    file: ProgrammeFile
    use_cases: Mapping[str, UseCase]
    workflows: Mapping[str, Workflow]
    registrations: Mapping[str, Registration]
    places: Places
    digests: Mapping[str, str]
    scenarios: Mapping[str, Scenarios] = field(default_factory=dict)

    def kpi(self, name: str) -> Kpi | None:
        """Return the KPI called `workflow.kpi`, or None."""
        workflow, _, kpi = name.partition(".")
        declared = self.workflows.get(workflow)
        return None if declared is None else declared.kpis.get(kpi)

    def workflows_of(self, use_case: str) -> list[str]:
        """Return the ids of the workflows of a use case, sorted."""
        return sorted(name for name, workflow in self.workflows.items() if workflow.use_case == use_case)


def workflow_file(workflow: str) -> str:
    """Return the relative path of a workflow's file."""
    return f"workflows/{workflow}.yaml"


def use_case_file(use_case: str) -> str:
    """Return the relative path of a use case's file."""
    return f"use-cases/{use_case}.yaml"


def registration_file(workflow: str) -> str:
    """Return the relative path of a workflow's registration."""
    return f"registrations/{workflow}.yaml"


def scenario_file(name: str) -> str:
    """Return the relative path of a file of scenarios."""
    return f"scenarios/{name}.yaml"
