"""What a kustomization may hold: Kustomize refuses a field it does not know, and one of another type.

Source of the fields: ``api/types`` of kustomize 5.5, as ``kubectl kustomize`` 1.32 decodes them, and what 5.8 adds.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubeanswers.errors import did_you_mean

Shape = str | list[Any] | dict[str, Any]
"""``text``, ``truth``, ``whole`` or ``any``; a list of one shape; a mapping of shapes, ``*`` for every key."""

_TEXTS: Final[Shape] = ["text"]
_PAIRS: Final[Shape] = {"*": "text"}
_TRUTHS: Final[Shape] = {"*": "truth"}
_SELECTOR: Final[Shape] = dict.fromkeys(
    ("group", "version", "kind", "name", "namespace", "annotationSelector", "labelSelector", "apiVersion"), "text"
)
_PATCH: Final[Shape] = {"path": "text", "patch": "text", "target": _SELECTOR, "options": _TRUTHS}
_OPTIONS: Final[Shape] = {
    "labels": _PAIRS,
    "annotations": _PAIRS,
    "disableNameSuffixHash": "truth",
    "immutable": "truth",
}
_GENERATOR: Final[dict[str, Any]] = {
    "name": "text",
    "namespace": "text",
    "behavior": "text",
    "files": _TEXTS,
    "literals": _TEXTS,
    "envs": _TEXTS,
    "env": "text",
    "options": _OPTIONS,
}
_FIELD: Final[Shape] = {"group": "text", "version": "text", "kind": "text", "path": "text", "create": "truth"}
_IMAGE: Final[Shape] = dict.fromkeys(("name", "newName", "tagSuffix", "newTag", "digest"), "text")
KUSTOMIZATION: Final[dict[str, Any]] = {
    "apiVersion": "text",
    "kind": "text",
    "metadata": {"name": "text", "namespace": "text", "labels": _PAIRS, "annotations": _PAIRS},
    **dict.fromkeys(("namePrefix", "nameSuffix", "namespace"), "text"),
    **dict.fromkeys(("commonLabels", "commonAnnotations", "openapi"), _PAIRS),
    **dict.fromkeys(
        ("resources", "components", "bases", "crds", "configurations", "generators", "transformers", "validators"),
        _TEXTS,
    ),
    "labels": [
        {
            "pairs": _PAIRS,
            **dict.fromkeys(("includeSelectors", "includeTemplates", "includeVolumeClaimTemplates"), "truth"),
            "fields": [_FIELD],
        }
    ],
    "patchesStrategicMerge": _TEXTS,
    "patchesJson6902": [_PATCH],
    "patches": [_PATCH],
    "images": [_IMAGE],
    "imageTags": [_IMAGE],
    "replicas": [{"name": "text", "count": "whole"}],
    "replacements": ["any"],
    "vars": ["any"],
    "configMapGenerator": [_GENERATOR],
    "secretGenerator": [{**_GENERATOR, "type": "text"}],
    "generatorOptions": _OPTIONS,
    "helmGlobals": "any",
    "helmCharts": ["any"],
    "helmChartInflationGenerator": ["any"],
    "sortOptions": "any",
    "buildMetadata": _TEXTS,
}
_KINDS: Final = {
    "Kustomization": "kustomize.config.k8s.io/v1beta1",
    "Component": "kustomize.config.k8s.io/v1alpha1",
}
_NAMED: Final = {"text": str, "truth": bool, "whole": int}


def as_known(data: Any, shape: Shape = KUSTOMIZATION) -> Any:
    """Return a kustomization with its fields spelled as Kustomize does: it takes ``nameprefix`` for ``namePrefix``."""
    if isinstance(data, list) and isinstance(shape, list):
        return [as_known(item, shape[0]) for item in data]
    if not isinstance(data, Mapping) or not isinstance(shape, dict):
        return data
    spelled = {key.lower(): key for key in shape}
    found: dict[Any, Any] = {}
    for key, value in data.items():
        name = key if key in shape or "*" in shape else spelled.get(str(key).lower(), key)
        found[name] = as_known(value, shape.get(str(name), "any"))
    return found


def refusals(data: Mapping[str, Any]) -> Iterator[str]:
    """Yield why Kustomize would refuse a kustomization, without showing what it holds."""
    kind, version = data.get("kind") or "Kustomization", data.get("apiVersion")
    if not isinstance(kind, str) or kind not in _KINDS:
        yield "its kind is neither Kustomization nor Component"
    elif version and version != _KINDS[kind]:
        yield f"its apiVersion is not {_KINDS[kind]}"
    yield from _unlike(data, KUSTOMIZATION, "")


def _unlike(value: Any, shape: Shape, path: str) -> Iterator[str]:
    if value is None or shape == "any":
        return
    if isinstance(shape, str):
        kind = _NAMED[shape]
        if not isinstance(value, kind) or (kind is int and isinstance(value, bool)):
            cure = "; put it in quotes" if shape == "text" and isinstance(value, bool | int | float) else ""
            yield f"{path} is no {_WORD[shape]}{cure}"
    elif isinstance(shape, list):
        if not isinstance(value, list):
            yield f"{path} is no list"
            return
        for i, item in enumerate(value):
            yield from _unlike(item, shape[0], f"{path}[{i}]")
    elif not isinstance(value, Mapping):
        yield f"{path} is no mapping"
    else:
        for key, item in value.items():
            inner = f"{path}.{key}" if path else key
            if key not in shape and "*" not in shape:
                yield " ".join(filter(None, (f"{inner} is no field of it;", did_you_mean(key, shape)))).rstrip(";")
            else:
                yield from _unlike(item, shape[key] if key in shape else shape["*"], inner)


_WORD: Final = {"text": "text", "truth": "true or false", "whole": "whole number"}
