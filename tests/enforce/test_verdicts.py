"""What the gate answers: by level, by limit, by the programme's own policies, and whenever anything is wrong."""

from __future__ import annotations

import math
from datetime import date
from functools import partial
from pathlib import Path
from typing import Any

import cedarpy
import pytest

from tests.enforce.governed import ACTIONS, pay, world, write
from trueup.declare.read import read_programme
from trueup.enforce.policy import compile_policy
from trueup.enforce.request import Request
from trueup.enforce.verdict import Verdict


def said(verdict: Verdict) -> tuple[str, str]:
    return str(verdict.decision), verdict.decisive


@pytest.mark.parametrize(
    ("level", "tool", "expected"),
    [
        ("shadow", "erp.read", "allow"),
        ("shadow", "erp.note", "deny"),
        ("shadow", "erp.pay", "deny"),
        ("shadow", "mail.send", "deny"),
        ("draft", "erp.read", "allow"),
        ("draft", "erp.note", "hold"),
        ("draft", "erp.pay", "hold"),
        ("draft", "mail.send", "hold"),
        ("approve", "erp.note", "allow"),
        ("approve", "erp.pay", "hold"),
        ("approve", "mail.send", "hold"),
        ("act", "erp.read", "allow"),
        ("act", "erp.note", "allow"),
        ("act", "erp.pay", "allow"),
        ("act", "mail.send", "hold"),
    ],
)
def test_the_level_decides_who_acts(tmp_path: Path, level: str, tool: str, expected: str) -> None:
    arguments = {"amount": 120} if tool == "erp.pay" else {}
    verdict = world(tmp_path, level).policy.judge(Request(tool, arguments))
    assert verdict.decision == expected


def test_a_workflow_without_a_level_is_in_the_shadow(tmp_path: Path) -> None:
    at = world(tmp_path)
    file = tmp_path / "workflows" / "payments.yaml"
    file.write_text(file.read_text().replace("autonomy: {level: act}\n", ""))
    assert said(world_again(tmp_path).judge(pay())) == ("deny", "payments.pay.autonomy")
    assert at.policy.judge(pay()).decision == "allow"


def world_again(root: Path) -> Any:
    from datetime import date

    from trueup.declare.read import read_programme

    return compile_policy(read_programme(root, date(2024, 5, 6)).programme, "payments")


@pytest.mark.parametrize(
    ("amount", "expected"),
    [
        (0, "allow"),
        (-0.0, "allow"),
        (500, "allow"),
        (500.0, "allow"),
        (499.9999, "allow"),
        (500.0001, "deny"),
        (500.00001, "deny"),
        (0.00001, "deny"),
        (501, "deny"),
        (-1, "deny"),
        (-0.0001, "deny"),
        (2**53, "deny"),
        (2**53 + 1, "deny"),
        (10**400, "deny"),
        (1e300, "deny"),
        (math.nan, "deny"),
        (math.inf, "deny"),
        (-math.inf, "deny"),
        (True, "deny"),
        (None, "deny"),
        ("120", "deny"),
        ("", "deny"),
        ([120], "deny"),
        ({"amount": 120}, "deny"),
        ({"__extn": {"fn": "decimal", "arg": "1.0"}}, "deny"),
        ({"__entity": {"type": "Workflow", "id": "payments"}}, "deny"),
    ],
)
def test_an_amount_passes_only_as_a_number_within_its_limit(tmp_path: Path, amount: object, expected: str) -> None:
    assert world(tmp_path).policy.judge(pay(amount)).decision == expected


@pytest.mark.parametrize(
    "arguments",
    [
        {},
        {"Amount": 120},
        {"amount ": 120},
        {"аmount": 120},  # the first letter is Cyrillic
        {"amount": 120, "AMOUNT": 9000},
        {"amount": 120, "ａmount": 9000},  # a fullwidth letter
        {"amount": 120, 7: 1},
        {"amount": 120, "note": "\ud800"},
        {"amount": 120, "note": object()},
        {"amount": 120, "ids": {1, 2}},
        {"amount": 120, "note": math.nan},
    ],
)
def test_arguments_that_are_not_what_they_look_like_are_denied(tmp_path: Path, arguments: Any) -> None:
    assert world(tmp_path).policy.judge(Request("erp.pay", arguments)).decision == "deny"


@pytest.mark.parametrize(
    "tool",
    [
        "erp.pаy",
        "ERP.PAY",
        "erp.pay ",
        " erp.pay",
        "erp.pay\u200b",
        "erp.*",
        "erp.refund",
        "",
        "pay",
        "ｅrp.pay",
        "\ud800",
        '"',
    ],
)
def test_a_tool_that_is_not_named_exactly_is_unknown(tmp_path: Path, tool: str) -> None:
    assert world(tmp_path).policy.judge(Request(tool, {"amount": 120})).decision == "deny"


def test_a_tool_is_matched_in_unicode_form_c(tmp_path: Path) -> None:
    actions = "  brew: {tool: caf\u00e9.brew, impact: low, approval: never}\n"
    policy = world(tmp_path, actions=actions).policy
    assert policy.judge(Request("cafe\u0301.brew")).decision == "allow"


def test_deep_wide_and_endless_arguments_are_denied(tmp_path: Path) -> None:
    policy = world(tmp_path).policy
    deep: Any = 1
    for _ in range(5000):
        deep = [deep]
    endless: list[Any] = []
    endless += [endless, endless]
    for value in (deep, endless, "x" * 300_000, list(range(300_000))):
        verdict = policy.judge(Request("erp.pay", {"amount": 120, "more": value}))
        assert verdict.decision == "deny"
        assert verdict.decisive.startswith("request.")


def test_several_actions_with_one_tool_want_a_name(tmp_path: Path) -> None:
    actions = (
        "  small: {tool: erp.pay, impact: low, approval: never, limits: {amount: {at_most: 10}}}\n"
        "  large: {tool: erp.pay, impact: low, approval: always, limits: {amount: {at_least: 10, at_most: 90}}}\n"
    )
    policy = world(tmp_path, actions=actions).policy
    assert said(policy.judge(pay(5))) == ("deny", "several-actions")
    assert policy.judge(pay(5, action="small")).decision == "allow"
    assert said(policy.judge(pay(50, action="small"))) == ("deny", "payments.small.limits.amount.at_most")
    assert policy.judge(pay(50, action="large")).decision == "hold"
    assert said(policy.judge(pay(5, action="large"))) == ("deny", "payments.large.limits.amount.at_least")
    assert said(policy.judge(pay(5, action="other"))) == ("deny", "unlisted-action")


def test_what_comes_from_untrusted_content_waits_for_a_person(tmp_path: Path) -> None:
    policy = world(tmp_path).policy
    assert said(policy.judge(pay(untrusted=("amount",)))) == ("hold", "payments.pay.untrusted")
    assert policy.judge(Request("erp.read", {"q": "x"}, untrusted=("q",))).decision == "allow"


def test_an_egress_read_is_checked_like_a_write(tmp_path: Path) -> None:
    actions = "  look: {tool: web.get, impact: none, egress: [url]}\n"
    for level, expected in (("shadow", "deny"), ("draft", "hold"), ("act", "hold")):
        policy = world(tmp_path / level, level, actions).policy
        assert policy.judge(Request("web.get", {"url": "https://x"})).decision == expected


@pytest.mark.parametrize(
    "limits",
    [
        "{amount: 500}",
        "{amount: {at_most: '500'}}",
        "{amount: {at_most: 500, currency: GBP}}",
        "{amount: {}}",
        "{amount: {at_most: true}}",
        "{amount: {at_most: 1.000001}}",
        "{per_fortnight: 3}",
        "{per_week: 2.5}",
        "{amount: {per_day: -5}}",
        "{amount: {per_fortnight: 5}}",
        "{budget: {per_day: 5}}",
        "{budget: 500}",
        "{per_day: -1}",
        "{per_day: 2.5}",
        "{per_day: true}",
        "{per_day: many}",
    ],
)
def test_a_limit_that_cannot_be_enforced_lets_nothing_pass(tmp_path: Path, limits: str) -> None:
    actions = f"  pay: {{tool: erp.pay, impact: low, approval: never, limits: {limits}}}\n"
    policy = world(tmp_path, actions=actions).policy
    assert policy.judge(pay()).decision == "deny"


def test_high_impact_never_goes_without_a_person_by_saying_never(tmp_path: Path) -> None:
    actions = "  pay: {tool: erp.pay, impact: high, approval: never}\n  act: {tool: erp.act}\n"
    policy = world(tmp_path, actions=actions).policy
    assert policy.judge(pay()).decision == "hold"
    assert policy.judge(Request("erp.act")).decision == "hold", "an impact nobody declared is a high one"


def test_a_verdict_carries_every_rule_and_the_decisive_one(tmp_path: Path) -> None:
    verdict = world(tmp_path).policy.judge(pay(900))
    assert [rule.id for rule in verdict.rules] == [
        "payments.pay",
        "payments.pay.limits.amount.at_most",
        "payments.pay.limits.amount.at_least",
        "payments.pay.limits.per_day",
        "payments.pay.untrusted",
    ]
    assert [rule.id for rule in verdict.rules if rule.applied] == ["payments.pay.limits.amount.at_most"]
    assert verdict.to_json()["decisive"] == "payments.pay.limits.amount.at_most"


OWN = """\
// nobody is paid out of mails
@id("no-mailboxes") @reason("an address outside")
forbid(principal, action, resource) when { context.texts has to && !(context.texts.to like "*@test.example") };
forbid(principal == Workflow::"payments", action in Action::"high", resource)
when { context.numbers has amount && context.numbers.amount.greaterThan(decimal("100.0")) };
"""


def test_the_programmes_own_policies_restrict(tmp_path: Path) -> None:
    policy = world(tmp_path, policies={"own.cedar": OWN}).policy
    assert policy.broken is None
    assert policy.judge(Request("mail.send", {"to": "a@test.example"})).decision == "hold"
    assert said(policy.judge(Request("mail.send", {"to": "a@evil.example"}))) == (
        "deny",
        "policies/own.cedar#no-mailboxes",
    )
    assert said(policy.judge(pay(120))) == ("deny", "policies/own.cedar#2")
    assert policy.judge(pay(90)).decision == "allow"


def test_an_own_permit_grants_nothing_that_is_not_declared(tmp_path: Path) -> None:
    policy = world(tmp_path, "draft", policies={"all.cedar": "permit(principal, action, resource);"}).policy
    assert policy.judge(pay()).decision == "hold"
    assert policy.judge(pay(900)).decision == "deny"
    assert policy.judge(Request("erp.refund")).decision == "deny"


@pytest.mark.parametrize(
    "text",
    [
        "forbid(",
        'forbid(principal, action == Action::"pya", resource);',
        'forbid(principal, action, resource) when { context.numbers.amount.greaterThan(decimal("1.0")) };',
        "forbid(principal, action, resource) when { context.nothing };",
        "forbid(principal, action, resource == ?resource);",
        'forbid(principal, action == Action::"high", resource);',
        "\x00",
    ],
)
def test_an_own_policy_that_does_not_compile_denies_everything(tmp_path: Path, text: str) -> None:
    policy = world(tmp_path, policies={"own.cedar": text}).policy
    verdict = policy.judge(Request("erp.read"))
    assert said(verdict) == ("deny", "policy.broken")
    assert "policies/own.cedar" in verdict.rules[0].says


def test_policy_files_that_cannot_be_read_deny_everything(tmp_path: Path) -> None:
    def binary(folder: Path) -> None:
        (folder / "own.cedar").write_bytes(b"\xff\xfe\x00")

    def a_folder(folder: Path) -> None:
        (folder / "own.cedar").mkdir()

    def hidden(folder: Path) -> None:
        (folder / "more").mkdir()
        (folder / "more" / "own.cedar").write_text("")

    def otherwise_named(folder: Path) -> None:
        (folder / "own.CEDAR").write_text("")

    def dangling(folder: Path) -> None:
        (folder / "own.cedar").symlink_to(folder / "gone")

    for damage in (binary, a_folder, hidden, otherwise_named, dangling):
        at = world(tmp_path / damage.__name__)
        folder = at.root / "policies"
        folder.mkdir()
        damage(folder)
        assert said(at.policy.judge(Request("erp.read"))) == ("deny", "policy.broken"), damage.__name__
    at = world(tmp_path / "no-folder")
    (at.root / "policies").write_text("not a folder")
    assert said(at.policy.judge(Request("erp.read"))) == ("deny", "policy.broken")


def test_a_workflow_without_actions_permits_nothing(tmp_path: Path) -> None:
    policy = world(tmp_path, actions="  {}\n").policy
    assert said(policy.judge(Request("erp.read"))) == ("deny", "policy.broken")


def test_an_own_permit_alone_permits_nothing(tmp_path: Path) -> None:
    policy = world(tmp_path, actions="  {}\n", policies={"all.cedar": "permit(principal, action, resource);"}).policy
    assert policy.judge(Request("erp.read")).decision == "deny"


class Odd:
    """An answer of the engine that nobody should trust."""

    def __init__(self, decision: str, reasons: list[str], errors: list[str]) -> None:
        self.response = {"decision": decision, "diagnostics": {"reason": reasons, "errors": errors}}

    def __call__(self, requests: list[Any], *_: Any, **__: Any) -> list[cedarpy.AuthzResult]:
        return [cedarpy.AuthzResult(self.response) for _ in requests]


def raising(error: object = None, *_: Any, **__: Any) -> Any:
    raise error if isinstance(error, Exception) else RuntimeError("the engine is broken")


@pytest.mark.parametrize(
    "engine",
    [
        raising,
        Odd("Allow", ["policy0"], ["while evaluating policy `policy1`: attribute not found"]),
        Odd("NoDecision", [], ["failed to build request"]),
        Odd("NoDecision", [], []),
        Odd("Maybe", ["policy0"], []),
        Odd("Allow", [], []),
        Odd("Allow", ["policy99"], []),
        Odd("Allow", ["somebody-else"], []),
        lambda *_, **__: [],
        lambda *_, **__: None,
        partial(raising, TimeoutError()),
        partial(raising, MemoryError()),
        partial(raising, RecursionError()),
    ],
)
def test_whatever_the_engine_does_only_a_clean_allow_allows(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, engine: Any
) -> None:
    monkeypatch.setattr(cedarpy, "is_authorized_batch", engine)
    assert world(tmp_path).policy.judge(pay()).decision == "deny"


class PanicError(BaseException):
    """What the engine raises where its own code panics: no Exception."""


def test_an_engine_that_panics_lets_nothing_run(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    at = world(tmp_path)

    def panics(*_: Any, **__: Any) -> Any:
        raise PanicError

    monkeypatch.setattr(cedarpy, "is_authorized_batch", panics)
    with pytest.raises(PanicError):
        at.gate().call(pay(), "s", at.tool)
    assert at.tool.calls == []
    monkeypatch.undo()
    assert at.gate().call(pay(), "s", at.tool).state == "done", "nothing ran, so it may be asked again"


@pytest.mark.parametrize("name", ["validate_policies", "policies_to_json_str"])
def test_a_policy_that_cannot_be_validated_denies(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str) -> None:
    monkeypatch.setattr(cedarpy, name, raising)
    assert world(tmp_path, policies={"own.cedar": OWN}).policy.judge(pay()).decision == "deny"


def test_the_version_changes_with_everything_that_a_verdict_rests_on(tmp_path: Path) -> None:
    versions = {
        world(tmp_path / "0").policy.version,
        world(tmp_path / "1", "approve").policy.version,
        world(tmp_path / "2", actions=ACTIONS.replace("500", "501")).policy.version,
        world(tmp_path / "3", actions=ACTIONS.replace("[lead]", "[owner]")).policy.version,
        world(tmp_path / "4", actions=ACTIONS.replace("2d", "3d")).policy.version,
        world(tmp_path / "5", policies={"own.cedar": OWN}).policy.version,
    }
    served = "servers:\n  erp: {command: [erp, --of, ONE]}\n  other: {command: [OTHER]}\n"
    for name, text in (("7", served), ("8", served.replace("ONE", "two")), ("9", served.replace("OTHER", "more"))):
        root = write(tmp_path / name)
        with (root / "programme.yaml").open("a", encoding="utf-8") as file:
            file.write(text)
        versions.add(compile_policy(read_programme(root, date(2024, 5, 6)).programme, "payments").version)
    # A yes is bound to the server that gets the call; what another one is reached by is no part of it.
    assert len(versions) == 8
    assert world(tmp_path / "6").policy.version in versions


def test_names_from_files_cannot_break_out_of_a_policy(tmp_path: Path) -> None:
    tool = 'x"); permit(principal, action, resource); //'
    actions = f"  odd: {{tool: '{tool}', impact: low, approval: never, limits: {{'a\"\\b': {{at_most: 5}}}}}}\n"
    policy = world(tmp_path, actions=actions).policy
    assert policy.broken is None
    assert policy.judge(Request("erp.pay")).decision == "deny"
    assert policy.judge(Request(tool, {'a"\\b': 4})).decision == "allow"
    assert policy.judge(Request(tool, {'a"\\b': 6})).decision == "deny"
