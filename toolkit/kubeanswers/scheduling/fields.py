"""Fields of the API that hold text, whatever the kind of the object."""

from __future__ import annotations

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
