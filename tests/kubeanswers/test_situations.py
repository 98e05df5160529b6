"""Situations of Kubernetes' own validation rules, each accepted or refused by an API server of 1.36.

A file holds groups: an object that is accepted, then changes to it (path: value; ``~gone`` takes the field away).
Paths are separated by slashes. Who wrote them read the rules of the API server and its release notes.
"""

from __future__ import annotations

import copy
import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubeanswers.validation.schema import validate_object

FOLDER = Path(__file__).with_name("situations")


def changed(start: dict[str, Any], changes: dict[str, Any]) -> dict[str, Any]:
    result = copy.deepcopy(start)
    for path, value in changes.items():
        *parents, last = path.split("/")
        current: Any = result
        for part in parents:
            current = current[int(part)] if isinstance(current, list) else current.setdefault(part, {})
        if value == "~gone":
            del current[int(last) if isinstance(current, list) else last]
        elif isinstance(current, list) and int(last) == len(current):
            current.append(value)
        else:
            current[int(last) if isinstance(current, list) else last] = value
    return result


def situations() -> Iterator[tuple[str, dict[str, Any], bool]]:
    for file in sorted(FOLDER.glob("*.yaml")):
        for group in yaml.safe_load(file.read_text(encoding="utf-8")):
            start = group["object"]
            name = f"{file.stem}:{start['kind']}"
            yield f"{name}:as it stands", start, True
            for answer in ("accepted", "refused"):
                for changes in group.get(answer, []):
                    yield f"{name}:{json.dumps(changes)[:120]}", changed(start, changes), answer == "accepted"


ALL = list(situations())


@pytest.mark.parametrize(("value", "accepted"), [pair[1:] for pair in ALL], ids=[pair[0] for pair in ALL])
def test_an_object_is_accepted_or_refused_as_by_an_api_server(value: dict[str, Any], accepted: bool) -> None:
    assert (validate_object(value) == []) is accepted, validate_object(value)


def test_the_situations_are_many_and_of_both_kinds() -> None:
    assert len(ALL) > 600
    assert 0.3 < sum(accepted for _, _, accepted in ALL) / len(ALL) < 0.7
