"""Actions drafted from what servers say of their tools: neither a server alone makes one harmless, nor a person."""

from __future__ import annotations

import pytest
import yaml
from hypothesis import given
from hypothesis import strategies as st

from trueup.declare.drafting import Draft, Offered, draft
from trueup.declare.ids import is_id
from trueup.declare.model.workflow import Workflow
from trueup.kernel.errors import UsageError

OFFERED = [
    Offered("files.read_file", "read_file", only_reads=True),
    Offered("files.read_url", "read_url", only_reads=True),
    Offered("files.write_file", "write_file", only_reads=False),
]
GRAVE = {"impact": "high", "approval": "always"}


def declared(made: Draft) -> dict[str, dict[str, str]]:
    found = yaml.safe_load(made.text())
    Workflow.model_validate({"workflow": "Desk"} | found)
    actions: dict[str, dict[str, str]] = found["actions"]
    assert actions == {one.action: one.to_json()["declared"] for one in made.actions}
    return actions


def test_all_is_grave_until_both_say_that_it_only_reads() -> None:
    assert declared(draft(OFFERED)) == {
        "read-file": {"tool": "files.read_file", **GRAVE},
        "read-url": {"tool": "files.read_url", **GRAVE},
        "write-file": {"tool": "files.write_file", **GRAVE},
    }
    for said in ("read_file", "files.read_file"):
        found = declared(draft(OFFERED, [said]))
        assert found["read-file"] == {"tool": "files.read_file", "impact": "none"}
        assert [name for name, one in found.items() if one["impact"] == "high"] == ["read-url", "write-file"]


def test_a_pattern_means_what_servers_say_only_reads_and_no_more() -> None:
    found = declared(draft(OFFERED, ["*"]))
    assert [name for name, one in found.items() if one["impact"] == "none"] == ["read-file", "read-url"]


@pytest.mark.parametrize(
    ("said", "code"),
    [
        ("write_file", "not-said-to-read"),
        ("write*", "not-said-to-read"),
        ("rite_file", "no-such-tool"),
        ("", "no-such-tool"),
    ],
)
def test_what_a_person_says_against_the_server_is_refused(said: str, code: str) -> None:
    with pytest.raises(UsageError) as refused:
        draft(OFFERED, [said])
    assert refused.value.code == code
    assert refused.value.hint


def test_a_name_that_two_servers_use_is_nobodys_to_vouch_for() -> None:
    two = [Offered("a.read", "read", only_reads=True), Offered("b.read", "read", only_reads=False)]
    with pytest.raises(UsageError, match="only reads"):
        draft(two, ["read"])
    assert set(declared(draft(two, ["a.read"]))) == {"read", "read-2"}
    same = [Offered("read", "read", only_reads=True), Offered("read", "read", only_reads=True)]
    assert (draft(same).actions, draft(same).left_out) == ((), ("read",))
    assert declared(draft([])) == {}


@given(st.lists(st.tuples(st.text(st.characters(exclude_categories=()), max_size=12), st.booleans()), max_size=6))
def test_no_name_of_a_server_writes_a_line_of_its_own(named: list[tuple[str, bool]]) -> None:
    made = draft([Offered(f"s.{name}", name, only_reads) for name, only_reads in named])
    assert all(is_id(one.action) for one in made.actions)
    actions = declared(made)
    assert all(one["impact"] == "high" for one in actions.values())
    assert len(made.text().splitlines()) == len(draft([]).text().splitlines()) + len(made.actions) + len(made.left_out)
