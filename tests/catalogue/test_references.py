"""The published reference architectures can be built, and each is valid where its publisher says it fits."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
import yaml

from tenancykit.catalogue.class_facts import is_class_fact
from tenancykit.catalogue.model import Reference, Tier
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.design.model import choose
from tenancykit.design.validity import reference_design, resolve
from tenancykit.scenario.model import Scenario
from tests.catalogue.scenarios import (
    BASIC,
    CLOUD_CUSTOMER,
    CUSTOMER,
    OWN_HOSTS,
    PREMIUM,
    RDMA,
    REGULATED,
    TEAM,
    UNTRUSTED,
    scenario,
    tenant_class,
)

CATALOGUE = load_catalogue()
REFERENCES = tuple(CATALOGUE.references.values())
TIERS = [(reference, tier) for reference in REFERENCES for tier in reference.tiers]

ENVIRONMENTS = scenario(tenant_class(id="prod"), tenant_class(id="dev", environment="development"))
SERVICE_TIERS = scenario(BASIC, PREMIUM, REGULATED)


def gpu_cloud(fabric: str, **infrastructure: Any) -> Scenario:
    """Customers with clusters of their own on physical hosts, asking for RDMA where there is a fabric."""
    return scenario(CLOUD_CUSTOMER, workload=RDMA, fabric=fabric, **{**OWN_HOSTS, **infrastructure})


RENTED = {"provider": "coreweave", "control_plane": "managed"}
PLAUSIBLE: dict[str, dict[str, Scenario]] = {
    "RA01": {"all": scenario(TEAM)},
    "RA02": {"all": scenario(TEAM)},
    "RA03": {"all": scenario(TEAM, workload=RDMA, fabric="infiniband", **OWN_HOSTS)},
    "RA04": {"all": scenario(TEAM)},
    "RA05": {"production development": ENVIRONMENTS},
    "RA06": {"pool-basic silo-namespace-premium silo-cluster-regulated": SERVICE_TIERS},
    "RA07": {"fully-multitenant vertically-partitioned automated-single-tenant": SERVICE_TIERS},
    "RA08": {"all": scenario(CUSTOMER, workload=UNTRUSTED)},
    "RA09": {
        "all": scenario(CUSTOMER, workload=UNTRUSTED),
        "all-infiniband": gpu_cloud("infiniband"),
        "all-roce": gpu_cloud("roce"),
    },
    "RA10": {
        "managed": scenario(REGULATED),
        "managed-fixed-fleet": scenario(REGULATED, mode="fixed"),
        "self-managed": scenario(REGULATED, **OWN_HOSTS),
        "self-managed-infiniband": gpu_cloud("infiniband"),
        "self-managed-roce": gpu_cloud("roce"),
    },
    "RA11": {
        "rented-infiniband": gpu_cloud("infiniband", **RENTED),
        "rented-roce": gpu_cloud("roce", **RENTED),
        "rented-ethernet": gpu_cloud("none", **RENTED),
        "operated-infiniband": gpu_cloud("infiniband"),
        "operated-roce": gpu_cloud("roce"),
        "operated-ethernet": gpu_cloud("none"),
    },
    "RA12": {fabric: gpu_cloud(fabric.replace("ethernet", "none")) for fabric in ("infiniband", "roce", "ethernet")},
    "RA13": {fabric: gpu_cloud(fabric.replace("ethernet", "none")) for fabric in ("infiniband", "roce", "ethernet")},
    "RA14": {"all": scenario(REGULATED, workload=UNTRUSTED, **OWN_HOSTS)},
    "RA15": {"all": scenario(TEAM, **OWN_HOSTS)},
    "RA17": {"all": scenario(TEAM)},
    "RA18": {fabric: gpu_cloud(fabric.replace("ethernet", "none")) for fabric in ("infiniband", "roce", "ethernet")},
    "RA19": {"all": scenario(TEAM, gpu_models=("MI300X-192GB",), **OWN_HOSTS)},
    "RA20": {"all": scenario(TEAM, gpu_models=("TPU-v6e-32GB",), provider="gcp")},
    "RA16": {
        "all": scenario(CUSTOMER, workload=UNTRUSTED),
        "all-infiniband": gpu_cloud("infiniband"),
        "all-roce": gpu_cloud("roce"),
    },
}
CASES = [(reference, tiers, case) for reference, cases in PLAUSIBLE.items() for tiers, case in cases.items()]


def test_published_architectures_are_numbered_without_a_gap() -> None:
    assert sorted(CATALOGUE.references) == [f"RA{number:02d}" for number in range(1, len(REFERENCES) + 1)]
    assert len(REFERENCES) >= 20


def _published(shared: Path) -> dict[str, dict[str, Any]]:
    text = (shared / "facts" / "reference_architectures.md").read_text("utf-8")
    block = re.search(r"```yaml\n(.*?)```", text, re.DOTALL)
    assert block is not None
    return {entry["id"]: entry for entry in yaml.safe_load(block[1])["reference_architectures"]}


def test_what_was_published_is_chosen_and_what_was_not_is_marked_as_completion(shared: Path) -> None:
    for identifier, entry in _published(shared).items():
        reference = CATALOGUE.references[identifier]
        if "options" not in entry:
            continue
        tier = reference.tiers[0]
        swapped = {o for olds, news in reference.alternatives.items() if olds not in tier.options for o in news}
        missing = set(entry["options"]) - set(tier.options) - set(reference.alternatives)
        assert not missing, identifier
        added = set(tier.options) - set(entry["options"]) - swapped
        assert added <= set(tier.completion), identifier
        assert set(entry.get("completion", [])) - set(reference.alternatives) <= set(tier.completion), identifier


def test_hybrids_keep_the_published_options_of_every_tier(shared: Path) -> None:
    for identifier, entry in _published(shared).items():
        published = entry.get("tiers", {})
        tiers = {tier.id.replace("-", "_"): tier for tier in CATALOGUE.references[identifier].tiers}
        names = {"dev": "development"}
        for name, stated in published.items():
            tier = tiers[names.get(name, name)]
            everything = {*stated["options"], *entry.get("shared", [])}
            assert everything <= set(tier.options), (identifier, name)
            assert set(tier.options) - everything <= set(tier.completion), (identifier, name)


@pytest.mark.parametrize(("reference", "tier"), TIERS, ids=lambda value: value.id)
def test_every_tier_is_complete(reference: Reference, tier: Tier) -> None:
    choice = choose(CATALOGUE, tier.options, completion=tier.completion, tier=tier.id)
    assert set(choice.options) == set(tier.options)
    assert set(choice.completion) == set(tier.completion)
    assert reference.source.startswith("https://")


@pytest.mark.parametrize(("reference", "tier"), TIERS, ids=lambda value: value.id)
def test_tiers_are_picked_by_facts_of_the_class_alone(reference: Reference, tier: Tier) -> None:
    assert all(map(is_class_fact, tier.when.atoms()))
    if tier is reference.tiers[-1] and len(reference.tiers) > 1 and reference.id != "RA05":
        assert str(tier.when) == "always"


@pytest.mark.parametrize(("reference", "tiers", "case"), CASES, ids=[f"{r}-{t.split()[0]}" for r, t, _ in CASES])
def test_each_architecture_is_valid_where_it_is_published_to_fit(reference: str, tiers: str, case: Scenario) -> None:
    design = reference_design(CATALOGUE.references[reference], case, CATALOGUE)
    assert [choice.tier for choice in design.choices.values()] == tiers.split()
    assert resolve(design, case, CATALOGUE).violations == ()
    assert design.is_hybrid == (len(tiers.split()) > 1)


def test_every_tier_has_such_a_case() -> None:
    tested = {(reference, tier) for reference, tiers, _ in CASES for tier in tiers.split()}
    assert tested == {(reference.id, tier.id) for reference, tier in TIERS}


@pytest.mark.parametrize("reference", REFERENCES, ids=lambda reference: reference.id)
def test_alternatives_replace_an_option_of_some_tier_in_the_same_layer_or_dimension(reference: Reference) -> None:
    chosen = {option for tier in reference.tiers for option in tier.options}
    for replaced, replacements in reference.alternatives.items():
        assert replaced in chosen
        for replacement in replacements:
            assert CATALOGUE.options[replacement].dimension == CATALOGUE.options[replaced].dimension


@pytest.mark.parametrize(
    ("reference", "case", "reason"),
    [
        ("RA01", scenario(CLOUD_CUSTOMER), "cluster-wide rights"),
        ("RA04", scenario(tenant_class(trust="untrusted")), "no security boundary"),
        ("RA06", scenario(CUSTOMER, workload=UNTRUSTED), "code nobody vouches for"),
        ("RA11", scenario(CLOUD_CUSTOMER), "whole physical hosts"),
        ("RA14", scenario(REGULATED), "SEV-SNP or TDX"),
        ("RA17", scenario(CLOUD_CUSTOMER), "cluster-wide rights"),
        ("RA18", scenario(CLOUD_CUSTOMER), "whole physical hosts"),
        ("RA19", scenario(TEAM), "needs MI300X/MI350X/MI355X, on offer H100-80GB"),
        ("RA20", scenario(TEAM), "TPUs only at Google"),
        ("RA20", scenario(TEAM, provider="gcp"), "needs TPU-v6e/TPU7x, on offer H100-80GB"),
        ("RA15", scenario(TEAM), "needs an IOMMU"),
    ],
)
def test_each_architecture_is_refused_where_it_does_not_fit(reference: str, case: Scenario, reason: str) -> None:
    design = reference_design(CATALOGUE.references[reference], case, CATALOGUE)
    assert any(reason in str(violation) for violation in resolve(design, case, CATALOGUE).violations)


def test_confidential_tenancy_needs_gpus_that_can_be_confidential() -> None:
    reference = CATALOGUE.references["RA14"]
    mixed = scenario(REGULATED, gpu_models=("A100-80GB", "H200-141GB"), **OWN_HOSTS)
    resolved = resolve(reference_design(reference, mixed, CATALOGUE), mixed, CATALOGUE)
    assert resolved.of_class("regulated").gpu_models == ("H200-141GB",)
    old = scenario(REGULATED, gpu_models=("A100-80GB",), **OWN_HOSTS)
    violations = resolve(reference_design(reference, old, CATALOGUE), old, CATALOGUE).violations
    assert any("no GPU model on offer will do" in str(violation) for violation in violations)
