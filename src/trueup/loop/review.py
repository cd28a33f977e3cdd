"""A review: what the evidence changes, as data with a fingerprint of what it depends on."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.decide.gate import Outcome
from trueup.kernel.canonical import digest
from trueup.kernel.clock import format_instant, parse_instant
from trueup.kernel.errors import NotFoundError
from trueup.kernel.files import write_durably
from trueup.loop.assumptions import assumption_changes
from trueup.loop.changes import AssumptionChange, GateChange
from trueup.loop.changes.autonomy import AutonomyChange, autonomy_changes
from trueup.loop.changes.expand import expand_changes
from trueup.loop.changes.rank import rank_changes
from trueup.loop.findings.change import Told, finding_changes
from trueup.loop.gates import judged_gates
from trueup.loop.measure import readings_of
from trueup.loop.portfolio.family import members_of
from trueup.loop.portfolio.support import supported_gate

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping, Sequence
    from datetime import datetime

    from trueup.ledger.records import Reading
    from trueup.loop.changes import Chain, Change
    from trueup.loop.gates import JudgedGate
    from trueup.loop.workbench import Workbench

_ORDER = (Outcome.GO, Outcome.STOP, Outcome.HOLD, Outcome.UNKNOWN)
_LETTERS = "abcdefghijklmnopqrstuvwxyz"


@dataclass(frozen=True, slots=True)
class Review:
    """The changes that have no decision yet, and the digests of the declared files that they were computed from."""

    as_of: datetime
    changes: tuple[Change, ...]
    files: Mapping[str, str]
    data: Mapping[str, str]
    pilots: int

    def fingerprint(self) -> str:
        """Digest of the files and of everything proposed: a review goes stale by content, not by counter."""
        return digest(
            {
                "as_of": format_instant(self.as_of),
                "files": dict(self.files),
                "changes": [change.to_json() for change in self.changes],
            }
        )


def compute(bench: Workbench, as_of: datetime) -> Review:
    """Compute the review at an instant; nothing is written."""
    return bench.once(("review", as_of), lambda: _computed(bench, as_of))


def _computed(bench: Workbench, as_of: datetime) -> Review:
    decided = decided_fingerprints(bench, as_of)
    proposed = list(_proposed(bench, as_of))
    changes = [change for change in proposed if change.fingerprint() not in decided]
    # What the evidence does to the ranking follows from what is asked here: what was declined is not evidence.
    asked = [change for change in changes if isinstance(change, AssumptionChange)]
    changes += [change for change in rank_changes(bench, as_of, asked) if change.fingerprint() not in decided]
    told = _told(bench, as_of, proposed, busy=bool(changes))
    changes += [change for change in finding_changes(bench, as_of, told) if change.fingerprint() not in decided]
    running = [
        workflow
        for workflow in bench.programme.workflows.values()
        if workflow.pilot and workflow.pilot.starts and workflow.pilot.ended is None
    ]
    return Review(as_of, tuple(changes), bench.programme.digests, bench.observations.digests(), len(running))


def _proposed(bench: Workbench, as_of: datetime) -> Iterator[Change]:
    # What asks for action first; within an outcome by workflow and gate.
    judged = list(judged_gates(bench, as_of))
    members = members_of(bench, as_of, judged)
    seen = [supported_gate(bench, one, members) for one in judged]
    for one in sorted(seen, key=lambda one: _ORDER.index(one.verdict.outcome)):
        yield GateChange(one, _readings(bench, one))
    yield from autonomy_changes(bench, as_of)
    yield from expand_changes(bench, as_of)
    yield from assumption_changes(bench, as_of)


def _told(bench: Workbench, as_of: datetime, proposed: Sequence[Change], *, busy: bool) -> Told:
    """Say what gates and assumptions tell, also those that are decided, so that no finding repeats it."""
    gates = [change.judged for change in proposed if isinstance(change, GateChange)]
    applied = bench.ledger.entries("review.applied")
    return Told(
        gates=frozenset(judged.workflow for judged in gates),
        codes=frozenset((judged.workflow, judged.verdict.code) for judged in gates) | decided_codes(bench, as_of),
        assumptions=frozenset(change.id for change in proposed if isinstance(change, AssumptionChange)),
        autonomy=frozenset(change.standing.workflow for change in proposed if isinstance(change, AutonomyChange)),
        busy=busy or any(_looked_from(item.entry.data, item.entry.time) == as_of for item in applied),
    )


def _readings(bench: Workbench, judged: JudgedGate) -> tuple[Reading, ...]:
    """Return the weekly readings that the verdict rests on."""
    if judged.registration is None or judged.question.comparison is None:
        return ()
    kpis = [judged.registration.primary]
    readings = readings_of(bench, judged.workflow, judged.due, kpis=kpis)
    since = judged.registration.baseline_from
    return tuple(reading for reading in readings if reading.week and reading.week >= since and reading.arm != "before")


def decided_fingerprints(bench: Workbench, as_of: datetime) -> set[str]:
    """Return the proposals that were decided in reviews that looked from `as_of` or before."""
    return {
        str(item.entry.data.get("fingerprint"))
        for item in bench.ledger.entries("change.decided")
        if _looked_from(item.entry.data, item.entry.time) <= as_of
    }


def decided_codes(bench: Workbench, as_of: datetime) -> set[tuple[str, str]]:
    """Return workflow and code of every gate that was decided in reviews that looked from `as_of` or before."""
    return {
        (str(item.entry.data.get("subject")), str(item.entry.data.get("code")))
        for item in bench.ledger.entries("change.decided")
        if item.entry.data.get("kind") == "gate" and _looked_from(item.entry.data, item.entry.time) <= as_of
    }


def _looked_from(data: Mapping[str, Any], otherwise: datetime) -> datetime:
    text = data.get("as_of")
    return parse_instant(str(text)) if text else otherwise


def to_json(review: Review, name: str) -> dict[str, Any]:
    """Return the published form; the same that is kept in the file."""
    return {
        "id": name,
        "as_of": format_instant(review.as_of),
        "fingerprint": review.fingerprint(),
        "file": review_file(name),
        "pilots": review.pilots,
        "changes": [{"n": n, **change.to_json()} for n, change in enumerate(review.changes, 1)],
    }


def review_file(name: str) -> str:
    """Return the path of a review, relative to the programme."""
    return f".trueup/reviews/{name}.json"


def save(bench: Workbench, review: Review) -> dict[str, Any]:
    """Write a review under the next free id of its day, or find the one that says the same; return it."""
    fingerprint = review.fingerprint()
    for name in _names(review.as_of):
        path = bench.root / review_file(name)
        if path.exists():
            if _fingerprint_in(path.read_bytes()) == fingerprint:
                return to_json(review, name)
            continue
        answer = to_json(review, name)
        kept = {
            **answer,
            "files": dict(review.files),
            "data": dict(review.data),
            "chains": [chain_of(change) for change in review.changes],
        }
        write_durably(path, (json.dumps(kept, indent=1, ensure_ascii=False) + "\n").encode())
        return answer
    raise NotFoundError("too-many-reviews", f"There are no free ids left for {review.as_of:%Y-%m-%d}.")


def chain_of(change: Change) -> Chain:
    """Return what opens a change."""
    return change.chain()


def _fingerprint_in(content: bytes) -> str | None:
    try:
        return str(json.loads(content).get("fingerprint"))
    except (ValueError, AttributeError):
        return None


def _names(as_of: datetime) -> Iterator[str]:
    day = f"{as_of:%Y-%m-%d}"
    yield from (f"{day}-{letter}" for letter in _LETTERS)
    yield from (f"{day}-{first}{second}" for first in _LETTERS for second in _LETTERS)


def load(bench: Workbench, name: str) -> dict[str, Any]:
    """Return a saved review. Raises NotFoundError when there is none of that id, or its file is damaged."""
    wanted = name.removesuffix(".json").rsplit("/", 1)[-1]
    path = bench.root / review_file(wanted)
    try:
        content: dict[str, Any] = json.loads(path.read_bytes())
        if digest_matches(content):
            return content
    except FileNotFoundError:
        raise NotFoundError(
            "no-such-review",
            f"There is no review {name!r}.",
            _known_reviews(bench) + f"To make one:\n    trueup review {bench.root}",
        ) from None
    except (OSError, ValueError, KeyError, TypeError):
        pass
    raise NotFoundError(
        "review-damaged",
        f"{review_file(wanted)} is not the review that was written there.",
        f"Remove it and make it again:\n    trueup review {bench.root}",
    )


def digest_matches(content: Mapping[str, Any]) -> bool:
    """Tell whether a saved review still says what its fingerprint covers."""
    changes = [{key: value for key, value in change.items() if key != "n"} for change in content["changes"]]
    body = {"as_of": content["as_of"], "files": content["files"], "changes": changes}
    return digest(body) == str(content["fingerprint"])


def _known_reviews(bench: Workbench) -> str:
    names = sorted(path.stem for path in (bench.state / "reviews").glob("*.json"))
    return f"There are: {', '.join(names[-5:])}.\n" if names else ""
