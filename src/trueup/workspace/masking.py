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
    """Return the kinds that are masked by the sensitivity levels of a workflow: its own, and that of its data."""
    declared = programme.workflows.get(workflow)
    source = programme.file.data.get(declared.events.data or "") if declared and declared.events else None
    levels = (source.sensitivity if source else None, declared.sensitivity if declared else None)
    rules = [programme.file.sensitivity[level] for level in levels if level in programme.file.sensitivity]
    return tuple(dict.fromkeys(str(kind) for rule in rules for kind in rule.mask))
