"""A proof does not rest on objects that would be refused, nor on references to what is not there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import tenancykit as tk
from tenancykit.cli import main


@pytest.fixture(scope="module")
def exported(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("proof") / "out"
    tk.export(tk.compare(tk.load_scenario("ml-platform")), folder)
    return folder


def files(folder: Path, name: str) -> list[Path]:
    return sorted((folder / "clusters").rglob(name))


def prove(folder: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, str]:
    code = main(["prove", "ml-platform", str(folder)])
    return code, capsys.readouterr().out


@pytest.mark.parametrize(
    ("file", "pattern", "instead"),
    [
        ("workloads.yaml", r"replicas: ", "replicaz: "),
        ("workloads.yaml", r"cpu: \S+", "cpu: banana"),
        ("network.yaml", r"podSelector:", "podSelektor:"),
        ("quota.yaml", r"requests.cpu: \S+", "requests.cpu: many"),
    ],
)
def test_an_object_that_would_be_refused_is_not_proven(
    exported: Path, capsys: pytest.CaptureFixture[str], file: str, pattern: str, instead: str
) -> None:
    found = next(path for path in files(exported, file) if re.search(pattern, path.read_text(encoding="utf-8")))
    whole = found.read_text(encoding="utf-8")
    try:
        found.write_text(re.sub(pattern, instead, whole, count=1), encoding="utf-8")
        line = whole[: re.search(pattern, whole).start()].count("\n") + 1  # type: ignore[union-attr]
        code, told = prove(exported, capsys)
    finally:
        found.write_text(whole, encoding="utf-8")
    assert (code, "not proven" in told.splitlines()[0]) == (1, True)
    assert f"{found}:{line}" in told


def test_a_reference_to_what_no_cluster_has_leaves_the_proof_undecided(
    exported: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    found = next(path for path in files(exported, "workloads.yaml") if "containers:" in path.read_text("utf-8"))
    whole = found.read_text(encoding="utf-8")
    try:
        bare = re.sub(r"\n +runtimeClassName: \S+", "", whole)
        changed = re.sub(r"\n( +)containers:", r"\n\1runtimeClassName: gone\n\1containers:", bare, count=1)
        found.write_text(changed, encoding="utf-8")
        code, told = prove(exported, capsys)
    finally:
        found.write_text(whole, encoding="utf-8")
    assert code == 1
    assert "RuntimeClass gone is not in the export" in told
