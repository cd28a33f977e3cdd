"""What a command computed it does not compute twice; what has changed since shows at once."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.loop.pilots import write_programme
from trueup.kernel.clock import parse_instant
from trueup.ledger.entry import Entry
from trueup.loop.review import compute
from trueup.workspace import opened

AS_OF = parse_instant("2024-05-27T00:00:00Z")


def silent(label: str, done: float = 0.0, total: float | None = None) -> None:
    """No progress is shown."""


@pytest.fixture
def programme(tmp_path: Path) -> Path:
    return write_programme(tmp_path / "claims-programme")


def test_a_review_is_computed_once_for_one_length_of_the_ledger(programme: Path) -> None:
    with opened(programme, silent, write=True, recorded=False) as bench:
        first = compute(bench, AS_OF)
        assert compute(bench, AS_OF) is first
        data = {"fingerprint": first.changes[0].fingerprint(), "as_of": "2024-05-26T00:00:00Z"}
        bench.ledger.append([Entry("change.decided", "decided/1", AS_OF, "chief", data)])
        later = compute(bench, AS_OF)
        assert len(later.changes) < len(first.changes)
        assert compute(bench, AS_OF) is later


def test_a_changed_file_and_a_changed_log_show_in_the_next_command(programme: Path) -> None:
    def reviewed() -> tuple[object, object, str]:
        with opened(programme, silent, recorded=False) as bench:
            review = compute(bench, AS_OF)
            return review.files, review.data, review.fingerprint()

    first = reviewed()
    assert reviewed() == first
    workflow = programme / "workflows" / "claims.yaml"
    workflow.write_text(workflow.read_text("utf-8") + "\n# looked at again\n", "utf-8")
    second = reviewed()
    assert second[0] != first[0]
    (log,) = (programme / "data").iterdir()
    lines = log.read_text("utf-8").splitlines(keepends=True)
    log.write_text("".join(lines[:-1]), "utf-8")
    assert reviewed()[1] != second[1]
