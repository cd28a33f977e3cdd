"""What is to be looked at blind stands on the first page without its answer, and how it went on the workflow's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.gateway.doors import Clock, write
from tests.running import run_trueup
from tests.web.calling import SECRETS, Calling
from tests.web.consoles import Console, HandClock
from trueup.enforce.request import Request
from trueup.sdk import governed

WORKFLOW = """\
workflow: Payments
owners: {business: owner, escalation: chief}
autonomy: {level: act, may_reach: act, wrong_at_most: 10%, sure: 95%, confidence: 80%, DETECT}
actions:
  pay: {tool: pay, impact: medium, approval: never}
""".replace("DETECT", "detect: {rise_to: 90%, within: 4w, labels_after: 2d}")
CALLERS = """\
callers:
  clerk: {token: env:TOKEN_CLERK, may: [see, decide]}
  intake: {token: env:TOKEN_INTAKE, may: [assign, gate]}
"""
LATER = datetime(2024, 5, 9, tzinfo=UTC)


def acted(root: Path, cases: int = 3) -> Path:
    write(root, workflow=WORKFLOW)
    with governed(root, "payments", clock=Clock()) as gate:
        for n in range(cases):
            request = Request("pay", {"amount": 4321, "to": f"<b>{n}</b>"}, case=f"<i>case {n}</i>", confidence=0.9)
            gate.call(request, f"s{n}", lambda _: "done")
    return root


def test_cases_wait_on_today_and_their_labels_count_on_the_workflow_page(tmp_path: Path) -> None:
    root = acted(tmp_path)
    browser = Console(root, HandClock(LATER)).inside()
    waiting = browser.get("/today.json").json()["data"]["reviews"]
    assert [one["overdue"] for one in waiting] == [True] * 3
    today = browser.get("/today").text
    assert f"trueup autonomy label DIR {waiting[0]['id']}" in today
    assert "&lt;i&gt;case 0&lt;/i&gt;" in today
    assert "4321" not in today
    assert "4321" not in str(waiting)
    said = run_trueup("autonomy", "label", root, waiting[0]["id"], "--by", "clerk", "--wrong", "--as-of", "2024-05-08")
    assert said.exit_code == 0
    ladder = browser.get("/workflows/payments.json").json()["data"]["ladder"]
    assert (ladder["needs"], ladder["reviewed"], ladder["wrong"]) == (0.8, 1, 1)
    assert {key: ladder["blind"][key] for key in ("done", "drawn", "reviewed", "waiting", "overdue")} == {
        "done": 3,
        "drawn": 3,
        "reviewed": 1,
        "waiting": 2,
        "overdue": 2,
    }
    assert (ladder["blind"]["wrong"], ladder["blind"]["delay_declared"]) == (1.0, "2d")
    assert [(one["name"], one["alarmed_at"]) for one in ladder["watches"]] == [("e-process", None), ("detector", None)]
    page = browser.get("/workflows/payments").text
    assert "2 overdue" in page
    assert "E-process at" in page


def test_labels_come_over_http_in_the_name_of_who_calls(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    for name in ("CLERK", "INTAKE"):
        monkeypatch.setenv(f"TOKEN_{name}", SECRETS[name.lower()])
    root = acted(tmp_path)
    file = root / "programme.yaml"
    file.write_text(file.read_text("utf-8") + CALLERS, "utf-8")
    api = Calling(root, HandClock(LATER))
    waiting = api.get("clerk", "/reviews").json()
    assert (waiting["command"], waiting["data"]["overdue"], len(waiting["data"]["reviews"])) == (
        "autonomy reviews",
        3,
        3,
    )
    assert "4321" not in str(waiting)
    first, second, third = (one["id"] for one in waiting["data"]["reviews"])
    own = api.post("clerk", f"/reviews/{first}/label", {"arguments": {"amount": 4321}}).json()["data"]
    assert (own["wrong"], own["how"], own["by"]) == (False, "answer", "clerk")
    seen = api.post("clerk", f"/reviews/{second}/label", {"wrong": True}).json()["data"]
    assert (seen["wrong"], seen["how"]) == (True, "seen")
    assert [one["claimed"] for one in api.entries("outcome.reviewed")] == ["api:clerk"] * 2
    refused = [
        api.post("clerk", f"/reviews/{first}/label", {"wrong": False}),
        api.post("clerk", f"/reviews/{third}/label", {}),
        api.post("clerk", f"/reviews/{third}/label", {"wrong": "yes"}),
        api.post("clerk", f"/reviews/{third}/label", {"wrong": True, "arguments": {"amount": 1}}),
        api.post("intake", f"/reviews/{third}/label", {"wrong": True}),
        api.get("intake", "/reviews"),
    ]
    assert [(one.status_code, one.json()["error"]["code"]) for one in refused] == [
        (404, "no-such-review"),
        (400, "no-label"),
        (400, "bad-body"),
        (400, "no-label"),
        (403, "not-a-right"),
        (403, "not-a-right"),
    ]
    assert len(api.entries("outcome.reviewed")) == 2
    api.api.close()
