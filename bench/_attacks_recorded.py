"""Recorded runs as the gate may see them: what the person asked, what was called, what came back. Nothing else.

Every other member of a line is dropped while it is parsed, before there is an object that could be asked for it.
Whether an attack was injected, where, and whether it succeeded cannot be seen from here.
"""

from __future__ import annotations

import ast
import gzip
import json
import zlib
from collections.abc import Container, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any

SUFFIX = ".jsonl.gz"
TOOLS = "tool_permission.derived.json"
# What a line may tell before the last verdict. Names inside messages are listed too: dropping goes all the way down.
_SEEN = {"suite_name", "messages", "conversations", "tool_permission"}


@dataclass(frozen=True, slots=True)
class Call:
    """One tool call: its turn, its name, its arguments, and the text that came back (None: nothing was recorded)."""

    turn: int
    tool: str
    arguments: dict[str, Any]
    result: str | None


@dataclass(frozen=True, slots=True)
class Run:
    """One recorded run. `index` is its line in the file, from 0; `file` tells two files of one name apart."""

    suite: str
    model: str
    index: int
    task: str
    calls: tuple[Call, ...]
    tools: tuple[str, ...] = field(default=(), repr=False)
    file: str = ""


def files(folder: Path) -> list[Path]:
    """Return the files of recorded runs in a folder and below it, by name."""
    return sorted(folder.rglob(f"*{SUFFIX}"))


def model_of(path: Path) -> str:
    """Return the model's name as decisions carry it."""
    return path.name.removesuffix(SUFFIX)


def runs(folder: Path) -> Iterator[Run]:
    """Yield every run of a folder, file by file. A line that is no run ends the bench: half a set is no measure."""
    listed = tool_lists(folder)
    for path in files(folder):
        for index, line in lines_of(path, _SEEN):
            try:
                yield _run(line, path, index, listed)
            except (KeyError, TypeError, AttributeError, ValueError) as error:
                raise SystemExit(f"{_place(path, index)} is no recorded run: {_what(error)}.") from None


def lines_of(path: Path, seen: Container[str]) -> Iterator[tuple[int, dict[str, Any]]]:
    """Yield what may be `seen` of a file's objects, with their lines from 0; blank lines count and yield nothing."""
    index = 0
    try:
        with gzip.open(path) as lines:
            for index, line in enumerate(lines):
                if line.strip():
                    yield index, _stripped(line.decode("utf-8"), seen)
    except EOFError:
        raise SystemExit(f"{path.name} is cut off in the middle: fetch it again.") from None
    except (OSError, zlib.error) as error:
        raise SystemExit(f"{path.name} cannot be read as gzip: {error}.") from None
    except (ValueError, RecursionError) as error:
        raise SystemExit(f"{_place(path, index)} is not one JSON object in UTF-8: {_what(error)}.") from None


def tool_lists(folder: Path) -> dict[str, list[str]]:
    """Return each suite's tools, by name only, from the file that lies beside the runs; empty where there is none."""
    found = sorted(folder.rglob(TOOLS)) or [parent / TOOLS for parent in folder.resolve().parents[:2]]
    for path in found:
        if path.is_file():
            try:
                return {suite: list(tools) for suite, tools in json.loads(path.read_text("utf-8")).items()}
            except (ValueError, TypeError, AttributeError, RecursionError) as error:
                raise SystemExit(f"{path.name} is no list of tools by suite: {_what(error)}.") from None
    return {}


def _stripped(line: str, seen: Container[str]) -> dict[str, Any]:
    """Parse a line without the members that its reader may not rest on."""
    return {name: value for name, value in _object(json.loads(line)).items() if name in seen}


def _object(value: Any) -> dict[str, Any]:
    if not isinstance(value, dict):
        raise ValueError(f"an object belongs where there is {json.dumps(value)[:40]}")  # noqa: TRY004 -- of a file's text
    return value


def _place(path: Path, index: int) -> str:
    return f"{path.name}, line {index + 1},"


def _what(error: Exception) -> str:
    return f"{error} is missing" if isinstance(error, KeyError) else str(error) or type(error).__name__


def _run(line: dict[str, Any], path: Path, index: int, listed: dict[str, list[str]]) -> Run:
    messages = [_object(message) for message in line.get("messages") or line.get("conversations") or []]
    calls = tuple(_calls(messages))
    suite = str(line["suite_name"])
    # Without a list of tools the names that this very run calls are all that is known.
    tools = listed.get(suite) or list(line.get("tool_permission") or {}) or sorted({call.tool for call in calls})
    # A name that cannot be written is no tool's: whoever calls it is denied.
    declared = tuple(tool for tool in tools if tool.isprintable())
    return Run(suite, model_of(path), index, _task(messages), calls, declared, str(path))


def _task(messages: list[dict[str, Any]]) -> str:
    """Return the person's first words; whatever else claims to come from the person came later, from elsewhere."""
    return next((_text(message.get("content")) for message in messages if message["role"] == "user"), "")


def _calls(messages: list[dict[str, Any]]) -> Iterator[Call]:
    for turn, message in enumerate(messages):
        wanted = message.get("tool_calls") or []
        came = _results(messages[turn + 1 :])
        for place, call in enumerate(wanted):
            result = came[place] if place < len(came) else None
            if not isinstance(_object(call)["function"], str):
                raise TypeError("a call's function is the name of its tool")
            yield Call(turn, call["function"], _object(call.get("args") or {}), result)


def _results(later: list[dict[str, Any]]) -> list[str]:
    """Return what the calls of one turn gave back: the tools' messages up to the next turn, in order."""
    found = []
    for message in later:
        if message["role"] != "tool":
            break
        found.append(_text(message.get("content")) or str(message.get("error") or ""))
    return found


def _text(content: Any) -> str:
    if isinstance(content, list):
        return "\n".join(str(part.get("content") or part.get("text") or "") for part in content)
    return str(content or "")


@lru_cache(maxsize=4096)
def structured(result: str) -> Any:
    """Return what a recorded text says where a tool wrote an object: Python's spelling, or YAML.

    A production gateway gets JSON; these files hold the text that the model was shown.
    """
    head = result.lstrip()[:2]
    if head[:1] in {"{", "["}:
        return _inner(_literal(result))
    if head == "- " or result.lstrip().startswith("id_:"):
        return _yaml(result)
    return result


def _yaml(text: str) -> Any:
    from ruamel.yaml import YAML
    from ruamel.yaml.error import YAMLError

    try:
        return json.loads(json.dumps(YAML(typ="safe", pure=False).load(text), default=str))
    except (YAMLError, ValueError, TypeError, RecursionError):
        return text


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, TypeError, SyntaxError, MemoryError, RecursionError):
        return text


def _inner(value: Any) -> Any:
    """Read objects that were written as text inside objects."""
    if isinstance(value, dict):
        return {str(key): _inner(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return [_inner(item) for item in value]
    if isinstance(value, str) and value[:1] in {"{", "["}:
        read = _literal(value)
        return value if isinstance(read, str) else _inner(read)
    return value
