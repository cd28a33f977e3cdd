"""`check` compiles the programme's own policies: what would close the gate is found before anybody asks it."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Any

import pytest

from tests.enforce.governed import world, write
from tests.running import run_trueup
from trueup.enforce.request import Request


def found(root: Path) -> list[dict[str, Any]]:
    findings = run_trueup("check", root, "--json").data["findings"]
    return [finding for finding in findings if finding["code"] == "GOV03"]


@pytest.mark.parametrize(
    "text",
    [
        "forbid(",
        "forbid(principal, action, resource) when { context.nothing };",
        'forbid(principal, action, resource) when { context.numbers.amount.lessThan(decimal("1.0")) };',
        'forbid(principal, action == Action::"high", resource);',
    ],
)
def test_a_policy_that_does_not_compile_is_found_once_with_its_file(tmp_path: Path, text: str) -> None:
    root = write(tmp_path, policies={"own.cedar": text})
    [finding] = found(root)
    assert (finding["file"], finding["severity"]) == ("policies/own.cedar", "error")
    assert "payments" in finding["detail"]


def test_what_is_no_file_is_not_waited_for(tmp_path: Path) -> None:
    root = write(tmp_path, policies={"own.cedar": ""})
    os.mkfifo(root / "policies" / "pipe.cedar")
    [finding] = found(root)
    assert (finding["file"], finding["severity"]) == ("policies/pipe.cedar", "error")


def test_the_policy_is_named_as_people_know_it(tmp_path: Path) -> None:
    text = '@id("mail") forbid(principal, action, resource) when { context.case == "x" };'
    [finding] = found(write(tmp_path, policies={"own.cedar": text}))
    assert "`policies/own.cedar#mail`" in finding["detail"]
    assert "policy1" not in finding["detail"]


def test_what_may_be_missing_is_said_how_to_guard_and_the_guard_helps(tmp_path: Path) -> None:
    bare = 'context.numbers.amount.greaterThan(decimal("5.0"))'
    [finding] = found(
        write(tmp_path / "bare", policies={"own.cedar": f"forbid(principal, action, resource) when {{ {bare} }};"})
    )
    assert "context has numbers && context.numbers has FIELD" in finding["fix"]
    guard = finding["fix"].split("`")[1].replace("FIELD", "amount").replace("...", bare)
    text = f"forbid(principal, action, resource) when {{ {guard} }};"
    assert found(write(tmp_path / "guarded", policies={"own.cedar": text})) == []


def test_what_the_files_alone_show_is_not_said_twice(tmp_path: Path) -> None:
    root = write(tmp_path, policies={"own.cedar": 'forbid(principal, action == Action::"pya", resource);'})
    assert len(found(root)) == 1


@pytest.mark.parametrize("name", ["own.CEDAR", "more/own.cedar"])
def test_a_policy_that_nobody_reads_is_found(tmp_path: Path, name: str) -> None:
    path = write(tmp_path) / "policies" / name
    path.parent.mkdir(parents=True)
    path.write_text("forbid(principal, action, resource);")
    [finding] = found(tmp_path)
    assert finding["file"].startswith("policies/")


def test_a_sound_policy_is_no_finding(tmp_path: Path) -> None:
    text = 'forbid(principal, action == Action::"pay", resource in Workflow::"payments") unless { context.approved };'
    assert found(write(tmp_path, policies={"own.cedar": text})) == []
    policy = world(tmp_path, policies={"own.cedar": text}).policy
    assert policy.judge(Request("erp.pay", {"amount": 5})).decision == "hold"
    assert found(write(tmp_path / "without")) == []


@pytest.mark.parametrize(
    "text",
    [
        "forbid(principal, action, resource) when { false };",
        "forbid(principal, action, resource) unless { true };",
        'forbid(principal, action, resource) when { context.level == "act" && context.level == "draft" };',
        'forbid(principal, action, resource) when { context.level == "acting" };',
        'forbid(principal, action == Action::"pay", resource == Tool::"erp.note");',
        'forbid(principal, action in Action::"high", resource == Tool::"erp.read");',
        'forbid(principal, action, resource) when { context.tool == "erp.pay" && context.workflow == "refunds" };',
        "forbid(principal, action, resource) when { !(context has requester) && context has requester };",
    ],
)
def test_a_policy_that_can_never_apply_is_found_with_its_line(tmp_path: Path, text: str) -> None:
    sound = (
        "// forbid(principal\nforbid(principal, action, resource) when { context.texts has to && context.approved };\n"
    )
    root = write(tmp_path, policies={"own.cedar": sound + text})
    [finding] = found(root)
    assert (finding["file"], finding["line"], finding["col"]) == ("policies/own.cedar", 3, 1)
    assert "can never apply" in finding["detail"]


@pytest.mark.parametrize(
    ("action", "why"),
    [
        ("{impact: high, approval: always}", "names no tool"),
        ("{tool: erp.pay, impact: low, limits: {amount: 500}}", "cannot be enforced"),
        ("{tool: erp.pay, impact: low, limits: {amount: {max: 500}}}", "'max'"),
        ("{tool: erp.pay, impact: low, limits: {amount: {at_most: 0.00001}}}", "four decimals"),
        ("{tool: erp.pay, impact: low, limits: {per_day: many}}", "is no whole number"),
        ("{tool: erp.pay, impact: low, limits: {amount: {at_most: -5}}}", "no amount is within its bounds"),
        ("{tool: erp.pay, impact: low, limits: {amount: {at_least: 10, at_most: 9.99}}}", "no amount is within"),
    ],
)
def test_an_action_that_nothing_can_pass_is_found_where_it_is_declared(tmp_path: Path, action: str, why: str) -> None:
    [finding] = found(write(tmp_path, actions=f"  read: {{tool: erp.read, impact: none}}\n  pay: {action}\n"))
    assert (finding["file"], finding["line"]) == ("workflows/payments.yaml", 6)
    assert why in finding["detail"]


@pytest.mark.parametrize("level", ["shadow", "draft", "approve", "act"])
def test_what_can_pass_at_some_level_is_no_finding(tmp_path: Path, level: str) -> None:
    assert found(write(tmp_path, level)) == []


@pytest.mark.parametrize(
    "text",
    [
        "forbid(principal, action, resource) when { !(context has requester) && context has case };",
        "forbid(principal, action, resource) when { !(context.texts has to) };",
        'forbid(principal, action in Action::"high", resource) unless { context.today < 5 };',
        'forbid(principal, action == Action::"pay", resource) when { principal.level == "act" };',
        'forbid(principal, action, resource) when { resource.name == "mail.send" };',
        'permit(principal, action, resource) when { context.approved && context.level == "shadow" };',
    ],
)
def test_a_policy_that_may_apply_is_no_finding(tmp_path: Path, text: str) -> None:
    assert found(write(tmp_path, policies={"own.cedar": text})) == []


def test_a_broken_file_hides_nothing_of_the_others_and_each_is_named_with_its_line(tmp_path: Path) -> None:
    sound = 'forbid(principal, action == Action::"pay", resource) when { context.level == "draft" };'
    broken = {
        "a.cedar": 'forbid(principal, action == Action::"pya", resource);',
        "b.cedar": f'{sound}\n\nforbid(principal, action, resource) when {{ context.texts.to == "x" }};',
        "c.cedar": "forbid(principal, action",
        "d.cedar": 'forbid(principal, action, resource) when { context.level == "never" };',
        "e.cedar": sound,
    }
    places = {(finding["file"], finding["line"]) for finding in found(write(tmp_path, policies=broken))}
    assert places == {
        ("policies/a.cedar", 1),
        ("policies/b.cedar", 3),
        ("policies/c.cedar", 1),
        ("policies/d.cedar", 1),
    }
