"""A named person signs exactly these changes; files, record and git follow, together."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trueup.declare.edit import edited
from trueup.enforce.autonomy.rung import note_basis
from trueup.kernel.canonical import Json, canonical
from trueup.kernel.clock import format_instant, parse_instant
from trueup.kernel.errors import ConflictError, NotPermittedError, UsageError
from trueup.kernel.text import did_you_mean
from trueup.ledger.entry import Entry
from trueup.loop.changes import GateChange
from trueup.loop.changes.autonomy import AutonomyChange
from trueup.loop.changes.settled import order_edit, require_grounds, settled
from trueup.loop.findings.change import FindingChange
from trueup.loop.journal import Plan, carry_out
from trueup.loop.permission import require, require_person
from trueup.loop.pin import pinned
from trueup.loop.rehearsal import require_scenarios
from trueup.loop.review import compute, load

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence
    from datetime import datetime

    from trueup.loop.changes import Change, Edit
    from trueup.loop.review import Review
    from trueup.loop.workbench import Workbench

    # Turns the bytes of a decision into the members that say who stands behind it: a signature, or a claim.
    Sign = Callable[[bytes], Mapping[str, Json]]


@dataclass(frozen=True, slots=True)
class Ask:
    """What a person wants to be done with a review.

    `only` takes some changes and leaves the rest open; `decline` maps change numbers to nothing but the shared
    `because`; `waive` maps change numbers to the items accepted by name.
    """

    review: str
    by: str
    as_of: datetime
    only: tuple[int, ...] = ()
    decline: tuple[int, ...] = ()
    waive: Mapping[int, tuple[str, ...]] = field(default_factory=dict)
    because: str | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class _Decision:
    n: int
    change: Change
    declined: bool
    waived: tuple[str, ...]


def apply(bench: Workbench, ask: Ask, sign: Sign) -> dict[str, Any]:
    """Apply a review.

    Raises NotFoundError for an unknown review, ConflictError when it was applied before or is stale,
    NotPermittedError when one change may not be signed by that person, UsageError for numbers or items that the
    review does not have, DeclarationError where a declared scenario would not hold. In each case nothing has changed.
    """
    require_person(bench.programme, ask.by)
    saved = load(bench, ask.review)
    _refuse_second(bench, saved)
    bench.progress("computing the review again")
    review = compute(bench, parse_instant(saved["as_of"]))
    _refuse_stale(bench, saved, review)
    decisions, left = _without_left(bench, ask, _decisions(ask, review))
    require_grounds(review.changes, {decision.n for decision in decisions if not decision.declined})
    for decision in decisions:
        _require_signer(bench, ask, decision)
    return {**_carried_out(bench, ask, saved, review, decisions, sign), "left": left}


def _refuse_second(bench: Workbench, saved: Mapping[str, Any]) -> None:
    applied = [
        item
        for item in bench.ledger.entries("review.applied")
        if item.entry.data.get("fingerprint") == saved["fingerprint"]
    ]
    if applied:
        raise ConflictError(
            "applied-before",
            f"{saved['id']} was applied by {applied[-1].entry.by} (ledger entry {applied[-1].index}).",
            f"To see what is open now:\n    trueup review {bench.root}",
        )


def _refuse_stale(bench: Workbench, saved: Mapping[str, Any], review: Review) -> None:
    if review.fingerprint() == saved["fingerprint"]:
        return
    before: Mapping[str, str] = saved["files"]
    names = sorted(name for name in {*before, *review.files} if before.get(name) != review.files.get(name))
    data = sorted(name for name in saved["data"] if saved["data"][name] != review.data.get(name))
    said = [f"files changed: {', '.join(names)}"] if names else []
    said += [f"data changed: {', '.join(data)}"] if data else []
    said += [] if said else ["the record has other decisions now"]
    raise ConflictError(
        "stale",
        f"{saved['id']} no longer says what the programme says ({'; '.join(said)}).",
        f"Nothing was applied. Make the review again, look at it, and sign that one:\n    trueup review {bench.root}",
    )


def _decisions(ask: Ask, review: Review) -> list[_Decision]:
    count = len(review.changes)
    named = {*ask.only, *ask.decline, *ask.waive}
    beyond = sorted(n for n in named if not 1 <= n <= count)
    if beyond:
        raise UsageError("no-such-change", f"The review has {count} changes; there is no {beyond[0]}.", "")
    if (ask.decline or ask.waive) and not ask.because:
        raise UsageError("no-reason", "Declining or waiving needs a reason.", "Add --because 'WHY'.")
    chosen = set(ask.only) | set(ask.decline) if ask.only else set(range(1, count + 1))
    decisions = []
    for n, change in enumerate(review.changes, 1):
        if n not in chosen:
            continue
        waived = tuple(ask.waive.get(n, ()))
        _require_waivable(n, change, waived)
        decisions.append(_Decision(n, change, n in ask.decline, waived))
    return decisions


def _without_left(bench: Workbench, ask: Ask, decisions: list[_Decision]) -> tuple[list[_Decision], list[int]]:
    """Leave findings open that this person may not sign and did not name: they stop no other decision."""
    left = [
        decision.n
        for decision in decisions
        if isinstance(decision.change, FindingChange)
        and decision.n not in {*ask.only, *ask.decline}
        and ask.by not in decision.change.signers(bench.programme, decision.waived)
    ]
    if len(left) == len(decisions):
        return decisions, []
    return [decision for decision in decisions if decision.n not in left], left


def _require_waivable(n: int, change: Change, waived: Sequence[str]) -> None:
    possible = change.waivable()
    for item in waived:
        if item not in possible:
            raise UsageError(
                "not-waivable",
                f"{item!r} is nothing that change {n} waits for.{did_you_mean(item, possible)}",
                f"It waits for: {', '.join(possible) or 'nothing that can be waived'}.",
            )


def _require_signer(bench: Workbench, ask: Ask, decision: _Decision) -> None:
    if isinstance(decision.change, GateChange):
        what = f"change {decision.n} ({decision.change.judged.workflow} {decision.change.judged.gate})"
    else:
        what = f"change {decision.n}"
    require(decision.change.signers(bench.programme, decision.waived), ask.by, what)


def _carried_out(
    bench: Workbench,
    ask: Ask,
    saved: Mapping[str, Any],
    review: Review,
    decisions: Sequence[_Decision],
    sign: Sign,
) -> dict[str, Any]:
    for decision in decisions:
        if isinstance(decision.change, AutonomyChange):
            # What acts stands on record with the signature: from then on another model is another one.
            note_basis(bench.programme, decision.change.standing.workflow, bench.ledger, ask.as_of)
    edits = [edit for decision in decisions if not decision.declined for edit in _edits(bench, ask, decision)]
    entries = [_entry(ask, saved, decision, sign) for decision in decisions]
    entries += [entry for decision in decisions for entry in _waivers(ask, saved, decision, sign)]
    ranking = _ranking(review, decisions)
    if ranking is not None:
        edits.append(order_edit(ranking))
        entries.append(_ranked(ask, saved, ranking, sign))
    entries.append(_applied(ask, saved, decisions, sign))
    person = bench.programme.file.people[ask.by]
    contents = _new_contents(bench, edits)
    require_scenarios(bench.programme, contents, bench.clock.now().date())
    done = carry_out(
        bench,
        Plan(
            files=contents,
            entries=entries,
            message=_message(saved, decisions),
            author=person.name,
            email=person.email or f"{ask.by}@localhost",
            at=ask.as_of,
        ),
    )
    return {
        "review": saved["id"],
        "applied": [_applied_json(decision) for decision in decisions if not decision.declined],
        "declined": [_applied_json(decision) for decision in decisions if decision.declined],
        "files": list(done.files),
        "commit": done.commit,
        "entries": list(done.entries),
        "signed": all("signature" in entry.data for entry in entries),
        "by": ask.by,
    }


def _edits(bench: Workbench, ask: Ask, decision: _Decision) -> list[Edit]:
    return decision.change.edits(bench.programme, ask.by, ask.as_of.date(), decision.waived)


def _new_contents(bench: Workbench, edits: Sequence[Edit]) -> dict[str, bytes]:
    by_file: dict[str, list[tuple[tuple[str | int, ...], object]]] = {}
    for file, path, value in edits:
        by_file.setdefault(file, []).append((path, value))
    contents = pinned(bench, tuple(by_file.pop("programme.yaml", [])))
    for file, changes in by_file.items():
        if changes[0][0] == ():
            contents[file] = str(changes[0][1]).encode()
            continue
        text = (bench.root / file).read_bytes().decode("utf-8")
        contents[file] = edited(text, changes).encode()
    return contents


def _entry(ask: Ask, saved: Mapping[str, Any], decision: _Decision, sign: Sign) -> Entry:
    published = decision.change.to_json()
    data: dict[str, Json] = {
        "review": saved["id"],
        "as_of": saved["as_of"],
        "n": decision.n,
        "kind": decision.change.kind,
        "subject": published["subject"],
        "fingerprint": published["fingerprint"],
        "decision": "declined" if decision.declined else "applied",
        "outcome": decision.change.outcome(decision.waived),
        "because": ask.because if decision.declined else published["because"],
        "waivers": list(decision.waived),
    }
    for key in ("gate", "code", "kpi", "estimate", "lower", "upper", "evidence_level", "evidence", "measured", "bound"):
        if published.get(key) is not None:
            data[key] = published[key]
    portfolio = published.get("portfolio")
    if portfolio is not None and portfolio["e_value"] is not None:
        data["e_value"] = portfolio["e_value"]
    return Entry(
        "change.decided", _id(saved, f"decision/{decision.n}"), ask.as_of, ask.by, {**data, **sign(canonical(data))}
    )


def _waivers(ask: Ask, saved: Mapping[str, Any], decision: _Decision, sign: Sign) -> list[Entry]:
    entries = []
    for item in decision.waived:
        data: dict[str, Json] = {"review": saved["id"], "n": decision.n, "item": item, "because": ask.because}
        signed = {**data, **sign(canonical(data))}
        entries.append(Entry("waiver.signed", _id(saved, f"waiver/{decision.n}/{item}"), ask.as_of, ask.by, signed))
    return entries


def _ranking(review: Review, decisions: Sequence[_Decision]) -> dict[str, Any] | None:
    declined = {decision.n for decision in decisions if decision.declined}
    return settled(review.changes, {decision.n for decision in decisions} - declined, declined)


def _ranked(ask: Ask, saved: Mapping[str, Any], ranking: Mapping[str, Json], sign: Sign) -> Entry:
    data: dict[str, Json] = {"review": saved["id"], "as_of": saved["as_of"], **ranking}
    signed = {**data, **sign(canonical(data))}
    return Entry("ranking.decided", _id(saved, "ranking"), ask.as_of, ask.by, signed)


def _applied(ask: Ask, saved: Mapping[str, Any], decisions: Sequence[_Decision], sign: Sign) -> Entry:
    data: dict[str, Json] = {
        "review": saved["id"],
        "fingerprint": saved["fingerprint"],
        "as_of": saved["as_of"],
        "applied": [decision.n for decision in decisions if not decision.declined],
        "declined": [decision.n for decision in decisions if decision.declined],
        "notes": list(ask.notes),
        "at": format_instant(ask.as_of),
    }
    return Entry("review.applied", _id(saved, "applied"), ask.as_of, ask.by, {**data, **sign(canonical(data))})


def _id(saved: Mapping[str, Any], tail: str) -> str:
    return f"review/{saved['id']}/{str(saved['fingerprint']).removeprefix('sha256:')[:16]}/{tail}"


def _applied_json(decision: _Decision) -> dict[str, Any]:
    published = decision.change.to_json()
    return {
        "n": decision.n,
        "kind": decision.change.kind,
        "subject": published["subject"],
        "gate": published.get("gate"),
        "outcome": decision.change.outcome(decision.waived),
        "waived": list(decision.waived),
    }


def _message(saved: Mapping[str, Any], decisions: Sequence[_Decision]) -> str:
    lines = [f"Apply review {saved['id']}", ""]
    for decision in decisions:
        published = decision.change.to_json()
        verb = "declined" if decision.declined else decision.change.outcome(decision.waived)
        lines.append(f"{verb}: {published['subject']} {published.get('gate') or ''}".rstrip())
    return "\n".join(lines) if decisions else f"Apply review {saved['id']}: nothing to decide"


def require_signature(*, required: bool, signed: bool, by: str) -> None:
    """Raise NotPermittedError when the programme wants signatures and there is only a claim."""
    if required and not signed:
        raise NotPermittedError(
            "signature-required",
            f"This programme takes signed decisions only, and {by!r} cannot sign here.",
            "Give the private key that belongs to `people` in programme.yaml: set TRUEUP_SIGNING_KEY to its file.",
        )
