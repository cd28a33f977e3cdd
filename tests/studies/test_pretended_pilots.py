"""A pretended pilot is told what a real one is told: through files, ledger and review, on the same log."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from studies import logs
from studies.launches import BEFORE_AFTER, GATES, apart, mondays, pretend
from studies.logs import Log, Logs, Series
from tests.loop.pilots import PILOT, Truth, write_programme
from tests.running import run_trueup
from trueup.kernel.quantities import Bar

KPI = "\n  cycle_time: {duration: {from: first Received, to: last Settled}, unit: days, better: lower}\n"


def pretended(folder: Path, log: Path, monkeypatch: pytest.MonkeyPatch) -> Series:
    (folder / "logs").mkdir(parents=True)
    shutil.copy(log, folder / "logs" / "claims.csv")
    monkeypatch.setattr(
        logs, "LOGS", {"claims": Log("claims.csv", "case: claim, activity: activity, at: time", 14, KPI)}
    )
    return Logs(folder, folder / "work").series("claims", "cycle_time")


def real(root: Path) -> Path:
    """Write a programme whose baseline is the one of the rule, and which has no bar."""
    write_programme(root, Truth(effect=0.5), design="{assigned: none}")
    workflow = root / "workflows" / "claims.yaml"
    text = workflow.read_text("utf-8").replace("from: 2024-01-01", "from: 2024-01-22")
    workflow.write_text(text.replace("    worth_having: -10%\n", ""), "utf-8")
    return root


def test_a_pretended_pilot_is_admitted_and_judged_as_a_real_one_is(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = real(tmp_path / "p")
    registered = run_trueup("baseline", root, "claims", "--by", "owner", "--as-of", "2024-04-01", "--json").data
    changes = run_trueup("review", root, "--as-of", "2024-06-25", "--json").data["changes"]
    series = pretended(tmp_path / "data", root / "data" / "claims.csv", monkeypatch)
    launch = pretend(series, PILOT, BEFORE_AFTER, Bar.parse("-30%"))
    assert launch.registration.admission is not None
    admission = launch.registration.admission.model_dump(mode="json")
    assert {key: admission[key] for key in ("admitted", "because", "margin", "promised", "floor")} == {
        key: registered["admission"][key] for key in ("admitted", "because", "margin", "promised", "floor")
    }
    # A real gate of week 12 asks for more, because it scales.
    for week in GATES[:-1]:
        told = next(change for change in changes if change.get("gate") == f"week-{week}")
        verdict = launch.verdict(week)
        assert (verdict.outcome.value, verdict.code) == (told["outcome"], told["code"])
        assert [verdict.interval.lower, verdict.interval.upper] == pytest.approx([told["lower"], told["upper"]])
    assert launch.says_go()


def test_launches_that_are_apart_share_no_week(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    root = real(tmp_path / "p")
    series = pretended(tmp_path / "data", root / "data" / "claims.csv", monkeypatch)
    launches = mondays(series)
    assert launches[0] == series.begins + 10 * logs.WEEK
    assert launches[-1] + 12 * logs.WEEK == series.ends
    assert [number for number in range(45) if apart(series, number)] == [0, 22, 44]
