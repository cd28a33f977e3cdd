"""Readings in the terminal: segments that were asked for are there, and what has no value is counted."""

from __future__ import annotations

from typing import Any

from trueup.cli.views.evidence import readings_text


def reading(segment: str | None = None, without: int = 0) -> dict[str, Any]:
    return {
        "workflow": "claims",
        "kpi": "cost",
        "week": "2024-01-01",
        "arm": "treated",
        "segment": segment,
        "n": 9 if segment else 20,
        "value": 3.0,
        "lower": None,
        "upper": None,
        "unit": "days",
        "evidence_level": "A",
        "immature": 0,
        "capped": 0,
        "without_value": without,
    }


def test_every_segment_has_a_block_of_its_own_below_the_whole() -> None:
    text = readings_text({"readings": [reading("region=east"), reading(), reading("region=west")]})
    titles = [line for line in text.splitlines() if "(level A)" in line]
    assert titles == [
        "claims.cost  (level A)",
        "claims.cost  region=east  (level A)",
        "claims.cost  region=west  (level A)",
    ]
    assert "without a value" not in text


def test_cases_without_a_value_are_counted_below_their_readings() -> None:
    assert "without a value, and not counted: 7" in readings_text(
        {"readings": [reading(without=3), reading(without=4)]}
    )
    assert readings_text({"readings": []}).startswith("There are no readings")
