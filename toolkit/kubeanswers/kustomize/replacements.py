"""Replacements of a kustomization: a value of one object copied into fields of others.

Source: https://kubectl.docs.kubernetes.io/references/kustomize/kustomization/replacements/
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any, Final

from kubeanswers.kustomize.resources import Resource, Target
from kubeanswers.objects import mapping, mappings, scalar_text, texts
from kubeanswers.scalars import whole_number

_PART: Final = re.compile(r"(\[[^\]]*\]|(?:\\.|[^.\[\\])+)")
_NAME: Final = "metadata.name"


def replace(resources: Sequence[Resource], entry: Mapping[str, Any]) -> None:
    """Copy the value of the source into every target.

    Raises:
        ValueError: source, target or field does not exist, or is no plain path; the message says which.
    """
    value = entry["sourceValue"] if entry.get("sourceValue") is not None else _source(resources, entry)
    targets = mappings(entry.get("targets"))
    if not targets:
        raise ValueError("a replacement names no target")
    for target in targets:
        wanted = Target.of(mapping(target.get("select")))
        refused = [Target.of(item) for item in mappings(target.get("reject"))]
        paths = [_path(text) for text in texts(target.get("fieldPaths")) or [_NAME]]
        for item in resources:
            known = (*item.earlier, item.identity)
            if wanted.selects(item, known) and not any(one.selects(item, known) for one in refused):
                for path in paths:
                    item.become(_put(item.data, path, value, mapping(target.get("options"))))


def _source(resources: Sequence[Resource], entry: Mapping[str, Any]) -> Any:
    source = mapping(entry.get("source"))
    exact = {
        key: re.escape(scalar_text(source[key]))
        for key in ("group", "version", "kind", "name", "namespace")
        if source.get(key)
    }
    wanted = Target.of(exact)
    found = [item for item in resources if wanted.selects(item, (*item.earlier, item.identity))]
    if len(found) != 1:
        raise ValueError(f"the source of a replacement selects {len(found)} objects instead of one")
    path = _path(scalar_text(source.get("fieldPath")) or _NAME)
    value = _value(found[0], path)
    options = mapping(source.get("options"))
    if options.get("delimiter"):
        parts = scalar_text(value).split(scalar_text(options["delimiter"]))
        index = options.get("index", 0)
        if not isinstance(index, int) or not 0 <= index < len(parts):
            raise ValueError(f"the source of a replacement has no part {index}")
        return parts[index]
    return value


def value_at(item: Resource, path: str) -> Any:
    """Return what a field of an object holds; nothing for a Secret's value, which is not carried into other objects.

    Raises:
        ValueError: there is no such field.
    """
    return _value(item, _path(path))


def _value(item: Resource, path: Sequence[str]) -> Any:
    if item.kind == "Secret" and path[:1] in (["data"], ["stringData"]):
        return ""
    return _get(item.data, path)


def _path(text: str) -> list[str]:
    return [_key(part) for part in _PART.findall(text)]


def _key(part: str) -> str:
    """Return a part of a path; one in brackets that compares nothing is a key that holds dots."""
    if part.startswith("[") and "=" not in part:
        return part[1:-1]
    return part.replace("\\.", ".")


def _get(node: Any, path: Sequence[str]) -> Any:
    for part in path:
        if isinstance(node, list):
            node = next((node[i] for i in _places(node, part)), None)
        else:
            node = node.get(part) if isinstance(node, Mapping) else None
        if node is None:
            raise ValueError(f"the source of a replacement has no field {'.'.join(path)}")
    return node


def _places(node: list[Any], part: str) -> list[int]:
    if part == "*":
        return list(range(len(node)))
    part = part.removeprefix("[").removesuffix("]")
    place = whole_number(part)
    if place is not None:
        return [place] if place < len(node) else []
    key, equals, value = part.partition("=")
    if not equals:
        return []
    if not key:
        return [i for i, item in enumerate(node) if scalar_text(item) == value]
    return [i for i, item in enumerate(node) if isinstance(item, Mapping) and scalar_text(item.get(key)) == value]


def _put(node: Any, path: Sequence[str], value: Any, options: Mapping[str, Any]) -> Any:
    if not path:
        return _joined(node, value, options)
    part, create = path[0], options.get("create") is True
    if isinstance(node, list):
        places = _places(node, part)
        if not places:
            raise ValueError(f"a replacement's target has no element {part}")
        return [_put(item, path[1:], value, options) if i in places else item for i, item in enumerate(node)]
    if node is None and create:
        node = {}
    if not isinstance(node, Mapping) or (part not in node and not create):
        raise ValueError(f"a replacement's target has no field {part}")
    return {**node, part: _put(node.get(part), path[1:], value, options)}


def _joined(old: Any, value: Any, options: Mapping[str, Any]) -> Any:
    delimiter = scalar_text(options.get("delimiter"))
    if not delimiter:
        return value
    parts = scalar_text(old).split(delimiter)
    index = options.get("index", 0)
    if not isinstance(index, int) or index >= len(parts):
        parts.append(scalar_text(value))
    elif index < 0:
        parts.insert(0, scalar_text(value))
    else:
        parts[index] = scalar_text(value)
    return delimiter.join(parts)
