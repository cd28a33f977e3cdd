"""One call as it was read: JSON with one meaning and the members that the address takes, or nothing at all."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from trueup.enforce.request import LARGEST_REQUEST, UnfitRequestError, read_strictly
from trueup.kernel.errors import UsageError
from trueup.kernel.text import did_you_mean
from trueup.web.api.turned_away import TurnedAwayError

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import datetime

    from trueup.web.api.callers import Known

_KINDS: Mapping[str, type] = {"text": str, "yes or no": bool, "object": dict}


@dataclass(frozen=True, slots=True)
class Member:
    """One member that a body may have: `kind` is text, yes or no, or object."""

    kind: str
    says: str
    required: bool = False


@dataclass(frozen=True, slots=True)
class Call:
    """One call: by whom, about what. `body` are the bytes that came, `content` the object that they mean."""

    caller: Known
    path: Mapping[str, str]
    content: Mapping[str, Any]
    body: bytes
    as_of: datetime | None = None

    def text(self, name: str) -> str | None:
        """Return a member that is text, where it is there."""
        value = self.content.get(name)
        return value if isinstance(value, str) else None


def content_of(body: bytes, takes: Mapping[str, Member]) -> Mapping[str, Any]:
    """Return the object that a body means.

    Raises TurnedAwayError for what has not one plain meaning, and UsageError.
    """
    try:
        content = read_strictly(body, LARGEST_REQUEST)
    except UnfitRequestError as error:
        refused = UsageError("bad-body", str(error), "Send one JSON object, as UTF-8, of at most 256 kB.")
        raise TurnedAwayError(refused, error.reason, body) from None
    if not isinstance(content, dict):
        raise UsageError("bad-body", "The body is not a JSON object.", f"Send {_example(takes)}.")
    for name, value in content.items():
        member = takes.get(name)
        if member is None:
            meant = did_you_mean(name, takes) if name.isascii() else ""
            raise UsageError("bad-body", f"The body has a member {name!a}.{meant}", f"Send {_example(takes)}.")
        if value is None and not member.required:
            continue
        if not isinstance(value, _KINDS[member.kind]) or value == "":
            raise UsageError("bad-body", f"`{name}` is not {member.kind}.", f"Send {_example(takes)}.")
    missing = [name for name, member in takes.items() if member.required and name not in content]
    if missing:
        raise UsageError("bad-body", f"The body lacks `{missing[0]}`.", f"Send {_example(takes)}.")
    return content


def _example(takes: Mapping[str, Member]) -> str:
    shown = ", ".join(f'"{name}": ...' for name, member in takes.items() if member.required)
    rest = [f"`{name}`" for name, member in takes.items() if not member.required]
    return f"{{{shown}}}" + (f", with {', '.join(rest)} if you like" if rest else "")
