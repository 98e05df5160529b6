"""Server-side apply as a real server does it: who owns which field, what merges, what conflicts.

Source: https://kubernetes.io/docs/reference/using-api/server-side-apply/; held to recorded answers by
``test_recorded.py``. Comparison comes before defaulting: an entry of an atomic list without its defaults differs from
the stored one.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

Path = tuple[str, ...]
Fields = frozenset[Path]
SYSTEM = frozenset(
    {"name", "namespace", "uid", "resourceVersion", "generation", "creationTimestamp", "managedFields", "selfLink",
     "deletionTimestamp", "deletionGracePeriodSeconds"}
)  # fmt: skip


@dataclass(frozen=True)
class Merging:
    """How lists and maps of one kind merge: by path, ``[]`` for entries of a list; what is not listed is granular."""

    table: Mapping[str, str]

    def of(self, at: str, value: Any) -> str:
        plain = {"metadata.finalizers": "set", "metadata.ownerReferences": "map by uid"}
        found = self.table.get(at) or plain.get(at)
        return found or ("atomic" if isinstance(value, list) else "granular")


@dataclass
class Entry:
    """What one manager owns by one kind of operation."""

    manager: str
    operation: str
    fields: Fields = frozenset()


@dataclass
class Stored:
    """An object with who owns what of it."""

    data: dict[str, Any]
    entries: list[Entry] = field(default_factory=list)

    @property
    def is_managed(self) -> bool:
        return any(one.fields for one in self.entries)

    def entry(self, manager: str, operation: str) -> Entry:
        for one in self.entries:
            if (one.manager, one.operation) == (manager, operation):
                return one
        self.entries.append(Entry(manager, operation))
        return self.entries[-1]

    def managed(self) -> list[dict[str, Any]]:
        return [
            {
                "manager": one.manager,
                "operation": one.operation,
                "apiVersion": self.data.get("apiVersion"),
                "time": "2026-01-01T00:00:00Z",
                "fieldsType": "FieldsV1",
                "fieldsV1": nested(one.fields),
            }
            for one in sorted(self.entries, key=lambda one: (one.manager, one.operation))
            if one.fields
        ]


@dataclass(frozen=True)
class Conflict(Exception):  # noqa: N818 - says what it is
    """Others own fields of another value."""

    found: tuple[tuple[str, Path], ...]

    def message(self) -> str:
        count = len(self.found)
        if count == 1:
            manager, path = self.found[0]
            return f"Apply failed with 1 conflict: conflict with {manager}: {shown(path)}"
        by: dict[str, list[str]] = {}
        for manager, path in self.found:
            by.setdefault(manager, []).append(shown(path))
        parts = [f"conflicts with {m}:\n" + "\n".join(f"- {one}" for one in sorted(by[m])) for m in sorted(by)]
        return f"Apply failed with {count} conflicts: " + "\n".join(parts)


def shown(path: Path) -> str:
    text = ""
    for part in path:
        kind, _, rest = part.partition(":")
        if kind == "f":
            text += f".{rest}"
        elif kind == "k":
            keys = json.loads(rest)
            text += "[" + ",".join(f"{k}={json.dumps(v)}" for k, v in keys.items()) + "]"
        else:
            text += f"[={rest}]"
    return text


def leaves(value: Any, merging: Merging, path: Path = (), at: str = "") -> Iterator[tuple[Path, Any]]:
    """Yield what can be owned of a value, with the value itself."""
    how = merging.of(at, value)
    if how == "atomic" or not isinstance(value, dict | list) or not value:
        yield path, value
    elif isinstance(value, dict):
        for key, inner in value.items():
            below = f"{at}.{key}".lstrip(".")
            if (
                inner is None and below in merging.table
            ):  # nothing of a list or map; a plain field is owned all the same
                continue
            if not (at == "" and key in ("apiVersion", "kind")):
                if at == "metadata" and key in SYSTEM:
                    continue
                yield from leaves(inner, merging, (*path, f"f:{key}"), f"{at}.{key}".lstrip("."))
    elif how == "set":
        for item in value:
            yield (*path, f"v:{json.dumps(item)}"), item
    else:
        keys = how.removeprefix("map by ").split(",")
        for item in value:
            step = (*path, key_of(item, keys))
            yield step, None
            yield from leaves(item, merging, step, f"{at}[]")


def doubles(value: Any, merging: Merging, path: Path = (), at: str = "") -> Iterator[tuple[Path, Path]]:
    """Yield the lists of an object that hold a key twice, each with the key."""
    how = merging.of(at, value)
    if isinstance(value, dict) and how != "atomic":
        for key, inner in value.items():
            yield from doubles(inner, merging, (*path, f"f:{key}"), f"{at}.{key}".lstrip("."))
    elif isinstance(value, list) and how.startswith("map by "):
        keys = how.removeprefix("map by ").split(",")
        seen = [key_of(item, keys) for item in value]
        yield from ((path, (key,)) for key in dict.fromkeys(seen) if seen.count(key) > 1)
        for item, key in zip(value, seen, strict=True):
            yield from doubles(item, merging, (*path, key), f"{at}[]")


def key_of(item: Any, keys: list[str]) -> str:
    made = {key: item.get(key, "TCP" if key == "protocol" else None) for key in sorted(keys)}
    return "k:" + json.dumps(made, separators=(",", ":"))


def owned(value: Mapping[str, Any], merging: Merging) -> Fields:
    return frozenset(path for path, _ in leaves(value, merging) if path)


def merge(live: Any, applied: Any, merging: Merging, at: str = "") -> Any:
    how = merging.of(at, applied)
    if how == "atomic" or type(live) is not type(applied) or not isinstance(applied, dict | list):
        return copy.deepcopy(applied)
    if isinstance(applied, dict):
        made = dict(live)
        for key, inner in applied.items():
            if inner is not None:
                below = f"{at}.{key}".lstrip(".")
                made[key] = merge(live[key], inner, merging, below) if key in live else copy.deepcopy(inner)
        return made
    if how == "set":
        return [*live, *(item for item in applied if item not in live)]
    keys = how.removeprefix("map by ").split(",")
    new = {key_of(item, keys): item for item in applied}
    kept = [merge(i, new[key_of(i, keys)], merging, f"{at}[]") if key_of(i, keys) in new else i for i in live]
    known = {key_of(item, keys) for item in live}
    return [*kept, *(copy.deepcopy(item) for key, item in new.items() if key not in known)]


def without(value: Any, gone: Fields, merging: Merging, path: Path = (), at: str = "") -> Any:
    """Return the value without the fields given; what holds nothing any more because of it goes too."""
    how = merging.of(at, value)
    if how == "atomic" or not isinstance(value, dict | list):
        return value
    if isinstance(value, dict):
        made = {}
        for key, inner in value.items():
            step = (*path, f"f:{key}")
            if step in gone:
                continue
            kept = without(inner, gone, merging, step, f"{at}.{key}".lstrip("."))
            if kept or not inner or kept == inner:
                made[key] = kept
        return made
    if how == "set":
        return [item for item in value if (*path, f"v:{json.dumps(item)}") not in gone]
    keys = how.removeprefix("map by ").split(",")
    steps = [(item, (*path, key_of(item, keys))) for item in value]
    return [without(item, gone, merging, step, f"{at}[]") for item, step in steps if step not in gone]


def compared(old: Mapping[str, Any], new: Mapping[str, Any], merging: Merging) -> tuple[Fields, Fields]:
    """Return what is changed or added, and what is removed."""
    before, after = dict(leaves(old, merging)), dict(leaves(new, merging))
    written = frozenset(p for p, v in after.items() if p not in before or before[p] != v)
    return written, frozenset(before.keys() - after.keys())


Complete = Callable[[dict[str, Any]], dict[str, Any]]


def apply(
    live: Stored | None, body: dict[str, Any], manager: str, merging: Merging, complete: Complete, *, force: bool
) -> Stored:
    """Return what a server-side apply makes.

    Raises:
        Conflict: others own fields of another value, and nothing is forced.
    """
    new = owned(body, merging)
    if live is None:
        return Stored(complete(copy.deepcopy(body)), [Entry(manager, "Apply", new)])
    made = Stored(live.data, copy.deepcopy(live.entries))
    if not live.is_managed:  # nobody owns anything: what is there was so before
        made.entries.append(Entry("before-first-apply", "Update", owned(live.data, merging)))
    merged = merge(live.data, body, merging)
    written, _ = compared(live.data, merged, merging)
    others = [one for one in made.entries if (one.manager, one.operation) != (manager, "Apply")]
    version = str(body.get("apiVersion"))
    found = tuple((_named(one, version), path) for one in others for path in sorted(one.fields & written))
    if found and not force:
        raise Conflict(found)
    for one in others:
        one.fields -= written
    mine = made.entry(manager, "Apply")
    dropped = frozenset(p for p in mine.fields - new if not any(p in one.fields for one in others))
    merged = without(merged, dropped, merging)
    mine.fields = new
    made.data = complete(merged)
    there = frozenset(path for one in (merged, made.data) for path, _ in leaves(one, merging))
    for one in others:
        one.fields = frozenset(path for path in one.fields if path in there or _is_holder(path, there))
    return made


def update(live: Stored | None, data: dict[str, Any], manager: str, merging: Merging, complete: Complete) -> Stored:
    """Return what a write other than an apply makes: what it changes is its own from then on."""
    whole = complete(copy.deepcopy(data))
    made = Stored(whole, copy.deepcopy(live.entries) if live else [])
    written, removed = compared(live.data if live else {}, whole, merging)
    before = dict(leaves(live.data, merging)) if live else {}
    for one in made.entries:
        held = frozenset(path for path in one.fields - before.keys() if _is_holder(path, written))
        one.fields -= written | removed | held
    filled = frozenset(
        path
        for path, value in leaves(whole, merging)
        if path in written and (value not in ({}, []) or path in before or path[-1:] == ("f:securityContext",))
    )
    if filled and (live is None or live.is_managed):
        made.entry(manager, "Update").fields |= filled - {()}
    return made


def _is_holder(path: Path, there: Fields) -> bool:
    return any(one[: len(path)] == path for one in there)


def _named(one: Entry, version: str) -> str:
    return f'"{one.manager}"' if one.operation == "Apply" else f'"{one.manager}" using {version}'


def nested(fields: Fields) -> dict[str, Any]:
    made: dict[str, Any] = {}
    for path in sorted(fields):
        place = made
        for step in path:
            place = place.setdefault(step, {})
        if path[-1].startswith("k:"):
            place.setdefault(".", {})
    return made
