"""Architectures for cards of other makers: completed on a platform that has them, exported, valid and proven."""

from __future__ import annotations

from pathlib import Path

import pytest

from tenancykit.api import validate
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.design.validity import reference_design, resolve
from tenancykit.manifests import export
from tenancykit.scenario.model import Scenario
from tenancykit.study.completion import completed
from tenancykit.study.proof import prove
from tests.manifests.conftest import scenario_data

CATALOGUE = load_catalogue()


def teams_on(provider: str, machine: str, kubernetes: str = "1.37") -> Scenario:
    """Return two research teams on one kind of machine."""
    data = scenario_data(kubernetes=kubernetes)
    data["infrastructure"] |= {"sites": [{"id": "a", "provider": provider}], "nodes": [{"type": machine}]}
    data["tenants"] = {"classes": data["tenants"]["classes"][:1]}
    data["infrastructure"]["fabric"] = "none"
    for workload in data["workloads"]:
        workload.pop("rdma", None)
    return Scenario.model_validate(data)


@pytest.mark.parametrize(
    ("reference", "provider", "machine"),
    [
        ("RA17", "aws", "aws_p5_48xlarge"),
        ("RA17", "oci", "oci_gb300_4"),
        ("RA19", "oci", "oci_mi300x_8"),
        ("RA20", "gcp", "gcp_tpu_v6e_8"),
    ],
)
def test_it_fits_there_and_what_it_exports_is_valid_and_proven(
    reference: str, provider: str, machine: str, tmp_path: Path
) -> None:
    scenario = teams_on(provider, machine)
    (design,) = completed([reference_design(CATALOGUE.references[reference], scenario, CATALOGUE)], scenario, CATALOGUE)
    resolved = resolve(design, scenario, CATALOGUE)
    assert resolved.violations == ()
    export(resolved, scenario, CATALOGUE, tmp_path / "out")
    assert validate(tmp_path / "out", kubernetes=scenario.kubernetes).exit_code == 0
    proof = prove(resolved, scenario, CATALOGUE, tmp_path / "out")
    assert proof.verdict == "proven", [(c.claim, c.reasons) for c in proof.broken] + list(proof.faults)
