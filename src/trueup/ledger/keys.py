"""The one secret of a ledger: a key file that only its owner can read, or a value from the environment."""

from __future__ import annotations

import os
import re
import stat
import tempfile
from contextlib import suppress
from pathlib import Path

from trueup.kernel.errors import LedgerBrokenError, StorageError, UsageError
from trueup.kernel.files import sync_folder
from trueup.ledger.note import Signer, Verifier, checked_name

_OTHERS = 0o077
_NOT_IN_A_NAME = re.compile(r"[^a-z0-9.-]+")


def default_origin(folder: str) -> str:
    """Return a log name made from a folder's name: `acme.trueup.local/ledger`."""
    label = _NOT_IN_A_NAME.sub("-", folder.lower()).strip("-.") or "programme"
    return f"{label}.trueup.local/ledger"


def read_key(path: Path) -> Signer | None:
    """Return the key in a file, None when there is no file.

    Raises StorageError when others may read it, LedgerBrokenError when it is not a key.
    """
    try:
        mode = path.stat().st_mode
        text = path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise StorageError("key-unreadable", f"The signing key {path.name} cannot be read: {error}.", "") from None
    if os.name == "posix" and stat.S_IMODE(mode) & _OTHERS:
        raise StorageError(
            "key-exposed",
            f"Others may read the signing key {path.name}; it is not used.",
            f"Take their access away; if somebody may have copied it, replace it.\n  chmod 600 {path}",
        )
    return parse_key(text, path.name)


def parse_key(text: str, source: str) -> Signer:
    """Read a key from text, as an `env:` reference holds it. Raises LedgerBrokenError, never quoting the text."""
    try:
        return Signer.parse(text.strip())
    except ValueError as error:
        raise LedgerBrokenError(
            "key-unreadable",
            f"The signing key in {source} cannot be used: {error}.",
            "Bring the file back from your backup. Without it the log can be verified, but not continued.",
        ) from None


def store_key(path: Path, signer: Signer) -> Signer:
    """Store a key, for its owner alone, unless one is there already; return the one that is there.

    Whatever instant two processes or a crash choose, the file is absent or whole. Raises StorageError.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        descriptor, name = tempfile.mkstemp(prefix=".key.", dir=path.parent)
        draft = Path(name)
        try:
            with os.fdopen(descriptor, "w", encoding="utf-8") as stream:
                stream.write(signer.text + "\n")
                stream.flush()
                os.fsync(stream.fileno())
            # A hard link fails when the name is taken, as O_EXCL does, and never shows half a file.
            with suppress(FileExistsError):
                os.link(draft, path)
        finally:
            draft.unlink(missing_ok=True)
        sync_folder(path.parent)
    except OSError as error:
        raise StorageError(
            "cannot-write",
            f"The signing key {path.name} could not be written: {error.strerror or error}.",
            "Nothing was changed. Make room, or make the folder writable, and run the command again.",
        ) from error
    return read_key(path) or signer


def new_signer(origin: str) -> Signer:
    """Make a fresh key for a log. Raises UsageError when the origin cannot name one."""
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

    try:
        checked_name(origin)
    except ValueError as error:
        raise UsageError(
            "bad-origin",
            f"The ledger's origin: {error}.",
            "Write it as `ledger: {origin: example.org/trueup}` in programme.yaml.",
        ) from None
    return Signer(origin, Ed25519PrivateKey.generate().private_bytes_raw())


def check_pin(signer: Signer, vkey: str) -> None:
    """Raise LedgerBrokenError unless the key is the one that the programme pins."""
    try:
        pinned = Verifier.parse(vkey)
    except ValueError as error:
        raise LedgerBrokenError(
            "pin-unreadable",
            f"ledger.vkey in programme.yaml: {error}.",
            "Bring the line back from git.",
        ) from None
    if pinned != signer.verifier:
        raise LedgerBrokenError(
            "key-mismatch",
            f"The signing key is {signer.verifier.text}, but programme.yaml pins {vkey}.",
            "Bring back the key that belongs to this programme, or the pinned line, from backup or git.",
        )
