"""What a comparison is adjusted for, as it was registered: which cases, which fields, and which figure decides."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np

from trueup.decide.adjustment import Known, known_of
from trueup.decide.comparison import Basis
from trueup.decide.gate import Unknown
from trueup.decide.numbers import interval_json
from trueup.decide.samples import mondays_of
from trueup.declare.model.workflow import Adjust
from trueup.observe.tables import Arm

if TYPE_CHECKING:
    from trueup.decide.comparison import Comparison
    from trueup.declare.model.registration import Registration
    from trueup.evidence.designs.scales import Transform
    from trueup.observe.tables import CaseVector


def adjust_of(registration: Registration) -> Adjust | None:
    """Return what was registered, or None."""
    return None if registration.adjust is None else Adjust.model_validate(registration.adjust)


def known_before(registration: Registration, compared: Comparison, vector: CaseVector) -> Known | None:
    """Return what was known of the cases of both arms; None where the log lacks it. Shares are not judged by it."""
    adjust = adjust_of(registration)
    treated, control = compared.treated.values, compared.control.values
    cases = vector.of(Arm.TREATED, Arm.CONTROL)
    if adjust is None or treated is None or control is None or len(cases) != len(treated) + len(control):
        return None
    if not len(cases):
        return None
    share = registration.design.get("share")
    return known_of(
        (treated, control),
        np.asarray(cases.arm == str(Arm.TREATED), dtype=bool),
        mondays_of(cases),
        fields=adjust.covariates,
        covariates=cases.covariates if adjust.covariates else None,
        strata=cases.stratum if adjust.strata else None,
        share=None if share is None else float(share),
        decides=adjust.decides == "adjusted" and cases.covariates is not None and not compared.share,
    )


def known_by_week(
    registration: Registration, treated: CaseVector, baseline: CaseVector, transform: Transform
) -> Known | None:
    """Return the strata of treated cases and of the baseline's, as the log now has both; None as `known_before`."""
    adjust = adjust_of(registration)
    if adjust is None or not adjust.strata:
        return None
    if treated.stratum is None or baseline.stratum is None or treated.under is not None:
        return None
    sides = (treated, baseline)
    return Known(
        values=np.concatenate([transform(side.value) for side in sides]),
        treated=np.concatenate([np.full(len(side), float(side is treated)) for side in sides]),
        weeks=np.concatenate([mondays_of(side) for side in sides]),
        strata=np.concatenate([side.stratum for side in sides if side.stratum is not None]),
        by_week=True,
    )


def not_adjusted(registration: Registration, comparison: Comparison) -> Unknown | None:
    """Say why a KPI that is to be judged at equal covariates cannot be, or None."""
    adjust = adjust_of(registration)
    if adjust is None or adjust.decides == "raw" or (comparison.known is not None and comparison.known.decides):
        return None
    return Unknown("not-adjusted", f"registered to be judged at equal covariates, but {_because(adjust, comparison)}")


def _because(adjust: Adjust, comparison: Comparison) -> str:
    if comparison.basis is not Basis.CASES and (comparison.known is None or adjust.covariates):
        return "cases were not drawn one by one"
    if comparison.quantile is not None or comparison.share:
        return f"only means are, and {comparison.kpi} is a {'share' if comparison.share else 'quantile'}"
    if comparison.known is None:
        return "no case of both arms is mature"
    return f"the log lacks one of {', '.join((*adjust.covariates, *adjust.strata))}"


def beside_raw(registration: Registration | None, comparison: Comparison, alpha: float) -> dict[str, Any] | None:
    """Return the adjusted figures beside the raw one at a gate; None where nothing is registered.

    `decides` says by which the KPI is judged. What cannot be adjusted is null, with the reason.
    """
    adjust = adjust_of(registration) if registration is not None else None
    if adjust is None:
        return None
    known = comparison.known
    covariates = known is not None and known.covariates is not None
    strata = known.by_strata(alpha) if known is not None else None
    complete = covariates >= bool(adjust.covariates) and (strata is not None) >= bool(adjust.strata)
    return {
        "decides": adjust.decides,
        "raw": interval_json(comparison.raw(alpha)) if comparison.analysis is None else None,
        "covariates": list(adjust.covariates),
        "adjusted": interval_json(comparison.adjusted(alpha)) if covariates else None,
        "missing": known.missing if known is not None and covariates else None,
        "strata": list(adjust.strata),
        "standardised": None if strata is None else interval_json(comparison.of_shift(strata.standardised)),
        "left_out": None if strata is None else strata.left_out,
        "reversed": None if strata is None else strata.reversed,
        "because": None if complete else _because(adjust, comparison),
    }
