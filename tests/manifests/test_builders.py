from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import celpy
import pytest
import yaml

from kubeanswers.quantities import parse_quantity
from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.model import ResolvedDesign
from tenancykit.manifests.builders.gang import gates_file
from tenancykit.manifests.plan import common_clusters, own_cluster
from tenancykit.manifests.tree import export
from tenancykit.scenario.model import Scenario
from tenancykit.scenario.naming import class_tenants

Objects = list[tuple[str, dict[str, Any]]]
Exported = Callable[..., Objects]


@pytest.fixture
def exported(tmp_path: Path, catalogue: Catalogue, small: Scenario, objects_of: Callable[[Path], Objects]) -> Exported:
    def made(design: ResolvedDesign, scenario: Scenario = small) -> Objects:
        export(design, scenario, catalogue, tmp_path / "out")
        return objects_of(tmp_path / "out")

    return made


def one(objects: Objects, kind: str, name: str, namespace: str = "", within: str = "") -> dict[str, Any]:
    found = [
        o
        for file, o in objects
        if o["kind"] == kind
        and o["metadata"]["name"] == name
        and o["metadata"].get("namespace", "") == namespace
        and within in file
    ]
    assert len(found) == 1, f"{kind} {namespace}/{name}: {len(found)}"
    return found[0]


def of_kind(objects: Objects, kind: str, within: str = "") -> list[dict[str, Any]]:
    return [o for file, o in objects if o["kind"] == kind and within in file]


def test_a_tenants_namespace_denies_all_traffic_but_dns_its_own_and_the_gateways(
    exported: Exported, designed: Callable[..., ResolvedDesign]
) -> None:
    objects = exported(designed())
    policies = {o["metadata"]["name"]: o["spec"] for o in of_kind(objects, "NetworkPolicy", "tenants/x/")}
    assert policies["default-deny"] == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    same: list[dict[str, Any]] = [{"podSelector": {}}]
    assert policies["allow-same-tenant"]["ingress"] == [{"from": same}]
    assert policies["allow-same-tenant"]["egress"] == [{"to": same}]
    gateway = policies["allow-ingress-chat"]
    assert gateway["podSelector"] == {"matchLabels": {"tenancykit.dev/workload": "chat"}}
    assert gateway["ingress"][0]["ports"] == [{"protocol": "TCP", "port": 8000}]
    outside = policies["allow-internet"]["egress"][0]["to"][0]["ipBlock"]
    assert "169.254.0.0/16" in outside["except"]
    assert set(policies) == {"default-deny", "allow-dns", "allow-same-tenant", "allow-ingress-chat", "allow-internet"}
    others = {o["metadata"]["name"] for o in of_kind(objects, "NetworkPolicy", "tenants/script/")}
    assert "allow-internet" not in others


def test_a_namespace_enforces_the_restricted_level_of_the_chosen_version(
    exported: Exported, designed: Callable[..., ResolvedDesign]
) -> None:
    labels = one(exported(designed()), "Namespace", "t-x")["metadata"]["labels"]
    assert labels["pod-security.kubernetes.io/enforce"] == "restricted"
    assert labels["pod-security.kubernetes.io/enforce-version"] == "v1.37"
    assert labels["tenancykit.dev/tenant"] == "x"


def test_without_pod_security_no_level_is_claimed(exported: Exported, designed: Callable[..., ResolvedDesign]) -> None:
    design = designed()
    classes = tuple(
        type(found)(
            found.tenant_class,
            type(found.choice)(tuple(o for o in found.choice.options if o != "pol_psa")),
            tuple(o for o in found.options if o.id != "pol_psa"),
            found.facts,
        )
        for found in design.classes
    )
    objects = exported(ResolvedDesign(design.design, classes))
    assert not [
        key
        for o in of_kind(objects, "Namespace", "tenants/")
        for key in o["metadata"]["labels"]
        if key.startswith("pod-security")
    ]


@pytest.mark.parametrize("runtime", ["rt_runc", "rt_gvisor", "rt_kata"])
@pytest.mark.parametrize("fraction", ["", "gpu_timeslice", "gpu_mps", "gpu_mig"])
def test_the_quota_holds_every_sample_workload(
    runtime: str, fraction: str, exported: Exported, designed: Callable[..., ResolvedDesign]
) -> None:
    options = [runtime, "st_sc_quota", "sch_priority", *([fraction] if fraction else [])]
    objects = exported(designed(*options))
    overheads = {
        o["metadata"]["name"]: o.get("overhead", {}).get("podFixed", {}) for o in of_kind(objects, "RuntimeClass")
    }
    for tenant in ("x", "script"):
        used: dict[str, Any] = {}
        for _, o in [(f, o) for f, o in objects if f"tenants/{tenant}/workloads" in f]:
            spec = o["spec"]
            pod = spec.get("template", {}).get("spec")
            if o["kind"] == "PersistentVolumeClaim":
                add(used, "requests.storage", spec["resources"]["requests"]["storage"], 1)
                continue
            count = spec.get("replicas", spec.get("parallelism", 1))
            add(used, "pods", 1, count)
            container = pod["containers"][0]
            extra = overheads.get(pod.get("runtimeClassName", ""), {})
            for kind in ("requests", "limits"):
                for name, amount in container["resources"][kind].items():
                    key = f"{kind}.{name}" if "/" not in name else f"requests.{name}"
                    if "/" not in name or kind == "limits":
                        add(used, key, amount, count)
                for name, amount in extra.items():
                    add(used, f"{kind}.{name}", amount, count)
        hard = {
            key: value
            for q in of_kind(objects, "ResourceQuota", f"tenants/{tenant}/")
            if "scopeSelector" not in q["spec"]
            for key, value in q["spec"]["hard"].items()
        }
        for key, amount in used.items():
            assert parse_quantity(hard[key]) >= amount, f"{tenant} {key}"


def add(used: dict[str, Any], key: str, amount: Any, count: int) -> None:
    used[key] = used.get(key, 0) + parse_quantity(amount) * count


def test_every_sample_container_is_restricted_and_bounded(
    exported: Exported, designed: Callable[..., ResolvedDesign]
) -> None:
    objects = exported(designed())
    templates = [
        o["spec"]["template"]["spec"] for kind in ("Deployment", "StatefulSet", "Job") for o in of_kind(objects, kind)
    ]
    assert len(templates) == 2 * 3 + 2 * 2
    for pod in templates:
        assert pod["automountServiceAccountToken"] is False
        assert pod["securityContext"]["runAsNonRoot"] is True
        assert pod["securityContext"]["seccompProfile"] == {"type": "RuntimeDefault"}
        context = pod["containers"][0]["securityContext"]
        assert context["allowPrivilegeEscalation"] is False
        assert context["capabilities"] == {"drop": ["ALL"]}
        resources = pod["containers"][0]["resources"]
        assert {"cpu", "memory", "ephemeral-storage"} <= set(resources["limits"])
        assert all(resources["limits"][name] == amount for name, amount in resources["requests"].items())


PARTS = {
    "gpu_timeslice": {"nvidia.com/gpu.shared": "1"},
    "gpu_mps": {"nvidia.com/gpu.shared": "1"},
    "gpu_mig": {"nvidia.com/mig-2g.10gb": "1"},
    "gpu_hami": {"nvidia.com/gpu": "1", "nvidia.com/gpumem": "8192", "nvidia.com/gpucores": "25"},
    "gpu_vgpu": {"nvidia.com/gpu": "1"},
    "gpu_kai_fraction": {},
}


@pytest.mark.parametrize(("option", "devices"), PARTS.items())
def test_a_quarter_of_a_gpu_is_asked_for_as_the_sharing_wants_it(
    option: str, devices: dict[str, str], exported: Exported, designed: Callable[..., ResolvedDesign], small: Scenario
) -> None:
    data = small.model_dump(by_alias=True, mode="json")
    data["workloads"][1]["gpu"]["models"] = ["A100-40GB"]
    scenario = Scenario.model_validate(data)
    objects = exported(designed(option, scenario=scenario), scenario)
    pod = one(objects, "Deployment", "chat", "t-x")["spec"]["template"]
    limits = pod["spec"]["containers"][0]["resources"]["limits"]
    assert {key: value for key, value in limits.items() if "/" in key} == devices
    annotations = pod["metadata"].get("annotations", {})
    assert annotations == ({"gpu-fraction": "0.25"} if option == "gpu_kai_fraction" else {})


def test_devices_are_claimed_through_templates_of_the_tenants_class(
    exported: Exported, designed: Callable[..., ResolvedDesign]
) -> None:
    objects = exported(designed("gpu_dra", "gpu_mig"))
    template = one(objects, "ResourceClaimTemplate", "chat-gpu", "t-x")
    request = template["spec"]["spec"]["devices"]["requests"][0]["exactly"]
    device_class = one(objects, "DeviceClass", request["deviceClassName"])
    assert ".profile == '2g.20gb'" in device_class["spec"]["selectors"][0]["cel"]["expression"]
    pod = one(objects, "Deployment", "chat", "t-x")["spec"]["template"]["spec"]
    assert pod["resourceClaims"] == [{"name": "gpu", "resourceClaimTemplateName": "chat-gpu"}]
    assert pod["containers"][0]["resources"]["claims"] == [{"name": "gpu"}]
    whole = one(objects, "ResourceClaimTemplate", "train-gpu", "t-x")
    assert whole["spec"]["spec"]["devices"]["requests"][0]["exactly"]["deviceClassName"] == "tenancykit-research-gpu"


NODES = ["node_shared", "node_pool_class", "node_dedicated_tenant", "node_karpenter"]
RUNTIMES = ["rt_runc", "rt_gvisor", "rt_kata", "rt_userns"]


@pytest.mark.parametrize("nodes", NODES)
@pytest.mark.parametrize("runtime", RUNTIMES)
def test_admission_takes_a_tenants_own_pods_and_refuses_those_that_leave_their_place(
    nodes: str, runtime: str, exported: Exported, designed: Callable[..., ResolvedDesign]
) -> None:
    objects = exported(designed(nodes, runtime, "sch_priority", "st_sc_quota"))
    for tenant, class_id in (("x", "research"), ("script", "gold-tier")):
        namespace = one(objects, "Namespace", f"t-{tenant}")
        for kind in ("Deployment", "StatefulSet", "Job"):
            for workload in of_kind(objects, kind, f"tenants/{tenant}/"):
                pod = {"spec": workload["spec"]["template"]["spec"]}
                assert refusals(objects, class_id, "pods", pod, namespace) == []
        pod = {"spec": one(objects, "Deployment", "chat", f"t-{tenant}")["spec"]["template"]["spec"]}
        for change in ESCAPES:
            assert refusals(objects, class_id, "pods", {"spec": {**pod["spec"], **change}}, namespace) != [], change
        if nodes != "node_shared":
            other = {"tenancykit.dev/pool": "t-other"}
            moved = {"spec": {**pod["spec"], "nodeSelector": other}}
            assert refusals(objects, class_id, "pods", moved, namespace) != []


ESCAPES: list[dict[str, Any]] = [
    {"nodeName": "node-1"},
    {"tolerations": [{"operator": "Exists"}]},
    {"tolerations": [{"key": "tenancykit.dev/pool", "operator": "Equal", "value": "t-other"}]},
    {"tolerations": [{"key": "tenancykit.dev/pool", "operator": "Exists"}]},
    {"priorityClassName": "system-cluster-critical"},
    {"runtimeClassName": "privileged"},
]


def refusals(objects: Objects, class_id: str, resource: str, subject: Any, namespace: Any) -> list[str]:
    """Return the messages of the policies that refuse an object created in a tenant's namespace."""
    found: list[str] = []
    environment = celpy.Environment()
    for policy in of_kind(objects, "ValidatingAdmissionPolicy"):
        rule = policy["spec"]["matchConstraints"]["resourceRules"][0]
        mine = policy["metadata"]["name"].startswith(f"tenancykit-{class_id}-")
        if not mine or rule["resources"] != [resource] or "matchConditions" in policy["spec"]:
            continue
        variables = {
            "object": celpy.adapter.json_to_cel(subject),
            "namespaceObject": celpy.adapter.json_to_cel(namespace),
        }
        for check in policy["spec"]["validations"]:
            program = environment.program(environment.compile(check["expression"]))
            if not program.evaluate(variables):
                found.append(check["message"])
    return found


def test_admission_refuses_other_tenants_storage_hosts_and_addresses(
    exported: Exported, designed: Callable[..., ResolvedDesign]
) -> None:
    objects = exported(designed("st_sc_quota"))
    namespace = one(objects, "Namespace", "t-x")
    claims = "persistentvolumeclaims"
    assert refusals(objects, "research", claims, {"spec": {"storageClassName": "t-x"}}, namespace) == []
    assert refusals(objects, "research", claims, {"spec": {"storageClassName": "t-script"}}, namespace) != []
    assert refusals(objects, "research", claims, {"spec": {}}, namespace) != []
    route = one(objects, "HTTPRoute", "chat", "t-x")
    assert refusals(objects, "research", "httproutes", route, namespace) == []
    stolen = {"spec": {**route["spec"], "hostnames": ["chat.script.tenants.example.com"]}}
    assert refusals(objects, "research", "httproutes", stolen, namespace) != []
    service = one(objects, "Service", "chat", "t-x")
    assert refusals(objects, "research", "services", service, namespace) == []
    for change in ({"type": "NodePort"}, {"type": "ExternalName"}, {"externalIPs": ["10.0.0.1"]}):
        changed = {"spec": {**service["spec"], **change}}
        assert refusals(objects, "research", "services", changed, namespace) != []


@pytest.mark.parametrize("engine", ["pol_kyverno", "pol_gatekeeper"])
def test_every_engine_locks_the_same_rules(
    engine: str, exported: Exported, designed: Callable[..., ResolvedDesign]
) -> None:
    def expressions(objects: Objects) -> set[str]:
        found: set[str] = set()
        for _, o in objects:
            spec = o.get("spec", {})
            if o["kind"] in ("ValidatingAdmissionPolicy", "ValidatingPolicy"):
                found |= {v["expression"] for v in spec["validations"]}
            if o["kind"] == "ConstraintTemplate":
                source = spec["targets"][0]["code"][0]["source"]
                found |= {v["expression"] for v in source["validations"]}
        return found

    own = expressions(exported(designed("node_pool_class", "st_sc_quota")))
    assert own == expressions(exported(designed("node_pool_class", "st_sc_quota", engine)))


def test_members_cannot_write_what_fences_them_in(exported: Exported, designed: Callable[..., ResolvedDesign]) -> None:
    objects = exported(designed())
    role = one(objects, "ClusterRole", "tenancykit-tenant-member")
    writable = {
        resource
        for rule in role["rules"]
        if {"create", "update", "patch", "delete"} & set(rule["verbs"])
        for resource in rule["resources"]
    }
    fences = {"resourcequotas", "limitranges", "networkpolicies", "roles", "rolebindings", "namespaces"}
    assert not fences & writable
    assert "*" not in {verb for rule in role["rules"] for verb in rule["verbs"]} | writable
    binding = one(objects, "RoleBinding", "tenant-members", "t-x")
    assert binding["subjects"] == [{"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": "tenant:x"}]
    assert of_kind(objects, "RoleBinding", "tenants/script/") == []
    assert of_kind(objects, "ClusterRoleBinding") == []


def test_a_clusters_admin_is_its_tenant_only_where_the_tenant_asks_and_owns_the_api(
    exported: Exported, designed: Callable[..., ResolvedDesign], small: Scenario
) -> None:
    data = small.model_dump(by_alias=True, mode="json")
    data["tenants"]["classes"][0]["api_access"] = "cluster"
    scenario = Scenario.model_validate(data)
    shared = exported(designed(scenario=scenario), scenario)
    assert of_kind(shared, "ClusterRoleBinding") == []
    own = exported(designed("cp_kamaji", "node_dedicated_tenant", scenario=scenario), scenario)
    bindings = of_kind(own, "ClusterRoleBinding")
    assert {o["subjects"][0]["name"] for o in bindings} == {"tenant:x", "tenant:research-2"}
    assert of_kind(own, "ClusterRoleBinding", "tenancykit-management") == []


def test_a_hosted_control_plane_lives_in_the_hub_and_its_workloads_in_the_tenants_cluster(
    exported: Exported, designed: Callable[..., ResolvedDesign]
) -> None:
    objects = exported(designed("cp_kamaji", "node_dedicated_tenant"))
    hub = "clusters/tenancykit-management"
    plane = one(objects, "TenantControlPlane", "x", "t-x", hub)
    assert plane["spec"]["controlPlane"]["deployment"]["replicas"] == 3
    assert one(objects, "NetworkPolicy", "default-deny", "t-x", hub)
    assert one(objects, "ResourceQuota", "control-plane", "t-x", hub)
    assert of_kind(objects, "Deployment", hub) == []
    assert one(objects, "Deployment", "chat", "t-x", "clusters/x/")
    assert of_kind(objects, "TenantControlPlane", "clusters/x/") == []


def test_a_virtual_cluster_is_fenced_on_its_host_and_used_inside(
    exported: Exported, designed: Callable[..., ResolvedDesign], tmp_path: Path
) -> None:
    objects = exported(designed("cp_vcluster_shared", "node_pool_class"))
    host = "clusters/tenancykit-platform"
    assert one(objects, "NetworkPolicy", "default-deny", "t-x", host)
    assert one(objects, "ResourceQuota", "compute", "t-x", host)
    assert of_kind(objects, "Deployment", host) == []
    service = one(objects, "Service", "chat", "t-x", "clusters/x/")
    assert service["spec"]["type"] == "LoadBalancer"
    values = yaml.safe_load((tmp_path / "out" / host / "tenants/x/helm/x/values.yaml").read_text())
    assert values["policies"]["networkPolicy"]["enabled"] is False
    assert values["controlPlane"]["statefulSet"]["security"]["podSecurityContext"]["runAsNonRoot"] is True
    assert values["sync"]["toHost"]["pods"]["enforceTolerations"] == ["tenancykit.dev/pool=research:NoSchedule"]


def test_queues_share_a_cohort_and_a_tenants_jobs_wait_suspended(
    exported: Exported, designed: Callable[..., ResolvedDesign]
) -> None:
    objects = exported(designed("sch_kueue", "node_pool_class"))
    queue = one(objects, "ClusterQueue", "t-x")["spec"]
    assert queue["cohortName"] == one(objects, "Cohort", "tenancykit-research")["metadata"]["name"]
    resources = {r["name"]: r["nominalQuota"] for r in queue["resourceGroups"][0]["flavors"][0]["resources"]}
    assert resources["nvidia.com/gpu"] == "6"
    assert queue["namespaceSelector"] == {"matchLabels": {"tenancykit.dev/tenant": "x"}}
    assert one(objects, "LocalQueue", "tenant", "t-x")["spec"]["clusterQueue"] == "t-x"
    job = one(objects, "Job", "train", "t-x")
    assert job["spec"]["suspend"] is True
    assert job["metadata"]["labels"]["kueue.x-k8s.io/queue-name"] == "tenant"
    flavor = one(objects, "ResourceFlavor", "tenancykit-research")["spec"]
    assert flavor["nodeLabels"] == {"tenancykit.dev/pool": "research"}
    assert "kueue.x-k8s.io/queue-name" not in job["spec"]["template"]["metadata"]["labels"]
    server = one(objects, "Deployment", "chat", "t-x")["spec"]["template"]["metadata"]
    assert server["labels"]["kueue.x-k8s.io/queue-name"] == "tenant"  # Kueue holds back every pod of the namespace


def test_jobs_of_a_virtual_cluster_wait_as_the_pods_its_host_sees(
    exported: Exported, designed: Callable[..., ResolvedDesign]
) -> None:
    """Kueue runs on the host, where there are no Jobs: a Job that is suspended inside would wait for ever."""
    objects = exported(designed("cp_vcluster_shared", "node_pool_class", "sch_kueue"))
    job = one(objects, "Job", "train", "t-x", "clusters/x/")
    assert "suspend" not in job["spec"]
    assert "kueue.x-k8s.io/queue-name" not in job["metadata"]["labels"]
    pods = job["spec"]["template"]["metadata"]
    assert pods["labels"]["kueue.x-k8s.io/queue-name"] == "tenant"
    assert pods["labels"]["kueue.x-k8s.io/pod-group-name"] == "train"
    assert pods["annotations"]["kueue.x-k8s.io/pod-group-total-count"] == str(job["spec"]["parallelism"])


def test_tenants_networks_and_partitions_do_not_overlap(
    exported: Exported, designed: Callable[..., ResolvedDesign], small: Scenario
) -> None:
    data = small.model_dump(by_alias=True, mode="json")
    data["tenants"]["classes"][0]["count"] = 30
    scenario = Scenario.model_validate(data)
    objects = exported(designed("net_kube_ovn", "net_rdma_pkey", scenario=scenario), scenario)
    subnets = [o["spec"]["cidrBlock"] for o in of_kind(objects, "Subnet")]
    assert len(subnets) == len(set(subnets)) == 32
    keys = [yaml.safe_load(o["spec"]["config"])["pkey"] for o in of_kind(objects, "NetworkAttachmentDefinition")]
    assert len(keys) == len(set(keys)) == 32
    assert all(0 < int(str(key), 16) < 0x7FFF for key in map(str, keys) if str(key).startswith("0x"))


def test_primary_networks_that_exclude_each_other_get_clusters_of_their_own(
    designed: Callable[..., ResolvedDesign],
) -> None:
    first, second = designed("net_cilium"), designed("net_kube_ovn")
    mixed = ResolvedDesign(first.design, (first.classes[0], second.classes[1]))
    assert [plan.name for plan in common_clusters(mixed)] == [
        "tenancykit-platform",
        "tenancykit-platform-kube-ovn",
    ]


def test_clusters_follow_from_the_control_plane(designed: Callable[..., ResolvedDesign], small: Scenario) -> None:
    expected = {
        "cp_namespace_rbac": None,
        "cp_capsule": None,
        "cp_vcluster_shared": "virtual",
        "cp_kcp": "workspace",
        "cp_kamaji": "tenant",
        "cp_capi_dedicated": "tenant",
    }
    for option, role in expected.items():
        found = designed(option).classes[0]
        plan = own_cluster(found, next(class_tenants(small, found.tenant_class)))
        assert (plan.role if plan else None) == role


@pytest.mark.parametrize("provider", ["aws", "azure", "gcp", "own"])
def test_managed_and_own_clusters_are_declared_for_every_provider(
    provider: str, exported: Exported, designed: Callable[..., ResolvedDesign], small: Scenario
) -> None:
    data = small.model_dump(by_alias=True, mode="json")
    data["infrastructure"]["sites"][0]["provider"] = provider
    scenario = Scenario.model_validate(data)
    for option in ("cp_managed_per_tenant", "cp_capi_dedicated"):
        design = designed(option, "node_dedicated_tenant", "st_sc_quota", "st_tenant_keys", scenario=scenario)
        objects = exported(design, scenario)
        clusters = of_kind(objects, "Cluster", "tenancykit-management/tenants/x/")
        assert len(clusters) == (0 if provider == "own" and option == "cp_managed_per_tenant" else 1)
        for cluster in clusters:
            spec = cluster["spec"]
            for reference in (spec["controlPlaneRef"], spec["infrastructureRef"]):
                assert one(objects, reference["kind"], reference["name"], "t-x", "tenancykit-management")
        parameters = one(objects, "StorageClass", "t-x", within="clusters/x/")["parameters"]
        assert any("t-x" in value for value in parameters.values())


def test_native_gangs_are_those_of_the_first_version_that_serves_them_as_beta(
    exported: Exported, designed: Callable[..., ResolvedDesign], small: Scenario
) -> None:
    scenario = small.model_copy(update={"kubernetes": "1.37"})
    objects = exported(designed("sch_native_gang", scenario=scenario), scenario)
    assert one(objects, "Workload", "train", "t-x")["apiVersion"] == "scheduling.k8s.io/v1beta1"
    pod = one(objects, "Job", "train", "t-x")["spec"]["template"]["spec"]
    assert pod["schedulingGroup"] == {"podGroupName": "train"}
    assert one(objects, "PodGroup", "train", "t-x")["spec"]["schedulingPolicy"] == {"gang": {"minCount": 4}}
    settings = yaml.safe_load(gates_file("sch_native_gang").text)
    flags = {flag["name"]: flag["value"] for flag in settings["apiServer"]["extraArgs"]}
    assert flags == {"feature-gates": "GenericWorkload=true", "runtime-config": "scheduling.k8s.io/v1beta1=true"}
