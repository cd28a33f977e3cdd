"""Where everything stands, kept as numbers: of a hundred thousand places only those in findings are ever asked for."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import TypeAlias

from trueup.declare.programme import Path_
from trueup.kernel.finding import Span

# Line and column by path, in one file.
Marks: TypeAlias = dict[Path_, tuple[int, int]]


class Spans(Mapping[tuple[str, Path_], Span]):
    """The places of all files as one mapping from (file, path)."""

    def __init__(self, files: Mapping[str, Marks]) -> None:
        self._files = files
        self._size = sum(len(marks) for marks in files.values())

    def __getitem__(self, key: tuple[str, Path_]) -> Span:
        file, path = key
        return Span(file, *self._files[file][path])

    def __contains__(self, key: object) -> bool:
        return isinstance(key, tuple) and key[1] in self._files.get(key[0], ())

    def __iter__(self) -> Iterator[tuple[str, Path_]]:
        return ((file, path) for file, marks in self._files.items() for path in marks)

    def __len__(self) -> int:
        return self._size
