"""The level follows from the design record; an assumption holds, is false, or is not known."""

from __future__ import annotations

import pytest

from trueup.decide.assumption import judge_assumption
from trueup.decide.level import Level, level_of
from trueup.declare.model.data import Assumption
from trueup.declare.model.workflow import Design

COLUMN = Design(assigned="random", by="column variant", treated=("b",), control=("a",))
ROUTER = Design(assigned="random", by="ledger")


@pytest.mark.parametrize(
    ("design", "attested", "routed", "level"),
    [
        (COLUMN, True, False, Level.ATTESTED),
        (COLUMN, False, False, Level.BEFORE_AFTER),
        (ROUTER, False, True, Level.RANDOMISED),
        (ROUTER, True, False, Level.BEFORE_AFTER),
        (Design(), True, True, Level.BEFORE_AFTER),
        (Design(assigned="matched"), True, False, Level.BEFORE_AFTER),
        (Design(assigned="staggered"), True, False, Level.BEFORE_AFTER),
    ],
)
def test_level(design: Design, attested: bool, routed: bool, level: Level) -> None:
    assert level_of(design, attested=attested, routed=routed) is level


def test_levels_are_ordered_strongest_first() -> None:
    assert [str(level) for level in Level] == ["A", "A (attested)", "A-", "B", "C", "D", "E"]
    assert Level.ATTESTED.at_least(Level.MATCHED)
    assert not Level.STABLE.at_least(Level.MATCHED)


def assumption(**bound: object) -> Assumption:
    return Assumption.model_validate({"measure": "data.d.completeness(a)", **bound})


@pytest.mark.parametrize(
    ("bound", "measured", "holds"),
    [
        ({"at_least": 0.9}, 0.81, False),
        ({"at_least": 0.9}, 0.9, True),
        ({"at_least": "90%"}, 0.95, True),
        ({"at_most": "120h"}, 130.0, False),
        ({"at_most": "120h"}, 120.0, True),
        ({"at_least": 0.9}, None, None),
    ],
)
def test_assumptions(bound: dict[str, object], measured: float | None, holds: bool | None) -> None:
    assert judge_assumption(assumption(**bound), measured).holds is holds


def test_an_assumption_without_a_bound_cannot_be_judged() -> None:
    with pytest.raises(ValueError, match="no bound"):
        judge_assumption(assumption(), 1.0)
