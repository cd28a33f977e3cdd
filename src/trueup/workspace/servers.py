"""Tool servers as they are declared, with what the environment alone may say: their secrets."""

from __future__ import annotations

import os
import re
import secrets
from typing import TYPE_CHECKING

from trueup.kernel.errors import UsageError

if TYPE_CHECKING:
    from collections.abc import Mapping

_REFERENCE = re.compile(r"(?P<before>(?:.*\s)?)env:(?P<name>[A-Za-z_][A-Za-z0-9_]*)")


def from_environment(values: Mapping[str, str]) -> tuple[dict[str, str], tuple[str, ...]]:
    """Return values with every `env:NAME` (alone, or behind a word: `Bearer env:NAME`) replaced, and the secrets.

    Raises UsageError for a variable that is not set.
    """
    found: dict[str, str] = {}
    hidden: list[str] = []
    for key, text in values.items():
        match = _REFERENCE.fullmatch(text)
        if match is None:
            found[key] = text
            continue
        secret = secret_of(match["name"])
        found[key] = match["before"] + secret
        hidden.append(secret)
    return found, tuple(hidden)


def secret_of(name: str) -> str:
    """Return a variable of the environment. Raises UsageError when it is not set."""
    value = os.environ.get(name)
    if not value:
        raise UsageError(
            "not-in-the-environment",
            f"The environment variable {name!r} is not set, and a tool server needs it.",
            f"Set it where the gateway is started:\n    export {name}=...",
        )
    return value


def new_token() -> str:
    """Return a name that nobody guesses."""
    return secrets.token_urlsafe(24)
