"""The schemas of built-in kinds, walked as the API server's decoder reads: one pass, every fault with its path.

The schema files use a dozen words of JSON Schema (types, references, enums, required and unknown fields, items, four
formats). A walker of its own knows these, what is read as empty, and nothing else; a general validator takes six times
as long and a second to import.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from kubeanswers.errors import did_you_mean
from kubeanswers.records import dataclass
from kubeanswers.validation.decoding import FORMATS, may_be_zero

Schema = Mapping[str, Any]
_DEFINITIONS: Final = "_definitions.json"
_LONGEST: Final = 80
JSON_TYPES: Final[Mapping[str, tuple[type, ...]]] = {
    "array": (list,),
    "boolean": (bool,),
    "integer": (int,),
    "number": (int, float),
    "object": (Mapping,),
    "string": (str,),
}


@dataclass(frozen=True)
class BuiltIn:
    """The schema of one built-in kind at one version.

    Attributes:
        kind: the kind.
        schema: its schema.
        shared: the definitions its references name.
    """

    kind: str
    schema: Schema
    shared: Mapping[str, Schema]

    def faults(self, obj: Mapping[str, Any]) -> list[str]:
        """Return every fault of an object as ``field: what is wrong``."""
        return list(self._below(self.schema, obj, "", ()))

    def _resolved(self, schema: Schema) -> Schema:
        while "$ref" in schema:
            schema = self.shared[str(schema["$ref"]).rpartition("/")[2]]
        return schema

    def _below(self, schema: Schema, value: Any, path: str, names: tuple[str, ...]) -> Iterator[str]:
        """Yield the faults of a value; ``names`` are the fields on the way, without positions in lists."""
        schema = self._resolved(schema)
        wrong = self._wrong(schema, value, names)
        if wrong:
            yield f"{path or 'object'}: {wrong}"
        elif isinstance(value, Mapping):
            yield from self._fields(schema, value, path, names)
        elif isinstance(value, list) and "items" in schema:
            for index, item in enumerate(value):
                yield from self._below(schema["items"], item, f"{path}[{index}]", names)

    def _wrong(self, schema: Schema, value: Any, names: tuple[str, ...]) -> str:
        """Return what is wrong with a value in itself."""
        types = _types_of(schema)
        if value is None and names[:1] == ("status",):
            return ""
        fits = not types or any(_is(value, name) for name in types)
        if fits and "enum" in schema and value not in schema["enum"]:
            allowed = ", ".join(str(one) for one in schema["enum"] if one)
            return self._told(names, value, f"is not one of {allowed}") if not self._is_empty(value, names) else ""
        if not fits:
            wanted = " or ".join(name for name in types if name != "null")
            told = f"is {_given(value)}, not {wanted}"
            return "" if self._is_empty(value, names) else self._told(names, value, told)
        check = FORMATS.get(str(schema.get("format")))
        if check is not None and not check(value):
            told = "is not base64" if schema["format"] == "byte" else f"is no {schema['format']}"
            return self._told(names, value, told)
        return ""

    def _is_empty(self, value: Any, names: tuple[str, ...]) -> bool:
        return value is None and bool(names) and may_be_zero(self.kind, names[:-1], names[-1])

    def _told(self, names: tuple[str, ...], value: Any, what: str) -> str:
        """Return a message; no value of a Secret is put into one."""
        if self.kind == "Secret" and names[:1] in (("data",), ("stringData",)):
            return what
        shown = repr(value)
        return f"{shown if len(shown) <= _LONGEST else shown[: _LONGEST - 3] + '...'} {what}"

    def _fields(self, schema: Schema, value: Mapping[str, Any], path: str, names: tuple[str, ...]) -> Iterator[str]:
        if names[:1] != ("status",):
            for name in schema.get("required", ()):
                if name not in value and not may_be_zero(self.kind, names, name):
                    yield f"{path}.{name}".lstrip(".") + ": is required"
        known, more = schema.get("properties", {}), schema.get("additionalProperties")
        for name, inner in value.items():
            if name in known:
                yield from self._below(known[name], inner, f"{path}.{name}".lstrip("."), (*names, name))
            elif isinstance(more, Mapping):
                yield from self._below(more, inner, f"{path}.{name}".lstrip("."), (*names, str(name)))
            elif more is False:
                meant = did_you_mean(str(name), known)
                yield f"{path}.{name}".lstrip(".") + ": unknown field" + (f"; {meant}" if meant else "")


def _types_of(schema: Schema) -> tuple[str, ...]:
    if "oneOf" in schema:  # a quantity, or a number or text: what either of both readings takes
        return tuple(name for one in schema["oneOf"] for name in _types_of(one))
    stated = schema.get("type", ())
    return (stated,) if isinstance(stated, str) else tuple(stated)


def _is(value: Any, name: str) -> bool:
    if name == "null":
        return value is None
    return isinstance(value, JSON_TYPES[name]) and (name == "boolean" or not isinstance(value, bool))


def _given(value: Any) -> str:
    return "null" if value is None else next((name for name in JSON_TYPES if _is(value, name)), type(value).__name__)


@cache
def shared_definitions(folder: Path) -> Mapping[str, Schema]:
    """Return the definitions that the schemas of a version refer to."""
    found: Mapping[str, Schema] = json.loads((folder / _DEFINITIONS).read_text(encoding="utf-8"))["$defs"]
    return found


def built_in(file: Path, kind: str) -> BuiltIn:
    """Return the schema of a kind in a file."""
    return BuiltIn(kind, json.loads(file.read_text(encoding="utf-8")), shared_definitions(file.parent))
