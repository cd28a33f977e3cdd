"""What a word without quotes means: the core schema of YAML 1.2, and nothing that surprises.

`no`, `on` and `2018-01-06` are text, `012` is twelve. Two deviations keep meaning that a number would lose: a number
written with `+` stays text (`+3` is a change, `3` is a level), and so does one that is not finite.
"""

from __future__ import annotations

import math
import re
from typing import TypeAlias

Scalar: TypeAlias = bool | int | float | str | None

_WORDS: dict[str, bool | None] = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL")),
    **dict.fromkeys(("true", "True", "TRUE"), True),
    **dict.fromkeys(("false", "False", "FALSE"), False),
}
_DECIMAL = re.compile(r"-?[0-9]{1,300}")
_RADIX = re.compile(r"0o[0-7]{1,100}|0x[0-9a-fA-F]{1,75}")
_FLOAT = re.compile(r"-?(?:\.[0-9]{1,300}|[0-9]{1,300}(?:\.[0-9]{0,300})?)(?:[eE][-+]?[0-9]{1,5})?")
_NUMBER_STARTS = frozenset("-.0123456789")


def plain(text: str) -> Scalar:
    """Return what an unquoted scalar means."""
    if text in _WORDS:
        return _WORDS[text]
    return _number(text) if text[0] in _NUMBER_STARTS else text


def _number(text: str) -> Scalar:
    if _DECIMAL.fullmatch(text):
        return int(text)
    if _RADIX.fullmatch(text):
        return int(text, 0)
    if _FLOAT.fullmatch(text):
        value = float(text)
        return value if math.isfinite(value) else text
    return text
