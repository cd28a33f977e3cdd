"""XES: attributes as columns, dates as instants; what is no whole, honest log is refused."""

from __future__ import annotations

from datetime import datetime

import pytest

from tests.connectors.conftest import Reader, Refuser

_SPEC = {"case": "case:concept:name", "activity": "concept:name", "times": ("time:timestamp",)}


def _event(activity: str, at: str = "2018-01-31T10:00:00+01:00", more: str = "") -> str:
    return (
        f'<event><string key="concept:name" value="{activity}"/><date key="time:timestamp" value="{at}"/>{more}</event>'
    )


def _trace(case: str, *events: str, more: str = "") -> str:
    return f'<trace><string key="concept:name" value="{case}"/>{more}{"".join(events)}</trace>'


def _log(*traces: str, head: str = "", attributes: str = 'xmlns="http://www.xes-standard.org/"') -> str:
    return f'<?xml version="1.0" encoding="UTF-8"?>\n<log {attributes}>{head}{"".join(traces)}</log>'


def test_attributes_of_traces_and_events_become_columns(read: Reader) -> None:
    found = read(
        _log(
            _trace(
                "c1", _event("a"), _event("b", more='<int key="n" value="7"/>'), more='<float key="x" value="1.50"/>'
            ),
            _trace("c2", _event("a", more='<boolean key="ok" value="true"/>')),
        ),
        "log.xes",
        **_SPEC,
    )
    assert found.log.columns == ("case:concept:name", "case:x", "concept:name", "time:timestamp", "n", "ok")
    assert found.column("case:concept:name") == ["c1", "c1", "c2"]
    assert found.column("case:x") == ["1.50", "1.50", None]
    assert found.column("n") == [None, "7", None]
    assert found.column("ok") == [None, None, "true"]
    assert found.column("time:timestamp") == [datetime(2018, 1, 31, 9)] * 3
    assert found.column("_row") == [0, 1, 2]


def test_globals_are_declarations_not_values(read: Reader) -> None:
    head = (
        '<extension name="Concept" prefix="concept" uri="http://www.xes-standard.org/concept.xesext"/>'
        '<global scope="event"><string key="org:role" value="nobody"/></global>'
        '<classifier name="Activity" keys="concept:name"/><string key="creator" value="x"/>'
    )
    assert read(_log(_trace("c", _event("a")), head=head), **_SPEC).log.columns == (
        "case:concept:name",
        "concept:name",
        "time:timestamp",
    )


def test_namespace_prefixes_and_attribute_order_do_not_matter(read: Reader) -> None:
    text = (
        '<x:log xmlns:x="http://www.xes-standard.org/"><x:trace><x:string value="c" key="concept:name"/>'
        '<x:event><x:string value="a &amp; &#246;" key="concept:name"/>'
        '<x:date value="2018-01-31T10:00:00Z" key="time:timestamp"/></x:event></x:trace></x:log>'
    )
    assert read(text, **_SPEC).column("concept:name") == ["a & ö"]


def test_nested_attributes_and_lists_are_passed_over_and_counted(read: Reader) -> None:
    nested = (
        '<string key="who" value="x"><string key="who:inner" value="y"/></string>'
        '<list key="many"><values><string key="one" value="1"/></values></list>'
    )
    found = read(_log(_trace("c", _event("a", more=nested))), **_SPEC)
    assert found.column("who") == ["x"]
    assert "who:inner" not in found.log.columns
    assert "4 elements lie inside attributes" in found.log.notes[0]


def test_an_attribute_given_twice_is_read_once_and_counted(read: Reader) -> None:
    found = read(_log(_trace("c", _event("a", more='<string key="concept:name" value="b"/>'))), **_SPEC)
    assert found.column("concept:name") == ["a"]
    assert "1 attributes are given twice" in found.log.notes[0]


def test_attributes_that_appear_late_are_columns_of_the_whole_log(read: Reader) -> None:
    traces = [_trace(f"c{number}", *(_event(f"a{step}") for step in range(10))) for number in range(3000)]
    late = _trace("late", _event("z", more='<string key="late" value="yes"/>'))
    found = read(_log(*traces, late), **_SPEC)
    assert found.log.rows == 30_001
    assert found.column("late")[0] is None
    assert found.column("late")[-1] == "yes"


def test_an_event_attribute_may_be_named_like_one_of_the_trace(read: Reader) -> None:
    found = read(_log(_trace("c", _event("a", more='<string key="case:concept:name" value="other"/>'))), **_SPEC)
    assert found.column("case:concept:name") == ["c"]
    assert found.column("case:concept:name.1") == ["other"]


def test_dates_nobody_asked_for_are_instants_where_they_can_be(read: Reader) -> None:
    good = '<date key="due" value="2018-02-01T00:00:00Z"/>'
    found = read(_log(_trace("c", _event("a", more=good), _event("b"))), **_SPEC)
    assert found.column("due") == [datetime(2018, 2, 1), None]
    bad = '<date key="due" value="tomorrow"/>'
    found = read(_log(_trace("c", _event("a", more=good), _event("b", more=bad))), **_SPEC)
    assert found.column("due") == ["2018-02-01T00:00:00Z", "tomorrow"]


def test_a_trace_without_events_is_no_case_and_is_noted(read: Reader) -> None:
    found = read(_log(_trace("empty"), _trace("c", _event("a"))), **_SPEC)
    assert found.column("case:concept:name") == ["c"]
    assert "1 traces hold no event" in found.log.notes[0]


def test_missing_texts_apply_to_attributes_but_not_to_cases(read: Reader) -> None:
    found = read(_log(_trace("?", _event("?", more='<string key="n" value="?"/>'))), **_SPEC)
    assert (found.column("case:concept:name"), found.column("concept:name"), found.column("n")) == (
        ["?"],
        ["?"],
        [None],
    )


@pytest.mark.parametrize("share", [0.2, 0.5, 0.9, 0.99])
def test_a_log_cut_anywhere_is_truncated(refused: Refuser, share: float) -> None:
    text = _log(*(_trace(f"c{number}", _event("a"), _event("b")) for number in range(50)))
    error = refused(text[: int(len(text) * share)], "log.xes", **_SPEC)
    assert error.code == "truncated"
    assert "line 2, after" in error.message


def test_a_log_without_its_last_tag_is_truncated(refused: Refuser) -> None:
    error = refused(_log(_trace("c", _event("a"))).removesuffix("</log>"), **_SPEC)
    assert (error.code, "after 1 whole traces and 1 events" in error.message) == ("truncated", True)


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("<html><body>not found</body></html>", "not-a-log"),
        ("<log><trace></log>", "not-a-log"),
        ("<log>\n<trace>&nbsp;</trace></log>", "not-a-log"),
        ('<log><trace><event><string key="concept:name"/></event></trace></log>', "not-a-log"),
        ("<log></log><log></log>", "not-a-log"),
        ('<?xml version="1.0" encoding="EBCDIC-X"?><log/>', "bad-encoding"),
        ("<log/>", "data-empty"),
        ("<log><event/></log>", "empty-case"),
        (_log(_trace("c")), "data-empty"),
        (_log(_trace("", _event("a"))), "empty-case"),
        (_log(_trace("c", _event(" "))), "empty-activity"),
        (_log(_trace("c", _event("a"), _event("a"))), "duplicate-events"),
        (_log(_trace("c", _event("a", "yesterday"))), "bad-time"),
        (_log(_trace("c", _event("a", "2018-01-31T10:00:00"))), "no-zone"),
        (_log(_trace("c", _event("a"), _event("b", "2018-01-31T10:00:00"))), "mixed-zones"),
        (_log(_trace("c", _event("a"), '<event><string key="concept:name" value="b"/></event>')), "bad-time"),
    ],
)
def test_refusals(refused: Refuser, text: str, code: str) -> None:
    assert refused(text, "log.xes", **_SPEC).code == code


def test_a_document_type_is_refused_before_it_can_unpack(refused: Refuser) -> None:
    bomb = '<!DOCTYPE log [<!ENTITY a "aaaaaaaaaa"><!ENTITY b "&a;&a;&a;&a;&a;&a;&a;&a;&a;&a;">]>'
    error = refused(f'<?xml version="1.0"?>{bomb}<log><string key="x" value="&b;"/></log>', "log.xes", **_SPEC)
    assert (error.code, "DOCTYPE" in error.hint) == ("not-a-log", True)


def test_places_are_events_counted_from_one(refused: Refuser) -> None:
    error = refused(_log(_trace("c", _event("a"), _event("b", "never"))), **_SPEC)
    assert "'never' in event 2" in error.message


def test_utf16_is_read(read: Reader) -> None:
    text = _log(_trace("ö", _event("a"))).replace("UTF-8", "UTF-16").encode("utf-16")
    assert read(text, "log.xes", **_SPEC).column("case:concept:name") == ["ö"]
