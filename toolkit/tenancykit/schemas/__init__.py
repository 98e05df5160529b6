"""JSON Schemas, for editors and for whoever reads ``--json``.

Those of the scenario and of each catalogue file are generated from the models: ``python -m tenancykit.schemas``
rewrites them, and a test demands that they are current. ``comparison.schema.json`` is written by hand: it is a promise.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import BaseModel

from tenancykit.catalogue import attack, signs, work
from tenancykit.catalogue.model import Component, Option, Reference, Rule, Source
from tenancykit.catalogue.prices import Price
from tenancykit.scenario.model import Scenario
from tenancykit.source import write_text

FOLDER = Path(__file__).parent

_CATALOGUE: Mapping[str, type[BaseModel]] = {
    "asset": attack.Asset,
    "barrier": attack.Barrier,
    "boundary": attack.Boundary,
    "choice": attack.DesignChoice,
    "claim": signs.Claim,
    "component": Component,
    "crossing": attack.Crossing,
    "derived": attack.Derived,
    "evidence": attack.Evidence,
    "flaw-prior": attack.Prior,
    "level": attack.Level,
    "option": Option,
    "position": attack.Position,
    "price": Price,
    "prior": work.Prior,
    "rate": work.Rate,
    "reference": Reference,
    "rule": Rule,
    "scale-limit": work.ScaleLimit,
    "sign": signs.Sign,
    "toil": work.Toil,
    "work": work.Work,
}


def schemas() -> dict[str, dict[str, Any]]:
    """Return every schema by file name."""
    found = {name: _either(model) for name, model in _CATALOGUE.items()}
    found["scenario"] = Scenario.model_json_schema(by_alias=True, mode="validation")
    source = Source.model_json_schema(by_alias=True, mode="validation")
    found["sources"] = {"type": "object", "additionalProperties": source}
    return {
        f"{name}.schema.json": {"$schema": "https://json-schema.org/draft/2020-12/schema", **schema}
        for name, schema in sorted(found.items())
    }


def _either(model: type[BaseModel]) -> dict[str, Any]:
    """Return the schema of a catalogue file: one entry, or ``entries`` with a list of them."""
    schema = model.model_json_schema(by_alias=True, mode="validation", ref_template="#/$defs/{model}")
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
        write_text(folder / name, text_of(schema))
        files.append(folder / name)
    return files
