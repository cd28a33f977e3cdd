"""What a case vector carries of the time before the assignment: what the first event says, and nothing later."""

from __future__ import annotations

import math
from pathlib import Path
from typing import Any

import pytest

from tests.observe.small_logs import at, event, observer_of, programme_of
from trueup.observe.tables import CaseVector

KPIS: dict[str, Any] = {"time": {"duration": {"from": "Start", "to": "End"}, "unit": "hours"}}
PILOT = {
    "starts": "2024-01-01",
    "design": {"assigned": "random", "by": "column arm", "treated": ["t"], "control": ["c"], "share": "50%"},
    "adjust": {"covariates": ["size"], "strata": ["place", "kind"]},
}
LOG = [
    event("a", at(1), "Start", arm="t", size="5", place="N", kind="x"),
    event("a", at(1, 3), "End", size="9", place="S"),
    # Said an hour after the start: it could follow from the treatment.
    event("b", at(2), "Start", arm="c"),
    event("b", at(2, 1), "Check", size="7", place="N", kind="x"),
    event("b", at(2, 2), "End"),
    # Said by another event of the same instant.
    event("c", at(3), "Start", arm="c", size="none of it"),
    event("c", at(3), "Check", size="2", place="S"),
    event("c", at(3, 5), "End"),
]


def vector(folder: Path, pilot: dict[str, Any], most_held: int) -> CaseVector:
    observer = observer_of(folder, LOG, programme_of(KPIS, pilot=pilot))
    observer.most_held = most_held
    return observer.cases("w", "time", since=at(0), until=at(9), mature_by=at(60))


@pytest.mark.parametrize("most_held", [0, 99])
def test_only_what_the_first_event_says_is_known(tmp_path: Path, most_held: int) -> None:
    found = vector(tmp_path, PILOT, most_held)
    assert found.covariates is not None
    assert found.stratum is not None
    sizes = [None if math.isnan(one) else one for one in found.covariates[:, 0].tolist()]
    assert dict(zip(found.case.tolist(), sizes, strict=True)) == {"a": 5.0, "b": None, "c": 2.0}
    assert dict(zip(found.case.tolist(), found.stratum.tolist(), strict=True)) == {
        "a": "N · x",
        "b": "(none) · (none)",
        "c": "S · (none)",
    }
    one = found.of("treated")
    assert one.covariates is not None
    assert one.covariates.tolist() == [[5.0]]


@pytest.mark.parametrize("most_held", [0, 99])
def test_a_field_that_the_log_lacks_leaves_only_its_own_kind_out(tmp_path: Path, most_held: int) -> None:
    found = vector(tmp_path, {**PILOT, "adjust": {"covariates": ["gone", "size"], "strata": ["place"]}}, most_held)
    assert found.covariates is None
    assert found.stratum is not None
    assert len(found) == 3
