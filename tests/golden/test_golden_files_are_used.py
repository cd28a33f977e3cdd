"""A golden file that no test reads would never fail; so it may not exist."""

from __future__ import annotations

from pathlib import Path

TESTS = Path(__file__).resolve().parent.parent


def test_every_golden_file_is_named_by_a_test() -> None:
    written = "".join(file.read_text("utf-8") for file in TESTS.rglob("test_*.py"))
    golden = [
        file.name for file in Path(__file__).parent.iterdir() if file.suffix not in {".py", ".pyc"} and file.is_file()
    ]
    assert golden
    assert [name for name in golden if f'"{name}"' not in written] == []
