"""A name under a decision: an SSH signature where a key is at hand, else a claim."""

from __future__ import annotations

import getpass
import os
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.kernel.canonical import Json
from trueup.kernel.errors import StorageError

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from trueup.declare.programme import Programme
    from trueup.loop.workbench import Workbench

SIGNING_KEY_SETTING = "TRUEUP_SIGNING_KEY"


def signer_for(bench: Workbench, who: str) -> Callable[[bytes], Mapping[str, Json]]:
    """Return what puts a name under a decision of an opened programme; see `signer_of`."""
    return signer_of(bench.programme, who)


def signer_of(programme: Programme, who: str) -> Callable[[bytes], Mapping[str, Json]]:
    """Return what puts a name under a decision: an SSH signature where a private key is at hand, else a claim.

    The private key is the file that TRUEUP_SIGNING_KEY names; it has to belong to `people.WHO.key`.
    Raises NotPermittedError when the programme takes signed decisions only.
    """
    from trueup.ledger.decision import sign_decision
    from trueup.loop.apply import require_signature

    person = programme.file.people.get(who)
    public = person.key if person else None
    setting = os.environ.get(SIGNING_KEY_SETTING)
    can_sign = public is not None and bool(setting)
    require_signature(required=programme.file.require_signatures, signed=can_sign, by=who)
    if public is None or not setting:
        user = getpass.getuser()
        return lambda _: {"claimed": user}
    private = _signing_key(Path(setting))
    return lambda message: {"signature": sign_decision(message, private, public)}


def _signing_key(path: Path) -> bytes:
    try:
        return path.read_bytes()
    except OSError as error:
        raise StorageError(
            "signing-key-unreadable",
            f"The signing key {str(path)!r} cannot be read: {error.strerror}.",
            f"Set {SIGNING_KEY_SETTING} to the file of your SSH private key, or unset it to leave a claim.",
        ) from None
