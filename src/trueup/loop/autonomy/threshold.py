"""The confidence from which on a model's answers may be taken, chosen on what reviewers found, and put on record.

Chosen on outcomes of what acts now, from times at which a person looked at everything: there nothing selects what is
reviewed. What is chosen holds until something else acts; the bound that a higher level needs counts only outcomes that
came after the choice.
"""

from __future__ import annotations

from bisect import bisect_right
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.declare.model.workflow import Autonomy, AutonomyLevel
from trueup.declare.programme import workflow_file
from trueup.enforce.autonomy.outcomes import Outcomes
from trueup.enforce.autonomy.rung import basis_of, note_basis, rungs_over
from trueup.enforce.autonomy.watching import promise_of
from trueup.enforce.certainty.confidence import CHOSEN, LEARNED, needed_confidence
from trueup.evidence.risk.thresholds import chosen_threshold, fewest_accepted
from trueup.kernel.canonical import canonical, digest
from trueup.kernel.errors import ConflictError, NotPermittedError, UsageError
from trueup.ledger.entry import Entry
from trueup.loop.measure import require_workflow
from trueup.loop.permission import may_expand, require_person
from trueup.loop.pin import put_on_record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from trueup.enforce.autonomy.outcomes import Reviewed
    from trueup.enforce.autonomy.rung import Rung
    from trueup.evidence.risk.thresholds import Threshold
    from trueup.evidence.risk.watch import Promise
    from trueup.kernel.canonical import Json
    from trueup.loop.workbench import Workbench

_LOOKED_AT = {AutonomyLevel.SHADOW, AutonomyLevel.DRAFT}


@dataclass(frozen=True, slots=True)
class Choice:
    """What would be chosen at an instant, on which outcomes; `in_force` is what was chosen before and still holds."""

    workflow: str
    promise: Promise
    outcomes: tuple[Reviewed, ...]
    found: Threshold | None
    in_force: float | None

    @property
    def sure(self) -> float:
        """How sure the limit is kept above the threshold."""
        return 1 - self.promise.alpha

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        found = self.found
        return {
            "workflow": self.workflow,
            "wrong_at_most": self.promise.limit,
            "sure": self.sure,
            "reviewed": len(self.outcomes),
            "needed": fewest_accepted(self.promise.limit, self.promise.alpha),
            "threshold": found
            and {
                "at": found.at,
                "automated": found.share,
                "accepted": found.accepted,
                "wrong": found.wrong,
                "p_value": found.p_value,
            },
            "in_force": self.in_force,
        }


def choice(bench: Workbench, workflow: str, as_of: datetime) -> Choice:
    """Return the threshold that the reviewed outcomes of an instant give.

    Raises NotFoundError, UsageError for a workflow that promises no limit.
    """
    name = require_workflow(bench.programme, workflow)
    promise = promise_of(bench.programme.workflows[name].autonomy)
    if promise is None:
        raise UsageError(
            "no-limit",
            f"{name!r} promises no limit on wrong outcomes, so no threshold can keep it.",
            f"Write `autonomy: {{wrong_at_most: 3%, sure: 95%}}` in {workflow_file(name)}.",
        )
    found, in_force = _before(bench, name, as_of)
    sure = [one.confidence or 0.0 for one in found]
    chosen = chosen_threshold(sure, [float(one.wrong) for one in found], promise.limit, promise.alpha)
    return Choice(name, promise, tuple(found), chosen, in_force)


def register(
    bench: Workbench, workflow: str, by: str, as_of: datetime, sign: Callable[[bytes], Mapping[str, Json]]
) -> dict[str, Any]:
    """Choose a threshold and put it on record: every gate keeps it from its next action on.

    Raises as `choice`, NotPermittedError for who may not give more autonomy, ConflictError where nothing is shown.
    """
    require_person(bench.programme, by)
    name = require_workflow(bench.programme, workflow)
    _require_signer(bench, name, by)
    note_basis(bench.programme, name, bench.ledger, as_of)
    chosen = choice(bench, name, as_of)
    if chosen.found is None:
        raise ConflictError("nothing-shown", f"No threshold of {name!r} keeps its limit: {why_none(chosen)}.", _WAIT)
    data = _data(bench, chosen, chosen.found)
    number = sum(item.entry.data.get("workflow") == name for item in bench.ledger.entries(CHOSEN))
    signed = {**data, **sign(canonical(data))}
    entry = Entry(CHOSEN, f"threshold/{name}/{number}", as_of, by, signed)
    done = put_on_record(bench, entry, by, as_of)
    return {**chosen.to_json(), "in_force": chosen.found.at, "entry": done.entries[0], "by": by}


def _require_signer(bench: Workbench, workflow: str, by: str) -> None:
    able = sorted(may_expand(bench.programme, workflow))
    if by not in able:
        names = ", ".join(able) or "nobody is declared who may"
        reason = f"{by!r} may not say from which confidence on {workflow!r} acts alone."
        raise NotPermittedError("may-not-sign", reason, f"These may: {names}.")


def why_none(chosen: Choice) -> str:
    """Say why nothing can be chosen."""
    needed = fewest_accepted(chosen.promise.limit, chosen.promise.alpha)
    n = len(chosen.outcomes)
    if n < needed:
        return f"{n} outcomes with a confidence were reviewed, and with none of them wrong {needed} are needed"
    return f"among the surest answers of {n} reviewed too many are wrong"


def _before(bench: Workbench, workflow: str, as_of: datetime) -> tuple[list[Reviewed], float | None]:
    """Return the outcomes to choose on, in the order of what they are outcomes of, and the threshold that holds."""
    rungs = rungs_over(bench.ledger, workflow)
    autonomy, begun = bench.programme.workflows[workflow].autonomy, [index for index, _ in rungs]
    present = rungs[-1][1]
    if present.basis is not None and present.basis != basis_of(bench.programme, workflow):
        # Something else acts by now: of that nothing is known yet.
        return [], None
    found = [
        one
        for one in Outcomes(bench.ledger, workflow).more()
        if not one.blind
        and one.confidence is not None
        and one.of > present.acts_since
        and one.at <= as_of
        and _all_looked_at(rungs[bisect_right(begun, one.of) - 1][1], autonomy)
    ]
    return found, present.threshold


def _all_looked_at(rung: Rung, autonomy: Autonomy | None) -> bool:
    """Tell whether a person looked at everything: at a low level, or while no confidence was enough."""
    declared = autonomy or Autonomy()
    return (rung.level or declared.level) in _LOOKED_AT or needed_confidence(declared, rung.threshold) == LEARNED


def _data(bench: Workbench, chosen: Choice, found: Threshold) -> dict[str, Json]:
    told: Sequence[Json] = [[one.index, one.confidence, one.wrong] for one in chosen.outcomes]
    return {
        "workflow": chosen.workflow,
        "at": found.at,
        "wrong_at_most": chosen.promise.limit,
        "sure": chosen.sure,
        "seen": found.seen,
        "accepted": found.accepted,
        "wrong": found.wrong,
        "p_value": found.p_value,
        "basis": basis_of(bench.programme, chosen.workflow),
        "outcomes": digest(told),
    }


_WAIT = "Review more at the level draft, with the model's confidence on each request."
