"""What a study found: counts and means, each with its n, kept in one file a study so that a page can be made of it."""

from __future__ import annotations

import json
import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from trueup.evidence.moments import Interval
from trueup.evidence.sequences import clopper_pearson

About = Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Count:
    """How often something happened in n tries."""

    about: About
    hits: int
    n: int

    @property
    def share(self) -> float:
        """Hits of n; NaN without tries."""
        return self.hits / self.n if self.n else math.nan

    @property
    def interval(self) -> Interval:
        """95% by Clopper and Pearson, as if the tries were independent."""
        return clopper_pearson(self.hits, self.n, 0.05)

    @property
    def error(self) -> float:
        """Monte-Carlo standard error of the share."""
        return math.sqrt(self.share * (1 - self.share) / self.n) if self.n else math.nan

    def to_json(self) -> dict[str, Any]:
        """Return the stored form."""
        return {"about": dict(self.about), "hits": self.hits, "n": self.n}


@dataclass(frozen=True, slots=True)
class Mean:
    """A mean or a quantile over n values; `error` is its standard error where it was simulated, None elsewhere."""

    about: About
    value: float
    n: int
    error: float | None = None

    def to_json(self) -> dict[str, Any]:
        """Return the stored form, to six digits: what a machine adds up beyond them differs from the next one's."""
        error = None if self.error is None else float(f"{self.error:.3g}")
        return {"about": dict(self.about), "value": float(f"{self.value:.6g}"), "n": self.n, "error": error}


Figure = Count | Mean


def figure_of(data: Mapping[str, Any]) -> Figure:
    """Read what `to_json` wrote."""
    if "hits" in data:
        return Count(data["about"], data["hits"], data["n"])
    return Mean(data["about"], data["value"], data["n"], data["error"])


def told(figures: Iterable[Figure]) -> list[Figure]:
    """Return the figures that say something: those that were tried at all."""
    return [figure for figure in figures if figure.n]


def means_of(figures: Iterable[Figure]) -> list[Mean]:
    """Return the means among some figures."""
    return [figure for figure in figures if isinstance(figure, Mean)]


def counts_of(figures: Iterable[Figure], **about: str) -> list[Count]:
    """Return the counts that are about all of this."""
    return [one for one in figures if isinstance(one, Count) and all(one.about.get(k) == v for k, v in about.items())]


def pooled(figures: Iterable[Figure], **about: str) -> Count:
    """Return the counts that are about all of this, added up."""
    chosen = counts_of(figures, **about)
    return Count(about, sum(one.hits for one in chosen), sum(one.n for one in chosen))


@dataclass(slots=True)
class Kept:
    """The figures of one study in its file: by part, in full and as the sample that anybody can repeat in seconds."""

    file: Path
    parts: dict[str, dict[str, list[Figure]]] = field(default_factory=dict)

    @classmethod
    def read(cls, file: Path) -> Kept:
        """Read what there is; nothing where there is no file."""
        if not file.exists():
            return cls(file)
        data = json.loads(file.read_text("utf-8"))
        parts = {
            part: {
                kind: [figure_of({**one, "about": {**found["about"], **one["about"]}}) for one in found[kind]]
                for kind in ("full", "sample")
                if kind in found
            }
            for part, found in data.items()
        }
        return cls(file, parts)

    def put(self, part: str, kind: str, figures: Iterable[Figure]) -> None:
        """Keep the figures of a part, and write the file at once: what is interrupted later loses nothing of it."""
        self.parts.setdefault(part, {})[kind] = told(figures)
        self.file.parent.mkdir(parents=True, exist_ok=True)
        passing = self.file.with_suffix(".part")
        parts = [f" {json.dumps(name)}: {_lines(self.parts[name])}" for name in sorted(self.parts)]
        passing.write_text("{\n" + ",\n".join(parts) + "\n}\n", "utf-8")
        passing.replace(self.file)

    def figures(self, kind: str = "full") -> list[Figure]:
        """Return the figures of all parts."""
        return [one for part in sorted(self.parts) for one in self.parts[part].get(kind, [])]


def _lines(kinds: Mapping[str, Sequence[Figure]]) -> str:
    """Write a part as JSON, one figure a line, so that a difference shows which figure it is.

    What all its figures are about is said once.
    """
    every = [figure.about for figures in kinds.values() for figure in figures]
    shared = (
        {key: value for key, value in every[0].items() if all(one.get(key) == value for one in every)} if every else {}
    )
    written = [f'  "about": {json.dumps(shared)}']
    for kind, figures in sorted(kinds.items()):
        rows = ",\n".join(f"   {json.dumps(_without(one.to_json(), shared))}" for one in figures)
        written.append(f'  "{kind}": [\n{rows}\n  ]')
    return "{\n" + ",\n".join(written) + "\n }"


def _without(data: dict[str, Any], shared: Mapping[str, str]) -> dict[str, Any]:
    return {**data, "about": {key: value for key, value in data["about"].items() if key not in shared}}
