"""`use-cases/ID.yaml`: a candidate or live application of AI; the unit of governance and of ranking."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from trueup.declare.model.values import Declared, EffortValue, RangeValue, Texts


class Stage(StrEnum):
    """Where a use case is in its life."""

    IDEA = "idea"
    CANDIDATE = "candidate"
    PILOT = "pilot"
    PRODUCTION = "production"
    STOPPED = "stopped"
    RETIRED = "retired"


class MeasuredBy(Declared):
    """The KPI through which a value line is realised."""

    kpi: str
    per: str = "case"


class ValueLine(Declared):
    """A yearly value: a range of quantities, and what one of them is worth."""

    range: RangeValue
    rate: float | None = None
    each: float | None = None
    measured_by: MeasuredBy | None = None


class Cost(Declared):
    """Costs in the programme's currency; `run` and `retraining` per year."""

    build: RangeValue | None = None
    run: RangeValue | None = None
    labelling: RangeValue | None = None
    retraining: RangeValue | None = None
    licences: RangeValue | None = None


class Effort(Declared):
    """Person-days of engineering and of change work."""

    engineering: EffortValue | None = None
    change: EffortValue | None = None


class Feasibility(Declared):
    """0 to 2 each; `data` names the data source whose readiness is measured, or is a judged score."""

    data: str | Annotated[int, Field(ge=0, le=2)] | None = None
    integration: int | None = Field(default=None, ge=0, le=2)
    process: int | None = Field(default=None, ge=0, le=2)
    risk: int | None = Field(default=None, ge=0, le=2)


class Alternative(Declared):
    """An approach that was considered and not taken."""

    cost: RangeValue | None = None
    because_not: str | None = None


class Approach(Declared):
    """Build or buy, with what was turned down."""

    choice: Literal["build", "buy", "partner", "configure"] | None = None
    alternatives: dict[str, Alternative] = {}


class Risk(Declared):
    """The risk class of the use, not of the model."""

    eu_ai_act: Literal["prohibited", "high", "limited", "minimal"] | None = None
    personal_data: bool | None = None
    lawful_basis: str | None = None
    affects: str | None = None


class UseCase(Declared):
    """The content of a use case's file; its id is the file's stem."""

    use_case: str
    objective: str | None = None
    owner: str | None = None
    team: str | None = None
    stage: Stage = Stage.IDEA
    scope: str | None = None
    faces: Literal["customer", "staff", "none"] | None = None
    value: dict[str, ValueLine] = {}
    cost: Cost | None = None
    effort: Effort | None = None
    feasibility: Feasibility | None = None
    approach: Approach | None = None
    risk: Risk | None = None
    needs: Texts = ()
    excludes: Texts = ()
