"""How strong the evidence of a registered pilot is: it follows from its design, and from who draws or attests it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.decide.level import Level, level_of
from trueup.declare.model.workflow import Design

if TYPE_CHECKING:
    from trueup.declare.model.registration import Registration


def design_level(design: Design, *, attested: bool, admitted: bool = False, ordered: bool = False) -> Level:
    """Return the level of a design; with `by: ledger` our own router draws the arms.

    Cases that it did not draw, or drew too late, are unassigned, and one of them makes the gate unknown. `admitted`
    and `ordered` as in `decide.level`.
    """
    routed = design.by == "ledger"
    return level_of(design, attested=attested, routed=routed, admitted=admitted, ordered=ordered)


def registered_level(registration: Registration) -> Level:
    """Return the level that the registered design earns."""
    return design_level(
        Design.model_validate(registration.design),
        attested=registration.attested,
        admitted=registration.admission is not None and registration.admission.admitted,
        ordered=bool(registration.rollout),
    )
