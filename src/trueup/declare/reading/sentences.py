"""What the validator says, in words for the person who wrote the file."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

from trueup.kernel.text import did_you_mean, shown

# Kind of error -> what was expected.
_EXPECTED = {
    "string_type": "text",
    "int_type": "a whole number",
    "int_from_float": "a whole number",
    "float_type": "a number",
    "finite_number": "a finite number",
    "bool_type": "true or false",
    "model_type": "a mapping of keys to values",
    "dict_type": "a mapping of keys to values",
    "tuple_type": "a list",
    "datetime_type": "an instant such as 2018-01-31T00:00:00Z",
    "datetime_from_date_parsing": "an instant such as 2018-01-31T00:00:00Z",
    "datetime_parsing": "an instant such as 2018-01-31T00:00:00Z",
}
_BOUNDS = {"greater_than_equal": ("ge", "at least"), "less_than_equal": ("le", "at most")}
_WORD = re.compile(r"'([^']*)'")


def misfit(name: str, value: Any, errors: Sequence[Mapping[str, Any]]) -> tuple[str, str]:
    """Return detail and fix for a value that does not fit. `errors` has one entry for each form that was tried."""
    said = [str(error["ctx"]["error"]) for error in errors if error["type"] == "value_error"]
    words = [word for error in errors for word in _words(error)]
    forms = [*dict.fromkeys(form for error in errors if (form := _form(error)))]
    if words:
        forms.append(f"one of {', '.join(words)}")
    if said:
        alternative = f" Or write {' or '.join(forms)}." if forms else ""
        return f"`{name}`: {said[0]}.{alternative}", _fix(value, errors, words)
    meant = did_you_mean(value, words) if isinstance(value, str) else ""
    return f"`{name}` {_is(value)}; expected {' or '.join(forms)}.{meant}", _fix(value, errors, words)


def _is(value: Any) -> str:
    if value is None:
        return "is empty"
    if isinstance(value, dict):
        return "is a mapping of keys to values"
    if isinstance(value, list):
        return "is a list"
    if isinstance(value, bool):
        return f"is {'true' if value else 'false'}"
    return f"is the text {shown(value)}" if isinstance(value, str) else f"is the number {shown(value)}"


def _form(error: Mapping[str, Any]) -> str:
    kind = str(error["type"])
    if kind in _BOUNDS:
        limit, words = _BOUNDS[kind]
        return f"{words} {error['ctx'][limit]}"
    if kind == "value_error" or _words(error):
        return ""
    message = str(error["msg"])
    return _EXPECTED.get(kind, message[:1].lower() + message[1:])


def _words(error: Mapping[str, Any]) -> list[str]:
    closed = error["type"] in {"literal_error", "enum"}
    return _WORD.findall(str(error["ctx"]["expected"])) if closed else []


def _fix(value: Any, errors: Sequence[Mapping[str, Any]], words: Sequence[str]) -> str:
    kinds = {error["type"] for error in errors}
    if value is None:
        return "Write a value, or delete the key."
    if words and not isinstance(value, dict | list):
        return "Write one of the words."
    if "string_type" in kinds and isinstance(value, bool | int | float):
        return "Put it in quotes, if it is meant as text."
    if kinds & {"int_type", "float_type"} and isinstance(value, str):
        return "Write the number alone: no quotes, no sign +, no unit, no thousands separator."
    return "Write it in the form named."
