"""Adding a limit, a guardrail or a policy never turns a no into a yes."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.enforce.governed import world
from trueup.enforce.request import Request
from trueup.kernel.canonical import Json

RANK = {"deny": 0, "hold": 1, "allow": 2}
LEVELS = st.sampled_from(["shadow", "draft", "approve", "act"])
IMPACTS = st.sampled_from(["none", "low", "medium", "high"])
APPROVALS = st.sampled_from(["always", "until-act", "never"])
LIMITS = st.sampled_from(
    [
        "amount: {at_most: 500}",
        "amount: {at_most: 0}",
        "amount: {at_least: 100}",
        "amount: {at_least: -100, at_most: 900}",
        "amount: 500",
        "lines: {at_most: 10}",
        "per_day: 2",
        "per_day: 0",
        "per_week: 2",
    ]
)
OWN = st.sampled_from(
    [
        "forbid(principal, action, resource) when { context.numbers has amount };",
        'forbid(principal, action in Action::"high", resource);',
        'forbid(principal, action == Action::"pay", resource) unless { context.approved };',
        'forbid(principal, action, resource) when { context.texts has to && context.texts.to like "*@*" };',
        "permit(principal, action, resource);",
        "forbid(",
        "// nothing",
    ]
)
ARGUMENTS = st.fixed_dictionaries(
    {},
    optional={"amount": st.sampled_from([-50, 0, 99, 100, 500, 501, "5"]), "lines": st.just(3), "to": st.just("a@b")},
)


def actions(impact: str, approval: str, limits: list[str]) -> str:
    unique = {limit.split(":")[0]: limit for limit in limits}
    declared = f", limits: {{{', '.join(unique.values())}}}" if unique else ""
    # Every argument is known beforehand, so that a limit adds a rule and no new word.
    known = "  other: {tool: other, impact: none, egress: [to]}\n"
    return f"  pay: {{tool: erp.pay, impact: {impact}, approval: {approval}{declared}}}\n{known}"


def judged(level: str, declared: str, own: list[str], request: Request, today: int) -> int:
    policies = {f"{n}.cedar": text for n, text in enumerate(own)}
    with tempfile.TemporaryDirectory() as folder:
        policy = world(Path(folder), level, declared, policies).policy
        return RANK[str(policy.judge(request, today=today).decision)]


@settings(max_examples=150, deadline=None)
@given(LEVELS, IMPACTS, APPROVALS, st.lists(LIMITS, max_size=2), LIMITS, ARGUMENTS, st.integers(0, 3))
def test_a_limit_takes_away(
    level: str, impact: str, approval: str, limits: list[str], more: str, given_: dict[str, Json], today: int
) -> None:
    # A second limit on the same field would replace the first, which is no adding.
    if more.split(":", maxsplit=1)[0] in {limit.split(":")[0] for limit in limits}:
        return
    request = Request("erp.pay", given_)
    before = judged(level, actions(impact, approval, limits), [], request, today)
    after = judged(level, actions(impact, approval, [*limits, more]), [], request, today)
    assert after <= before


@settings(max_examples=100, deadline=None)
@given(LEVELS, IMPACTS, APPROVALS, st.lists(OWN, max_size=2), OWN, ARGUMENTS)
def test_a_policy_of_the_programmes_own_takes_away(
    level: str, impact: str, approval: str, own: list[str], more: str, given_: dict[str, Json]
) -> None:
    request = Request("erp.pay", given_)
    declared = actions(impact, approval, [])
    assert judged(level, declared, [*own, more], request, 0) <= judged(level, declared, own, request, 0)


@settings(max_examples=60, deadline=None)
@given(IMPACTS, APPROVALS, ARGUMENTS)
def test_a_higher_level_only_adds(impact: str, approval: str, given_: dict[str, Json]) -> None:
    request = Request("erp.pay", given_)
    declared = actions(impact, approval, ["amount: {at_most: 500}"])
    ranks = [judged(level, declared, [], request, 0) for level in ("shadow", "draft", "approve", "act")]
    assert ranks == sorted(ranks)
