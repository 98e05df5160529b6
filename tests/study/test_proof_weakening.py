"""No weakened export is ever called proven; every untouched one is, given what its options list."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenancykit.examples import EXAMPLES
from tenancykit.manifests.tree import export
from tenancykit.study.proof import prove
from tests.studies import candidates, sampled, study
from tests.study.platforms import catalogue
from tests.study.weakening import Export, most_tenants
from tests.study.weakening_tools import Tree, Weakening
from tests.study.weakenings import WEAKENINGS

REFERENCES = tuple(catalogue().references)
SAMPLE = (("ml-platform", "RA08"), ("ml-platform", "RA03"), ("saas-inference", "RA02"), ("ml-platform", "RA07"))
"""Between them every admission engine; each weakening is tried on one of them that has what it weakens."""


@pytest.fixture(scope="module")
def sample(tmp_path_factory: pytest.TempPathFactory) -> list[Export]:
    return [Export(example, name, tmp_path_factory.mktemp(name) / "out") for example, name in SAMPLE]


def test_there_are_at_least_sixty_kinds_of_weakening() -> None:
    assert len({case.title for case in WEAKENINGS}) == len(WEAKENINGS) >= 60


@pytest.mark.parametrize("case", WEAKENINGS[::8], ids=lambda case: case.title)
def test_a_weakened_export_is_never_proven(case: Weakening, sample: list[Export]) -> None:
    start = WEAKENINGS.index(case)
    for number in range(len(sample)):
        proof = sample[(start + number) % len(sample)].weakened(case)
        if proof:
            assert proof.verdict != "proven"
            assert proof.broken or proof.doubts or proof.faults
            return
    pytest.skip("no design of the sample has anything to weaken so")


@pytest.mark.whole
@pytest.mark.parametrize("example", EXAMPLES)
@pytest.mark.parametrize("identifier", REFERENCES)
def test_no_weakening_of_any_export_is_proven(example: str, identifier: str, tmp_path: Path) -> None:
    folder = Export(example, identifier, tmp_path / "out", reuse=True)
    untouched = folder.proof()
    assert untouched.verdict == "proven"
    assert untouched.given
    proven = [case.title for case in WEAKENINGS if (proof := folder.weakened(case)) and proof.verdict == "proven"]
    assert not proven


def test_what_is_worked_out_once_answers_as_if_it_were_worked_out_each_time(tmp_path: Path) -> None:
    once = Export("ml-platform", "RA03", tmp_path / "once", reuse=True)
    afresh = Export("ml-platform", "RA03", tmp_path / "afresh")
    for case in WEAKENINGS[::60]:
        told = [str(export.weakened(case)).replace(str(export.folder), "OUT") for export in (once, afresh)]
        assert told[0] == told[1], case.title
    assert once.proof().verdict == "proven"


def test_an_untouched_export_is_proven_given_what_its_options_list(sample: list[Export]) -> None:
    for case in sample:
        proof = case.proof()
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


def test_rewriting_files_without_changing_an_object_changes_nothing(tmp_path: Path) -> None:
    folder = Export("ml-platform", "RA08", tmp_path / "out")
    Tree(most_tenants(folder.folder)).write()
    (folder.folder / ".tenancykit.json").unlink()
    assert folder.proof().verdict == "proven"
