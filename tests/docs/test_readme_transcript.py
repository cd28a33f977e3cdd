"""The README shows the end of the demo as the demo really ends: its text is the golden one, which is tested live."""

from __future__ import annotations

from pathlib import Path


def test_the_readme_shows_what_the_demo_prints(repository: Path) -> None:
    readme = (repository / "README.md").read_text("utf-8")
    shown = readme.split("<!-- transcript -->")[1].split("<!-- /transcript -->")[0].strip()
    golden = (repository / "tests" / "golden" / "demo.txt").read_text("utf-8").rstrip("\n")
    assert shown == f"```text\n{golden}\n```"
