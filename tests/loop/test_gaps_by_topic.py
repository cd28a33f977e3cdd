"""What the model was not sure of, or named no source for, shown by what the cases were about."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.gateway.doors import Clock, write
from tests.running import run_trueup
from trueup.enforce.request import Request
from trueup.sdk import governed

DATA = "data: {calls: {source: data/calls.csv, zone: UTC}}\n"
EVENTS = "events: {data: calls, case: call, activity: what, at: at, segment: [desk], matures_after: 1d}\n"
WORKFLOW = """\
workflow: Answers
owners: {business: owner, escalation: chief}
autonomy: {level: act, wrong_at_most: 5%, sure: 95%, confidence: 80%, sources: required}
actions:
  send: {tool: send, impact: low, approval: never}
  look: {tool: look, impact: none}
"""
AS_OF = (Clock().at + timedelta(days=1)).date().isoformat()
# Case, topic, confidence, sources.
CASES = [
    *((f"t{n}", "travel abroad", 0.3, ("rules",)) for n in range(4)),
    ("t9", "travel abroad", 0.9, ("rules",)),
    ("p0", "parking", 0.9, ()),
    ("p1", "parking", 0.2, ()),
    *((f"m{n}", "meals", 0.95, ("rules",)) for n in range(5)),
]


def programme(root: Path, further: str = EVENTS + "unanswered: {kpi: no_answer, topic: topic}\n") -> Path:
    kpis = "kpis: {no_answer: {share: {with: [none]}, better: lower}}\n" if "unanswered" in further else ""
    write(root, workflow=WORKFLOW + further + kpis)
    file = root / "programme.yaml"
    if "events" in further:
        file.write_text(file.read_text("utf-8") + DATA, "utf-8")
        (root / "data").mkdir()
        rows = [f"{case},asked,2024-05-06T10:00:00Z,{topic},north" for case, topic, _, _ in CASES if case != "m4"]
        (root / "data" / "calls.csv").write_text("\n".join(["call,what,at,topic,desk", *rows]) + "\n", "utf-8")
    return root


def act(root: Path) -> None:
    with governed(root, "payments", clock=Clock()) as gate:
        for case, _, sure, sources in CASES:
            request = Request("send", {"text": case}, case=case, confidence=sure, sources=sources)
            gate.call(request, f"{case}/send", lambda _: "sent")
        gate.call(Request("look", {}, case="read"), "read", lambda _: "read")


def gaps(root: Path, as_of: str = AS_OF) -> dict[str, Any]:
    found: dict[str, Any] = run_trueup("autonomy", "gaps", root, "--as-of", as_of, "--json").data["gaps"]["payments"]
    return found


def test_the_topic_of_most_uncertain_cases_comes_first(tmp_path: Path) -> None:
    root = programme(tmp_path)
    act(root)
    found = gaps(root)
    assert {key: found[key] for key in ("cases", "low_confidence", "unanswered", "by")} == {
        "cases": 13,
        "low_confidence": 5,
        "unanswered": 2,
        "by": "topic",
    }
    assert found["topics"] == [
        {"topic": "travel abroad", "cases": 5, "uncertain": 4, "low_confidence": 4, "unanswered": 0},
        {"topic": "parking", "cases": 2, "uncertain": 2, "low_confidence": 1, "unanswered": 2},
    ]
    health = run_trueup("measure", root, "payments", "--health", "--as-of", AS_OF, "--json").data["health"]
    assert health["payments"]["gaps"] == found
    for command in (("measure", root, "payments", "--health"), ("autonomy", "gaps", root)):
        text = run_trueup(*command, "--as-of", AS_OF).out
        assert "of 13 cases at the gate since" in text
        assert text.index("travel abroad") < text.index("parking")
    assert gaps(root, "2024-08-01")["topics"] == [], "what is older than eight weeks is over"


@pytest.mark.parametrize(
    ("further", "by", "first"),
    [
        (EVENTS, "desk", "north"),
        ("", "action", "send"),
        (EVENTS.replace("desk", "nothing"), "action", "send"),
    ],
)
def test_without_a_topic_it_is_the_segment_and_without_a_log_the_action(
    tmp_path: Path, further: str, by: str, first: str
) -> None:
    root = programme(tmp_path, further)
    act(root)
    found = gaps(root)
    assert (found["by"], found["topics"][0]["topic"], found["topics"][0]["uncertain"]) == (by, first, 6)


def test_who_asks_for_neither_has_no_gaps_to_tell_of(tmp_path: Path) -> None:
    root = write(tmp_path)
    assert run_trueup("autonomy", "gaps", root, "--as-of", AS_OF, "--json").data["gaps"] == {}
    named = run_trueup("autonomy", "gaps", root, "--workflow", "payments", "--json").data["gaps"]["payments"]
    assert named["unknown"]["code"] == "not-declared"
    assert run_trueup("autonomy", "gaps", root, "--workflow", "no", "--json").error["code"] == "no-such-workflow"
    assert "No workflow asks" in run_trueup("autonomy", "gaps", root).out
