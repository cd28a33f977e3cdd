"""What the API answers is what the command line and a program get: approvals, arms, and the gate asked dry."""

from __future__ import annotations

import json
from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from tests.running import run_trueup
from tests.web.calling import ENVIRONMENT, Calling
from trueup.enforce.steps import State
from trueup.sdk import governed, routed

REQUEST = {"tool": "erp.pay", "arguments": {"amount": 120}}


def code(answer: Any) -> tuple[int, str]:
    return answer.status_code, answer.json()["error"]["code"]


def test_a_yes_over_http_releases_exactly_what_was_shown_once(api: Calling) -> None:
    approval = api.hold("C1/pay", requester="clerk", case="C1")
    listed = api.get("owner", "/approvals").json()
    assert listed["command"] == "approvals list"
    [shown] = listed["data"]["approvals"]
    assert (shown["id"], shown["arguments"], shown["state"]) == (approval, {"amount": 120}, "open")
    assert api.get("owner", f"/approvals/{approval}").json()["data"]["approvals"] == [shown]
    yes = api.post("owner", f"/approvals/{approval}/accept", {"because": "the invoice is right"})
    assert yes.status_code == 200
    assert yes.json()["command"] == "approvals accept"
    assert yes.json()["data"]["approvals"][0]["state"] == "accepted"
    [decided] = api.entries("approval.decided")
    assert (decided["because"], decided["claimed"]) == ("the invoice is right", "api:owner")
    assert code(api.post("owner", f"/approvals/{approval}/accept", {})) == (409, "approval-decided")
    done = api.resume(approval)
    assert (done.state, done.result) == (State.DONE, {"amount": 120})


def test_no_and_edit_and_handing_on(api: Calling) -> None:
    rejected, edited, handed = (api.hold(f"C{n}/pay") for n in range(3))
    assert api.post("owner", f"/approvals/{rejected}/reject", {"because": "no"}).json()["data"]["denied"] is None
    assert api.resume(rejected).state is State.DENIED
    change = {"arguments": {"amount": 100}}
    too_much = api.post("owner", f"/approvals/{edited}/edit", {"arguments": {"amount": 900}})
    assert too_much.json()["data"]["denied"]["verdict"] == "deny"
    assert api.post("owner", f"/approvals/{edited}/edit", change).json()["data"]["approvals"][0]["state"] == "edited"
    assert api.resume(edited).result == {"amount": 100}
    assert api.post("clerk", f"/approvals/{handed}/escalate", {}).json()["data"]["approvals"][0]["state"] == "escalated"


def test_nobody_decides_on_their_own_request_nor_twice_where_two_are_needed(api: Calling) -> None:
    own = api.hold("C1/pay", requester="owner@test.example")
    assert code(api.post("owner", f"/approvals/{own}/accept", {})) == (403, "own-request")
    assert code(api.post("clerk", f"/approvals/{own}/accept", {})) == (403, "not-an-approver")
    both = api.hold("C2/both", tool="erp.both")
    assert api.post("owner", f"/approvals/{both}/accept", {}).json()["data"]["approvals"][0]["state"] == "open"
    assert code(api.post("owner", f"/approvals/{both}/accept", {})) == (403, "second-person")
    assert api.resume(both).state is State.HELD
    assert api.post("other", f"/approvals/{both}/accept", {}).json()["data"]["approvals"][0]["state"] == "accepted"
    assert api.resume(both).state is State.DONE


def test_decisions_at_the_same_moment_are_all_taken_and_one_of_each(api: Calling) -> None:
    approvals = [api.hold(f"C{n}/pay") for n in range(3)]

    def decide(n: int) -> int:
        return int(api.post("owner", f"/approvals/{approvals[n % 3]}/accept", {}).status_code)

    with ThreadPoolExecutor(6) as pool:
        statuses = list(pool.map(decide, range(6)))
    assert sorted(statuses) == [200, 200, 200, 409, 409, 409]
    assert len(api.entries("approval.decided")) == 3


def test_an_expired_approval_is_answered_as_the_command_answers_it(api: Calling) -> None:
    approval = api.hold("C1/pay")
    api.clock.at += timedelta(days=2)
    data = api.post("owner", f"/approvals/{approval}/accept", {}).json()["data"]
    assert data["denied"]["decisive"] == "approval.expired"
    assert api.entries("approval.decided") == []


def test_a_programme_of_signatures_takes_no_tokens(api: Calling) -> None:
    approval = api.hold("C1/pay")
    file = api.root / "programme.yaml"
    file.write_text(file.read_text("utf-8") + "require_signatures: true\n", "utf-8")
    assert code(api.post("owner", f"/approvals/{approval}/accept", {})) == (403, "signature-required")
    assert api.entries("approval.decided") == []


def test_what_nobody_knows_is_settled_by_who_may(api: Calling) -> None:
    approval = api.hold("C1/pay")
    api.post("owner", f"/approvals/{approval}/accept", {})

    def interrupted(_: object) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt), governed(api.root, "claims", clock=api.clock) as gate:
        gate.resume(approval, interrupted)
    [step] = api.get("owner", "/unknown").json()["data"]["steps"]
    body = {"happened": True, "because": "it stands in the books"}
    assert code(api.post("chief", f"/unknown/{step['id']}/settle", body)) == (404, "no-such-step")
    assert code(api.post("clerk", f"/unknown/{step['id']}/settle", body)) == (403, "not-an-approver")
    assert api.post("owner", f"/unknown/{step['id']}/settle", body).json()["data"]["happened"] is True
    assert api.get("owner", "/unknown").json()["data"]["steps"] == []


def test_a_case_gets_the_arm_that_every_other_door_gives_it(api: Calling) -> None:
    path = "/workflows/claims/assignments"
    before = api.size()
    first = api.post("intake", path, {"case": "N1"}).json()
    assert first["command"] == "assign"
    assert api.size() == before + 1, "on record before it is answered"
    assert api.entries("case.assigned")[-1]["arm"] == first["data"]["arm"]
    assert api.post("intake", path, {"case": "N1"}).json() == first
    with routed(api.root, "claims", clock=api.clock) as router:
        assert router.assign("N1", api.clock.now()).to_json() == first["data"]
        drawn = router.assign("N2", api.clock.now()).to_json()
    assert api.post("intake", path, {"case": "N2", "unit": None}).json()["data"] == drawn
    assert run_trueup("assign", api.root, "claims", "N1", "--json").data == first["data"]
    assert code(api.post("intake", path, {"case": "N3", "unit": "x"})) == (400, "unit-is-case")
    assert code(api.post("intake", path, {"case": "a\nb"})) == (400, "bad-case")
    assert code(api.post("intake", "/workflows/nothing/assignments", {"case": "N3"})) == (404, "no-such-workflow")


def test_many_at_once_draw_each_case_once(api: Calling) -> None:
    def draw(case: str) -> tuple[str, str, int]:
        data = api.post("intake", "/workflows/claims/assignments", {"case": case}).json()["data"]
        return data["case"], data["arm"], data["entry"]

    with ThreadPoolExecutor(8) as pool:
        found = list(pool.map(draw, [f"M{n % 10}" for n in range(60)]))
    assert len(set(found)) == 10
    assert len(api.entries("case.assigned")) == 10


def test_a_changed_file_holds_for_the_next_case(api: Calling) -> None:
    path = "/workflows/claims/assignments"
    assert api.post("intake", path, {"case": "N1"}).status_code == 200
    file = api.root / "workflows" / "claims.yaml"
    text = file.read_text("utf-8")
    file.write_text(text.replace("by: ledger, ", ""), "utf-8")
    assert api.post("intake", path, {"case": "N2"}).status_code in {409, 422}
    file.write_text(text, "utf-8")
    assert api.post("intake", path, {"case": "N2"}).status_code == 200


def test_the_gate_answers_dry_as_the_command_does(api: Calling, tmp_path: Path) -> None:
    api.hold("C1/pay")
    before = api.size()
    file = tmp_path / "request.json"
    content: Any
    for content in (REQUEST, {"tool": "erp.nothing"}, {"tool": "erp.pay", "arguments": {"amount": -1}}, [], 5):
        file.write_text(json.dumps(content), "utf-8")
        said = api.post("intake", "/workflows/claims/gate", content)
        assert said.status_code == 200
        ran = run_trueup("gate", api.root, "claims", "--request", file, "--as-of", "2024-05-27", "--json")
        assert said.json() == ran.envelope
    for raw in (b'{"tool":"erp.pay","tool":"erp.pay"}', b"NaN", b"[" * 5000, b"\xff", b""):
        assert api.post("intake", "/workflows/claims/gate", raw).json()["data"]["verdict"] == "deny"
    assert api.size() == before


@pytest.mark.parametrize(
    ("body", "reason"),
    [
        (b'{"case":"A","case":"B"}', "request.repeated-key"),
        (b'{"case":"A","\\u0063ase":"B"}', "request.repeated-key"),
        (b'{"case":NaN}', "request.not-a-number"),
        (b'{"case":9007199254740993}', "request.not-a-number"),
        (b'{"case":' + b"[" * 100_000, "request.too-deep"),
        (b'{"case":"' + b"x" * 300_000 + b'"}', "request.too-large"),
        (b'{"case":"\\ud800"}', "request.not-json"),
        (b"\xef\xbb\xbf{}", "request.not-json"),
        (b"", "request.not-json"),
    ],
)
def test_what_has_not_one_meaning_is_refused_and_leaves_a_trace(api: Calling, body: bytes, reason: str) -> None:
    assert code(api.post("intake", "/workflows/claims/assignments", body)) == (400, "bad-body")
    [trace] = api.entries("request.refused")
    assert (trace["door"], trace["reason"], trace["count"]) == ("api", reason, 1)
    assert api.entries("case.assigned") == []


def test_members_types_and_words_that_an_address_does_not_take_are_refused(api: Calling) -> None:
    path = "/workflows/claims/assignments"
    content: Any
    for content in ({}, {"case": 5}, {"case": ""}, {"case": None}, {"case": "A", "arm": "treated"}, [], None, "A"):
        assert code(api.post("intake", path, content)) == (400, "bad-body"), content
    assert "Did you mean 'case'" in api.post("intake", path, {"cases": "A"}).json()["error"]["message"]
    assert code(api.post("intake", f"{path}?case=A", {"case": "A"})) == (400, "bad-query")
    assert code(api.post("owner", "/approvals/a-0/edit", {"arguments": [1]})) == (400, "bad-body")
    headers = {"authorization": f"Bearer {ENVIRONMENT['TOKEN_INTAKE']}", "content-type": "text/plain"}
    assert code(api.client.post(f"/api{path}", headers=headers, content=b'{"case":"A"}')) == (400, "not-json")
    assert code(api.get("owner", "/approvals?as_of=yesterday")) == (400, "bad-instant")
    assert api.get("owner", "/approvals?as_of=2024-01-01").json()["data"]["approvals"] == []
    assert api.entries("case.assigned") == []


VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)
NAMES = st.sampled_from(["case", "unit", "stratum", "because", "arguments", "happened", "tool", "Case"]) | st.text()
BODIES = st.binary(max_size=60) | st.dictionaries(NAMES, VALUES, max_size=4).map(
    lambda value: json.dumps(value).encode()
)
PATHS = st.sampled_from(
    [
        "/workflows/claims/assignments",
        "/workflows/claims/gate",
        "/workflows/%2e%2e/gate",
        "/approvals/a-0/edit",
        "/approvals/%00/accept",
        "/unknown/a-0/settle",
    ]
)


def fuzz(api: Calling, examples: int) -> None:
    @settings(max_examples=examples, deadline=None, database=None)
    @given(st.sampled_from(["owner", "intake"]), PATHS, BODIES)
    @example("intake", "/workflows/claims/assignments", b'{"case": "F1"}')
    @example("owner", "/approvals/a-0/edit", b'{"arguments": {"amount": 1e999}}')
    def answered(name: str, path: str, body: bytes) -> None:
        before = len(api.entries("case.assigned"))
        answer = api.post(name, path, body)
        said = answer.json()
        assert said["ok"] == (answer.status_code == 200)
        assert answer.status_code in {200, 400, 403, 404, 409}, said
        if answer.status_code == 200 and path.endswith("assignments"):
            assert said["data"]["case"] == json.loads(body)["case"]
        else:
            assert len(api.entries("case.assigned")) == before

    answered()


def test_hostile_bodies_are_answered_with_an_envelope_and_draw_nothing_by_accident(api: Calling) -> None:
    fuzz(api, 12)


@pytest.mark.long
def test_a_thousand_hostile_bodies_draw_nothing_by_accident(api: Calling) -> None:
    fuzz(api, 1_000)


def test_a_defect_is_answered_without_saying_more(
    api: Calling, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def broken(*_: object, **__: object) -> None:
        raise RuntimeError("the secret")

    monkeypatch.setattr("trueup.sdk.deciding.waiting", broken)
    answer = api.get("owner", "/approvals")
    assert code(answer) == (500, "defect")
    assert "secret" not in answer.text
    assert "the secret" in capsys.readouterr().err


def test_where_the_ledger_cannot_be_written_no_arm_is_given(api: Calling, monkeypatch: pytest.MonkeyPatch) -> None:
    from trueup.kernel.errors import StorageError
    from trueup.ledger.log import Ledger

    def full(*_: Any, **__: Any) -> list[int]:
        raise StorageError("cannot-write", "The disk is full.")

    path = "/workflows/claims/assignments"
    with monkeypatch.context() as patch:
        patch.setattr(Ledger, "append", full)
        assert code(api.post("intake", path, {"case": "N1"})) == (503, "cannot-write")
    assert api.entries("case.assigned") == []
    assert api.post("intake", path, {"case": "N1"}).status_code == 200
