"""Who stands behind a decision: an SSH signature of its digest, or a claim that names the system's user.

The member `signature`, or `claimed`, stands in the entry's own `data`. What is signed is the digest of the
other members (`sha256:` and hex, as ASCII, namespace `trueup-decision`), so that no signature can be moved
from one decision to another. The armoured signature holds the public key. With the digest in `decision.txt`:

    ssh-keygen -Y verify -f allowed_signers -I WHO -n trueup-decision -s signature < decision.txt
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.kernel.canonical import canonical, digest_bytes
from trueup.kernel.errors import NotPermittedError, UsageError
from trueup.ledger import sshsig

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trueup.kernel.canonical import Json

_MEMBERS = frozenset({"signature", "claimed"})
_HINT = (
    "Give an OpenSSH private key without a passphrase; a fresh one is made by:\n"
    "    ssh-keygen -t ed25519 -N '' -f trueup_signing_key"
)


def sign_decision(statement: bytes, private: bytes, public: str) -> str:
    """Sign a decision and return the armoured signature; `statement` is the canonical form of its other members.

    `private` is the content of an OpenSSH key file, `public` the line under `people.WHO.key`. Raises UsageError
    when either cannot be used, NotPermittedError when they do not belong together.
    """
    try:
        signature, line = sshsig.sign(_digest(statement), private)
        same = sshsig.public_line(line) == sshsig.public_line(public)
    except (ValueError, TypeError) as error:
        raise UsageError("bad-signing-key", f"The decision cannot be signed: {error}.", _HINT) from None
    if not same:
        raise NotPermittedError(
            "not-your-key",
            "The private key is not the one that `people` in programme.yaml names.",
            "Sign with the key that belongs to the person, or let them change the line under `people`.",
        )
    return signature


def problem_of(data: Mapping[str, Json]) -> str | None:
    """Return what is wrong with the signature of a decision; None when it is good, or when there is none."""
    signature = data.get("signature")
    if signature is None:
        return None
    if not isinstance(signature, str):
        return "the signature is not text"
    rest = {name: value for name, value in data.items() if name not in _MEMBERS}
    try:
        good = sshsig.verify(_digest(canonical(rest)), signature, sshsig.parse(signature).public_line)
    except (ValueError, RecursionError) as error:
        return str(error)
    return None if good else "the signature does not belong to this decision"


def _digest(statement: bytes) -> bytes:
    return digest_bytes(statement).encode("ascii")
