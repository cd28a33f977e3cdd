"""Patterns are exact names with `*` as the only wildcard; they are settled against the names that occur.

Comparing names here and not in the database keeps one meaning on every engine: no dialect of LIKE, no
escape character, no collation.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

WILDCARD = "*"


def matches(pattern: str, name: str) -> bool:
    """Tell whether a name is the pattern, `*` standing for any text (also none). Case counts."""
    if WILDCARD not in pattern:
        return pattern == name
    return _compiled(pattern).fullmatch(name) is not None


def matching(patterns: Iterable[str], names: Iterable[str]) -> frozenset[str]:
    """Return the names that match at least one of the patterns."""
    known = list(names)
    chosen: set[str] = set()
    for pattern in patterns:
        if WILDCARD in pattern:
            compiled = _compiled(pattern)
            chosen.update(name for name in known if compiled.fullmatch(name))
        else:
            chosen.update(name for name in known if name == pattern)
    return frozenset(chosen)


def _compiled(pattern: str) -> re.Pattern[str]:
    # Neighbouring wildcards are one: `a**b` would otherwise backtrack for nothing.
    parts = [re.escape(part) for part in re.split(r"\*+", pattern)]
    return re.compile(".*".join(parts), re.DOTALL)
