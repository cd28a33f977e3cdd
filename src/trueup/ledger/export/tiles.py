"""The log as static files that anybody can serve and any tlog client can read (c2sp.org/tlog-tiles).

`checkpoint`, `tile/<L>/<N>[.p/<W>]` with hashes and `tile/entries/<N>[.p/<W>]` with the hashed bytes. Every hash is
computed from the leaves here, in one pass, and the checkpoint is written last, if they hash to its root.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, TypeAlias

from trueup.ledger.tree import HASH_SIZE, Frontier, leaf_hash

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    # Takes a path relative to the folder, and the file's content.
    Put: TypeAlias = Callable[[str, bytes], None]

WIDTH = 256
_LEVELS = 8  # of the tree in one tile: 2^8 hashes
_LENGTH = 2  # bytes of the length before an entry


def tile_path(level: int | str, position: int, width: int = WIDTH) -> str:
    """Return the path of a tile; `level` is a number, or `entries` for the bundle of entries."""
    parts = [f"{position % 1000:03d}"]
    while position := position // 1000:
        parts.insert(0, f"x{position % 1000:03d}")
    return f"tile/{level}/{'/'.join(parts)}" + ("" if width == WIDTH else f".p/{width}")


def write_tiles(leaves: Iterable[bytes], put: Put) -> Frontier:
    """Write the tiles of a tree over `leaves`; return its frontier, whose root is what they hash to."""
    frontier, hashes, bundle = Frontier(), list[_Row](), _Row("entries")
    for leaf in leaves:
        nodes = frontier.append(leaf_hash(leaf))
        bundle.add(len(leaf).to_bytes(_LENGTH, "big") + leaf, put)
        # A leaf that completes a node on level 8, 16, ... adds a hash to a tile on level 1, 2, ...
        for level in range(1 + (len(nodes) // HASH_SIZE - 1) // _LEVELS):
            if level == len(hashes):
                hashes.append(_Row(level))
            at = level * _LEVELS * HASH_SIZE
            hashes[level].add(nodes[at : at + HASH_SIZE], put)
    for row in (bundle, *hashes):
        row.end(put)
    return frontier


class _Row:
    """The tiles of one level, from left to right."""

    def __init__(self, level: int | str) -> None:
        self._level = level
        self._position = 0
        self._parts: list[bytes] = []

    def add(self, part: bytes, put: Put) -> None:
        self._parts.append(part)
        if len(self._parts) == WIDTH:
            put(tile_path(self._level, self._position), b"".join(self._parts))
            self._parts.clear()
            self._position += 1

    def end(self, put: Put) -> None:
        """Write what is left as a partial tile; an empty one does not exist."""
        if self._parts:
            put(tile_path(self._level, self._position, len(self._parts)), b"".join(self._parts))
