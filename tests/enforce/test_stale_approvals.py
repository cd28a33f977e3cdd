"""A yes that would not count any more is told before somebody says it, wherever the held step is shown."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.doors import WORKFLOW, Clock, write
from tests.running import run_trueup
from tests.web.consoles import Console, HandClock
from trueup.enforce.request import Request
from trueup.sdk import governed
from trueup.sdk.deciding import approval, waiting


def held(root: Path, *, to: str = "jo") -> str:
    with governed(root, "payments", clock=Clock()) as gate:
        definition = gate.offer("mail", {"name": "mail"})
        asked = Request("mail", {"to": to}, case="D-1", definition=definition)
        return str(gate.call(asked, f"s/{to}", lambda _: "sent").approval)


def rewritten(old: str, new: str) -> Callable[[Path], None]:
    def change(root: Path) -> None:
        assert old in WORKFLOW
        (root / "workflows" / "payments.yaml").write_text(WORKFLOW.replace(old, new).replace("PRE", ""), "utf-8")

    return change


def killed(root: Path) -> None:
    assert run_trueup("kill", root, "payments", "--by", "owner", "--because", "it mails nonsense").exit_code == 0


def killed_and_resumed(root: Path) -> None:
    killed(root)
    assert run_trueup("resume", root, "payments", "--by", "owner", "--because", "mended").exit_code == 0


def erased(root: Path) -> None:
    for body in (root / ".trueup" / "bodies").rglob("*"):
        if body.is_file() and b'"to"' in body.read_bytes():
            body.unlink()


def pinned_anew(root: Path) -> None:
    with governed(root, "payments", clock=Clock()) as gate:
        gate.offer("mail", {"name": "mail", "description": "of another release"})
    done = run_trueup("tools", "pin", root, "payments", "mail", "--by", "owner", "--because", "read it")
    assert done.exit_code == 0, done.err


@pytest.mark.parametrize(
    ("change", "code", "says"),
    [
        (rewritten("at_most: 500", "at_most: 400"), "policy-changed", "files that the policy is made from"),
        (
            rewritten("  mail: {tool: PREmail", "  post: {tool: mail"),
            "policy-changed",
            "'mail' is not declared any more",
        ),
        (killed, "killed", "it mails nonsense"),
        (killed_and_resumed, "policy-changed", "level of the workflow was changed since (draft now): stopped by owner"),
        (pinned_anew, "policy-changed", "the tool 'mail' is another one"),
        (erased, "arguments-gone", "nobody can see"),
    ],
)
def test_what_has_changed_is_told_before_a_yes_is_refused(
    tmp_path: Path, change: Callable[[Path], None], code: str, says: str
) -> None:
    name = held(write(tmp_path))
    clock = Clock()
    assert [one.to_json()["stale"] for one in waiting(tmp_path, clock=clock)] == [None]
    change(tmp_path)
    [one] = waiting(tmp_path, clock=clock)
    stale: dict[str, Any] = one.to_json()["stale"]
    assert (one.state, stale["code"]) == ("open", code), "the state is what it was"
    assert says in stale["says"]
    assert approval(tmp_path, name, clock=clock)["approvals"][0]["stale"] == stale


def test_list_show_page_and_api_say_it_and_only_a_no_is_offered(tmp_path: Path) -> None:
    write(tmp_path)
    names = [held(tmp_path), held(tmp_path, to="al")]
    rewritten("level: approve", "level: draft")(tmp_path)
    at = ["--as-of", "2024-05-06T13:00:00Z"]
    listed = run_trueup("approvals", "list", tmp_path, *at).out
    assert listed.count("STALE: the files") == len(names)
    shown = run_trueup("approvals", "show", tmp_path, names[0], *at).out
    assert "a yes does not count any more: the files" in shown
    assert "reject it, and let it be asked again" in shown
    answer = json.loads(run_trueup("approvals", "show", tmp_path, names[0], *at, "--json").out)
    assert answer["data"]["approvals"][0]["stale"]["code"] == "policy-changed"
    browser = Console(tmp_path, HandClock(Clock().at)).inside()
    page = browser.get(f"/approvals/{names[0]}")
    assert "A yes does not count any more" in page.text
    assert "approvals reject DIR" in page.text
    assert "approvals accept DIR" not in page.text
    assert browser.get(f"/approvals/{names[0]}.json").json()["data"]["stale"]["code"] == "policy-changed"
    assert browser.get("/").text.count("A yes does not count any more") == len(names)


def test_a_yes_that_was_given_and_not_used_is_told_too(tmp_path: Path) -> None:
    name = held(write(tmp_path))
    clock = Clock()
    done = run_trueup("approvals", "show", tmp_path, name, "--as-of", "2024-05-06T13:00:00Z")
    assert "STALE" not in done.out
    from trueup.enforce.approvals import Ask
    from trueup.sdk.deciding import decide, decided_json

    decided = decide(tmp_path, [Ask(name, "accept", "lead")], lambda _: lambda _: {}, clock=clock)
    assert decided_json(decided)["approvals"][0]["stale"] is None
    rewritten("at_most: 500", "at_most: 400")(tmp_path)
    shown = approval(tmp_path, name, clock=clock)["approvals"][0]
    assert (shown["state"], shown["stale"]["code"]) == ("accepted", "policy-changed")


def test_what_is_over_is_not_stale(tmp_path: Path) -> None:
    name = held(write(tmp_path))
    clock = Clock()
    rewritten("at_most: 500", "at_most: 400")(tmp_path)
    clock.move(days=2)
    shown = approval(tmp_path, name, clock=clock)["approvals"][0]
    assert (shown["state"], shown["stale"]) == ("expired", None)
