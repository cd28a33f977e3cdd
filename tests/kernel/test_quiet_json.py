"""JSON that is printed where somebody looks: nothing in it acts on a terminal, and every reader gets the same value."""

from __future__ import annotations

import json
import unicodedata
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.kernel.text import quiet_json

OBEYED = {
    "a C1 control that begins an escape sequence": "\x9b2J",
    "delete": "\x7f",
    "a direction mark": "pay \u202e0001",
    "an isolate": "\u2066x\u2069",
    "a zero-width space": "a\u200bb",
    "a line separator": "one\u2028two",
    "a tag beyond the basic plane": "x\U000e0041",
    "half of a pair": "\ud800",
    "private use": "\ue000",
}
TEXTS = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(st.characters(), max_size=9),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=9,
)


@pytest.mark.parametrize("text", OBEYED.values(), ids=OBEYED)
def test_what_would_be_obeyed_stands_as_an_escape(text: str) -> None:
    written = quiet_json({text: [text]})
    assert all(unicodedata.category(one)[0] != "C" and one not in "\u2028\u2029" for one in written)
    assert json.loads(written) == {text: [text]}
    written.encode("utf-8")


def test_plain_text_in_any_script_stays_as_it_is() -> None:
    assert quiet_json({"who": "Zoë, 山田, Ωμέγα"}) == '{"who": "Zoë, 山田, Ωμέγα"}'


@given(TEXTS, st.sampled_from([None, 2]))
def test_every_reader_gets_the_same_value(value: Any, indent: int | None) -> None:
    written = quiet_json(value, indent)
    assert json.loads(written) == value
    assert written.replace("\n", "").isprintable()
