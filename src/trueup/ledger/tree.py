"""One hash stands for the whole history: the Merkle tree of RFC 6962, its proofs, and how they are checked.

A node is named by its level (0 = leaf) and its position on that level; only complete nodes have names, and
they never change. Source of every formula: RFC 6962 section 2.1, and RFC 9162 sections 2.1.3 and 2.1.4 for
the two verification procedures.
"""

from __future__ import annotations

from hashlib import sha256
from typing import TYPE_CHECKING, TypeAlias

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Sequence

HASH_SIZE = 32
EMPTY_ROOT = sha256(b"").digest()

# (level, position) -> the hash of that complete node.
NodeAt: TypeAlias = "Callable[[int, int], bytes]"


def leaf_hash(leaf: bytes) -> bytes:
    """Return the hash of an entry's bytes."""
    return sha256(b"\x00" + leaf).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """Return the hash of an inner node."""
    return sha256(b"\x01" + left + right).digest()


class Frontier:
    """The complete subtrees that stand at the right edge: all that appending needs to know of the past.

    `peaks` are their hashes from the largest (left) to the smallest (right), one for each bit of `size`;
    `last` are the joined nodes that the newest leaf completed.
    """

    def __init__(self, size: int = 0, peaks: Iterable[bytes] = (), last: bytes = b"") -> None:
        self.size = size
        self.peaks = list(peaks)
        self.last = last
        if len(self.peaks) != size.bit_count():
            msg = f"a tree of {size} leaves has {size.bit_count()} peaks, not {len(self.peaks)}"
            raise ValueError(msg)

    def copy(self) -> Frontier:
        """Return another one that can go on by itself."""
        return Frontier(self.size, self.peaks, self.last)

    def append(self, hash_of_leaf: bytes) -> bytes:
        """Add a leaf; return the hashes of the nodes that it completes, joined, its own first."""
        made = current = hash_of_leaf
        remaining = self.size
        while remaining & 1:
            current = node_hash(self.peaks.pop(), current)
            made += current
            remaining >>= 1
        self.peaks.append(current)
        self.size += 1
        self.last = made
        return made

    def root(self) -> bytes:
        """Return the tree's root."""
        return root_of(self.peaks)


def root_of(peaks: Sequence[bytes]) -> bytes:
    """Return the root of the tree whose complete subtrees are `peaks`, from the largest to the smallest."""
    if not peaks:
        return EMPTY_ROOT
    root = peaks[-1]
    for peak in reversed(peaks[:-1]):
        root = node_hash(peak, root)
    return root


def peaks_of(size: int, node: NodeAt) -> list[bytes]:
    """Return the peaks of a tree of `size` leaves, from its stored nodes."""
    peaks = []
    start = 0
    for level in reversed(range(size.bit_length())):
        if size >> level & 1:
            peaks.append(node(level, start >> level))
            start += 1 << level
    return peaks


def inclusion_proof(index: int, size: int, node: NodeAt) -> list[bytes]:
    """Return the sibling hashes from the leaf up to the root (RFC 6962, 2.1.1).

    Raises ValueError unless 0 <= index < size.
    """
    if not 0 <= index < size:
        msg = f"a tree of {size} leaves has no leaf {index}"
        raise ValueError(msg)
    start, end, path = 0, size, []
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            path.append(_range_hash(middle, end, node))
            end = middle
        else:
            path.append(_range_hash(start, middle, node))
            start = middle
    return path[::-1]


def consistency_proof(old: int, new: int, node: NodeAt) -> list[bytes]:
    """Return the hashes which show that the tree of `old` leaves is a prefix of the tree of `new` (RFC 6962, 2.1.2).

    Raises ValueError unless 0 < old <= new.
    """
    if not 0 < old <= new:
        msg = f"there is no proof from size {old} to size {new}"
        raise ValueError(msg)
    start, end, whole, path = 0, new, True, []
    while end != old:
        middle = start + _split(end - start)
        if old <= middle:
            path.append(_range_hash(middle, end, node))
            end = middle
        else:
            path.append(_range_hash(start, middle, node))
            start, whole = middle, False
    if not whole:
        path.append(_range_hash(start, end, node))
    return path[::-1]


def verify_inclusion(index: int, size: int, hash_of_leaf: bytes, proof: Sequence[bytes], root: bytes) -> bool:
    """Tell whether the proof leads from the leaf to the root (RFC 9162, 2.1.3.2)."""
    if not 0 <= index < size:
        return False
    position, last, current = index, size - 1, hash_of_leaf
    for sibling in proof:
        if last == 0:
            return False
        if position & 1 or position == last:
            current = node_hash(sibling, current)
            position, last = _rise(position, last)
        else:
            current = node_hash(current, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and current == root


def verify_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> bool:
    """Tell whether the proof shows that the old tree is a prefix of the new one (RFC 9162, 2.1.4.2)."""
    if not 0 < old <= new:
        return False
    if old == new:
        return not proof and old_root == new_root
    path = [old_root, *proof] if old & (old - 1) == 0 else list(proof)
    if not path:
        return False
    position, last = _rise_ones(old - 1, new - 1)
    first = second = path[0]
    for sibling in path[1:]:
        if last == 0:
            return False
        if position & 1 or position == last:
            first, second = node_hash(sibling, first), node_hash(sibling, second)
            position, last = _rise(position, last)
        else:
            second = node_hash(second, sibling)
        position, last = position >> 1, last >> 1
    return last == 0 and first == old_root and second == new_root


def _split(count: int) -> int:
    """Return the largest power of two that is smaller than `count`."""
    return 1 << (count - 1).bit_length() - 1


def _range_hash(start: int, end: int, node: NodeAt) -> bytes:
    count = end - start
    if count & (count - 1) == 0:
        level = count.bit_length() - 1
        return node(level, start >> level)
    middle = start + _split(count)
    return node_hash(_range_hash(start, middle, node), _range_hash(middle, end, node))


def _rise(position: int, last: int) -> tuple[int, int]:
    """Skip the levels on which the right-most node has no sibling."""
    while not position & 1 and position:
        position, last = position >> 1, last >> 1
    return position, last


def _rise_ones(position: int, last: int) -> tuple[int, int]:
    while position & 1:
        position, last = position >> 1, last >> 1
    return position, last
