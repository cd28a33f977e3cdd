"""Who: people, decision rights, callers of the API, suppliers, incidents, waivers."""

from __future__ import annotations

from enum import StrEnum
from typing import Annotated, Literal

from pydantic import Field

from trueup.declare.model.values import BarValue, Day, Declared, PeriodValue, Texts


class Role(StrEnum):
    """What a person is allowed to be; the closed list of console.md."""

    VIEWER = "viewer"
    REVIEWER = "reviewer"
    APPROVER = "approver"
    OWNER = "owner"
    SPONSOR = "sponsor"
    AUDITOR = "auditor"
    ENGINEER = "engineer"
    ADMIN = "admin"


class Person(Declared):
    """A named person. With `key` (an SSH public key line) decisions can be signed; without, they are claimed."""

    name: str
    email: str | None = None
    roles: tuple[Role, ...] = ()
    key: str | None = None


class Right(StrEnum):
    """What somebody may do over HTTP: see what waits, decide on it, draw arms, ask the gate dry."""

    SEE = "see"
    DECIDE = "decide"
    ASSIGN = "assign"
    GATE = "gate"


class Caller(Declared):
    """Who may call the HTTP API: a person, by their id under `people`, or a service.

    `token` names the setting that holds the token, or its SHA-256 as `sha256:HEX`. Without `workflows` all are meant;
    `until` is the last day on which the token is good.
    """

    token: Annotated[str, Field(pattern=r"^env:[A-Za-z_][A-Za-z0-9_]*$")]
    may: tuple[Right, ...] = Field(min_length=1)
    workflows: Texts = ()
    until: Day | None = None


class OperatingModel(Declared):
    """Who coordinates, who may propose, who decides."""

    kind: Literal["top-down", "bottom-up", "hybrid"] | None = None
    coordination: str | None = None
    intake: str | None = None
    decides: Texts = ()


class Incident(Declared):
    """What happens when it goes wrong, decided in advance."""

    severity: int = Field(ge=1, le=4)
    tell: Texts = ()
    within: PeriodValue | None = None
    first: str | None = None


class Supplier(Declared):
    """An outside supplier's plan for its first 90 days, and where its promise can be measured (`kpi`, from `since`)."""

    process: str | None = None
    owner: str | None = None
    baseline: str | float | None = None
    expected: BarValue | None = None
    cadence: str | None = None
    handover: str | None = None
    kpi: str | None = None
    since: Day | None = None


class Waiver(Declared):
    """A finding that somebody accepts, for a reason, until a date (inclusive)."""

    code: str
    at: str | None = None
    because: str
    by: str
    until: Day
