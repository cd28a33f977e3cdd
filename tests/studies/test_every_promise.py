"""The promise of gates and sequences over the whole grid: kept in what is published, and the grid can tell."""

from __future__ import annotations

from dataclasses import replace

import numpy as np
import pytest

from studies import promises, untouched
from studies.figures import Count
from studies.promised import ADMITTED, BY, broken, cells
from studies.promises import STUDY
from studies.run import kept
from studies.untouched import Pilot
from studies.worlds import KINDS, Kind, draw
from trueup.decide.comparison import Basis


def published(by: str) -> list[Count]:
    return cells(kept(STUDY).figures(), by)


@pytest.mark.parametrize("by", BY)
def test_no_cell_is_above_its_promise(by: str) -> None:
    assert [cell for cell in published(by) if broken(cell)] == []


@pytest.mark.parametrize("by", BY)
@pytest.mark.parametrize("design", ADMITTED)
def test_designs_that_were_admitted_keep_the_promise_over_all_cells(design: str, by: str) -> None:
    chosen = [cell for cell in published(by) if cell.about["design"] == design]
    assert sum(cell.hits for cell in chosen) <= 0.03 * sum(cell.n for cell in chosen)


@pytest.mark.parametrize("by", BY)
def test_drawn_designs_keep_the_promise_over_all_cells(by: str) -> None:
    drawn = [cell for cell in published(by) if cell.about["design"] not in ADMITTED]
    assert sum(cell.hits for cell in drawn) <= 0.03 * sum(cell.n for cell in drawn)


@pytest.mark.parametrize("by", BY)
def test_every_design_and_kind_spoke_at_some_volume(by: str) -> None:
    spoke = {f"{cell.about['design']}/{cell.about['kind']}" for cell in published(by)}
    # Counts that are mostly nought are never calm enough for the promise.
    assert set(STUDY.parts) - spoke == {"C/counts, 70% nought"}


def test_before_and_after_judged_as_if_cases_had_been_drawn_is_found_out(monkeypatch: pytest.MonkeyPatch) -> None:
    def pretended(kind: Kind, per_week: int, shaken: bool, chance: np.random.Generator) -> Pilot:
        return [replace(look, basis=Basis.CASES) for look in untouched.before_after(kind, per_week, shaken, chance)]

    monkeypatch.setitem(untouched.DESIGNS, "D", pretended)
    found = list(promises._cell("D", "lognormal", 300, "shaken", 60))
    assert [cell.about["by"] for by in BY for cell in cells(found, by) if broken(cell)] == list(BY)


def test_a_quantile_is_passed_over_only_where_the_product_claims_nothing() -> None:
    chance, passed = np.random.default_rng(1), 0
    for name in ("median", "90% quantile"):
        for look in untouched.DESIGNS["A, 20% held out"](KINDS[name], 60, True, chance)[5::3]:
            for watched, interval in ((False, look.at_gate(0.05 / 3)), (True, look.watched(0.05))):
                alike = promises._alike(look, watched=watched)
                passed += alike
                assert not alike or interval.contains(0.0)
    assert passed > 4


@pytest.mark.parametrize("name", KINDS)
def test_weeks_share_what_they_are_said_to_share(name: str) -> None:
    """The means of weeks spread further where weeks are shaken, whatever the shape."""
    spread = []
    for shaken in (False, True):
        cases = draw(KINDS[name], 400, shaken, 150, np.random.default_rng(2))
        spread.append(np.var(np.bincount(cases.week, cases.value) / np.bincount(cases.week)))
    assert spread[1] > 1.5 * spread[0]
