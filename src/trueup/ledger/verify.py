"""fsck for the ledger: find and name every way in which a log can be other than what was recorded.

The steps, each of which heads its code below:

1. The storage itself: structure, schema, indexes, types (the backend's `defects`).
2. The pin: which key and which origin this programme's ledger has.
3. What was signed: every stored checkpoint, and every witness from outside (the committed file, git),
   must be a checkpoint of this origin, signed with the pinned key.
4. The entries, one pass: numbered without gaps, every stored node equal to what the leaves hash to. The roots at
   all signed sizes fall out of the same pass. Beside it the database compares every column with its leaf.
5. In the same pass: the signatures of people on their decisions.
6. Every signed root, inside and outside, is the root of the entries up to its size; none is beyond the end.
7. What remains: entries after the newest signed state are `uncovered`; without a witness a replaced log
   cannot be excluded. Both are said and are no problem of the log.

Entries, checkpoints and decisions are streamed: memory does not grow with the log.
"""

from __future__ import annotations

import base64
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trueup.kernel.errors import TrueupError
from trueup.ledger.decision import problem_of
from trueup.ledger.entry import parse_leaf
from trueup.ledger.note import Checkpoint, Note, Verifier
from trueup.ledger.walk import Walk

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping
    from concurrent.futures import Future

    from trueup.kernel.progress import Progress
    from trueup.ledger.store import Store

NO_WITNESS = "no witness: replacement not excluded"
MOST_PROBLEMS = 100

# Every kind of problem that can be reported, with its meaning; the reference page says the same.
PROBLEM_KINDS: Mapping[str, str] = {
    "unreadable": "the file or the tables are not a ledger's, or cannot be read to their end",
    "database": "SQLite's own integrity check fails (PostgreSQL checks its pages when it reads them: `unreadable`)",
    "schema": "a table, index, trigger, view or format mark is missing, altered or does not belong",
    "ledger-missing": "there is no log, but a witness shows that there was one",
    "not-pinned": "there are entries, but programme.yaml names no key: nothing can be checked against it",
    "pin-unreadable": "the pinned key is not a verifier key of this origin",
    "entry-missing": "an index is skipped: an entry was dropped",
    "entry-unexpected": "an index is out of range: an entry was inserted outside the sequence",
    "leaf-altered": "an entry's bytes do not hash to the hash stored with it",
    "column-altered": "a column beside the leaf says something else than the leaf",
    "tree-altered": "stored inner hashes do not follow from the leaves: entries were replaced, moved or inserted",
    "checkpoint-unreadable": "a stored checkpoint is not a signed note of three lines with one signature",
    "checkpoint-origin": "a checkpoint of another log: a fork or a replaced log",
    "checkpoint-signature": "a checkpoint that the pinned key did not sign: another key, or altered text",
    "checkpoint-size": "a checkpoint is stored under another size than its own",
    "checkpoint-mismatch": "the entries up to a signed size do not hash to the signed root",
    "truncated": "a signed checkpoint counts more entries than there are: the tail was cut",
    "witness-unreadable": "a checkpoint outside the ledger is not one",
    "witness-origin": "a checkpoint outside the ledger names another log",
    "witness-signature": "a checkpoint outside the ledger was not signed with the pinned key",
    "witness-truncated": "a checkpoint outside counts more entries than there are: the tail was cut",
    "witness-mismatch": "a checkpoint outside has another root: the log was forked or replaced",
    "signature-invalid": "the SSH signature of a decision does not belong to it",
    "more": "further problems were found and are not listed",
}


@dataclass(frozen=True, slots=True)
class Witness:
    """A checkpoint that stands outside the ledger: a name for people, and the bytes found there."""

    name: str
    note: bytes


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong. `index` is the entry or the tree size that it is about, None for the whole."""

    kind: str
    index: int | None
    detail: str

    def to_json(self) -> dict[str, object]:
        """Return the published form."""
        return {"kind": self.kind, "index": self.index, "detail": self.detail}


@dataclass(frozen=True, slots=True)
class Report:
    """The answer. `root` is base64, as in checkpoints; `uncovered` counts entries after the newest signed state."""

    size: int
    root: str
    uncovered: int
    witness: str
    problems: tuple[Problem, ...]

    @property
    def ok(self) -> bool:
        """True when nothing is wrong; uncovered entries and a missing witness are not wrong."""
        return not self.problems

    def to_json(self) -> dict[str, Any]:
        """Return the published form."""
        return {
            "ok": self.ok,
            "size": self.size,
            "root": self.root,
            "uncovered": self.uncovered,
            "witness": self.witness,
            "problems": [problem.to_json() for problem in self.problems],
        }


@dataclass(slots=True)
class _Findings:
    """Problems in the order in which they were found, up to a limit."""

    listed: list[Problem] = field(default_factory=list)
    beyond: int = 0

    def add(self, kind: str, index: int | None, detail: str) -> None:
        if len(self.listed) < MOST_PROBLEMS:
            self.listed.append(Problem(kind, index, detail))
        else:
            self.beyond += 1

    def all(self) -> tuple[Problem, ...]:
        more = [Problem("more", None, f"{self.beyond} further problems")] if self.beyond else []
        return (*self.listed, *more)


def verify(
    store: Store,
    *,
    vkey: str | None,
    origin: str | None,
    witnesses: Iterable[Witness] = (),
    progress: Progress | None = None,
) -> Report:
    """Verify a log against its pin and its witnesses; see the steps above.

    `vkey` and `origin` are what programme.yaml pins, None where it pins nothing. Writes nothing, raises
    nothing for a broken log: what is wrong is in the report.
    """
    findings = _Findings()
    with ThreadPoolExecutor(1) as beside:
        # 1. The storage itself: checked by the database while the entries are hashed here.
        defects, altered = beside.submit(store.defects), beside.submit(store.altered_columns)
        walk, stored, outside = _walked(store, (vkey, origin), witnesses, findings, progress)
    for defect in defects.result():
        findings.add(defect.kind, None, defect.detail)
    _report_columns(altered, findings)
    if walk.size and vkey is None:
        findings.add("not-pinned", None, "programme.yaml has no `ledger: {origin, vkey}`; bring it back from git")
    # 6. Every signed root is the root of the entries.
    for item in stored:
        _compare(item, walk, "", "a stored checkpoint", findings)
    for name, item in outside:
        _compare(item, walk, "witness-", name, findings)
    # 7. What remains.
    covered = max((size for size in walk.agreed), default=0)
    return Report(
        size=walk.size,
        root=base64.b64encode(walk.root()).decode(),
        uncovered=walk.size - covered,
        witness=_witness_line(outside),
        problems=findings.all(),
    )


def _report_columns(altered: Future[list[int]], findings: _Findings) -> None:
    try:
        for index in altered.result():
            findings.add("column-altered", index, "id, type, time or recorded beside the leaf say something else")
    except TrueupError as error:
        findings.add("unreadable", None, error.message)


def _walked(
    store: Store,
    pin: tuple[str | None, str | None],
    witnesses: Iterable[Witness],
    findings: _Findings,
    progress: Progress | None,
) -> tuple[Walk, list[Checkpoint], list[tuple[str, Checkpoint]]]:
    """Take steps 2 to 5; return the walk, and what was signed inside and outside."""
    # 2. The pin.
    verifier = _pinned(*pin, findings)
    # 3. What was signed: inside, and outside.
    stored = _stored_checkpoints(store, verifier, findings)
    outside = _outside_checkpoints(witnesses, verifier, findings)
    # 4. The entries, one pass.
    signed_sizes = {item.size for item in stored} | {item.size for _, item in outside}
    # 5. On the way, the signatures of people.
    walk = Walk(signed_sizes, findings.add, lambda index, leaf: _check_decision(index, leaf, findings), progress)
    try:
        walk.over(store.hashed_rows())
    except TrueupError as error:
        findings.add("unreadable", walk.size, error.message)
    return walk, stored, outside


def _pinned(vkey: str | None, origin: str | None, findings: _Findings) -> Verifier | None:
    if vkey is None:
        return None
    try:
        verifier = Verifier.parse(vkey)
    except ValueError as error:
        findings.add("pin-unreadable", None, f"ledger.vkey: {error}")
        return None
    if origin is not None and verifier.name != origin:
        findings.add("pin-unreadable", None, f"ledger.vkey belongs to {verifier.name!r}, ledger.origin is {origin!r}")
    return verifier


def _stored_checkpoints(store: Store, verifier: Verifier | None, findings: _Findings) -> list[Checkpoint]:
    found = []
    try:
        for size, text in store.raw_checkpoints():
            checkpoint = _checked(text, verifier, "checkpoint", size, findings)
            if checkpoint is not None and checkpoint.size != size:
                findings.add("checkpoint-size", size, f"it says {checkpoint.size} entries")
            if checkpoint is not None:
                found.append(checkpoint)
    except TrueupError as error:
        findings.add("unreadable", None, error.message)
    return found


def _outside_checkpoints(
    witnesses: Iterable[Witness], verifier: Verifier | None, findings: _Findings
) -> list[tuple[str, Checkpoint]]:
    found = []
    for witness in witnesses:
        checkpoint = _checked(witness.note, verifier, "witness", None, findings, witness.name)
        if checkpoint is not None:
            found.append((witness.name, checkpoint))
    return found


def _checked(
    raw: bytes, verifier: Verifier | None, prefix: str, size: int | None, findings: _Findings, name: str = "it"
) -> Checkpoint | None:
    """Return a checkpoint that reads well; report origin and signature."""
    try:
        note = Note.parse(raw.decode())
        checkpoint = Checkpoint.parse(note.text)
        if prefix == "checkpoint" and len(note.signatures) != 1:
            msg = "it carries more than our one signature"
            raise ValueError(msg)  # noqa: TRY301 -- one reason among several for the same finding
    except ValueError as error:
        findings.add(f"{prefix}-unreadable", size, f"{name}: {error}")
        return None
    if verifier is None:
        return checkpoint
    if checkpoint.origin != verifier.name:
        findings.add(f"{prefix}-origin", size, f"{name} names {checkpoint.origin!r}, the pin {verifier.name!r}")
    elif not note.signed_by(verifier):
        findings.add(f"{prefix}-signature", size, f"{name} is not signed with the pinned key")
    return checkpoint


def _compare(item: Checkpoint, walk: Walk, prefix: str, name: str, findings: _Findings) -> None:
    if item.size > walk.size:
        kind = "ledger-missing" if prefix and walk.size == 0 else f"{prefix}truncated"
        findings.add(kind, item.size, f"{name} counts {item.size} entries, the log has {walk.size}")
    elif walk.roots[item.size] == item.root:
        walk.agreed.add(item.size)
    else:
        kind = "witness-mismatch" if prefix else "checkpoint-mismatch"
        findings.add(kind, item.size, f"the first {item.size} entries do not hash to the root of {name}")


def _check_decision(index: int, leaf: bytes, findings: _Findings) -> None:
    try:
        problem = problem_of(parse_leaf(leaf)["data"])
    except (ValueError, KeyError, TypeError, AttributeError):
        problem = "the entry cannot be read"
    if problem is not None:
        findings.add("signature-invalid", index, problem)


def _witness_line(outside: list[tuple[str, Checkpoint]]) -> str:
    if not outside:
        return NO_WITNESS
    return "; ".join(f"{name}: {checkpoint.size} entries" for name, checkpoint in outside)
