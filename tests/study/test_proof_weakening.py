"""No weakened export is ever called proven; every untouched one is, given what its options list."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from tenancykit.design.model import ResolvedDesign
from tenancykit.examples import EXAMPLES
from tenancykit.manifests import export
from tenancykit.study.proof import prove
from tests.studies import candidates, sampled, study
from tests.study.platforms import catalogue, exported, small
from tests.study.weakenings import WEAKENINGS, Tree, Weakening

REFERENCES = tuple(catalogue().references)
SAMPLE = (("ml-platform", "RA08"), ("ml-platform", "RA03"), ("saas-inference", "RA02"), ("ml-platform", "RA07"))
"""Between them every admission engine; each weakening is tried on one of them that has what it weakens."""


def cluster(root: Path) -> Path:
    """Return the cluster of an export with the most tenants."""
    return max((p for p in (root / "clusters").iterdir() if p.is_dir()), key=lambda p: len(list(p.glob("tenants/*"))))


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> dict[tuple[str, str], tuple[Path, ResolvedDesign]]:
    found = {}
    for example, identifier in SAMPLE:
        folder = tmp_path_factory.mktemp(identifier) / "out"
        found[example, identifier] = (folder, exported(identifier, small(example), folder))
    return found


def weakened(case: Weakening, folder: Path, copy: Path) -> bool:
    shutil.copytree(folder, copy)
    tree = Tree(cluster(copy))
    if not case.apply(tree):
        return False
    tree.write()
    return True


def test_there_are_at_least_sixty_kinds_of_weakening() -> None:
    assert len({case.title for case in WEAKENINGS}) == len(WEAKENINGS) >= 60


@pytest.mark.parametrize("case", WEAKENINGS[::5], ids=lambda case: case.title)
def test_a_weakened_export_is_never_proven(
    case: Weakening, sample: dict[tuple[str, str], tuple[Path, ResolvedDesign]], tmp_path: Path
) -> None:
    start = WEAKENINGS.index(case)
    for number in range(len(SAMPLE)):
        key = SAMPLE[(start + number) % len(SAMPLE)]
        folder, design = sample[key]
        if weakened(case, folder, tmp_path / f"out{number}"):
            proof = prove(design, small(key[0]), catalogue(), tmp_path / f"out{number}")
            assert proof.verdict != "proven"
            assert proof.broken or proof.doubts or proof.faults
            return
    pytest.skip("no design of the sample has anything to weaken so")


@pytest.mark.whole
@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("identifier", REFERENCES)
def test_no_weakening_of_any_export_is_proven(example: str, identifier: str, tmp_path: Path) -> None:
    design = exported(identifier, small(example), tmp_path / "out")
    untouched = prove(design, small(example), catalogue(), tmp_path / "out")
    assert untouched.verdict == "proven"
    assert untouched.given
    for number, case in enumerate(WEAKENINGS):
        if weakened(case, tmp_path / "out", tmp_path / f"weak{number}"):
            proof = prove(design, small(example), catalogue(), tmp_path / f"weak{number}")
            assert proof.verdict != "proven", case.title
        shutil.rmtree(tmp_path / f"weak{number}")


def test_an_untouched_export_is_proven_given_what_its_options_list(
    sample: dict[tuple[str, str], tuple[Path, ResolvedDesign]],
) -> None:
    for (example, _), (folder, design) in sample.items():
        proof = prove(design, small(example), catalogue(), folder)
        assert proof.verdict == "proven"
        assert any("made ready by hand" in text for text in proof.given)
        assert not proof.doubts


@pytest.mark.parametrize(
    "case",
    sampled(
        [(example, name) for example in EXAMPLES for name in candidates(example)],
        [("saas-inference", "HY1"), ("regulated-hybrid", "RA05")],
    ),
)
def test_what_a_comparison_recommends_is_proven_as_exported(case: tuple[str, str], tmp_path: Path) -> None:
    """Completed and composed designs of whole examples, not references cut down to a few tenants."""
    example, identifier = case
    found = study(example)
    design = found[identifier]
    export(design.resolved, found.scenario, found.catalogue, tmp_path / "out")
    proof = prove(design, found.scenario, found.catalogue, tmp_path / "out")
    assert (proof.verdict, proof.doubts, proof.broken) == ("proven", (), ())
    assert proof.given


def test_rewriting_files_without_changing_an_object_changes_nothing(
    sample: dict[tuple[str, str], tuple[Path, ResolvedDesign]], tmp_path: Path
) -> None:
    folder, design = sample["ml-platform", "RA08"]
    shutil.copytree(folder, tmp_path / "out")
    Tree(cluster(tmp_path / "out")).write()
    (tmp_path / "out" / ".tenancykit.json").unlink()
    assert prove(design, small("ml-platform"), catalogue(), tmp_path / "out").verdict == "proven"
