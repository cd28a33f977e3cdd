"""The API answers whoever has a token of their own, for what it is for, and nobody else; who tries leaves a trace."""

from __future__ import annotations

import hashlib
import shutil
from pathlib import Path

import pytest

from tests.running import run_trueup
from tests.web.calling import SECRETS, Calling, bearer
from trueup.web.api.routes import ROUTES


def addresses() -> list[tuple[str, str]]:
    named = {"{approval}": "a-0", "{step}": "a-0", "{review}": "r-0", "{workflow}": "claims"}
    found = []
    for route in ROUTES:
        path = route.path
        for name, value in named.items():
            path = path.replace(name, value)
        found.append((route.method, f"/api{path}"))
    return [*found, ("GET", "/api/nothing"), ("POST", "/api/"), ("DELETE", "/api/approvals")]


def test_without_a_token_that_is_known_no_address_answers(api: Calling) -> None:
    inside = api.inside()
    before = api.size()
    for method, path in addresses():
        for headers in (
            {},
            {"authorization": f"Bearer {'y' * 46}"},
            {"authorization": f"Basic {SECRETS['owner']}"},
            {"authorization": SECRETS["owner"]},
            {"authorization": "Bearer "},
            bearer("past"),
        ):
            # The cookie of somebody who looks at the pages opens nothing here.
            answer = inside.request(method, path, headers=headers, params={"token": SECRETS["owner"]})
            assert answer.status_code == 401, (path, headers)
            assert answer.headers["www-authenticate"] == "Bearer"
            assert answer.json()["error"]["code"] == "no-token"
            assert not any(header.startswith("access-control") for header in answer.headers)
    assert {trace["reason"] for trace in api.entries("request.refused")} == {
        "token.missing",
        "token.forged",
        "token.expired",
    }
    assert api.size() - before < 10


def test_two_tokens_at_once_are_none(api: Calling) -> None:
    headers = [("authorization", f"Bearer {SECRETS['owner']}"), ("authorization", f"Bearer {SECRETS['owner']}")]
    assert api.client.get("/api/approvals", headers=headers).status_code == 401


def test_a_token_opens_no_page(api: Calling) -> None:
    assert api.client.get("/today.json", headers=bearer("owner")).status_code == 403


@pytest.mark.parametrize(
    ("name", "method", "path"),
    [
        ("intake", "GET", "/approvals"),
        ("intake", "POST", "/approvals/a-0/accept"),
        ("owner", "POST", "/workflows/claims/assignments"),
        ("owner", "POST", "/workflows/claims/gate"),
    ],
)
def test_a_token_is_for_what_it_is_declared_for(api: Calling, name: str, method: str, path: str) -> None:
    answer = api.client.request(method, f"/api{path}", headers=bearer(name))
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "not-a-right")


def test_of_other_workflows_a_token_learns_nothing(api: Calling) -> None:
    approval = api.hold("C1/pay")
    theirs = api.hold("C2/refund", "refunds", "erp.refund")
    [seen] = api.get("chief", "/approvals").json()["data"]["approvals"]
    assert seen["id"] == theirs
    for path in (f"/approvals/{approval}", "/approvals/a-none"):
        assert api.get("chief", path).json()["error"]["code"] == "no-such-approval"
    assert api.post("chief", f"/approvals/{approval}/reject", {}).status_code == 404
    for path in ("/workflows/claims/assignments", "/workflows/claims/gate"):
        assert api.post("chief", path, {"case": "C1"}).json()["error"]["code"] == "no-such-workflow"
    assert api.get("owner", f"/approvals/{approval}").json()["data"]["approvals"][0]["state"] == "open"


def test_pages_of_other_origins_and_other_names_for_this_address_are_refused(api: Calling) -> None:
    for foreign in (
        {"origin": "https://evil.example"},
        {"origin": "null"},
        {"origin": "http://127.0.0.1:1"},
        {"sec-fetch-site": "cross-site"},
        {"sec-fetch-site": "same-site"},
    ):
        answer = api.client.get("/api/approvals", headers=bearer("owner") | foreign)
        assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign-origin")
    answer = api.client.get("/api/approvals", headers=bearer("owner") | {"host": "evil.example"})
    assert (answer.status_code, answer.json()["error"]["code"]) == (403, "foreign-host")
    own = {"origin": "http://127.0.0.1:8377", "sec-fetch-site": "same-origin"}
    assert api.client.get("/api/approvals", headers=bearer("owner") | own).status_code == 200


def test_without_anybody_declared_the_api_is_off(called: Path, tmp_path: Path) -> None:
    # The tokens are declared, and the environment holds none of them.
    off = Calling(Path(shutil.copytree(called, tmp_path / "claims")))
    for method, path in addresses():
        answer = off.client.request(method, path, headers=bearer("owner"))
        assert (answer.status_code, answer.json()["error"]["code"]) == (404, "api-off")


def test_a_caller_who_is_struck_out_is_known_no_more(api: Calling) -> None:
    assert api.get("owner", "/approvals").status_code == 200
    file = api.root / "programme.yaml"
    file.write_text(file.read_text("utf-8").replace("  owner: {token: env:TOKEN_OWNER, may: [see, decide]}\n", ""))
    assert api.get("owner", "/approvals").status_code == 401
    assert api.get("other", "/approvals").status_code == 200


def test_a_setting_may_hold_the_digest_and_has_to_be_hard_to_guess(
    api: Calling, monkeypatch: pytest.MonkeyPatch
) -> None:
    digest = hashlib.sha256(SECRETS["owner"].encode()).hexdigest()
    monkeypatch.setenv("TOKEN_OWNER", f"sha256:{digest}")
    assert api.get("owner", "/approvals").status_code == 200
    monkeypatch.setenv("TOKEN_OTHER", SECRETS["clerk"])
    for weak in ("short", "", "x" * 31, "with blank " * 5, "sha256:beef"):
        monkeypatch.setenv("TOKEN_OWNER", weak)
        known, unusable = api.api.known()
        assert set(known) == {"intake", "chief", "past"}
        assert set(unusable) == {"owner", "other", "clerk"}
        assert weak not in unusable["owner"] or not weak
    for name in ("other", "clerk"):
        assert api.get(name, "/approvals").status_code == 401, "a token of two is nobody's"


def test_a_service_that_may_decide_is_a_finding(called: Path, tmp_path: Path) -> None:
    root = Path(shutil.copytree(called, tmp_path / "claims"))
    file = root / "programme.yaml"
    text = file.read_text("utf-8")
    file.write_text(text.replace("may: [assign, gate]", "may: [decide]").replace("[refunds]", "[refund]"), "utf-8")
    found = run_trueup("check", root, "--json").data["findings"]
    details = [item["detail"] for item in found if item["code"] == "REF01"]
    assert len(details) == 2
    assert any("'intake' is not a person" in detail for detail in details)
    assert any("'refund' is not a workflow" in detail for detail in details)
