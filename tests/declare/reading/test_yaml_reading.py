"""YAML -> plain data with places: what is meant, and what is said about text that means nothing."""

from __future__ import annotations

import pytest

from trueup.declare.reading.yaml_tree import DEEPEST, MOST_FINDINGS, MOST_NODES, parse_tree
from trueup.kernel.finding import Finding, Severity


def only(text: str) -> Finding:
    tree = parse_tree("x.yaml", text)
    assert len(tree.findings) == 1, tree.findings
    assert tree.findings[0].severity is Severity.ERROR
    return tree.findings[0]


@pytest.mark.parametrize(
    ("written", "meant"),
    [
        ("no", "no"),
        ("on", "on"),
        ("yes", "yes"),
        ("true", True),
        ("~", None),
        ("", None),
        ("2018-01-06", "2018-01-06"),
        ("2018-01-06T00:00:00Z", "2018-01-06T00:00:00Z"),
        ("012", 12),
        ("0o17", 15),
        ("0x1F", 31),
        ("12:30:45", "12:30:45"),
        ("1_000", "1_000"),
        ("+3", "+3"),
        ("-3", -3),
        ("1e3", 1000.0),
        (".5", 0.5),
        (".inf", ".inf"),
        (".nan", ".nan"),
        ("1e999", "1e999"),
        ("'1'", "1"),
        ("!!str 1", "1"),
        ("first Declaration SUBMITTED*", "first Declaration SUBMITTED*"),
    ],
)
def test_words_mean_what_yaml_1_2_says(written: str, meant: object) -> None:
    tree = parse_tree("x.yaml", f"key: {written}\n")
    assert tree.findings == []
    value = tree.value["key"]
    assert value == meant
    assert type(value) is type(meant)


def test_integers_of_any_length_are_read_without_failing() -> None:
    for digits in (1, 300, 301, 5000):
        assert parse_tree("x.yaml", "key: " + "9" * digits).read


def test_every_key_and_value_has_its_place() -> None:
    tree = parse_tree("x.yaml", "a: 1\nb:\n  c: [x, {d: y}]\n")
    assert tree.values["a",] == (1, 4)
    assert tree.keys["b", "c"] == (3, 3)
    assert tree.values["b", "c", 1, "d"] == (3, 14)
    assert tree.values["b",] == (3, 3)


def test_columns_count_characters_not_bytes() -> None:
    assert parse_tree("x.yaml", "ключ: 𝒳\né: {ü: 1}\n").values["é", "ü"] == (2, 8)


def test_windows_line_ends_and_a_byte_order_mark_change_nothing() -> None:
    tree = parse_tree("x.yaml", "a: 1\r\nb:\r\n  c: 2\r\n")
    assert (tree.value, tree.findings) == ({"a": 1, "b": {"c": 2}}, [])
    assert tree.values["b", "c"] == (3, 6)


@pytest.mark.parametrize(
    ("text", "line", "col", "words"),
    [
        ("a:\n\tb: 1\n", 2, 1, "tab"),
        ("a: 1\n\tb: 2\n", 2, 1, "tab"),
        ("a: |\n\tx\n", 2, 1, "tab"),
        ("ok: 1\na: [1,\n  2\nb: 3\n", 2, 4, "`[` opens on line 2"),
        ("a: {x: 1\nb: 3\n", 1, 4, "`{` opens on line 1"),
        ('a: "x\nb: 2\n', 1, 4, "never closed"),
        ("a: b: c\n", 1, 5, "colon"),
        ("a: @x\n", 1, 4, "'@'"),
        ("a: 1\n---\nb: 2\n", 2, 1, "second YAML document"),
        ("? [a]\n: b\n", 1, 3, "key is a list"),
        ("- a\nb: 1\n", 2, 1, "list item"),
        ("a: x\x07y\n", 1, 5, "U+0007"),
        ('a: "\\ud800"\n', 1, 7, "YAML ends here"),
        ("a: foo: - bar\n", 1, 7, "colon"),
    ],
)
def test_broken_yaml_is_explained_where_it_is_to_be_mended(text: str, line: int, col: int, words: str) -> None:
    finding = only(text)
    assert finding.code == "YAML01"
    assert (finding.where.line, finding.where.col) == (line, col)
    assert words in finding.detail
    assert not parse_tree("x.yaml", text).read


@pytest.mark.parametrize(
    ("text", "words"),
    [("", "empty"), ("# nothing\n", "empty"), ("[1]\n", "not a mapping"), ("text\n", "not a mapping")],
)
def test_a_file_without_keys_is_a_finding(text: str, words: str) -> None:
    finding = only(text)
    assert finding.code == "TYPE01"
    assert words in finding.detail


def test_a_key_written_twice_names_both_places_and_keeps_the_first() -> None:
    tree = parse_tree("x.yaml", "a: {b: 1}\nc: 2\na: {b: 3, d: {e: 1}}\na: 5\n")
    assert tree.value == {"a": {"b": 1}, "c": 2}
    assert [(found.code, found.where.line) for found in tree.findings] == [("YAML02", 3), ("YAML02", 4)]
    assert "x.yaml:1:1" in tree.findings[0].fix
    assert "x.yaml:3:1" in tree.findings[0].fix


def test_an_alias_is_left_out_and_the_rest_is_read() -> None:
    tree = parse_tree("x.yaml", "a: &same {x: 1}\nb: *same\nc: 3\n")
    assert tree.value == {"a": {"x": 1}, "c": 3}
    assert [found.code for found in tree.findings] == ["YAML03"]
    assert tree.values["b",] == (2, 4)


def test_a_bomb_of_aliases_costs_nothing() -> None:
    levels = ["a0: &a0 [x, x]"] + [f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 9)}]" for n in range(1, 30)]
    tree = parse_tree("x.yaml", "\n".join(levels))
    assert len(tree.findings) == MOST_FINDINGS
    assert {found.code for found in tree.findings} == {"YAML03"}


@pytest.mark.parametrize("text", ["a: &a [*a]\n", "a: *missing\n", "*a : 1\n", "a: &a {b: *a}\n"])
def test_a_value_that_contains_itself_is_a_finding(text: str) -> None:
    assert {found.code for found in parse_tree("x.yaml", text).findings} == {"YAML03"}


@pytest.mark.parametrize("text", ["a: " + "[" * 900, "a: " + "{b: " * 900, "- " * 3000, "a: " + "[" * 100_000])
def test_depth_is_stopped(text: str) -> None:
    assert only(text).code == "YAML03"
    assert str(DEEPEST) in only(text).detail


def test_more_values_than_a_person_writes_are_stopped() -> None:
    finding = only("a: [" + "1," * (MOST_NODES + 1) + "1]\n")
    assert finding.code == "YAML03"


@pytest.mark.parametrize("tag", ["!!python/object/apply:os.system", "!custom", "!!timestamp", "!!binary", "!!set"])
def test_a_tag_is_a_finding_and_constructs_nothing(tag: str) -> None:
    tree = parse_tree("x.yaml", f"a: {tag} text\nb: 1\n")
    assert [found.code for found in tree.findings] == ["YAML03"]
    assert tree.value == {"a": "text", "b": 1}


def test_a_merge_key_is_a_finding() -> None:
    assert only("<<: {a: 1}\n").code == "YAML03"
