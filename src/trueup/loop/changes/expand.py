"""A workflow that was stable long enough goes on to the next adjacent one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.declare.model.use_case import Stage
from trueup.declare.programme import workflow_file
from trueup.kernel.canonical import digest
from trueup.loop.expansion.copied import LEFT_OPEN, copied, next_of
from trueup.loop.expansion.cycles import cycles_wanted, last_cycles
from trueup.loop.permission import may_expand
from trueup.loop.pilots.checklist import checklist_of

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import date, datetime

    from trueup.declare.programme import Programme
    from trueup.loop.changes.change import Chain, Edit
    from trueup.loop.expansion.cycles import Cycle
    from trueup.loop.workbench import Workbench


@dataclass(frozen=True, slots=True)
class ExpandChange:
    """A workflow in production, the next one, and the cycles that speak for it. `text` is the file to be written."""

    subject: str
    next: str
    cycles: tuple[Cycle, ...]
    checklist: Mapping[str, int | None]
    text: str

    @property
    def kind(self) -> str:
        """Always `expand`."""
        return "expand"

    def fingerprint(self) -> str:
        """Digest of the two workflows and of what is missing: with more evidence it is another question."""
        return digest({"kind": self.kind, "subject": self.subject, "next": self.next, "missing": list(self.waivable())})

    def waivable(self) -> tuple[str, ...]:
        """The checklist items without evidence."""
        return tuple(item for item, entry in self.checklist.items() if entry is None)

    def outcome(self, waived: Sequence[str]) -> str:
        """`expand` once every item has evidence or is waived by name, else `hold`."""
        return "expand" if set(self.waivable()) <= set(waived) else "hold"

    def signers(self, programme: Programme, waived: Sequence[str]) -> set[str]:  # noqa: ARG002 -- every change answers the same questions
        """The sponsor, or a decider who does not own the workflow."""
        return may_expand(programme, self.subject)

    def edits(self, programme: Programme, by: str, on: date, waived: Sequence[str]) -> list[Edit]:  # noqa: ARG002 -- every change answers the same questions
        """The next workflow's file, whole; nothing while it holds."""
        return [(workflow_file(self.next), (), self.text)] if self.outcome(waived) == "expand" else []

    def to_json(self) -> dict[str, Any]:
        """Return the published form of an expand change."""
        missing = self.waivable()
        weeks = f"{len(self.cycles)} stable cycle{'s' * (len(self.cycles) != 1)} in a row"
        wants = f"; {len(missing)} of {len(self.checklist)} checklist items have no evidence" if missing else ""
        return {
            "kind": self.kind,
            "subject": self.subject,
            "next": self.next,
            "outcome": self.outcome(()),
            "because": weeks + wants,
            "cycles": [cycle.to_json() for cycle in self.cycles],
            "checklist": [{"item": item, "entry": entry} for item, entry in self.checklist.items()],
            "waivable": list(missing),
            "file": workflow_file(self.next),
            "left_open": list(LEFT_OPEN),
            "evidence": [],
            "fingerprint": self.fingerprint(),
        }

    def chain(self) -> Chain:
        """Return the weeks that were looked at and the evidence of the checklist."""
        inputs = {
            "week": {cycle.week.isoformat(): "stable" for cycle in self.cycles},
            "item": {
                item: "no evidence" if entry is None else f"entry {entry}" for item, entry in self.checklist.items()
            },
        }
        return {
            "readings": [],
            "inputs": inputs,
            "formula": {
                "name": "stable cycles in a row",
                "expression": "checkpoint held, no guardrail crossed, no incident of severity 1 or 2, "
                "exceptions within the declared limit",
                "inputs": inputs,
            },
            "declared": [workflow_file(self.subject), "pilot", "scale_plan", "next"],
        }


def expand_changes(bench: Workbench, as_of: datetime) -> Iterator[ExpandChange]:
    """Yield a change for everything next to a workflow in production that was stable in as many cycles as it wants."""
    for name, workflow in sorted(bench.programme.workflows.items()):
        use_case = bench.programme.use_cases.get(workflow.use_case or "")
        if use_case is None or use_case.stage is not Stage.PRODUCTION:
            continue
        wanted = list(next_of(bench.programme, name))
        if not wanted:
            continue
        bench.progress(f"counting the stable cycles of {name}")
        count = cycles_wanted(workflow)
        cycles = last_cycles(bench, name, as_of, count)
        if len(cycles) < count or not all(cycle.stable for cycle in cycles):
            continue
        text = (bench.root / workflow_file(name)).read_bytes().decode("utf-8-sig")
        checklist = checklist_of(bench.ledger, name, as_of)
        for one in wanted:
            made = copied(bench.programme, name, one, text)
            yield ExpandChange(name, one, tuple(cycles), checklist, made)
