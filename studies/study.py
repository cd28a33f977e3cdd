"""A study: named parts, each measured by itself, in full or as a sample that repeats word for word; and its page."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from studies.figures import Figure
from studies.logs import Logs


@dataclass(frozen=True, slots=True)
class Source:
    """Where a study takes its data from; `folder` is that of all data, of which `logs` are a part."""

    folder: Path
    logs: Logs


def no_pictures(figures: Sequence[Figure]) -> Mapping[str, Mapping[str, Any]]:
    """Return none."""
    del figures
    return {}


@dataclass(frozen=True, slots=True)
class Study:
    """What is asked, in which parts, and how the page is written from what was found.

    `measure(part, source, sample)` returns the figures of one part, from fixed seeds; `repeated` are the parts whose
    sample the tests measure again. `real` studies need data; the others draw theirs.
    """

    name: str
    title: str
    parts: tuple[str, ...]
    measure: Callable[[str, Source, bool], list[Figure]]
    page: Callable[[Sequence[Figure]], str]
    repeated: tuple[str, ...]
    real: bool
    pictures: Callable[[Sequence[Figure]], Mapping[str, Mapping[str, Any]]] = field(default=no_pictures)
