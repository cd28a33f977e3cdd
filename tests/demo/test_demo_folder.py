"""The demo makes its own folder and takes nobody else's; without git it still has its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from trueup.connectors.git import GitRepository
from trueup.demo import northwind
from trueup.kernel.errors import ConflictError


def test_a_missing_and_an_empty_folder_are_taken(tmp_path: Path) -> None:
    northwind.make_room(tmp_path / "new")
    (tmp_path / "empty").mkdir()
    northwind.make_room(tmp_path / "empty")
    assert not (tmp_path / "new").exists()


def test_a_demo_that_was_interrupted_is_begun_again(tmp_path: Path) -> None:
    root = tmp_path / "northwind"
    northwind.mark(root, None)
    (root / "programme.yaml").write_text("programme: half")
    northwind.make_room(root)
    assert not root.exists()


@pytest.mark.parametrize("content", ["", "null", "[]", "{", "\x00"])
def test_a_folder_whose_mark_says_nothing_is_left_alone(tmp_path: Path, content: str) -> None:
    root = tmp_path / "mine"
    (root / ".trueup").mkdir(parents=True)
    (root / northwind.MARK).write_text(content)
    with pytest.raises(ConflictError) as refused:
        northwind.make_room(root)
    assert refused.value.code == "not-empty"
    assert (root / northwind.MARK).read_text() == content


def test_a_file_in_the_way_is_refused(tmp_path: Path) -> None:
    (tmp_path / "northwind").write_text("a file")
    with pytest.raises(ConflictError, match="not an earlier demo"):
        northwind.make_room(tmp_path / "northwind")
    assert (tmp_path / "northwind").read_text() == "a file"


def test_a_commit_by_somebody_else_makes_it_theirs(tmp_path: Path) -> None:
    root = tmp_path / "northwind"
    northwind.write(root, seed=1)
    repository = GitRepository(root)
    northwind.mark(root, repository.head())
    (root / "programme.yaml").write_text("programme: mine\n")
    repository.commit(["programme.yaml"], "Mine", "Somebody", "somebody@example.org")
    with pytest.raises(ConflictError) as refused:
        northwind.make_room(root)
    assert refused.value.code == "demo-changed"
    assert (root / "programme.yaml").read_text() == "programme: mine\n"


def test_without_git_the_files_are_written_and_there_is_no_repository(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", str(tmp_path / "nothing-here"))
    root = tmp_path / "northwind"
    northwind.write(root, seed=1)
    northwind.propose(root)
    assert not (root / ".git").exists()
    assert {file.name for file in root.iterdir()} >= {"programme.yaml", "use-cases", "workflows", "data"}
    assert "forms-are-complete:" in (root / "programme.yaml").read_text()


def test_the_proposal_keeps_every_line_that_was_there(tmp_path: Path) -> None:
    root = tmp_path / "northwind"
    northwind.write(root, seed=1)
    before = (root / "programme.yaml").read_text().splitlines()
    northwind.propose(root)
    after = (root / "programme.yaml").read_text().splitlines()
    assert [line for line in before if line not in after] == []
    assert len(after) > len(before)
