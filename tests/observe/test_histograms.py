"""Fixed buckets: every mature case with a value falls into one, and what is known of the ends."""

from __future__ import annotations

import tempfile
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from tests.observe.small_logs import at, event, observer_of, programme_of

KPIS = {
    "slow": {"duration": {"from": "first Start", "to": "last End"}, "unit": "days"},
    "done": {"share": {"with": ["End"]}},
    "loops": {"count": {"of": "Start", "beyond": 1}},
    "volume": {"throughput": {}},
}


def histograms_of(folder: Path, days: list[float], kpi: str) -> list[tuple[str, tuple[float, ...], tuple[int, ...]]]:
    rows = [event(str(n), at(0, second=n), "Start") for n in range(len(days))]
    rows += [event(str(n), at(day, second=n), "End") for n, day in enumerate(days)]
    observer = observer_of(folder, rows, programme_of(KPIS, complete=["End"]))
    return [(row.arm, row.edges, row.counts) for row in observer.histograms("w", kpi, at(60))]


def test_durations_fall_into_equal_parts_of_the_window_and_the_cap_into_the_last(tmp_path: Path) -> None:
    ((arm, edges, counts),) = histograms_of(tmp_path, [0.0, 0.6, 0.63, 9.9, 30.0], "slow")
    assert arm == "all"
    assert (edges[0], edges[1], len(edges)) == (0.0, 0.625, 16)
    assert (counts[0], counts[1], counts[15], sum(counts)) == (2, 1, 2, 5)


def test_shares_have_two_buckets_and_counts_one_each(tmp_path: Path) -> None:
    ((_, edges, counts),) = histograms_of(tmp_path, [1.0, 2.0, 30.0], "done")
    assert (edges, counts) == ((0.0, 1.0), (1, 2))
    ((_, edges, counts),) = histograms_of(tmp_path, [1.0, 2.0], "loops")
    assert (edges[:2], counts[0]) == ((0.0, 1.0), 2)


def test_one_value_a_week_has_no_spread(tmp_path: Path) -> None:
    assert histograms_of(tmp_path, [1.0], "volume") == []


@settings(max_examples=15)
@given(days=st.lists(st.floats(0, 40), min_size=1, max_size=12))
def test_the_buckets_hold_as_many_cases_as_the_week_counts(days: list[float]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        ((_, _, counts),) = histograms_of(Path(folder), days, "slow")
        assert sum(counts) == len(days)
