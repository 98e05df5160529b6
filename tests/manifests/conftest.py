from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import pytest
import yaml

from tenancykit.catalogue.reading import Catalogue, load_catalogue
from tenancykit.design.model import Design, ResolvedDesign, choose
from tenancykit.design.validity import reference_design, resolve
from tenancykit.scenario.model import Scenario

LOADER: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
NOT_APPLIED = ("helm", "api-server", "flux")
BASE = (
    "node_shared",
    "rt_runc",
    "net_np_default_deny",
    "st_shared_sc",
    "gpu_exclusive",
    "sch_quota",
    "pol_psa",
    "pol_vap",
    "id_oidc_rbac",
)


def scenario_data(**changes: Any) -> dict[str, Any]:
    data: dict[str, Any] = {
        "schema": "tenancykit/scenario/v1",
        "name": "small",
        "kubernetes": "1.37",
        "tenants": {
            "classes": [
                {
                    "id": "research",
                    "kind": "team",
                    "count": 2,
                    "egress_gib_month": 1,
                    "workloads": [{"template": "train"}, {"template": "chat"}, {"template": "lab"}],
                },
                {
                    "id": "gold-tier",
                    "kind": "customer",
                    "count": 2,
                    "compliance": ["hipaa"],
                    "service_tier": "premium",
                    "workloads": [{"template": "chat"}, {"template": "train", "replicas": 2}],
                },
            ],
            "named": [{"name": "../x", "class": "research"}, {"name": "<script>", "class": "gold-tier"}],
        },
        "workloads": [
            {
                "id": "train",
                "kind": "training",
                "replicas": 4,
                "gang": 4,
                "cpu": "4",
                "memory": "16Gi",
                "gpu": {"count": 1},
                "priority": 100,
                "storage": {"size": "100Gi", "shared": True},
                "rdma": True,
            },
            {
                "id": "chat",
                "kind": "inference",
                "replicas": 2,
                "cpu": "2",
                "memory": "8Gi",
                "gpu": {"fraction": 0.25, "memory": "8Gi"},
                "exposure": {"scope": "public", "port": 8000},
                "priority": 1000,
                "image": "ghcr.io/example/chat:1",
            },
            {
                "id": "lab",
                "kind": "notebook",
                "cpu": "1",
                "memory": "4Gi",
                "storage": {"size": "20Gi"},
                "preemptible": True,
            },
        ],
        "infrastructure": {
            "sites": [{"id": "a", "provider": "aws", "region": "eu-central-1"}],
            "nodes": [{"type": "aws_p4d_24xlarge"}],
            "fabric": "infiniband",
        },
    }
    return {**data, **changes}


@pytest.fixture(scope="session")
def catalogue() -> Catalogue:
    return load_catalogue()


@pytest.fixture(scope="session")
def small() -> Scenario:
    return Scenario.model_validate(scenario_data())


@pytest.fixture(scope="session")
def reference(catalogue: Catalogue, small: Scenario) -> Callable[[str], ResolvedDesign]:
    def made(identifier: str, scenario: Scenario = small) -> ResolvedDesign:
        return resolve(reference_design(catalogue.references[identifier], scenario, catalogue), scenario, catalogue)

    return made


@pytest.fixture(scope="session")
def designed(catalogue: Catalogue, small: Scenario) -> Callable[..., ResolvedDesign]:
    """Return a design of the base options with some of them replaced, layer by layer, for every class."""

    def made(*options: str, scenario: Scenario = small) -> ResolvedDesign:
        chosen: dict[tuple[str, str], str] = {}
        for identifier in ("cp_namespace_rbac", *BASE, *options):
            option = catalogue.options[identifier]
            chosen[(option.dimension, option.layer)] = identifier
        choice = choose(catalogue, chosen.values())
        design = Design("EX", "example", {found.id: choice for found in scenario.tenants.classes})
        return resolve(design, scenario, catalogue)

    return made


def applied_files(tree: Path) -> list[Path]:
    """Return the YAML files of an export that kubectl applies."""
    files = [*tree.glob("clusters/**/*.yaml"), *tree.glob("classes/**/*.yaml")]
    return sorted(f for f in files if not set(NOT_APPLIED) & set(f.relative_to(tree).parts))


def read_objects(tree: Path, files: Sequence[Path] | None = None) -> Iterator[tuple[str, dict[str, Any]]]:
    """Yield the Kubernetes objects of an export with the file of each."""
    for file in files or applied_files(tree):
        if file.name == "kustomization.yaml":
            continue
        for document in yaml.load_all(file.read_text(encoding="utf-8"), LOADER):
            yield str(file.relative_to(tree)), document


@pytest.fixture(scope="session")
def objects_of() -> Callable[[Path], list[tuple[str, dict[str, Any]]]]:
    return lambda tree: list(read_objects(tree))


@pytest.fixture(scope="session")
def files_of() -> Callable[[Path], list[Path]]:
    return applied_files
