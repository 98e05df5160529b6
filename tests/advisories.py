"""Looks pinned versions up in a folder of advisories: python -m tests.advisories constraints.txt FOLDER.

The folder holds a YAML or JSON file for each advisory, in OSV's format, as github.com/pypa/advisory-database does.
What the folder does not know is counted and said: it says nothing about that.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Final

import yaml
from packaging.utils import canonicalize_name
from packaging.version import InvalidVersion, Version

_PIN: Final = re.compile(r"(?m)^([A-Za-z0-9._-]+)(?:\[[^\]]*\])?==([^\s;]+)")


def pinned(text: str) -> dict[str, str]:
    """Return the version of each package that a file of constraints pins."""
    return {canonicalize_name(found[1]): found[2] for found in _PIN.finditer(text)}


def affected(folder: Path) -> Iterator[tuple[str, str, Mapping[str, Any]]]:
    """Yield advisory, package and what is affected, for all that are not withdrawn."""
    for file in sorted(one for one in folder.rglob("*") if one.suffix in (".yaml", ".json")):
        data = yaml.load(file.read_text(encoding="utf-8"), Loader=yaml.CSafeLoader)
        if isinstance(data, Mapping) and not data.get("withdrawn"):
            for one in data.get("affected") or ():
                yield data["id"], canonicalize_name(one["package"]["name"]), one


def concerns(version: str, one: Mapping[str, Any]) -> bool:
    """Return whether a version is among those an advisory lists, or in one of its ranges."""
    if version in map(str, one.get("versions") or ()):
        return True
    ranges = [part for part in one.get("ranges") or () if part.get("type") == "ECOSYSTEM"]
    return any(_is_inside(Version(version), part["events"]) for part in ranges)


def _is_inside(version: Version, events: list[Mapping[str, Any]]) -> bool:
    inside = False
    for event in events:
        ((what, text),) = event.items()
        try:
            limit = Version(str(text))
        except InvalidVersion:
            continue
        if what == "introduced" and version >= limit:
            inside = True
        elif (what == "fixed" and version >= limit) or (what == "last_affected" and version > limit):
            inside = False
    return inside


def told(pins: Mapping[str, str], folder: Path) -> tuple[list[str], str]:
    """Return a line per advisory that concerns a pin, and what the folder knew."""
    known: set[str] = set()
    found, records = [], 0
    for name, package, one in affected(folder):
        if package in pins:
            known.add(package)
            records += 1
            if concerns(pins[package], one):
                found.append(f"{package} {pins[package]}: {name}")
    lines = sorted(set(found))
    said = f"audit: {records:,} advisories about {len(known)} of {len(pins)} packages in {folder}"
    left = f"says nothing about the other {len(pins) - len(known)}, nor of what was published after it"
    return lines, f"{said}; {len(lines)} concern the pinned versions; it {left}"


if __name__ == "__main__":
    lines, summary = told(pinned(Path(sys.argv[1]).read_text(encoding="utf-8")), Path(sys.argv[2]))
    print("\n".join([*lines, summary]))  # noqa: T201 - a tool of ours
    sys.exit(1 if lines else 0)
