"""Plain data -> a typed file; what does not fit becomes findings, and is taken out so that the rest still counts."""

from __future__ import annotations

import copy
import json
from collections.abc import Mapping
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

from trueup.declare.programme import Path_
from trueup.declare.reading.problems import problem
from trueup.declare.reading.sentences import misfit
from trueup.declare.reading.shapes import keys_at
from trueup.declare.reading.yaml_tree import MOST_FINDINGS, Tree
from trueup.kernel.finding import Finding
from trueup.kernel.text import did_you_mean, shown

Model = TypeVar("Model", bound=BaseModel)
Errors = list[Mapping[str, Any]]

# Each pass takes out at least one value; a file that needs more passes is beyond repair by reading.
_MOST_PASSES = 25


def typed(model: type[Model], tree: Tree) -> tuple[Model | None, list[Finding]]:
    """Validate a file's data. Values that do not fit are reported where they stand and left out.

    Returns None when nothing of the file can be used.
    """
    if not tree.read:
        return None, []
    remains = _Remains(tree.value)
    found: dict[tuple[Path_, str], Finding] = {}
    for _ in range(_MOST_PASSES):
        try:
            # Strict, and from JSON: numbers are not made of text, yet dates and closed lists are read.
            text = json.dumps(remains.data)
            return model.model_validate_json(text, strict=True, by_alias=True, by_name=False), list(found.values())
        except ValidationError as error:
            wrong = remains.wrong(error)
        for path, errors in list(wrong.items())[:MOST_FINDINGS]:
            original = remains.original(path)
            if original not in remains.filled and not _follows(original, found):
                finding = _finding(model, tree, original, errors)
                found.update({} if finding is None else {(original, finding.code): finding})
        if len(wrong) > MOST_FINDINGS or not remains.take_out(wrong):
            break
    return None, list(found.values())


def _follows(path: Path_, found: Mapping[tuple[Path_, str], Finding]) -> bool:
    """Tell whether a fault of a whole may come from a value that was taken out of it: then it has been said."""
    return any(len(earlier) > len(path) and earlier[: len(path)] == path for earlier, _ in found)


class _Remains:
    """The data of a file, less what was found not to fit, and where what remains stood at first."""

    def __init__(self, data: Any) -> None:
        self.data = data
        self.filled: set[Path_] = set()
        self._touched = False
        self._positions: dict[int, list[int]] = {}

    def wrong(self, error: ValidationError) -> dict[Path_, Errors]:
        """Return the errors by the path of the value that they are about; a missing one's path ends in its key."""
        out: dict[Path_, Errors] = {}
        for entry in error.errors(include_url=False, include_input=False):
            loc = entry["loc"]
            path = (*self._existing(loc[:-1]), loc[-1]) if entry["type"] == "missing" else self._existing(loc)
            out.setdefault(path, []).append({**entry, "key": loc[-1:] == ("[key]",)})
        return out

    def original(self, path: Path_) -> Path_:
        """Return where a path of the remaining data stood before anything was taken out."""
        here, out = self.data, []
        for step in path:
            positions = self._positions.get(id(here)) if isinstance(step, int) else None
            out.append(step if positions is None else positions[int(step)])
            here = _inside(here, step)
        return tuple(out)

    def take_out(self, wrong: Mapping[Path_, Errors]) -> bool:
        """Take the values out, last first; a missing one is filled with nothing once. False when nothing is left."""
        if not self._touched:
            self.data = copy.deepcopy(self.data)
            self._touched = True
        going: set[Path_] = set()
        for path, errors in wrong.items():
            original = self.original(path)
            if errors[0]["type"] == "missing" and original not in self.filled:
                self._holder(path)[path[-1]] = ""
                self.filled.add(original)
            else:
                # A value that was filled in and does not fit either takes with it what it is missing from.
                going.add(path[:-1] if original in self.filled else path)
        # Reversed, so that a list's later items go before its earlier ones and no path moves under our feet.
        for path in sorted(going, key=_order, reverse=True):
            if not any(path[:length] in going for length in range(len(path))):
                self._remove(path)
        return () not in going

    def _remove(self, path: Path_) -> None:
        holder = self._holder(path) if path else None
        if isinstance(holder, list):
            positions = self._positions.setdefault(id(holder), list(range(len(holder))))
            del positions[int(path[-1])]
            del holder[int(path[-1])]
        elif isinstance(holder, dict):
            del holder[path[-1]]

    def _holder(self, path: Path_) -> Any:
        here = self.data
        for step in path[:-1]:
            here = _inside(here, step)
        return here

    def _existing(self, loc: tuple[str | int, ...]) -> Path_:
        """Return the part of a validator's location that is a path of the data; it also names the forms it tried."""
        here, out = self.data, []
        for step in loc:
            inside = step in here if isinstance(here, dict) else isinstance(here, list) and isinstance(step, int)
            if not inside:
                break
            here = here[step]
            out.append(step)
        return tuple(out)


def _inside(here: Any, step: str | int) -> Any:
    """Return what stands at a key or a position; an empty mapping under a key that is missing."""
    return here[int(step)] if isinstance(here, list) else here.get(step, {})


def _order(path: Path_) -> tuple[tuple[int, str], ...]:
    return tuple((step, "") if isinstance(step, int) else (-1, step) for step in path)


def _finding(model: type[BaseModel], tree: Tree, path: Path_, errors: Errors) -> Finding | None:
    kind, name = errors[0]["type"], dotted(path)
    if kind == "missing":
        # A value that stands there and could not be read is a finding already.
        detail = f"`{name}` is missing."
        return None if path in tree.values else problem("TYPE01", tree.at(path), detail, f"Write `{path[-1]}: ...`.")
    if kind == "extra_forbidden":
        return _unknown_key(model, tree, path)
    if errors[0]["key"]:
        said = str(errors[0].get("ctx", {}).get("error", "the key does not fit"))
        return problem("TYPE01", tree.at_key(path), f"`{name}`: {said}.", "Rename the key.")
    return problem("TYPE01", tree.at(path), *misfit(name, tree.value_at(path), errors))


def _unknown_key(model: type[BaseModel], tree: Tree, path: Path_) -> Finding:
    known = keys_at(model, path[:-1])
    where = f"in `{dotted(path[:-1])}`" if len(path) > 1 else "at the top level of this file"
    key = str(path[-1])
    detail = f"{shown(key)} is not a key {where}.{did_you_mean(key, known)}"
    return problem("KEY01", tree.at_key(path), detail, f"Correct or delete it; the keys here are: {', '.join(known)}.")


def dotted(path: Path_) -> str:
    """Write a path as people do: `pilot.gates.week-4`, `waivers[0].code`."""
    text = "".join(f"[{step}]" if isinstance(step, int) else f".{step}" for step in path).removeprefix(".")
    return text if len(text) <= 120 else f"{text[:117]}..."
