"""The little language in which an assumption says what would prove it wrong.

It has three forms: `data.NAME.WHAT(FIELD, ...)`, `actuals.WHAT(USE_CASE, KIND)` and `WORKFLOW.KPI`.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal, TypeAlias, cast

_CALL = re.compile(r"\s*(?P<name>[^()]+?)\s*\(\s*(?P<arguments>[^()]*?)\s*\)\s*")
_KPI = re.compile(r"\s*(?P<workflow>[a-z0-9][a-z0-9-]*)\.(?P<kpi>[A-Za-z0-9_-]+)\s*")
_DATA = ("completeness", "validity", "volume")
_ACTUALS = ("spend", "effort")
_FORMS = (
    "write data.NAME.completeness(FIELD, ...), data.NAME.validity(FIELD, ...), data.NAME.volume(), "
    "actuals.spend(USE_CASE, KIND), actuals.effort(USE_CASE, KIND) or WORKFLOW.KPI"
)


@dataclass(frozen=True, slots=True)
class DataMeasure:
    """A share of cases (completeness, validity: in [0, 1]) or a number of cases (volume) of a data source."""

    data: str
    what: Literal["completeness", "validity", "volume"]
    fields: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class ActualsMeasure:
    """What a use case has cost so far: money in the programme's currency, or hours; of one kind or of all."""

    what: Literal["spend", "effort"]
    use_case: str
    kind: str | None = None


@dataclass(frozen=True, slots=True)
class KpiMeasure:
    """A KPI of a workflow, in the KPI's unit."""

    workflow: str
    kpi: str


Measure: TypeAlias = DataMeasure | ActualsMeasure | KpiMeasure


def parse_measure(text: str) -> Measure:
    """Read a measure. Raises ValueError with a sentence for anything else."""
    call = _CALL.fullmatch(text)
    if call is None:
        kpi = _KPI.fullmatch(text)
        if kpi is None or kpi["workflow"] in {"data", "actuals"}:
            raise ValueError(f"{text[:80]!r} is not a measure; {_FORMS}")
        return KpiMeasure(kpi["workflow"], kpi["kpi"])
    arguments = _arguments(text, call["arguments"])
    first, _, rest = call["name"].partition(".")
    name, _, what = rest.rpartition(".")
    if first == "data" and name and what in _DATA:
        return _data(name, what, arguments)
    if first == "actuals" and rest in _ACTUALS:
        return _actuals(rest, arguments)
    raise ValueError(f"{text[:80]!r} is not a measure; {_FORMS}")


def _arguments(text: str, written: str) -> tuple[str, ...]:
    arguments = tuple(part.strip().strip("'\"") for part in written.split(",")) if written else ()
    if not all(arguments):
        raise ValueError(f"{text[:80]!r} has an empty argument")
    return arguments


def _data(name: str, what: str, arguments: tuple[str, ...]) -> DataMeasure:
    if what == "volume" and arguments:
        raise ValueError("volume counts cases and takes no fields: write data.NAME.volume()")
    if what != "volume" and not arguments:
        raise ValueError(f"{what} needs the fields that it is about: write data.NAME.{what}(FIELD, ...)")
    return DataMeasure(name, cast("Literal['completeness', 'validity', 'volume']", what), arguments)


def _actuals(what: str, arguments: tuple[str, ...]) -> ActualsMeasure:
    if not 1 <= len(arguments) <= 2:
        raise ValueError(f"{what} takes a use case and, if wanted, a kind: write actuals.{what}(USE_CASE, KIND)")
    kind = arguments[1] if len(arguments) == 2 else None
    return ActualsMeasure(cast("Literal['spend', 'effort']", what), arguments[0], kind)
