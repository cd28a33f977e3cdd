"""An edit changes what it is about and leaves every other byte of the file as it was.

The text is spliced where the parser says that values begin and end. What comes out is read again and must say what
was said before, with the change and nothing else; where a splice does not manage that (rare forms of YAML), the file
goes through a round-trip writer, and is checked again.
"""

from __future__ import annotations

import copy
import io
import itertools
import json
from collections.abc import Iterator, Mapping, Sequence
from datetime import date
from typing import Any

import yaml

from trueup.declare.editing.emit import render
from trueup.declare.editing.splice import spliced
from trueup.declare.programme import Path_
from trueup.declare.reading.yaml_tree import parse_tree
from trueup.kernel.errors import DeclarationError

__all__ = ["edited", "render"]

_WIDE = 10**9
_BYTE_ORDER_MARK = "\ufeff"


def edited(text: str, changes: Sequence[tuple[Path_, object]]) -> str:
    """Return the text of a declared file with values set, in order. Mappings on the way to a value are made.

    A position equal to a list's length appends. Comments, order, quotes, line ends and untouched lines stay. Raises
    DeclarationError, code `cannot-edit`, when the text is no declared file or a path leads through a single value.
    """
    mark = _BYTE_ORDER_MARK if text.startswith(_BYTE_ORDER_MARK) else ""
    text = text.removeprefix(mark)
    for path, value in changes:
        text = _changed(text, path, _plain(value))
    return mark + text


def _changed(text: str, path: Path_, value: Any) -> str:
    before = _data(text)
    after = _with(copy.deepcopy(before), path, value)
    for write in (spliced, _rewritten):
        try:
            candidate = write(text, path, value)
        except (yaml.YAMLError, ValueError, LookupError, TypeError, AttributeError):
            continue
        if _same(_data_or_none(candidate), after):
            return candidate
    raise _cannot_edit(f"The value at {_written(path)} could not be set without changing something else.")


def _data(text: str) -> Any:
    data = _data_or_none(text)
    if data is None:
        raise _cannot_edit("The file cannot be read as YAML.")
    return data


def _data_or_none(text: str) -> Any:
    """Return what a text says; None when it says nothing that can be relied on. An empty file says nothing yet: {}."""
    if not text.strip():
        return {}
    tree = parse_tree("", text)
    empty = tree.value is None and [found.code for found in tree.findings] == ["TYPE01"]
    if empty and yaml.compose(text, Loader=yaml.CSafeLoader) is None:
        return {}
    return tree.value if tree.read and not tree.findings else None


def _same(found: Any, wanted: Any) -> bool:
    # As JSON, because Python takes 1, 1.0 and True for the same.
    return found is not None and json.dumps(found) == json.dumps(wanted)


def _plain(value: object) -> Any:
    if isinstance(value, Mapping):
        return {str(key): _plain(item) for key, item in value.items()}
    if isinstance(value, str):
        return str(value)
    if isinstance(value, date):
        return value.isoformat()
    return [_plain(item) for item in value] if isinstance(value, Sequence) else value


def _with(data: Any, path: Path_, value: Any) -> Any:
    here = data
    for position, step in enumerate(path):
        last = position == len(path) - 1
        if isinstance(here, list) and isinstance(step, int) and 0 <= step <= len(here):
            if step == len(here):
                here.append(None)
        elif not isinstance(here, dict) or not isinstance(step, str):
            raise _cannot_edit(f"{_written(path)} leads through something that is not a mapping.")
        if last:
            here[step] = value
        elif isinstance(here, list) or here.get(step) is not None:
            here = here[step]
        else:
            here[step] = {}
            here = here[step]
    return data


def _cannot_edit(message: str) -> DeclarationError:
    return DeclarationError("cannot-edit", message, "Make the change by hand, check the file, and run this again.")


def _written(path: Path_) -> str:
    return ".".join(str(step) for step in path)


def _rewritten(text: str, path: Path_, value: Any) -> str:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    writer = YAML(typ="rt")
    writer.preserve_quotes = True
    writer.width = _WIDE
    writer.indent(**_indents(text))
    try:
        data = writer.load(text.replace("\r\n", "\n")) or {}
        _with(data, path, value)
        stream = io.StringIO()
        writer.dump(data, stream)
    except YAMLError as error:
        raise ValueError(str(error)) from None
    out = stream.getvalue()
    if not text.endswith("\n"):
        out = out.removesuffix("\n")
    return out.replace("\n", "\r\n") if "\r\n" in text else out


def _indents(text: str) -> dict[str, int]:
    """Return how the file indents its lists, as the writer counts it."""
    dashes = next(_dashes(text), 0)
    return {"mapping": 2, "sequence": dashes + 2, "offset": dashes}


def _dashes(text: str) -> Iterator[int]:
    lines = text.splitlines()
    for above, line in itertools.pairwise(lines):
        if line.lstrip(" ").startswith("- ") and above.rstrip().endswith(":"):
            yield max(0, len(line) - len(line.lstrip(" ")) - (len(above) - len(above.lstrip(" "))))
