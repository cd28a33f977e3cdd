"""What a KPI or a pilot may not say of quantiles, ratios of sums, price lists, agreement and adjustment."""

from __future__ import annotations

from typing import Any

import pytest
from pydantic import ValidationError

from trueup.declare.model.kpi import Kpi
from trueup.declare.model.workflow import Adjust, Pilot

TIME = {"duration": {"from": "A", "to": "B"}}


@pytest.mark.parametrize(
    ("kpi", "says"),
    [
        ({**TIME, "quantile": 0}, "between 0% and 100%"),
        ({**TIME, "quantile": "90%", "scale": "log"}, "same on every scale"),
        ({"count": {"of": "A"}, "quantile": "90%"}, "of durations"),
        ({"share": {"with": ["A"], "agree": ["a", "b"]}}, "exactly one"),
        ({"share": {"agree": ["a", "a"]}}, "two fields"),
        ({"share": {"agree": "a"}}, "two fields"),
        ({"ratio": {"of": "priced"}}, "needs `prices`"),
        ({"ratio": {"of": "amount", "prices": {"amount": 2}}}, "only `of: cost`"),
        ({"ratio": {"of": "priced", "prices": {}}}, "at least one"),
        ({"ratio": {"of": "priced", "prices": {"a": 1e-20}}}, "millionth"),
        ({"ratio": {"of": "effort", "per": "pages"}}, "known by week"),
        ({"ratio": {"of": "amount", "of_all": True}}, "per: completed"),
        ({"ratio": {"of": "cost", "per": "completed", "of_all": True}}, "for fields"),
        ({"ratio": {"of": "amount", "per": "pages"}, "scale": "log"}, "one positive value a case"),
    ],
)
def test_what_cannot_be_meant_is_refused(kpi: dict[str, Any], says: str) -> None:
    with pytest.raises(ValidationError, match=says):
        Kpi.model_validate(kpi)


@pytest.mark.parametrize(
    "adjust", [{}, {"strata": ["region"], "decides": "adjusted"}, {"covariates": [], "strata": []}]
)
def test_an_adjustment_names_something_and_strata_decide_nothing(adjust: dict[str, Any]) -> None:
    with pytest.raises(ValidationError, match=r"adjust|strata"):
        Adjust.model_validate(adjust)


def test_what_is_not_used_leaves_no_trace_in_a_definition() -> None:
    """A definition's digest is registered: a key that nobody wrote must not change it."""
    assert Kpi.model_validate(TIME).definition() == {"duration": {"from": "first A", "to": "first B"}}
    assert Kpi.model_validate({"ratio": {"of": "amount"}}).definition() == {"ratio": {"of": "amount", "per": "case"}}
    assert "adjust" not in Pilot().model_dump(mode="json", exclude_none=True)
