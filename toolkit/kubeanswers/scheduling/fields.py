"""Fields of the API that hold text, whatever the kind of the object, and what to say of those that are malformed."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

_TEXTS: Final = frozenset(
    {
        "allocationMode", "attacher", "claimName", "counterSet", "device", "deviceClassName", "distinctAttribute",
        "driver", "effect", "expression", "extendedResourceName", "hostIP", "key", "matchAttribute", "name",
        "namespace", "nodeName", "nominatedNodeName", "operator", "persistentVolumeName", "phase",
        "preemptionPolicy", "priorityClassName", "protocol", "provisioner", "request", "resourceClaimName",
        "resourceClaimTemplateName", "restartPolicy", "runtimeClassName", "schedulerName", "storageClassName",
        "topologyKey", "volumeAttributesClassName", "volumeHandle", "volumeMode", "volumeName", "whenUnsatisfiable",
    }
)  # fmt: skip
_MAPS_OF_TEXT: Final = frozenset({"labels", "annotations", "matchLabels", "nodeSelector"})
_OWN_NAMES: Final = frozenset(
    {"requests", "limits", "allocatable", "capacity", "attributes", "counters", "hard", "used"}
)
"""Mappings whose keys people choose, so that ``name`` among them is no name."""


def not_text(value: Any, path: str = "") -> Iterator[str]:
    """Yield, for every field that should hold text and does not, what it holds."""
    if isinstance(value, list):
        for i, part in enumerate(value):
            yield from not_text(part, f"{path}[{i}]")
    for key, part in value.items() if isinstance(value, Mapping) else ():
        where = f"{path}.{key}" if path else str(key)
        if key in _TEXTS:
            yield from _complaint(where, part)
        elif key in _MAPS_OF_TEXT and isinstance(part, Mapping) and "nodeSelectorTerms" not in part:
            for name, held in part.items():
                yield from _complaint(f"{where}.{name}", held)
        elif key not in _OWN_NAMES or isinstance(part, list):
            yield from not_text(part, where)


def _complaint(where: str, value: Any) -> Iterator[str]:
    if value is not None and not isinstance(value, str):
        yield f"{where} is {value!r}, not text: put it in quotes"


MALFORMED: Final = (LookupError, TypeError, ValueError, AttributeError, OverflowError)
"""What reading an object raises that is not of the API's own form."""
_MEANINGS: Final = (
    (re.compile(r"'(\w+)' object has no attribute"), "a field holds {} where a mapping belongs"),
    (re.compile(r"'(\w+)' object is not iterable"), "a field holds {} where a list belongs"),
    (
        re.compile(r"(?:string|list|'\w+'|object) (?:indices|is not subscriptable)(.*)"),
        "a list holds something else than mappings",
    ),
    (re.compile(r"invalid literal for int\(\) with base 10: (.*)"), "{} is not a whole number"),
    (re.compile(r"could not convert string to float: (.*)"), "{} is not a number"),
    (re.compile(r"Exceeds the limit \((\S+ digits)\)"), "a number has more than {}"),
    (re.compile(r"cannot convert float (\w+) to integer"), "a number is {}"),
    (
        re.compile(r"dictionary update (sequence)|cannot convert dictionary"),
        "a field holds a list where a mapping belongs",
    ),
    (re.compile(r"unhashable type: '(\w+)'"), "a field holds {} where text belongs"),
    (
        re.compile(r"(unsupported operand|not supported between|must be|can only concatenate)"),
        "a field is of another type",
    ),
)


def explained(error: Exception) -> str:
    """Return what is wrong with an object, where Python only says what cannot be done with its value."""
    if isinstance(error, KeyError):
        return f"lacks the field {error}"
    text = str(error)
    for pattern, meaning in _MEANINGS:
        match = pattern.search(text)
        if match:
            return f"is malformed: {meaning.format(match[1])}"
    return f"is malformed: {text}"
