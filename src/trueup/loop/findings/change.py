"""A finding as one line of a review: it changes no file, and once decided it is not listed until it is another one."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.kernel.canonical import digest
from trueup.kernel.finding import Severity
from trueup.loop.findings.registry import findings_of
from trueup.loop.permission import may_change_strategy

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence
    from datetime import date, datetime

    from trueup.declare.programme import Path_, Programme
    from trueup.loop.changes import Chain, Formula
    from trueup.loop.findings.seen import Found
    from trueup.loop.workbench import Workbench

# Findings that a gate's own line says when it carries one of these codes.
_MOVED = frozenset({"promise-changed", "definition-changed"})
_UNLOCKED = frozenset({"registration-unrecorded", "registration-altered"})
_BROKEN = frozenset({"series-broken"})
_SAID_BY_CODE = {"RUN04": _BROKEN, "KPI01": _UNLOCKED, "GATE04": _MOVED | _UNLOCKED}
_SAID_BY_ASSUMPTION = frozenset({"STRAT04", "DATA01"})
# What the calendar alone shows: holding this review is the first remedy, so it does not stand beside what it decides.
_CALENDAR = frozenset({"GATE05", "STRAT01", "STRAT02", "STRAT03"})


@dataclass(frozen=True, slots=True)
class Told:
    """What a review says by other lines.

    `gates` are the workflows whose gates it lists, `codes` (workflow, code) of every gate listed or decided, and
    `assumptions` and `autonomy` (workflows) those that it lists. `busy`: it has gates or assumptions to decide, or was
    held at this instant.
    """

    gates: frozenset[str] = frozenset()
    codes: frozenset[tuple[str, str]] = frozenset()
    assumptions: frozenset[str] = frozenset()
    busy: bool = False
    autonomy: frozenset[str] = frozenset()

    def tells(self, found: Found) -> bool:
        """Tell whether a finding would only repeat a line of the review, or of one that was decided."""
        code, subject = found.finding.code, found.subject
        if code in _CALENDAR:
            return self.busy
        if code in _SAID_BY_ASSUMPTION and subject in self.assumptions:
            return True
        if code == "RUN03" and subject in self.autonomy:
            return True
        if code == "GATE02" and subject in self.gates:
            return True
        return any((subject, said) in self.codes for said in _SAID_BY_CODE.get(code, ()))


@dataclass(frozen=True, slots=True)
class FindingChange:
    """A warning or an error that data, ledger or calendar show."""

    found: Found

    @property
    def kind(self) -> str:
        """Always `finding`."""
        return "finding"

    def fingerprint(self) -> str:
        """Digest of the code, what it is about, and what tells this instance from a later one."""
        found = self.found
        return digest({"kind": self.kind, "code": found.finding.code, "subject": found.subject, "instance": found.key})

    def waivable(self) -> tuple[str, ...]:
        """Nothing here; a finding is waived in the files."""
        return ()

    def outcome(self, waived: Sequence[str]) -> str:  # noqa: ARG002 -- the signature of every change
        """Always `noted`."""
        return "noted"

    def signers(self, programme: Programme, waived: Sequence[str]) -> set[str]:  # noqa: ARG002 -- every change answers the same questions
        """Coordination, the sponsor, or anybody who decides."""
        return may_change_strategy(programme)

    def edits(
        self,
        programme: Programme,  # noqa: ARG002 -- every change answers the same questions
        by: str,  # noqa: ARG002 -- as above
        on: date,  # noqa: ARG002 -- as above
        waived: Sequence[str],  # noqa: ARG002 -- as above
    ) -> list[tuple[str, Path_, object]]:
        """Nothing: the decision is in the ledger."""
        return []

    def to_json(self) -> dict[str, Any]:
        """Return the published form: the finding's own, with `subject` and `because`."""
        return {
            "kind": self.kind,
            "subject": self.found.subject,
            **self.found.finding.to_json(),
            "because": self.found.finding.detail,
            "evidence": [],
            "fingerprint": self.fingerprint(),
        }

    def chain(self) -> Chain:
        """Return nothing to count: the finding says it all, and where."""
        found = self.found.finding
        formula: Formula = {
            "name": f"finding {found.code}: {found.summary}",
            "expression": found.detail,
            "inputs": {},
        }
        return {"readings": [], "inputs": {}, "formula": formula}


def finding_changes(bench: Workbench, as_of: datetime, told: Told) -> Iterator[FindingChange]:
    """Yield warnings and errors that nobody waived and no other line tells, at most one for a code and subject."""
    bench.progress("looking for findings")
    said: set[tuple[str, str]] = set()
    for found in findings_of(bench, as_of):
        finding, place = found.finding, (found.finding.code, found.subject)
        if finding.severity is not Severity.NOTE and finding.waived is None and place not in said:
            said.add(place)
            if not told.tells(found):
                yield FindingChange(found)
