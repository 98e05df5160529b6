"""The weakenings that are data: ``weakenings.yaml``, whose first lines say how it reads."""

from __future__ import annotations

import copy
import json
import re
from collections.abc import Callable, Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import Any

import yaml

from tests.study.weakening_tools import Object, Tree, Weakening

_TEXT = Path(__file__).with_name("weakenings.yaml").read_text(encoding="utf-8")


def listed() -> tuple[Weakening, ...]:
    """Return the weakenings of the list."""
    data = yaml.safe_load(_TEXT)
    return (
        *(Weakening(title, _adding(items)) for title, items in data["adding"].items()),
        *(Weakening(title, _changing(line, every=False)) for title, line in _lines(data["changing"])),
        *(Weakening(title, _changing(line, every=True)) for title, line in _lines(data["all"])),
        *(Weakening(title, _gone(kinds.split())) for title, kinds in data["gone"].items()),
    )


def _lines(text: str) -> Iterator[tuple[str, str]]:
    for line in text.splitlines():
        title, _, change = line.partition(": ")
        yield title, change


def _placed(value: Any, tree: Tree) -> Any:
    spaces = [*tree.spaces[:2], "t-one", "t-other"]
    groups = [*tree.groups[:2], "tenant:one", "tenant:other"]
    placed = json.dumps(value)
    for word, name in (("TENANT", tree.space), ("OTHER", spaces[1]), ("GROUP", tree.group), ("THEIRS", groups[1])):
        placed = placed.replace(word, name)
    return json.loads(placed)


def _adding(items: Object | list[Object]) -> Callable[[Tree], bool]:
    def apply(tree: Tree) -> bool:
        tree.add(*_placed(items if isinstance(items, list) else [items], tree))
        return True

    return apply


def _changing(line: str, *, every: bool) -> Callable[[Tree], bool]:
    kinds, path, value = (part.strip() for part in line.split("|", 2))
    keys = [key.replace("\\.", ".") for key in re.split(r"(?<!\\)\.", path)]

    def apply(tree: Tree) -> bool:
        new = _placed(yaml.safe_load(value), tree)
        changed = False
        for item in _of(tree, kinds.split()):
            before = copy.deepcopy(item)
            _put(item, keys, new)
            changed = changed or item != before
            if changed and not every:
                break
        return changed

    return apply


def _gone(kinds: list[str]) -> Callable[[Tree], bool]:
    def apply(tree: Tree) -> bool:
        found = list(_of(tree, kinds))
        for item in found:
            tree.remove(item)
        return bool(found)

    return apply


def _of(tree: Tree, kinds: list[str]) -> Iterator[Object]:
    for item in list(tree.objects()):
        if any(fnmatchcase(item["kind"], kind) for kind in kinds):
            yield item


def _put(item: Any, keys: list[str], value: Any) -> None:
    key, *rest = keys
    if key == "*":
        for entry in item if isinstance(item, list) else ():
            _put(entry, rest, value)
    elif rest:
        if rest[0] == "*" and not item.get(key):
            return
        _put(item.setdefault(key, {}), rest, value)
    elif value == "-":
        item.pop(key, None)
    else:
        item[key] = copy.deepcopy(value)
