"""A program of one's own masks what it sends to a model, and gets the values back for its actions."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.gateway.doors import PROGRAMME, WORKFLOW, write
from trueup.enforce.masking.finder import MaskingError
from trueup.kernel.errors import ConflictError
from trueup.sdk import Workflow, workflow

MASKING = "data:\n  log: {source: log.csv, sensitivity: confidential}\nsensitivity:\n  confidential: {mask: [KIND]}\n"
EVENTS = "events: {data: log, case: case, activity: activity, at: at}\n"


def programme(root: Path, kind: str) -> Path:
    write(root, workflow=WORKFLOW + EVENTS)
    (root / "programme.yaml").write_text(PROGRAMME + MASKING.replace("KIND", kind), "utf-8")
    (root / "log.csv").write_text("case,activity,at\n1,a,2024-05-01T00:00:00Z\n", "utf-8")
    return root


@pytest.fixture
def payments(tmp_path: Path) -> Iterator[Workflow]:
    with workflow(programme(tmp_path, "email"), "payments") as made:
        yield made


def test_what_is_masked_comes_back_for_the_action(payments: Workflow) -> None:
    sent: list[str] = []

    @payments.action("pay")
    def pay(amount: int, account: str) -> str:
        sent.append(f"{amount} {account}")
        return account

    prompt = payments.mask("jo@customer.example.org wants it back")
    assert isinstance(prompt, str)
    assert "jo@" not in prompt
    assert payments.mask({"to": "jo@customer.example.org"}) == {"to": prompt.split()[0]}
    restored = payments.restore({"to": prompt.split()[0]})
    assert restored == {"to": "jo@customer.example.org"}
    pay(1, account=str(payments.restore(prompt.split()[0])))
    assert sent == ["1 jo@customer.example.org"]
    with pytest.raises(MaskingError, match="was not given"):
        payments.restore("[[email:0123456789abcdef]]")


def test_a_stream_is_masked_across_its_pieces(payments: Workflow) -> None:
    stream = payments.stream()
    assert stream is not None
    said = stream.push("write to jo@cust") + stream.push("omer.example.org now") + stream.finish()
    assert said == payments.mask("write to jo@customer.example.org now")


def test_where_nothing_is_masked_values_stay(tmp_path: Path) -> None:
    with workflow(write(tmp_path), "payments") as made:
        assert made.mask("jo@customer.example.org") == "jo@customer.example.org"
        assert made.restore("[[email:0123456789abcdef]]") == "[[email:0123456789abcdef]]"
        assert made.stream() is None


def test_names_without_a_model_are_refused(tmp_path: Path) -> None:
    with workflow(programme(tmp_path, "person"), "payments") as made, pytest.raises(ConflictError, match="model"):
        made.mask("Jo asks")
