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
_NAMED = re.compile(r"([^:\n]{1,40}):(?:\s+(.*)|)")
_SENTENCE = re.compile(r"\n|[.!?](?:\s|$)")


@dataclass(slots=True)
class Record:
    """The fields that stand side by side in one object of a result, and its prose."""

    fields: list[str] = field(default_factory=list)
    prose: list[str] = field(default_factory=list)


def records(result: Json) -> Iterator[Record]:
    """Take a result apart, one record for each object in it; text that is JSON is read as such."""
    yield from _records(read(result), Record())


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


def _records(value: Json, record: Record) -> Iterator[Record]:
    """Collect what belongs to one record, yield the inner ones, then the record itself."""
    yield from _inner(value, record)
    yield record


def _inner(value: Json, record: Record) -> Iterator[Record]:
    if isinstance(value, Mapping):
        for key, item in value.items():
            _put(key, record)
            if isinstance(item, Mapping):
                own = Record()
                _put(key, own)
                yield from _records(item, own)
            else:
                yield from _inner(item, record)
    elif isinstance(value, list | tuple):
        for item in value:
            if isinstance(item, Mapping):
                yield from _records(item, Record())
            else:
                yield from _inner(item, record)
    elif value is not None and not isinstance(value, bool):
        _put(value if isinstance(value, str) else json.dumps(value), record)


def _put(text: str, record: Record) -> None:
    (record.fields if is_field(text) else record.prose).append(text)
