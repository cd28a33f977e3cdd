"""A change on the page says what the command line says of it: nothing that waits looks like a yes."""

from __future__ import annotations

from typing import Any

import pytest
from markupsafe import Markup

from trueup.web.rendering import environment, percent

RANK = {
    "kind": "rank",
    "id": "coding",
    "from": 6,
    "to": 6,
    "p_funded": 0.235,
    "p_funded_from": 0.566,
    "selected": False,
    "selected_from": True,
}
EXPAND = {"kind": "expand", "subject": "reminders", "next": "deposits", "outcome": "expand", "waivable": []}
AUTONOMY = {"kind": "autonomy", "subject": "reminders", "from": "draft", "to": "approve", "move": "up", "waivable": []}


def shown(change: dict[str, Any]) -> str:
    page = environment().from_string("{% from 'parts.html' import change %}{{ change(one, '/review/1', link) }}")
    return page.render(one={"because": "as told", **change}, link=lambda path: path)


def test_a_ranking_shows_from_where_to_where_and_what_follows() -> None:
    text = shown(RANK)
    assert "57%" in text
    assert "23%" in text
    assert "no longer in the funded set" in text


def test_a_place_that_moves_within_the_set_says_nothing_of_the_set() -> None:
    assert "funded set" not in shown({**RANK, "selected": True})


@pytest.mark.parametrize(
    ("change", "signal", "word"),
    [
        (EXPAND, "go", "expand"),
        ({**EXPAND, "outcome": "hold", "waivable": ["users-trained"]}, "hold", "hold"),
        (AUTONOMY, "go", "up"),
        ({**AUTONOMY, "waivable": ["users-trained"]}, "hold", "up"),
        ({**AUTONOMY, "move": "down"}, "stop", "down"),
    ],
)
def test_the_signal_is_that_of_the_outcome(change: dict[str, Any], signal: str, word: str) -> None:
    text = shown(change)
    assert f'class="sig {signal}"' in text
    assert f"</span> {word}</span>" in text


@pytest.mark.parametrize("macro", ["change", "brief"])
def test_what_was_known_beforehand_stands_beside_the_raw_figure(macro: str) -> None:
    figure = {"estimate": -1.0, "lower": -1.5, "upper": -0.5}
    beside = {
        "decides": "adjusted",
        "raw": figure,
        "covariates": ["amount"],
        "adjusted": {**figure, "estimate": -1.1},
        "strata": ["region"],
        "standardised": {"estimate": 0.4, "lower": 0.2, "upper": 0.6},
        "reversed": True,
        "because": None,
    }
    gate = {
        "kind": "gate",
        "subject": "claims",
        "gate": "week-8",
        "outcome": "go",
        "kpi": "cycle_time",
        "unit": "days",
        "design": "randomised",
    }
    one = {**gate, **figure, "because": "as told", "evidence_level": "A", "adjusted": beside}
    page = environment().from_string(f"{{% from 'parts.html' import {macro} %}}{{{{ {macro}(one, '/r/1', link) }}}}")
    text = page.render(one=one, link=lambda path: path)
    assert text.index("at equal amount") < text.index("(decides)") < text.index("at equal mix of region")
    assert "the mix decides the sign" in text
    assert "at equal" not in page.render(one={**one, "adjusted": None}, link=lambda path: path)


@pytest.mark.parametrize(
    ("share", "read"),
    [(None, "unknown"), (0, "0%"), (0.004, "<1%"), (0.235, "23%"), (0.574, "57%"), (0.999, ">99%"), (1, "100%")],
)
def test_a_share_reads_as_the_terminal_rounds_it(share: float | None, read: str) -> None:
    assert percent(share) == read
    if share is not None and 0.01 <= share <= 0.99:
        assert f"{share:.2f}" == f"0.{read[:-1]}"


def test_words_of_others_reverse_nothing_on_any_page() -> None:
    text = (
        environment()
        .from_string("{{ words }}<br>{{ mark }}")
        .render(words="pay \u202eevil <b>\x9b", mark=Markup("<i>"))
    )
    assert text == "pay \\u202eevil &lt;b&gt;\\u009b<br><i>"
