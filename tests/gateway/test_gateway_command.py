"""What the command refuses before it serves: servers, secrets and open doors that are not declared."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.gateway.doors import write
from tests.running import run_trueup


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        (["paymets"], "no-such-workflow"),
        (["payments"], "no-server"),
        (["payments", "--http", "http://127.0.0.1:1/mcp", "--", "true"], "two-servers"),
        (["payments", "--env", "KEY=env:NOT_SET_ANYWHERE", "--", "true"], "not-in-the-environment"),
        (["payments", "--env", "KEY", "--", "true"], "bad-pair"),
        (["payments", "--listen", "0", "--host", "0.0.0.0", "--", "true"], "open-door"),  # noqa: S104 -- it is refused
    ],
)
def test_what_cannot_be_served_is_refused(tmp_path: Path, arguments: list[str], code: str) -> None:
    refused = run_trueup("gateway", write(tmp_path), "--json", *arguments)
    assert refused.error["code"] == code
    assert refused.error["hint"]


def test_a_policy_that_cannot_be_loaded_opens_no_gateway(tmp_path: Path) -> None:
    write(tmp_path)
    (tmp_path / "policies").mkdir()
    (tmp_path / "policies" / "own.cedar").write_text("forbid(", "utf-8")
    refused = run_trueup("gateway", tmp_path, "--json", "payments", "--", "true")
    assert refused.error["code"] in {"no-policy", "declaration", "broken-files"} or refused.exit_code == 3


def test_servers_are_declared_with_one_way_to_reach_them(tmp_path: Path) -> None:
    write(tmp_path)
    file = tmp_path / "programme.yaml"
    file.write_text(file.read_text("utf-8") + "servers: {erp: {command: [a], url: b}, 'b.c': {url: b}}\n", "utf-8")
    found = run_trueup("check", tmp_path, "--json").data["findings"]
    assert {item["line"] for item in found if item["file"] == "programme.yaml"} >= {9}
