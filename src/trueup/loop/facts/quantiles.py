"""Medians and 90th percentiles of durations, from the counts of all weeks, with a band that holds at any time."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Any

from trueup.decide.numbers import known
from trueup.declare.model.kpi import KpiKind
from trueup.evidence.quantiles import quantile_band

if TYPE_CHECKING:
    from collections.abc import Mapping, Sequence

    from trueup.declare.programme import Programme

QUANTILES = (0.5, 0.9)
_ALPHA = 0.05


def quantiles(programme: Programme, histograms: Sequence[Mapping[str, Any]]) -> list[dict[str, Any]]:
    """Return the quantiles of every duration by arm, from weekly histograms as `spread` returns them.

    `value` is None where it lies in the open bucket, `upper` where the band reaches into it.
    Cases count as independent.
    """

    def place(row: Mapping[str, Any]) -> tuple[str, str, str]:
        return row["workflow"], row["kpi"], row["arm"]

    found = []
    for (workflow, kpi, arm), rows in groupby(sorted(histograms, key=place), key=place):
        listed = list(rows)
        if programme.workflows[workflow].kpis[kpi].kind is not KpiKind.DURATION:
            continue
        counts = [sum(column) for column in zip(*(row["counts"] for row in listed), strict=True)]
        for quantile in QUANTILES:
            band = quantile_band(listed[0]["edges"], counts, quantile, _ALPHA)
            ends = {"lower": known(band.lower), "upper": known(band.upper)}
            one = {"workflow": workflow, "kpi": kpi, "arm": arm, "unit": listed[0]["unit"], "n": sum(counts)}
            value = known(band.estimate) if band.estimate < listed[0]["edges"][-1] else None
            found.append({**one, "quantile": quantile, "value": value, **ends})
    return found
