"""What docs/evidence says is what the figures say, and what the figures say can be measured again."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from scipy import stats

from studies.figures import Count, Figure, Kept, Mean, pooled
from studies.launches import SIZES
from studies.logs import Logs
from studies.pages import texts
from studies.registry import STUDIES
from studies.run import PAGES, differences, kept, run
from studies.study import Source, Study
from studies.undrawn import DESIGNS

DRAWN = [study for study in STUDIES.values() if not study.real]


@pytest.fixture
def nowhere(tmp_path: Path) -> Source:
    return Source(tmp_path, Logs(tmp_path, tmp_path / "work"))


def test_every_study_is_published_in_full() -> None:
    missing = {name: set(study.parts) - set(kept(study).parts) for name, study in STUDIES.items()}
    assert {name: parts for name, parts in missing.items() if parts} == {}


def test_every_page_says_what_its_figures_say() -> None:
    stale = [name for name, text in texts() if (PAGES / name).read_text("utf-8") != text]
    assert stale == [], "run: ./dev evidence"


def test_every_picture_of_a_page_is_there() -> None:
    named = {
        (page, name) for page in PAGES.glob("*.md") for name in re.findall(r"!\[[^\]]*\]\(([^)]+)\)", page.read_text())
    }
    assert named
    assert [name for _, name in named if not (PAGES / name).is_file()] == []


@pytest.mark.parametrize("size", SIZES)
@pytest.mark.parametrize("design", DESIGNS)
def test_every_design_that_may_say_go_keeps_its_promise_over_all_logs(design: str, size: str) -> None:
    found = kept(STUDIES["other-designs"]).figures()
    every, far = (
        pooled(found, design=design, promise=size, windows=windows, what="go") for windows in ("overlapping", "apart")
    )
    assert every.n > 0
    assert every.share <= 0.05
    assert far.n == 0 or far.interval.lower <= 0.05


@pytest.mark.parametrize("holdout", ["10%", "20%", "50%"])
def test_drawn_arms_keep_their_promise_over_all_logs_one_way_and_either_way(holdout: str) -> None:
    found = kept(STUDIES["randomised"]).figures()
    for by in ("gates", "sequence"):
        for about in ({"promise": "usual", "what": "better"}, {"promise": "any", "what": "either"}):
            one = pooled(found, holdout=holdout, windows="overlapping", by=by, **about)
            assert one.n > 4000
            assert one.share <= 0.05


@pytest.mark.parametrize("study", DRAWN, ids=lambda study: study.name)
def test_a_sample_of_simulated_studies_is_measured_again_word_for_word(study: Study, nowhere: Source) -> None:
    assert list(differences(study, nowhere)) == []


@pytest.mark.parametrize("study", STUDIES.values(), ids=lambda study: study.name)
def test_samples_and_full_runs_agree_within_chance(study: Study) -> None:
    found = kept(study)
    for part in study.repeated if not study.real else ():
        full = {_key(one): one for one in found.parts[part]["full"]}
        for one in found.parts[part]["sample"]:
            whole = full[_key(one)]
            if isinstance(one, Count) and isinstance(whole, Count):
                assert stats.binomtest(one.hits, one.n, min(max(whole.share, 1e-4), 1 - 1e-4)).pvalue > 1e-4, one


def _key(figure: Figure) -> tuple[tuple[str, str], ...]:
    return tuple(sorted(figure.about.items()))


def fake(measured: list[str], fails_at: str = "") -> Study:
    def measure(part: str, source: Source, sample: bool) -> list[Figure]:
        del source
        if part == fails_at:
            raise KeyboardInterrupt
        measured.append(f"{part}{' sample' if sample else ''}")
        return [Count({"part": part}, 1, 4), Mean({"part": part}, 0.25, 4, 0.1), Count({"part": "untried"}, 0, 0)]

    return Study("fake", "A fake", ("one", "two", "three"), measure, lambda _: "", ("two",), real=False)


def test_what_was_interrupted_goes_on_where_it_stopped(nowhere: Source, tmp_path: Path) -> None:
    first: list[str] = []
    with pytest.raises(KeyboardInterrupt):
        run([fake(first, "three")], nowhere, tmp_path)
    assert first == ["one", "two", "two sample"]
    then: list[str] = []
    run([fake(then)], nowhere, tmp_path)
    assert then == ["three"]
    run([fake(then)], nowhere, tmp_path, again=True)
    assert then == ["three", "one", "two", "two sample", "three"]


def test_figures_come_back_from_their_file_without_those_that_were_never_tried(nowhere: Source, tmp_path: Path) -> None:
    study = fake([])
    run([study], nowhere, tmp_path)
    assert kept(study, tmp_path).parts["one"]["full"] == [
        Count({"part": "one"}, 1, 4),
        Mean({"part": "one"}, 0.25, 4, 0.1),
    ]
    assert len(Kept.read(tmp_path / "figures" / "fake.json").figures()) == 6


def test_a_sample_that_has_changed_is_told_figure_by_figure(nowhere: Source, tmp_path: Path) -> None:
    study = fake([])
    run([study], nowhere, tmp_path)
    assert list(differences(study, nowhere, tmp_path)) == []
    file = tmp_path / "figures" / "fake.json"
    file.write_text(file.read_text("utf-8").replace('"hits": 1', '"hits": 2'), "utf-8")
    (line,) = differences(study, nowhere, tmp_path)
    assert line.startswith("fake two: published {'about': {'part': 'two'}, 'hits': 2")


def test_limits_of_a_rate_are_those_of_clopper_and_pearson() -> None:
    # 2 of 56: the upper limit is 12%.
    assert Count({}, 2, 56).interval.upper == pytest.approx(0.123, abs=1e-3)
