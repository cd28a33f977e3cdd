"""The tokens of who may call over HTTP: they stand in the environment, and what is kept of them is a digest."""

from __future__ import annotations

import hashlib
import os
import re
from collections import Counter
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Mapping

    from trueup.declare.model.people import Caller

SHORTEST_TOKEN = 32
_DIGEST = re.compile(r"sha256:([0-9a-f]{64})")
_TOKEN = re.compile(r"[!-~]+")


def token_digests(callers: Mapping[str, Caller]) -> tuple[dict[str, bytes], dict[str, str]]:
    """Return the SHA-256 of each caller's token, and why others have none: such a caller cannot come in.

    A setting holds the token, or its digest as `sha256:HEX`. A token that two callers have is nobody's.
    """
    digests: dict[str, bytes] = {}
    unusable: dict[str, str] = {}
    for name, caller in callers.items():
        setting = caller.token.removeprefix("env:")
        found = _digest(os.environ.get(setting, ""))
        if isinstance(found, bytes):
            digests[name] = found
        else:
            unusable[name] = f"the setting {setting} {found}"
    often = Counter(digests.values())
    for name in [name for name, digest in digests.items() if often[digest] > 1]:
        del digests[name]
        unusable[name] = "another caller has the same token"
    return digests, unusable


def _digest(value: str) -> bytes | str:
    """Return the digest that a setting stands for, or what is wrong with it."""
    if not value:
        return "is not there"
    hashed = _DIGEST.fullmatch(value)
    if hashed:
        return bytes.fromhex(hashed[1])
    if value.startswith("sha256:"):
        return "is no SHA-256 in hexadecimal"
    if len(value) < SHORTEST_TOKEN or not _TOKEN.fullmatch(value):
        return f"is no token: that has at least {SHORTEST_TOKEN} printable characters and no blanks"
    return hashlib.sha256(value.encode()).digest()
