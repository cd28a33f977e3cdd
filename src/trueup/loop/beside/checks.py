"""The checks of a design, asked at a gate: placebo units, negative controls, a synthetic control, the trend before."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.decide.beside import DesignChecks, NegativeControl, Synthetic, negative_control, placebo_of, synthetic_of
from trueup.decide.designs import MatchedUnits
from trueup.decide.gate import ALPHA

if TYPE_CHECKING:
    from collections.abc import Iterator
    from datetime import datetime

    from trueup.decide.beside import Weigher
    from trueup.decide.comparison import Comparison
    from trueup.loop.pilots.comparisons import PilotView

NOT_INSTALLED = "the package pysyncon is not installed (extra `synthetic`)"


def checks_of(view: PilotView, primary: Comparison, at: datetime, weigher: Weigher | None) -> DesignChecks | None:
    """Return what is asked beside the primary KPI; None for a design that declares no negative control and needs none.

    Raises DataError as `PilotView.compare`.
    """
    controls = tuple(_controls(view, at))
    analysis = primary.analysis
    if not isinstance(analysis, MatchedUnits):
        return DesignChecks(controls=controls) if controls else None
    admission = view.registration.admission
    return DesignChecks(
        placebo=placebo_of(analysis),
        controls=controls,
        synthetic=_synthetic(primary, analysis, weigher),
        trend=admission.pre_trend_p if admission else None,
    )


def _synthetic(primary: Comparison, analysis: MatchedUnits, weigher: Weigher | None) -> Synthetic | str | None:
    return NOT_INSTALLED if weigher is None else synthetic_of(primary, analysis, weigher)


def _controls(view: PilotView, at: datetime) -> Iterator[NegativeControl]:
    alpha = ALPHA / max(len(view.registration.gates), 1)
    for kpi in view.registration.negative_control or ():
        if kpi in view.workflow.kpis and kpi in view.registration.kpis:
            yield negative_control(view.compare(kpi, at), alpha)
