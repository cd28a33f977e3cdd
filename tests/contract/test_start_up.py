"""`trueup --help` answers before anything heavy is imported."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

HEAVY = {"ibis", "duckdb", "pyarrow", "numpy", "scipy", "pydantic", "cryptography", "ruamel", "rich", "yaml", "sqlite3"}
PROBE = """
import sys
from pathlib import Path
from trueup.cli.main import main
try:
    main()
except SystemExit:
    pass
print(*sorted({name.partition('.')[0] for name in sys.modules}), file=sys.stderr)
"""


def imported_by(*arguments: str) -> set[str]:
    ran = subprocess.run([sys.executable, "-c", PROBE, *arguments], capture_output=True, text=True, check=True)
    return set(ran.stderr.splitlines()[-1].split())


def test_help_imports_nothing_heavy() -> None:
    assert not imported_by("--help") & HEAVY


def test_an_unknown_command_imports_nothing_heavy() -> None:
    assert not imported_by("chekc") & HEAVY


def test_check_imports_no_engine_and_no_statistics() -> None:
    example = Path(__file__).resolve().parents[2] / "examples" / "domestic-declarations"
    assert imported_by("check", str(example)) & HEAVY == {"pydantic", "yaml"}
