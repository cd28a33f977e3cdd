"""Names in a policy are found where they stand; comments and other strings are not names."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from trueup.declare.cedar import Named, names, policies


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ('permit(principal, action == Action::"pay", resource);', [Named("action", "pay", 1, 38)]),
        ('action in [Action::"a",\n  Bank::Action::"b"]', [Named("action", "a", 1, 21), Named("action", "b", 2, 18)]),
        ('context.tool like "mail.*"', [Named("tool", "mail.*", 1, 20)]),
        ('context.tool == "mail.send"', [Named("tool", "mail.send", 1, 18)]),
        ('resource == Tool::"mail.send"', [Named("tool", "mail.send", 1, 20)]),
        ('principal == Workflow::"fees"', [Named("workflow", "fees", 1, 25)]),
        ('// Action::"no"', []),
        ('@note("Action::no // no") permit(principal == User::"Action", action, resource);', []),
        ('"a \\" // b" == Action::"yes"', [Named("action", "yes", 1, 25)]),
        ('Action::"never closed', []),
        ("", []),
    ],
)
def test_names_are_found_where_they_stand(text: str, expected: list[Named]) -> None:
    assert names(text) == expected


@given(st.text(alphabet='Action:"\\/ \n*tool like=x', max_size=200) | st.text())
def test_no_text_makes_it_raise_and_every_name_stands_in_the_text(text: str) -> None:
    lines = text.split("\n")
    for named in names(text):
        assert lines[named.line - 1][named.col - 1 :].startswith(named.name)


def test_what_is_not_text_is_said_to_be_unreadable(tmp_path: Path) -> None:
    folder = tmp_path / "policies"
    folder.mkdir()
    (folder / "binary.cedar").write_bytes(b"\xff\xfe\x00")
    (folder / "folder.cedar").mkdir()
    (folder / "text.cedar").write_text("permit(principal, action, resource);")
    (folder / "notes.md").write_text("not a policy")
    assert dict(policies(tmp_path)) == {
        "policies/binary.cedar": None,
        "policies/folder.cedar": None,
        "policies/text.cedar": "permit(principal, action, resource);",
    }


def test_a_programme_needs_no_policies(tmp_path: Path) -> None:
    assert list(policies(tmp_path)) == []
