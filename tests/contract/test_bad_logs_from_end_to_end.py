"""Logs that are wrong, or odd and right, through the whole command line: an answer or a way out, nothing changed."""

from __future__ import annotations

import gzip
from pathlib import Path

import pytest

from tests.loop.pilots import write_programme
from tests.running import Ran, run_trueup

HEADER = "claim,activity,time,variant,amount"
AS_OF = "2024-06-01"


def row(case: str, activity: str, time: str, variant: str = "", amount: str = "10") -> str:
    return f"{case},{activity},{time},{variant},{amount}"


def with_log(root: Path, *rows: str) -> Path:
    write_programme(root)
    (root / "data" / "claims.csv").write_text("\n".join([HEADER, *rows]) + "\n", "utf-8")
    return root


def measured(root: Path) -> Ran:
    before = {path: path.read_bytes() for path in root.rglob("*") if path.is_file()}
    ran = run_trueup("measure", root, "claims", "--as-of", AS_OF, "--json")
    after = {path: path.read_bytes() for path in root.rglob("*") if path.is_file() and ".trueup" not in path.parts}
    assert after == before
    assert not (root / ".trueup" / "ledger.db").exists()
    return ran


def of(ran: Ran, kpi: str) -> list[dict[str, object]]:
    return [reading for reading in ran.data["readings"] if reading["kpi"] == kpi]


@pytest.mark.parametrize(
    ("rows", "code"),
    [
        ([], "data-empty"),
        ([row("1", "Received", "2024-01-02T10:00:00Z"), row("1", "Settled", "2024-01-03T10:00:00")], "mixed-zones"),
        ([row("1", "Received", "2024-01-02"), row("1", "Settled", "13/01/2024 10:00")], "mixed-dates"),
        ([row("1", "Received", "01/02/2024"), row("1", "Settled", "03/02/2024")], "ambiguous-dates"),
        ([row("1", "Received", "2024-01-02T10:00:00Z")] * 2, "duplicate-events"),
        ([row("1", "Received", "yesterday")], "bad-time"),
        ([row("", "Received", "2024-01-02T10:00:00Z")], "empty-case"),
        ([row("1", "Received", "2024-01-02T10:00:00Z") + ",one,too,many"], "ragged-rows"),
    ],
)
def test_a_log_that_cannot_be_read_is_refused_with_a_way_out(tmp_path: Path, rows: list[str], code: str) -> None:
    ran = measured(with_log(tmp_path / "p", *rows))
    assert ran.exit_code == 1
    assert ran.error["code"] == code
    assert ran.error["hint"]


def test_a_log_that_is_not_there_names_the_file(tmp_path: Path) -> None:
    root = with_log(tmp_path / "p")
    (root / "data" / "claims.csv").unlink()
    ran = measured(root)
    assert (ran.exit_code, ran.error["code"]) == (1, "data-not-found")
    assert "claims.csv" in ran.error["message"]


def test_a_log_cut_off_in_the_middle_of_its_compression_is_refused(tmp_path: Path) -> None:
    root = with_log(tmp_path / "p")
    rows = [HEADER, *(row(str(n), "Received", "2024-01-02T10:00:00Z") for n in range(5000))]
    packed = gzip.compress("\n".join(rows).encode())
    (root / "data" / "claims.csv").unlink()
    (root / "data" / "claims.csv.gz").write_bytes(packed[: len(packed) // 2])
    text = (root / "programme.yaml").read_text("utf-8").replace("claims.csv", "claims.csv.gz")
    (root / "programme.yaml").write_text(text, "utf-8")
    ran = measured(root)
    assert (ran.exit_code, ran.error["code"]) == (1, "truncated")


def test_a_case_called_na_is_a_case(tmp_path: Path) -> None:
    ran = measured(
        with_log(
            tmp_path / "p",
            row("NA", "Received", "2024-01-02T10:00:00Z"),
            row("NA", "Settled", "2024-01-04T10:00:00Z"),
        )
    )
    readings = of(ran, "cycle_time")
    assert [(reading["n"], reading["value"]) for reading in readings] == [(1, 2.0)]


def test_an_end_before_the_beginning_is_no_value_and_is_counted(tmp_path: Path) -> None:
    ran = measured(
        with_log(
            tmp_path / "p",
            row("1", "Settled", "2024-01-02T10:00:00Z"),
            row("1", "Received", "2024-01-04T10:00:00Z"),
        )
    )
    reading = of(ran, "cycle_time")[0]
    assert (reading["n"], reading["value"], reading["without_value"]) == (0, None, 1)


def test_a_case_that_never_ends_counts_as_the_whole_window(tmp_path: Path) -> None:
    ran = measured(with_log(tmp_path / "p", row("1", "Received", "2024-01-02T10:00:00Z")))
    reading = of(ran, "cycle_time")[0]
    assert (reading["n"], reading["value"], reading["capped"]) == (1, 14.0, 1)


def test_a_case_too_young_is_shown_and_not_counted(tmp_path: Path) -> None:
    ran = measured(
        with_log(
            tmp_path / "p",
            row("1", "Received", "2024-05-30T10:00:00Z", "b"),
            row("1", "Settled", "2024-05-31T10:00:00Z", "b"),
        )
    )
    reading = of(ran, "cycle_time")[0]
    assert (reading["arm"], reading["n"], reading["immature"]) == ("treated", 0, 1)


def test_four_hundred_activities_are_only_many(tmp_path: Path) -> None:
    rows = [row(f"c{n}", f"Activity {n} % _ ' \" x", f"2024-01-02T10:{n % 60:02d}:00Z") for n in range(400)]
    ran = measured(with_log(tmp_path / "p", *rows))
    assert ran.exit_code == 0
    assert of(ran, "first_pass")[0]["n"] == 400


def test_one_case_is_too_little_for_a_baseline_to_be_of_use_but_says_so(tmp_path: Path) -> None:
    root = with_log(tmp_path / "p", row("1", "Received", "2024-01-02T10:00:00Z"))
    ran = run_trueup("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31", "--json")
    assert ran.exit_code == 0
    assert ran.data["summary"][0]["n"] == 1
    assert any("baseline weeks" in note for note in ran.data["notes"])


def test_no_case_in_the_window_is_refused(tmp_path: Path) -> None:
    root = with_log(tmp_path / "p", row("1", "Received", "2023-01-02T10:00:00Z"))
    ran = run_trueup("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31", "--json")
    assert (ran.exit_code, ran.error["code"]) == (1, "no-baseline-cases")
    assert not (root / "registrations").exists()


def test_gates_before_the_baseline_are_refused(tmp_path: Path) -> None:
    root = write_programme(tmp_path / "p")
    path = root / "workflows" / "claims.yaml"
    path.write_text(path.read_text("utf-8").replace("starts: 2024-04-01", "starts: 2024-01-15"), "utf-8")
    ran = run_trueup("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31", "--json")
    assert ran.exit_code in {2, 3}
    assert not (root / "registrations").exists()


def test_a_log_that_ends_before_the_gate_makes_it_unknown(tmp_path: Path) -> None:
    root = write_programme(tmp_path / "p")
    run_trueup("baseline", root, "claims", "--by", "owner", "--as-of", "2024-03-31", "--json")
    log = root / "data" / "claims.csv"
    kept = [line for line in log.read_text("utf-8").splitlines() if "2024-05" not in line and "2024-06" not in line]
    log.write_text("\n".join(kept) + "\n", "utf-8")
    review = run_trueup("review", root, "--as-of", "2024-05-27", "--json").data
    codes = {change["gate"]: change["code"] for change in review["changes"] if change["kind"] == "gate"}
    assert codes["week-8"] == "stale-data"
