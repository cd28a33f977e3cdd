"""Which inputs, and which answers, are no longer those of the reference days.

One report asks many questions; together they claim a drift where there is none in at most 5% of reports.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, Literal

import numpy as np

from trueup.evidence.checks import MIX_BREAK
from trueup.evidence.health.cells import PARTS, category_cells, numeric_cells
from trueup.evidence.health.classifier import two_sample
from trueup.evidence.health.drift import LEAST_WEEKS, holm, stability
from trueup.loop.health.seen import NotKnown

if TYPE_CHECKING:
    from collections.abc import Iterator, Sequence

    from numpy.typing import NDArray

    from trueup.evidence.health.cells import Cells
    from trueup.evidence.health.drift import Weeks
    from trueup.loop.health.seen import Cases

Role = Literal["input", "answer", "confidence"]

# With fewer cases the index of an unchanged field comes near the limit by chance.
LEAST_CASES = 100
# The orders of weeks are drawn alike for every report: the same data give the same figures.
SEED = 4
_FEWEST_INPUTS = 2
# Two normal distributions whose index is .25 lie half a standard deviation apart: Phi(.5 / sqrt 2) of pairs are told.
LEAST_AUC = 0.638


@dataclass(frozen=True, slots=True)
class FieldDrift:
    """How one field moved between the reference days (`before` cases) and the recent ones (`after`).

    `index` is the stability index; `adjusted` the p-value of permuted weeks, adjusted for everything that the report
    asks. `cell` moved most, from the share `was` to the share `now`.
    """

    field: str
    role: Role
    kind: Literal["number", "category"]
    before: int
    after: int
    index: float
    p_value: float
    adjusted: float
    cell: str
    was: float
    now: float

    def state(self, alpha: float) -> Literal["drifted", "steady"]:
        """Return `drifted` for a move that is sure and large, else `steady`.

        A sure move alone is no claim: where weeks follow each other, more than 5% of untouched fields have one.
        """
        return "drifted" if self.adjusted <= alpha and self.index > MIX_BREAK else "steady"

    def to_json(self, alpha: float) -> dict[str, Any]:
        """Return the published form."""
        return {
            "field": self.field,
            "role": self.role,
            "kind": self.kind,
            "before": self.before,
            "after": self.after,
            "index": self.index,
            "limit": MIX_BREAK,
            "p_value": self.p_value,
            "adjusted": self.adjusted,
            "state": self.state(alpha),
            "moved_most": {"value": self.cell, "was": self.was, "now": self.now},
            "unknown": None,
        }


@dataclass(frozen=True, slots=True)
class _Asked:
    """A field that can be compared: its cells and weeks, over the cases that have it (inputs: over all)."""

    field: str
    role: Role
    kind: Literal["number", "category"]
    cells: Cells
    weeks: Weeks


@dataclass(frozen=True, slots=True)
class JointDrift:
    """How well a classifier tells recent from earlier cases by all inputs together."""

    fields: tuple[str, ...]
    auc: float
    p_value: float
    adjusted: float

    def to_json(self, alpha: float) -> dict[str, Any]:
        """Return the published form."""
        return {
            "fields": list(self.fields),
            "auc": self.auc,
            "p_value": self.p_value,
            "adjusted": self.adjusted,
            "state": "drifted" if self.adjusted <= alpha and self.auc >= LEAST_AUC else "steady",
            "unknown": None,
        }


@dataclass(frozen=True, slots=True)
class Drift:
    """The drift of every field, in the order they are declared, and of all inputs together."""

    fields: tuple[FieldDrift | tuple[str, Role, NotKnown], ...]
    joint: JointDrift | NotKnown

    def found(self) -> Iterator[FieldDrift]:
        """Yield the fields of which something is known."""
        return (one for one in self.fields if isinstance(one, FieldDrift))


def drift(cases: Cases, alpha: float, roles: Sequence[Role] = ("input", "answer", "confidence")) -> Drift:
    """Return how the declared fields of these roles moved.

    Half of the level goes to the classifier where two inputs or more are compared; the other half, or all of it, is
    shared by the fields after Holm. A test that could not reach its level with so few weeks is not made.
    """
    asked = [(name, role, _asked(cases, name, role)) for role in roles for name in _names(cases, role)]
    ready = [one for _, _, one in asked if isinstance(one, _Asked)]
    inputs = [one for one in ready if one.role == "input"]
    halves = 2 if len(inputs) >= _FEWEST_INPUTS else 1
    weak = next((one for one in ready if one.weeks.least_p * len(ready) * halves > alpha), None)
    if weak is not None:
        few = _too_few_weeks(weak.weeks)
        return Drift(tuple((name, role, one if isinstance(one, NotKnown) else few) for name, role, one in asked), few)
    moved = {(one.field, one.role): one for one in _adjusted([_moved(one) for one in ready], halves)}
    fields = tuple((name, role, one) if isinstance(one, NotKnown) else moved[name, role] for name, role, one in asked)
    return Drift(fields, _joint(inputs, halves))


def _names(cases: Cases, role: Role) -> Sequence[str]:
    if role == "input":
        return cases.health.inputs
    name = cases.health.answer if role == "answer" else cases.health.confidence
    return () if name is None else (name,)


def _asked(cases: Cases, name: str, role: Role) -> _Asked | NotKnown:
    values = cases.column(name, role, first=role == "input")
    if isinstance(values, NotKnown):
        return values
    # A case without an input is one that the model met; one without an answer is not the model's.
    given = np.array([role == "input" or value is not None for value in values], dtype=np.bool_)
    chosen = given & (cases.earlier | cases.later)
    weeks = cases.weeks_of(chosen)
    if isinstance(weeks, NotKnown):
        return weeks
    late = weeks.late_case
    fewest = min(int(late.sum()), int((~late).sum()))
    if fewest < LEAST_CASES:
        return NotKnown("too-few-cases", f"{fewest} cases with a value on one side, {LEAST_CASES} are needed")
    if min(int(weeks.late.sum()), int((~weeks.late).sum())) < LEAST_WEEKS:
        return _too_few_weeks(weeks)
    texts = [values[place] for place in np.flatnonzero(chosen).tolist()]
    return _in_cells(name, role, texts, None if name in cases.words else as_numbers(texts), weeks)


def _in_cells(
    name: str, role: Role, values: Sequence[str | None], numbers: NDArray[np.float64] | None, weeks: Weeks
) -> _Asked | NotKnown:
    given = [value for value in values if value is not None]
    if numbers is not None and len(np.unique(numbers[~np.isnan(numbers)])) > PARTS:
        return _Asked(name, role, "number", numeric_cells(numbers), weeks)
    if len(set(given)) > len(given) / 2:
        return NotKnown("too-many-values", f"{len(set(given))} different values in {len(given)} cases compare nothing")
    return _Asked(name, role, "category", category_cells(values), weeks)


def as_numbers(values: Sequence[str | None]) -> NDArray[np.float64] | None:
    """Return values as finite numbers, NaN where there is none; None if any of them is no such number."""
    numbers = []
    for value in values:
        try:
            number = math.nan if value is None else float(value)
        except ValueError:
            return None
        if value is not None and not math.isfinite(number):
            return None
        numbers.append(number)
    return np.array(numbers, dtype=np.float64)


def _too_few_weeks(weeks: Weeks) -> NotKnown:
    late = int(weeks.late.sum())
    return NotKnown(
        "too-few-weeks",
        f"{len(weeks.late) - late} weeks before and {late} after are too few to tell drift from chance "
        f"({LEAST_WEEKS} of either at least, more for many fields)",
    )


def _moved(asked: _Asked) -> FieldDrift:
    found = stability(asked.cells, asked.weeks, SEED)
    assert found is not None, "both windows have cases"
    late = asked.weeks.late_case
    then, now = asked.cells.counts(~late), asked.cells.counts(late)
    before, after = int(then.sum()), int(now.sum())
    most = int(np.argmax(np.abs(now / after - then / before)))
    return FieldDrift(
        field=asked.field,
        role=asked.role,
        kind=asked.kind,
        before=before,
        after=after,
        index=found.index,
        p_value=found.p_value,
        adjusted=found.p_value,
        cell=asked.cells.names[most],
        was=float(then[most] / before),
        now=float(now[most] / after),
    )


def _adjusted(found: Sequence[FieldDrift], halves: int) -> list[FieldDrift]:
    shared = holm([one.p_value for one in found])
    return [replace(one, adjusted=min(halves * value, 1.0)) for one, value in zip(found, shared, strict=True)]


def _joint(inputs: Sequence[_Asked], halves: int) -> JointDrift | NotKnown:
    if len(inputs) < _FEWEST_INPUTS:
        return NotKnown("too-few-fields", f"{len(inputs)} inputs can be compared, {_FEWEST_INPUTS} are needed")
    told = two_sample([one.cells for one in inputs], inputs[0].weeks, SEED)
    assert told is not None, "both windows have cases"
    names = tuple(one.field for one in inputs)
    return JointDrift(names, told.auc, told.p_value, min(halves * told.p_value, 1.0))
