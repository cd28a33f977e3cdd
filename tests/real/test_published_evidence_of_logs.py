"""A sample of the studies on real logs is measured again: a change that moves a published figure is seen here."""

from __future__ import annotations

from pathlib import Path

import pytest

from studies.logs import LOGS, Logs
from studies.registry import STUDIES
from studies.run import differences
from studies.study import Source, Study

# Fits of a classifier differ in their last digits between machines: test_automated_share has that one, within limits.
FITTED = "automated-share"
OF_LOGS = [study for study in STUDIES.values() if study.real and study.name != FITTED]


@pytest.fixture(scope="module")
def source(shared_data: Path, tmp_path_factory: pytest.TempPathFactory) -> Source:
    return Source(shared_data, Logs(shared_data, tmp_path_factory.mktemp("logs")))


@pytest.mark.parametrize("study", OF_LOGS, ids=lambda study: study.name)
def test_a_sample_of_a_study_is_measured_again_word_for_word(study: Study, source: Source) -> None:
    assert list(differences(study, source)) == []


def test_launches_begin_on_mondays_and_the_log_covers_them(source: Source) -> None:
    from studies.launches import before, mondays

    series = source.logs.series("receipts", "cycle")
    launches = mondays(series)
    assert {at.weekday() for at in launches} == {0}
    assert len(launches) == (series.ends - series.begins).days // 7 - before(series) - 12 + 1
    assert set(LOGS) >= {"receipts"}
