"""A second verifier, from the specifications alone: RFC 6962; c2sp.org/signed-note, tlog-checkpoint, tlog-proof.

It shares no code with the program and takes other roads: roots by the recursive definition, proofs by
recursion from the root downwards. If both accept, neither misread the same line.
"""

from __future__ import annotations

import base64
import hashlib

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey


class Rejected(Exception):  # noqa: N818 -- a verdict, not a fault
    """What was offered does not verify."""


def tree_hash(leaves: list[bytes]) -> bytes:
    """MTH of RFC 6962, 2.1, as it is defined."""
    if not leaves:
        return hashlib.sha256(b"").digest()
    if len(leaves) == 1:
        return hashlib.sha256(bytes([0]) + leaves[0]).digest()
    middle = largest_power_below(len(leaves))
    return inner(tree_hash(leaves[:middle]), tree_hash(leaves[middle:]))


def inner(left: bytes, right: bytes) -> bytes:
    return hashlib.sha256(bytes([1]) + left + right).digest()


def largest_power_below(n: int) -> int:
    power = 1
    while power * 2 < n:
        power *= 2
    return power


def root_from_path(index: int, size: int, leaf: bytes, path: list[bytes]) -> bytes:
    """The root that PATH(index, D[size]) leads to (RFC 6962, 2.1.1), consuming the path from its end."""
    if size == 1:
        if path or index != 0:
            raise Rejected("the path has hashes left over")
        return hashlib.sha256(bytes([0]) + leaf).digest()
    if not path:
        raise Rejected("the path is too short")
    middle = largest_power_below(size)
    if index < middle:
        return inner(root_from_path(index, middle, leaf, path[:-1]), path[-1])
    return inner(path[-1], root_from_path(index - middle, size - middle, leaf, path[:-1]))


def roots_from_consistency(old: int, new: int, old_root: bytes, proof: list[bytes]) -> tuple[bytes, bytes]:
    """The old and the new root that PROOF(old, D[new]) leads to (RFC 6962, 2.1.2)."""
    return _subproof(old, new, proof, old_root, complete=True)


def _subproof(old: int, new: int, proof: list[bytes], old_root: bytes, *, complete: bool) -> tuple[bytes, bytes]:
    if old == new:
        if complete:
            if proof:
                raise Rejected("the proof has hashes left over")
            return old_root, old_root
        if len(proof) != 1:
            raise Rejected("the proof has the wrong length")
        return proof[0], proof[0]
    if not proof:
        raise Rejected("the proof is too short")
    middle = largest_power_below(new)
    if old <= middle:
        before, after = _subproof(old, middle, proof[:-1], old_root, complete=complete)
        return before, inner(after, proof[-1])
    before, after = _subproof(old - middle, new - middle, proof[:-1], old_root, complete=False)
    return inner(proof[-1], before), inner(proof[-1], after)


def open_checkpoint(note: str, vkey: str, origin: str) -> tuple[int, bytes]:
    """Size and root of a checkpoint that the key signed."""
    if "\n\n" not in note:
        raise Rejected("no signatures")
    at = note.rindex("\n\n")
    text, lines = note[: at + 1], note[at + 2 :].split("\n")
    if lines.pop() != "":
        raise Rejected("the last line is not ended")
    name, key_id, key = _key(vkey)
    signed = 0
    for line in lines:
        dash, who, encoded = line.split(" ")
        raw = decode(encoded)
        if dash != "\u2014":
            raise Rejected("not a signature line")
        if who == name and raw[:4] == key_id:
            _check(key, raw[4:], text.encode())
            signed += 1
    if not signed:
        raise Rejected("not signed by this key")
    first, size, root, *_ = text.split("\n")
    if first != origin or str(int(size)) != size:
        raise Rejected("another log, or a size that is not one")
    return int(size), decode(root)


def check_proof(proof: str, leaf: bytes, vkey: str, origin: str) -> int:
    """The index at which the signed log holds these bytes."""
    head, _, checkpoint = proof.partition("\n\n")
    lines = head.split("\n")
    if lines.pop(0) != "c2sp.org/tlog-proof@v1":
        raise Rejected("not a proof")
    if lines and lines[0].startswith("extra "):
        lines.pop(0)
    word, number = lines.pop(0).split(" ")
    if word != "index" or str(int(number)) != number:
        raise Rejected("no index")
    size, root = open_checkpoint(checkpoint, vkey, origin)
    if not 0 <= int(number) < size:
        raise Rejected("the index is beyond the checkpoint")
    path = [decode(line) for line in lines]
    if root_from_path(int(number), size, leaf, path) != root:
        raise Rejected("the path does not lead to the root")
    return int(number)


def check_continuity(proof: str, old_root: bytes, vkey: str, origin: str) -> tuple[int, int]:
    """The old and the new size between which the log is shown to continue (the body of tlog-witness)."""
    head, _, checkpoint = proof.partition("\n\n")
    first, *lines = head.split("\n")
    word, number = first.split(" ")
    if word != "old" or str(int(number)) != number or len(lines) > 63:
        raise Rejected("no old size")
    old = int(number)
    size, root = open_checkpoint(checkpoint, vkey, origin)
    path = [decode(line) for line in lines]
    if any(len(item) != 32 for item in path) or not 0 <= old <= size:
        raise Rejected("not a proof between these sizes")
    if old == 0:
        if path or old_root != tree_hash([]):
            raise Rejected("an empty log needs no proof")
        return 0, size
    if roots_from_consistency(old, size, old_root, path) != (old_root, root):
        raise Rejected("the hashes do not lead to both roots")
    return old, size


def tiles_of(size: int) -> set[str]:
    """The paths of all tiles and bundles of a tree (tlog-tiles)."""
    paths = set()
    for name, level in [("entries", 0), *((str(level), level) for level in range(8))]:
        count = size // 256**level
        paths |= {f"tile/{name}/{elements(n)}" for n in range(count // 256)}
        if count % 256:
            paths.add(f"tile/{name}/{elements(count // 256)}.p/{count % 256}")
    return paths


def elements(n: int) -> str:
    digits = str(n)
    digits = digits.zfill((len(digits) + 2) // 3 * 3)
    groups = [digits[at : at + 3] for at in range(0, len(digits), 3)]
    return "/".join([f"x{group}" for group in groups[:-1]] + groups[-1:])


def tile(files: dict[str, bytes], name: str, level: int, n: int, size: int) -> bytes:
    full, count = f"tile/{name}/{elements(n)}", size // 256**level
    return files[full if (n + 1) * 256 <= count else f"{full}.p/{count % 256}"]


def root_of_tiles(files: dict[str, bytes], size: int) -> bytes:
    """The root of the tree, from hash tiles alone; every upper hash has to be that of the full tile below it."""
    whole: list[bytes] = []
    rests: list[list[bytes]] = []
    for level in range(8):
        count = size // 256**level
        if not count:
            break
        hashes = []
        for n in range((count + 255) // 256):
            data = tile(files, str(level), level, n, size)
            hashes += [data[at : at + 32] for at in range(0, len(data), 32)]
        if len(hashes) != count or (level and hashes != whole):
            raise Rejected("a tile does not follow from the one below it")
        whole = [subtree(hashes[at : at + 256]) for at in range(0, count // 256 * 256, 256)]
        rests.append(hashes[count // 256 * 256 :])
    root = None
    for rest in rests:
        if rest:
            root = join(rest, root)
    return root if root is not None else hashlib.sha256(b"").digest()


def join(rest: list[bytes], right: bytes | None) -> bytes:
    """Hash the complete subtrees that `rest` makes, from the right, with what stands to the right of them."""
    while rest:
        take = 1
        while len(rest) % (take * 2) == 0 and take * 2 <= len(rest):
            take *= 2
        part, rest = subtree(rest[-take:]), rest[:-take]
        right = part if right is None else inner(part, right)
    assert right is not None
    return right


def subtree(hashes: list[bytes]) -> bytes:
    while len(hashes) > 1:
        hashes = [inner(hashes[at], hashes[at + 1]) for at in range(0, len(hashes), 2)]
    return hashes[0]


def entries_of_tiles(files: dict[str, bytes], size: int) -> list[bytes]:
    """The entries of the bundles, each of which hashes to its place in the level-0 tile."""
    found = []
    for n in range((size + 255) // 256):
        data, hashes = tile(files, "entries", 0, n, size), tile(files, "0", 0, n, size)
        at = count = 0
        while at < len(data):
            length = int.from_bytes(data[at : at + 2], "big")
            entry = data[at + 2 : at + 2 + length]
            if len(entry) != length:
                raise Rejected("a bundle ends within an entry")
            if hashlib.sha256(b"\x00" + entry).digest() != hashes[count * 32 : count * 32 + 32]:
                raise Rejected("an entry does not hash to its place")
            found.append(entry)
            at, count = at + 2 + length, count + 1
    return found


def decode(text: str) -> bytes:
    """Base64 of RFC 4648, section 4; unused bits must be zero (3.5)."""
    data = base64.b64decode(text, validate=True)
    if base64.b64encode(data).decode() != text:
        raise Rejected("base64 that is not canonical")
    return data


def _key(vkey: str) -> tuple[str, bytes, bytes]:
    name, key_id, material = vkey.split("+", 2)
    key = decode(material)
    expected = hashlib.sha256(name.encode() + b"\n" + key).digest()[:4]
    if key[0] != 1 or expected.hex() != key_id:
        raise Rejected("not an Ed25519 verifier key")
    return name, expected, key[1:]


def _check(key: bytes, signature: bytes, message: bytes) -> None:
    try:
        Ed25519PublicKey.from_public_bytes(key).verify(signature, message)
    except InvalidSignature:
        raise Rejected("the signature is bad") from None
