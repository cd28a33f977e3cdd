"""Plain data -> YAML text that a person would have written: short things on one line, long ones on lines of their own.

What is written is read back as the same data by readers of YAML 1.2 and of 1.1 alike (dates excepted, which 1.1 types).
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from datetime import date
from typing import Any

from trueup.declare.reading.scalars import plain

_WIDTH = 110
# Words, and marks that begin nothing in YAML; a colon only where it cannot end a key.
_SAFE = re.compile(r"(?:[A-Za-z_(]|[+-]?\d|[./](?=\w))(?:[\w ./+()%=;-]|(?<=\w):(?=\w))*")
_OLD_BOOLEANS = frozenset({"y", "n", "yes", "no", "on", "off"})
_SEXAGESIMAL = re.compile(r"[-+]?\d+(?::\d+)+(?:\.\d*)?")
_TIMESTAMP = re.compile(r"\d{4}-\d\d?-\d\d?(?:[Tt ].*)?")
_UNPRINTABLE = re.compile("[\x7f-\x9f\u2028\u2029\ufeff\ufffe\uffff]")


def render(value: Mapping[str, Any]) -> str:
    """Return the text of a new file. Values are plain data and dates; raises ValueError for what YAML cannot hold."""
    return "\n".join(block_lines(value)) + "\n" if value else "{}\n"


def inline(value: Any) -> str:
    """Return a value on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{key_text(key)}: {inline(item)}" for key, item in value.items()) + "}"
    if isinstance(value, Sequence) and not isinstance(value, str):
        return "[" + ", ".join(inline(item) for item in value) + "]"
    return scalar(value)


def block_lines(value: Any, indent: int = 0) -> list[str]:
    """Return a mapping or a list as lines, each indented by so many spaces."""
    lines: list[str] = []
    if isinstance(value, Mapping):
        for key, item in value.items():
            lines += entry_lines(f"{key_text(key)}:", item, indent)
    else:
        for item in value:
            lines += _item_lines(item, indent)
    return lines


def entry_lines(head: str, value: Any, indent: int) -> list[str]:
    """Return `head value`: on one line if it fits or cannot be broken, else the value on lines below."""
    line = f"{' ' * indent}{head} {inline(value)}"
    if len(line) <= _WIDTH or isinstance(value, str) or not isinstance(value, Mapping | Sequence):
        return [line]
    return [f"{' ' * indent}{head}", *block_lines(value, indent + 2)]


def _item_lines(value: Any, indent: int) -> list[str]:
    lines = entry_lines("-", value, indent)
    if len(lines) == 1:
        return lines
    # The first line of what is below stands beside its dash.
    return [f"{' ' * indent}- {lines[1][indent + 2 :]}", *lines[2:]]


def scalar(value: Any) -> str:
    """Return a single value. Raises ValueError for what is none, or for a number that is not finite."""
    if value is None:
        return "null"
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, str):
        return _text(str(value))
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, int):
        return str(int(value))
    if isinstance(value, float) and math.isfinite(value):
        return _float(value)
    msg = f"{value!r} cannot be written as YAML"
    raise ValueError(msg)


def key_text(key: object) -> str:
    """Return a key. The format's own `on` stands without quotes, as people write it."""
    text = str(key)
    if _TIMESTAMP.fullmatch(text):
        return _quoted(text)
    return text if text.lower() in _OLD_BOOLEANS else _text(text)


def _float(value: float) -> str:
    # YAML 1.1 reads 1e-05 as text: its floats have a point.
    mantissa, mark, exponent = repr(float(value)).partition("e")
    return repr(float(value)) if not mark or "." in mantissa else f"{mantissa}.0e{exponent}"


def _text(text: str) -> str:
    # Text to this reader, and a number or a truth value to others.
    ambiguous = text.lower() in _OLD_BOOLEANS or _SEXAGESIMAL.fullmatch(text) is not None or _signed_number(text)
    ambiguous = ambiguous or (_TIMESTAMP.fullmatch(text) is not None and not _is_day(text))
    if _SAFE.fullmatch(text) and not text.endswith(" ") and not ambiguous and plain(text) == text:
        return text
    return _quoted(text)


def _quoted(text: str) -> str:
    quoted = json.dumps(text, ensure_ascii=False)
    return _UNPRINTABLE.sub(lambda match: f"\\u{ord(match[0]):04x}", quoted)


def _is_day(text: str) -> bool:
    """Days stand without quotes, as people write them; other readers make dates of them."""
    try:
        return date.fromisoformat(text).isoformat() == text
    except ValueError:
        return False


def _signed_number(text: str) -> bool:
    return text.startswith("+") and not isinstance(plain(text[1:]), str)
