"""Kustomize's own transformers and generators, written as objects, said as the fields of a kustomization they equal.

Source: https://github.com/kubernetes-sigs/kustomize/blob/master/examples/configureBuiltinPlugin.md
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from kubeanswers.objects import mapping, mappings, scalar_text

Data = Mapping[str, Any]
GENERATORS: Final[dict[str, str]] = {"ConfigMapGenerator": "configMapGenerator", "SecretGenerator": "secretGenerator"}
_PLACES: Final = {
    "NamespaceTransformer": "namespace",
    "ImageTagTransformer": "images",
    "ReplicaCountTransformer": "replicas",
}
"""Which places the ``fieldSpecs`` of a transformer are."""


def _labels(key: str, name: str) -> Callable[[Data], dict[str, Any]]:
    def said(data: Data) -> dict[str, Any]:
        return {name: [{"pairs": mapping(data.get(key)), "fields": mappings(data.get("fieldSpecs"))}]}

    return said


def _names(data: Data) -> dict[str, Any]:
    said = {key: data.get(key) for key in ("prefix", "suffix")}
    return {"exactNames": [{**said, "fields": mappings(data.get("fieldSpecs"))}]}


_TRANSFORMERS: Final[dict[str, Callable[[Data], dict[str, Any]]]] = {
    "PrefixTransformer": _names,
    "SuffixTransformer": _names,
    "PrefixSuffixTransformer": _names,
    "NamespaceTransformer": lambda data: {
        "namespace": mapping(data.get("metadata")).get("namespace") or data.get("namespace")
    },
    "LabelTransformer": _labels("labels", "exactLabels"),
    "AnnotationsTransformer": _labels("annotations", "exactLabels"),
    "PatchTransformer": lambda data: {
        "patches": [{key: data[key] for key in ("path", "patch", "target", "options") if key in data}]
    },
    "PatchStrategicMergeTransformer": lambda data: {
        "patchesStrategicMerge": [
            *(data.get("paths") or ()),
            *([data["patches"]] if isinstance(data.get("patches"), str) else data.get("patches") or ()),
        ]
    },
    "PatchJson6902Transformer": lambda data: {
        "patchesJson6902": [{"target": data.get("target"), "path": data.get("path"), "patch": data.get("jsonOp")}]
    },
    "ImageTagTransformer": lambda data: {"images": [data.get("imageTag")]},
    "ReplicaCountTransformer": lambda data: {"replicas": [data.get("replica")]},
    "ReplacementTransformer": lambda data: {"replacements": data.get("replacements")},
}


def as_fields(data: Data, key: str) -> Data | None:
    """Return the fields of a kustomization that a built-in plugin amounts to; None for another plugin.

    Args:
        data: the plugin's configuration.
        key: ``generators`` or ``transformers``.
    """
    kind = scalar_text(data.get("kind"))
    if scalar_text(data.get("apiVersion")) != "builtin":
        return None
    if key == "generators":
        entry = {name: value for name, value in data.items() if name not in ("apiVersion", "kind", "metadata")}
        named = {name: mapping(data.get("metadata")).get(name) for name in ("name", "namespace")}
        return {GENERATORS[kind]: [{**entry, **named}]} if kind in GENERATORS else None
    said = _TRANSFORMERS.get(kind)
    return said(data) if said else None


def own_places(data: Data) -> Data:
    """Return a built-in transformer's own places as a configuration writes them."""
    key = _PLACES.get(scalar_text(data.get("kind")))
    return {key: data["fieldSpecs"]} if key and data.get("fieldSpecs") else {}
