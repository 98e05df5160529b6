from __future__ import annotations

import itertools

import pytest

import tenancykit as tk
from tenancykit.catalogue.layers import LAYERS
from tenancykit.catalogue.model import DIMENSIONS
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.design.model import Choice
from tenancykit.design.space import space
from tenancykit.design.validity import resolve_class

NARROW = {
    "control_plane": ["cp_namespace_rbac", "cp_capsule", "cp_kamaji", "cp_managed_per_tenant"],
    "node_isolation": ["node_shared", "node_pool_class", "node_dedicated_tenant"],
    "runtime": ["rt_runc", "rt_gvisor", "rt_kata"],
    "network": ["net_flat", "net_np_default_deny"],
    "storage": ["st_shared_sc", "st_sc_quota"],
    "gpu_sharing": ["gpu_exclusive", "gpu_mig", "gpu_timeslice"],
    "scheduling_quota": ["sch_quota"],
    "policy_admission": ["pol_psa", "pol_vap"],
    "identity_gitops": ["id_oidc_rbac"],
    "observability_chargeback": [],
}


def brute_force(example: str, class_id: str) -> set[Choice]:
    catalogue = load_catalogue()
    scenario = tk.load_scenario(example)
    layers: list[list[str | None]] = []
    for dimension in DIMENSIONS:
        for layer, required in LAYERS[dimension].items():
            options: list[str | None] = [
                o.id for o in catalogue.in_dimension(dimension) if o.layer == layer and o.id in NARROW[dimension]
            ]
            layers.append(options if required else [*options, None])
    valid = set()
    for combination in itertools.product(*layers):
        chosen = tuple(o for o in combination if o)
        if not {"gpu_exclusive", "gpu_mig", "gpu_timeslice"} & set(chosen):
            continue
        _, broken = resolve_class(Choice(chosen), scenario.tenant_class(class_id), scenario, catalogue)
        if not broken:
            valid.add(Choice(chosen))
    return valid


@pytest.mark.parametrize(("example", "class_id"), [("ml-platform", "research"), ("gpu-cloud", "startups")])
def test_the_space_is_exactly_the_valid_combinations(example: str, class_id: str) -> None:
    scenario = tk.load_scenario(example)
    found = space(scenario.tenant_class(class_id), scenario, load_catalogue(), allowed=NARROW)  # type: ignore[arg-type]
    listed = list(found)
    assert len(listed) == len(set(listed)) == found.count
    assert set(listed) == brute_force(example, class_id)


def test_every_combination_is_valid_or_refused_by_a_named_constraint() -> None:
    scenario = tk.load_scenario("regulated-hybrid")
    for tenant_class in scenario.tenants.classes:
        found = space(tenant_class, scenario, load_catalogue())
        assert found.count + sum(found.refused.values()) == found.combinations
        assert found.count > 10**9
        assert all(":" in name or "GPU" in name for name, _ in found.reasons())


def test_wishes_narrow_the_space() -> None:
    scenario = tk.load_scenario("ml-platform")
    tenant_class = scenario.tenants.classes[0]
    wishes = tenant_class.requirements.model_copy(
        update={"require_options": ("sch_kueue",), "forbid_options": ("rt_runc",)}
    )
    narrowed = space(tenant_class.model_copy(update={"requirements": wishes}), scenario, load_catalogue())
    assert 0 < narrowed.count < space(tenant_class, scenario, load_catalogue()).count
    for choice in itertools.islice(narrowed, 50):
        assert "sch_kueue" in choice.options
        assert "rt_runc" not in choice.options
