"""Runs studies part by part, keeps every part as soon as it is there, and says how long the rest will take."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from studies.figures import Figure, Kept, told
from studies.study import Source, Study

PAGES = Path(__file__).resolve().parents[1] / "docs" / "evidence"


def kept(study: Study, pages: Path = PAGES) -> Kept:
    """Return what is known of a study."""
    return Kept.read(pages / "figures" / f"{study.name}.json")


def run(studies: Sequence[Study], source: Source, pages: Path = PAGES, *, again: bool = False) -> None:
    """Measure every part that is not there yet (`again`: every part), and write each to its file."""
    todo = [(study, part) for study in studies for part in study.parts]
    todo = [(study, part) for study, part in todo if again or not _there(study, part, pages)]
    began = time.monotonic()
    for done, (study, part) in enumerate(todo):
        say(f"{done + 1}/{len(todo)}  {study.name} {part}{_remaining(began, done, len(todo))}")
        store = kept(study, pages)
        store.put(part, "full", study.measure(part, source, False))  # noqa: FBT003 -- in full
        if part in study.repeated:
            store.put(part, "sample", study.measure(part, source, True))  # noqa: FBT003 -- the sample
    say(f"{len(todo)} parts in {time.monotonic() - began:.0f} s")


def _there(study: Study, part: str, pages: Path) -> bool:
    found = kept(study, pages).parts.get(part, {})
    return "full" in found and ("sample" in found or part not in study.repeated)


def _remaining(began: float, done: int, total: int) -> str:
    if not done:
        return ""
    left = (time.monotonic() - began) / done * (total - done)
    return f"  (about {left / 60:.0f} min left)" if left >= 90 else f"  (about {left:.0f} s left)"


def differences(study: Study, source: Source, pages: Path = PAGES) -> Iterator[str]:
    """Measure the samples of a study again, and yield every figure that is not the published one."""
    published = kept(study, pages)
    for part in study.repeated:
        was = _written(published.parts.get(part, {}).get("sample", []))
        now = _written(told(study.measure(part, source, True)))  # noqa: FBT003 -- the sample
        yield from (f"{study.name} {part}: published {old}, measured {new}" for old, new in _unlike(was, now))


def _written(figures: Sequence[Figure]) -> list[dict[str, Any]]:
    return [figure.to_json() for figure in figures]


def _unlike(was: list[dict[str, Any]], now: list[dict[str, Any]]) -> Iterator[tuple[Any, Any]]:
    for number in range(max(len(was), len(now))):
        old, new = (side[number] if number < len(side) else None for side in (was, now))
        if old != new:
            yield old, new


def say(line: str) -> None:
    """Tell people, on stderr."""
    sys.stderr.write(f"evidence: {line}\n")
    sys.stderr.flush()
