"""`programme.yaml`: the whole, as one typed value."""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import Field, model_validator

from trueup.declare.model.data import Actuals, Assumption, DataSource, Handling
from trueup.declare.model.people import Caller, Incident, OperatingModel, Person, Supplier, Waiver
from trueup.declare.model.values import BarValue, Day, Declared, Fraction, PeriodValue, PersonDays, Texts


class LedgerPin(Declared):
    """The ledger that belongs to this programme: its origin line and its public key, as in signed notes.

    `store` names the setting that holds the URL of its database (`env:NAME`); without it the ledger is a file.
    """

    origin: str
    vkey: str | None = None
    store: Annotated[str, Field(pattern=r"^env:[A-Za-z_][A-Za-z0-9_]*$")] | None = None


class Target(Declared):
    """A change against the registered baseline that is to be reached by a date."""

    by: Day | None = None
    reach: BarValue | None = None


class Objective(Declared):
    """A business outcome with a KPI, a target, a date and an owner."""

    outcome: str | None = None
    kpi: str | None = None
    targets: tuple[Target, ...] = ()
    owner: str | None = None


class Score(Declared):
    """One answer of the readiness assessment, 0 to 2."""

    score: int = Field(ge=0, le=2)
    because: str | None = None
    evidence: str | None = None


class Organisation(Declared):
    """The factors that an operating model has to fit."""

    maturity: Literal["low", "medium", "high"] | None = None
    regulation: Literal["low", "medium", "high"] | None = None
    culture: Literal["collaborative", "autonomous", "hierarchical"] | None = None
    resources: Literal["constrained", "adequate", "ample"] | None = None
    size: Literal["sme", "enterprise"] | None = None


class Assessment(Declared):
    """Readiness, landscape and organisation as they were judged on a day."""

    on: Day | None = None
    outcome_clarity: Score | None = None
    ownership: Score | None = None
    data_readiness: Score | None = None
    risk_posture: Score | None = None
    team_capacity: Score | None = None
    landscape: Literal["first-steps", "stalled-pilots", "in-production", "scattered"] | None = None
    organisation: Organisation | None = None


class Limits(Declared):
    """What the portfolio has to fit into."""

    parallel_pilots: int | None = Field(default=None, ge=0)
    budget: float | None = Field(default=None, ge=0)
    engineering: PersonDays | None = None
    change: PersonDays | None = None
    horizon: PeriodValue | None = None
    discount: Fraction | None = None
    strategy_phase: PeriodValue | None = None


class Reviews(Declared):
    """How often the evidence and the strategy are looked at.

    `portfolio` says what becomes of a go that all pilots of its cycle together do not support: `warns` (the default)
    says so beside it, `vetoes` holds it until somebody waives that by name.
    """

    checkpoint: Literal["weekly"] | PeriodValue | None = None
    strategy: PeriodValue | None = None
    portfolio: Literal["warns", "vetoes"] | None = None


class Ranking(Declared):
    """The order that a signed review decided; written by `apply`."""

    decided: tuple[str, ...] = ()


# It stands before a dot in the names of tools.
ServerName = Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,64}$")]


# It goes into mail and chat, so it carries no name, no password and no query.
CONSOLE_ADDRESS = r"https?://[^\s/?#@\\]+(/[^\s?#@\\]*)?"
ConsoleAddress = Annotated[str, Field(pattern=rf"^(env:[A-Za-z_][A-Za-z0-9_]*|{CONSOLE_ADDRESS})$")]


class ToolServer(Declared):
    """An MCP server whose tools are declared as `ID.TOOL`: the command that starts it, or its URL.

    Secrets stand in the environment: `env: {TOKEN: env:ERP_TOKEN}`, `headers: {Authorization: Bearer env:ERP_TOKEN}`.
    """

    command: tuple[str, ...] = ()
    url: str | None = None
    env: dict[str, str] = {}
    headers: dict[str, str] = {}

    @model_validator(mode="after")
    def _reached_one_way(self) -> ToolServer:
        if bool(self.command) == bool(self.url):
            msg = "a server has a command or a url, and not both"
            raise ValueError(msg)
        return self


class ProgrammeFile(Declared):
    """The content of `programme.yaml`.

    `notify` names the setting that holds the addresses of who is told when a step is held, `console` is where they
    reach the console (or the setting that says so), for the link in such a message; `callers` may use the HTTP API.
    """

    programme: str
    sponsor: str | None = None
    currency: str | None = None
    adopted: Day | None = None
    ledger: LedgerPin | None = None
    require_signatures: bool = False
    people: dict[str, Person] = {}
    objectives: dict[str, Objective] = {}
    assessment: Assessment | None = None
    operating_model: OperatingModel | None = None
    limits: Limits | None = None
    reviews: Reviews | None = None
    data: dict[str, DataSource] = {}
    actuals: Actuals | None = None
    assumptions: dict[str, Assumption] = {}
    sensitivity: dict[str, Handling] = {}
    incidents: dict[str, Incident] = {}
    suppliers: dict[str, Supplier] = {}
    servers: dict[ServerName, ToolServer] = {}
    callers: dict[str, Caller] = {}
    notify: Annotated[str, Field(pattern=r"^env:[A-Za-z_][A-Za-z0-9_]*$")] | None = None
    console: ConsoleAddress | None = None
    frameworks: Texts = ()
    ranking: Ranking | None = None
    waivers: tuple[Waiver, ...] = ()
