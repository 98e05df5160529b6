"""Law 8: names come from resolved parts; near-twins are one family; no provider is the headline."""

from __future__ import annotations

import re

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import tenancykit as tk
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.design.families import differences, families, family_of
from tenancykit.design.model import ResolvedDesign
from tenancykit.design.validity import reference_design, resolve
from tenancykit.examples import EXAMPLES
from tenancykit.report.apart import names_apart
from tenancykit.report.calling import names_beside
from tenancykit.report.opening_buys import other_families
from tenancykit.report.reasons import why_first
from tests.studies import study

CATALOGUE = load_catalogue()
PROVIDERS = re.compile(
    r"\b(aws|amazon|eks|azure|aks|gcp|google|gke|nvidia|oracle|oci|coreweave|nebius|saas)\b", re.IGNORECASE
)


def references(example: str) -> list[ResolvedDesign]:
    scenario = tk.load_scenario(example)
    every = [reference_design(each, scenario, CATALOGUE) for each in CATALOGUE.references.values()]
    return [resolve(design, scenario, CATALOGUE) for design in every]


@pytest.mark.parametrize("example", EXAMPLES)
def test_no_name_speaks_of_a_provider(example: str) -> None:
    for resolved in references(example):
        assert resolved.short
        assert not PROVIDERS.search(resolved.short), resolved.short
        assert not PROVIDERS.search(resolved.long), resolved.long


def test_the_published_pattern_is_told_apart_from_the_name() -> None:
    (pool,) = [one for one in references("ml-platform") if one.id == "RA06"]
    assert pool.name == "namespaces on one shared cluster"
    assert pool.published == "SaaS pool, silo and bridge on EKS"


def test_classes_that_differ_are_named() -> None:
    (pool,) = [one for one in references("saas-inference") if one.id == "RA06"]
    assert "own GPU nodes per customer for premium" in pool.short
    assert "regulated: a managed cluster per customer" in pool.short


def test_the_pool_of_the_only_class_makes_no_other_family() -> None:
    for example, same in (("ml-platform", True), ("saas-inference", False)):
        scenario = tk.load_scenario(example)
        choice = next(one for one in references(example) if one.id == "RA01").classes[0].choice.options
        pooled = ["node_pool_class" if option == "node_shared" else option for option in choice]
        shared, pool = (resolve(tk.own_design("a", "", own, scenario), scenario, CATALOGUE) for own in (choice, pooled))
        assert (family_of(shared) == family_of(pool)) is same, example


def test_a_title_its_owner_gave_stays() -> None:
    scenario = tk.load_scenario("ml-platform")
    (base,) = [one for one in references("ml-platform") if one.id == "RA01"]
    own = tk.own_design("mine", "The house design", base.classes[0].choice.options, scenario)
    assert resolve(own, scenario, CATALOGUE).name == "The house design"


ADDONS = ["obs_logs_per_tenant", "pol_kyverno", "pol_gatekeeper", "sch_kueue", "sch_volcano", "id_argocd_projects"]
STRUCTURE = [
    "node_dedicated_tenant",
    "rt_gvisor",
    "net_kube_ovn",
    "cp_vcluster_shared",
    "st_dedicated",
    "net_mesh_linkerd",
]


@settings(max_examples=25, deadline=None)
@given(addons=st.sets(st.sampled_from(ADDONS), max_size=3), part=st.sampled_from(STRUCTURE))
def test_what_is_built_on_top_makes_no_other_family_and_what_keeps_tenants_apart_does(
    addons: set[str], part: str
) -> None:
    scenario = tk.load_scenario("ml-platform")
    added = "".join(f" +{addon}" for addon in sorted(addons))
    base, twin, other = (
        resolve(tk.variant(text, scenario), scenario, CATALOGUE)
        for text in ("RA01", f"RA01{added}", f"RA01{added} +{part}")
    )
    assert family_of(twin) == family_of(base)
    assert twin.short == base.short
    assert family_of(other) != family_of(base)
    assert other.short != base.short or "mesh" in part or "ovn" in part


def test_families_keep_the_order_given_and_say_what_differs() -> None:
    every = {one.id: one for one in references("ml-platform")}
    found = families([every["RA06"], every["RA01"], every["RA10"]])
    assert found == (("RA06", "RA01"), ("RA10",))
    assert "priority" in differences(every["RA06"], every["RA01"])


@pytest.mark.parametrize("example", EXAMPLES)
def test_designs_of_one_name_are_told_apart_by_what_they_choose_not_by_whose_pattern_they_are(example: str) -> None:
    found = study(example)
    called = names_apart(found.order)
    assert len({*called.values()}) == len(called)
    for design, name in called.items():
        assert not PROVIDERS.search(name), name
        if "(with" in name:
            assert name.split(" (with")[0] in (found[design].resolved.long, found[design].name)


@pytest.mark.parametrize("example", EXAMPLES)
def test_the_reason_of_a_first_place_is_told_beside_a_design_that_is_no_twin_of_it(example: str) -> None:
    found = study(example)
    others = other_families(found, found.best)
    told = why_first(found)
    assert not others or f"more than {names_beside(found, [others[0].id])[others[0].id]}" in told
