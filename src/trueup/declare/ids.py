"""What may be an id: it names files, addresses and places in messages."""

from __future__ import annotations

import re

_ID = re.compile(r"[a-z0-9][a-z0-9-]*", re.ASCII)


def is_id(text: str) -> bool:
    """Tell whether a text can be an id: small letters, digits and dashes, because it names files and addresses."""
    return _ID.fullmatch(text) is not None
