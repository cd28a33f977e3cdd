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
