"""Records that several rooms share: a reading of a KPI, a profile of data."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trueup.kernel.canonical import digest

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date


@dataclass(frozen=True, slots=True)
class Reading:
    """One computed value of a KPI over the mature cases that started in one ISO week (UTC).

    `value`, `lower`, `upper` are in `unit` (shares as fractions) or None where they cannot be known.
    `immature` counts cases too young to count, `capped` durations that ended at the follow-up window,
    `without_value` cases for which the KPI has no value (a duration without its first event).
    """

    workflow: str
    kpi: str
    week: date | None
    arm: str
    segment: str | None
    n: int
    value: float | None
    lower: float | None
    upper: float | None
    unit: str
    evidence_level: str
    immature: int = 0
    capped: int = 0
    without_value: int = 0

    @property
    def id(self) -> str:
        """A name made from the content: the same reading has the same id wherever it is computed."""
        body = {
            "workflow": self.workflow,
            "kpi": self.kpi,
            "week": self.week.isoformat() if self.week else None,
            "arm": self.arm,
            "segment": self.segment,
            "n": self.n,
            "value": self.value,
        }
        return "r-" + digest(body).removeprefix("sha256:")[:12]

    def to_json(self) -> dict[str, object]:
        """Return the published form."""
        return {
            "id": self.id,
            "workflow": self.workflow,
            "kpi": self.kpi,
            "week": self.week.isoformat() if self.week else None,
            "arm": self.arm,
            "segment": self.segment,
            "n": self.n,
            "value": self.value,
            "lower": self.lower,
            "upper": self.upper,
            "unit": self.unit,
            "evidence_level": self.evidence_level,
            "immature": self.immature,
            "capped": self.capped,
            "capped_share": self.capped / self.n if self.n else None,
            "without_value": self.without_value,
        }


@dataclass(frozen=True, slots=True)
class FieldProfile:
    """How one field of a data source is filled: `records` looked at, `present`, and `valid` by its expectation."""

    name: str
    records: int
    present: int
    valid: int
    examples_missing: tuple[str, ...] = ()
    examples_invalid: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Profile:
    """What was measured of a data source, and on which bytes.

    `per` says what one record is (`case` where a workflow reads the source, else `row`). `digest` is the
    SHA-256 of the source file. `newest` is the ISO instant of the newest event, None without times.
    `joint` counts the records in which all fields of a tuple are present, `joint_valid` those in which all are valid.
    """

    data: str
    per: str
    records: int
    fields: Mapping[str, FieldProfile]
    digest: str
    newest: str | None = None
    joint: Mapping[tuple[str, ...], int] = field(default_factory=dict)
    joint_valid: Mapping[tuple[str, ...], int] = field(default_factory=dict)
