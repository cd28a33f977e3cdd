"""The ranking follows what was learned: only what is overturned is asked, with its reason, and only once."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.loop.portfolio import write_portfolio
from tests.running import Ran, run_trueup

DAY = "2024-03-04"
LATER = "2024-03-11"


def run(*arguments: str | Path) -> Ran:
    return run_trueup(*arguments, "--json")


def review(root: Path, day: str = DAY) -> tuple[str, list[dict[str, Any]]]:
    data = run("review", root, "--as-of", day).data
    return data["id"], data["changes"]


def ranks(changes: list[dict[str, Any]]) -> dict[str, dict[str, Any]]:
    return {change["id"]: change for change in changes if change["kind"] == "rank"}


def number(changes: list[dict[str, Any]], kind: str, name: str) -> int:
    return next(int(one["n"]) for one in changes if one["kind"] == kind and one["subject"] == name)


def decided(root: Path) -> list[dict[str, Any]]:
    """Return the `ranking.decided` entries of the record."""
    size = run("ledger", "verify", root).data["size"]
    entries = [run("ledger", "entry", root, str(index)).data["entry"] for index in range(size)]
    return [entry["data"] for entry in entries if entry["type"] == "ranking.decided"]


@pytest.fixture
def root(tmp_path: Path) -> Path:
    return write_portfolio(tmp_path / "portfolio")


def test_a_false_assumption_overturns_the_ranking_in_the_same_review(root: Path) -> None:
    _, changes = review(root)
    kinds = [change["kind"] for change in changes]
    assert kinds.index("assumption") < kinds.index("rank")
    found = ranks(changes)
    assert set(found) == {"letters", "triage"}
    letters, triage = found["letters"], found["triage"]
    assert (letters["from"], letters["to"]) == (2, 4)
    assert (letters["selected_from"], letters["selected"]) == (True, False)
    assert letters["p_funded"] < 0.3
    assert letters["p_funded_from"] > 0.7
    assert letters["success"] == pytest.approx(0.3 * letters["success_from"], abs=1e-4)
    assert letters["rests_on"] == letters["assumptions"] == ["amounts-are-known"]
    assert "the assumption amounts-are-known is false" in letters["because"]
    assert (triage["selected_from"], triage["selected"]) == (False, True)
    assert triage["because"] == "what was learned about letters makes room for it"
    assert {change["finding"] for change in found.values()} == {"PORT04"}


def test_people_read_places_probabilities_and_what_stands_above(root: Path) -> None:
    text = run_trueup("review", root, "--as-of", DAY).out
    line = next(line for line in text.splitlines() if line.startswith("  RANK  letters"))
    assert "2 -> 4" in line
    assert "P(funded) 0.89 -> 0.04" in line
    assert "because of the above" in text
    assert "no longer in the funded set" in text
    assert max(len(line) for line in text.splitlines() if not line.startswith("    trueup")) <= 80


def test_applied_it_is_written_into_files_and_record_and_not_asked_again(root: Path) -> None:
    name, _ = review(root)
    ran = run("apply", root, name, "--by", "chief", "--as-of", DAY)
    assert ran.exit_code == 0, ran
    outcomes = {done["subject"]: done["outcome"] for done in ran.data["applied"] if done["kind"] == "rank"}
    assert outcomes == {"letters": "left out", "triage": "selected"}
    assert "ranking: {decided: [claims, summary, triage, letters]}" in (root / "programme.yaml").read_text("utf-8")
    (entry,) = decided(root)
    assert entry["order"] == ["claims", "summary", "triage", "letters"]
    assert list(entry["evidence"]["false"]) == ["amounts-are-known"]
    assert entry["open"] == []
    for day in (DAY, LATER):
        assert ranks(review(root, day)[1]) == {}
    assert run("ledger", "verify", root).data["ok"] is True
    told = {case["id"]: case["rank"] for case in run("rank", root, "--as-of", DAY).data["use_cases"]}
    assert [one for one, _ in sorted(told.items(), key=lambda item: item[1])] == entry["order"]


def test_declined_it_stays_as_it_was_and_is_not_asked_again(root: Path) -> None:
    name, changes = review(root)
    numbers = ",".join(str(change["n"]) for change in ranks(changes).values())
    ran = run(
        "apply",
        root,
        name,
        "--by",
        "chief",
        "--as-of",
        DAY,
        "--decline",
        numbers,
        "--because",
        "the contract is signed",
    )
    assert ran.exit_code == 0, ran
    assert {done["subject"] for done in ran.data["declined"]} == {"letters", "triage"}
    assert "ranking" not in (root / "programme.yaml").read_text("utf-8")
    assert decided(root) == []
    assert ranks(review(root)[1]) == {}


def test_what_is_left_open_is_asked_again_from_where_it_was(root: Path) -> None:
    name, changes = review(root)
    taken = (number(changes, "assumption", "amounts-are-known"), number(changes, "rank", "letters"))
    only = ",".join(str(n) for n in taken)
    assert run("apply", root, name, "--by", "chief", "--as-of", DAY, "--only", only).exit_code == 0
    (entry,) = decided(root)
    assert entry["open"] == ["triage"]
    assert entry["order"] == ["claims", "summary", "triage", "letters"]
    name, changes = review(root)
    assert set(ranks(changes)) == {"triage"}
    assert run("apply", root, name, "--by", "chief", "--as-of", DAY).exit_code == 0
    assert ranks(review(root)[1]) == {}


@pytest.mark.parametrize("how", ["--decline", "--only"])
def test_a_ranking_is_not_taken_without_what_it_follows_from(root: Path, how: str) -> None:
    name, changes = review(root)
    n = number(
        changes,
        "assumption" if how == "--decline" else "rank",
        "amounts-are-known" if how == "--decline" else "letters",
    )
    because = ["--because", "counted wrongly"] if how == "--decline" else []
    ran = run("apply", root, name, "--by", "chief", "--as-of", DAY, how, str(n), *because)
    assert (ran.exit_code, ran.error["code"]) == (2, "ranking-without-ground")
    assert decided(root) == []


def test_a_declined_assumption_is_no_evidence(root: Path) -> None:
    name, changes = review(root)
    numbers = ",".join(str(change["n"]) for change in changes if change["kind"] in {"assumption", "rank"})
    args = ("--decline", numbers, "--because", "counted wrongly")
    assert run("apply", root, name, "--by", "chief", "--as-of", DAY, *args).exit_code == 0
    assert ranks(review(root)[1]) == {}


def test_only_who_may_change_the_strategy_signs(root: Path) -> None:
    name, changes = review(root)
    only = ",".join(str(change["n"]) for change in ranks(changes).values())
    ran = run("apply", root, name, "--by", "clerk", "--as-of", DAY, "--only", only)
    assert ran.exit_code in {2, 4}
    ran = run("apply", root, name, "--by", "clerk", "--as-of", DAY)
    assert (ran.exit_code, ran.error["code"]) == (4, "may-not-sign")


def test_what_moves_nobody_past_anybody_is_no_change(tmp_path: Path) -> None:
    """The same measured readiness for all three: every chance changes, and no place does."""
    root = write_portfolio(tmp_path / "p", supports="[claims]", data="data.claims")
    _, changes = review(root)
    assert ranks(changes) == {}


def test_a_belief_that_supports_all_alike_overturns_nothing(tmp_path: Path) -> None:
    root = write_portfolio(tmp_path / "p", supports="[letters, summary, triage]")
    found = ranks(review(root)[1])
    # A third of the chance: what remains is not worth its cost, and so all three leave the set, in their order.
    assert all(change["selected_from"] and not change["selected"] for change in found.values())


def test_a_true_belief_changes_nothing(tmp_path: Path) -> None:
    root = write_portfolio(tmp_path / "p", missing=0.02)
    assert [change for change in review(root)[1] if change["kind"] in {"assumption", "rank"}] == []


def test_an_assumption_that_holds_again_puts_the_ranking_back(root: Path) -> None:
    name, _ = review(root)
    assert run("apply", root, name, "--by", "chief", "--as-of", DAY).exit_code == 0
    file = root / "programme.yaml"
    file.write_text(file.read_text("utf-8").replace("at_least: 0.90", "at_least: 0.50"), "utf-8")
    _, changes = review(root, LATER)
    assert [change["holds"] for change in changes if change["kind"] == "assumption"] == [True]
    letters = ranks(changes)["letters"]
    assert (letters["from"], letters["to"], letters["selected"]) == (4, 2, True)
    assert "holds again" in letters["because"]


def test_measured_readiness_is_evidence(tmp_path: Path) -> None:
    """Unmeasured, data counts any of three scores; measured near the top it lifts what rests on it."""
    root = write_portfolio(tmp_path / "p", supports="[claims]")
    file = root / "use-cases" / "triage.yaml"
    file.write_text(file.read_text("utf-8").replace("{data: 2", "{data: data.claims"), "utf-8")
    found = ranks(review(root)[1])
    if found:
        assert "readiness of data.claims is" in found["triage"]["because"]
        assert "not measured before" in found["triage"]["because"]
        assert found["triage"]["rests_on"] == []
        assert found["triage"]["to"] < found["triage"]["from"]


def test_an_impossible_portfolio_proposes_no_ranking(root: Path) -> None:
    file = root / "use-cases" / "claims.yaml"
    cost = "cost: {build: [70000, 80000, 90000], run: [1, 2, 3]}\nvalue: {saved: {range: [1, 2, 3]}}\n"
    file.write_text(file.read_text("utf-8") + cost, "utf-8")
    assert run("rank", root, "--as-of", DAY).error["code"] == "impossible-portfolio"
    ran = run("review", root, "--as-of", DAY)
    assert ran.exit_code == 0
    assert ranks(ran.data["changes"]) == {}


def test_the_chain_shows_both_rankings_and_ends_at_the_declared_line(root: Path) -> None:
    name, changes = review(root)
    chain = run("why", root, name, str(number(changes, "rank", "letters"))).data
    assert chain["declared"]["file"] == "programme.yaml"
    assert "amounts-are-known" in chain["declared"]["text"]
    assert chain["formula"]["inputs"]["decided"] == {"false": {}, "readiness": {}}
    assert list(chain["formula"]["inputs"]["present"]["false"]) == ["amounts-are-known"]
    assert chain["formula"]["inputs"]["places"]["letters"].startswith("2 -> 4")
    text = run_trueup("why", root, name, str(number(changes, "rank", "triage"))).out
    assert "decided false: none" in text
    json.dumps(chain, allow_nan=False)
