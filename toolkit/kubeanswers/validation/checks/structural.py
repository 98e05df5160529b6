"""Structural schemas of custom resources: what the API server asks of a schema before it serves a kind."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.validation.checks.expressions import rule_fault
from kubeanswers.validation.checks.report import Report, each, items, mapping

_TYPES: Final = ("array", "boolean", "integer", "number", "object", "string")
_FORBIDDEN: Final = ("$ref", "definitions", "dependencies", "id", "patternProperties")
_OPEN: Final = ("x-kubernetes-preserve-unknown-fields", "x-kubernetes-int-or-string")


def structural(path: str, schema: Mapping[str, Any], report: Report, *, nested: bool = False) -> None:
    """Check one node of a structural schema and all below it."""
    _type(path, schema, report, nested=nested)
    for field in _FORBIDDEN:
        if schema.get(field):
            report.add(f"{path}.{field}", "may not be given in a structural schema")
    if schema.get("additionalProperties") is False or (schema.get("properties") and schema.get("additionalProperties")):
        report.add(f"{path}.additionalProperties", "may not be false, nor given beside properties")
    if schema.get("uniqueItems"):
        report.add(f"{path}.uniqueItems", "cannot be true")
    _list_type(path, schema, report)
    _rules(path, schema, report)
    _below(path, schema, report, nested=nested)


def _type(path: str, schema: Mapping[str, Any], report: Report, *, nested: bool) -> None:
    kind = schema.get("type")
    if kind:
        report.choice(f"{path}.type", kind, _TYPES)
    elif not nested and not any(schema.get(field) for field in _OPEN):
        report.add(f"{path}.type", "is required")
    if kind == "array" and schema.get("items") is None and not nested:
        report.add(f"{path}.items", "is required for an array")


def _below(path: str, schema: Mapping[str, Any], report: Report, *, nested: bool) -> None:
    for name, inner in mapping(schema.get("properties")).items():
        structural(f"{path}.properties[{name}]", mapping(inner), report, nested=nested)
    for field in ("items", "additionalProperties"):
        if isinstance(schema.get(field), Mapping):
            structural(f"{path}.{field}", schema[field], report, nested=nested)
    for field in ("allOf", "anyOf", "oneOf"):
        for place, inner in each(f"{path}.{field}", schema.get(field)):
            _junctor(place, inner, report)
    if isinstance(schema.get("not"), Mapping):
        _junctor(f"{path}.not", schema["not"], report)


def _junctor(path: str, schema: Mapping[str, Any], report: Report) -> None:
    for field in ("description", "default", "nullable", "title", "additionalProperties"):
        if schema.get(field):
            report.add(f"{path}.{field}", "must stand in the schema itself")
    structural(
        path, {key: value for key, value in schema.items() if key != "additionalProperties"}, report, nested=True
    )


def _list_type(path: str, schema: Mapping[str, Any], report: Report) -> None:
    kind, keys = schema.get("x-kubernetes-list-type"), items(schema.get("x-kubernetes-list-map-keys"))
    if kind is not None:
        report.choice(f"{path}.x-kubernetes-list-type", kind, ("atomic", "map", "set"), optional=False)
        if schema.get("type") != "array":
            report.add(f"{path}.x-kubernetes-list-type", "needs type array")
    if bool(keys) != (kind == "map"):
        report.add(f"{path}.x-kubernetes-list-map-keys", "must be given if and only if the list type is map")
    known = mapping(mapping(schema.get("items")).get("properties"))
    for index, key in enumerate(keys):
        if key not in known:
            report.add(f"{path}.x-kubernetes-list-map-keys[{index}]", f"{key!r} is not a property of the items")


def _rules(path: str, schema: Mapping[str, Any], report: Report) -> None:
    for place, rule in each(f"{path}.x-kubernetes-validations", schema.get("x-kubernetes-validations")):
        text = str(rule.get("rule") or "")
        if not text.strip():
            report.add(f"{place}.rule", "is required")
        elif wrong := rule_fault(text):
            report.add(f"{place}.rule", wrong)
