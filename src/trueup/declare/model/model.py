"""The model that a workflow calls, what it may use up, and the reviews that its output passes."""

from __future__ import annotations

from pathlib import PurePosixPath
from typing import Literal

from pydantic import field_validator

from trueup.declare.model.values import Declared, Texts


class ModelBudget(Declared):
    """What the model may use up."""

    tokens_per_case: int | None = None
    cost_per_day: float | None = None


class Model(Declared):
    """Which model the workflow calls; its name may stand in the environment (`env:NAME`).

    `prompts` are the files that its prompts stand in, as paths or patterns.
    """

    name: str | None = None
    kind: str | None = None
    prompts: Texts = ()
    budget: ModelBudget | None = None

    @field_validator("prompts")
    @classmethod
    def _inside(cls, patterns: Texts) -> Texts:
        for pattern in patterns:
            path = PurePosixPath(pattern)
            if path.is_absolute() or not path.parts or ".." in path.parts:
                msg = f"{pattern!r} names no file of this programme; write a path such as prompts/*.md"
                raise ValueError(msg)
        return patterns


class Checks(Declared):
    """Reviews that output passes before it leaves."""

    factuality: Literal["required", "none"] | None = None
    brand_voice: Literal["required", "none"] | None = None
