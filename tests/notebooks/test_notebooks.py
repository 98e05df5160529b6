"""What every notebook keeps to; that they run is tested by nbval (``make test``)."""

from __future__ import annotations

import ast
import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import tenancykit as tk
from tests.studies import sampled

NOTEBOOKS = Path(__file__).parents[2] / "notebooks"
ALL = sorted(
    p.relative_to(NOTEBOOKS).as_posix() for p in NOTEBOOKS.rglob("*.ipynb") if ".ipynb_checkpoints" not in p.parts
)
WRITING = [name for name in ALL if re.search(r"tk\.export|workshop\.submit|\.write", (NOTEBOOKS / name).read_text())]
MOST_LINES = 12
WIDEST = 130
"""Characters of code that a cell shows on a page 1280 pixels wide, the file browser folded away."""
TASKS = [name for name in ALL if name.startswith("workshop/") and "/solutions/" not in name and "d-group" not in name]


def cells(name: str, kind: str) -> list[dict[str, Any]]:
    data = json.loads((NOTEBOOKS / name).read_text(encoding="utf-8"))
    return [cell for cell in data["cells"] if cell["cell_type"] == kind]


def source(cell: dict[str, Any]) -> str:
    return "".join(cell["source"])


def test_the_path_is_complete() -> None:
    assert [name[:2] for name in ALL if "/" not in name] == ["01", "02", "03", "04", "05", "06", "07", "08", "09"]
    assert {f"workshop/solutions/{Path(name).name}" for name in TASKS} <= set(ALL)


@pytest.mark.parametrize("name", ALL)
def test_outputs_are_stripped_and_names_are_stable(name: str) -> None:
    data = json.loads((NOTEBOOKS / name).read_text(encoding="utf-8"))
    assert "widgets" not in data["metadata"]
    for cell in cells(name, "code"):
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
    ids = [cell["id"] for cell in data["cells"]]
    assert len(set(ids)) == len(ids)


@pytest.mark.parametrize("name", ALL)
def test_cells_are_short_and_hold_no_logic_of_their_own(name: str) -> None:
    for cell in cells(name, "code"):
        text = source(cell)
        assert len(text.splitlines()) <= MOST_LINES
        kinds = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
        found = [
            node for node in ast.walk(ast.parse(text)) if isinstance(node, kinds) and not isinstance(node, ast.Lambda)
        ]
        assert found == [], text


@pytest.mark.parametrize("name", ALL)
def test_only_the_public_face_is_used(name: str) -> None:
    for cell in cells(name, "code"):
        for node in ast.walk(ast.parse(source(cell))):
            if isinstance(node, ast.Import):
                assert all(a.name == "tenancykit" or not a.name.startswith("tenancykit") for a in node.names)
            if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("tenancykit"):
                assert (node.module, [a.name for a in node.names]) == ("tenancykit.studio", ["workshop"])
            if isinstance(node, ast.Attribute) and isinstance(node.value, ast.Name) and node.value.id == "tk":
                assert node.attr in tk.__all__, node.attr


@pytest.mark.parametrize("name", [name for name in ALL if name not in TASKS])
def test_a_notebook_opens_with_its_goal_and_ends_with_what_it_claims(name: str) -> None:
    assert source(cells(name, "markdown")[0]).startswith("# ")
    last = ast.parse(source(cells(name, "code")[-1]))
    assert any(isinstance(node, ast.Assert) for node in ast.walk(last))


@pytest.mark.parametrize("name", TASKS)
def test_an_exercise_gives_no_answer_away(name: str) -> None:
    for cell in cells(name, "code"):
        for node in ast.walk(ast.parse(source(cell))):
            if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Name):
                given = isinstance(node.value, ast.Constant) and node.value.value is ...
                assert given or not node.targets[0].id.startswith("answer_")


def test_the_workshop_takes_as_long_as_it_says() -> None:
    guide = (NOTEBOOKS / "workshop" / "README.md").read_text(encoding="utf-8")
    minutes = dict(re.findall(r"^\| (\w+) \| (\d+) \|", guide, re.MULTILINE))
    assert list(minutes) == ["Opening", "A", "B", "Break", "C", "D"]
    told = re.search(r"\((\d+) hours and (\d+) minutes with a break\)", guide)
    assert told is not None
    assert sum(map(int, minutes.values())) == int(told[1]) * 60 + int(told[2])
    for name in ALL:
        if name.startswith("workshop/") and "/solutions/" not in name:
            part = Path(name).name[0].upper()
            assert f"{minutes[part]} minutes" in source(cells(name, "markdown")[0]).replace("\n", " ")


@pytest.mark.parametrize("name", ALL)
def test_no_line_of_code_is_cut_off_on_a_projector(name: str) -> None:
    long = [line for cell in cells(name, "code") for line in source(cell).splitlines() if len(line) > WIDEST]
    assert long == []


@pytest.mark.parametrize("name", sampled(WRITING, WRITING[:2]))
def test_running_a_notebook_changes_no_file_beside_it(name: str, tmp_path: Path) -> None:
    pytest.importorskip("nbconvert")
    here = tmp_path / "notebooks"
    shutil.copytree(NOTEBOOKS, here, ignore=shutil.ignore_patterns(".ipynb_checkpoints", "group"))
    before = hashes(here)
    file = here / name
    command = [
        sys.executable,
        "-m",
        "nbconvert",
        "--to",
        "notebook",
        "--execute",
        "--stdout",
        "--log-level=ERROR",
        file.name,
    ]
    environment = {**os.environ, "PYTHONPATH": str(NOTEBOOKS.parent / "toolkit"), "TMPDIR": str(tmp_path)}
    done = subprocess.run(
        command, cwd=file.parent, env=environment, capture_output=True, text=True, timeout=240, check=False
    )
    assert done.returncode == 0, done.stderr[-2000:]
    assert hashes(here) == before


def hashes(folder: Path) -> dict[str, str]:
    return {
        p.relative_to(folder).as_posix(): hashlib.sha256(p.read_bytes()).hexdigest()
        for p in sorted(folder.rglob("*"))
        if p.is_file() and ".ipynb_checkpoints" not in p.parts
    }
