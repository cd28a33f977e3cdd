"""What a ranking rests on beyond the declared files: which assumptions were found false, how ready the data are.

Before any ranking was decided there is none of it: the files are believed, and readiness has not been measured. That
is the ranking of the day of adoption, and the first reference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from trueup.declare.model.data import Found
from trueup.kernel.clock import parse_instant
from trueup.loop.facts.readiness import ranked_by, readiness, scores

if TYPE_CHECKING:
    from datetime import date, datetime

    from trueup.declare.programme import Programme
    from trueup.ledger.entry import Entry
    from trueup.loop.workbench import Workbench

# Readiness is kept to so many digits, so that what is read back from the record equals what was measured.
_DIGITS = 6


@dataclass(frozen=True, slots=True)
class Evidence:
    """Measured values of the assumptions found false, by id; measured readiness in [0, 1], by data source."""

    false: Mapping[str, float] = field(default_factory=dict)
    readiness: Mapping[str, float] = field(default_factory=dict)

    def to_json(self) -> dict[str, Any]:
        """Return the form that the record keeps."""
        return {"false": dict(self.false), "readiness": dict(self.readiness)}

    def under(self, programme: Programme, on: date) -> Programme:
        """Return the programme as if exactly this had been found out about its assumptions."""
        assumptions = {
            name: one.model_copy(update={"found": self._found(name, on)})
            for name, one in programme.file.assumptions.items()
        }
        return replace(programme, file=programme.file.model_copy(update={"assumptions": assumptions}))

    def _found(self, name: str, on: date) -> Found | None:
        return Found(value=self.false[name], on=on, holds=False) if name in self.false else None


def decided_evidence(bench: Workbench, as_of: datetime) -> Evidence:
    """Return what the ranking decided last rests on: that of the newest review with nothing of it left open."""
    settled = [
        item.entry
        for item in bench.ledger.entries("ranking.decided")
        if not item.entry.data["open"] and _looked_from(item.entry) <= as_of
    ]
    if not settled:
        return Evidence()
    kept = settled[-1].data["evidence"]
    assert isinstance(kept, Mapping)
    return Evidence(_numbers(kept["false"]), _numbers(kept["readiness"]))


def present_evidence(bench: Workbench, as_of: datetime, proposed: Mapping[str, float | None]) -> Evidence:
    """Return what is known now: what the files hold, with the proposed changes of this review, and measured readiness.

    `proposed` has, for every assumption that the review asks about, the value that makes it false; None where it holds.
    Files are read as they stand: what a review found counts, whatever its day.
    """
    false = {
        name: one.found.value
        for name, one in bench.programme.file.assumptions.items()
        if one.found is not None and not one.found.holds
    }
    for name, value in proposed.items():
        false.pop(name, None)
        if value is not None:
            false[name] = float(f"{value:.6g}")
    measured = scores(readiness(bench.observations, ranked_by(bench.programme), as_of))
    return Evidence(dict(sorted(false.items())), {name: round(one, _DIGITS) for name, one in measured.items()})


def _looked_from(entry: Entry) -> datetime:
    return parse_instant(str(entry.data["as_of"]))


def _numbers(kept: object) -> dict[str, float]:
    return {str(name): float(one) for name, one in kept.items()} if isinstance(kept, Mapping) else {}
