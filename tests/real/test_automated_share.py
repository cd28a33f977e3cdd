"""How much of real work a classifier may do alone at a promise of at most 5% wrong, 90% sure: much, and nothing.

The models are the plainest there are; what is tested is that the threshold keeps its promise on data it has not seen.
"""

from __future__ import annotations

import csv
import io
import zipfile
from datetime import datetime
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray

from trueup.evidence.risk.thresholds import chosen_threshold

LIMIT, DELTA = 0.05, 0.1
FIELDS = ("contact_type", "location", "category", "u_symptom", "cmdb_ci", "impact", "urgency", "priority")

Scored = tuple[NDArray[np.float64], NDArray[np.int64]]


def queries(folder: Path, rarest: int, steps: int) -> Scored:
    """Confidence and error on the test set: words and word pairs, logistic regression, stopped after some steps."""
    text = pytest.importorskip("sklearn.feature_extraction.text")
    linear = pytest.importorskip("sklearn.linear_model")
    train, test = (
        list(csv.DictReader(io.StringIO((folder / "labelled" / "banking77" / f"{part}.csv").read_text("utf-8"))))
        for part in ("train", "test")
    )
    words = text.TfidfVectorizer(ngram_range=(1, 2), min_df=rarest)
    model = linear.LogisticRegression(C=10, max_iter=steps)
    model.fit(words.fit_transform([row["text"] for row in train]), [row["category"] for row in train])
    likely = model.predict_proba(words.transform([row["text"] for row in test]))
    wrong = model.classes_[likely.argmax(axis=1)] != np.array([row["category"] for row in test])
    return likely.max(axis=1), wrong.astype(np.int64)


def incidents(folder: Path) -> Scored:
    """Confidence and error of the final group from the fields of an incident's first entry, split in time."""
    coding = pytest.importorskip("sklearn.preprocessing")
    linear = pytest.importorskip("sklearn.linear_model")
    with zipfile.ZipFile(folder / "logs" / "servicenow" / "incident_event_log.zip") as archive:
        name = next(name for name in archive.namelist() if name.endswith(".csv"))
        with archive.open(name) as stream:
            rows = list(csv.DictReader(io.TextIOWrapper(stream, "utf-8")))
    first: dict[str, dict[str, str]] = {}
    group: dict[str, str] = {}
    for row in rows:
        first.setdefault(row["number"], row)
        group[row["number"]] = row["assignment_group"]
    order = sorted(first, key=lambda one: (datetime.strptime(first[one]["opened_at"], "%d/%m/%Y %H:%M"), one))  # noqa: DTZ007 -- only compared with each other
    split = int(0.6 * len(order))
    seen = [[first[one][field] for field in FIELDS] for one in order]
    encoder = coding.OneHotEncoder(handle_unknown="ignore", min_frequency=20)
    target = np.array([group[one] for one in order])
    model = linear.LogisticRegression(max_iter=60, tol=1e-2)
    model.fit(encoder.fit_transform(seen[:split]), target[:split])
    likely = model.predict_proba(encoder.transform(seen[split:]))
    wrong = model.classes_[likely.argmax(axis=1)] != target[split:]
    return likely.max(axis=1), wrong.astype(np.int64)


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
@pytest.mark.parametrize(
    ("rarest", "steps", "near"), [(3, 25, 0.02), pytest.param(1, 1000, 0.01, marks=pytest.mark.long)]
)
def test_bank_queries_are_mostly_answered_alone_and_the_promise_holds_on_the_other_half(
    shared_data: Path, rarest: int, steps: int, near: float
) -> None:
    confidence, wrong = queries(shared_data, rarest, steps)
    chosen = chosen_threshold(confidence, wrong, LIMIT, DELTA)
    assert chosen is not None
    assert chosen.share == pytest.approx(0.825, abs=near)
    random, broken, splits = np.random.default_rng(1), 0, 200
    for _ in range(splits):
        order = random.permutation(len(wrong))
        one, other = order[: len(order) // 2], order[len(order) // 2 :]
        half = chosen_threshold(confidence[one], wrong[one], LIMIT, DELTA)
        taken = confidence[other] >= (half.at if half else np.inf)
        # The other half is itself a sample: it breaks the limit only where chance does not explain it.
        broken += wrong[other][taken].sum() > LIMIT * taken.sum() + 2 * np.sqrt(LIMIT * (1 - LIMIT) * taken.sum())
    assert broken / splits <= DELTA


@pytest.mark.filterwarnings("ignore:lbfgs failed to converge")
def test_incidents_of_a_service_desk_are_not_routed_alone(shared_data: Path) -> None:
    confidence, wrong = incidents(shared_data)
    chosen = chosen_threshold(confidence, wrong, LIMIT, DELTA)
    assert chosen is None or chosen.share <= 0.01
