"""Whatever stands in a file, reading it ends in a value or in findings, never in an exception."""

from __future__ import annotations

import json
import tempfile
from datetime import date
from pathlib import Path

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.declare.northwind import FILES
from trueup.declare.model.programme import ProgrammeFile
from trueup.declare.model.use_case import UseCase
from trueup.declare.model.workflow import Workflow
from trueup.declare.read import read_programme
from trueup.declare.reading.source import Source, decoded, open_questions
from trueup.declare.reading.typed import typed
from trueup.declare.reading.yaml_tree import parse_tree
from trueup.kernel.finding import Finding

MODELS = (ProgrammeFile, UseCase, Workflow)
# Pieces that YAML gives a meaning to, and words that the models look for.
PIECES = [
    *"[]{},:#&*!|>'\"%@`?-\n\t ",
    *(
        "\r\n",
        "- ",
        ": ",
        "? ",
        "<<: ",
        "---\n",
        "...\n",
        "&a ",
        "*a",
        "!!python/none ",
        "\x00",
        "\ufeff",
        "\u2028",
        "\x85",
    ),
    *("a", "programme", "people", "name", "range", "kpis", "pilot", "gates", "week-4", "0x", "1e999", ".nan", "~", "🂡"),
    *("12", "-30%", "2018-01-06", "true", "45pd", "21d", "[1, 2, 3]", "{a: 1}", "  ", "    ", "workflow: x\n"),
]
STRUCTURED = st.lists(st.sampled_from(PIECES), max_size=60).map("".join)
LEAVES = st.one_of(
    st.none(),
    st.booleans(),
    st.integers(),
    st.floats(allow_nan=False, allow_infinity=False),
    st.text(max_size=12),
    st.sampled_from(["-10%", "21d", "2018-01-06", "45pd", "lead", "x0.5", "first A", "act", "weekly", "week-4"]),
)
WORDS = st.one_of(
    st.text(max_size=8),
    st.sampled_from([word.strip("{}[],:") for text in FILES.values() for word in text.split() if ":" in word]),
)
VALUES = st.recursive(
    LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(WORDS, inner, max_size=5), max_leaves=12
)


def read(text: str) -> None:
    source = decoded("x.yaml", text.encode("utf-8", "surrogatepass"))
    if isinstance(source, Finding):
        return
    tree = parse_tree("x.yaml", source.text)
    assert tree.read or tree.findings
    lines = sum(source.text.count(ending) for ending in "\n\r\x85\u2028\u2029") + 2
    findings = [*tree.findings, *open_questions(source)]
    for model in MODELS:
        findings += typed(model, tree)[1]
    for finding in findings:
        assert finding.where.line >= 1
        assert finding.where.col >= 1
        assert finding.where.line <= lines + source.text.count("\x85") + source.text.count(
            "\u2028"
        ) + source.text.count("\u2029")
        assert finding.detail
        assert finding.fix
        json.dumps(finding.to_json())


@given(st.text())
def test_any_text(text: str) -> None:
    read(text)


@settings(max_examples=300)
@given(STRUCTURED)
@example("? &a\n: *a")
@example("a: !<tag:yaml.org,2002:str> 'x'\n")
def test_any_arrangement_of_what_yaml_gives_meaning_to(text: str) -> None:
    read(text)


@given(st.binary(max_size=200))
def test_any_bytes(content: bytes) -> None:
    source = decoded("x.yaml", content)
    if isinstance(source, Source):
        parse_tree("x.yaml", source.text)


@settings(max_examples=300)
@given(st.sampled_from(sorted(FILES)), st.data())
def test_a_sound_file_with_a_piece_cut_out_and_another_put_in(file: str, data: st.DataObject) -> None:
    text = FILES[file]
    start = data.draw(st.integers(0, len(text)))
    end = data.draw(st.integers(start, min(len(text), start + 40)))
    read(text[:start] + data.draw(STRUCTURED) + text[end:])


@settings(max_examples=300)
@given(st.sampled_from(MODELS), st.dictionaries(WORDS, VALUES, max_size=8))
def test_any_data_fits_or_is_explained(model: type[ProgrammeFile], value: dict[str, object]) -> None:
    tree = parse_tree("x.yaml", json.dumps(value))
    if tree.read:
        read_value, findings = typed(model, tree)
        assert read_value is not None or findings


@settings(max_examples=25)
@given(st.dictionaries(st.sampled_from(sorted(FILES)), STRUCTURED, max_size=3))
def test_any_folder_with_a_programme_file_is_checked(changed: dict[str, str]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, text in (FILES | changed).items():
            path = Path(folder, name)
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
        read_programme(Path(folder), date(2018, 1, 10))


@pytest.mark.long
@settings(max_examples=20_000)
@given(STRUCTURED)
def test_any_arrangement_at_length(text: str) -> None:
    read(text)
