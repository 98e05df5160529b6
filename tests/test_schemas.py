from __future__ import annotations

import json

import jsonschema
import pytest

from kubeanswers.source import read_yaml
from tenancykit import schemas
from tenancykit.catalogue.reading import OWN_ROOT
from tenancykit.examples import EXAMPLES, example


def test_the_shipped_schemas_are_those_of_the_models() -> None:
    for name, schema in schemas.schemas().items():
        assert (schemas.FOLDER / name).read_text(encoding="utf-8") == schemas.text_of(schema), (
            f"run: make schemas ({name})"
        )


def test_every_catalogue_file_names_its_schema_and_keeps_it() -> None:
    validators: dict[str, jsonschema.Draft202012Validator] = {}
    files = sorted(OWN_ROOT.rglob("*.yaml"))
    assert len(files) > 200
    for file in files:
        text = file.read_text(encoding="utf-8")
        first = text.partition("\n")[0]
        assert first.startswith("# yaml-language-server: $schema="), file
        schema = (file.parent / first.partition("$schema=")[2]).resolve()
        if schema.name not in validators:
            validators[schema.name] = jsonschema.Draft202012Validator(json.loads(schema.read_text(encoding="utf-8")))
        errors = list(validators[schema.name].iter_errors(read_yaml(file).data))
        assert not errors, f"{file}: {errors[0].message}"


@pytest.mark.parametrize("name", EXAMPLES)
def test_every_example_keeps_the_scenario_schema(name: str) -> None:
    schema = schemas.schemas()["scenario.schema.json"]
    jsonschema.Draft202012Validator(schema).validate(read_yaml(example(name)).data)
