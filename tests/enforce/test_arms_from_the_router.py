"""The router: in which arm a case is, before it starts, once and for all; and the level that it earns."""

from __future__ import annotations

import csv
import hashlib
import subprocess
import sys
from collections import Counter
from datetime import UTC, datetime, timedelta
from itertools import pairwise
from pathlib import Path

import pytest

from tests.loop.pilots import Truth, write_programme
from tests.running import Ran, run_trueup
from trueup.enforce.router import Arrival, Assignment
from trueup.kernel.errors import ConflictError, NotFoundError, UsageError
from trueup.sdk import routed
from trueup.workspace import reading_ledger

DESIGN = "{assigned: random, unit: case, by: ledger, share: 80%}"
BEFORE = datetime(2024, 4, 1, tzinfo=UTC)
WEEK_8 = "2024-05-27"


def run(*arguments: str | Path) -> Ran:
    return run_trueup(*arguments, "--json")


def registered(root: Path, design: str = DESIGN, truth: Truth | None = None) -> Path:
    programme = write_programme(root / "claims-programme", truth or Truth(per_week=5), design)
    ran = run("baseline", programme, "claims", "--by", "owner", "--as-of", "2024-03-31")
    assert ran.exit_code == 0, ran
    return programme


def draw(programme: Path, cases: list[Arrival]) -> list[Assignment]:
    with routed(str(programme), "claims") as router:
        return router.assign_all(cases, BEFORE)


def test_the_command_answers_the_same_ever_after(tmp_path: Path) -> None:
    programme = registered(tmp_path)
    first = run("assign", programme, "claims", "C1")
    assert first.exit_code == 0
    assert set(first.data) == {"case", "unit", "arm", "entry"}
    assert (first.data["case"], first.data["unit"]) == ("C1", "C1")
    assert run("assign", programme, "claims", "C1").data == first.data
    with reading_ledger(programme) as ledger:
        assert ledger.entry(first.data["entry"]).entry.type == "case.assigned"
        size = ledger.size()
    other = subprocess.run(
        [sys.executable, "-m", "trueup", "assign", str(programme), "claims", "C1"],
        capture_output=True,
        text=True,
        check=True,
    )
    assert f"C1: {first.data['arm']}" in other.stdout
    with reading_ledger(programme) as ledger:
        assert ledger.size() == size
    assert run("ledger", "verify", programme).data["ok"] is True


def test_the_share_is_kept_and_the_draw_does_not_follow_the_order(tmp_path: Path) -> None:
    programme = registered(tmp_path)
    cases = [f"case {n}" for n in range(3000)]
    arms = [assignment.arm for assignment in draw(programme, [Arrival(case) for case in cases])]
    # Four standard deviations of a binomial share of 80%.
    assert Counter(arms)["treated"] / 3000 == pytest.approx(0.8, abs=4 * (0.16 / 3000) ** 0.5)
    again = draw(programme, [Arrival(case) for case in reversed(cases)])
    assert [assignment.arm for assignment in again] == arms[::-1]
    runs = sum(one != two for one, two in pairwise(arms))
    assert runs == pytest.approx(2 * 0.8 * 0.2 * 2999, rel=0.15), "neighbours are independent"


def test_cases_named_twice_in_one_go_are_drawn_once(tmp_path: Path) -> None:
    one, two = draw(registered(tmp_path), [Arrival("C1"), Arrival("C1")])
    assert one == two


def test_a_unit_keeps_its_arm_over_all_its_cases(tmp_path: Path) -> None:
    programme = registered(tmp_path, DESIGN.replace("unit: case", "unit: variant"))
    cases = [Arrival(f"C{n}", unit=f"team {n % 7}") for n in range(70)]
    arms = {(assignment.unit, assignment.arm) for assignment in draw(programme, cases)}
    assert len(arms) == 7
    with pytest.raises(UsageError, match="names none"):
        draw(programme, [Arrival("C99")])
    missing = run("assign", programme, "claims", "C99")
    assert (missing.exit_code, missing.error["code"]) == (2, "no-unit")
    assert run("assign", programme, "claims", "C99", "--unit", "team 3").data["unit"] == "team 3"


def test_a_unit_that_is_not_the_designs_is_refused(tmp_path: Path) -> None:
    ran = run("assign", registered(tmp_path), "claims", "C1", "--unit", "team 1")
    assert (ran.exit_code, ran.error["code"]) == (2, "unit-is-case")


def test_strata_are_balanced_in_blocks_over_processes(tmp_path: Path) -> None:
    programme = registered(tmp_path)
    arms: dict[str, list[str]] = {"north": [], "south": []}
    for n in range(40):
        stratum = "north" if n % 4 else "south"
        [assignment] = draw(programme, [Arrival(f"C{n}", stratum=stratum)])
        arms[stratum].append(assignment.arm)
    for stratum, drawn in arms.items():
        blocks = [drawn[start : start + 5] for start in range(0, len(drawn), 5)]
        assert {block.count("control") for block in blocks} == {1}, stratum


def test_registering_again_does_not_draw_again(tmp_path: Path) -> None:
    programme = registered(tmp_path)
    cases = [Arrival(f"C{n}") for n in range(50)]
    before = draw(programme, cases)
    ran = run(
        "baseline", programme, "claims", "--by", "owner", "--as-of", "2024-03-31", "--replace", "--because", "typo"
    )
    assert ran.exit_code == 0, ran
    assert draw(programme, cases) == before
    more = [Arrival(f"D{n}") for n in range(50)]
    assert len({(a.unit, a.arm) for a in draw(programme, more)}) == 50


@pytest.mark.parametrize("case", ["", "a\nb", "\x00", "x" * 501])
def test_a_case_needs_an_id(tmp_path: Path, case: str) -> None:
    with pytest.raises(UsageError):
        draw(registered(tmp_path), [Arrival(case)])


def test_without_a_routed_and_registered_design_it_is_refused(tmp_path: Path) -> None:
    column = write_programme(tmp_path / "column", Truth(per_week=3))
    assert run("assign", column, "claims", "C1").error["code"] == "not-routed"
    unregistered = write_programme(tmp_path / "unregistered", Truth(per_week=3), DESIGN)
    ran = run("assign", unregistered, "claims", "C1")
    assert (ran.exit_code, ran.error["kind"], ran.error["code"]) == (1, "conflict", "not-registered")
    assert not (unregistered / ".trueup").exists()
    assert run("assign", unregistered, "clams", "C1").error["code"] == "no-such-workflow"
    moved = registered(tmp_path)
    file = moved / "workflows" / "claims.yaml"
    file.write_text(file.read_text().replace("share: 80%", "share: 50%"))
    assert run("assign", moved, "claims", "C1").error["code"] == "design-moved"
    for root, error in ((column, ConflictError), (tmp_path / "nowhere", NotFoundError)):
        with pytest.raises(error), routed(root, "claims"):
            pass


def route_the_log(programme: Path, *, late: str | None = None) -> None:
    """Draw every pilot case just before its first event, and make the treated ones quicker."""
    log = programme / "data" / "claims.csv"
    rows = list(csv.DictReader(log.read_text("utf-8").splitlines()))
    starts: dict[str, datetime] = {}
    for row in rows:
        starts.setdefault(row["claim"], datetime.fromisoformat(row["time"]))
    pilot = {case: at for case, at in starts.items() if at >= BEFORE}
    arms = {}
    with routed(programme, "claims") as router:
        for case, at in pilot.items():
            drawn = at + timedelta(hours=1) if case == late else at
            arms[case] = router.assign(case, drawn).arm
    for row in rows:
        at = datetime.fromisoformat(row["time"])
        if arms.get(row["claim"]) == "treated":
            row["time"] = f"{starts[row['claim']] + (at - starts[row['claim']]) * 0.5:%Y-%m-%dT%H:%M:%SZ}"
    with log.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, list(rows[0]))
        writer.writeheader()
        writer.writerows(sorted(rows, key=lambda row: row["time"]))


def test_cases_from_the_router_reach_level_a_and_go(tmp_path: Path) -> None:
    truth = Truth(effect=1.0, per_week=60)
    programme = registered(tmp_path, truth=truth)
    route_the_log(programme)
    review = run("review", programme, "--as-of", WEEK_8)
    gate = {change["gate"]: change for change in review.data["changes"] if change["kind"] == "gate"}["week-8"]
    assert (gate["outcome"], gate["evidence_level"]) == ("go", "A")
    assert gate["upper"] < 0
    readings = run("measure", programme, "claims", "--as-of", WEEK_8).data["readings"]
    pilot = {reading["arm"] for reading in readings if reading["week"] >= "2024-04-01" and reading["n"]}
    assert pilot == {"treated", "control"}
    assert {reading["evidence_level"] for reading in readings if reading["kpi"] == "cycle_time"} == {"A"}


def test_a_case_drawn_after_it_began_makes_the_gate_unknown_and_is_named(tmp_path: Path) -> None:
    programme = registered(tmp_path, truth=Truth(effect=1.0, per_week=60))
    route_the_log(programme, late="C13-000")
    review = run("review", programme, "--as-of", WEEK_8)
    gate = {change["gate"]: change for change in review.data["changes"] if change["kind"] == "gate"}["week-8"]
    assert gate["outcome"] == "unknown"
    assert "C13-000" in gate["because"]


def test_the_draw_can_be_made_again_without_us(tmp_path: Path) -> None:
    """The documented formula, written out a second time."""
    programme = registered(tmp_path)
    ran = run("assign", programme, "claims", "C1")
    with reading_ledger(programme) as ledger:
        data = ledger.entry(ran.data["entry"]).entry.data
    text = f'["{data["salt"]}","unit","C1"]'
    number = int(hashlib.sha256(text.encode()).hexdigest()[:16], 16)
    assert ran.data["arm"] == ("treated" if number / 2**64 < 0.8 else "control")
