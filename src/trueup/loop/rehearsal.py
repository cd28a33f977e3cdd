"""Before a change is applied, the gate is asked what it would say then: declared scenarios hold, or it is refused."""

from __future__ import annotations

import shutil
import tempfile
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.declare.programme import PROGRAMME_FILE
from trueup.declare.read import read_programme
from trueup.enforce.rehearsal.scenarios import broken_scenarios
from trueup.kernel.errors import DeclarationError
from trueup.kernel.finding import Finding

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date

    from trueup.declare.programme import Programme

# All that a policy is compiled from.
_DECLARED = ("use-cases", "workflows", "policies", "scenarios")


def require_scenarios(programme: Programme, contents: Mapping[str, bytes], today: date) -> None:
    """Raise DeclarationError, code `scenario-broken`, when a scenario would not hold once files have new contents."""
    if not programme.scenarios:
        return
    # In a folder of the same name: what is named after it stays so.
    with tempfile.TemporaryDirectory(prefix="trueup-") as folder:
        root = Path(folder) / programme.root.resolve().name
        _lay_out(root, programme.root, contents)
        broken = broken_scenarios(read_programme(root, today).programme)
    if broken:
        raise DeclarationError(
            "scenario-broken",
            f"{_count(len(broken))} would not hold any more; the first: {broken[0].detail}",
            "Nothing was applied. Leave that change out with --only, or correct the policy or the scenario first.",
            sorted(broken, key=Finding.sort_key),
        )


def _count(number: int) -> str:
    return "A declared scenario" if number == 1 else f"{number} declared scenarios"


def _lay_out(root: Path, source: Path, contents: Mapping[str, bytes]) -> None:
    root.mkdir()
    shutil.copyfile(source / PROGRAMME_FILE, root / PROGRAMME_FILE)
    for name in _DECLARED:
        if (source / name).is_dir():
            shutil.copytree(source / name, root / name)
    for file, content in contents.items():
        (root / file).parent.mkdir(parents=True, exist_ok=True)
        (root / file).write_bytes(content)
