"""The shape of the declared files as JSON Schemas, for editors that complete and check while somebody writes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

from trueup.declare.model.programme import ProgrammeFile
from trueup.declare.model.registration import Registration
from trueup.declare.model.scenario import Scenarios
from trueup.declare.model.use_case import UseCase
from trueup.declare.model.workflow import Workflow

if TYPE_CHECKING:
    from pydantic import BaseModel

# File name of a schema -> the model of the files that it describes, and where those lie.
SCHEMAS: dict[str, tuple[type[BaseModel], str]] = {
    "programme.schema.json": (ProgrammeFile, "programme.yaml"),
    "use-case.schema.json": (UseCase, "use-cases/*.yaml"),
    "workflow.schema.json": (Workflow, "workflows/*.yaml"),
    "scenario.schema.json": (Scenarios, "scenarios/*.yaml"),
    "registration.schema.json": (Registration, "registrations/*.yaml"),
}
_DIALECT = "https://json-schema.org/draft/2020-12/schema"


def schema(model: type[BaseModel], files: str) -> dict[str, Any]:
    """Return the JSON Schema (draft 2020-12) of a declared file."""
    made = model.model_json_schema(by_alias=True, mode="validation")
    return {"$schema": _DIALECT, **made, "title": files}


def schema_texts() -> dict[str, str]:
    """Return every schema as the text of a file, by the file's name."""
    return {
        name: json.dumps(schema(model, files), indent=2, ensure_ascii=False) + "\n"
        for name, (model, files) in SCHEMAS.items()
    }
