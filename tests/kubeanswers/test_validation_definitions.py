"""Custom objects against definitions: structure, lists, rules, versions; what cannot be judged is not called valid."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from kubeanswers.validation.definitions import Definitions, definitions_of
from kubeanswers.validation.schema import is_judged, validate_object

PORT = {"type": "integer", "minimum": 1, "maximum": 65535, "format": "int32"}
SPEC: dict[str, Any] = {
    "type": "object",
    "required": ["ports"],
    "x-kubernetes-validations": [
        {"rule": "!has(self.tls) || self.mode == 'Terminate'", "message": "tls needs mode Terminate"},
        {"rule": "self.owner == oldSelf.owner", "message": "owner is immutable", "fieldPath": ".owner"},
    ],
    "properties": {
        "mode": {"type": "string", "enum": ["Pass", "Terminate"], "default": "Terminate"},
        "owner": {"type": "string", "default": "nobody", "maxLength": 10},
        "tls": {"type": "object", "properties": {"secret": {"type": "string", "pattern": "^[a-z]+$"}}},
        "amount": {
            "x-kubernetes-int-or-string": True,
            "anyOf": [{"type": "integer"}, {"type": "string"}],
            "pattern": "^[0-9]+%?$",
        },
        "wait": {"type": "string", "format": "duration"},
        "extra": {"type": "object", "x-kubernetes-preserve-unknown-fields": True},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "note": {"type": "string", "nullable": True},
        "either": {"type": "object", "oneOf": [{"required": ["a"]}, {"required": ["b"]}],
                   "properties": {"a": {"type": "string"}, "b": {"type": "string"}}},
        "ports": {
            "type": "array",
            "minItems": 1,
            "maxItems": 3,
            "x-kubernetes-list-type": "map",
            "x-kubernetes-list-map-keys": ["name"],
            "items": {
                "type": "object",
                "required": ["name", "port"],
                "properties": {"name": {"type": "string"}, "port": PORT},
            },
        },
    },
}  # fmt: skip
CRD: dict[str, Any] = {
    "apiVersion": "apiextensions.k8s.io/v1",
    "kind": "CustomResourceDefinition",
    "metadata": {"name": "doors.example.dev"},
    "spec": {
        "group": "example.dev",
        "scope": "Namespaced",
        "names": {"kind": "Door", "plural": "doors"},
        "versions": [
            {
                "name": "v2",
                "served": True,
                "storage": True,
                "subresources": {"status": {}},
                "schema": {"openAPIV3Schema": {"type": "object", "properties": {"spec": SPEC}}},
            },
            {"name": "v1", "served": False, "storage": False, "schema": {"openAPIV3Schema": {"type": "object"}}},
        ],
    },
}
DEFINED = definitions_of([CRD])


def door(version: str = "v2", **spec: Any) -> dict[str, Any]:
    ports = [{"name": "a", "port": 80}]
    metadata = {"name": "front", "namespace": "t"}
    return {
        "apiVersion": f"example.dev/{version}",
        "kind": "Door",
        "metadata": metadata,
        "spec": {"ports": ports, **spec},
    }


def faults(obj: dict[str, Any], old: dict[str, Any] | None = None) -> list[str]:
    return validate_object(obj, definitions=DEFINED, old=old)


@pytest.mark.parametrize(
    "spec",
    [
        {},
        {"amount": "50%"},
        {"amount": 5},
        {"extra": {"any": [1, {"thing": True}]}},
        {"note": None},
        {"mode": None},  # null where a default stands is taken as left out
        {"tls": {"secret": "x"}},  # the rule sees the default of mode
        {"wait": "1h30m"},
        {"either": {"a": "x"}},
    ],
)
def test_what_the_definition_allows_is_taken(spec: dict[str, Any]) -> None:
    assert faults(door(**spec)) == []


@pytest.mark.parametrize(
    ("spec", "field", "what"),
    [
        ({"portz": []}, "spec.portz", "unknown field; did you mean ports?"),
        ({"tls": {"sekret": "x"}}, "spec.tls.sekret", "unknown field"),
        ({"mode": "Open"}, "spec.mode", "not one of Pass, Terminate"),
        ({"owner": 7}, "spec.owner", "must be of type string, not integer"),
        ({"owner": None, "note": None, "wait": None}, "spec.wait", "not null"),
        ({"owner": "a" * 11}, "spec.owner", "at most 10 characters"),
        ({"amount": 5.5}, "spec.amount", "an integer or a string"),
        ({"amount": "five"}, "spec.amount", "does not match"),
        ({"wait": "soon"}, "spec.wait", "is no duration"),
        ({"labels": {"a": 1}}, "spec.labels.a", "must be of type string"),
        ({"ports": []}, "spec.ports", "at least 1 items"),
        ({"ports": [{"name": "a"}]}, "spec.ports[0].port", "is required"),
        ({"ports": [{"name": "a", "port": 0}]}, "spec.ports[0].port", "must be at least 1"),
        ({"ports": [{"name": "a", "port": 1}, {"name": "a", "port": 2}]}, "spec.ports[1]", "name a appears twice"),
        ({"mode": "Pass", "tls": {}}, "spec", "tls needs mode Terminate"),
        ({"either": {"a": "x", "b": "y"}}, "spec.either", "allows one of: a or b"),
    ],
)
def test_what_the_definition_forbids_is_named_by_its_field(spec: dict[str, Any], field: str, what: str) -> None:
    found = faults(door(**spec))
    assert any(text.startswith(f"{field}: ") and what in text for text in found), found


def test_a_rule_over_the_old_value_is_asked_of_an_update_only() -> None:
    assert faults(door(owner="b")) == []
    assert faults(door(owner="b"), old=door(owner="a")) == ["spec.owner: owner is immutable"]


def test_a_version_that_is_not_served_names_those_that_are() -> None:
    assert faults(door("v1")) == ["apiVersion: Door of example.dev is defined as v2, not as v1"]


def test_a_status_beside_its_own_subresource_is_not_judged() -> None:
    assert faults({**door(), "status": {"anything": 1}}) == []


@pytest.mark.parametrize(
    "schema",
    [
        {"openAPIV3Schema": "x"},
        {"openAPIV3Schema": {"properties": ["a"]}},
        {"openAPIV3Schema": {"properties": {"a": {"items": 3}}}},
        {"openAPIV3Schema": {"properties": {"a": {"oneOf": {}}}}},
    ],
)
def test_a_broken_definition_defines_nothing_and_leaves_its_objects_unjudged(schema: dict[str, Any]) -> None:
    version = {"name": "v2", "served": True, "storage": True, "schema": schema}
    found = definitions_of([{**CRD, "spec": {**CRD["spec"], "versions": [version]}}])
    assert list(found.broken) == ["doors.example.dev"]
    assert not is_judged(door(), found)


def test_kinds_without_a_definition_are_not_called_valid() -> None:
    assert not is_judged(door(), Definitions())
    assert is_judged(door(), DEFINED)


@given(
    st.recursive(
        st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=5),
        lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from([*SPEC["properties"], "x"]), inner),
        max_leaves=12,
    )
)
def test_any_value_gets_an_answer(value: Any) -> None:
    found = validate_object({**door(), "spec": value}, definitions=DEFINED)
    assert all(": " in text for text in found)
