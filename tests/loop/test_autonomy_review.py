"""From reviewed outcomes to a level in the file: proposed, signed, in force; taken back without anybody's signature."""

from __future__ import annotations

import csv
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.loop.pilots import Truth, write_programme
from tests.running import Ran, run_trueup
from trueup.enforce.autonomy.rung import Rungs, basis_of
from trueup.kernel.progress import silent
from trueup.ledger.entry import Entry
from trueup.workspace import opened

AT = "2024-06-03"
NOW = datetime(2024, 6, 1, tzinfo=UTC)
TERMS = "level: LEVEL, may_reach: act, wrong_at_most: 3%, sure: 95%, stable_cycles: 0"
LOG = ", reviewed: {with: [Settled], wrong: [Returned]}"
ACTION = "actions:\n  pay: {tool: erp.pay, impact: low, approval: until-act, approvers: [owner]}\n"


def run(*arguments: str | Path) -> Ran:
    return run_trueup(*arguments, "--json")


def programme(folder: Path, level: str = "draft", more: str = "", *, returned: float = 0.0) -> Path:
    """A pilot without a baseline: its gate cannot be judged, its autonomy can."""
    truth = Truth(missing=0.0, returned_treated=returned, weeks=22, per_week=60 if more else 4)
    root = write_programme(folder / "p", truth)
    file = root / "workflows" / "claims.yaml"
    terms = f"autonomy: {{{TERMS.replace('LEVEL', level)}{more}}}\n{ACTION}"
    file.write_text(file.read_text("utf-8") + terms, "utf-8")
    return root


def reviewed(root: Path, right: int, wrong: int = 0, *, blind: bool = False) -> None:
    with opened(root, silent, write=True) as bench:
        start = bench.ledger.size()
        entries = [
            Entry(
                "outcome.reviewed",
                f"outcome/claims/{start + n}",
                NOW + timedelta(minutes=start + n),
                "clerk",
                {"workflow": "claims", "case": f"C{start + n}", "wrong": n >= right, "blind": blind, "share": 1.0},
            )
            for n in range(right + wrong)
        ]
        bench.ledger.append(entries)


def moves(root: Path, as_of: str = AT) -> list[dict[str, Any]]:
    return [one for one in run("review", root, "--as-of", as_of).data["changes"] if one["kind"] == "autonomy"]


def apply_autonomy(root: Path, *more: str, by: str = "chief") -> Ran:
    review = run("review", root, "--as-of", AT).data
    n = next(change["n"] for change in review["changes"] if change["kind"] == "autonomy")
    return run(
        "apply",
        root,
        review["id"],
        "--by",
        by,
        "--as-of",
        AT,
        "--only",
        str(n),
        *(m.replace("N", str(n)) for m in more),
    )


def level_in_file(root: Path) -> str:
    text = (root / "workflows" / "claims.yaml").read_text("utf-8")
    return text.partition("autonomy: {level: ")[2].partition(",")[0]


def test_a_bound_below_the_limit_is_proposed_signed_and_in_force(tmp_path: Path) -> None:
    root = programme(tmp_path)
    reviewed(root, 500, 3)
    (change,) = moves(root)
    assert {key: change[key] for key in ("subject", "from", "to", "move", "reviewed", "wrong")} == {
        "subject": "claims",
        "from": "draft",
        "to": "approve",
        "move": "up",
        "reviewed": 503,
        "wrong": 3,
    }
    assert change["because"] == "0.6% wrong of 503 reviewed, at most 3% allowed (95% sure)"
    assert change["upper"] < 0.03
    applied = apply_autonomy(root)
    assert applied.data["applied"][0]["outcome"] == "approve"
    assert level_in_file(root) == "approve"
    decided = run("ledger", "entry", root, str(applied.data["entries"][0])).data["entry"]["data"]
    assert (decided["kind"], decided["outcome"], decided["because"]) == ("autonomy", "approve", change["because"])
    assert moves(root) == []


def test_the_chain_opens_to_the_numbers_and_the_declared_line(tmp_path: Path) -> None:
    root = programme(tmp_path)
    reviewed(root, 500)
    review = run("review", root, "--as-of", AT).data
    n = next(change["n"] for change in review["changes"] if change["kind"] == "autonomy")
    opened_change = run("why", root, review["id"], str(n)).data
    assert opened_change["formula"]["inputs"]["reviewed"] == 500
    assert "E_n(p)" in opened_change["formula"]["expression"]
    assert "level: draft" in opened_change["declared"]["text"]
    text = run_trueup("why", root, review["id"], str(n)).out
    assert "UP    claims             autonomy  draft -> approve" in text


def test_the_owner_may_not_sign_more_autonomy_but_may_take_it_back(tmp_path: Path) -> None:
    root = programme(tmp_path)
    reviewed(root, 500)
    refused = apply_autonomy(root, by="owner")
    assert refused.error["code"] == "may-not-sign"
    assert level_in_file(root) == "draft"


def test_acting_alone_waits_for_the_checklist_or_a_waiver_of_each_item(tmp_path: Path) -> None:
    root = programme(tmp_path, "approve")
    reviewed(root, 500)
    (change,) = moves(root)
    assert (change["to"], change["code"]) == ("act", "checklist")
    waived = [part for item in change["waivable"] for part in ("--waive", f"N:{item}")]
    held = apply_autonomy(root)
    assert held.data["applied"][0]["outcome"] == "hold"
    assert level_in_file(root) == "approve"
    assert moves(root) == []
    item = change["waivable"][0]
    seen = ("checklist", "--workflow", "claims", "--item", item, "--evidence", "seen")
    assert run("record", root, *seen, "--by", "owner", "--as-of", "2024-06-02").exit_code == 0
    (again,) = moves(root)
    assert item not in again["waivable"]
    done = apply_autonomy(root, *waived[2:], "--because", "tried by hand")
    assert done.data["applied"][0]["outcome"] == "act"
    assert level_in_file(root) == "act"


def test_the_outcomes_of_a_log_count_where_the_file_names_them(tmp_path: Path) -> None:
    (change,) = moves(programme(tmp_path, more=LOG))
    assert (change["from"], change["to"], change["wrong"]) == ("draft", "approve", 0)
    assert change["reviewed"] > 184


SURE = ", confidence: 90%"
HEALTH = "health: {confidence: sure}\n"


def said_how_sure(root: Path, *words: str) -> Path:
    """Let the log say a confidence: what was returned in the pilot was unsure; `words` stand for some of the others."""
    log = root / "data" / "claims.csv"
    with log.open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    returned = {row["claim"] for row in rows if row["activity"] == "Returned"}
    others = sorted({row["claim"] for row in rows} - returned)
    told = (
        dict.fromkeys(returned, "0.5") | dict.fromkeys(others, "0.95") | dict(zip(others[-300:], words, strict=False))
    )
    with log.open("w", encoding="utf-8", newline="") as stream:
        writer = csv.DictWriter(stream, [*rows[0], "sure"])
        writer.writeheader()
        writer.writerows({**row, "sure": told[row["claim"]]} for row in rows)
    return root


def test_of_a_log_only_what_was_sure_enough_counts_where_the_file_asks_for_that(tmp_path: Path) -> None:
    root = said_how_sure(programme(tmp_path, more=SURE + LOG, returned=0.2))
    # Where no field of the log says how sure the model was, no outcome says anything of what would be done alone.
    assert moves(root) == []
    assert "RUN06" in {one["code"] for one in run("check", root).data["findings"]}
    file = root / "workflows" / "claims.yaml"
    plain = file.read_text("utf-8")
    file.write_text(plain + HEALTH, "utf-8")
    (sure,) = moves(root)
    assert (sure["to"], sure["wrong"]) == ("approve", 0)
    file.write_text(plain.replace(SURE, ""), "utf-8")
    assert moves(root) == []
    file.write_text(plain.replace(SURE, ", confidence: learned") + HEALTH, "utf-8")
    assert moves(root) == []


def test_what_is_no_confidence_in_a_log_counts_nothing(tmp_path: Path) -> None:
    words = ("nan", "2", "-1", "inf", "", "very", "0.8999")
    root = said_how_sure(programme(tmp_path, more=SURE + LOG), *words * 40)
    file = root / "workflows" / "claims.yaml"
    file.write_text(file.read_text("utf-8") + HEALTH, "utf-8")
    (some,) = moves(root)
    file.write_text(file.read_text("utf-8").replace(SURE, ""), "utf-8")
    (every,) = moves(root)
    treated = {line.split(",")[0] for line in (root / "data" / "claims.csv").read_text().splitlines() if ",b," in line}
    assert every["reviewed"] - some["reviewed"] > len(words) * 40 * 0.5
    assert every["reviewed"] <= len(treated)


@pytest.mark.parametrize("change", ["model: {name: another}\n", "knowledge: [knowledge/new.md]\n"])
def test_another_model_behind_a_log_takes_the_level_back_before_anything_is_signed(tmp_path: Path, change: str) -> None:
    root = programme(tmp_path, more=LOG)
    assert apply_autonomy(root).data["applied"][0]["outcome"] == "approve"
    file = root / "workflows" / "claims.yaml"
    file.write_text(file.read_text("utf-8") + change, "utf-8")
    (down,) = moves(root)
    assert (down["move"], down["from"], down["to"], down["reviewed"]) == ("down", "approve", "draft", 0)
    assert "the model, a prompt, an action, the knowledge or a policy is another one" in down["because"]
    assert apply_autonomy(root, by="owner").data["applied"][0]["outcome"] == "draft"
    assert level_in_file(root) == "draft"
    with opened(root, silent) as bench:
        rung = Rungs(bench.ledger, "claims").now()
        assert (rung.level, rung.basis) == ("draft", basis_of(bench.programme, "claims"))
    assert moves(root) == [], "what the log showed of the other model is spent"


def test_too_many_wrong_in_a_log_prove_nothing_and_at_a_higher_level_take_it_back(tmp_path: Path) -> None:
    assert moves(programme(tmp_path, more=LOG, returned=0.2)) == []
    root = programme(tmp_path / "high", "act", LOG, returned=0.2)
    (change,) = moves(root)
    assert (change["move"], change["from"], change["to"]) == ("down", "act", "approve")
    assert "alarm of" in change["because"]
    assert apply_autonomy(root, by="owner").exit_code == 0
    assert level_in_file(root) == "approve"


def test_an_alarm_of_recorded_outcomes_is_in_force_at_once_and_proposed_to_the_file(tmp_path: Path) -> None:
    root = programme(tmp_path, "act")
    fell = None
    for n in range(20):
        said = ("outcome", "--workflow", "claims", "--case", f"X{n}", "--wrong", "--blind", "0.1")
        ran = run("record", root, *said, "--by", "clerk", "--as-of", "2024-06-01")
        assert ran.exit_code == 0, ran
        fell = ran.data.get("fell")
        if fell:
            break
    assert fell is not None
    assert fell["to"] == "approve"
    assert level_in_file(root) == "act"
    (change,) = moves(root)
    assert (change["from"], change["to"], change["code"]) == ("act", "approve", "taken-back")
    found = run("check", root, "--with-data", "--as-of", AT).data["findings"]
    (run03,) = [one for one in found if one["code"] == "RUN03"]
    assert (run03["severity"], run03["file"]) == ("error", "workflows/claims.yaml")
    assert not [one for one in run("review", root, "--as-of", AT).data["changes"] if one.get("code") == "RUN03"]
    assert apply_autonomy(root, by="owner").exit_code == 0
    assert level_in_file(root) == "approve"
    assert run("ledger", "verify", root).data["ok"] is True


def test_an_incident_of_severity_1_takes_the_level_to_draft(tmp_path: Path) -> None:
    root = programme(tmp_path, "act")
    said = ("incident", "--workflow", "claims", "--incident", "wrong-payment", "--what", "paid twice")
    assert run("record", root, *said, "--by", "owner", "--as-of", "2024-06-01").exit_code == 0
    (change,) = moves(root)
    assert (change["from"], change["to"]) == ("act", "draft")
    assert "severity-1 incident wrong-payment: paid twice" in change["because"]


def test_evidence_from_before_a_fall_moves_nothing_up(tmp_path: Path) -> None:
    root = programme(tmp_path, "draft")
    reviewed(root, 500)
    said = ("incident", "--workflow", "claims", "--incident", "wrong-payment", "--what", "paid twice")
    assert run("record", root, *said, "--by", "owner", "--as-of", "2024-06-02").exit_code == 0
    assert moves(root) == []


def test_stable_cycles_are_asked_for(tmp_path: Path) -> None:
    root = programme(tmp_path)
    file = root / "workflows" / "claims.yaml"
    file.write_text(file.read_text("utf-8").replace("stable_cycles: 0", "stable_cycles: 2"), "utf-8")
    reviewed(root, 500)
    assert moves(root) == []


def test_a_rise_that_cannot_be_noticed_in_time_is_found(tmp_path: Path) -> None:
    root = programme(tmp_path, more=f"{LOG}, detect: {{rise_to: 5%, within: 1w, labels_after: 3d}}")
    found = run("check", root, "--with-data", "--as-of", AT).data["findings"]
    (run06,) = [one for one in found if one["code"] == "RUN06"]
    assert "To notice a rise from 3% to 5% wrong takes" in run06["detail"]
    text = (root / "workflows" / "claims.yaml").read_text("utf-8").splitlines()
    assert "within: 1w" in text[run06["line"] - 1]
    far = programme(tmp_path / "far", more=f"{LOG}, detect: {{rise_to: 30%, within: 8w}}")
    assert not [
        one for one in run("check", far, "--with-data", "--as-of", AT).data["findings"] if one["code"] == "RUN06"
    ]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        (("--workflow", "claims", "--case", "C1"), "option-missing"),
        (("--workflow", "claims", "--wrong"), "option-missing"),
        (("--workflow", "claims", "--case", " ", "--wrong"), "option-missing"),
        (("--workflow", "nowhere", "--case", "C1", "--right"), "no-such-workflow"),
        (("--workflow", "claims", "--case", "C1", "--right", "--blind", "0"), "bad-share"),
        (("--workflow", "claims", "--case", "C1", "--right", "--blind", "2"), "bad-share"),
        (("--workflow", "claims", "--case", "C1", "--right", "--hours", "2"), "option-foreign"),
    ],
)
def test_what_is_no_outcome_is_refused(tmp_path: Path, said: tuple[str, ...], code: str) -> None:
    root = programme(tmp_path)
    assert run("record", root, "outcome", *said, "--by", "clerk").error["code"] == code


def test_an_outcome_counts_once(tmp_path: Path) -> None:
    root = programme(tmp_path)
    said = ("outcome", "--workflow", "claims", "--case", "C1", "--right", "--by", "clerk")
    assert run("record", root, *said, "--as-of", "2024-06-01").exit_code == 0
    assert run("record", root, *said, "--as-of", "2024-06-02").error["code"] == "reviewed-before"


def test_a_review_from_before_the_outcomes_does_not_see_them(tmp_path: Path) -> None:
    root = programme(tmp_path)
    reviewed(root, 500)
    assert moves(root, "2024-05-20") == []
