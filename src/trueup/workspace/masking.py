"""What a workflow masks, by the sensitivity of its data, ready for one conversation."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.workspace.settings import new_secret

if TYPE_CHECKING:
    from trueup.declare.programme import Programme
    from trueup.enforce.masking.payload import Masking
    from trueup.enforce.masking.tokens import Vault


def masking_of(programme: Programme, workflow: str, vault: Vault | None = None) -> Masking | None:
    """Return what masks for a workflow; None where its level masks nothing. Without a vault it gets one of its own.

    Raises ConflictError when a kind needs a language model that is not installed.
    """
    kinds = masked_kinds(programme, workflow)
    if not kinds:
        return None
    from trueup.connectors.masking.presidio import PresidioFinder
    from trueup.enforce.masking.payload import Masking
    from trueup.enforce.masking.tokens import Vault

    return Masking(PresidioFinder(kinds), vault or Vault(new_secret()))


def masked_kinds(programme: Programme, workflow: str) -> tuple[str, ...]:
    """Return the kinds that are masked by the sensitivity level of a workflow's data."""
    declared = programme.workflows.get(workflow)
    source = programme.file.data.get(declared.events.data or "") if declared and declared.events else None
    handling = programme.file.sensitivity.get(source.sensitivity or "") if source else None
    return tuple(str(kind) for kind in handling.mask) if handling else ()
