"""Money and hours as they come: no record is unknown, a line that cannot be read is refused with its number."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.observe.small_logs import at, event, observer_of, programme_of
from trueup.declare.model.data import Actuals as Declared
from trueup.declare.model.data import EffortSource, SpendSource
from trueup.declare.model.programme import ProgrammeFile
from trueup.declare.programme import Places, Programme
from trueup.kernel.errors import DataError
from trueup.observe.actuals import ActualRecord, Actuals, read_actuals

SPEND = """\
date,use_case,kind,amount
2024-01-01,u,licence,100.50
2024-01-08,u,labelling,-20
2024-01-14T23:59:59+01:00,u,licence,3

2024-01-09,"other, one",licence,7
"""


def actuals_of(folder: Path, text: str | bytes, source: SpendSource | None = None) -> Actuals:
    (folder / "spend.csv").write_bytes(text if isinstance(text, bytes) else text.encode())
    declared = Declared(spend=source or SpendSource(source="spend.csv"), effort=EffortSource(source="effort.csv"))
    file = ProgrammeFile(programme="Test", actuals=declared)
    return read_actuals(Programme(folder, file, {}, {}, {}, Places(), {}))


def test_totals_by_use_case_kind_and_time(tmp_path: Path) -> None:
    actuals = actuals_of(tmp_path, SPEND)
    assert actuals.total("spend", "u") == 83.5
    assert actuals.total("spend", "u", "licence") == 103.5
    assert actuals.total("spend", "u", since=at(7), until=at(14)) == -17.0
    assert actuals.total("spend", "u", until=at(7)) == 100.5
    assert actuals.total("spend", "other, one") == 7.0


def test_no_record_is_unknown_and_never_zero(tmp_path: Path) -> None:
    actuals = actuals_of(tmp_path, SPEND)
    assert actuals.total("spend", "nobody") is None
    assert actuals.total("spend", "u", "training") is None
    assert actuals.total("spend", "u", since=at(30)) is None
    assert Actuals().total("effort", "u") is None


def test_use_cases_that_nobody_declared_are_named(tmp_path: Path) -> None:
    (tmp_path / "effort.csv").write_text("date,use_case,hours\n2024-01-01,stray,1\n")
    assert actuals_of(tmp_path, SPEND).strangers(["u"]) == ("other, one", "stray")


def test_a_file_without_kinds_still_has_totals(tmp_path: Path) -> None:
    actuals = actuals_of(tmp_path, "date;use_case;amount\r\n2024-01-01;u;1\r\n")
    assert (actuals.total("spend", "u"), actuals.total("spend", "u", "licence")) == (1.0, None)


@pytest.mark.parametrize(
    ("text", "code", "said"),
    [
        (SPEND + "2024-13-01,u,x,1\n", "bad-actuals", "line 7"),
        (SPEND + "01/02/2024,u,x,1\n", "bad-actuals", "line 7"),
        (SPEND + "2024-01-01,u,x,1 000\n", "bad-actuals", "'1 000'"),
        (SPEND + "2024-01-01,u,x,nan\n", "bad-actuals", "line 7"),
        (SPEND + "2024-01-01,u,x,\n", "bad-actuals", "line 7"),
        (SPEND + "2024-01-01,,x,1\n", "bad-actuals", "names no use case"),
        (SPEND + "2024-01-01,u,x\n", "bad-actuals", "3 fields, the header 4"),
        (SPEND + '2024-01-01,"u,x,1\n', "bad-actuals", "no csv"),
        ("date,usecase,kind,amount\n", "missing-column", "Did you mean 'usecase'"),
        ("", "missing-column", "no column 'date'"),
        (b"\xff\xfe\x00", "bad-encoding", "UTF-8"),
    ],
)
def test_what_cannot_be_read_is_refused_whole(tmp_path: Path, text: str | bytes, code: str, said: str) -> None:
    with pytest.raises(DataError) as refused:
        actuals_of(tmp_path, text).total("spend", "u")
    assert refused.value.code == code
    assert said in refused.value.message


def test_a_file_that_has_not_come_yet_is_unknown_and_stops_nothing(tmp_path: Path) -> None:
    actuals = actuals_of(tmp_path, SPEND)
    assert actuals.total("spend", "u") is not None
    assert actuals.total("effort", "u") is None


KPIS = {
    "hours": {"ratio": {"of": "effort"}, "unit": "hours"},
    "cost": {"ratio": {"of": "cost", "per": "completed"}, "unit": "GBP"},
}
ROWS = [event(f"{day}", at(day), "Start") for day in (0, 1, 8, 15)] + [event("0", at(1), "End")]


def test_recorded_totals_are_divided_by_the_cases_of_their_week(tmp_path: Path) -> None:
    records = {
        "effort": [ActualRecord(at(day), "u", None, hours) for day, hours in ((0, 4.0), (6, 2.0), (14, 9.0))],
        "spend": [ActualRecord(at(3), "u", None, 50.0), ActualRecord(at(3), "other", None, 9.0)],
    }
    actuals = Actuals({"effort": lambda: records["effort"], "spend": lambda: records["spend"]})
    programme = programme_of(KPIS, matures_after="3d", complete=["End"])
    observer = observer_of(tmp_path, ROWS, programme, actuals=actuals)
    found = observer.weekly("w", at(60))
    # Week of the 8th: no effort is recorded, so nothing is known; spend only in the first week, one completed case.
    assert [(row.kpi, row.week.day, row.n, row.total) for row in found] == [
        ("hours", 1, 2, 6.0),
        ("hours", 15, 1, 9.0),
        ("cost", 1, 1, 50.0),
    ]


def test_without_actuals_nothing_is_known_of_them(tmp_path: Path) -> None:
    observer = observer_of(tmp_path, ROWS, programme_of(KPIS, matures_after="3d", complete=["End"]))
    assert observer.weekly("w", at(60)) == []
    vector = observer.cases("w", "hours", since=at(0), until=at(60), mature_by=at(60))
    assert (len(vector), vector.without_value) == (0, {"all": 4})
