"""As much of a Cedar policy as can be read without compiling it: which actions, tools and workflows it names."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

# A policy is written by a person; what is larger is something else.
_LARGEST = 1_000_000
_TOKEN = re.compile(
    r"""
      (?P<comment> //[^\n]* )
    | (?P<entity>  (?:\w+::)* (?P<type> \w+ ) :: "(?P<id> (?:[^"\\\n]|\\.)* )" )
    | (?P<like>    \btool \s+ like \s+ "(?P<pattern> (?:[^"\\\n]|\\.)* )" )
    | (?P<is>      \btool \s* == \s* "(?P<tool> (?:[^"\\\n]|\\.)* )" )
    | (?P<string>  "(?:[^"\\\n]|\\.)*" )
    """,
    re.VERBOSE,
)
_KINDS = {"action": "action", "tool": "tool", "workflow": "workflow"}


@dataclass(frozen=True, slots=True)
class Named:
    """A name in a policy: of an action, a tool (perhaps with `*`) or a workflow. `line` and `col` count from 1."""

    kind: str
    name: str
    line: int
    col: int


def names(text: str) -> list[Named]:
    """Return what a policy names, in order. Comments and other strings are passed over; never raises."""
    return [Named(kind, name, *_position(text, start)) for kind, name, start in _names(text)]


def _names(text: str) -> Iterator[tuple[str, str, int]]:
    for match in _TOKEN.finditer(text):
        if match["entity"] and (kind := _KINDS.get(match["type"].casefold())):
            yield kind, match["id"], match.start("id")
        elif match["like"]:
            yield "tool", match["pattern"], match.start("pattern")
        elif match["is"]:
            yield "tool", match["tool"], match.start("tool")


def _position(text: str, offset: int) -> tuple[int, int]:
    return text.count("\n", 0, offset) + 1, offset - text.rfind("\n", 0, offset)


def policies(root: Path) -> Iterator[tuple[str, str | None]]:
    """Yield each policy's file, relative to the programme, with its text; None where it is not readable text."""
    for path in sorted((root / "policies").glob("*.cedar")):
        file = f"policies/{path.name}"
        try:
            # A pipe has no end; only a file is read.
            found = path.is_file() and path.stat().st_size <= _LARGEST
            yield file, path.read_bytes().decode("utf-8") if found else None
        except (OSError, UnicodeDecodeError):
            yield file, None
