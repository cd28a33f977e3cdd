"""What a tool gave back, taken apart: fields that answer a question, and prose in which anybody may have written.

A field is a short value that stands alone under a key or in a list. Whatever has sentences, lines or other
values in it is prose, however structured the result around it is.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from trueup.enforce.untrusted.forms import forms, words

if TYPE_CHECKING:
    from trueup.kernel.canonical import Json

# A name, a title, a street: longer than this it is a sentence.
LONGEST_FIELD = 6
DEEPEST = 32
_NAMED = re.compile(r"([^:\n]{1,40}):(?:\s+(.*)|)")
_SENTENCE = re.compile(r"\n|[.!?](?:\s|$)")


@dataclass(slots=True)
class Record:
    """The fields that stand side by side in one object of a result, and its prose."""

    fields: list[str] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)


def records(result: Json) -> Iterator[Record]:
    """Take a result apart, one record for each object in it; text that is JSON is read as such.

    What is nested deeper than `DEEPEST` is prose: nothing is lost, and nobody gets the better of the stack.
    """
    yield from _records(read(result), Record(), 0)


def read(result: Json) -> Json:
    """Return what a text says where it is JSON, or nothing but lines of names and values; else the text."""
    if not isinstance(result, str):
        return result
    if result.lstrip()[:1] not in {"{", "["}:
        return _listed(result)
    try:
        parsed: Json = json.loads(result)
    except (ValueError, RecursionError):
        return result
    return parsed


def _listed(text: str) -> Json:
    """Read `name: value, name: value`, line by line; one line that says anything else makes all of it prose."""
    found: list[Json] = []
    for line in filter(None, (one.strip(" \t-*|") for one in text.splitlines())):
        pairs = [_NAMED.fullmatch(piece.strip()) for piece in line.split(", ")]
        if not all(pair and is_field(pair[1]) and is_field(pair[2] or "") for pair in pairs):
            return text
        found.append({pair[1]: pair[2] or "" for pair in pairs if pair})
    return found


def is_field(text: str) -> bool:
    """Tell whether a text stands for one value: one distinct form alone, or a few words and nothing else."""
    found = words(text)
    if len(found) <= 1:
        return True
    if len(found) > LONGEST_FIELD or (len(found) > 2 and _SENTENCE.search(text)):
        return False
    return not any(form.distinct for form in forms(text)) or len(forms(text)) == 1


def _records(value: Json, record: Record, depth: int) -> Iterator[Record]:
    """Collect what belongs to one record, yield the inner ones, then the record itself."""
    yield from _inner(value, record, depth)
    yield record


def _inner(value: Json, record: Record, depth: int) -> Iterator[Record]:
    if depth > DEEPEST:
        record.prose += _leaves(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            _put(key, record)
            yield from _below(item, record, depth, [key])
    elif isinstance(value, list | tuple):
        for item in value:
            yield from _below(item, record, depth, [])
    elif value is not None and not isinstance(value, bool):
        _put(value if isinstance(value, str) else json.dumps(value), record)


def _below(value: Json, record: Record, depth: int, names: list[str]) -> Iterator[Record]:
    """Take an inner value apart: an object is a record of its own, under the name that it has."""
    if not isinstance(value, Mapping):
        yield from _inner(value, record, depth + 1)
        return
    own = Record()
    for name in names:
        _put(name, own)
    yield from _records(value, own, depth + 1)


def _leaves(value: Json) -> list[str]:
    """Return every text in a value, however deep."""
    found, waiting = [], [value]
    while waiting:
        item = waiting.pop()
        if isinstance(item, Mapping):
            waiting += [*item.keys(), *item.values()]
        elif isinstance(item, list | tuple):
            waiting += item
        elif item is not None:
            found.append(str(item))
    return found


def _put(text: str, record: Record) -> None:
    (record.fields if is_field(text) else record.prose).append(text)
