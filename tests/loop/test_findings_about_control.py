"""Approvals that nobody reads, effects that nobody records, reversals that nobody tried: told from the ledger alone."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.loop.operating import documented, found, happened
from tests.loop.pilots import Truth, write_programme
from tests.running import run_trueup
from trueup.ledger.entry import Entry

AT = "2024-04-15"
NOON = datetime(2024, 4, 10, 12, tzinfo=UTC)
ACTIONS = """\
actions:
  pay: {tool: erp.pay, impact: high, approval: until-act, approvers: [owner], expires: 2d, reversible_by: erp.take_back}
  look: {tool: erp.look, impact: none, approval: never}
  back: {tool: erp.take_back, impact: medium, approval: always, approvers: [owner], expires: 2d}
"""


@pytest.fixture
def root(tmp_path: Path) -> Path:
    made = write_programme(tmp_path / "p", Truth(missing=0.0, per_week=12, weeks=20))
    file = made / "workflows" / "claims.yaml"
    file.write_text(file.read_text("utf-8") + ACTIONS, "utf-8")
    assert run_trueup("baseline", made, "claims", "--by", "owner", "--as-of", "2024-03-31", "--json").exit_code == 0
    return made


def asked(number: int, at: datetime) -> Entry:
    data = {
        "approval": f"a{number}",
        "workflow": "claims",
        "action": "pay",
        "expires_at": f"{at + timedelta(days=2):%Y-%m-%dT%H:%M:%SZ}",
    }
    return Entry("approval.requested", f"approval/a{number}", at, None, data)


def answered(number: int, at: datetime, decision: str = "accepted") -> Entry:
    data = {"approval": f"a{number}", "decision": decision}
    return Entry("approval.decided", f"approval/a{number}/decided", at, "owner", data)


def stream(decisions: list[str], seconds: float) -> Iterator[Entry]:
    """Requests that wait since noon, and answers so many seconds apart."""
    yield from (asked(number, NOON) for number in range(len(decisions)))
    for number, decision in enumerate(decisions):
        yield answered(number, NOON + timedelta(minutes=30, seconds=seconds * (number + 1)), decision)


def judged(step: str, action: str = "pay", verdict: str = "allow", at: datetime = NOON) -> Entry:
    data = {"workflow": "claims", "action": action, "step": step, "verdict": verdict}
    return Entry("action.judged", f"action/claims/{step}/judged", at, None, data)


def finished(step: str, action: str = "pay") -> Entry:
    data = {"workflow": "claims", "action": action, "step": step, "ended": "done"}
    return Entry("action.finished", f"action/claims/{step}/finished", NOON + timedelta(seconds=2), None, data)


def rehearse(root: Path) -> None:
    item = ("checklist", "--workflow", "claims", "--item", "reversal-rehearsed", "--evidence", "took C1 back")
    assert run_trueup("record", root, *item, "--by", "owner", "--as-of", "2024-04-02", "--json").exit_code == 0


def test_yes_to_everything_in_seconds(root: Path) -> None:
    happened(root, *stream(["accepted"] * 25, seconds=3))
    told = found(root, AT)
    assert list(told) == ["GOV07"]
    assert documented(told["GOV07"])


@pytest.mark.parametrize(
    ("decisions", "seconds"),
    [(["accepted"] * 19, 3.0), (["accepted"] * 25, 70.0), ([*["accepted"] * 24, "rejected"], 3.0)],
    ids=["too few to tell", "time to read", "not always yes"],
)
def test_an_approver_who_reads_is_left_in_peace(root: Path, decisions: list[str], seconds: float) -> None:
    happened(root, *stream(decisions, seconds))
    assert found(root, AT) == {}


def test_approvals_that_expire_unanswered(root: Path) -> None:
    happened(root, *(asked(number, NOON) for number in range(3)), answered(0, NOON + timedelta(hours=5), "rejected"))
    assert found(root, "2024-04-11") == {}
    told = found(root, AT)
    assert list(told) == ["GOV07"]
    assert documented(told["GOV07"])
    assert "GOV07" not in found(root, "2024-05-14")


def test_a_high_impact_step_without_an_outcome(root: Path) -> None:
    rehearse(root)
    happened(root, judged("c1"), finished("c1"), judged("c2"), judged("c3", "look"), judged("c4", verdict="deny"))
    told = found(root, AT)
    assert list(told) == ["RUN05"]
    assert documented(told["RUN05"])


def test_a_step_that_has_just_begun_may_still_end(root: Path) -> None:
    rehearse(root)
    happened(root, judged("c1", at=datetime(2024, 4, 14, 23, 30, tzinfo=UTC)))
    assert found(root, AT) == {}


def test_a_reversal_that_was_never_tried(root: Path) -> None:
    happened(root, judged("c1"), finished("c1"))
    told = found(root, AT)
    assert list(told) == ["RUN05"]
    assert documented(told["RUN05"])
    rehearse(root)
    assert found(root, AT) == {}


def test_a_reversal_that_was_used_was_tried(root: Path) -> None:
    happened(root, judged("c1"), finished("c1"), judged("c1/back", "back"), finished("c1/back", "back"))
    assert found(root, AT) == {}
