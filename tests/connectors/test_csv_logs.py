"""Delimited text: what is read, what is refused, and what is said about it."""

from __future__ import annotations

import csv
import io
from datetime import datetime

import pytest

from tests.connectors.conftest import Reader, Refuser

_SPEC = {"case": "case", "activity": "activity", "times": ("at",), "zone": "UTC"}
_LOG = "case,activity,at,amount\nA1,start,2018-01-31 10:00:00,5\nA1,end,2018-02-01 10:00:00,?\n"


def test_columns_are_text_times_are_instants_and_rows_are_numbered(read: Reader) -> None:
    found = read(_LOG, **_SPEC)
    assert found.log.columns == ("case", "activity", "at", "amount")
    assert found.log.rows == 2
    assert found.column("at") == [datetime(2018, 1, 31, 10), datetime(2018, 2, 1, 10)]
    assert found.column("amount") == ["5", None]
    assert found.column("_row") == [0, 1]
    assert found.log.notes == ()


@pytest.mark.parametrize("text", ["NA", "nan", "null", "None", "?", "N/A"])
def test_a_case_or_activity_may_be_called_anything(read: Reader, text: str) -> None:
    found = read(f"case,activity,at,amount\n{text},{text},2018-01-31,{text}\n", missing=("", "?", text), **_SPEC)
    assert (found.column("case"), found.column("activity")) == ([text], [text])
    assert found.column("amount") == [None]


def test_only_declared_texts_mean_no_value(read: Reader) -> None:
    found = read("case,activity,at,amount\n1,a,2018-01-31,NA\n1,b,2018-01-31,?\n", missing=("-",), **_SPEC)
    assert found.column("amount") == ["NA", "?"]


@pytest.mark.parametrize("delimiter", [",", ";", "\t", "|"])
@pytest.mark.parametrize("line_end", ["\n", "\r\n", "\r"])
def test_separator_and_line_ends_are_found_out(read: Reader, delimiter: str, line_end: str) -> None:
    text = _LOG.replace(",", delimiter).replace("\n", line_end)
    assert read(text, **_SPEC).column("case") == ["A1", "A1"]


def test_declared_columns_settle_the_separator(read: Reader) -> None:
    found = read("case;note, with, commas\nA;1, 2, 3\nB;4, 5, 6\n", case="case")
    assert found.log.columns == ("case", "note, with, commas")


def test_a_spreadsheet_may_name_its_separator(read: Reader) -> None:
    assert read("sep=;\r\ncase;n\r\nA;1,5\r\n", case="case").column("n") == ["1,5"]


def test_quoted_fields_hold_separators_quotes_and_line_ends(read: Reader) -> None:
    found = read('case,note\nA,"x, ""y""\r\nz"\nB,\n', missing=())
    assert found.column("note") == ['x, "y"\r\nz', ""]


@pytest.mark.parametrize("encoding", ["utf-8", "utf-8-sig", "utf-16", "utf-16-le", "utf-16-be"])
def test_unicode_with_and_without_a_mark(read: Reader, encoding: str) -> None:
    content = "case,note\nÄ1,naïve – ✓ 𝄞\n".encode(encoding)
    marks = {"utf-16-le": b"\xff\xfe", "utf-16-be": b"\xfe\xff"}
    found = read(marks.get(encoding, b"") + content)
    assert (found.column("case"), found.column("note")) == (["Ä1"], ["naïve – ✓ 𝄞"])


def test_another_encoding_is_refused_with_the_line(refused: Refuser) -> None:
    error = refused("case,note\nA,plain\nB,caf\u00e9\n".encode("latin-1"))
    assert error.code == "bad-encoding"
    assert "line 3" in error.message
    assert "0xe9" in error.message
    assert "\n    iconv " in error.hint


def test_binary_is_refused(refused: Refuser) -> None:
    assert refused(b"case,note\nA,\0\0\n").code == "not-a-log"


def test_a_second_column_of_the_same_name_is_renamed_and_noted(read: Reader) -> None:
    found = read("case,category,category,category.1,_row\nA,1,2,3,4\n")
    assert found.log.columns == ("case", "category", "category.2", "category.1", "_row.1")
    assert "3rd column, 'category', is called 'category.2'" in found.log.notes[0]
    assert found.column("_row") == [0]


def test_a_column_without_a_name_gets_one(read: Reader) -> None:
    assert read(",case\n0,A\n").log.columns == ("column 1", "case")


def test_blank_lines_count_as_lines_but_not_as_records(read: Reader, refused: Refuser) -> None:
    assert read("\n\ncase,n\n\nA,1\n\n\nB,2\n\n").column("case") == ["A", "B"]
    error = refused("\ncase,activity,at\n\nA,a,2018-01-31\n\n\nB,b,never\n", **_SPEC)
    assert "line 7" in error.message


@pytest.mark.parametrize("text", ["", "\n\n", "case,activity,at\n", "case,activity,at"])
def test_nothing_to_read_is_refused(refused: Refuser, text: str) -> None:
    assert refused(text, **_SPEC).code == "data-empty"


def test_records_of_another_length_are_refused_with_their_lines(refused: Refuser) -> None:
    error = refused('case,n\n"A\n",1\nB\nC,1,2\nD,4\n')
    assert error.code == "ragged-rows"
    assert "2 records" in error.message
    assert "line 4 has 1" in error.message
    assert "line 5 has 3" in error.message


def test_a_file_cut_inside_its_last_record_is_truncated(refused: Refuser) -> None:
    error = refused(_LOG + "A2,start")
    assert error.code == "truncated"
    assert "line 4 has 2 of 4 fields" in error.message


def test_a_file_cut_inside_a_quoted_field_is_truncated(refused: Refuser) -> None:
    error = refused('case,note\nA,"one"\nB,"tw')
    assert (error.code, "line 3" in error.message) == ("truncated", True)


def test_an_open_quotation_mark_is_not_taken_for_a_field(refused: Refuser) -> None:
    error = refused('case,note\nA,"one\nB,two\nC,three\n')
    assert (error.code, "line 2" in error.message) == ("open-quote", True)


def test_an_open_quotation_mark_in_a_long_file_is_found(refused: Refuser) -> None:
    lines = "".join(f"case {number},note\n" for number in range(400_000))
    error = refused('case,note\nA,"one\n' + lines)
    assert (error.code, "line 2" in error.message) == ("open-quote", True)


def test_a_missing_line_end_is_noted(read: Reader) -> None:
    found = read(_LOG.rstrip("\n"), **_SPEC)
    assert found.log.rows == 2
    assert "ends without a line break" in found.log.notes[0]


def test_a_missing_column_is_refused_with_a_suggestion(refused: Refuser) -> None:
    error = refused(_LOG.replace("activity", "activty"), **_SPEC)
    assert error.code == "missing-column"
    assert "Did you mean 'activty'?" in error.message


def test_a_missing_header_is_hinted_at(refused: Refuser) -> None:
    error = refused("A1,start,2018-01-31\nA1,end,2018-02-01\n", **_SPEC)
    assert (error.code, "lacks its header" in error.hint) == ("missing-column", True)


@pytest.mark.parametrize("empty", ["", "   ", '""'])
def test_an_empty_case_is_refused(refused: Refuser, empty: str) -> None:
    error = refused(f"case,activity,at\nA,a,2018-01-31\n{empty},b,2018-01-31\n", **_SPEC)
    assert (error.code, "line 3" in error.message) == ("empty-case", True)


def test_an_empty_activity_is_refused(refused: Refuser) -> None:
    assert refused("case,activity,at\nA,,2018-01-31\n", **_SPEC).code == "empty-activity"


def test_repeated_events_are_refused_dropped_or_kept_as_declared(read: Reader, refused: Refuser) -> None:
    text = "case,activity,at\nA,a,2018-01-31\nA,b,2018-01-31\nA,a,2018-01-31\nA,b,2018-01-31\nA,a,2018-01-31\n"
    error = refused(text, **_SPEC)
    assert error.code == "duplicate-events"
    assert error.message.startswith("3 events equal an earlier one")
    assert "line 2 = line 4; line 3 = line 5" in error.message
    dropped = read(text, duplicates="drop", **_SPEC)
    assert dropped.column("_row") == [0, 1]
    assert dropped.log.rows == 2
    assert dropped.log.notes == ("3 events were left out: each equals an earlier one in every column.",)
    assert read(text, duplicates="keep", **_SPEC).log.rows == 5


def test_events_that_differ_in_any_column_are_no_repetition(read: Reader) -> None:
    assert read("case,activity,at,n\nA,a,2018-01-31,\nA,a,2018-01-31,?\n", **_SPEC).log.rows == 2


def test_rows_of_a_table_without_cases_may_repeat(read: Reader) -> None:
    assert read("kind,amount\nrun,5\nrun,5\n").log.rows == 2


def test_many_batches_keep_their_order(read: Reader) -> None:
    out = io.StringIO()
    writer = csv.writer(out)
    writer.writerow(["case", "activity", "at", "filling"])
    writer.writerows([number, "a", f"2018-01-{number % 28 + 1:02d} 10:00", "x" * 100] for number in range(120_000))
    found = read(out.getvalue(), **_SPEC)
    assert found.column("_row") == list(range(120_000))
    assert found.column("case") == [str(number) for number in range(120_000)]


def _cases(count: int, last: str, day: str) -> str:
    """Cases of one hour each that end with `closed`; the last one, on `day`, stops at `last`."""
    lines = ["case,activity,at"]
    for number in range(count):
        hour = f"2018-{number % 12 + 1:02d}-{number % 28 + 1:02d}"
        lines += [f"{number},new,{hour} 10:00", f"{number},closed,{hour} 11:00"]
    return "\n".join([*lines, f"last,{last},{day} 10:00", ""])


def test_a_table_that_stops_inside_its_last_case_is_refused(read: Reader, refused: Refuser) -> None:
    text = _cases(200, "new", "2018-02-01")
    error = refused(text, **_SPEC)
    assert error.code == "truncated"
    assert "its last case, 'last', stops at 'new'" in error.message
    assert "end with 'closed'" in error.message
    accepted = read(text, truncated="accept", **_SPEC)
    assert "looks cut off after 401 events" in accepted.log.notes[0]


@pytest.mark.parametrize(
    ("count", "last", "day"),
    [
        (200, "closed", "2018-02-01"),  # it is complete
        (200, "new", "2018-12-31"),  # it has only just begun
        (90, "new", "2018-02-01"),  # too few cases to say how cases end
    ],
)
def test_a_last_case_that_may_be_whole_is_no_cut(read: Reader, count: int, last: str, day: str) -> None:
    assert read(_cases(count, last, day), **_SPEC).log.notes == ()


def test_a_table_in_another_order_says_nothing_about_a_cut(read: Reader) -> None:
    header, *rows = _cases(200, "new", "2018-02-01").splitlines()
    mixed = "\n".join([header, *rows[1::2], *rows[::2], ""])
    assert read(mixed, **_SPEC).log.notes == ()
