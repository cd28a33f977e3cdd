"""What an assumption can be measured by: three forms, and a sentence for everything else."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.declare.measures import ActualsMeasure, DataMeasure, KpiMeasure, parse_measure


@pytest.mark.parametrize(
    ("text", "meant"),
    [
        (
            "data.forms.completeness(amount, budget number)",
            DataMeasure("forms", "completeness", ("amount", "budget number")),
        ),
        ("data.forms.validity( a )", DataMeasure("forms", "validity", ("a",))),
        ("data.forms.volume()", DataMeasure("forms", "volume")),
        ("data.a.b.volume()", DataMeasure("a.b", "volume")),
        ("actuals.spend(triage)", ActualsMeasure("spend", "triage")),
        ("actuals.effort(triage, labelling)", ActualsMeasure("effort", "triage", "labelling")),
        (" triage.cycle_time ", KpiMeasure("triage", "cycle_time")),
    ],
)
def test_the_forms(text: str, meant: object) -> None:
    assert parse_measure(text) == meant


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not a measure"),
        ("completeness", "not a measure"),
        ("data.forms", "not a measure"),
        ("data.forms.freshness(a)", "not a measure"),
        ("data.completeness(a)", "not a measure"),
        ("data.forms.completeness()", "needs the fields"),
        ("data.forms.volume(a)", "takes no fields"),
        ("data.forms.completeness(a,)", "empty argument"),
        ("actuals.spend()", "takes a use case"),
        ("actuals.spend(a, b, c)", "takes a use case"),
        ("actuals.people(a)", "not a measure"),
        ("data.forms.completeness(a", "not a measure"),
        ("a.b.c", "not a measure"),
    ],
)
def test_everything_else_is_refused_with_a_sentence(text: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse_measure(text)


@given(st.text(alphabet="data.forms(),x- \n" + "é", max_size=60))
def test_any_text_is_a_measure_or_a_sentence(text: str) -> None:
    with contextlib.suppress(ValueError):
        parse_measure(text)
