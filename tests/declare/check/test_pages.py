"""Every code has a page that says why, how to fix it, and shows the fault beside its repair."""

from __future__ import annotations

import re

import pytest
import yaml

from trueup.declare.check.registry import COMPLETE, PAGES, RULES, explain
from trueup.declare.check.rule import Page
from trueup.kernel.errors import NotFoundError
from trueup.kernel.finding import Severity

ERRORS = (
    "FILE01 FILE02 YAML01 YAML02 YAML03 KEY01 TYPE01 REF01 OWN01 OWN02 OBJ01 GATE01 GATE04 GOV01 GOV02 GOV03 RUN03 "
    "RUN07"
)
NOTES = "KPI05 PORT04 DATA03 STRAT07 PPL02"
WARNINGS = (
    "OWN03 OBJ02 KPI01 KPI02 KPI03 KPI04 GATE02 GATE03 GATE05 GATE06 PORT01 PORT02 PORT03 PORT05 PORT06 PORT07 "
    "DATA01 DATA02 STRAT01 STRAT02 STRAT03 STRAT04 STRAT05 STRAT06 GOV04 GOV05 GOV06 GOV07 GOV08 RUN01 RUN02 RUN04 "
    "RUN05 RUN06 RUN08 KPI11 PPL01 PPL03 WAIV01 WAIV02"
)
BY_DATA = (
    "KPI04 KPI05 GATE02 GATE05 PORT03 PORT04 DATA01 DATA02 DATA03 STRAT01 STRAT02 STRAT03 STRAT04 GOV07 GOV08 RUN01 "
    "KPI11"
)


@pytest.mark.parametrize(
    ("severity", "codes"),
    [(Severity.ERROR, ERRORS), (Severity.WARNING, WARNINGS), (Severity.NOTE, NOTES)],
)
def test_codes_never_change_their_severity(severity: Severity, codes: str) -> None:
    assert {code: PAGES[code].severity for code in codes.split()} == dict.fromkeys(codes.split(), severity)


def test_codes_are_given_once() -> None:
    assert len(PAGES) == len(RULES)


@pytest.mark.parametrize("page", PAGES.values(), ids=lambda page: page.code)
def test_a_page_is_whole(page: Page) -> None:
    assert re.fullmatch(r"[A-Z]{2,5}\d\d", page.code)
    assert page.why.endswith((".", ".)"))
    assert len(page.why.split()) >= 12
    assert page.fix
    bad, between, good = page.example.removeprefix("# not so\n").partition("\n\n# but so\n")
    assert between
    assert bad.strip() != good.strip()
    assert bad.strip()
    assert good.strip()
    # A summary is learnt by heart: no names, no full stop.
    assert not page.title.endswith(".")
    assert "'" not in page.title


@pytest.mark.parametrize("page", [page for page in PAGES.values() if page.code in COMPLETE], ids=lambda page: page.code)
def test_the_repair_of_a_page_is_yaml(page: Page) -> None:
    assert yaml.safe_load(page.example.partition("# but so\n")[2]) is not None


def test_a_code_is_explained_in_any_case() -> None:
    assert explain("own01") is PAGES["OWN01"]


def test_an_unknown_code_is_met_with_the_nearest_one() -> None:
    with pytest.raises(NotFoundError, match=r"Did you mean 'GATE\d\d'"):
        explain("GATE00")


def test_what_only_data_shows_is_not_called_complete() -> None:
    mixed = {"KPI01", "GATE04", "GOV03", "RUN06", "RUN07", "PPL01"}
    assert COMPLETE.isdisjoint({*BY_DATA.split(), *mixed})
