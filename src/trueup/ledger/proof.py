"""A receipt for one entry that anybody can check offline: the `.tlog-proof` of c2sp.org/tlog-proof.

It does not hold the entry's bytes: who checks it brings them (`trueup ledger entry`).
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass

from trueup.ledger.note import Checkpoint, Note, Verifier
from trueup.ledger.tree import HASH_SIZE, leaf_hash, verify_inclusion

HEADER = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,18})", re.ASCII)
_DEEPEST = 63


@dataclass(frozen=True, slots=True)
class Proof:
    """An entry's index, its sibling hashes from the leaf upwards, and the signed checkpoint over them."""

    index: int
    hashes: tuple[bytes, ...]
    checkpoint: str

    @property
    def size(self) -> int:
        """How many entries the checkpoint covers. Raises ValueError when it is not one."""
        return Checkpoint.parse(Note.parse(self.checkpoint).text).size

    @property
    def text(self) -> str:
        """The file's content."""
        lines = [HEADER, f"index {self.index}", *(base64.b64encode(item).decode() for item in self.hashes), ""]
        return "\n".join(lines) + "\n" + self.checkpoint

    @classmethod
    def parse(cls, text: str) -> Proof:
        """Read a proof; an `extra` line is skipped, as nothing vouches for it. Raises ValueError."""
        head, gap, checkpoint = text.partition("\n\n")
        lines = head.split("\n")
        if not gap or lines[0] != HEADER:
            msg = f"a proof begins with {HEADER}"
            raise ValueError(msg)
        rest = lines[2:] if len(lines) > 1 and lines[1].startswith("extra ") else lines[1:]
        index = _INDEX.fullmatch(rest[0]) if rest else None
        if index is None or len(rest) - 1 > _DEEPEST:
            msg = "a proof names its index and holds at most 63 hashes"
            raise ValueError(msg)
        return cls(int(index[1]), tuple(_hash(line) for line in rest[1:]), checkpoint)

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


def _hash(line: str) -> bytes:
    try:
        data = base64.b64decode(line, validate=True)
    except (binascii.Error, ValueError):
        data = b""
    if len(data) != HASH_SIZE or base64.b64encode(data).decode() != line:
        msg = "a proof's hashes are 32 bytes each, in base64"
        raise ValueError(msg)
    return data
