"""After an edit a file says what it said before, with the change; other lines are untouched."""

from __future__ import annotations

import copy
import difflib
import json
from typing import Any

import pytest
from hypothesis import assume, example, given, settings
from hypothesis import strategies as st
from ruamel.yaml import YAML

from tests.declare.northwind import FILES
from trueup.declare.edit import edited, render
from trueup.declare.reading.yaml_tree import parse_tree

TEXT = st.text(st.characters(codec="utf-8"), max_size=20)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(-(10**12), 10**12),
    st.floats(allow_nan=False, allow_infinity=False),
    TEXT,
    st.sampled_from(
        ["no", "1", "null", "2018-01-06", "12:30", "a: b", "- x", "#", "x #", "-30%", "+3pp", "sha256:0a", "", " "]
    ),
)
KEYS = st.one_of(st.sampled_from(["by", "on", "week-4", "a b", "no"]), TEXT.filter(lambda key: key != "<<"))
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(KEYS, inner, max_size=4), max_leaves=15
)
STYLES = [
    *FILES.values(),
    "# head\na: 1   # one\nb:\n    c: 'two'\n    d:  [x,   y]\n\n# between\ne:\n- 1\n- f: g\n  h: i\n# tail",
    "a: |\n  text\n  more\n\nb: >-\n  folded\n  text\nc:\n  d: |\n    deep\n",
    "a: {b: 1,\n    c: {d: 2}   # inside\n    }\ne: [1,\n  2]\nf:\ng: ~\nh: {}\n",
    "a:\r\n  b: 1\r\n  c: 'x'   # y\r\nd: [1, 2]\r\n",
    "ключ: {ü: 𝒳}\n\"quoted key\": 'x'\n",
    'a: first\n  and second\nb: "double\n  quoted"\n? c\n: d\n',
    "---\na: 1\n...\n",
]


def said(text: str) -> Any:
    tree = parse_tree("x.yaml", text)
    assert tree.read, tree.findings
    assert tree.findings == []
    return tree.value


def paths(value: Any, here: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    items = value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    return [here] * bool(here) + [path for key, inner in items for path in paths(inner, (*here, key))]


def with_change(value: Any, path: tuple[str | int, ...], new: Any) -> Any:
    value = here = copy.deepcopy(value)
    for step in path[:-1]:
        here = here[step]
    here[path[-1]] = new
    return value


@settings(max_examples=300)
@given(st.sampled_from(STYLES), VALUES, st.data())
def test_setting_a_value_changes_that_value_only(text: str, value: Any, data: st.DataObject) -> None:
    before = said(text)
    path = data.draw(st.sampled_from(paths(before)))
    after = said(edited(text, [(path, value)]))
    assert json.dumps(after) == json.dumps(with_change(before, path, value))


@settings(max_examples=300)
@given(st.sampled_from(STYLES), VALUES, st.data())
def test_a_new_key_is_added_and_every_line_stays(text: str, value: Any, data: st.DataObject) -> None:
    before = said(text)
    holder = data.draw(
        st.sampled_from([(), *(path for path in paths(before) if isinstance(reached(before, path), dict))])
    )
    key = data.draw(KEYS)
    assume(key not in reached(before, holder))
    result = edited(text, [((*holder, key), value)])
    after = said(result)
    assert json.dumps(reached(after, holder)[key]) == json.dumps(value)
    del reached(after, holder)[key]
    assert json.dumps(after) == json.dumps(before)
    changed = [line for line in difflib.ndiff(text.splitlines(), result.splitlines()) if line.startswith("- ")]
    assert len(changed) <= 1, changed


def reached(value: Any, path: tuple[str | int, ...]) -> Any:
    for step in path:
        value = value[step]
    return value


@settings(max_examples=200)
@given(st.dictionaries(KEYS, VALUES, max_size=6))
@example({"long": ["word " * 40, {"a": "b" * 200, "c": [1.0] * 80}]})
@example({"a": {"b": {"c": [[], {}, [[1]]]}}})
@example({"0001-01-01": None, "0000-00-00": "0000-00-00", "2024-01-01T00:00:00Z": "2024-1-1"})
@example({"day": "2024-02-29", "no day": "2023-02-29", "instant": "2024-01-01T00:00:00Z"})
def test_what_is_rendered_is_read_back_by_this_reader_and_by_others(value: dict[str, Any]) -> None:
    text = render(value)
    assert json.dumps(said(text)) == json.dumps(value)
    assert json.dumps(YAML(typ="safe", pure=True).load(text), default=str) == json.dumps(value)


@pytest.mark.parametrize("text", STYLES)
def test_setting_what_stands_there_already_changes_no_data_and_no_other_line(text: str) -> None:
    before = said(text)
    for path in paths(before):
        result = edited(text, [(path, reached(before, path))])
        assert said(result) == before


@settings(max_examples=100)
@given(st.sampled_from(STYLES), st.lists(st.tuples(st.sampled_from(["x", "y", "z"]), LEAVES), max_size=5))
def test_edits_one_by_one_are_the_edits_together(text: str, changes: list[tuple[str, Any]]) -> None:
    steps = [(("new", key), value) for key, value in changes]
    one_by_one = text
    for step in steps:
        one_by_one = edited(one_by_one, [step])
    assert edited(text, steps) == one_by_one
