"""What becomes of a step on its way through a gate: it may run, or it has come to an end."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    from trueup.enforce.request import Request
    from trueup.enforce.steps import State, StepIds
    from trueup.enforce.verdict import Verdict
    from trueup.kernel.canonical import Json

Run: TypeAlias = "Callable[[Mapping[str, Json]], Any]"
RunAsync: TypeAlias = "Callable[[Mapping[str, Json]], Awaitable[Any]]"


class UncertainError(Exception):
    """What a call raises when nobody can say whether it took effect: no outcome is written, the step is unknown."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of a step. `result` is what the call returned, where it ran in this process just now.

    `approval` is the id under which people find a held step. `entry` is the index of the last entry.
    """

    state: State
    verdict: Verdict | None
    result: Any = None
    approval: str | None = None
    entry: int | None = None


@dataclass(frozen=True, slots=True)
class Allowed:
    """A step that may run now: its verdict is durable."""

    ids: StepIds
    verdict: Verdict
    request: Request
    step: str


Begun: TypeAlias = Outcome | Allowed
