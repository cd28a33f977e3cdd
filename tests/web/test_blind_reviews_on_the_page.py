"""What is to be looked at blind stands on the first page without its answer, and how it went on the workflow's."""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path

from tests.gateway.doors import Clock, write
from tests.running import run_trueup
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
LATER = datetime(2024, 5, 9, tzinfo=UTC)


def test_cases_wait_on_today_and_their_labels_count_on_the_workflow_page(tmp_path: Path) -> None:
    root = write(tmp_path, workflow=WORKFLOW)
    with governed(root, "payments", clock=Clock()) as gate:
        for n in range(3):
            request = Request("pay", {"amount": 4321, "to": f"<b>{n}</b>"}, case=f"<i>case {n}</i>", confidence=0.9)
            gate.call(request, f"s{n}", lambda _: "done")
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
