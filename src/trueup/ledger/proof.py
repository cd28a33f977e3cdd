"""Receipts that anybody can check offline: for one entry, and that a log continues an earlier one.

That of an entry is the `.tlog-proof` of c2sp.org/tlog-proof. Who checks it brings the entry's bytes (`trueup ledger
entry`); the receipt of an action has them in its `extra` line, so that one file is enough.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from trueup.ledger.note import Checkpoint, Note, Verifier
from trueup.ledger.tree import EMPTY_ROOT, HASH_SIZE, leaf_hash, verify_consistency, verify_inclusion

HEADER = "c2sp.org/tlog-proof@v1"
_OLD = re.compile(r"old (0|[1-9][0-9]{0,18})", re.ASCII)
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)
_DEEPEST = 63


@dataclass(frozen=True, slots=True)
class Proof:
    """An entry's index, its sibling hashes from the leaf upwards, and the signed checkpoint over them.

    `extra` are bytes that travel with it; nothing vouches for them, unless they are what is proved.
    """

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str
    extra: bytes = b""

    @property
    def size(self) -> int:
        """How many entries the checkpoint covers. Raises ValueError when it is not one."""
        return Checkpoint.parse(Note.parse(self.checkpoint).text).size

    @property
    def text(self) -> str:
        """The file's content."""
        extra = [f"extra {base64.b64encode(self.extra).decode()}"] if self.extra else []
        lines = [HEADER, *extra, f"index {self.index}", *(base64.b64encode(item).decode() for item in self.hashes), ""]
        return "\n".join(lines) + "\n" + self.checkpoint

    @classmethod
    def parse(cls, text: str) -> Proof:
        """Read a proof. Raises ValueError."""
        head, gap, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not gap or lines[0] != HEADER:
            msg = f"a proof begins with {HEADER}"
            raise ValueError(msg)
        has_extra = len(lines) > 1 and lines[1].startswith("extra ")
        extra = _decoded(lines[1].removeprefix("extra ")) if has_extra else b""
        rest = lines[2:] if has_extra else lines[1:]
        index = _INDEX.fullmatch(rest[0]) if rest else None
        if index is None or len(rest) - 1 > _DEEPEST:
            msg = "a proof names its index and holds at most 63 hashes"
            raise ValueError(msg)
        return cls(int(index[1]), tuple(_hash(line) for line in rest[1:]), checkpoint, extra)

    def proves(self, leaf: bytes, verifier: Verifier, origin: str) -> bool:
        """Tell whether the signed log holds these bytes at this index.

        Raises ValueError when the checkpoint inside is not one.
        """
        # 1. The leaf hash is computed from the bytes that the caller brings.
        hashed = leaf_hash(leaf)
        # 2. The checkpoint is this log's, signed with its key.
        note = Note.parse(self.checkpoint)
        checkpoint = Checkpoint.parse(note.text)
        if checkpoint.origin != origin or not note.signed_by(verifier):
            return False
        # 3. Cosignatures: the ledger has no witnesses that sign; git is the witness.
        # 4. The path leads from the leaf to the signed root.
        return verify_inclusion(self.index, checkpoint.size, hashed, self.hashes, checkpoint.root)


@dataclass(frozen=True, slots=True)
class Consistency:
    """That a log of `old` entries is the beginning of the one that the signed checkpoint describes.

    The text is what a witness takes (c2sp.org/tlog-witness, add-checkpoint): the old size, the hashes of RFC 6962,
    2.1.2, an empty line, the checkpoint.
    """

    old: int
    hashes: tuple[bytes, ...]
    checkpoint: str

    @property
    def size(self) -> int:
        """How many entries the checkpoint covers. Raises ValueError when it is not one."""
        return Checkpoint.parse(Note.parse(self.checkpoint).text).size

    @property
    def text(self) -> str:
        """The file's content."""
        lines = [f"old {self.old}", *(base64.b64encode(item).decode() for item in self.hashes), ""]
        return "\n".join(lines) + "\n" + self.checkpoint

    @classmethod
    def parse(cls, text: str) -> Consistency:
        """Read a proof. Raises ValueError."""
        head, gap, checkpoint = text.partition("\n\n")
        first, *rest = head.split("\n")
        old = _OLD.fullmatch(first)
        if not gap or old is None or len(rest) > _DEEPEST:
            msg = "a proof of consistency names the old size and holds at most 63 hashes"
            raise ValueError(msg)
        return cls(int(old[1]), tuple(_hash(line) for line in rest), checkpoint)

    def proves(self, old_root: bytes, verifier: Verifier, origin: str) -> bool:
        """Tell whether the signed log continues the one of `old` entries with this root.

        Raises ValueError when the checkpoint inside is not one.
        """
        note = Note.parse(self.checkpoint)
        checkpoint = Checkpoint.parse(note.text)
        if checkpoint.origin != origin or not note.signed_by(verifier):
            return False
        if self.old == 0:
            return not self.hashes and old_root == EMPTY_ROOT
        return verify_consistency(self.old, checkpoint.size, old_root, checkpoint.root, self.hashes)


def _hash(line: str) -> bytes:
    data = _decoded(line)
    if len(data) != HASH_SIZE:
        msg = "a proof's hashes are 32 bytes each, in base64"
        raise ValueError(msg)
    return data


def _decoded(line: str) -> bytes:
    """Read base64 in its one canonical form."""
    try:
        data = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if not data or base64.b64encode(data).decode() != line:
        msg = "a proof holds base64 in its canonical form"
        raise ValueError(msg)
    return data
