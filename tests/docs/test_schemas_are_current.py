"""The JSON Schemas in the docs are those of the models, and they describe what is declared."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from trueup.declare.reading.shapes import keys_at
from trueup.declare.schemas import SCHEMAS, schema_texts


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_committed_schema_is_current(repository: Path, name: str) -> None:
    committed = repository / "docs" / "reference" / "schemas" / name
    assert committed.read_text() == schema_texts()[name], "write it again: trueup schema --out docs/reference/schemas"


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_a_schema_lists_the_keys_that_the_checker_knows(name: str) -> None:
    schema = json.loads(schema_texts()[name])
    assert set(schema["properties"]) == set(keys_at(SCHEMAS[name][0], ()))
    assert schema["additionalProperties"] is False


@pytest.mark.parametrize("name", sorted(SCHEMAS))
def test_every_reference_inside_a_schema_leads_somewhere(name: str) -> None:
    schema = json.loads(schema_texts()[name])

    def references(value: Any) -> list[str]:
        if isinstance(value, dict):
            here = [value["$ref"]] if "$ref" in value else []
            return here + [ref for item in value.values() for ref in references(item)]
        return [ref for item in value for ref in references(item)] if isinstance(value, list) else []

    assert {ref.removeprefix("#/$defs/") for ref in references(schema)} <= set(schema.get("$defs", {}))
