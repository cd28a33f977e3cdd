"""Pictures from the command line show the readings; what cannot be drawn is said before anything is measured."""

from __future__ import annotations

import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

from tests.running import Run
from trueup.cli.charts.placebo import placebo_spec
from trueup.cli.charts.process import process_spec, spelt
from trueup.cli.charts.reliability import reliability_spec
from trueup.cli.charts.watched import watched_spec
from trueup.cli.charts.weeks import weeks_spec

PROGRAMME = "programme: Pictures\ndata:\n  log: {source: log.csv}\n"
WORKFLOW = """\
workflow: Tickets
events: {data: log, case: case, activity: activity, at: at, matures_after: 5d}
kpis:
  cycle: {duration: {from: Open, to: Close}, unit: days, better: lower}
  fine: {share: {without: [Reopen]}, better: higher}
"""


def reading(week: str, arm: str, value: float | None, low: float | None = None) -> dict[str, Any]:
    upper = None if low is None or value is None else 2 * value - low
    return {"week": week, "arm": arm, "n": 10, "value": value, "lower": low, "upper": upper}


PICTURED = {
    "workflow": "tickets",
    "gates": {"week-4": "2024-01-20", "week-8": "2025-06-01"},
    "kpis": [
        {
            "kpi": "cycle",
            "unit": "days",
            "better": "lower",
            "baseline": {"mean": 4.0, "low": 3.5, "high": 4.5},
            "readings": [
                reading("2024-01-01", "baseline", 4.2, 3.8),
                reading("2024-01-15", "control", 4.0, 3.0),
                reading("2024-01-15", "treated", 3.0),
                reading("2024-01-22", "treated", None),
            ],
        },
        {"kpi": "fine", "unit": "share", "better": None, "baseline": None, "readings": []},
    ],
}


@pytest.fixture
def programme(tmp_path: Path) -> Path:
    folder = tmp_path / "p"
    (folder / "workflows").mkdir(parents=True)
    (folder / "programme.yaml").write_text(PROGRAMME)
    (folder / "workflows" / "tickets.yaml").write_text(WORKFLOW)
    lines = ["case,activity,at"]
    for number in range(30):
        opened = datetime(2024, 1, 1, 8, tzinfo=UTC) + timedelta(days=number)
        lines.append(f"c{number},Open,{opened.isoformat()}")
        lines.append(f"c{number},Check & <send>,{(opened + timedelta(hours=2)).isoformat()}")
        lines.append(f"c{number},Close,{(opened + timedelta(hours=26 + number % 5)).isoformat()}")
    (folder / "log.csv").write_text("\n".join(lines) + "\n")
    return folder


def layers_of(panel: dict[str, Any], mark: str) -> list[dict[str, Any]]:
    return [layer for layer in panel["layer"] if layer["mark"]["type"] == mark]


def test_a_panel_holds_the_readings_the_band_and_the_gates_in_its_span() -> None:
    cycle, fine = weeks_spec(PICTURED)["vconcat"]
    (points,) = layers_of(cycle, "point")
    assert [(row["arm"], row["value"]) for row in points["data"]["values"]] == [
        ("baseline", 4.2),
        ("control", 4.0),
        ("treated", 3.0),
    ]
    (band,) = layers_of(cycle, "rect")
    assert band["data"]["values"] == [{"mean": 4.0, "low": 3.5, "high": 4.5}]
    words = [layer["mark"].get("text") for layer in layers_of(cycle, "text")]
    assert words == ["baseline", None, "treated", "control", "before the pilot"]
    gates = [layer["data"]["values"] for layer in layers_of(cycle, "text") if "text" not in layer["mark"]]
    assert gates == [[{"at": "2024-01-20", "gate": "week-4"}]]
    assert fine["data"]["values"] == [{"note": "No case has a value yet."}]


def test_two_arms_of_a_week_stand_inside_it_side_by_side() -> None:
    (points,) = layers_of(weeks_spec(PICTURED)["vconcat"][0], "point")
    assert [row["at"] for row in points["data"]["values"]] == [
        "2024-01-04T12:00:00Z",
        "2024-01-17T06:00:00Z",
        "2024-01-19T18:00:00Z",
    ]


def test_a_map_leaves_the_rarest_passages_out_and_says_how_many() -> None:
    flow = [{"before": None, "after": "Open", "n": 1000, "seconds": 0, "place": 0}]
    flow += [{"before": "Open", "after": "Close", "n": 990, "seconds": 990 * 7200, "place": 990}]
    flow += [{"before": "Open", "after": "Lost", "n": 10, "seconds": 0, "place": 10}]
    drawn = json.dumps(process_spec("w", flow), ensure_ascii=False)
    assert "1000 mature cases · 990 of 1000 passages shown" in drawn
    assert "2 h" in drawn
    assert "Lost" not in drawn


def test_a_map_of_no_case_and_of_single_events_can_be_drawn() -> None:
    assert "0 mature cases" in json.dumps(process_spec("w", []))
    alone = [{"before": None, "after": "Open", "n": 3, "seconds": 0, "place": 0}]
    assert '"name": "Open"' in json.dumps(process_spec("w", alone))


@pytest.mark.parametrize(
    ("seconds", "text"), [(0, "0 s"), (45, "45 s"), (600, "10 min"), (9000, "2.5 h"), (276_480, "3.2 d")]
)
def test_times_are_written_in_the_unit_that_fits(seconds: float, text: str) -> None:
    assert spelt(seconds) == text


def test_the_files_are_written_and_named_in_the_answer(trueup: Run, programme: Path, tmp_path: Path) -> None:
    chart, process = tmp_path / "kpis.svg", tmp_path / "map.png"
    ran = trueup("measure", programme, "tickets", "--as-of", "2024-03-01", "--chart", chart, "--map", process, "--json")
    assert ran.data["pictures"] == [
        {"shows": "kpis", "file": str(chart)},
        {"shows": "process", "file": str(process)},
    ]
    said = " ".join(ET.fromstring(chart.read_text()).itertext())  # noqa: S314 -- our own file
    assert "cycle" in said
    assert "all cases" in said
    assert process.read_bytes().startswith(b"\x89PNG")


def test_the_document_itself_has_the_numbers_of_the_answer(trueup: Run, programme: Path, tmp_path: Path) -> None:
    chart = tmp_path / "kpis.json"
    ran = trueup("measure", programme, "tickets", "--as-of", "2024-03-01", "--chart", chart, "--json")
    (points,) = layers_of(json.loads(chart.read_text())["vconcat"][0], "point")
    drawn = [row["value"] for row in points["data"]["values"]]
    assert drawn == [row["value"] for row in ran.data["readings"] if row["kpi"] == "cycle"]


def test_quantiles_of_durations_stand_beside_their_histograms(trueup: Run, programme: Path) -> None:
    """26 to 29 hours in 24 cases, 30 hours in six: parts of the window are 7.5 hours long."""
    ran = trueup("measure", programme, "tickets", "--as-of", "2024-03-01", "--histograms", "--json")
    median, ninth = ran.data["quantiles"]
    assert (median["kpi"], median["quantile"], median["n"]) == ("cycle", 0.5, 30)
    assert median["value"] == pytest.approx((22.5 + 7.5 * 15 / 24) / 24)
    assert ninth["value"] == pytest.approx((30 + 7.5 * 3 / 6) / 24)
    assert median["lower"] <= median["value"] <= median["upper"] <= 37.5 / 24
    shown = trueup("measure", programme, "tickets", "--as-of", "2024-03-01", "--histograms").out
    assert "tickets.cycle, quantiles (95% at any time, cases taken as independent)" in shown


def test_without_the_library_it_is_said_what_to_install(
    trueup: Run, programme: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(sys.modules, "vl_convert", None)
    ran = trueup("measure", programme, "tickets", "--chart", tmp_path / "kpis.svg", "--json")
    assert ran.exit_code == 2
    assert ran.error["code"] == "no-reports"
    assert "pip install 'trueup[reports]'" in ran.error["hint"]
    assert trueup("measure", programme, "tickets", "--chart", tmp_path / "kpis.json", "--json").exit_code == 0


@pytest.mark.parametrize(
    ("arguments", "code"),
    [(("--chart", "kpis.svg"), "no-workflow"), (("tickets", "--map", "map.gif"), "unknown-picture")],
)
def test_what_cannot_be_drawn_is_refused(
    trueup: Run, programme: Path, tmp_path: Path, arguments: tuple[str, ...], code: str
) -> None:
    placed = [str(tmp_path / one) if "." in one else one for one in arguments]
    ran = trueup("measure", programme, *placed, "--json")
    assert (ran.exit_code, ran.error["code"]) == (2, code)


def test_a_file_that_cannot_be_written_is_said(trueup: Run, programme: Path, tmp_path: Path) -> None:
    ran = trueup("measure", programme, "tickets", "--chart", tmp_path / "nowhere" / "kpis.json", "--json")
    assert ran.error["code"] == "not-written"


def look(on: str, estimate: float, half: float | None) -> dict[str, Any]:
    ends = (None, None) if half is None else (estimate - half, estimate + half)
    return {"on": on, "cases": 40, "estimate": estimate, "lower": ends[0], "upper": ends[1]}


WATCHED: dict[str, Any] = {
    "workflow": "tickets",
    "kpi": "cycle",
    "unit": "days",
    "bars": {"worth having": -0.4, "target": -0.41},
    "gates": {"week-4": "2024-02-05", "week-8": "2025-01-01"},
    "looks": [look("2024-01-29", -0.2, None), look("2024-02-05", -0.3, 90.0), look("2024-02-12", -0.5, 0.2)],
}
CALIBRATION: dict[str, Any] = {
    "reviewed": 80,
    "expected_calibration_error": 0.1,
    "expected_if_calibrated": 0.04,
    "unknown": None,
    "bins": [
        {
            "low": 0.5,
            "high": 0.9,
            "n": 80,
            "confidence": 0.8,
            "right": {"estimate": 0.7, "lower": 0.6, "upper": 0.79},
            "off": True,
        }
    ],
}


def test_what_was_watched_is_drawn_where_it_is_known_and_a_wide_first_look_does_not_flatten_the_rest() -> None:
    spec = watched_spec(WATCHED)
    band = layers_of(spec, "area")[0]
    assert [row["on"] for row in band["data"]["values"]] == ["2024-02-05", "2024-02-12"]
    low, high = band["encoding"]["y"]["scale"]["domain"]
    assert (low > -10, high < 10) == (True, True)
    names = [
        (layer["mark"]["text"], layer["mark"]["dy"]) for layer in layers_of(spec, "text") if "text" in layer["mark"]
    ]
    assert [name for name, _ in names] == ["no difference", "worth having", "target"]
    assert names[2][1] > names[1][1] >= 0
    assert "2024-02-12: -0.5, from -0.7 to -0.3, 40 cases" in spec["description"]
    assert "Fewer than two looks" in json.dumps(watched_spec({**WATCHED, "looks": WATCHED["looks"][:2]}))


def test_placebos_are_counted_on_both_sides_of_nought_and_what_was_found_stands_among_them() -> None:
    shown = {"workflow": "tickets", "kpi": "cycle", "scale": "log", "of": "order", "unknown": None}
    spec = placebo_spec({**shown, "effect": 0.3, "effects": [-0.3, -0.1, 0.1, 0.0, 0.3, 0.2]})
    bars = layers_of(spec, "rect")[0]["data"]["values"]
    assert sum(bar["n"] for bar in bars) == 6
    assert any(bar["low"] == 0 for bar in bars)
    assert "6 orders of the launches; 2 of them at least as far" in spec["description"]
    assert "another design" in json.dumps(placebo_spec({**shown, "unknown": "this pilot has another design"}))


def test_reliability_shows_every_part_and_says_why_there_is_none() -> None:
    spec = reliability_spec("tickets", CALIBRATION)
    (point,) = layers_of(spec, "point")
    assert point["data"]["values"][0]["right"] == 0.7
    unknown = {"unknown": {"code": "too-few-labels", "because": "3 recent cases have all three"}}
    assert "3 recent cases" in json.dumps(reliability_spec("tickets", unknown))


def test_a_picture_of_a_pilot_needs_one_and_reliability_says_what_lacks(programme: Path, trueup: Run) -> None:
    pytest.importorskip("vl_convert")
    sure = programme / "sure.svg"
    ran = trueup("measure", programme, "tickets", "--picture", "reliability", sure, "--json")
    assert ran.data["pictures"] == [{"shows": "reliability", "file": str(sure)}]
    words = sure.read_text("utf-8")
    assert "Unknown" in words
    ran = trueup("measure", programme, "tickets", "--picture", "watched", programme / "w.svg", "--json")
    assert ran.error["code"] == "no-pilot"
