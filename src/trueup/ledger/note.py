"""A text that carries its own signatures: C2SP signed notes, verifier keys, and checkpoints made of them.

Sources: c2sp.org/signed-note and c2sp.org/tlog-checkpoint. Ed25519 only. Parsing is strict: what another
reader could take differently is refused.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from hashlib import sha256
from typing import TYPE_CHECKING

from trueup.ledger.tree import HASH_SIZE

if TYPE_CHECKING:
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

_ED25519 = b"\x01"
_ID_SIZE = 4
_SIGNATURE_SIZE = 64
_DASH = "\u2014"
_PRIVATE = "PRIVATE+KEY+"
_DECIMAL = re.compile(r"0|[1-9][0-9]{0,18}", re.ASCII)
_MOST_SIGNATURES = 64
_LARGEST_NOTE = 1 << 20


@dataclass(frozen=True, slots=True)
class Verifier:
    """A public key under a name. `text` is the form in which it is published: `name+hexid+base64`."""

    name: str
    public: bytes

    @property
    def key_id(self) -> bytes:
        """The four bytes that signature lines carry: SHA-256(name, newline, type, key)[:4]."""
        return sha256(self.name.encode() + b"\n" + _ED25519 + self.public).digest()[:_ID_SIZE]

    @property
    def text(self) -> str:
        """The verifier key (vkey)."""
        return f"{self.name}+{self.key_id.hex()}+{_encode(_ED25519 + self.public)}"

    @classmethod
    def parse(cls, text: str) -> Verifier:
        """Read a vkey. Raises ValueError when it is not one, or when its id does not belong to its key."""
        parts = text.split("+", 2)
        if len(parts) != 3:
            msg = "a verifier key reads name+id+key"
            raise ValueError(msg)
        name, key_id, key = parts
        material = _decode(key, "the key")
        if material[:1] != _ED25519 or len(material) != 1 + HASH_SIZE:
            msg = "only Ed25519 verifier keys (type 1, 32 bytes) are read"
            raise ValueError(msg)
        verifier = cls(checked_name(name), material[1:])
        if verifier.key_id.hex() != key_id:
            msg = f"the id {key_id!r} does not belong to the key; it was altered or cut"
            raise ValueError(msg)
        return verifier

    def accepts(self, message: bytes, signature: bytes) -> bool:
        """Tell whether the 64 bytes are this key's signature of the message."""
        from cryptography.exceptions import InvalidSignature
        from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

        try:
            Ed25519PublicKey.from_public_bytes(self.public).verify(signature, message)
        except (InvalidSignature, ValueError):
            return False
        return True


class Signer:
    """A private key under a name. `text` is the form in which it is kept: `PRIVATE+KEY+name+hexid+base64`."""

    def __init__(self, name: str, seed: bytes) -> None:
        if len(seed) != HASH_SIZE:
            msg = "an Ed25519 seed has 32 bytes"
            raise ValueError(msg)
        self._seed = seed
        self._key: Ed25519PrivateKey | None = None
        self._verifier: Verifier | None = None
        self.name = checked_name(name)

    def __repr__(self) -> str:
        return f"Signer({self.name!r})"

    @property
    def verifier(self) -> Verifier:
        """The public half, made once."""
        if self._verifier is None:
            self._verifier = Verifier(self.name, self._private().public_key().public_bytes_raw())
        return self._verifier

    @property
    def text(self) -> str:
        """The secret in its stored form."""
        return f"{_PRIVATE}{self.name}+{self.verifier.key_id.hex()}+{_encode(_ED25519 + self._seed)}"

    @classmethod
    def parse(cls, text: str) -> Signer:
        """Read the stored form. Raises ValueError, never quoting the secret."""
        prefix, _, rest = text.partition(_PRIVATE)
        parts = rest.split("+", 2)
        if prefix or len(parts) != 3:
            msg = "a signing key reads PRIVATE+KEY+name+id+key"
            raise ValueError(msg)
        name, key_id, key = parts
        material = _decode(key, "the key")
        if material[:1] != _ED25519:
            msg = "only Ed25519 signing keys (type 1) are read"
            raise ValueError(msg)
        signer = cls(name, material[1:])
        if signer.verifier.key_id.hex() != key_id:
            msg = "the signing key's id does not belong to the key; it was altered or cut"
            raise ValueError(msg)
        return signer

    def renamed(self, name: str) -> Signer:
        """Return the same key under another name."""
        return Signer(name, self._seed)

    def sign(self, text: str) -> str:
        """Return the text as a signed note. Raises ValueError when the text cannot be one."""
        _check_text(text)
        body = self.verifier.key_id + self._private().sign(text.encode())
        return f"{text}\n{_DASH} {self.name} {_encode(body)}\n"

    def _private(self) -> Ed25519PrivateKey:
        if self._key is None:
            from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

            self._key = Ed25519PrivateKey.from_private_bytes(self._seed)
        return self._key


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who is said to have signed, with which key, and the bytes."""

    name: str
    key_id: bytes
    body: bytes


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note. Nothing in `text` may be believed before `signed_by` has said yes."""

    text: str
    signatures: tuple[Signature, ...]

    @classmethod
    def parse(cls, raw: str) -> Note:
        """Take a signed note apart. Raises ValueError for anything that is not exactly one."""
        if len(raw) > _LARGEST_NOTE:
            msg = "the note is larger than 1 MiB"
            raise ValueError(msg)
        text, gap, lines = raw.rpartition("\n\n")
        if not gap or not lines.endswith("\n"):
            msg = "a signed note is a text, an empty line and signature lines"
            raise ValueError(msg)
        text += "\n"
        _check_text(text)
        signatures = tuple(_signature(line) for line in lines[:-1].split("\n"))
        if len(signatures) > _MOST_SIGNATURES:
            msg = f"the note carries more than {_MOST_SIGNATURES} signatures"
            raise ValueError(msg)
        return cls(text, signatures)

    def signed_by(self, verifier: Verifier) -> bool:
        """Tell whether the key signed this note: at least one line of it, and every line of it is good."""
        mine = [line for line in self.signatures if (line.name, line.key_id) == (verifier.name, verifier.key_id)]
        message = self.text.encode()
        return bool(mine) and all(verifier.accepts(message, line.body) for line in mine)


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """What a log says of itself: its origin, how many entries it has, and the root over them (32 bytes)."""

    origin: str
    size: int
    root: bytes

    @property
    def text(self) -> str:
        """The note text, without signatures."""
        return f"{self.origin}\n{self.size}\n{_encode(self.root)}\n"

    @classmethod
    def parse(cls, text: str) -> Checkpoint:
        """Read a note text as a checkpoint. Raises ValueError; extension lines are refused, we write none."""
        lines = text.split("\n")
        if len(lines) != 4 or lines[3] or not lines[0]:
            msg = "a checkpoint has three lines: origin, size, root"
            raise ValueError(msg)
        if not _DECIMAL.fullmatch(lines[1]):
            msg = "the size of a checkpoint is a decimal number without leading zeroes"
            raise ValueError(msg)
        root = _decode(lines[2], "the root")
        if len(root) != HASH_SIZE:
            msg = "the root of a checkpoint has 32 bytes"
            raise ValueError(msg)
        return cls(lines[0], int(lines[1]), root)


def checked_name(name: str) -> str:
    """Return a key name. Raises ValueError when it is empty or holds spaces, control characters or plus."""
    if not name or "+" in name or any(char.isspace() or not char.isprintable() for char in name):
        msg = f"{name!r} cannot name a key: no spaces, no control characters, no plus sign, not empty"
        raise ValueError(msg)
    return name


def _signature(line: str) -> Signature:
    parts = line.split(" ")
    if len(parts) != 3 or parts[0] != _DASH:
        msg = "a signature line reads: dash, name, signature"
        raise ValueError(msg)
    body = _decode(parts[2], "a signature")
    if len(body) <= _ID_SIZE:
        msg = "a signature is too short"
        raise ValueError(msg)
    return Signature(checked_name(parts[1]), body[:_ID_SIZE], body[_ID_SIZE:])


def _check_text(text: str) -> None:
    if not text.endswith("\n") or text == "\n":
        msg = "the text of a note is not empty and ends in a newline"
        raise ValueError(msg)
    if any(char < " " and char != "\n" for char in text):
        msg = "the text of a note holds no control characters"
        raise ValueError(msg)


def _encode(data: bytes) -> str:
    return base64.b64encode(data).decode()


def _decode(text: str, what: str) -> bytes:
    """Read standard base64 in its one canonical form."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError):
        msg = f"{what} is not base64"
        raise ValueError(msg) from None
    if _encode(data) != text:
        msg = f"{what} is not canonical base64"
        raise ValueError(msg)
    return data
