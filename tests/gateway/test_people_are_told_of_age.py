"""When a held step has become old, whoever is named hears of it once, whichever process looks, and however often."""

from __future__ import annotations

import json
import threading
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.enforce.governed import Clock, World, pay, world, write
from tests.gateway.test_people_are_told import ADDRESSES, chat
from tests.running import run_trueup
from trueup.enforce.approvals import Ask
from trueup.enforce.attempt import Held
from trueup.enforce.request import Request
from trueup.enforce.standing.ageing import Ageing
from trueup.kernel.progress import silent
from trueup.sdk import governed
from trueup.workspace import opened, repeatedly

ACTIONS = """\
  pay: {tool: erp.pay, impact: high, approval: always, approvers: [lead], expires: 2d, escalate_after: 4h}
  note: {tool: erp.note, impact: high, approval: always, approvers: [lead], expires: 2d}
"""


def held(at: World, step: str = "one", **more: Any) -> str:
    return str(at.gate(step).call(pay(**more), step, at.tool).approval)


def look(at: World, ageing: Ageing, runner: str = "one") -> list[Held]:
    told: list[Held] = []
    names = ageing.tell(at.desk, at.clock.now(), runner, told.append)
    assert names == [one.approval for one in told]
    return told


def test_it_is_told_once_however_often_and_by_whomever_is_looked(tmp_path: Path) -> None:
    at = world(tmp_path, actions=ACTIONS)
    approval = held(at)
    ageing = Ageing()
    assert look(at, ageing) == []
    at.clock.move(hours=4)
    [told] = look(at, ageing)
    assert (told.approval, told.action, told.since) == (approval, "pay", "escalated")
    # Again; in another process at the same instant; after a restart.
    assert look(at, ageing) == look(at, Ageing(), "two") == []
    at.clock.move(hours=1)
    assert look(at, Ageing()) == []
    assert at.types().count("approval.told") == 1


def test_of_two_that_saw_it_at_the_same_time_one_tells(tmp_path: Path) -> None:
    at = world(tmp_path, actions=ACTIONS)
    held(at)
    at.clock.move(hours=5)
    told: list[Held] = []
    both = threading.Barrier(2)

    def process(runner: str) -> None:
        ageing = Ageing()
        assert len(ageing.due(at.desk, at.clock.now())) == 1
        both.wait()
        ageing.tell(at.desk, at.clock.now(), runner, told.append)

    threads = [threading.Thread(target=process, args=(runner,)) for runner in ("one", "two")]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(told) == 1


@pytest.mark.parametrize("decision", ["accept", "reject", "escalate"])
def test_what_somebody_has_taken_up_is_not_told(tmp_path: Path, decision: str) -> None:
    at = world(tmp_path, actions=ACTIONS)
    approval = held(at)
    at.desk.decide(Ask(approval, decision, "lead"), at.policy, at.clock.now(), lambda _: {})
    at.clock.move(hours=5)
    assert look(at, Ageing()) == []


def test_what_has_expired_or_is_handed_on_to_nobody_is_not_told(tmp_path: Path) -> None:
    at = world(tmp_path, actions=ACTIONS)
    held(at)
    at.clock.move(days=3)
    assert look(at, Ageing()) == []


def test_nothing_is_told_where_it_cannot_be_written_down_first(tmp_path: Path) -> None:
    at = world(tmp_path, actions=ACTIONS)
    held(at)
    at.clock.move(hours=5)
    at.ledger.refuses = "approval.told"
    ageing = Ageing()
    with pytest.raises(OSError, match="full"):
        look(at, ageing)
    at.ledger.refuses = ""
    assert len(look(at, ageing)) == 1


def programme(root: Path) -> Path:
    write(root, actions=ACTIONS)
    file = root / "programme.yaml"
    file.write_text(f"{file.read_text('utf-8')}notify: env:{ADDRESSES}\n", "utf-8")
    return root


def hold_long_ago(root: Path) -> str:
    request = Request("erp.pay", {"amount": 120, "account": "GB-17"}, case="D-17")
    with governed(root, "payments", clock=Clock(datetime.now(UTC) - timedelta(hours=5))) as gate:
        outcome = gate.call(request, "D-17/pay", lambda _: None)
    return str(outcome.approval)


def test_a_command_and_an_open_gate_tell_by_a_real_message_that_holds_no_secret(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = programme(tmp_path)
    with chat() as (address, got):
        monkeypatch.setenv(ADDRESSES, address)
        approval = hold_long_ago(root)
        assert [message["title"] for message in got] == ["Trueup: payments.pay waits for a person"]
        ran = run_trueup("approvals", "remind", root, "--json")
        assert ran.data == {"told": [approval]}
        assert got[1]["title"] == "Trueup: payments.pay still waits"
        assert "whom the workflow escalates to may decide too" in got[1]["message"]
        assert f"trueup approvals show DIR {approval}" in got[1]["message"]
        said = json.dumps(got)
        for secret in ("GB-17", "D-17", "sesame", "chief", str(tmp_path)):
            assert secret not in said
        # The next gate looks as it opens, and finds that it was told.
        with governed(root, "payments"):
            pass
        assert run_trueup("approvals", "remind", root, "--json").data == {"told": []}
        assert len(got) == 2
    with opened(root, silent) as bench:
        assert len(list(bench.ledger.entries("approval.told"))) == 1


def test_a_gate_that_opens_tells_what_got_old_while_nobody_looked(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    root = programme(tmp_path)
    with chat() as (address, got):
        monkeypatch.setenv(ADDRESSES, address)
        hold_long_ago(root)
        with governed(root, "payments"):
            pass
        assert [message["title"] for message in got][1:] == ["Trueup: payments.pay still waits"]


def test_where_nobody_is_named_the_command_says_so(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv(ADDRESSES, "")
    assert run_trueup("approvals", "remind", programme(tmp_path), "--json").error["code"] == "nobody-to-tell"


def test_a_look_that_fails_is_logged_and_tried_again(caplog: pytest.LogCaptureFixture) -> None:
    seen = threading.Event()
    looks: list[int] = []

    def failing() -> None:
        looks.append(1)
        if len(looks) > 1:
            seen.set()
        raise RuntimeError("secret words")

    with repeatedly(failing, every=0.001):
        assert seen.wait(10)
    assert "what waits could not be looked at: RuntimeError" in caplog.text
    assert "secret words" not in caplog.text
