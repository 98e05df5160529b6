"""Patches of a kustomization: strategic merge with the list keys of the built-in kinds, and JSON Patch (RFC 6902).

Lists of kinds Kustomize has no schema for are replaced whole; elements a patch adds to a list come first, as
Kustomize puts them.  Sources: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/patches/ and the
``x-kubernetes-patch-merge-key`` of the Kubernetes API.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from kubeanswers.scalars import whole_number

_GONE: Final = object()
_DIRECTIVE: Final = "$patch"
_POD_PLACES: Final[dict[str, tuple[str, ...]]] = {
    "Pod": ("spec",),
    "PodTemplate": ("template", "spec"),
    **dict.fromkeys(
        ("Deployment", "ReplicaSet", "StatefulSet", "DaemonSet", "Job", "ReplicationController"),
        ("spec", "template", "spec"),
    ),
    "CronJob": ("spec", "jobTemplate", "spec", "template", "spec"),
}
_CONTAINER_KEYS: Final[dict[tuple[str, ...], tuple[str, ...]]] = {
    ("env",): ("name",),
    ("ports",): ("containerPort", "protocol"),
    ("volumeMounts",): ("mountPath",),
    ("volumeDevices",): ("devicePath",),
}
_POD_KEYS: Final[dict[tuple[str, ...], tuple[str, ...]]] = {
    ("volumes",): ("name",),
    ("imagePullSecrets",): ("name",),
    ("hostAliases",): ("ip",),
    ("topologySpreadConstraints",): ("topologyKey", "whenUnsatisfiable"),
    **{(kind,): ("name",) for kind in ("containers", "initContainers", "ephemeralContainers")},
    **{
        (kind, *path): keys
        for kind in ("containers", "initContainers", "ephemeralContainers")
        for path, keys in _CONTAINER_KEYS.items()
    },
}
_KEYS: Final[dict[tuple[str, tuple[str, ...]], tuple[str, ...]]] = {
    **{(kind, (*place, *path)): keys for kind, place in _POD_PLACES.items() for path, keys in _POD_KEYS.items()},
    ("Service", ("spec", "ports")): ("port", "protocol"),
    ("ServiceAccount", ("secrets",)): ("name",),
    ("ServiceAccount", ("imagePullSecrets",)): ("name",),
    ("ValidatingWebhookConfiguration", ("webhooks",)): ("name",),
    ("MutatingWebhookConfiguration", ("webhooks",)): ("name",),
}
_METADATA_KEYS: Final[dict[tuple[str, ...], tuple[str, ...]]] = {
    ("metadata", "ownerReferences"): ("uid",),
    ("metadata", "finalizers"): (),
}


def merged(target: Mapping[str, Any], patch: Mapping[str, Any]) -> Mapping[str, Any] | None:
    """Return the object after a strategic merge patch, or None where the patch deletes it."""
    group = str(target.get("apiVersion", "")).rpartition("/")[0]
    builtin = "." not in group or group.endswith(".k8s.io")
    made = _merged(target, patch, str(target.get("kind", "")) if builtin else "", ())
    return None if made is _GONE else made


def _merged(target: Any, patch: Mapping[str, Any], kind: str, path: tuple[str, ...]) -> Any:
    directive = patch.get(_DIRECTIVE)
    if directive == "delete":
        return _GONE
    made = dict(target) if isinstance(target, Mapping) and directive != "replace" else {}
    for key, value in patch.items():
        if key == _DIRECTIVE:
            continue
        new = _value(made.get(key), value, kind, (*path, key))
        if new is _GONE:
            made.pop(key, None)
        else:
            made[key] = new
    return made


def _value(old: Any, new: Any, kind: str, path: tuple[str, ...]) -> Any:
    if new is None:
        return _GONE
    if isinstance(new, Mapping):
        return _merged(old, new, kind, path)
    if isinstance(new, list):
        return _list(old if isinstance(old, list) else [], new, kind, path)
    return new


def _list(old: list[Any], new: list[Any], kind: str, path: tuple[str, ...]) -> Any:
    keys = _KEYS.get((kind, path))
    if keys is None:
        keys = _METADATA_KEYS.get(path) if kind else None
    if keys is None:
        return new
    commands = [item for item in new if isinstance(item, Mapping) and set(item) == {_DIRECTIVE}]
    new = [item for item in new if item not in commands]
    if any(item[_DIRECTIVE] == "delete" for item in commands):
        return _GONE
    if any(item[_DIRECTIVE] == "replace" for item in commands):
        old = []
    if not keys:
        return [*new, *(item for item in old if item not in new)]
    rest, first = list(old), []
    for item in new:
        place = next((i for i, known in enumerate(rest) if _same(known, item, keys)), None)
        before = rest.pop(place) if place is not None else None
        made = _merged(before, item, kind, path) if isinstance(item, Mapping) else item
        if made is not _GONE:
            first.append(made)
    return [*first, *rest]


def _same(one: object, other: object, keys: Sequence[str]) -> bool:
    """Return whether two elements are one: equal in some key and contradicting each other in none."""
    if not (isinstance(one, Mapping) and isinstance(other, Mapping)):
        return False
    pairs = [(one.get(key), other.get(key)) for key in keys]
    return any(a == b and a is not None for a, b in pairs) and all(a == b or None in (a, b) for a, b in pairs)


def patched(target: Any, operations: Sequence[Mapping[str, Any]]) -> Any:
    """Return the object after the operations of a JSON Patch.

    Raises:
        ValueError: an operation is not possible; the message says which.
    """
    for step in operations:
        name, path = str(step.get("op")), _pointer(str(step.get("path", "")))
        if name in ("move", "copy"):
            source = _pointer(str(step.get("from", "")))
            value = _at(target, source)
            if name == "move":
                target = _set(target, source, "remove", None)
            target = _set(target, path, "add", value)
        elif name == "test":
            if _at(target, path) != step.get("value"):
                raise ValueError(f"the test of {step.get('path')} fails")
        elif name in ("add", "replace", "remove"):
            target = _set(target, path, name, step.get("value"))
        else:
            raise ValueError(f"{name!r} is not an operation of JSON Patch")
    return target


def _pointer(text: str) -> list[str]:
    if text and not text.startswith("/"):
        raise ValueError(f"{text!r} is not a JSON pointer")
    return [part.replace("~1", "/").replace("~0", "~") for part in text.split("/")[1:]]


def _at(node: Any, path: Sequence[str]) -> Any:
    for key in path:
        if isinstance(node, list):
            node = node[_index(node, key, 0)]
        elif isinstance(node, Mapping) and key in node:
            node = node[key]
        else:
            raise ValueError(f"/{'/'.join(path)} does not exist")
    return node


def _index(node: list[Any], key: str, beyond: int) -> int:
    if key == "-" and beyond:
        return len(node)
    place = whole_number(key)
    if place is None or place >= len(node) + beyond:
        raise ValueError(f"{key!r} is not a place in a list of {len(node)}")
    return place


def _set(node: Any, path: Sequence[str], what: str, value: Any) -> Any:
    if not path:
        return value
    key, last = path[0], len(path) == 1
    if isinstance(node, list):
        place = _index(node, key, 1 if last and what == "add" else 0)
        if not last:
            return [*node[:place], _set(node[place], path[1:], what, value), *node[place + 1 :]]
        kept = node[place:] if what == "add" else node[place + 1 :]
        return [*node[:place], *([] if what == "remove" else [value]), *kept]
    if not isinstance(node, Mapping) or (key not in node and not (last and what == "add")):
        raise ValueError(f"{key!r} does not exist, so nothing can be done to it")
    if not last:
        return {**node, key: _set(node[key], path[1:], what, value)}
    return {k: v for k, v in node.items() if k != key} if what == "remove" else {**node, key: value}
