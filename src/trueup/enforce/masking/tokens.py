"""Tokens in the place of personal data: the same value has the same token, and only the vault knows which.

A token says of which kind the value is, so that a model can go on working with it, and nothing else: it is an HMAC
of the value under a key of the vault's own. Tokens come back into values where an action is about to run, before
its canonical form is made, so that what is decided on is what is executed.
"""

from __future__ import annotations

import hashlib
import hmac
import re
from typing import TYPE_CHECKING

from trueup.enforce.masking.finder import MaskingError

if TYPE_CHECKING:
    from collections.abc import Mapping

_TOKEN = re.compile(r"\[\[([a-z_]{2,20}):([0-9a-f]{16})\]\]", re.ASCII)


class Vault:
    """The values behind the tokens of one conversation. Kept in memory: what is gone cannot come back, or leak."""

    def __init__(self, key: bytes) -> None:
        """`key`: at least 16 bytes that nobody can guess."""
        if len(key) < 16:
            raise MaskingError("weak-key", "The key of a vault has at least 16 bytes.", "")
        self._key = key
        self._values: dict[str, str] = {}

    def token(self, kind: str, value: str) -> str:
        """Return the token of a value, the same each time."""
        said = hmac.new(self._key, f"{kind}\x00{value}".encode("utf-8", "surrogatepass"), hashlib.sha256).hexdigest()
        token = f"[[{kind}:{said[:16]}]]"
        if self._values.setdefault(token, value) != value:
            raise MaskingError("token-clash", "Two values have one token.", "Start the conversation again.")
        return token

    def restore(self, text: str) -> str:
        """Put the values back. Raises MaskingError for a token that this vault never gave."""
        return _TOKEN.sub(self._value, text)

    def _value(self, match: re.Match[str]) -> str:
        value = self._values.get(match[0])
        if value is None:
            raise MaskingError(
                "unknown-token",
                f"The token {match[0]} was not given in this conversation.",
                "Use the tokens exactly as they were given.",
            )
        return value

    def known(self) -> Mapping[str, str]:
        """Return the values by token, for whoever may see both."""
        return dict(self._values)
