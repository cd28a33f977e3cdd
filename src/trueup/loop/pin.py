"""The ledger that belongs to a programme is pinned in its files, so that a replaced one is visible."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.declare.edit import edited
from trueup.declare.programme import PROGRAMME_FILE
from trueup.ledger.entry import Entry
from trueup.loop.journal import Plan, carry_out

if TYPE_CHECKING:
    from datetime import datetime

    from trueup.loop.journal import Done
    from trueup.loop.workbench import Workbench

_MESSAGE = "Pin the ledger"


def pinned(bench: Workbench, changes: tuple[tuple[tuple[str | int, ...], object], ...] = ()) -> dict[str, bytes]:
    """Return programme.yaml with the changes and, where it names no key yet, with the ledger's own; else nothing."""
    wanted = list(changes)
    pin = bench.programme.file.ledger
    if pin is None:
        wanted.append((("ledger",), {"origin": bench.ledger.origin, "vkey": bench.vkey}))
    elif pin.vkey is None:
        wanted.append((("ledger", "vkey"), bench.vkey))
    if not wanted:
        return {}
    text = (bench.root / PROGRAMME_FILE).read_bytes().decode("utf-8-sig")
    return {PROGRAMME_FILE: edited(text, wanted).encode()}


def put_on_record(bench: Workbench, entry: Entry, by: str, at: datetime) -> Done:
    """Append what a person said, in their name; `by` is the id of a declared one, `at` when they said it.

    Raises ConflictError `entry-exists` where something else stands under its id.
    """
    person = bench.programme.file.people[by]
    return carry_out(
        bench,
        Plan(
            files=pinned(bench),
            entries=[entry],
            message=_MESSAGE,
            author=person.name,
            email=person.email or f"{by}@localhost",
            at=at,
            checkpoint=False,
        ),
    )


def pin_now(bench: Workbench) -> None:
    """Pin the ledger where the files name none yet: for programs whose entries come without a change of files."""
    files = pinned(bench)
    if not files:
        return
    entry = Entry(
        "programme.pinned",
        "programme/pinned",
        bench.clock.now(),
        None,
        {"origin": bench.ledger.origin, "vkey": bench.vkey},
    )
    carry_out(bench, Plan(files, [entry], _MESSAGE, author="trueup", email="trueup@localhost", at=entry.time))
