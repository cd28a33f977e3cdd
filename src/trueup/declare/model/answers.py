"""The answers from which `trueup new` writes a starter programme. Every one may be left open."""

from __future__ import annotations

from typing import Annotated

from pydantic import AfterValidator

from trueup.declare.ids import is_id
from trueup.declare.model.kpi import EventValue
from trueup.declare.model.people import Person
from trueup.declare.model.values import BarValue, Day, Declared, Fraction, PeriodValue, Texts
from trueup.declare.model.workflow import Window


def _id(text: str) -> str:
    if not is_id(text):
        msg = f"{text!r} is not an id; ids are small letters, digits and dashes"
        raise ValueError(msg)
    return text


Id = Annotated[str, AfterValidator(_id)]


class ObjectiveAnswer(Declared):
    """The outcome that the programme is for, with a change (`-30%`) to reach by a date."""

    id: Id = "first-objective"
    outcome: str | None = None
    reach: BarValue | None = None
    by: Day | None = None


class UseCaseAnswer(Declared):
    """The first use case; its workflow gets the same id."""

    id: Id = "first-use-case"
    name: str = "First use case"


class DataAnswer(Declared):
    """The event log of the workflow, and which of its columns say what."""

    id: Id = "events"
    source: str | None = None
    zone: str = "UTC"
    case: str | None = None
    activity: str | None = None
    at: str | None = None
    complete: Texts = ()
    matures_after: PeriodValue | None = None


class MeasureAnswer(Declared):
    """How long a case takes (from one event to another), and which events mean that it went wrong."""

    start: EventValue | None = None
    end: EventValue | None = None
    wrong: Texts = ()


class PilotAnswer(Declared):
    """When the pilot starts, what it is compared with, and which share of the cases is treated."""

    starts: Day | None = None
    baseline: Window | None = None
    share: Fraction = 0.8


class Answers(Declared):
    """The content of the file given to `trueup new --answers`."""

    programme: str = "New programme"
    currency: str = "EUR"
    origin: str | None = None
    adopted: Day | None = None
    people: dict[str, Person] = {}
    sponsor: str | None = None
    owner: str | None = None
    objective: ObjectiveAnswer = ObjectiveAnswer()
    use_case: UseCaseAnswer = UseCaseAnswer()
    data: DataAnswer = DataAnswer()
    measure: MeasureAnswer = MeasureAnswer()
    pilot: PilotAnswer = PilotAnswer()
