"""Words of others arrive in a terminal by `--json` and by `curl`: they say what they said, and do nothing there."""

from __future__ import annotations

import json
from pathlib import Path

from tests.running import run_trueup
from tests.web.calling import Calling

CASE = "pay \u202e0001\x9b2J\u200b\x7f"


def test_an_envelope_holds_the_same_words_through_every_door_and_acts_on_no_terminal(api: Calling) -> None:
    held = api.hold("a", case=CASE)
    now = api.clock.now().isoformat()
    listed = run_trueup("approvals", "list", api.root, "--as-of", now, "--json").out
    shown = run_trueup("approvals", "show", api.root, held, "--json").out
    called = api.get("owner", f"/approvals/{held}").text
    refused = api.get("owner", "/approvals/%E2%80%AE").text
    for text in (listed, shown, called, refused):
        assert text.replace("\n", "").isprintable()
    for text in (listed, shown, called):
        assert json.loads(text)["data"]["approvals"][0]["case"] == CASE


def test_a_report_for_code_hosts_and_a_page_for_programs_are_as_quiet(api: Calling, tmp_path: Path) -> None:
    name = "\u202e\u2066\u200bA"
    root = tmp_path / "p"
    root.mkdir()
    (root / "programme.yaml").write_text(f'programme: "Test"\n"{name}": 1\n', "utf-8")
    for form in (("--json",), ("--format", "sarif")):
        out = run_trueup("check", root, *form).out
        assert out.replace("\n", "").isprintable()
        json.loads(out)
    held = api.hold("b", case=CASE)
    page = api.inside().get(f"/approvals/{held}.json").text
    assert page.isprintable()
    assert json.loads(page)["data"]["case"] == CASE
