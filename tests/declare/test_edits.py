"""Edits as a person would make them: the exact text before and after."""

from __future__ import annotations

from datetime import date

import pytest

from trueup.declare.edit import edited, render
from trueup.kernel.errors import DeclarationError


@pytest.mark.parametrize(
    ("before", "path", "value", "after"),
    [
        ("stage: pilot   # now\n", ("stage",), "stopped", "stage: stopped   # now\n"),
        ("a: {level: draft,  to: act}  # c\n", ("a", "level"), "act", "a: {level: act,  to: act}  # c\n"),
        ("a:  {b:  1}  # c\n", ("a", "c"), {"d": 2}, "a:  {b:  1, c: {d: 2}}  # c\n"),
        ("a:\n    b: 1   # c\n\nz: 1\n", ("a", "c"), 2, "a:\n    b: 1   # c\n    c: 2\n\nz: 1\n"),
        ("a:\n  b:\n    c: 1\n# end", ("a", "d"), 2, "a:\n  b:\n    c: 1\n  d: 2\n# end"),
        ("a: 1", ("b", "c"), 2, "a: 1\nb: {c: 2}"),
        ("a: 1\r\n", ("b",), [1, 2], "a: 1\r\nb: [1, 2]\r\n"),
        ("a:\n- 1\n- 2\nb: 1\n", ("a", 2), 3, "a:\n- 1\n- 2\n- 3\nb: 1\n"),
        ("a:\n  - 1\n", ("a", 1), {"x": 1}, "a:\n  - 1\n  - {x: 1}\n"),
        ("a: [1]\n", ("a", 1), 2, "a: [1, 2]\n"),
        ("a: []\n", ("a", 0), 2, "a: [2]\n"),
        ("a:  # todo\nb: 1\n", ("a",), "x", "a: x  # todo\nb: 1\n"),
        ("a:\n  b: 1\n  c: 2\nd: 3\n", ("a",), "x", "a: x\nd: 3\n"),
        ("a: |\n  long\n  text\nb: 1\n", ("a",), "short", "a: short\nb: 1\n"),
        ("a: 'x'\n", ("a",), "no", 'a: "no"\n'),
        ("a: 1\n", ("on",), date(2018, 3, 3), "a: 1\non: 2018-03-03\n"),
        ("# only words\n", ("a",), 1, "# only words\na: 1\n"),
        ("\ufeffa: 1\n", ("a",), 2, "\ufeffa: 2\n"),
        ("a: " + "word " * 60 + "end\nb: 1\n", ("b",), 2, "a: " + "word " * 60 + "end\nb: 2\n"),
    ],
)
def test_an_edit(before: str, path: tuple[str | int, ...], value: object, after: str) -> None:
    assert edited(before, [(path, value)]) == after


@pytest.mark.parametrize(
    ("text", "path", "value"),
    [
        ("a: 1\n", ("a", "b"), 2),
        ("a: [1]\n", ("a", "b"), 2),
        ("a: [1]\n", ("a", 5), 2),
        ("a: [\n", ("a",), 2),
        ("a: 1\na: 2\n", ("a",), 3),
        ("[1]\n", ("a",), 3),
        ("a: 1\n", ("a",), float("nan")),
        ("a: 1\n", ("a",), object()),
    ],
)
def test_what_cannot_be_edited_is_refused(text: str, path: tuple[str | int, ...], value: object) -> None:
    with pytest.raises(DeclarationError) as refused:
        edited(text, [(path, value)])
    assert refused.value.code == "cannot-edit"


def test_a_new_file_reads_as_a_person_would_write_it() -> None:
    weeks = [{"week": date(2018, 1, 1), "n": 3, "mean": 1e-05}, {"week": date(2018, 1, 8), "n": 4, "mean": 0.5}]
    assert render({"workflow": "x", "design": {"share": "80%"}, "kpis": {"cycle_time": {"weeks": weeks * 2}}}) == (
        "workflow: x\n"
        "design: {share: 80%}\n"
        "kpis:\n"
        "  cycle_time:\n"
        "    weeks:\n"
        "      - {week: 2018-01-01, n: 3, mean: 1.0e-05}\n"
        "      - {week: 2018-01-08, n: 4, mean: 0.5}\n"
        "      - {week: 2018-01-01, n: 3, mean: 1.0e-05}\n"
        "      - {week: 2018-01-08, n: 4, mean: 0.5}\n"
    )
