"""Calibration and groups: their promises by simulation, fairlearn and scikit-learn as oracles, bad input."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

import numpy as np
import pytest

from trueup.evidence.health.calibration import calibration
from trueup.evidence.health.groups import Counted, confusion, equalized_odds, largest_difference

if TYPE_CHECKING:
    from numpy.typing import NDArray


def _model(seed: int, n: int, gain: float = 1.0) -> tuple[NDArray[np.float64], NDArray[np.bool_]]:
    """Stated confidence, and whether it was right: calibrated at a gain of 1, too sure of itself below."""
    chance = np.random.default_rng(seed)
    sure = chance.beta(4, 2, n)
    return sure, chance.random(n) < 0.5 + gain * (sure - 0.5)


def _claims(worlds: int, n: int) -> tuple[float, float, float]:
    """Return how often a calibrated model is called off, its mean error, and what chance was said to add."""
    found = [calibration(*_model(seed, n), 0.05) for seed in range(worlds)]
    kept = [one for one in found if one is not None]
    return (
        sum(one.off for one in kept) / worlds,
        float(np.mean([one.error for one in kept])),
        float(np.mean([one.by_chance for one in kept])),
    )


def test_a_calibrated_model_is_rarely_called_off_and_its_error_is_what_chance_adds() -> None:
    off, error, by_chance = _claims(300, 400)
    assert off <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 300)
    assert error == pytest.approx(by_chance, rel=0.05)


@pytest.mark.long
@pytest.mark.parametrize("n", [100, 400, 2000])
def test_calibrated_models_are_called_off_at_most_as_promised(n: int) -> None:
    off, error, by_chance = _claims(4000, n)
    assert off <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 4000)
    assert error == pytest.approx(by_chance, rel=0.05)


def test_a_model_that_is_too_sure_is_called_off() -> None:
    found = calibration(*_model(1, 2000, gain=0.4), 0.05)
    assert found is not None
    assert found.off
    assert found.error > 3 * found.by_chance
    assert found.bins[-1].accuracy.upper < found.bins[-1].confidence


def test_bins_of_equal_mass_are_those_of_scikit_learn() -> None:
    sure, right = _model(2, 1000)
    found = calibration(sure, right, 0.05)
    assert found is not None
    curve = pytest.importorskip("sklearn.calibration").calibration_curve
    accuracy, confidence = curve(right, sure, n_bins=10, strategy="quantile")
    assert [one.right / one.n for one in found.bins] == pytest.approx(list(accuracy), abs=0.011)
    assert [one.confidence for one in found.bins] == pytest.approx(list(confidence), abs=0.005)


def test_few_cases_make_few_bins_and_equal_confidence_makes_one() -> None:
    few = calibration(*_model(3, 50), 0.05)
    assert few is not None
    assert len(few.bins) == 2
    same = calibration(np.full(200, 0.1 + 0.2), np.ones(200), 0.05)
    assert same is not None
    assert len(same.bins) == 1
    assert same.off
    assert calibration([], [], 0.05) is None


@pytest.mark.parametrize("sure", [[1.2], [-0.1], [math.nan], [math.inf]])
def test_what_is_no_confidence_is_refused(sure: list[float]) -> None:
    with pytest.raises(ValueError, match=r"confidence|finite"):
        calibration(sure, [True], 0.05)


def _judged(seed: int) -> tuple[list[bool], list[bool], list[str]]:
    chance = np.random.default_rng(seed)
    group = chance.choice(["a", "b", "c"], 600, p=[0.5, 0.3, 0.2])
    wanted = chance.random(600) < 0.4
    selected = np.where(wanted, chance.random(600) < 0.8, chance.random(600) < np.where(group == "b", 0.3, 0.1))
    return selected.tolist(), wanted.tolist(), group.tolist()


@pytest.mark.parametrize("seed", range(3))
def test_rates_and_differences_are_those_of_fairlearn(seed: int) -> None:
    metrics = pytest.importorskip("fairlearn.metrics")
    selected, wanted, group = _judged(seed)
    places = {name: [place for place, each in enumerate(group) if each == name] for name in "abc"}
    counted = {name: Counted(len(its), sum(selected[place] for place in its)) for name, its in places.items()}
    tables = {name: confusion([selected[p] for p in its], [wanted[p] for p in its]) for name, its in places.items()}
    parity = largest_difference(counted, 0.05)
    odds = equalized_odds(tables, 0.05)
    by = {"sensitive_features": group}
    assert parity is not None
    assert parity.difference.estimate == pytest.approx(metrics.demographic_parity_difference(wanted, selected, **by))
    assert parity.ratio == pytest.approx(metrics.demographic_parity_ratio(wanted, selected, **by))
    worst = max(one.difference.estimate for one in odds if one is not None)
    assert worst == pytest.approx(metrics.equalized_odds_difference(wanted, selected, **by))
    frame = metrics.MetricFrame(
        metrics={
            "selection": metrics.selection_rate,
            "fpr": metrics.false_positive_rate,
            "fnr": metrics.false_negative_rate,
        },
        y_true=wanted,
        y_pred=selected,
        sensitive_features=group,
    ).by_group
    for name, table in tables.items():
        assert counted[name].rate == pytest.approx(frame.loc[name, "selection"])
        assert table.false_positive_rate.rate == pytest.approx(frame.loc[name, "fpr"])
        assert table.false_negative_rate.rate == pytest.approx(frame.loc[name, "fnr"])


def _missed(worlds: int, shares: tuple[float, ...], sizes: tuple[int, ...]) -> float:
    """Return how often the interval of the largest difference misses the true one."""
    chance, truth, missed = np.random.default_rng(11), max(shares) - min(shares), 0
    for _ in range(worlds):
        drawn = chance.binomial(sizes, shares)
        groups = {str(place): Counted(n, int(x)) for place, (n, x) in enumerate(zip(sizes, drawn, strict=True))}
        found = largest_difference(groups, 0.05)
        assert found is not None
        missed += not found.difference.lower <= truth <= found.difference.upper
    return missed / worlds


@pytest.mark.parametrize("shares", [(0.3, 0.3, 0.3, 0.3), (0.1, 0.2, 0.3, 0.1), (0.02, 0.02, 0.02, 0.05)])
def test_the_interval_of_the_largest_difference_holds_it(shares: tuple[float, ...]) -> None:
    assert _missed(200, shares, (60, 100, 200, 400)) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 200)


@pytest.mark.long
@pytest.mark.parametrize("shares", [(0.3, 0.3), (0.3, 0.3, 0.3, 0.3), (0.1, 0.2, 0.3, 0.1), (0.02, 0.02, 0.02, 0.05)])
def test_the_interval_of_the_largest_difference_holds_it_often_enough(shares: tuple[float, ...]) -> None:
    sizes = (30, 60, 200, 400)[: len(shares)]
    assert _missed(3000, shares, sizes) <= 0.05 + 3 * math.sqrt(0.05 * 0.95 / 3000)


def test_nothing_is_compared_with_one_group_or_with_none_selected() -> None:
    assert largest_difference({"a": Counted(50, 5), "b": Counted(0, 0)}, 0.05) is None
    none = largest_difference({"a": Counted(50, 0), "b": Counted(40, 0)}, 0.05)
    assert none is not None
    assert (none.difference.estimate, none.ratio) == (0.0, None)
    with pytest.raises(ValueError, match="zip"):
        confusion([True], [True, False])
