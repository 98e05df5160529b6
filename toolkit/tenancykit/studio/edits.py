"""Edits of a scenario's YAML text that leave everything else, comments included, as it was."""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from decimal import Decimal
from typing import Any, Final

import yaml

from kubeanswers.scalars import decimal_number
from kubeanswers.source import Path_, dump_yaml
from tenancykit.scenario.model import Scenario

_LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_PLAIN: Final = re.compile(r"[A-Za-z][A-Za-z0-9_./-]*|[0-9]+(\.[0-9]+)?[A-Za-z]+")
"""Words and amounts with a unit, which people write without quotes."""


def set_value(text: str, path: Path_, value: Any) -> str:
    """Return the text with one value replaced, or added where its key is missing.

    Args:
        text: YAML of a single document that can be read.
        path: keys and indices; every list index exists.
        value: text, number, true/false, None (written as ``null``), or a mapping or list of such.

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
    new = written(value)
    if (
        isinstance(node, yaml.ScalarNode)
        and node.style
        and _is_number(value)
        and decimal_number(node.value) is not None
    ):
        new = f"{node.style}{new}{node.style}"  # an amount in quotes, such as cpu: "4", stays in them
    return text[:start] + space + new + text[end:]


def _is_number(value: Any) -> bool:
    return isinstance(value, int | float) and not isinstance(value, bool)


def _added(text: str, parent: Any, key: str, value: Any) -> str:
    start = int(parent.start_mark.index)
    if parent.flow_style:
        rest = ", " if parent.value else ""
        return f"{text[: start + 1]}{written(key)}: {written(value)}{rest}{text[start + 1 :]}"
    at = _line_end(text, max(_last_mark(parent), int(parent.value[-1][0].end_mark.index)))
    return f"{text[:at]}\n{' ' * parent.value[0][0].start_mark.column}{written(key)}: {written(value)}{text[at:]}"


def add_item(text: str, path: Path_, value: Any) -> str:
    """Return the text with one more item at the end of a list, which is made where it is missing or empty.

    Raises:
        KeyError: there is something else than a list.
    """
    node = _node_at(yaml.compose(text, Loader=_LOADER), path)
    if node is None or (isinstance(node, yaml.ScalarNode) and not node.value) or _is_empty(node):
        return set_value(text, path, [value])
    if not isinstance(node, yaml.SequenceNode):
        raise KeyError(path)
    if node.flow_style:
        at = int(node.value[-1].end_mark.index)
        return f"{text[:at]}, {written(value)}{text[at:]}"
    at = _line_end(text, _last_mark(node))
    indent = " " * _dash(text, node.value[-1])
    block = (
        dump_yaml(value).rstrip("\n").replace("\n", f"\n{indent}  ") if isinstance(value, Mapping) else written(value)
    )
    return f"{text[:at]}\n{indent}- {block}{text[at:]}"


def copy_item(text: str, path: Path_) -> str:
    """Return the text with an item of a list repeated, comments and all, at the end of the list.

    Raises:
        KeyError: there is no such item.
    """
    items, position = _item_at(text, path)
    found, last = items.value[position], items.value[-1]
    if items.flow_style:
        at = int(last.end_mark.index)
        return f"{text[:at]}, {text[int(found.start_mark.index) : int(found.end_mark.index)]}{text[at:]}"
    start, end = _lines_of(text, found)
    at = _line_end(text, _last_mark(last))
    return f"{text[:at]}\n{text[start:end]}{text[at:]}"


def remove_item(text: str, path: Path_) -> str:
    """Return the text without an item of a list and without the comments right above it.

    Raises:
        KeyError: there is no such item.
    """
    items, position = _item_at(text, path)
    if len(items.value) == 1:
        return _emptied(text, items, path)
    found = items.value[position]
    if items.flow_style:
        if position + 1 < len(items.value):
            start, end = found.start_mark.index, items.value[position + 1].start_mark.index
        else:
            start, end = items.value[position - 1].end_mark.index, found.end_mark.index
        return text[: int(start)] + text[int(end) :]
    start, end = _lines_of(text, found)
    return text[:start] + text[end + 1 :]


def set_list(text: str, path: Path_, values: Sequence[Any]) -> str:
    """Return the text with a list of plain values holding these, what stays left as it was written.

    Raises:
        KeyError: there is something else than a list of plain values.
    """
    node = _node_at(yaml.compose(text, Loader=_LOADER), path)
    if not isinstance(node, yaml.SequenceNode) or node.flow_style:
        return set_value(text, path, list(values))
    there = [yaml.load(item.value, Loader=_LOADER) for item in node.value if isinstance(item, yaml.ScalarNode)]  # noqa: S506 - a safe loader
    if len(there) != len(node.value):
        raise KeyError(path)
    for position in reversed(range(len(there))):
        if there[position] not in values:
            text = remove_item(text, (*path, position))
    for value in values:
        if value not in there:
            text = add_item(text, path, value)
    return text


def remove_key(text: str, path: Path_) -> str:
    """Return the text without a key and its value, and without a mapping that this leaves empty; no such key: as it is.

    Raises:
        KeyError: the key begins an item of a list, so that more than its line is concerned.
    """
    parent = _node_at(yaml.compose(text, Loader=_LOADER), path[:-1])
    pairs = parent.value if isinstance(parent, yaml.MappingNode) else []
    position = next((i for i, (key, _) in enumerate(pairs) if key.value == path[-1]), None)
    if position is None:
        return text
    if len(pairs) == 1 and len(path) > 1 and isinstance(path[-2], str):
        return remove_key(text, path[:-1])
    key, value = pairs[position]
    if parent.flow_style:
        if position + 1 < len(pairs):
            start, end = key.start_mark.index, pairs[position + 1][0].start_mark.index
        else:
            start, end = pairs[position - 1][1].end_mark.index if position else key.start_mark.index, _last_mark(value)
        return text[: int(start)] + text[int(end) :]
    line = text.rfind("\n", 0, int(key.start_mark.index)) + 1
    if text[line : int(key.start_mark.index)].strip():
        raise KeyError(path)
    return text[:line] + text[_line_end(text, max(_last_mark(value), int(key.end_mark.index))) + 1 :]


def _item_at(text: str, path: Path_) -> tuple[Any, int]:
    items, position = _node_at(yaml.compose(text, Loader=_LOADER), path[:-1]), path[-1]
    if not isinstance(items, yaml.SequenceNode) or not isinstance(position, int) or position >= len(items.value):
        raise KeyError(position)
    return items, position


def _emptied(text: str, items: Any, path: Path_) -> str:
    """Return the text with a list of one item empty."""
    if items.flow_style:
        return text[: int(items.start_mark.index)] + "[]" + text[int(items.end_mark.index) :]
    parent = _node_at(yaml.compose(text, Loader=_LOADER), path[:-2])
    key = next(key for key, value in parent.value if value.start_mark.index == items.start_mark.index)
    start, end = _lines_of(text, items.value[0])
    at = text.index(":", int(key.end_mark.index)) + 1
    return f"{text[:at]} []{text[at:start]}{text[end + 1 :]}"


def _is_empty(node: Any) -> bool:
    return isinstance(node, yaml.SequenceNode) and not node.value


def _last_mark(node: Any) -> int:
    """Return where the last character of a node stands; the end a block claims lies behind comments that follow it."""
    if isinstance(node, yaml.ScalarNode) or node.flow_style or not node.value:
        return int(node.end_mark.index)
    last = node.value[-1]
    return max(map(_last_mark, last)) if isinstance(last, tuple) else _last_mark(last)


def _line_end(text: str, at: int) -> int:
    """Return the end of the line, without its break; a literal block ends behind its own."""
    if at and text[at - 1] == "\n":
        return at - 1
    found = text.find("\n", at)
    return len(text) if found < 0 else found


def _dash(text: str, node: Any) -> int:
    """Return the column of the dash of an item of a block."""
    start = text.rfind("\n", 0, int(node.start_mark.index)) + 1
    line = text[start : int(node.start_mark.index)]
    return line.rindex("-") if "-" in line else int(node.start_mark.column)


def _lines_of(text: str, node: Any) -> tuple[int, int]:
    """Return where the lines of a block's item begin, with the comments right above it, and where they end."""
    start = text.rfind("\n", 0, int(node.start_mark.index)) + 1
    indent = " " * _dash(text, node)
    while start:
        above = text.rfind("\n", 0, start - 1) + 1
        if not text[above:start].startswith(f"{indent}#"):
            break
        start = above
    return start, _line_end(text, _last_mark(node))


def written(value: Any) -> str:
    """Return a value as it stands in YAML on one line."""
    if isinstance(value, Mapping):
        return "{" + ", ".join(f"{written(k)}: {written(v)}" for k, v in value.items()) + "}"
    if isinstance(value, list | tuple):
        return "[" + ", ".join(map(written, value)) + "]"
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
