"""The kill switch: who may throw it, what it stops, and that it works when little else does."""

from __future__ import annotations

import threading
from pathlib import Path

import pytest

from tests.gateway.doors import write
from tests.running import run_trueup
from trueup.enforce.request import Request
from trueup.sdk import governed


@pytest.mark.parametrize("scope", [["payments"], []])
def test_a_kill_stops_and_a_resume_lets_go_on(tmp_path: Path, scope: list[str]) -> None:
    write(tmp_path)
    calls: list[object] = []
    with governed(tmp_path, "payments") as gate:
        assert gate.call(Request("add"), "one", calls.append).state == "done"
        killed = run_trueup("kill", tmp_path, *scope, "--by", "chief", "--because", "it pays twice", "--json")
        assert isinstance(killed.data["entry"], int)
        outcome = gate.call(Request("add"), "two", calls.append)
        assert outcome.verdict is not None
        assert (outcome.state, outcome.verdict.decisive) == ("denied", "killed")
        again = run_trueup("kill", tmp_path, *scope, "--by", "chief", "--because", "-", "--json")
        assert again.error["code"] == "switched-already"
        assert run_trueup("resume", tmp_path, *scope, "--by", "chief", "--because", "mended").exit_code == 0
        assert gate.call(Request("add"), "three", calls.append).state == "done"
    assert len(calls) == 2


@pytest.mark.parametrize(
    ("command", "who", "code"),
    [
        ("kill", "guest", "may-not-switch"),
        ("kill", "stranger", "unknown-person"),
        ("resume", "clerk", "may-not-switch"),
        ("resume", "lead", "may-not-switch"),
    ],
)
def test_permission_goes_by_role(tmp_path: Path, command: str, who: str, code: str) -> None:
    write(tmp_path)
    refused = run_trueup(command, tmp_path, "payments", "--by", who, "--because", "-", "--json")
    assert (refused.exit_code, refused.error["code"]) == (4, code)


def test_a_reviewer_may_stop_what_only_an_owner_lets_go_on(tmp_path: Path) -> None:
    write(tmp_path)
    assert run_trueup("kill", tmp_path, "payments", "--by", "clerk", "--because", "odd").exit_code == 0
    assert run_trueup("resume", tmp_path, "payments", "--by", "owner", "--because", "fine").exit_code == 0


def test_a_workflow_that_is_not_declared_cannot_be_stopped(tmp_path: Path) -> None:
    write(tmp_path)
    refused = run_trueup("kill", tmp_path, "paymets", "--by", "chief", "--because", "-", "--json")
    assert refused.error["code"] == "no-such-workflow"
    assert "payments" in refused.error["message"]


def test_it_works_while_another_command_is_at_work_and_files_are_broken(tmp_path: Path) -> None:
    from trueup.kernel.progress import silent
    from trueup.workspace import opened

    write(tmp_path)
    with governed(tmp_path, "payments"):
        pass
    with opened(tmp_path, silent, write=True):
        assert run_trueup("kill", tmp_path, "--by", "chief", "--because", "odd").exit_code == 0
    (tmp_path / "workflows" / "payments.yaml").write_text("workflow: [", "utf-8")
    assert run_trueup("resume", tmp_path, "--by", "chief", "--because", "odd").exit_code == 0


def test_of_two_who_stop_at_once_both_are_answered_and_it_is_stopped(tmp_path: Path) -> None:
    from trueup.enforce.standing.switch import Throw
    from trueup.kernel.errors import ConflictError
    from trueup.workspace import throw_switch

    write(tmp_path)
    with governed(tmp_path, "payments") as gate:
        start, seen = threading.Barrier(2), []

        def stop(who: str) -> None:
            start.wait()
            try:
                throw_switch(tmp_path, Throw("killed", None, who, "odd"))
                seen.append("killed")
            except ConflictError as error:
                seen.append(error.code)

        threads = [threading.Thread(target=stop, args=(who,)) for who in ("chief", "clerk")]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()
        assert sorted(seen) in (["entry-exists", "killed"], ["killed", "switched-already"])
        assert gate.call(Request("add"), "s", lambda _: None).state == "denied"


def test_what_nobody_else_could_let_go_on_its_owner_may(tmp_path: Path) -> None:
    write(tmp_path, workflow="workflow: P\nactions:\n  add: {tool: add, impact: none}\n")
    alone = "programme: P\npeople:\n  owner: {name: O, email: o@test.example, roles: [owner]}\n"
    (tmp_path / "programme.yaml").write_text(alone, "utf-8")
    for command in ("kill", "resume"):
        assert run_trueup(command, tmp_path, "--by", "owner", "--because", "-").exit_code == 0
