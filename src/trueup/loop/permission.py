"""Who may sign which change. One change that a person may not sign refuses the whole."""

from __future__ import annotations

from typing import TYPE_CHECKING

from trueup.declare.model.people import Role
from trueup.kernel.errors import NotPermittedError
from trueup.kernel.text import did_you_mean

if TYPE_CHECKING:
    from collections.abc import Iterable

    from trueup.declare.programme import Programme

_OWNER_OR_ABOVE = {Role.OWNER, Role.SPONSOR, Role.ADMIN}


def require_person(programme: Programme, who: str) -> None:
    """Raise NotPermittedError unless `who` is declared in `people`."""
    if who in programme.file.people:
        return
    known = ", ".join(sorted(programme.file.people)) or "nobody yet"
    raise NotPermittedError(
        "unknown-person",
        f"{who!r} is not in `people` of programme.yaml.{did_you_mean(who, programme.file.people)}",
        f"Declared are: {known}.",
    )


def deciders(programme: Programme) -> set[str]:
    """Return everybody in `operating_model.decides` who is declared in `people`."""
    model = programme.file.operating_model
    return {who for who in (model.decides if model else ()) if who in programme.file.people}


def sponsors(programme: Programme) -> set[str]:
    """Return the programme's sponsor, as declared."""
    sponsor = programme.file.sponsor
    return {sponsor} if sponsor is not None and sponsor in programme.file.people else set()


def business_owner(programme: Programme, workflow: str) -> str | None:
    """Return the person who answers for a workflow; where it names none, the owner of its use case."""
    declared = programme.workflows[workflow]
    if declared.owners.business is not None:
        return declared.owners.business
    use_case = programme.use_cases.get(declared.use_case or "")
    return use_case.owner if use_case else None


def may_decide_gate(programme: Programme, workflow: str) -> set[str]:
    """Gate changes: the workflow's business owner, or anybody who decides."""
    owner = business_owner(programme, workflow)
    named = {owner} if owner is not None and owner in programme.file.people else set()
    return deciders(programme) | named


def may_stop(programme: Programme, workflow: str) -> set[str]:
    """A stop: anybody with a role of owner or above, and whoever may decide the gate."""
    by_role = {who for who, person in programme.file.people.items() if _OWNER_OR_ABOVE & set(person.roles)}
    return by_role | sponsors(programme) | may_decide_gate(programme, workflow)


def may_expand(programme: Programme, workflow: str) -> set[str]:
    """Scale, expand, more autonomy, any waiver: the sponsor, or a decider who does not own the workflow."""
    return sponsors(programme) | (deciders(programme) - {business_owner(programme, workflow) or ""})


def may_change_strategy(programme: Programme) -> set[str]:
    """Assumptions, ranking, findings: coordination, the sponsor, or anybody who decides."""
    model = programme.file.operating_model
    coordination = {model.coordination} if model and model.coordination in programme.file.people else set()
    return {who for who in coordination if who} | sponsors(programme) | deciders(programme)


def require(allowed: Iterable[str], who: str, what: str) -> None:
    """Raise NotPermittedError with the names who may, unless `who` is one of them."""
    names = sorted(allowed)
    if who in names:
        return
    raise NotPermittedError(
        "may-not-sign",
        f"{who!r} may not sign {what}.",
        f"These may: {', '.join(names) or 'nobody is declared who may'}. Take the rest with --only.",
    )
