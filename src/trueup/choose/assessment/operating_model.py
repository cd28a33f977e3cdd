"""Which operating model fits an organisation, how each is known to fail, and who decides what."""

from __future__ import annotations

from itertools import product
from typing import TYPE_CHECKING, Any

from trueup.declare.model.programme import Organisation

if TYPE_CHECKING:
    from collections.abc import Iterator, Mapping

    from trueup.declare.model.people import OperatingModel

# What pulls decisions together (+1) or apart (-1). A factor that is not listed does neither.
PULLS: dict[str, dict[str, int]] = {
    "maturity": {"low": 1, "medium": 0, "high": -1},
    "regulation": {"low": -1, "medium": 0, "high": 1},
    "culture": {"hierarchical": 1, "collaborative": 0, "autonomous": -1},
    "resources": {"constrained": 1, "adequate": 0, "ample": -1},
}
_CLEAR = 3
FAILURES = {
    "top-down": (
        "one desk becomes the queue: experienced teams wait, and work around it",
        "mandates are not adopted where teams are used to deciding for themselves",
        "priorities follow whoever is loudest at the top, and not the workflow",
    ),
    "bottom-up": (
        "every team builds its own controls, and none of them holds under regulation",
        "the same is built and paid for twice, with no shared standards",
        "activity scatters: many pilots, none in production",
    ),
    "hybrid": (
        "nobody knows which decision is central and which is the team's, unless it is written down",
        "the centre sets standards and no one checks that they are used",
        "good ideas wait between team and centre when intake has no date",
    ),
}
_WORDS = {1: "pulls together", 0: "pulls neither way", -1: "pulls apart"}


def recommended(factors: Mapping[str, str]) -> str:
    """Return the model for complete factors: clear pulls to one side decide, everything else is hybrid.

    At least three of four factors have to pull one way on balance; two that pull against it already make it hybrid.
    """
    balance = sum(PULLS[factor][value] for factor, value in factors.items())
    if balance >= _CLEAR:
        return "top-down"
    return "bottom-up" if balance <= -_CLEAR else "hybrid"


def possible(organisation: Organisation | None) -> tuple[str, ...]:
    """Return every model that could be recommended, whatever the factors that are not answered turn out to be."""
    given = _given(organisation)
    choices = [[given[factor]] if factor in given else list(values) for factor, values in PULLS.items()]
    found = {recommended(dict(zip(PULLS, values, strict=True))) for values in product(*choices)}
    return tuple(kind for kind in FAILURES if kind in found)


def operating_model(declared: OperatingModel | None, organisation: Organisation | None) -> dict[str, Any]:
    """Return the recommended model beside the declared one, the reasons, and how the chosen one is known to fail."""
    kinds = possible(organisation)
    kind = declared.kind if declared else None
    fitting = kinds[0] if len(kinds) == 1 else None
    chosen = kind or fitting
    given = _given(organisation)
    return {
        "declared": kind,
        "recommended": fitting,
        "possible": list(kinds),
        "fits": None if kind is None or (fitting is None and kind in kinds) else kind == fitting,
        "because": [f"{factor} is {value}: {_WORDS[PULLS[factor][value]]}" for factor, value in given.items()],
        "unknown": [factor for factor in PULLS if factor not in given],
        "failure_modes": list(FAILURES[chosen]) if chosen else [],
        "intake": declared.intake if declared else None,
    }


def _given(organisation: Organisation | None) -> dict[str, str]:
    given = {factor: getattr(organisation, factor, None) for factor in PULLS}
    return {factor: value for factor, value in given.items() if value is not None}


def decision_rights(model: OperatingModel | None, fitting: str | None, sponsor: str | None) -> list[dict[str, Any]]:
    """Return who decides what under a model; `who` is empty where nobody is declared."""
    kind = (model.kind if model else None) or fitting
    return [
        {"decision": decision, "by": by, "who": list(who), "declared": bool(who)}
        for decision, by, who in _rights(model, kind, sponsor)
    ]


def _rights(
    model: OperatingModel | None, kind: str | None, sponsor: str | None
) -> Iterator[tuple[str, str, tuple[str, ...]]]:
    centre = (model.coordination,) if model and model.coordination else ()
    deciders = tuple(model.decides) if model else ()
    intake = (model.intake,) if model and model.intake else ()
    top = (sponsor,) if sponsor else ()
    teams = kind == "bottom-up"
    yield "set priorities", "the teams' owners" if teams else "the sponsor, with coordination", () if teams else top
    yield "set standards", "coordination", centre
    yield "run the shared platform", "coordination", centre
    yield "find use cases", "coordination" if kind == "top-down" else "whoever intake names", intake
    yield "stop a use case", "those who decide, and its business owner", deciders
