"""A first draft of `actions`, from what a server says of its tools: everything grave, until a person says otherwise.

A server's word alone makes nothing harmless. A tool is drafted as one that only reads where the server says so and a
person does too; all others are of high impact, and a person decides each time.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from trueup.declare.editing.emit import inline
from trueup.kernel.errors import UsageError
from trueup.kernel.text import did_you_mean, shown

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

_PLAIN = re.compile(r"[\x21-\x7e]{1,200}")
_NOT_OF_AN_ID = re.compile(r"[^a-z0-9]+")
_HEADER = """\
# Drafted from what the server says of its tools. Strike what the workflow does not need, and read what stays:
# impact (none, low, medium, high), approval (always, until-act, never), limits, and egress: [ARGUMENT] where an
# argument leaves (an address, a query, a recipient), also of a tool that only reads. "Reads" is the server's word: with
# --read NAME it is yours, too.
"""


@dataclass(frozen=True, slots=True)
class Offered:
    """A tool as a server offers it: the name to declare, and whether the server says that it only reads."""

    tool: str
    own: str
    only_reads: bool


@dataclass(frozen=True, slots=True)
class Drafted:
    """An offered tool as an action. `vouched`: a person says, too, that it only reads."""

    action: str
    offered: Offered
    vouched: bool

    def to_json(self) -> dict[str, Any]:
        """Return the published form: the action's name, what would be declared, and what the server says."""
        declared: dict[str, Any] = {"tool": self.offered.tool, "impact": "none" if self.vouched else "high"}
        if not self.vouched:
            declared["approval"] = "always"
        return {"action": self.action, "declared": declared, "said_to_read": self.offered.only_reads}


@dataclass(frozen=True, slots=True)
class Draft:
    """Actions, and the names of tools that no action can be drafted for."""

    actions: tuple[Drafted, ...]
    left_out: tuple[str, ...]

    def text(self) -> str:
        """Return the YAML: `actions` alone, to stand in a workflow's file."""
        body = [_line(one) for one in self.actions]
        left = [f"  # left out: {shown(name)}, not plain ASCII, or the name of two" for name in self.left_out]
        return _HEADER + "\n".join(["actions:" if body else "actions: {}", *body, *left]) + "\n"


def draft(offered: Sequence[Offered], reads: Iterable[str] = ()) -> Draft:
    """Return the draft. `reads` are the tools (or patterns with `*`) that a person says only read.

    Raises UsageError for one that no server offers, or that its server does not say only reads.
    """
    names = [one.tool for one in offered]
    usable = [one for one in offered if _PLAIN.fullmatch(one.tool) and names.count(one.tool) == 1]
    vouched = {tool for pattern in reads for tool in _meant(pattern, usable)}
    taken: set[str] = set()
    actions = tuple(Drafted(_action(one, taken), one, one.tool in vouched) for one in usable)
    left_out = dict.fromkeys(name for name in names if name not in {one.tool for one in usable})
    return Draft(actions, tuple(left_out))


def _meant(pattern: str, offered: Sequence[Offered]) -> list[str]:
    """Return the tools that a person says only read, as far as their server says so; a name has to be one of them."""
    found = [one for one in offered if fnmatchcase(one.tool, pattern) or fnmatchcase(one.own, pattern)]
    if not found:
        near = did_you_mean(pattern, [one.own for one in offered])
        hint = f"Offered are: {', '.join(one.tool for one in offered) or 'none'}."
        raise UsageError("no-such-tool", f"No server offers a tool {shown(pattern)}.{near}", hint)
    said = [one.tool for one in found if one.only_reads]
    if not said or ("*" not in pattern and len(said) < len(found)):
        raise UsageError(
            "not-said-to-read",
            f"Its server does not say of {shown(found[0].tool)} that it only reads.",
            "Draft it without, and write `impact: none` there yourself if you know better.",
        )
    return said


def _action(offered: Offered, taken: set[str]) -> str:
    """Return an id for the action that nothing else here has, and take it."""
    base = _NOT_OF_AN_ID.sub("-", offered.own.lower()).strip("-")[:60].strip("-") or "tool"
    name, number = base, 2
    while name in taken:
        name, number = f"{base}-{number}", number + 1
    taken.add(name)
    return name


def _line(one: Drafted) -> str:
    note = "  # reads" if one.offered.only_reads and not one.vouched else ""
    return f"  {one.action}: {inline(one.to_json()['declared'])}{note}"
