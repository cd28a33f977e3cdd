"""How what is no tool is declared: under the name of a tool, with what it is before it.

`resource:URI`, `prompt:NAME` and `complete:NAME-OR-TEMPLATE`, after `SERVER.` where the server has a name. Of resources
`*` stands for any run of characters; nothing else is a pattern.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterable

RESOURCE = "resource:"
PROMPT = "prompt:"
COMPLETION = "complete:"

_VARIABLE = re.compile(r"\{[^{}]*\}")
# A server may read these as another place than the pattern means: a step upwards, also when it is written in percent.
_CLIMBS = re.compile(r"(^|[/:])\.{1,2}(?=[/?#]|$)|%2e|%2f|%5c|%00|%25|\\", re.IGNORECASE)


def declared_for(tools: Iterable[str], name: str) -> str | None:
    """Return the declared tool that covers a name: the name itself, else the longest pattern; None without any."""
    found = set(tools)
    if name in found:
        return name
    if not is_plain(name):
        return None
    patterns = sorted((tool for tool in found if is_pattern(tool)), key=lambda tool: (-len(tool), tool))
    return next((tool for tool in patterns if _covers(tool, name)), None)


def is_reading(tool: str) -> bool:
    """Tell whether a declared tool stands for what is no tool of a server."""
    return any(kind in tool for kind in (RESOURCE, PROMPT, COMPLETION))


def is_pattern(tool: str) -> bool:
    """Tell whether a declared tool stands for many resources."""
    return "*" in tool and RESOURCE in tool


def is_plain(name: str) -> bool:
    """Tell whether a name can be read in one way only: printable ASCII, and no way up or around."""
    return name.isascii() and name.isprintable() and " " not in name and _CLIMBS.search(name) is None


def pattern_of(template: str) -> str:
    """Return the pattern that a template of URIs needs: `*` for each of its variables."""
    return _VARIABLE.sub("*", template)


def _covers(pattern: str, name: str) -> bool:
    return re.fullmatch(".*".join(map(re.escape, pattern.split("*"))), name) is not None
