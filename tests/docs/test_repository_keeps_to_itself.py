"""What is committed says nothing about the machine it was written on, nor where that machine gets its packages."""

from __future__ import annotations

import re
import subprocess
from pathlib import Path

REPOSITORY = Path(__file__).resolve().parents[2]
# Written in halves, so that this page does not find itself.
HOSTS = ["py" + "pi.org", "python" + "hosted", "registry." + "npmjs", "registry." + "yarnpkg", "conda." + "anaconda"]
FOLDERS = [f"/{name}/" for name in ("ro" + "ot", "wo" + "rk", "ho" + "me", "Us" + "ers", "tmp/t" + "u")]
DESIGN = ["shared/" + "design", "BRIEF" + ".md"]
IGNORED_SUFFIXES = {".gz", ".zip", ".parquet", ".png", ".pdf", ".db"}


def tracked() -> list[Path]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=REPOSITORY, capture_output=True, text=True, check=True)
    paths = [REPOSITORY / name for name in listed.stdout.split("\0") if name]
    return [path for path in paths if path.is_file() and path.suffix not in IGNORED_SUFFIXES]


def lines_with(words: list[str]) -> list[str]:
    pattern = re.compile("|".join(re.escape(word) for word in words), re.IGNORECASE)
    return [
        f"{path.relative_to(REPOSITORY)}:{number}: {line.strip()[:80]}"
        for path in tracked()
        for number, line in enumerate(path.read_text("utf-8", errors="replace").splitlines(), 1)
        if pattern.search(line)
    ]


def test_no_registry_stands_in_a_tracked_file() -> None:
    found = lines_with(HOSTS)
    assert not found, "\n".join(found)


def test_no_folder_of_a_machine_stands_in_a_tracked_file() -> None:
    pattern = re.compile(rf"(?<![\w.~-])(?:{'|'.join(map(re.escape, FOLDERS))})")
    found = [line for line in lines_with(FOLDERS) if pattern.search(line.partition(": ")[2])]
    assert not found, "\n".join(found)


def test_no_page_refers_to_papers_that_readers_do_not_have() -> None:
    found = lines_with(DESIGN)
    assert not found, "\n".join(found)


def test_locks_hold_hashes_and_no_addresses() -> None:
    for lock in REPOSITORY.glob("requirements*.lock"):
        text = lock.read_text("utf-8")
        entries = [entry for entry in re.split(r"\n(?=[a-z0-9])", text) if "==" in entry.split("\n")[0]]
        assert "://" not in text
        assert entries
        assert [entry.split()[0] for entry in entries if "--hash=sha256:" not in entry] == []


def test_the_lock_of_the_npm_parts_holds_digests_and_no_addresses() -> None:
    text = (REPOSITORY / "tests/gateway/npm/package-lock.json").read_text("utf-8")
    assert "://" not in text, "npm writes who takes donations, too: drop every `funding`"
    assert '"integrity": "sha512-' in text


def test_both_locks_name_the_same_versions() -> None:
    """They are installed into one environment."""
    run, develop = (
        set(re.findall(r"^(\S+==\S+)", (REPOSITORY / name).read_text("utf-8"), re.MULTILINE))
        for name in ("requirements.lock", "requirements-dev.lock")
    )
    assert run - develop == set()


def test_every_dependency_is_locked() -> None:
    import tomllib

    project = tomllib.loads((REPOSITORY / "pyproject.toml").read_text("utf-8"))
    locked = re.findall(r"^([a-z0-9-]+)==", (REPOSITORY / "requirements-dev.lock").read_text("utf-8"), re.MULTILINE)
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {re.split(r"[\[<>=~! ]", name)[0].lower().replace(".", "-").replace("_", "-") for name in wanted}
    assert names - set(locked) == set()
