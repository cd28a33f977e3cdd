"""`workflows/ID.yaml`: the operated process behind a use case; its unit of work is a case."""

from __future__ import annotations

import re
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Annotated, Any, Literal

from pydantic import AfterValidator, Field, field_validator, model_validator

from trueup.declare.model.kpi import Kpi
from trueup.declare.model.model import Checks, Model
from trueup.declare.model.values import BarValue, Day, Declared, DistanceValue, Fraction, PeriodValue, Sureness, Texts
from trueup.kernel.clock import end_of_day, start_of_day

# Two digits: two years is the longest that a pilot can be thought of, and dates stay inside the calendar.
GATE_NAME = re.compile(r"week-([1-9][0-9]?)")


def _gate_name(name: str) -> str:
    if GATE_NAME.fullmatch(name) is None:
        msg = f"{name!r} is not a gate; gates are named week-4, week-8, week-12"
        raise ValueError(msg)
    return name


GateName = Annotated[str, AfterValidator(_gate_name)]


class Owners(Declared):
    """Who answers for what; each is a person's id."""

    business: str | None = None
    prompts: str | None = None
    knowledge: str | None = None
    incidents: str | None = None
    escalation: str | None = None


class Lifecycle(Declared):
    """The column that tells the start of a step from its completion, and the values that mean either."""

    column: str
    starts: Texts = ("start", "START")
    completes: Texts = ("complete", "COMPLETE")


class Events(Declared):
    """How the log of the workflow is read: which columns, which segments, when a case is old enough to count."""

    data: str | None = None
    case: str | None = None
    activity: str | None = None
    at: str | None = None
    actor: str | None = None
    lifecycle: Lifecycle | None = None
    segment: Texts = ()
    complete: Texts = ()
    matures_after: PeriodValue | None = None


class Window(Declared):
    """Days from `from` to `to`, both inclusive."""

    start: Day = Field(alias="from")
    end: Day = Field(alias="to")

    @model_validator(mode="after")
    def _in_order(self) -> Window:
        if self.end < self.start:
            msg = f"the window ends on {self.end}, before it begins on {self.start}"
            raise ValueError(msg)
        return self

    @property
    def begins(self) -> datetime:
        """The first instant of the window."""
        return start_of_day(self.start)

    @property
    def ends(self) -> datetime:
        """The first instant after the window."""
        return end_of_day(self.end)


class Design(Declared):
    """How cases come to be treated. `share` is the treated share; `by` is `ledger` or `column NAME`.

    `evidence_at_most` lowers the level of evidence that the design would earn; nothing raises it.
    """

    assigned: Literal["random", "staggered", "matched", "none"] = "none"
    unit: str = "case"
    by: str | None = None
    treated: tuple[str, ...] = ()
    control: tuple[str, ...] = ()
    share: Fraction | None = None
    evidence_at_most: Literal["A (attested)", "A-", "B", "C", "D"] | None = None

    @field_validator("treated", "control", mode="before")
    @classmethod
    def _values(cls, value: Any) -> Any:
        values = value if isinstance(value, list | tuple) else [value]
        return tuple(str(item).lower() if isinstance(item, bool) else str(item) for item in values)

    @property
    def column(self) -> str | None:
        """The column that says in which arm a case is, where the design names one."""
        if self.by is not None and self.by.startswith("column "):
            return self.by.removeprefix("column ").strip()
        return None

    @property
    def concurrent(self) -> bool:
        """True where cases of both arms run at the same time."""
        return self.assigned == "random"


class Guardrail(Declared):
    """How much a KPI may get worse, in the KPI's own direction."""

    no_worse_than: BarValue


class Gate(Declared):
    """A dated stop/go point. `bar` overrides the KPI's `worth_having`."""

    scale: bool = False
    bar: BarValue | None = None


class Decided(Declared):
    """What a signed review decided at a gate; written by `apply`."""

    outcome: Literal["go", "hold", "stop", "unknown"]
    on: Day
    by: str
    code: str | None = None


class Trigger(Declared):
    """The weeks whose bad figures gave rise to the pilot: they leave the baseline, for they would improve anyway."""

    start: Day = Field(alias="from")
    end: Day = Field(alias="to")
    what: str | None = None

    @model_validator(mode="after")
    def _in_order(self) -> Trigger:
        if self.end < self.start:
            msg = f"the weeks end on {self.end}, before they begin on {self.start}"
            raise ValueError(msg)
        return self

    def window(self) -> Window:
        """Return the days that leave the baseline."""
        return Window.model_validate({"from": self.start, "to": self.end})


class ScalePlan(Declared):
    """What happens if it works."""

    handover: str | None = None
    training: str | None = None
    operates: str | None = None
    next: Texts = ()


class Adjust(Declared):
    """What was known of a case at its first event, and is taken out of the comparison: beside raw, or instead of it.

    `covariates` are numeric fields, `strata` fields whose values divide the cases. `decides` says by which figure the
    primary KPI is judged; it is registered, and cannot move afterwards.
    """

    covariates: Texts = ()
    strata: Texts = ()
    decides: Literal["raw", "adjusted"] = "raw"

    @model_validator(mode="after")
    def _something(self) -> Adjust:
        if not self.covariates and not self.strata:
            msg = "`adjust` names `covariates`, `strata` or both"
            raise ValueError(msg)
        if self.decides == "adjusted" and not self.covariates:
            msg = "`decides: adjusted` is by covariates; strata stand beside the raw figure"
            raise ValueError(msg)
        return self


class Pilot(Declared):
    """An experiment with a start, a frozen baseline, gates and an end.

    `negative_control` names KPIs that the workflow cannot move, `downstream` those of what comes after it (KPI, or
    WORKFLOW.KPI): where a gain may come back as a loss.
    """

    starts: Day | None = None
    baseline: Window | None = None
    because_of: Literal["nothing"] | Trigger | None = None
    design: Design = Design()
    adjust: Adjust | None = None
    primary: str | None = None
    guardrails: dict[str, Guardrail] = {}
    negative_control: Texts = ()
    downstream: Texts = ()
    gates: dict[GateName, Gate] = {}
    scale_plan: ScalePlan | None = None
    decided: dict[GateName, Decided] = {}
    ended: Day | None = None

    @field_validator("gates", mode="after")
    @classmethod
    def _in_order(cls, gates: dict[str, Gate]) -> dict[str, Gate]:
        return dict(sorted(gates.items(), key=lambda item: gate_week(item[0])))

    def due(self, gate: str) -> datetime | None:
        """Return the instant at which a gate is judged: `starts + k * 7 d`; None without a start."""
        return None if self.starts is None else start_of_day(self.starts) + timedelta(weeks=gate_week(gate))


def gate_week(name: str) -> int:
    """Return k of `week-k`. Raises ValueError for another name."""
    match = GATE_NAME.fullmatch(name)
    if match is None:
        msg = f"{name!r} is not the name of a gate"
        raise ValueError(msg)
    return int(match[1])


class AutonomyLevel(StrEnum):
    """What a workflow may do alone, lowest first."""

    SHADOW = "shadow"
    DRAFT = "draft"
    APPROVE = "approve"
    ACT = "act"


class Detect(Declared):
    """The rise in errors that has to be noticed, and how soon; `labels_after` is what a review's outcome takes."""

    rise_to: Fraction
    within: PeriodValue
    labels_after: PeriodValue | None = None


class ReviewedCases(Declared):
    """Where reviewed outcomes stand in the log: activities that say "looked at", and those that say "wrong"."""

    having: Texts = Field(default=(), alias="with")
    wrong: Texts = Field(min_length=1)


class Autonomy(Declared):
    """The present level, the highest, and the guarantee that a higher one needs.

    What is done without a person needs `confidence` (a share, or `learned`: the threshold in the ledger) and `sources`.
    """

    level: AutonomyLevel = AutonomyLevel.SHADOW
    may_reach: AutonomyLevel | None = None
    wrong_at_most: Fraction | None = None
    sure: Fraction | None = None
    stable_cycles: int | None = Field(default=None, ge=0)
    detect: Detect | None = None
    reviewed: ReviewedCases | None = None
    confidence: Sureness | None = None
    sources: Literal["required", "none"] | None = None


class Impact(StrEnum):
    """What an action can do to the world."""

    NONE = "none"
    LOW = "low"
    MEDIUM = "medium"
    HIGH = "high"


Within = Literal["per_minute", "per_hour", "per_day", "per_week", "per_month", "per_case"]


class Action(Declared):
    """A tool that the workflow may use, and under which conditions. What is not named is denied.

    `costs` is what one call costs, in the programme's currency; `limits.budget` and the workflow's `budget` sum it.
    `approvers_needed` people have to say yes; after `escalate_after` the one in `owners.escalation` may decide too.
    """

    tool: str | None = None
    impact: Impact | None = None
    approval: Literal["always", "until-act", "never"] | None = None
    approvers: Texts = ()
    approvers_needed: int = Field(default=1, ge=1, le=9)
    expires: PeriodValue | None = None
    escalate_after: PeriodValue | None = None
    reversible_by: str | None = None
    limits: dict[str, Any] = {}
    costs: float | None = Field(default=None, ge=0)
    egress: Texts = ()


class Groups(Declared):
    """Groups between which outcome rates may differ only so far. `kpi`: the share that is compared; without it, all."""

    field: str
    rates_within: DistanceValue | None = None
    kpi: str | None = None


class Exceptions(Declared):
    """The share of cases that may leave the normal path before the workflow counts as unstable.

    `kpi` is the share that counts them; of one that is better higher, the others are the exceptions.
    """

    at_most: Fraction
    kpi: str | None = None


class Unanswered(Declared):
    """The share of cases that were left unanswered, or answered with little confidence, and what they were about."""

    kpi: str
    topic: str | None = None


class Adoption(Declared):
    """The share of eligible people who used the workflow within a time, by the actors of the events that say so.

    `kpi`: the share whose events count as use; without it, the first that is counted among treated cases.
    """

    people_at_least: Fraction
    within: PeriodValue | None = None
    kpi: str | None = None


class Health(Declared):
    """Which fields of the log tell how the model does, and against which days it is compared.

    Of `inputs` the first value of a case counts; of `answer`, `confidence` (0 to 1) and the reviewed `label` the last.
    `selected` are the answers that give a case what it asked for, `escalated` the activities that hand it to a
    person. `reference`: the days to compare with; default: the pilot's baseline.
    """

    inputs: Texts = ()
    answer: str | None = None
    confidence: str | None = None
    label: str | None = None
    selected: Texts = ()
    escalated: Texts = ()
    reference: Window | None = None


class Workflow(Declared):
    """The content of a workflow's file; its id is the file's stem.

    `keep_requests` keeps the arguments of every request beside the ledger, as those of held ones are. `sensitivity` is
    a level that holds beside the one of the data that `events` name, or where there are none.
    """

    workflow: str
    use_case: str | None = None
    owners: Owners = Owners()
    workstreams: dict[str, str | None] = {}
    events: Events | None = None
    kpis: dict[str, Kpi] = {}
    pilot: Pilot | None = None
    autonomy: Autonomy | None = None
    actions: dict[str, Action] = {}
    budget: dict[Within, Annotated[float, Field(ge=0)]] = {}
    keep_requests: bool = False
    sensitivity: str | None = None
    model: Model | None = None
    knowledge: Texts = ()
    checks: Checks | None = None
    groups: Groups | None = None
    exceptions: Exceptions | None = None
    unanswered: Unanswered | None = None
    adoption: Adoption | None = None
    health: Health | None = None
