"""Git around a programme: exactly the files of a decision are committed, and everything else is left alone."""

from __future__ import annotations

import os
import shutil
import subprocess
from datetime import UTC, datetime
from pathlib import Path

import pytest

from trueup.connectors.git import GitRepository
from trueup.kernel.errors import StorageError

pytestmark = pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")

_WHO = ("Ada Osei", "ada@northwind.example")


def _git(root: Path, *arguments: str) -> str:
    return subprocess.run(["git", *arguments], cwd=root, check=True, capture_output=True, text=True).stdout


@pytest.fixture
def repository(tmp_path: Path) -> GitRepository:
    """A programme in a repository of its own, with one commit."""
    root = tmp_path / "programme"
    root.mkdir()
    made = GitRepository(root)
    assert made.create()
    (root / "programme.yaml").write_text("programme: test\n")
    assert made.commit(["programme.yaml"], "First", *_WHO)
    return made


@pytest.fixture
def root(repository: GitRepository, tmp_path: Path) -> Path:  # noqa: ARG001 -- it lies in the repository
    """The folder of that programme."""
    return tmp_path / "programme"


def test_a_commit_holds_the_author_the_message_and_the_instant(repository: GitRepository, root: Path) -> None:
    (root / "a.yaml").write_text("a: 1\n")
    at = datetime(2018, 3, 3, 12, tzinfo=UTC)
    made = repository.commit(["a.yaml"], "Scale expense approval\n\nAs reviewed – ✓.", *_WHO, at)
    assert made == repository.head()
    shown = _git(root, "show", "-s", "--format=%an|%ae|%cn|%ce|%aI|%cI|%B", "HEAD").strip()
    instant = "2018-03-03T12:00:00+00:00"
    assert shown.replace("Z", "+00:00") == (
        f"Ada Osei|ada@northwind.example|Ada Osei|ada@northwind.example|{instant}|{instant}"
        "|Scale expense approval\n\nAs reviewed – ✓."
    )


def test_only_the_named_files_are_committed_and_staged_ones_stay_staged(repository: GitRepository, root: Path) -> None:
    for name in ("ours.yaml", "staged.yaml", "untracked.yaml"):
        (root / name).write_text(name)
    (root / "programme.yaml").write_text("programme: edited\n")
    _git(root, "add", "staged.yaml")
    repository.commit(["ours.yaml"], "Ours", *_WHO)
    assert _git(root, "show", "--name-only", "--format=", "HEAD").split() == ["ours.yaml"]
    assert _git(root, "status", "--porcelain").splitlines() == [
        " M programme.yaml",
        "A  staged.yaml",
        "?? untracked.yaml",
    ]


def test_nothing_changed_is_no_commit(repository: GitRepository) -> None:
    head = repository.head()
    assert repository.commit(["programme.yaml"], "Again", *_WHO) is None
    assert repository.commit([], "Nothing", *_WHO) is None
    assert repository.head() == head


def test_a_removed_file_is_removed_and_one_that_never_was_is_nothing(repository: GitRepository, root: Path) -> None:
    (root / "programme.yaml").unlink()
    assert repository.commit(["programme.yaml", "never.yaml"], "Remove", *_WHO)
    assert repository.show("programme.yaml") is None
    assert repository.show("programme.yaml", "HEAD~1") == b"programme: test\n"


def test_names_are_taken_literally(repository: GitRepository, root: Path) -> None:
    names = ["*.yaml", ":(top)x", "with space", "-n", "ü\n"]
    for name in names:
        (root / name).write_text(name)
    assert set(repository.dirty()) == set(names)
    assert repository.commit(["*.yaml"], "One", *_WHO)
    assert set(repository.dirty()) == set(names[1:])
    assert repository.commit(names, "All", *_WHO)
    assert repository.dirty() == ()
    assert [repository.show(name) for name in names] == [name.encode() for name in names]
    assert len(repository.history("*.yaml")) == 1


def test_history_is_newest_first(repository: GitRepository, root: Path) -> None:
    (root / "programme.yaml").write_text("programme: second\n")
    second = repository.commit(["programme.yaml"], "Second", *_WHO)
    (root / "other").write_text("-")
    repository.commit(["other"], "Other", *_WHO)
    history = repository.history("programme.yaml")
    assert history[0] == second
    assert [repository.show("programme.yaml", rev) for rev in history] == [b"programme: second\n", b"programme: test\n"]


def test_content_is_shown_byte_by_byte(repository: GitRepository, root: Path) -> None:
    content = bytes(range(256)) + b"\r\n"
    (root / "blob").write_bytes(content)
    repository.commit(["blob"], "Bytes", *_WHO)
    assert repository.show("blob") == content
    assert repository.show("blob", "no-such-revision") is None
    assert repository.show("blob", "--help") is None


def test_before_the_first_commit(tmp_path: Path) -> None:
    made = GitRepository(tmp_path)
    assert (made.present(), made.head()) == (False, None)
    made.create()
    assert (made.present(), made.head(), made.history("a"), made.show("a")) == (True, None, [], None)
    (tmp_path / "a").write_text("1")
    (tmp_path / "b").write_text("2")
    _git(tmp_path, "add", "b")
    assert made.commit(["a"], "First", *_WHO) == made.head()
    assert _git(tmp_path, "status", "--porcelain").splitlines() == ["A  b"]


def test_on_a_detached_head(repository: GitRepository, root: Path) -> None:
    _git(root, "checkout", "--quiet", "--detach")
    main = _git(root, "rev-parse", "main").strip()
    (root / "a").write_text("1")
    assert repository.commit(["a"], "Aside", *_WHO) == repository.head() != main
    assert _git(root, "rev-parse", "main").strip() == main


def test_a_programme_inside_a_bigger_repository(repository: GitRepository, root: Path) -> None:
    inner_root = root / "deep" / "acme"
    inner_root.mkdir(parents=True)
    (inner_root / "programme.yaml").write_text("programme: inner\n")
    inner = GitRepository(inner_root)
    assert inner.present()
    assert inner.commit(["programme.yaml"], "Inner", *_WHO)
    assert inner.show("programme.yaml") == b"programme: inner\n"
    assert repository.show("deep/acme/programme.yaml") == b"programme: inner\n"
    (inner_root / "x").write_text("-")
    (root / "y").write_text("-")
    assert inner.dirty() == ("x",)
    assert len(inner.history("programme.yaml")) == 1


def test_an_ignored_programme_has_no_repository(root: Path) -> None:
    (root / ".gitignore").write_text("scratch/\n")
    inner = root / "scratch" / "acme"
    inner.mkdir(parents=True)
    assert not GitRepository(inner).present()
    assert not GitRepository(root / "nowhere").present()


def test_without_git_there_is_no_repository(repository: GitRepository, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shutil, "which", lambda _: None)
    assert (repository.present(), repository.head(), repository.create()) == (False, None, False)
    with pytest.raises(StorageError) as caught:
        repository.commit(["programme.yaml"], "x", *_WHO)
    assert caught.value.code == "git-missing"


def test_hooks_signatures_and_inherited_settings_do_not_interfere(
    repository: GitRepository, root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = root / ".git" / "hooks" / "pre-commit"
    hook.parent.mkdir(exist_ok=True)
    hook.write_text("#!/bin/sh\nexit 1\n")
    hook.chmod(0o755)
    shutil.copy(hook, hook.with_name("reference-transaction"))
    _git(root, "config", "commit.gpgSign", "true")
    _git(root, "config", "gpg.program", "false")
    monkeypatch.setenv("GIT_DIR", str(tmp_path / "elsewhere"))
    monkeypatch.setenv("GIT_INDEX_FILE", str(tmp_path / "elsewhere-index"))
    monkeypatch.setenv("GIT_AUTHOR_NAME", "Somebody Else")
    (root / "a").write_text("1")
    assert repository.commit(["a"], "Through", *_WHO)
    monkeypatch.undo()
    assert _git(root, "show", "-s", "--format=%an").strip() == "Ada Osei"


def test_a_lock_is_reported_in_gits_words_and_nothing_moves(repository: GitRepository, root: Path) -> None:
    head = repository.head()
    (root / "a").write_text("1")
    lock = root / ".git" / "index.lock"
    lock.touch()
    with pytest.raises(StorageError, match=r"index\.lock") as caught:
        repository.commit(["a"], "Locked", *_WHO)
    assert caught.value.code == "git-failed"
    assert repository.head() == head
    lock.unlink()
    assert repository.commit(["a"], "Free", *_WHO)


def test_a_commit_made_in_between_is_not_lost(
    repository: GitRepository, root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (root / "a").write_text("1")
    honest = GitRepository._tree_of

    def meddled(self: GitRepository, commit: str | None) -> str | None:
        _git(
            root,
            "-c",
            "user.name=x",
            "-c",
            "user.email=x@y.example",
            "commit",
            "--quiet",
            "--allow-empty",
            "-m",
            "between",
        )
        return honest(self, commit)

    monkeypatch.setattr(GitRepository, "_tree_of", meddled)
    with pytest.raises(StorageError):
        repository.commit(["a"], "Raced", *_WHO)
    assert _git(root, "log", "--format=%s").split() == ["between", "First"]


def test_a_damaged_repository_is_a_storage_error(repository: GitRepository, root: Path) -> None:
    shutil.rmtree(root / ".git" / "objects")
    (root / "a").write_text("1")
    with pytest.raises(StorageError):
        repository.commit(["a"], "Broken", *_WHO)


@pytest.mark.skipif(os.name == "nt", reason="symbolic links need rights there")
def test_a_folder_is_not_a_file_to_commit(repository: GitRepository, root: Path) -> None:
    (root / "folder").mkdir()
    (root / "folder" / "a").write_text("1")
    with pytest.raises(StorageError):
        repository.commit(["folder"], "Folder", *_WHO)


def test_creating_twice_changes_nothing(repository: GitRepository) -> None:
    head = repository.head()
    assert repository.create()
    assert repository.head() == head


def test_an_instant_finds_the_last_commit_at_or_before_it(repository: GitRepository, root: Path) -> None:
    days = [datetime(2018, 3, day, tzinfo=UTC) for day in (3, 10, 17)]
    _git(root, "update-ref", "-d", "HEAD")
    made = []
    for day in days:
        (root / "programme.yaml").write_text(f"programme: of {day.day}\n")
        made.append(repository.commit(["programme.yaml"], "State", *_WHO, day))
    found = [repository.newest_by(day) for day in days]
    assert [one and (one.hash, one.at) for one in found] == list(zip(made, days, strict=True))
    between = repository.newest_by(datetime(2018, 3, 16, 23, 59, 59, tzinfo=UTC))
    assert between is not None
    assert between.hash == made[1]
    assert repository.newest_by(datetime(2018, 3, 2, tzinfo=UTC)) is None


def test_before_the_first_commit_there_is_none_at_any_instant(tmp_path: Path) -> None:
    fresh = GitRepository(tmp_path)
    assert fresh.newest_by(datetime(2018, 3, 3, tzinfo=UTC)) is None
    fresh.create()
    assert fresh.newest_by(datetime(2018, 3, 3, tzinfo=UTC)) is None


def test_a_tree_is_read_as_it_was_committed_and_links_are_left_out(repository: GitRepository, root: Path) -> None:
    contents = {
        "use-cases/a b.yaml": b"one\n",
        "use-cases/\xc3\xa9t\xc3\xa9.yaml": b"",
        "use-cases/c.yaml": b"x" * 70_000,
    }
    (root / "use-cases").mkdir()
    for name, content in contents.items():
        (root / name).write_bytes(content)
    (root / "use-cases" / "link.yaml").symlink_to("c.yaml")
    repository.commit([*contents, "use-cases/link.yaml"], "Use cases", *_WHO)
    (root / "use-cases" / "c.yaml").write_text("changed since\n")
    head = repository.head()
    assert head is not None
    assert repository.tree(head, ["use-cases", "never"]) == contents
    assert repository.tree(head, ["programme.yaml"]) == {"programme.yaml": b"programme: test\n"}
    assert repository.tree(head, ["never"]) == {}
