"""How strong the evidence of a registered pilot is: it follows from its design, and from who draws or attests it."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.decide.level import Level, level_of
from trueup.declare.model.workflow import Design

if TYPE_CHECKING:
    from trueup.declare.model.registration import Registration


def design_level(design: Design, *, attested: bool) -> Level:
    """Return the level of a design; with `by: ledger` our own router draws the arms.

    Cases that it did not draw, or drew too late, are unassigned, and one of them makes the gate unknown.
    """
    return level_of(design, attested=attested, routed=design.by == "ledger")


def registered_level(registration: Registration) -> Level:
    """Return the level that the registered design earns."""
    return design_level(Design.model_validate(registration.design), attested=registration.attested)
