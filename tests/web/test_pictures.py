"""Scales and pictures: what is higher is drawn higher, ticks are round and inside, nothing leaves its frame."""

from __future__ import annotations

import math
from itertools import pairwise
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from trueup.web.charts.picture import Scale, apart, spanning
from trueup.web.charts.rung import rung_chart
from trueup.web.charts.watched import watched_chart
from trueup.web.charts.weeks import Band, weeks_chart
from trueup.web.charts.worth import short, worth_chart

VALUES = st.floats(min_value=-1e9, max_value=1e9, allow_nan=False).map(lambda value: round(value, 3))


def marks(chart: dict[str, Any] | None, mark: str, kind: str | None = None) -> list[dict[str, Any]]:
    assert chart is not None
    return [one for one in chart["marks"] if one["mark"] == mark and kind in (None, one["kind"])]


@given(st.lists(VALUES, min_size=1, max_size=20))
def test_a_scale_holds_all_its_values_in_their_order(values: list[float]) -> None:
    scale = spanning(values, 300.0, 20.0)
    places = [scale(value) for value in sorted(values)]
    assert places == sorted(places, reverse=True)
    assert all(20.0 <= place <= 300.0 for place in places)
    assert len({scale(min(values)), scale(max(values))}) == len({min(values), max(values)}) or len(set(values)) > 0


@given(VALUES, st.floats(min_value=1e-3, max_value=1e9), st.integers(min_value=2, max_value=8))
def test_ticks_are_inside_evenly_apart_and_few(low: float, size: float, most: int) -> None:
    scale = Scale(low, low + size, 0.0, 100.0)
    if scale.high <= scale.low:
        return
    ticks = scale.ticks(most)
    assert len(ticks) <= most + 1
    slack = 1e-6 * max(abs(scale.low), abs(scale.high), size)
    assert all(scale.low - slack <= tick <= scale.high + slack for tick in ticks)
    steps = [after - before for before, after in pairwise(ticks)]
    assert all(math.isclose(step, steps[0], rel_tol=1e-3, abs_tol=slack) for step in steps)


@given(st.lists(st.floats(min_value=0, max_value=400), max_size=8), st.floats(min_value=1, max_value=30))
def test_words_are_moved_apart_and_keep_their_order(places: list[float], least: float) -> None:
    moved = sorted(apart(places, least))
    assert all(after - before >= least - 1e-6 for before, after in pairwise(moved))
    assert len(moved) == len(places)


def week(day: str, arm: str, value: float | None, spread: float = 1.0) -> dict[str, Any]:
    ends = (None, None) if value is None else (value - spread, value + spread)
    return {"week": day, "arm": arm, "value": value, "lower": ends[0], "upper": ends[1]}


def test_a_week_without_a_value_is_no_point_and_without_any_there_is_no_picture() -> None:
    rows = [week("2024-01-01", "all", 5.0), week("2024-01-08", "all", None)]
    assert len(marks(weeks_chart(rows, {}, "days", "says"), "dot")) == 1
    assert weeks_chart(rows[1:], {}, "days", "says") is None


def test_the_baseline_is_a_band_and_gates_inside_the_weeks_are_verticals() -> None:
    rows = [week(f"2024-01-{day:02}", arm, 4.0) for day in (1, 8, 15) for arm in ("treated", "control")]
    gates = {"week-1": "2024-01-08", "week-9": "2024-06-01"}
    chart = weeks_chart(rows, gates, "days", "says", Band(6.0, 5.0, 7.0))
    band = marks(chart, "block", "band")[0]
    assert all(band["y"] + band["height"] < dot["y"] for dot in marks(chart, "dot"))
    assert [one["text"] for one in marks(chart, "text", "middle")] == ["week-1"]
    assert {one["text"] for one in marks(chart, "text")} >= {"treated", "control"}


def test_the_interval_of_a_difference_is_an_area_and_open_ends_are_not_drawn() -> None:
    looks = [
        {"on": "2024-01-08", "estimate": -1.0, "lower": None, "upper": None},
        {"on": "2024-01-15", "estimate": -1.0, "lower": -3.0, "upper": 1.0},
        {"on": "2024-01-22", "estimate": -1.1, "lower": -2.0, "upper": -0.2},
    ]
    chart = watched_chart(looks, {"target": -1.5}, {}, "days", "says")
    area = marks(chart, "area", "interval")[0]["points"].split()
    assert len(area) == 4
    heights = [float(point.split(",")[1]) for point in area]
    assert abs(heights[0] - heights[3]) > abs(heights[1] - heights[2])
    assert {one["text"] for one in marks(chart, "text", "start")} >= {"no difference", "target"}
    assert watched_chart(looks[:2], {}, {}, "days", "says") is None


def use_case(name: str, *, p50: float, success: float, cost: float | None, selected: bool) -> dict[str, Any]:
    def spread(middle: float) -> dict[str, float]:
        return {"p10": middle / 2, "p50": middle, "p90": middle * 2}

    costs = None if cost is None else spread(cost)
    return {
        "id": name,
        "name": name,
        "value": spread(p50),
        "success": success,
        "cost": costs,
        "selected": selected,
    }


def test_the_map_fills_what_is_funded_and_sizes_by_cost() -> None:
    rows = [
        use_case("dear", p50=900.0, success=0.5, cost=400.0, selected=True),
        use_case("cheap", p50=300.0, success=0.8, cost=100.0, selected=False),
        use_case("unpriced", p50=500.0, success=0.1, cost=None, selected=False),
    ]
    chart = worth_chart(rows, "GBP", "says")
    filled, hollow = marks(chart, "dot", "funded"), marks(chart, "dot", "unfunded")
    assert [dot["link"] for dot in filled] == ["#dear"]
    assert filled[0]["r"] == 2 * next(dot["r"] for dot in hollow if dot["link"] == "#cheap")
    assert next(dot for dot in hollow if dot["link"] == "#cheap")["y"] < filled[0]["y"]
    assert len(marks(chart, "line", "funded")) == 1
    assert worth_chart([{**rows[0], "value": None}], "GBP", "says") is None


def test_the_bound_on_the_way_to_a_rung_stands_right_of_what_was_found() -> None:
    chart = rung_chart(0.011, 0.027, 0.03)
    assert marks(chart, "dot")[0]["x"] < marks(chart, "line", "treated")[0]["x1"] < marks(chart, "line", "bar")[0]["x1"]
    assert rung_chart(None, 0.027, 0.03) is None
    assert rung_chart(0.011, None, 0.03) is None


def test_amounts_beside_an_axis_are_short() -> None:
    assert [short(value) for value in (0.0, 950.0, 12_500.0, 1.5e6, -2e9)] == ["0", "950", "12.5k", "1.5M", "-2bn"]
