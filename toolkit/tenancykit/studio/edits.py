"""Edits of a scenario's YAML text that leave everything else, comments included, as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import yaml

from kubeanswers.source import Path_, dump_yaml
from tenancykit.scenario.model import Scenario

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*")


def set_value(text: str, path: Path_, value: Any) -> str:
    """Return the text with one value replaced, or added where its key is missing.

    Args:
        text: YAML of a single document that can be read.
        path: keys and indices; every list index exists.
        value: text, number, true/false, None (written as ``null``) or a mapping of such.

    Raises:
        KeyError: a list index of the path does not exist.
    """
    parent = _node_at(yaml.compose(text, Loader=_LOADER), path[:-1])
    if parent is None:
        return set_value(text, path[:-1], {path[-1]: value})
    if isinstance(parent, yaml.SequenceNode):
        return _replaced(text, parent.value[int(path[-1])], value)
    if not isinstance(parent, yaml.MappingNode):
        return _replaced(text, parent, {path[-1]: value})
    for key, found in parent.value:
        if key.value == path[-1]:
            return _replaced(text, found, value)
    return _added(text, parent, str(path[-1]), value)


def _node_at(node: Any, path: Path_) -> Any:
    """Return the node at a path, or None where a key on the way is missing."""
    for part in path:
        if isinstance(part, int):
            if not isinstance(node, yaml.SequenceNode) or part >= len(node.value):
                raise KeyError(part)
            node = node.value[part]
            continue
        pairs = node.value if isinstance(node, yaml.MappingNode) else []
        node = next((value for key, value in pairs if key.value == part), None)
        if node is None:
            return None
    return node


def _replaced(text: str, node: Any, value: Any) -> str:
    start, end = int(node.start_mark.index), int(node.end_mark.index)
    if isinstance(node, yaml.MappingNode | yaml.SequenceNode) and not node.flow_style:
        raise KeyError("a block of several lines is edited in the text")
    space = " " if start == end and not text[:start].endswith((" ", "\n")) else ""
    return text[:start] + space + written(value) + text[end:]


def _added(text: str, parent: Any, key: str, value: Any) -> str:
    start = int(parent.start_mark.index)
    if parent.flow_style:
        rest = ", " if parent.value else ""
        return f"{text[: start + 1]}{key}: {written(value)}{rest}{text[start + 1 :]}"
    first = parent.value[0][0].start_mark
    at = int(first.index)
    return f"{text[:at]}{key}: {written(value)}\n{' ' * first.column}{text[at:]}"


def written(value: Any) -> str:
    """Return a value as it stands in YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{k}: {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, str):
        plain = _PLAIN.fullmatch(value) and yaml.load(value, Loader=_LOADER) == value  # noqa: S506 - a safe loader
        return value if plain else json.dumps(value, ensure_ascii=False)
    return json.dumps(value)


def scenario_text(scenario: Scenario) -> str:
    """Return YAML that reads back as an equal scenario; defaults are left out."""
    data = scenario.model_dump(mode="python", by_alias=True, exclude_defaults=True)
    return dump_yaml(_plain({"schema": scenario.schema_version, **data}))


def _plain(value: Any, key: str = "") -> Any:
    if isinstance(value, Mapping):
        return {str(k): _plain(v, str(k)) for k, v in value.items()}
    if isinstance(value, Sequence) and not isinstance(value, str):
        return [_plain(item) for item in value]
    if isinstance(value, Decimal):
        return str(value)
    if key == "cpu" and isinstance(value, int):
        return f"{value}m"
    return value
