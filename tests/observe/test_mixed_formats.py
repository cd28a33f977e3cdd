"""One field, one way of writing: what counts as a second one, and what is only a slip."""

from __future__ import annotations

import pytest

from trueup.observe.formats import mixtures


def found(**counts: int) -> list[str]:
    return [mixture.what for mixture in mixtures("f", {name.replace("_", " "): n for name, n in counts.items()})]


@pytest.mark.parametrize(
    ("values", "what"),
    [
        (["Sales", "sales"], ["spellings"]),
        (["Field service", "Field  service"], ["spellings"]),
        (["2016-03-01T09:00", "29/2/2016 01:16"], ["forms of date"]),
        (["01.02.2016", "2016-02-01"], ["forms of date"]),
        (["1,234.50", "1.234,50"], ["decimal signs"]),
        (["12 kg", "12000 g"], ["units"]),
        (["sales", "office"], []),
        (["2016-03-01", "2016-03-02"], []),
        (["1.5", "20", "-3.25"], []),
        (["B-1234", "C-99"], []),
        ([], []),
    ],
)
def test_styles_are_told_apart(values: list[str], what: list[str]) -> None:
    assert [mixture.what for mixture in mixtures("f", dict.fromkeys(values, 10))] == what


def test_a_slip_in_a_thousand_is_no_second_way() -> None:
    assert found(Sales=995, sales=5) == []
    assert found(Sales=985, sales=15) == ["spellings"]


def test_the_commonest_of_each_way_are_the_examples() -> None:
    mixture = mixtures("f", {"Sales": 90, "sales": 8, "SALES": 2})[0]
    assert (mixture.field, mixture.examples, mixture.share) == ("f", ("Sales", "sales", "SALES"), 0.1)
