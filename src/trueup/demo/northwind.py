"""The declared files of Northwind (simulated), and the folder that holds them."""

from __future__ import annotations

import json
import shutil
from importlib import resources
from pathlib import Path
from typing import TYPE_CHECKING

from trueup.connectors.git import GitRepository
from trueup.declare.edit import edited
from trueup.declare.programme import PROGRAMME_FILE
from trueup.demo.calendar import ADOPTED, PROPOSED_AFTER_WEEK, review_instant
from trueup.demo.simulation import simulated_logs
from trueup.kernel.errors import ConflictError, StorageError
from trueup.kernel.files import write_durably

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime
    from importlib.resources.abc import Traversable

# Tells a folder that a demo made, and how it left it, from everything else.
MARK = ".trueup/demo.json"
COORDINATOR = ("Ada Osei (simulated)", "ada@northwind.example")
PROPOSER = ("Tom Reyes (simulated)", "tom@northwind.example")
PROPOSAL = "use-cases/budget-coding.yaml"
ASSUMPTION = "forms-are-complete"
# The items of the pre-expansion checklist, and what is seen of each (simulated).
CHECKED = {
    "owners-confirmed": "owners of prompts, knowledge, incidents and escalation confirmed (simulated)",
    "edge-cases-rehearsed": "20 edge cases walked through with two clerks (simulated)",
    "reversal-rehearsed": "three reminders recalled within the hour (simulated)",
    "high-impact-logs-verified": "trueup ledger verify: ok (simulated)",
    "users-trained": "six of six clerks, actuals/people.csv (simulated)",
    "review-cadence-kept": "every weekly review applied (simulated)",
}
_IGNORED = "# State and data are not declared: the ledger's checkpoint is what git keeps of them.\n.trueup/\ndata/\n"


def declared_files() -> dict[str, bytes]:
    """Return the files with which the programme begins, by relative path."""
    files = resources.files("trueup.demo") / "files"
    return {name: item.read_bytes() for name, item in _walk(files, "") if not name.startswith("later/")}


def _walk(folder: Traversable, prefix: str) -> Iterator[tuple[str, Traversable]]:
    for item in sorted(folder.iterdir(), key=lambda item: item.name):
        if item.is_dir():
            yield from _walk(item, f"{prefix}{item.name}/")
        elif item.name.endswith((".yaml", ".csv")):
            yield f"{prefix}{item.name}", item


def make_room(root: Path) -> None:
    """Leave an empty folder at `root`. Raises ConflictError when something there is not an untouched demo."""
    if not root.exists() or (root.is_dir() and not any(root.iterdir())):
        return
    hint = "Name another folder:\n    trueup demo another-folder"
    left = _mark(root)
    if left is None:
        raise ConflictError("not-empty", f"{root} is there already, and it is not an earlier demo.", hint)
    if left.get("head") is not None and _touched(root, str(left["head"])):
        raise ConflictError(
            "demo-changed",
            f"{root} is an earlier demo that was worked on since.",
            f"{hint}\nor remove it first:\n    rm -r {root}",
        )
    try:
        shutil.rmtree(root)
    except OSError as error:
        raise StorageError("cannot-remove", f"{root} could not be removed: {error.strerror}.", hint) from error


def _mark(root: Path) -> dict[str, object] | None:
    try:
        content = json.loads((root / MARK).read_bytes())
    except (OSError, ValueError):
        return None
    return content if isinstance(content, dict) else None


def _touched(root: Path, head: str) -> bool:
    repository = GitRepository(root)
    return repository.head() != head or bool(repository.dirty([]))


def mark(root: Path, head: str | None) -> None:
    """Note that a demo made this folder, and the commit at which it left it (None while it is at work)."""
    write_durably(root / MARK, json.dumps({"demo": "Northwind (simulated)", "head": head}).encode())


def write(root: Path, seed: int) -> None:
    """Write the programme as it is adopted, with its logs, and put it under git where there is git."""
    mark(root, None)
    for name, content in declared_files().items():
        write_durably(root / name, content)
    for name, content in simulated_logs(seed).items():
        write_durably(root / name, content)
    write_durably(root / ".gitignore", _IGNORED.encode())
    repository = GitRepository(root)
    repository.create()
    _commit(repository, [".gitignore", *declared_files()], "Adopt the strategy (simulated)", COORDINATOR, ADOPTED)


def propose(root: Path) -> None:
    """Late in the story somebody proposes a use case, with the assumption on which it rests."""
    proposal = resources.files("trueup.demo") / "files" / "later" / "budget-coding.yaml"
    write_durably(root / PROPOSAL, proposal.read_bytes())
    text = (root / PROGRAMME_FILE).read_bytes().decode("utf-8")
    assumption = {
        "says": "Nine expenses in ten arrive with an amount and a budget number",
        "measure": "data.expenses.completeness(amount, budget_number)",
        "at_least": 0.90,
        "supports": ["expense-approval", "budget-coding"],
        "if_false": {"success": "x0.5"},
    }
    write_durably(root / PROGRAMME_FILE, edited(text, [(("assumptions", ASSUMPTION), assumption)]).encode())
    message = "Propose budget coding, and write down what it rests on"
    at = review_instant(PROPOSED_AFTER_WEEK)
    _commit(GitRepository(root), [PROPOSAL, PROGRAMME_FILE], message, PROPOSER, at)


def _commit(repository: GitRepository, paths: list[str], message: str, author: tuple[str, str], at: datetime) -> None:
    if repository.present():
        repository.commit(paths, message, *author, at)
