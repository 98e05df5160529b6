"""From requirement to object and back: every emitted object says why it is there, every requirement what carries it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
import yaml

from tenancykit.auditing.outputs import RULES
from tenancykit.catalogue.signs import load_claims
from tenancykit.manifests.trace import PROOFS, REQUIREMENTS
from tests.study.platforms import catalogue, exported, masked, reference, two_classes
from tests.study.test_proof import emitted

DESIGNS = ("RA01", "RA02", "RA03", "RA04", "RA07", "RA08", "RA09", "RA13", "RA14", "RA15")
BECAUSE = "tenancykit.dev/because"
REQUIREMENT = "tenancykit.dev/requirement"


@pytest.fixture(scope="module", params=DESIGNS)
def export(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp(request.param) / "out"
    exported(request.param, two_classes(), folder)
    return request.param, folder


def traced(folder: Path) -> dict[str, Any]:
    return dict(yaml.safe_load((folder / "trace.yaml").read_text(encoding="utf-8")))


def test_every_emitted_object_names_the_options_and_the_requirement_that_caused_it(export: tuple[str, Path]) -> None:
    identifier, folder = export
    chosen = {o for c in reference(identifier, two_classes()).classes for o in c.choice.options}
    objects = emitted(folder)
    assert len(objects) > 50
    for file, data in objects:
        annotations = data["metadata"]["annotations"]  # type: ignore[index]
        because = annotations[BECAUSE].split(",")
        assert because, file
        assert set(because) <= chosen, file
        assert annotations[REQUIREMENT] in REQUIREMENTS, file


def test_every_emitted_object_is_listed_under_its_requirement(export: tuple[str, Path]) -> None:
    _, folder = export
    listed = {
        (requirement, masked(file), kind)
        for requirements in traced(folder)["classes"].values()
        for requirement, entry in requirements.items()
        for file, kinds in entry["carriedBy"].items()
        for kind in kinds
    }
    places = {
        (requirement, place.replace("<tenant>", "TENANT").replace("t-TENANT", "TENANT"), kind)
        for requirement, place, kind in listed
    }
    for file, data in emitted(folder):
        relative = masked(file.relative_to(folder).as_posix())
        key = (data["metadata"]["annotations"][REQUIREMENT], relative, data["kind"])  # type: ignore[index]
        assert key in places, key


def test_every_requirement_says_who_asks_and_which_audit_proves_it(export: tuple[str, Path]) -> None:
    identifier, folder = export
    trace = traced(folder)
    assert trace["design"] == identifier
    proved = {name for claim in load_claims(catalogue()).values() for name in claim.requirements}
    for requirements in trace["classes"].values():
        assert requirements
        for name, entry in requirements.items():
            assert entry["askedBy"], name
            assert entry["carriedBy"], name
            assert entry["provedBy"] == PROOFS.get(name, "")
            if entry["provedBy"]:
                assert name in proved, f"{name} claims a proof that no check of the audit gives"


def test_every_check_of_the_audit_proves_a_requirement_by_findings_the_audit_knows() -> None:
    for claim in load_claims(catalogue()).values():
        assert set(claim.requirements) <= set(REQUIREMENTS), claim.id
        assert claim.rules, claim.id
        assert set(claim.rules) <= RULES.keys(), claim.id
        assert claim.check
    unproved = set(PROOFS) - {name for claim in load_claims(catalogue()).values() for name in claim.requirements}
    assert not unproved
