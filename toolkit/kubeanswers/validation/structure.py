"""A structural schema as the API server applies it: unknown fields, defaults, values, lists without doubles, rules.

Sources: https://kubernetes.io/docs/tasks/extend-kubernetes/custom-resources/custom-resource-definitions/ (structural
schemas, pruning, defaulting, nullable, list types) and https://kubernetes.io/docs/reference/using-api/cel/.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import field
from typing import Any, Final

from kubeanswers.cel import CelUndecidedError
from kubeanswers.cel.patterns import compiled
from kubeanswers.errors import did_you_mean
from kubeanswers.objects import mapping, mappings, sequence
from kubeanswers.records import dataclass
from kubeanswers.validation import rules
from kubeanswers.validation.built_in import JSON_TYPES
from kubeanswers.validation.decoding import is_base64, is_date

Schema = Mapping[str, Any]
_PRESERVE: Final = "x-kubernetes-preserve-unknown-fields"
_EITHER: Final = "x-kubernetes-int-or-string"
_EMBEDDED: Final = "x-kubernetes-embedded-resource"
_TYPED: Final = frozenset({"apiVersion", "kind", "metadata"})
_MOST_FAULTS: Final = 200
_DEEPEST: Final = 60


@dataclass(frozen=True)
class Structure:
    """One version's schema.

    Attributes:
        schema: the schema as the definition states it.
    """

    schema: Schema = field(repr=False)

    @classmethod
    def of(cls, schema: Schema) -> Structure:
        """Return the structure of a schema.

        Raises:
            ValueError: a node of it is no mapping, or it is nested too deeply.
        """
        _check(schema, "openAPIV3Schema", 0)
        return cls(schema)

    def faults(self, obj: Mapping[str, Any], old: Mapping[str, Any] | None = None) -> list[str]:
        """Return what an API server refuses in an object, rules only where the rest is right, as it does itself."""
        unknown = list(_unknown(self.schema, obj, "", root=True))
        whole = _defaulted(self.schema, obj)
        found = [*unknown, *_below(self.schema, whole, "", root=True)]
        if not found:
            before = None if old is None else _defaulted(self.schema, old)
            found = list(rules.broken(self.schema, whole, before))
        return list(dict.fromkeys(found))[:_MOST_FAULTS]


def _check(node: Any, path: str, depth: int) -> None:
    """Refuse a schema that is not made of mappings all the way down."""
    if not isinstance(node, Mapping):
        raise ValueError(f"{path} is no schema")  # noqa: TRY004 - of the input, not of the caller
    if depth > _DEEPEST:
        raise ValueError(f"{path} is nested too deeply")
    for name, child in _children(node, path):
        _check(child, name, depth + 1)


def _children(node: Schema, path: str) -> Iterator[tuple[str, Any]]:
    """Yield the schemas within a schema, each with its path."""
    properties = node.get("properties")
    if properties is not None and not isinstance(properties, Mapping):
        raise ValueError(f"{path}.properties is no mapping")
    for key, child in mapping(properties).items():
        yield f"{path}.properties.{key}", child
    for name in ("items", "not", "additionalProperties"):
        if node.get(name) is not None and not (name == "additionalProperties" and isinstance(node[name], bool)):
            yield f"{path}.{name}", node[name]
    for name in ("allOf", "anyOf", "oneOf"):
        if node.get(name) is not None and not isinstance(node[name], list):
            raise ValueError(f"{path}.{name} is no list")
        for index, child in enumerate(sequence(node.get(name))):
            yield f"{path}.{name}[{index}]", child


def _at(path: str, name: object) -> str:
    return f"{path}[{name}]" if isinstance(name, int) else f"{path}.{name}".lstrip(".")


def _unknown(schema: Schema, value: Any, path: str, *, root: bool = False) -> Iterator[str]:
    """Yield the fields that a strict decoder does not know."""
    if isinstance(value, list):
        items = schema.get("items")
        for index, item in enumerate(value if isinstance(items, Mapping) else ()):
            yield from _unknown(mapping(items), item, _at(path, index))
        return
    if not isinstance(value, Mapping):
        return
    known, more = mapping(schema.get("properties")), schema.get("additionalProperties")
    typed = root or schema.get(_EMBEDDED) is True
    for name, inner in value.items():
        if typed and name in _TYPED:
            continue
        if name in known:
            yield from _unknown(mapping(known[name]), inner, _at(path, name))
        elif isinstance(more, Mapping):
            yield from _unknown(more, inner, _at(path, name))
        elif more is not True and not schema.get(_PRESERVE):
            meant = did_you_mean(str(name), known)
            yield f"{_at(path, name)}: unknown field" + (f"; {meant}" if meant else "")


def _defaulted(schema: Schema, value: Any) -> Any:
    """Return the value with the schema's defaults; null where a default stands is taken as left out."""
    if isinstance(value, list) and isinstance(schema.get("items"), Mapping):
        return [_defaulted(schema["items"], item) for item in value]
    if not isinstance(value, Mapping):
        return value
    known, more = mapping(schema.get("properties")), schema.get("additionalProperties")
    made: dict[str, Any] = {}
    for name, inner in value.items():
        below = known.get(name, more)
        if inner is None and isinstance(below, Mapping) and "default" in below and not below.get("nullable"):
            continue
        made[name] = _defaulted(below, inner) if isinstance(below, Mapping) else inner
    for name, below in known.items():
        if name not in made and "default" in below:
            made[name] = _defaulted(below, below["default"])
    return made


def _below(schema: Schema, value: Any, path: str, *, root: bool = False, nested: bool = False) -> Iterator[str]:
    """Yield what is wrong with a value and all below it."""
    if value is None:
        if not nested and not schema.get("nullable") and (schema.get("type") or schema.get(_EITHER)):
            yield f"{path or 'object'}: must be of type {schema.get('type') or 'integer or string'}, not null"
        return
    wrong = _type_fault(schema, value)
    if wrong:
        yield f"{path or 'object'}: {wrong}"
        return
    yield from (f"{path or 'object'}: {text}" for text in _value_faults(schema, value))
    if isinstance(value, Mapping):
        yield from _object_faults(schema, value, path, root=root, nested=nested)
    elif isinstance(value, list):
        items = schema.get("items")
        for index, item in enumerate(value if isinstance(items, Mapping) else ()):
            yield from _below(mapping(items), item, _at(path, index), nested=nested)
        yield from (f"{_at(path, index)}: {text}" for index, text in _doubles(schema, value))
    yield from _junctors(schema, value, path)


def _object_faults(schema: Schema, value: Mapping[str, Any], path: str, *, root: bool, nested: bool) -> Iterator[str]:
    for name in sequence(schema.get("required")):
        if name not in value:
            yield f"{_at(path, name)}: is required"
    if schema.get(_EMBEDDED) and not root:
        yield from (f"{_at(path, name)}: is required" for name in ("apiVersion", "kind") if not value.get(name))
    known, more = mapping(schema.get("properties")), schema.get("additionalProperties")
    for name, inner in value.items():
        if root and name in _TYPED:
            continue
        below = known.get(name, more)
        if isinstance(below, Mapping):
            yield from _below(below, inner, _at(path, name), nested=nested)


def _type_fault(schema: Schema, value: Any) -> str:
    kind = schema.get("type")
    given = "boolean" if isinstance(value, bool) else _name_of(value)
    if schema.get(_EITHER):
        return "" if given in ("integer", "string") else f"must be an integer or a string, not {given}"
    if not kind or kind not in JSON_TYPES:
        return ""
    fits = isinstance(value, JSON_TYPES[kind]) and (kind == "boolean" or not isinstance(value, bool))
    if kind == "integer" and isinstance(value, float) and value.is_integer():
        fits = True
    return "" if fits else f"must be of type {kind}, not {given}"


def _name_of(value: Any) -> str:
    return next((name for name, types in JSON_TYPES.items() if isinstance(value, types)), type(value).__name__)


def _value_faults(schema: Schema, value: Any) -> Iterator[str]:
    """Yield what is wrong with a value in itself: enums, patterns, lengths, bounds, formats."""
    allowed = schema.get("enum")
    if isinstance(allowed, list) and not any(value == one and type(value) is type(one) for one in allowed):
        yield f"{_shown(value)} is not one of {', '.join(map(str, allowed))}"
    if isinstance(value, str):
        yield from _text_faults(schema, value)
    elif isinstance(value, int | float) and not isinstance(value, bool):
        yield from _number_faults(schema, value)
    elif isinstance(value, list):
        yield from _count_faults(schema, len(value), "Items", "items")
        if schema.get("uniqueItems") and any(item in value[:index] for index, item in enumerate(value)):
            yield "its items must be different"
    elif isinstance(value, Mapping):
        yield from _count_faults(schema, len(value), "Properties", "entries")


def _count_faults(schema: Schema, count: int, word: str, what: str) -> Iterator[str]:
    least, most = schema.get(f"min{word}"), schema.get(f"max{word}")
    if isinstance(least, int) and count < least:
        yield f"must have at least {least} {what}, not {count}"
    if isinstance(most, int) and count > most:
        yield f"must have at most {most} {what}, not {count}"


def _text_faults(schema: Schema, value: str) -> Iterator[str]:
    yield from _count_faults(schema, len(value), "Length", "characters")
    pattern = schema.get("pattern")
    if isinstance(pattern, str) and not _matches(pattern, value):
        yield f"{_shown(value)} does not match {pattern}"
    check = _FORMATS.get(str(schema.get("format")))
    if check is not None and not check(value):
        yield f"{_shown(value)} is no {schema['format']}"


def _number_faults(schema: Schema, value: float) -> Iterator[str]:
    least, most = schema.get("minimum"), schema.get("maximum")
    if isinstance(least, int | float) and (value < least or (schema.get("exclusiveMinimum") and value == least)):
        yield f"{value} must be {'more than' if schema.get('exclusiveMinimum') else 'at least'} {least}"
    if isinstance(most, int | float) and (value > most or (schema.get("exclusiveMaximum") and value == most)):
        yield f"{value} must be {'less than' if schema.get('exclusiveMaximum') else 'at most'} {most}"
    step = schema.get("multipleOf")
    if isinstance(step, int | float) and step and value % step:
        yield f"{value} must be a multiple of {step}"
    bits = {"int32": 31, "int64": 63}.get(str(schema.get("format")))
    if bits and schema.get("type") == "integer" and not -(2**bits) <= value < 2**bits:
        yield f"{value} does not fit {schema['format']}"


def _matches(pattern: str, value: str) -> bool:
    try:
        return compiled(pattern).search(value) is not None
    except (CelUndecidedError, re.error):
        return True  # a pattern that is not understood here refuses nothing
    except Exception:  # noqa: BLE001 - the evaluator's own word for a pattern that is none
        return True


def _is_duration(value: str) -> bool:
    return bool(_DURATION.fullmatch(value))


_DURATION: Final = re.compile(
    r"[-+]?(\d+(\.\d*)?|\.\d+)(ns|us|µs|ms|s|m|h)(\d+(\.\d*)?(ns|us|µs|ms|s|m|h))*|0", re.ASCII
)
_FORMATS: Final[Mapping[str, Any]] = {"date-time": is_date, "byte": is_base64, "duration": _is_duration}


def _doubles(schema: Schema, value: list[Any]) -> Iterator[tuple[int, str]]:
    """Yield the entries that a set or a map written as a list has twice."""
    kind, keys = schema.get("x-kubernetes-list-type"), sequence(schema.get("x-kubernetes-list-map-keys"))
    if kind not in ("set", "map"):
        return
    below = mapping(mapping(schema.get("items")).get("properties"))
    seen: list[Any] = []
    for index, item in enumerate(value):
        key: Any = item
        if kind == "map":
            key = [mapping(item).get(name, mapping(below.get(name)).get("default")) for name in keys]
        if key in seen:
            named = ", ".join(f"{n} {v}" for n, v in zip(keys, key, strict=True)) if kind == "map" else _shown(item)
            yield index, f"{named} appears twice"
        seen.append(key)


def _junctors(schema: Schema, value: Any, path: str) -> Iterator[str]:
    for inner in mappings(schema.get("allOf")):
        yield from _below(inner, value, path, nested=True)
    either = mappings(schema.get("anyOf"))
    if either and not schema.get(_EITHER) and not any(_fits(inner, value) for inner in either):
        yield f"{path or 'object'}: fits none of the forms its definition allows: {_forms(either)}"
    one = mappings(schema.get("oneOf"))
    count = sum(_fits(inner, value) for inner in one)
    if one and count != 1:
        yield f"{path or 'object'}: fits {count or 'none'} of the forms its definition allows one of: {_forms(one)}"
    inverse = schema.get("not")
    if isinstance(inverse, Mapping) and _fits(inverse, value):
        yield f"{path or 'object'}: has a form its definition forbids: {_forms([inverse])}"


def _fits(schema: Schema, value: Any) -> bool:
    return next(_below(schema, value, "", nested=True), None) is None


def _forms(schemas: list[Schema]) -> str:
    told = [", ".join(map(str, sequence(one.get("required")))) for one in schemas]
    return " or ".join(dict.fromkeys(text for text in told if text)) or "see its definition"


def _shown(value: Any) -> str:
    text = repr(value)
    return text if len(text) <= 80 else f"{text[:77]}..."
