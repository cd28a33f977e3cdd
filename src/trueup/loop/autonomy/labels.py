"""The label of a blind review: what a reviewer would have done, held against what was done, once, on the record.

Best is an answer that was given without seeing the other one: the arguments as the reviewer would have given them. Of
these only what they name is compared. Who has looked where it acts, and judges that, says right or wrong.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.enforce.autonomy.watching import look_once
from trueup.enforce.request import normalised, read_request
from trueup.kernel.canonical import canonical, digest
from trueup.kernel.clock import format_instant
from trueup.kernel.errors import ConflictError, NotFoundError, NotPermittedError, UsageError
from trueup.kernel.text import folded
from trueup.ledger.entry import Entry
from trueup.loop.autonomy.blind import inbox
from trueup.loop.permission import require_person
from trueup.loop.pin import put_on_record

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping
    from datetime import datetime

    from trueup.enforce.bodies import Bodies
    from trueup.enforce.request import Request
    from trueup.kernel.canonical import Json
    from trueup.loop.autonomy.blind import Waiting
    from trueup.loop.workbench import Workbench

_SEEN = "See what waits:\n    trueup autonomy reviews DIR"


@dataclass(frozen=True, slots=True)
class Label:
    """What a reviewer says of a case: their own `arguments`, or whether what was done there was `wrong`."""

    review: str
    by: str
    as_of: datetime
    wrong: bool | None = None
    arguments: Mapping[str, Json] | None = None


def label(bench: Workbench, bodies: Bodies, said: Label, sign: Callable[[bytes], Mapping[str, Json]]) -> dict[str, Any]:
    """Record a label; the watches take it in. Returns what stands in the record, and the level if it fell.

    Raises NotFoundError for a review that does not wait, NotPermittedError for who is nobody or asked for the action
    themselves, UsageError for a label that says nothing or cannot be compared, ConflictError when somebody was first.
    """
    require_person(bench.programme, said.by)
    waiting = next((one for one in inbox(bench, None, said.as_of) if one.id == said.review), None)
    if waiting is None:
        raise NotFoundError("no-such-review", f"No review {said.review!a} waits.", _SEEN)
    intents = [item.entry.data for item in map(bench.ledger.find, waiting.done.intents) if item is not None]
    _require_another(bench, said, {str(data["requester"]) for data in intents if data.get("requester")})
    wrong = _compared(bodies, said, waiting, [str(data.get("digest")) for data in intents])
    sure = [data["confidence"] for data in intents if data.get("confidence") is not None]
    data: dict[str, Json] = {
        "workflow": waiting.workflow,
        "case": waiting.case,
        "wrong": wrong,
        "blind": True,
        "share": waiting.done.draw.share,
        "intent": waiting.done.intents[0],
        "how": "seen" if said.arguments is None else "answer",
        **({"confidence": sure[0]} if sure else {}),
    }
    index = _appended(bench, said, waiting, data, sign)
    fall = look_once(bench.programme, waiting.workflow, bench.ledger, said.as_of)
    return {
        "entry": index,
        "id": waiting.id,
        "workflow": waiting.workflow,
        "case": waiting.case,
        "wrong": wrong,
        "how": data["how"],
        "time": format_instant(said.as_of),
        "by": said.by,
        **({"fell": {"entry": fall.entry, "to": fall.to, "because": fall.because}} if fall else {}),
    }


def _require_another(bench: Workbench, said: Label, requesters: set[str]) -> None:
    person = bench.programme.file.people[said.by]
    names = {folded(name) for name in (said.by, person.name, person.email) if name}
    if names & {folded(name) for name in requesters}:
        raise NotPermittedError(
            "own-request", f"{said.by!r} asked for this, and nobody reviews what they asked for.", _SEEN
        )


def _compared(bodies: Bodies, said: Label, waiting: Waiting, digests: list[str]) -> bool:
    """Tell whether what was done is wrong, by the reviewer's word or by their own answer."""
    if (said.wrong is None) == (said.arguments is None):
        raise UsageError("no-label", "A label is an answer, or right or wrong; one of them.", _how(said.review))
    if said.arguments is None:
        return said.wrong is True
    if len(digests) != 1:
        reason = (
            f"{len(digests)} steps were done for the case {waiting.case!r}, so one answer cannot be held against it."
        )
        raise UsageError("several-steps", reason, _how(said.review))
    body = bodies.get(digests[0])
    if body is None:
        reason = "What was done is not kept any more, so an answer cannot be held against it."
        raise UsageError("arguments-gone", reason, _how(said.review))
    return _differs(said, read_request(body))


def _differs(said: Label, done: Request) -> bool:
    """Tell whether one of the values that a reviewer names is another one than what the tool got."""
    named = normalised(type(done)(done.tool, said.arguments or {})).arguments
    if not named:
        raise UsageError("no-label", "The answer names no argument, so nothing can be compared.", _how(said.review))
    return any(name not in done.arguments or not _same(done.arguments[name], value) for name, value in named.items())


def _same(one: Json, other: Json) -> bool:
    return canonical(one) == canonical(other)


def _appended(
    bench: Workbench,
    said: Label,
    waiting: Waiting,
    data: Mapping[str, Json],
    sign: Callable[[bytes], Mapping[str, Json]],
) -> int:
    """Append the label. Its id is made of the draw: of two people one is first."""
    name = digest(waiting.done.intents[0]).removeprefix("sha256:")[:32]
    signed = {**data, **sign(canonical({**data}))}
    entry = Entry("outcome.reviewed", f"outcome/{waiting.workflow}/{name}", said.as_of, said.by, signed)
    try:
        return put_on_record(bench, entry, said.by, said.as_of).entries[0]
    except ConflictError as error:
        if error.code != "entry-exists":
            raise
        raise ConflictError("reviewed-before", f"Somebody was first with {said.review!r}.", _SEEN) from None


def _how(review: str) -> str:
    return (
        "Give the arguments that you would have given, or say what you found where it acts:\n"
        f"    trueup autonomy label DIR {review} --by WHO --right"
    )
