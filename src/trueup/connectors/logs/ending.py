"""Whether a table stops in the middle of its last case: whole records hide a cut, the cases show it."""

from __future__ import annotations

from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from trueup.connectors.logs.arrays import filled, flags

# Fewer other cases than this are too few to say how cases end here.
_CASES = 100
# So large a share of the other cases has to end in one and the same activity ...
_SHARE = 0.99
# ... and this share of them has to be over sooner than the log runs on after the last event of the last case.
_DURATIONS = 0.95


@dataclass(frozen=True, slots=True)
class Cut:
    """The last case, the activity it stops at, and the one at which the other cases end."""

    case: str
    stops_at: str
    others: int
    end_at: str


class Ending:
    """Watches a table whose rows are grouped by case; gives up where they are not."""

    def __init__(self) -> None:
        self._firsts: list[pa.Table] = []
        self._lasts: list[pa.Table] = []
        self._open: pa.Table | None = None
        self._grouped = True

    def add(self, case: pa.Array, activity: pa.Array, at: pa.Array) -> None:
        """Take the next rows: text, text, timestamp[us]."""
        if not self._grouped or not len(case):
            return
        rows = pa.table({"case": case, "activity": activity, "at": at})
        if self._open is not None:
            rows = pa.concat_tables([self._open, rows])
        cases = rows.column("case").combine_chunks()
        changes = filled(pc.not_equal(cases[1:], cases[:-1]), by=True)
        starts = pa.concat_arrays([flags(1, value=self._open is None), changes])
        self._firsts.append(rows.filter(starts))
        self._lasts.append(rows.filter(pa.concat_arrays([changes, flags(1, value=False)])))
        self._open = rows.slice(len(rows) - 1)
        distinct = pc.count_distinct(cases).as_py()
        self._grouped = distinct == (pc.sum(changes).as_py() or 0) + 1

    def cut(self) -> Cut | None:
        """Return what speaks for a cut, or None.

        All of these have to hold: rows are grouped by case; at least 99% of 100 or more other cases end in one
        activity; none of them ends in the activity at which the last case stops; and the log goes on after that for
        longer than 95% of the other cases last.
        """
        if not self._grouped or self._open is None:
            return None
        firsts, lasts = pa.concat_tables(self._firsts), pa.concat_tables([*self._lasts, self._open])
        if len(lasts) <= _CASES or pc.count_distinct(firsts.column("case")).as_py() != len(firsts):
            return None
        others = lasts.slice(0, len(lasts) - 1)
        stops_at = self._open.column("activity")[0].as_py()
        usual = _usual_end(others, stops_at)
        return None if usual is None or not self._runs_on(firsts, lasts) else self._found(stops_at, others, usual)

    def _found(self, stops_at: str, others: pa.Table, usual: str) -> Cut:
        case = self._open.column("case")[0].as_py() if self._open is not None else ""
        return Cut(case, stops_at, len(others), usual)

    def _runs_on(self, firsts: pa.Table, lasts: pa.Table) -> bool:
        ends = pc.cast(lasts.column("at"), pa.int64())
        lengths = pc.subtract(ends, pc.cast(firsts.column("at"), pa.int64()))
        usual = pc.quantile(lengths.slice(0, len(lengths) - 1), _DURATIONS)[0].as_py()
        remaining = pc.max(ends).as_py() - ends[-1].as_py()
        return bool(remaining > usual)


def _usual_end(others: pa.Table, stops_at: str) -> str | None:
    """Return the activity in which nearly all other cases end, unless one of them ends like the last."""
    counts = {item["values"]: item["counts"] for item in pc.value_counts(others.column("activity")).to_pylist()}
    usual, count = max(counts.items(), key=lambda item: item[1])
    return usual if count >= _SHARE * len(others) and stops_at not in counts else None
