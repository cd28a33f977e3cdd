"""One form for hashing: canonical JSON (RFC 8785) and the digests made from it."""

from __future__ import annotations

import hashlib
import math
from collections.abc import Mapping, Sequence
from json.encoder import encode_basestring
from typing import TypeAlias

from trueup.kernel.text import shown

Json: TypeAlias = bool | int | float | str | Sequence["Json"] | Mapping[str, "Json"] | None

# RFC 8785 takes numbers as IEEE doubles: integers beyond this lose digits on the way.
SAFE_INTEGER = 2**53
_WORDS = {None: "null", True: "true", False: "false"}


def canonical(value: Json) -> bytes:
    """Return the RFC 8785 form of a JSON value, UTF-8.

    Raises ValueError for NaN, infinities, integers beyond 2^53, lone surrogates and keys that are not text.
    """
    return _text(value).encode("utf-8")


def digest(value: Json) -> str:
    """Return `sha256:` and the hex digest of the canonical form."""
    return digest_bytes(canonical(value))


def digest_bytes(data: bytes) -> str:
    """Return `sha256:` and the hex digest of bytes."""
    return f"sha256:{hashlib.sha256(data).hexdigest()}"


def _text(value: Json) -> str:
    # Plain types first: nearly everything is one, and a governed action is written down three times over.
    if type(value) is str:
        return encode_basestring(value)
    if type(value) is dict:
        return _object(value)
    if value is None or isinstance(value, bool):
        return _WORDS[value]
    if type(value) is int:
        return _integer(value)
    return _other(value)


def _other(value: Json) -> str:
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, list | tuple):
        return "[" + ",".join(map(_text, value)) + "]"
    if isinstance(value, str):
        return encode_basestring(value)
    if isinstance(value, int):
        return _integer(value)
    if isinstance(value, Mapping):
        return _object(value)
    msg = f"{type(value).__name__} is not a JSON type"
    raise ValueError(msg)


def _object(value: Mapping[str, Json]) -> str:
    try:
        joined = "".join(value)
    except TypeError:
        msg = "the keys of an object must be text"
        raise ValueError(msg) from None
    # RFC 8785, 3.2.3: keys are sorted by their UTF-16 code units; for ASCII that is Python's own order.
    keys = sorted(value) if joined.isascii() else sorted(value, key=_utf16)
    return "{" + ",".join([f"{encode_basestring(key)}:{_text(value[key])}" for key in keys]) + "}"


def _utf16(key: str) -> bytes:
    return key.encode("utf-16-be")


def _integer(value: int) -> str:
    if abs(value) > SAFE_INTEGER:
        msg = f"{shown(value, 20)} is beyond 2^53"
        raise ValueError(msg)
    return str(value)


def _number(value: float) -> str:
    """Write a double as ECMAScript does (RFC 8785, 3.2.2.3)."""
    if not math.isfinite(value):
        msg = f"{value} is not a JSON number"
        raise ValueError(msg)
    if value == 0:
        return "0"
    sign = "-" if value < 0 else ""
    mantissa, _, exponent = f"{abs(value)!r}".partition("e")
    whole, _, fraction = mantissa.partition(".")
    if fraction == "0":
        fraction = ""
    digits = (whole + fraction).lstrip("0")
    # `point` is the position of the decimal point relative to the first significant digit.
    point = len(whole) + int(exponent or 0) - (len(whole + fraction) - len(digits))
    digits = digits.rstrip("0")
    return sign + _place(digits, point)


def _place(digits: str, point: int) -> str:
    count = len(digits)
    if count <= point <= 21:
        return digits + "0" * (point - count)
    if 0 < point <= 21:
        return f"{digits[:point]}.{digits[point:]}"
    if -6 < point <= 0:
        return "0." + "0" * -point + digits
    power = point - 1
    tail = f".{digits[1:]}" if count > 1 else ""
    return f"{digits[0]}{tail}e{'+' if power > 0 else '-'}{abs(power)}"
