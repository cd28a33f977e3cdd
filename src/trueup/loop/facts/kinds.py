"""What can be recorded by hand: for each kind the options that it takes, and the data that they become."""

from __future__ import annotations

import math
from dataclasses import dataclass, fields
from datetime import date
from typing import TYPE_CHECKING, NamedTuple

from trueup.decide.gate import CHECKLIST
from trueup.kernel.clock import start_of_day
from trueup.kernel.errors import NotFoundError, UsageError
from trueup.kernel.text import did_you_mean, shown
from trueup.loop.measure import require_workflow

if TYPE_CHECKING:
    from collections.abc import Callable, Collection, Mapping
    from datetime import datetime

    from trueup.declare.programme import Programme
    from trueup.kernel.canonical import Json

    Data = Mapping[str, Json]

_LAST_SEVERITY = 4


@dataclass(frozen=True, slots=True)
class Said:
    """The options of `record`, as somebody gave them; None where they were not."""

    use_case: str | None = None
    kind: str | None = None
    amount: float | None = None
    hours: float | None = None
    workflow: str | None = None
    person: str | None = None
    on: date | None = None
    item: str | None = None
    evidence: str | None = None
    incident: str | None = None
    severity: int | None = None
    what: str | None = None
    about: str | None = None
    text: str | None = None
    case: str | None = None
    wrong: bool | None = None
    blind: float | None = None
    confidence: float | None = None

    def given(self) -> set[str]:
        """Return the names of the options that were given."""
        return {field.name for field in fields(self) if getattr(self, field.name) is not None}


class About(NamedTuple):
    """The world that a fact has to fit into: the programme, who can be trained, and the instant it is about."""

    programme: Programme
    trainable: Collection[str]
    at: datetime


class Kind(NamedTuple):
    """A kind of fact: its entry type, the options that it needs and may have, and what makes data of them."""

    entry_type: str
    needs: tuple[str, ...]
    may_have: tuple[str, ...]
    data: Callable[[Said, About], Data]


def data_of(name: str, said: Said, about: About) -> Data:
    """Return the data of a fact.

    Raises UsageError for options that are missing, empty, foreign to the kind or beyond their range, NotFoundError for
    ids that nobody declares.
    """
    kind = KINDS[name]
    for option in kind.needs:
        value = getattr(said, option)
        if value is None or (isinstance(value, str) and not value.strip()):
            raise UsageError("option-missing", f"To record {name}, --{_dashed(option)} is needed.", _usage(name))
    foreign = sorted(said.given() - {*kind.needs, *kind.may_have})
    if foreign:
        raise UsageError("option-foreign", f"{name} has no --{_dashed(foreign[0])}.", _usage(name))
    return kind.data(said, about)


def time_of(name: str, said: Said, at: datetime) -> datetime:
    """Return the instant that a fact is about: the day of a training, else the instant looked from."""
    if name != "training" or said.on is None:
        return at
    day = start_of_day(said.on)
    if day > at:
        raise UsageError("not-yet", f"--on {said.on} lies after the instant of this record.", "Record it afterwards.")
    return day


def _spend(said: Said, about: About) -> Data:
    use_case = _known_use_case(about.programme, said.use_case or "")
    return {"use_case": use_case, "kind": _word(said.kind), "amount": _amount("amount", said.amount)}


def _effort(said: Said, about: About) -> Data:
    use_case = _known_use_case(about.programme, said.use_case or "")
    return {"use_case": use_case, "kind": _word(said.kind), "hours": _amount("hours", said.hours)}


def _training(said: Said, about: About) -> Data:
    workflow = require_workflow(about.programme, said.workflow or "")
    person = _word(said.person)
    if person not in about.trainable:
        raise NotFoundError(
            "no-such-person",
            f"There is no person {shown(person)}.{did_you_mean(person, about.trainable)}",
            "Add them to `people` in programme.yaml, or to the file under `actuals.people`.",
        )
    return {"workflow": workflow, "person": person, "trained": (said.on or about.at.date()).isoformat()}


def _checklist(said: Said, about: About) -> Data:
    workflow, item = require_workflow(about.programme, said.workflow or ""), _word(said.item)
    if item not in CHECKLIST:
        meant, items = did_you_mean(item, CHECKLIST), ", ".join(CHECKLIST)
        raise UsageError("unknown-item", f"{shown(item)} is no checklist item.{meant}", f"There are: {items}.")
    return {"workflow": workflow, "item": item, "evidence": _word(said.evidence)}


def _incident(said: Said, about: About) -> Data:
    workflow, incident = require_workflow(about.programme, said.workflow or ""), _word(said.incident)
    declared = about.programme.file.incidents.get(incident)
    severity = said.severity if said.severity is not None or declared is None else declared.severity
    if severity is None:
        known = about.programme.file.incidents
        raise UsageError(
            "severity-unknown",
            f"{shown(incident)} is no declared incident, so its severity is not known.{did_you_mean(incident, known)}",
            "Give --severity 1 to 4, or declare it under `incidents` in programme.yaml.",
        )
    if not 1 <= severity <= _LAST_SEVERITY:
        raise UsageError("bad-severity", f"{severity} is no severity.", "Severities go from 1 (gravest) to 4.")
    return {"workflow": workflow, "incident": incident, "severity": severity, "what": _word(said.what)}


def _outcome(said: Said, about: About) -> Data:
    workflow, case = require_workflow(about.programme, said.workflow or ""), _word(said.case)
    if said.blind is not None and not 0 < said.blind <= 1:
        raise UsageError(
            "bad-share",
            f"--blind {said.blind} is no probability of being drawn.",
            "Give the share that is reviewed blind, above 0 and at most 1: --blind 0.05.",
        )
    if said.confidence is not None and not 0 <= said.confidence <= 1:
        reason = f"--confidence {said.confidence} is no confidence."
        raise UsageError("bad-confidence", reason, "Give it as the model said it, from 0 to 1.")
    return {
        "workflow": workflow,
        "case": case,
        "wrong": said.wrong is True,
        "blind": said.blind is not None,
        "share": 1.0 if said.blind is None else said.blind,
        **({} if said.confidence is None else {"confidence": said.confidence}),
    }


def _note(said: Said, about: About) -> Data:
    text = _word(said.text)
    if said.about is None:
        return {"text": text}
    known = {*about.programme.use_cases, *about.programme.workflows}
    if said.about not in known:
        raise NotFoundError(
            "no-such-subject",
            f"There is no use case or workflow {shown(said.about)}.{did_you_mean(said.about, known)}",
            f"Declared are: {', '.join(sorted(known)) or 'none'}.",
        )
    return {"text": text, "about": said.about}


def _known_use_case(programme: Programme, name: str) -> str:
    if name in programme.use_cases:
        return name
    raise NotFoundError(
        "no-such-use-case",
        f"There is no use case {shown(name)}.{did_you_mean(name, programme.use_cases)}",
        f"Declared are: {', '.join(sorted(programme.use_cases)) or 'none'}.",
    )


def _amount(option: str, amount: float | None) -> float:
    if amount is None or not math.isfinite(amount) or amount < 0:
        raise UsageError("bad-amount", f"--{option} {amount} is no amount.", "Give a finite number, 0 or more.")
    return amount


def _word(text: str | None) -> str:
    return (text or "").strip()


def _dashed(option: str) -> str:
    return "wrong/--right" if option == "wrong" else option.replace("_", "-")


def _usage(name: str) -> str:
    kind = KINDS[name]
    needed = " ".join(f"--{_dashed(option)} ..." for option in kind.needs)
    optional = "".join(f" [--{_dashed(option)} ...]" for option in kind.may_have)
    return f"Nothing was recorded. It is called so:\n    trueup record DIR {name} {needed}{optional} --by WHO"


KINDS: Mapping[str, Kind] = {
    "spend": Kind("spend.recorded", ("use_case", "kind", "amount"), (), _spend),
    "effort": Kind("effort.recorded", ("use_case", "kind", "hours"), (), _effort),
    "training": Kind("training.recorded", ("workflow", "person"), ("on",), _training),
    "checklist": Kind("checklist.recorded", ("workflow", "item", "evidence"), (), _checklist),
    "incident": Kind("incident.recorded", ("workflow", "incident", "what"), ("severity",), _incident),
    "outcome": Kind("outcome.reviewed", ("workflow", "case", "wrong"), ("blind", "confidence"), _outcome),
    "note": Kind("note.recorded", ("text",), ("about",), _note),
}
