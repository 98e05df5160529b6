from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from tests.advisories import concerns, pinned, told


def written(folder: Path, name: str, package: str, **more: Any) -> None:
    data = {"id": name, "affected": [{"package": {"name": package, "ecosystem": "PyPI"}, **more}]}
    (folder / f"{name}.yaml").write_text(json.dumps(data))


def ranged(*events: dict[str, str]) -> list[dict[str, Any]]:
    return [{"type": "ECOSYSTEM", "events": list(events)}]


@pytest.mark.parametrize(
    ("version", "one", "is_concerned"),
    [
        ("6.3.1", {"ranges": ranged({"introduced": "0"}, {"fixed": "6.3.2"})}, True),
        ("6.3.2", {"ranges": ranged({"introduced": "0"}, {"fixed": "6.3.2"})}, False),
        ("6.10", {"ranges": ranged({"introduced": "6.9"})}, True),
        ("2.0", {"ranges": ranged({"introduced": "1"}, {"last_affected": "2.0"})}, True),
        ("2.1", {"ranges": ranged({"introduced": "1"}, {"last_affected": "2.0"})}, False),
        ("3.1", {"ranges": ranged({"introduced": "1"}, {"fixed": "2"}, {"introduced": "3"}, {"fixed": "4"})}, True),
        ("1.2b1", {"versions": ["1.2b1"]}, True),
    ],
)
def test_a_version_is_looked_up_in_lists_and_ranges(version: str, one: dict[str, Any], is_concerned: bool) -> None:
    assert concerns(version, one) is is_concerned


def test_what_the_folder_does_not_know_is_counted(tmp_path: Path) -> None:
    written(tmp_path, "PYSEC-1", "Tornado", ranges=ranged({"introduced": "0"}, {"fixed": "6.5"}))
    written(tmp_path, "PYSEC-2", "other", ranges=ranged({"introduced": "0"}))
    pins = pinned("tornado==6.4\nzict==3.0.0 ; python_version > '3'\n# jinja2==1\n")
    lines, summary = told(pins, tmp_path)
    assert lines == ["tornado 6.4: PYSEC-1"]
    assert "1 advisories about 1 of 2 packages" in summary
    assert "nothing about the other 1" in summary
