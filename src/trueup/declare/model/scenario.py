"""`scenarios/ID.yaml`: requests with the verdict that is expected of the gate; run before every `apply`."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from trueup.declare.model.values import Declared, Fraction, Texts
from trueup.declare.model.workflow import AutonomyLevel


class ScenarioRequest(Declared):
    """The request, as an agent would make it."""

    tool: str
    arguments: dict[str, Any] = {}
    action: str | None = None
    case: str | None = None
    requester: str | None = None
    untrusted: Texts = ()
    confidence: Fraction | None = None
    sources: Texts = ()


class Scenario(Declared):
    """One request and what the gate must say to it: the verdict and, where that matters, the rule that decides.

    `level` is the level of autonomy at which it is asked; without one, the declared level. `today` counts the like
    actions before it on that day; all other limits are as if nothing was used up.
    """

    request: ScenarioRequest
    verdict: Literal["allow", "hold", "deny"]
    decisive: str | None = None
    level: AutonomyLevel | None = None
    today: int = Field(default=0, ge=0)
    because: str | None = None


class Scenarios(Declared):
    """The content of a file: what is expected of one workflow's gate."""

    workflow: str
    scenarios: dict[str, Scenario] = Field(min_length=1)
