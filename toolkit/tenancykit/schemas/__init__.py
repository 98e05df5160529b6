"""JSON Schemas, for editors and for whoever reads ``--json``.

Those of the scenario and of each catalogue file are generated from the models: ``python -m tenancykit.schemas``
rewrites them, and a test demands that they are current. ``comparison.schema.json`` is written by hand: it is a promise.
"""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Mapping
from functools import cache
from itertools import pairwise
from pathlib import Path
from types import ModuleType
from typing import Any

from pydantic import BaseModel
from pydantic.json_schema import GenerateJsonSchema, JsonSchemaValue
from pydantic_core import core_schema

from kubeanswers.writing import write_text
from tenancykit.catalogue import attack, signs, work
from tenancykit.catalogue.accelerators import Accelerator
from tenancykit.catalogue.features import Feature
from tenancykit.catalogue.model import DIMENSIONS, Component, Need, Option, Reference, Rule, Source
from tenancykit.catalogue.price_entries import Price
from tenancykit.scenario.model import Scenario

FOLDER = Path(__file__).parent

_CATALOGUE: Mapping[str, type[BaseModel]] = {
    "accelerator": Accelerator,
    "asset": attack.Asset,
    "barrier": attack.Barrier,
    "boundary": attack.Boundary,
    "choice": attack.DesignChoice,
    "claim": signs.Claim,
    "component": Component,
    "crossing": attack.Crossing,
    "derived": attack.Derived,
    "evidence": attack.Evidence,
    "expectation": attack.Expectation,
    "feature": Feature,
    "flaw-prior": attack.Prior,
    "interference": attack.Interference,
    "lapse": attack.Lapse,
    "level": attack.Level,
    "option": Option,
    "position": attack.Position,
    "price": Price,
    "prior": work.Prior,
    "rate": work.Rate,
    "reference": Reference,
    "rule": Rule,
    "need": Need,
    "scale-limit": work.ScaleLimit,
    "sign": signs.Sign,
    "toil": work.Toil,
    "upkeep": attack.Upkeep,
    "window": attack.PatchWindow,
    "work": work.Work,
}


def schemas() -> dict[str, dict[str, Any]]:
    """Return every schema by file name."""
    found = {name: _either(model) for name, model in _CATALOGUE.items()}
    found["scenario"] = _schema(Scenario)
    source = _schema(Source)
    found["sources"] = {"type": "object", "additionalProperties": source}
    layers = {"type": "object", "additionalProperties": {"enum": ["required", "optional"]}}
    found["layers"] = {
        "type": "object",
        "properties": dict.fromkeys(DIMENSIONS, layers),
        "required": list(DIMENSIONS),
        "additionalProperties": False,
    }
    return {
        f"{name}.schema.json": {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
        for name, schema in sorted(found.items())
    }


class _Described(GenerateJsonSchema):
    """Puts the text under a field of a model into the schema of its property.

    pydantic can do so itself, but then reads every model's source text whenever a command starts.
    """

    def model_schema(self, schema: core_schema.ModelSchema) -> JsonSchemaValue:
        """Return the schema of a model with its properties described."""
        found = super().model_schema(schema)
        model: type[BaseModel] = schema["cls"]
        texts = {name: text for part in reversed(model.__mro__) for name, text in _field_texts(part).items()}
        for name, field in model.model_fields.items():
            if name in texts:
                found["properties"][field.alias or name]["description"] = texts[name]
        return found


def _field_texts(model: type) -> Mapping[str, str]:
    """Return the text under each field that a class itself states, by the field's name."""
    module = inspect.getmodule(model)
    return {} if module is None or not issubclass(model, BaseModel) else _texts_of(module).get(model.__name__, {})


@cache
def _texts_of(module: ModuleType) -> Mapping[str, Mapping[str, str]]:
    return {
        node.name: {
            field.target.id: inspect.cleandoc(text.value.value)
            for field, text in pairwise(node.body)
            if isinstance(field, ast.AnnAssign)
            and isinstance(field.target, ast.Name)
            and isinstance(text, ast.Expr)
            and isinstance(text.value, ast.Constant)
            and isinstance(text.value.value, str)
        }
        for node in ast.parse(inspect.getsource(module)).body
        if isinstance(node, ast.ClassDef)
    }


def _schema(model: type[BaseModel]) -> dict[str, Any]:
    return model.model_json_schema(by_alias=True, mode="validation", schema_generator=_Described)


def _either(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of a catalogue file: one entry, or ``entries`` with a list of them."""
    schema = _schema(model)
    shared = schema.pop("$defs", {})
    entry = f"#/$defs/{model.__name__}Entry"
    listed = {
        "type": "object",
        "properties": {"entries": {"type": "array", "items": {"$ref": entry}}},
        "required": ["entries"],
        "additionalProperties": False,
    }
    return {"anyOf": [{"$ref": entry}, listed], "$defs": {**shared, f"{model.__name__}Entry": schema}}


def text_of(schema: Mapping[str, Any]) -> str:
    """Return a schema's file text."""
    return json.dumps(schema, indent=2, ensure_ascii=False) + "\n"


def write_all(folder: Path = FOLDER) -> list[Path]:
    """Write every schema into a folder and return the files."""
    files = []
    for name, schema in schemas().items():
        write_text(folder / name, text_of(schema), ours='"$schema"')
        files.append(folder / name)
    return files
