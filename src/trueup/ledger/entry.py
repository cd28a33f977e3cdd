"""One thing that happened, and the exact bytes that stand for it in the tree."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from trueup.kernel.canonical import SAFE_INTEGER, canonical
from trueup.kernel.clock import format_instant, parse_instant
from trueup.kernel.errors import LedgerBrokenError, UsageError
from trueup.kernel.text import did_you_mean
from trueup.ledger.event_types import EVENT_TYPES

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from trueup.kernel.canonical import Json

LARGEST_LEAF = 32 * 1024
_TYPE = b'"type":"'
_VERIFY = "Find out what happened to it:\n  trueup ledger verify DIR"
# No quotes, backslashes, spaces or control characters: an id reads the same in JSON, in SQL and in a shell.
_ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._:/@+-]{0,199}", re.ASCII)


@dataclass(frozen=True, slots=True)
class Entry:
    """Something that happened.

    `id` is made by the writer from what the entry is about (review and change, workflow and step), never at
    random: appending the same entry again is then recognised. `time` is the instant that it is about. `by`
    is a person's key in the programme, None where nobody acted.
    """

    type: str
    id: str
    time: datetime
    by: str | None
    data: Mapping[str, Json]


@dataclass(frozen=True, slots=True)
class Recorded:
    """An entry as it stands in the log: where, since when, and the hashed bytes.

    The bytes are read when somebody asks what they say, and once. LedgerBrokenError: they say nothing.
    """

    index: int
    leaf: bytes
    _said: list[tuple[Entry, datetime]] = field(default_factory=list, repr=False, compare=False)

    @property
    def entry(self) -> Entry:
        """What happened."""
        return self._read()[0]

    @property
    def recorded(self) -> datetime:
        """Since when it stands in the log."""
        return self._read()[1]

    @property
    def id(self) -> str:
        """The entry's id."""
        return self.entry.id

    @property
    def type(self) -> str:
        """The entry's type, found without reading it: it closes the leaf, and is written in this one way."""
        return self.leaf[self.leaf.rfind(_TYPE) + len(_TYPE) : -2].decode("ascii", "replace")

    def _read(self) -> tuple[Entry, datetime]:
        if not self._said:
            try:
                self._said.append(_read_leaf(self.index, self.leaf))
            except ValueError as error:
                raise LedgerBrokenError("entry-unreadable", f"The ledger is damaged: {error}.", _VERIFY) from None
        return self._said[0]

    def to_json(self) -> dict[str, Any]:
        """Return the leaf as a JSON object."""
        content: dict[str, Any] = parse_leaf(self.leaf)
        return content


@dataclass(frozen=True, slots=True)
class Draft:
    """An entry as it is going to be written: all but `recorded`, which is known once its turn has come."""

    entry: Entry
    time: str
    head: bytes
    tail: bytes

    def leaf(self, recorded: str) -> bytes:
        """Return the bytes that are hashed. Raises UsageError when they exceed 32 kB."""
        data = b"".join((self.head, recorded.encode("ascii"), self.tail))
        if len(data) > LARGEST_LEAF:
            raise UsageError(
                "entry-too-large",
                f"The entry {self.entry.id!r} has {len(data):,} bytes; an entry holds at most {LARGEST_LEAF:,}.",
                "Put the long part into a file of the programme and record its digest.",
            )
        return data


def leaf(entry: Entry, recorded: datetime) -> bytes:
    """Return the bytes that are hashed: RFC 8785 JSON of type, id, time, recorded, by (where known) and data.

    Raises UsageError when the type is not in the table, the id is not usable, the data have no canonical
    form, or the whole exceeds 32 kB.
    """
    check_names(entry)
    return draft(entry).leaf(format_instant(recorded))


def draft(entry: Entry) -> Draft:
    """Return an entry as it is going to be written, whose names were checked. Raises UsageError, as `leaf`."""
    time = format_instant(entry.time)
    content: dict[str, Json] = {"data": entry.data, "id": entry.id}
    if entry.by is not None:
        content["by"] = entry.by
    try:
        # In canonical JSON the members stand in the order of their names: by, data, id, recorded, time, type.
        head = canonical(content)[:-1] + b',"recorded":"'
    except (ValueError, RecursionError) as error:
        raise UsageError(
            "entry-not-canonical",
            f"The entry {entry.id!r} cannot be recorded: {error}.",
            "Record finite numbers below 2^53, text and lists of these.",
        ) from None
    return Draft(entry, time, head, f'","time":"{time}","type":"{entry.type}"}}'.encode("ascii"))


def parse_leaf(data: bytes) -> Any:
    """Parse the bytes of an entry so that their canonical form is the same bytes again. Raises ValueError."""
    return json.loads(data, parse_int=_number)


def read_leaf(index: int, data: bytes) -> Recorded:
    """Return the entry that hashed bytes stand for.

    Raises ValueError when they are not an entry.
    """
    return Recorded(index, data, [_read_leaf(index, data)])


def _read_leaf(index: int, data: bytes) -> tuple[Entry, datetime]:
    content = parse_leaf(data)
    try:
        entry = Entry(
            type=content["type"],
            id=content["id"],
            time=parse_instant(content["time"]),
            by=content.get("by"),
            data=content["data"],
        )
        return entry, parse_instant(content["recorded"])
    except (KeyError, TypeError, AttributeError, UsageError) as error:
        msg = f"entry {index} is not an entry: {error}"
        raise ValueError(msg) from None


def _number(text: str) -> float:
    # RFC 8785 writes large doubles without a point; as integers they would be beyond what JSON carries safely.
    number = int(text)
    return number if abs(number) <= SAFE_INTEGER else float(text)


def check_names(entry: Entry) -> None:
    """Raise UsageError unless type, id and time of an entry can be recorded at all."""
    if entry.type not in EVENT_TYPES:
        raise UsageError(
            "unknown-event-type",
            f"{entry.type!r} is not an event type.{did_you_mean(entry.type, EVENT_TYPES)}",
            "The types are: " + ", ".join(EVENT_TYPES) + ".",
        )
    if not _ID.fullmatch(entry.id):
        raise UsageError(
            "bad-entry-id",
            f"{entry.id!r} cannot be the id of an entry.",
            "An id has 1 to 200 letters, digits and . _ : / @ + -, and begins with a letter or a digit.",
        )
    if entry.time.tzinfo is None:
        raise UsageError("bad-instant", f"The time of the entry {entry.id!r} has no zone.", "Give instants in UTC.")
