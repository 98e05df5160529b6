"""Compatibility rules refuse what their sources refuse, and nothing beside it."""

from __future__ import annotations

from typing import Any

import pytest

from tenancykit.catalogue.class_facts import is_class_fact
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.design.model import choose
from tenancykit.design.validity import resolve_class, rule_limit
from tenancykit.scenario.model import Scenario
from tests.catalogue.scenarios import CLOUD_CUSTOMER, CUSTOMER, OWN_HOSTS, RDMA, UNTRUSTED, scenario, tenant_class
from tests.catalogue.test_options import traits

CATALOGUE = load_catalogue()
SHARED_CLUSTER = (
    "cp_namespace_rbac node_shared rt_runc net_np_default_deny st_shared_sc gpu_exclusive sch_quota pol_psa pol_vap "
    "id_oidc_rbac"
)
OWN_CLUSTER = "cp_kamaji node_dedicated_tenant rt_runc net_np_default_deny st_shared_sc gpu_exclusive id_oidc_rbac"


def broken(options: str, case: Scenario, *, add: str = "", without: str = "") -> str:
    """Reasons against a choice; ``add`` takes the place of whatever was chosen in the same layer."""
    taken = {}
    for identifier in [*options.split(), *add.split()]:
        option = CATALOGUE.options[identifier]
        taken[option.dimension, option.layer] = identifier
    chosen = [identifier for identifier in taken.values() if identifier not in without.split()]
    _, reasons = resolve_class(choose(CATALOGUE, chosen), case.tenants.classes[0], case, CATALOGUE)
    return "\n".join(f"{one}; {one.behind}" for one in reasons)


FORBIDDEN = {
    "mig-not-in-gvisor": ("rt_gvisor", "gpu_mig"),
    "kata-no-time-slicing": ("rt_kata", "gpu_timeslice"),
    "kata-no-mps": ("rt_kata", "gpu_mps"),
    "kata-no-mig": ("rt_kata", "gpu_mig"),
    "kata-no-vgpu": ("rt_kata", "gpu_vgpu"),
    "kata-no-dra": ("rt_kata", "gpu_dra"),
    "coco-no-shared-nodes": ("rt_coco", "node_shared"),
}
SAME_LAYER = {
    "mps-or-time-slicing": ("gpu_mps", "gpu_timeslice"),
    "mps-or-mig": ("gpu_mps", "gpu_mig"),
    "cluster-policy-not-in-cilium": ("net_cnp", "net_cilium"),
    "one-primary-cni": ("net_kube_ovn", "net_ovnk_udn"),
}
VERSIONS = {
    "kata-single-gpu-kubernetes": ("rt_kata_single_gpu", "1.33", "1.34"),
    "userns-kubernetes": ("rt_userns", "1.32", "1.33"),
    "map-kubernetes": ("pol_map", "1.35", "1.36"),
    "vap-kubernetes": ("pol_vap", "1.29", "1.30"),
    "dra-kubernetes": ("gpu_dra", "1.33", "1.34"),
    "kueue-kubernetes": ("sch_kueue", "1.33", "1.34"),
    "native-gang-kubernetes": ("sch_native_gang", "1.36", "1.37"),
}
MODELS = {
    "mig-needs-mig-hardware": (
        "gpu_mig",
        ("A100-40GB", "B200-180GB", "B300-288GB", "GB300-288GB"),
        ("L4-24GB", "T4-16GB"),
    ),
    "amd-partitions-need-instinct": (
        "gpu_amd_partition",
        ("MI300X-192GB", "MI355X-288GB"),
        ("H100-80GB", "MI325X-256GB"),
    ),
    "slices-need-tpus": ("gpu_tpu_slice", ("TPU-v6e-32GB", "TPU7x-192GB"), ("H100-80GB", "MI300X-192GB")),
    "gvisor-knows-these-gpus": (
        "rt_gvisor",
        ("T4-16GB", "A10G-24GB", "H100-80GB", "L40S-48GB", "H200-141GB"),
        ("B200-180GB", "RTX-PRO-6000-BSE-96GB", "MI300X-192GB"),
    ),
    "coco-confidential-gpus": ("rt_coco", ("H200-141GB", "RTX-PRO-6000-BSE-96GB"), ("A100-80GB", "GB200-186GB")),
}
TRUST = {
    "untrusted-code-contained",
    "customers-with-cluster-rights",
    "untrusted-code-no-soft-gpu-sharing",
    "rdma-partitioned",
    "gvisor-no-rdma-in-pods",
    "sandbox-demanded-at-admission",
    "own-nodes-demanded-at-admission",
}
MAKERS = {"nvidia-ways-need-nvidia": ("gpu_mig", "gpu_mps", "gpu_timeslice", "gpu_vgpu", "gpu_dra")}
DENSITY = {"kata-one-gpu-pod-per-node": "rt_kata", "coco-one-gpu-pod-per-node": "rt_coco"}


def test_every_rule_of_the_catalogue_has_a_case_here() -> None:
    tested = {*FORBIDDEN, *SAME_LAYER, *VERSIONS, *MODELS, *MAKERS, *TRUST, *DENSITY}
    assert tested == set(CATALOGUE.rules)


def test_every_rule_reads_facts_that_exist_and_says_where_it_was_read() -> None:
    known = traits(CATALOGUE) | set(CATALOGUE.options)
    for rule in CATALOGUE.rules.values():
        atoms = rule.when.atoms() | (rule.then.atoms() if rule.then else frozenset())
        assert not {atom for atom in atoms if atom not in known and not is_class_fact(atom)}, rule.id
        assert rule.source in CATALOGUE.sources, rule.id
        assert rule.then or rule.gpu_models or rule.kubernetes_min or rule.gpu_pods_per_node, rule.id


@pytest.mark.parametrize(("rule", "pair"), FORBIDDEN.items())
def test_what_a_source_forbids_together_is_refused_together_only(rule: str, pair: tuple[str, str]) -> None:
    case = scenario(**OWN_HOSTS)
    assert rule in broken(SHARED_CLUSTER, case, add=f"node_pool_class {' '.join(pair)}")
    for alone in pair:
        assert rule not in broken(SHARED_CLUSTER, case, add=f"node_pool_class {alone}")


@pytest.mark.parametrize(("rule", "pair"), SAME_LAYER.items())
def test_rules_inside_a_layer_hold_for_facts_read_from_a_cluster(rule: str, pair: tuple[str, str]) -> None:
    """A design cannot choose both, but what is found in a cluster may show both."""
    found = CATALOGUE.rules[rule]
    assert found.then is not None
    assert found.when.holds(set(pair))
    assert not found.then.holds(set(pair))
    for alone in pair:
        assert found.then.holds({alone}) or not found.when.holds({alone})


@pytest.mark.parametrize(("rule", "option", "too_old", "old_enough"), [(r, *v) for r, v in VERSIONS.items()])
def test_options_need_their_kubernetes_version(rule: str, option: str, too_old: str, old_enough: str) -> None:
    assert rule in broken(SHARED_CLUSTER, scenario(kubernetes=too_old), add=option)
    assert rule not in broken(SHARED_CLUSTER, scenario(kubernetes=old_enough), add=option)


@pytest.mark.parametrize(("rule", "option"), [(rule, option) for rule, all_of in MAKERS.items() for option in all_of])
@pytest.mark.parametrize(
    ("models", "refused"),
    [
        (("MI355X-288GB",), True),
        (("TPU7x-192GB",), True),
        (("Gaudi3-128GB",), True),
        (("H100-80GB",), False),
        (("MI300X-192GB", "H100-80GB"), False),
    ],
)
def test_what_one_maker_sells_is_refused_where_no_card_on_offer_is_his(
    rule: str, option: str, models: tuple[str, ...], *, refused: bool
) -> None:
    assert (rule in broken(SHARED_CLUSTER, scenario(gpu_models=models, **OWN_HOSTS), add=option)) == refused


@pytest.mark.parametrize(("rule", "option", "inside", "outside"), [(r, *v) for r, v in MODELS.items()])
def test_options_restrict_gpu_models(rule: str, option: str, inside: tuple[str, ...], outside: tuple[str, ...]) -> None:
    where = {"provider": "gcp"} if option == "gpu_tpu_slice" else OWN_HOSTS
    case = scenario(gpu_models=inside + outside, **where)
    chosen = [o for o in SHARED_CLUSTER.split() if o not in ("rt_runc", "node_shared", "gpu_exclusive")]
    chosen += ["node_pool_class", option]
    chosen += [] if option.startswith("rt_") else ["rt_runc"]
    chosen += [] if option in ("gpu_mig", "gpu_tpu_slice") else ["gpu_exclusive"]
    choice = choose(CATALOGUE, chosen)
    resolved, reasons = resolve_class(choice, case.tenants.classes[0], case, CATALOGUE)
    assert resolved.gpu_models == tuple(sorted(inside))
    assert not reasons
    case = scenario(gpu_models=outside, **where)
    _, reasons = resolve_class(choice, case.tenants.classes[0], case, CATALOGUE)
    assert len(reasons) == 1
    assert "/".join(CATALOGUE.rules[rule].gpu_models) in str(reasons[0])


def test_whole_gpus_beside_mig_may_be_of_any_model() -> None:
    case = scenario(gpu_models=("A100-80GB", "L4-24GB"))
    choice = choose(CATALOGUE, [*SHARED_CLUSTER.split(), "gpu_mig"])
    resolved, _ = resolve_class(choice, case.tenants.classes[0], case, CATALOGUE)
    assert resolved.gpu_models is None


@pytest.mark.parametrize(("rule", "option"), DENSITY.items())
def test_guests_that_take_all_gpus_leave_room_for_one_pod_per_node(rule: str, option: str) -> None:
    rules = tuple(CATALOGUE.rules.values())
    assert rule_limit(rules, frozenset({option})) == CATALOGUE.rules[rule].gpu_pods_per_node == 1
    assert rule_limit(rules, frozenset({"rt_runc"})) is None
    sandbox = CATALOGUE.options[option].sandbox
    assert sandbox is not None
    assert sandbox.gpu_pods_per_node == 1


@pytest.mark.parametrize("add", ["rt_gvisor", "rt_kata", "rt_coco node_pool_class", "rt_kubevirt"])
def test_untrusted_code_is_fine_behind_a_kernel_of_its_own(add: str) -> None:
    case = scenario(CUSTOMER, workload=UNTRUSTED, **OWN_HOSTS)
    assert "untrusted-code-contained" in broken(SHARED_CLUSTER, case)
    assert broken(SHARED_CLUSTER, case, add=add) == ""


def test_untrusted_code_is_fine_on_nodes_of_its_own() -> None:
    case = scenario(CUSTOMER, workload=UNTRUSTED)
    assert broken(SHARED_CLUSTER, case, add="node_dedicated_tenant") == ""
    assert broken(OWN_CLUSTER, case) == ""


@pytest.mark.parametrize("mode", ["gpu_timeslice", "gpu_mps", "gpu_hami"])
def test_soft_gpu_sharing_is_refused_to_untrusted_code_unless_the_nodes_are_one_tenants(mode: str) -> None:
    rule = "untrusted-code-no-soft-gpu-sharing"
    case = scenario(CUSTOMER, workload=UNTRUSTED)
    assert rule in broken(SHARED_CLUSTER, case, add=f"rt_gvisor {mode}")
    assert broken(SHARED_CLUSTER, case, add=f"node_dedicated_tenant {mode}") == ""
    assert broken(SHARED_CLUSTER, scenario(), add=mode) == ""


def test_untrusted_code_without_gpus_leaves_the_vendors_own_models_to_share_cards() -> None:
    def beside(**changes: Any) -> Scenario:
        both = tenant_class(kind="customer", workloads=[{"template": "w"}, {"template": "agent"}], **changes)
        found = scenario(both).model_dump(by_alias=True)
        agent = {"id": "agent", "kind": "batch", "untrusted_code": True}
        return Scenario.model_validate({**found, "workloads": [*found["workloads"], agent]})

    rule = "untrusted-code-no-soft-gpu-sharing"
    assert broken(SHARED_CLUSTER, beside(), add="rt_gvisor gpu_mps") == ""
    assert "untrusted-code-contained" in broken(SHARED_CLUSTER, beside(), add="gpu_mps")
    assert rule in broken(SHARED_CLUSTER, beside(api_access="namespace"), add="rt_gvisor gpu_mps")


def test_customers_with_cluster_rights_need_a_control_plane_with_own_nodes() -> None:
    rule = "customers-with-cluster-rights"
    case = scenario(CLOUD_CUSTOMER)
    assert rule in broken(SHARED_CLUSTER, case, add="cp_vcluster_shared")
    assert broken(OWN_CLUSTER, case) == ""
    for control_plane in ("cp_vcluster_private", "cp_hypershift", "cp_k0smotron", "cp_gardener", "cp_capi_dedicated"):
        assert broken(OWN_CLUSTER, case, add=control_plane) == ""


def test_gvisor_is_refused_to_pods_that_talk_over_rdma_only() -> None:
    rule = "gvisor-no-rdma-in-pods"
    assert rule in broken(SHARED_CLUSTER, scenario(workload=RDMA, fabric="infiniband"), add="rt_gvisor")
    assert rule not in broken(SHARED_CLUSTER, scenario(workload=RDMA, fabric="none"), add="rt_gvisor")
    assert rule not in broken(SHARED_CLUSTER, scenario(workload=RDMA, fabric="infiniband"))


def test_customers_on_one_rdma_fabric_need_partitions() -> None:
    rule = "rdma-partitioned"
    case = scenario(CUSTOMER, workload=RDMA, fabric="infiniband")
    assert rule in broken(OWN_CLUSTER, case)
    assert broken(OWN_CLUSTER, case, add="net_rdma_pkey") == ""
    assert rule not in broken(OWN_CLUSTER, scenario(workload=RDMA, fabric="infiniband"))
    assert "partition keys exist on InfiniBand only" in broken(
        OWN_CLUSTER, scenario(CUSTOMER, workload=RDMA, fabric="roce"), add="net_rdma_pkey"
    )


@pytest.mark.parametrize("trust", ["trusted", "semi-trusted"])
@pytest.mark.parametrize("plane", ["isolation", "data_plane"])
def test_teams_that_ask_for_a_barrier_on_their_rdma_fabric_need_partitions(trust: str, plane: str) -> None:
    rule = "rdma-partitioned"

    def case(level: str, count: int = 3, *others: dict[str, Any]) -> Scenario:
        asking = tenant_class(trust=trust, count=count, requirements={plane: level})
        return scenario(asking, *others, workload=RDMA, fabric="infiniband")

    assert rule in broken(SHARED_CLUSTER, case("L2"))
    assert rule not in broken(SHARED_CLUSTER, case("L2"), add="net_rdma_pkey")
    assert rule not in broken(SHARED_CLUSTER, case("L1"))
    assert rule not in broken(SHARED_CLUSTER, case("L2", 1)), "nobody else is on the fabric"
    assert rule in broken(SHARED_CLUSTER, case("L2", 1, tenant_class(id="others")))


@pytest.mark.parametrize(
    ("options", "add", "case", "reason"),
    [
        (OWN_CLUSTER, "node_shared", scenario(), "workers join the tenant's cluster only"),
        (OWN_CLUSTER, "cp_managed_per_tenant", scenario(**OWN_HOSTS), "a provider has to run the control planes"),
        (OWN_CLUSTER, "cp_managed_per_tenant", scenario(), "many clusters without fleet tooling"),
        (OWN_CLUSTER, "node_karpenter", scenario(**OWN_HOSTS), "nodes have to be for the asking"),
        (OWN_CLUSTER, "node_baremetal_tenant", scenario(), "whole physical hosts are needed"),
        (OWN_CLUSTER, "net_dpu", scenario(**OWN_HOSTS), "enforced on the DPU of a host"),
        (OWN_CLUSTER, "fl_k0rdent", scenario(), "drive Cluster API and k0smotron"),
        (OWN_CLUSTER, "fl_gitops_fleet", scenario(), "an agent has to deliver"),
        (OWN_CLUSTER, "rt_kata", scenario(), "needs an IOMMU"),
        (OWN_CLUSTER, "gpu_vgpu", scenario(), "given to virtual machines"),
        (SHARED_CLUSTER, "net_flat", scenario(), "a policy has to stand between them"),
        (SHARED_CLUSTER, "net_vpc_per_tenant", scenario(), "a VPC per tenant means a cluster per tenant"),
        (SHARED_CLUSTER, "st_tenant_keys", scenario(), "every tenant needs a class of its own"),
        (SHARED_CLUSTER, "gpu_kai_fraction", scenario(), "bookkeeping of the KAI scheduler"),
        (SHARED_CLUSTER, "gpu_timeslice", scenario(CUSTOMER), "slices share memory and faults"),
        (SHARED_CLUSTER, "obs_per_cluster", scenario(), "a stack per tenant cluster"),
        (SHARED_CLUSTER, "cp_k3k", scenario(CUSTOMER), "run privileged"),
        (SHARED_CLUSTER, "", scenario(tenant_class(requirements={"own_crds": True})), "share CRDs"),
    ],
)
def test_needs_of_options_are_demanded(options: str, add: str, case: Scenario, reason: str) -> None:
    assert reason in broken(options, case, add=add)


@pytest.mark.parametrize("case", [scenario(), scenario(CUSTOMER)], ids=["teams", "customers"])
def test_pools_and_sandboxes_of_one_api_server_count_only_where_admission_holds_pods_to_them(case: Scenario) -> None:
    leaves, rule = "own-nodes-demanded-at-admission", "sandbox-demanded-at-admission"
    assert leaves in broken(SHARED_CLUSTER, case, add="node_pool_class", without="pol_vap")
    assert leaves not in broken(SHARED_CLUSTER, case, add="node_pool_class pol_map", without="pol_vap")
    assert rule in broken(SHARED_CLUSTER, case, add="rt_gvisor", without="pol_vap")
    assert rule not in broken(SHARED_CLUSTER, case, add="rt_gvisor")
    assert rule not in broken(OWN_CLUSTER, case, add="rt_gvisor", without="pol_vap")


def test_tenants_that_trust_each_other_may_do_without_fences() -> None:
    fences = "sch_quota pol_psa pol_vap"
    case = scenario(tenant_class(trust="trusted"))
    assert broken(SHARED_CLUSTER, case, add="net_flat", without=fences) == ""
    assert broken(SHARED_CLUSTER, scenario(), add="net_flat", without=fences).count("option cp_namespace_rbac:") == 3
