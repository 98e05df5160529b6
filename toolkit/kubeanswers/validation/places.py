"""The line of a field: an object's text is read once more, with positions, only where something is wrong with it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

import yaml

from kubeanswers.errors import InputError
from kubeanswers.inputs import decoded, read_bytes
from kubeanswers.objects import ManifestObject, Where

_LARGEST: Final = 512 * 1024 * 1024
"""Largest file looked at again, as for the first reading."""

_LONGEST: Final = 4 * 1024 * 1024
"""Longest document, in characters, that is read again for its lines (assumption: half a second of libyaml)."""
_SEPARATOR: Final = re.compile(r"^---(\s|$)", re.MULTILINE)
_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def line_of(item: ManifestObject, path: str) -> int:
    """Return the line of a field of an object, or of the nearest thing above it that can be found in the file."""
    document = _document(item.where.file, item.where.line)
    node = next((found for found in _objects(document) if _is_it(found, item)), None)
    if node is None:
        return item.where.line
    return item.where.line + _walk(node, path, node.start_mark.line)


def at_line(where: Where, line: int) -> Where:
    """Return a place with another line."""
    return Where(where.file, line, where.index)


@lru_cache(maxsize=64)
def _document(file: str, line: int) -> Any:
    """Return the YAML node of the document that starts at a line of a file; None where it cannot be had."""
    try:
        path = Path(file)
        if not path.is_file():
            return None
        text = decoded(read_bytes(path, _LARGEST), file)
    except (OSError, InputError):
        return None
    start = 0
    for _ in range(line - 1):
        start = text.find("\n", start) + 1
        if not start:
            return None
    end = _SEPARATOR.search(text, start)
    part = text[start : end.start() if end else len(text)]
    if len(part) > _LONGEST:
        return None
    try:
        return yaml.compose(part, Loader=_LOADER)
    except (yaml.YAMLError, RecursionError):
        return None


def _objects(node: Any) -> Iterator[Any]:
    """Yield the nodes that may be objects: the document, and the items of lists in it."""
    if isinstance(node, yaml.SequenceNode):
        for item in node.value:
            yield from _objects(item)
    elif isinstance(node, yaml.MappingNode):
        yield node
        items = _child(node, "items")
        if isinstance(items, yaml.SequenceNode):
            yield from _objects(items)


def _is_it(node: Any, item: ManifestObject) -> bool:
    kind, metadata = _child(node, "kind"), _child(node, "metadata")
    stated = _text(kind) or item.kind
    name, space = _text(_child(metadata, "name")), _text(_child(metadata, "namespace"))
    same = name in item.name if name else not item.metadata.get("name")  # a kustomization may lengthen it
    return stated == item.kind and same and (not space or not item.namespaced or space in item.namespace)


def _text(node: Any) -> str:
    """Return the text of a node; none of a mapping or list that stands where a text belongs."""
    return str(node.value) if isinstance(node, yaml.ScalarNode) else ""


def _child(node: Any, name: str) -> Any:
    if isinstance(node, yaml.MappingNode):
        return next((value for key, value in node.value if getattr(key, "value", None) == name), None)
    return None


def _walk(node: Any, path: str, line: int) -> int:
    """Return the line, from the document's first, of what a path names; keys may hold dots themselves."""
    while path:
        path = path.lstrip(".")
        found = None
        if isinstance(node, yaml.MappingNode):
            found = _key(node, path)
        elif isinstance(node, yaml.SequenceNode):
            found = _item(node, path)
        if found is None:
            return line
        line, node, path = found
    return line


def _key(node: Any, path: str) -> tuple[int, Any, str] | None:
    best: tuple[int, Any, str] | None = None
    for key, value in node.value:
        name = str(getattr(key, "value", ""))
        for form in (name, f"[{name}]"):
            rest = path[len(form) :]
            longer = best is None or len(rest) < len(best[2])
            if name and path.startswith(form) and (not rest or rest[0] in ".[") and longer:
                best = (key.start_mark.line, value, rest)
    return best


def _item(node: Any, path: str) -> tuple[int, Any, str] | None:
    match = re.match(r"\[([0-9]+)\]", path)
    if match is None or int(match[1]) >= len(node.value):
        return None
    item = node.value[int(match[1])]
    return item.start_mark.line, item, path[match.end() :]
