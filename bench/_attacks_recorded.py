"""Recorded runs as the gate may see them: what the person asked, what was called, what came back. Nothing else.

Every other member of a line is dropped while it is parsed, before there is an object that could be asked for it.
Whether an attack was injected, where, and whether it succeeded cannot be seen from here.
"""

from __future__ import annotations

import ast
import gzip
import json
from collections.abc import Iterator
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
    """One recorded run. `index` is its line in the file, from 0."""

    suite: str
    model: str
    index: int
    task: str
    calls: tuple[Call, ...]
    tools: tuple[str, ...] = field(default=(), repr=False)


def files(folder: Path) -> list[Path]:
    """Return the files of recorded runs in a folder and below it, by name."""
    return sorted(folder.rglob(f"*{SUFFIX}"))


def model_of(path: Path) -> str:
    """Return the model's name as decisions carry it."""
    return path.name.removesuffix(SUFFIX)


def runs(folder: Path) -> Iterator[Run]:
    """Yield every run of a folder, file by file."""
    listed = tool_lists(folder)
    for path in files(folder):
        with gzip.open(path, "rt", encoding="utf-8") as lines:
            for index, line in enumerate(lines):
                yield _run(_stripped(line), model_of(path), index, listed)


def tool_lists(folder: Path) -> dict[str, list[str]]:
    """Return each suite's tools, by name only, from the file that lies beside the runs; empty where there is none."""
    found = sorted(folder.rglob(TOOLS)) or [parent / TOOLS for parent in folder.resolve().parents[:2]]
    for path in found:
        if path.is_file():
            return {suite: list(tools) for suite, tools in json.loads(path.read_text("utf-8")).items()}
    return {}


def _stripped(line: str) -> dict[str, Any]:
    """Parse a line without the members that verdicts may not rest on."""
    whole: dict[str, Any] = json.loads(line)
    return {name: whole[name] for name in _SEEN if name in whole}


def _run(line: dict[str, Any], model: str, index: int, listed: dict[str, list[str]]) -> Run:
    messages = line.get("messages") or line.get("conversations") or []
    calls = tuple(_calls(messages))
    suite = str(line["suite_name"])
    # Without a list of tools the names that this very run calls are all that is known.
    tools = listed.get(suite) or list(line.get("tool_permission") or {}) or sorted({call.tool for call in calls})
    return Run(suite, model, index, _task(messages), calls, tuple(tools))


def _task(messages: list[dict[str, Any]]) -> str:
    """Return the person's first words; whatever else claims to come from the person came later, from elsewhere."""
    return next((_text(message.get("content")) for message in messages if message["role"] == "user"), "")


def _calls(messages: list[dict[str, Any]]) -> Iterator[Call]:
    for turn, message in enumerate(messages):
        wanted = message.get("tool_calls") or []
        came = _results(messages[turn + 1 :])
        for place, call in enumerate(wanted):
            result = came[place] if place < len(came) else None
            yield Call(turn, str(call["function"]), dict(call.get("args") or {}), result)


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
    except (YAMLError, ValueError):
        return text


def _literal(text: str) -> Any:
    try:
        return ast.literal_eval(text)
    except (ValueError, SyntaxError, MemoryError, RecursionError):
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
