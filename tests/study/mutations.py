"""What removing or weakening each emitted object does to tenant isolation: what the audit must say, or why nothing.

An entry names objects by kind and masked name (``TENANT``, ``CLASS`` and ``N`` stand for names and numbers). ``rules``
are findings of which one must appear; designs not in ``where`` and entries without rules must show nothing new, for the
reason in ``otherwise``.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

Object = dict[str, Any]


@dataclass(frozen=True)
class Removal:
    kinds: str
    name: str = "*"
    rules: tuple[str, ...] = ()
    where: frozenset[str] | None = None
    otherwise: str = ""


def _only(*designs: str) -> frozenset[str]:
    return frozenset(designs)


_WITH_RIGHTS = _only("RA01", "RA02", "RA03", "RA06", "RA07", "RA08", "RA14", "RA17", "RA19", "RA20")
_RIGHTS = "it gives rights: without it somebody may do less"
_TWICE = "the same fence stands twice, and one of the two is enough"
_LESS = "it lets traffic of the tenant's own through: without it less passes"
_WORK = "it is the tenant's own work, or the way to it: without it nothing is reached"
_MACHINES = "it makes machines, control planes or networks: without it there are none, and nothing runs beside another"
_DELIVERY = "deliveries stop without it"
_NUMBERS = "sizes, shares or series no path between tenants leads over; a queue without its flavor is of low severity"
_PLATFORM = "it is a namespace of the platform, where no tenant holds rights"
_NOBODY = "nobody of the tenant holds rights in the cluster its pods run in, so nobody can use the gap"
_SHARED_NODES = "nodes are shared by design: any pod may run on any of them"
_SHARED_KERNEL = "the design runs on the node's kernel anyway"
_UNREADABLE = "what is left cannot be evaluated: the findings say so at low severity"

REMOVALS = (
    # fences whose absence opens a path
    Removal("Namespace", "t-TENANT", ("pod-security-open",)),
    Removal("ResourceQuota", "compute", ("quota-unbounded",)),
    Removal("ResourceQuota", "objects", ("quota-unbounded",)),
    Removal("ResourceQuota", "control-plane", ("quota-unbounded",)),
    Removal("ResourceQuota", "storage", ("quota-unbounded",), _only("RA03", "RA19", "RA20"), _TWICE),
    Removal("ClusterQueue LocalQueue", "*", ("quota-unbounded",)),
    Removal(
        "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingPolicy Placement",
        "tenancykit-CLASS-placement",
        ("node-pool-open",),
        _only("RA02", "RA03", "RA06", "RA07", "RA08", "RA14", "RA17", "RA20"),
        f"{_SHARED_NODES}, or {_NOBODY}",
    ),
    Removal(
        "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingPolicy Priority",
        "tenancykit-CLASS-priority",
        ("priority-open",),
        _WITH_RIGHTS,
        _NOBODY,
    ),
    Removal(
        "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingPolicy Services",
        "tenancykit-CLASS-services",
        ("service-external-ips",),
        _WITH_RIGHTS,
        _NOBODY,
    ),
    Removal(
        "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingPolicy Routes",
        "tenancykit-CLASS-routes",
        ("route-hostnames-open",),
    ),
    Removal(
        "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingPolicy Storage",
        "tenancykit-CLASS-storage",
        ("storage-class-open",),
    ),
    Removal(
        "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingPolicy Runtime",
        "tenancykit-CLASS-runtime",
        ("runtime-open",),
        _only("RA08", "RA14"),
        _SHARED_KERNEL,
    ),
    Removal("ConstraintTemplate", "tenancykitCLASSplacement", ("node-pool-open",)),
    Removal("ConstraintTemplate", "tenancykitCLASSpriority", ("priority-open",)),
    Removal("ConstraintTemplate", "tenancykitCLASSservices", ("service-external-ips",)),
    Removal("ConstraintTemplate", "tenancykitCLASSroutes", ("route-hostnames-open",)),
    Removal("ConstraintTemplate", "tenancykitCLASSstorage", ("storage-class-open",)),
    # fences behind a fence
    Removal(
        "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingPolicy NamespaceLabels",
        "tenancykit-CLASS-namespace-labels",
        otherwise="RBAC gives no tenant the right to change its Namespace; this stands behind it",
    ),
    Removal("ConstraintTemplate", "tenancykitCLASSnamespacelabels", otherwise="as its constraint"),
    Removal("ConstraintTemplate", "tenancykitCLASSruntime", otherwise=_SHARED_KERNEL),
    Removal(
        "ValidatingAdmissionPolicy ValidatingAdmissionPolicyBinding ValidatingPolicy",
        "tenancykit-CLASS-queue",
        otherwise="Kueue holds back every job and pod of a managed namespace, whether it names a queue or not",
    ),
    Removal(
        "NetworkPolicy", "default-deny", otherwise=f"{_TWICE}: allow-same-tenant selects every pod in both directions"
    ),
    Removal("NetworkPolicy", "allow-*", otherwise=_LESS),
    Removal("ResourceQuota", "priority-*", otherwise="it bounds pods per priority beside the bound on all pods"),
    Removal("LimitRange", otherwise="quota bounds what containers may ask for; this fills in what they do not say"),
    Removal("GeneratingPolicy", otherwise="the policies it would generate stand in the export"),
    Removal("GlobalResourceQuota GlobalTenantResource CapsuleConfiguration", otherwise=_TWICE),
    Removal(
        "Assign ModifySet MutatingPolicy", otherwise="it fills in what validation demands: without it pods are refused"
    ),
    Removal("Config", otherwise="it says what Gatekeeper's audit looks at, not what its webhook refuses"),
    Removal(
        "FlowSchema PriorityLevelConfiguration",
        otherwise="the API server's default levels still share requests by user",
    ),
    Removal("RuntimeClass", otherwise="pods that name it are refused"),
    Removal("StorageClass", otherwise="claims that name it wait"),
    Removal("PriorityClass WorkloadPriorityClass", otherwise="pods and jobs that name it are refused"),
    # what carries no isolation
    Removal("RoleBinding ClusterRole ServiceAccount Tenant TenantOwner", otherwise=_RIGHTS),
    Removal("Deployment StatefulSet Job PersistentVolumeClaim Service HTTPRoute Gateway GatewayClass", otherwise=_WORK),
    Removal("AppProject Application GitRepository Kustomization", otherwise=_DELIVERY),
    Removal("Cohort ResourceFlavor PodMonitor", otherwise=_NUMBERS),
    Removal(
        "ConfigMap",
        otherwise=f"{_NUMBERS}; partitions and node labels are made from it, and without them nothing is admitted",
    ),
    Removal("Namespace", otherwise=_PLATFORM),
    Removal(
        "DataStore TenantControlPlane BareMetalHost VirtualMachine KubeVirt Cluster ClusterDeployment ClusterTemplate"
        " MachineDeployment MachineHealthCheck MachinePool KubeadmControlPlane KubeadmConfigTemplate AWSCluster"
        " AWSMachineTemplate AWSManagedCluster AWSManagedControlPlane AWSManagedMachinePool",
        otherwise=_MACHINES,
    ),
    Removal("SecurityGroup", otherwise="each tenant's machines have a network of their own; this stands behind it"),
    Removal("Vpc Subnet VpcDns VpcNatGateway", otherwise=_MACHINES),
    Removal("ServiceTemplate MultiClusterService", otherwise=_DELIVERY),
    Removal("SecretStore", otherwise="nothing is copied without it"),
)


@dataclass(frozen=True)
class Weakening:
    """One object changed so that it no longer fences, although it is still there."""

    title: str
    design: str
    kinds: str
    name: str
    change: Callable[[Object], None]
    rule: str
    everywhere: bool = False


def _to(*path: str, value: Any) -> Callable[[Object], None]:
    def change(item: Object) -> None:
        found = item
        for key in path[:-1]:
            found = found[key]
        found[path[-1]] = value

    return change


def _without(*path: str) -> Callable[[Object], None]:
    def change(item: Object) -> None:
        found = item
        for key in path[:-1]:
            found = found[key]
        found.pop(path[-1])

    return change


def _foreign_group(item: Object) -> None:
    name = "tenant:research-2" if "research-1" in item["metadata"]["namespace"] else "tenant:research-1"
    item["subjects"].append({"kind": "Group", "apiGroup": "rbac.authorization.k8s.io", "name": name})


def _open_validations(item: Object) -> None:
    for validation in item["spec"]["validations"]:
        validation["expression"] = "true"


def _every_peer(item: Object) -> None:
    item["spec"]["ingress"] = [{"from": [{"namespaceSelector": {}}]}]
    item["spec"]["egress"] = [{"to": [{"namespaceSelector": {}}]}]


def _anywhere(item: Object) -> None:
    item["spec"]["egress"] = [{}]


def _cpu(item: Object) -> None:
    for name in ("requests.cpu", "limits.cpu"):
        item["spec"]["hard"].pop(name)


_TIME_SLICES = "version: v1\nsharing: {timeSlicing: {resources: [{name: nvidia.com/gpu, replicas: 4}]}}\n"
_ENFORCE = "pod-security.kubernetes.io/enforce"

WEAKENINGS = (
    Weakening("Pod Security enforces nothing", "RA01", "Namespace", "t-research-1",
              _to("metadata", "labels", _ENFORCE, value="privileged"), "pod-security-open"),
    Weakening("Pod Security has lost its label", "RA03", "Namespace", "t-research-1",
              _without("metadata", "labels", _ENFORCE), "pod-security-open"),
    Weakening("a namespace no policy selects", "RA08", "Namespace", "t-research-1",
              _without("metadata", "labels", "tenancykit.dev/class"), "runtime-open"),
    Weakening("a namespace Kueue does not manage", "RA03", "Namespace", "t-research-1",
              _to("metadata", "labels", "kueue.x-k8s.io/managed-namespace", value="false"), "quota-unbounded"),
    Weakening("a binding for another tenant's group", "RA01", "RoleBinding", "tenant-members", _foreign_group,
              "rbac-cross-tenant"),
    Weakening("a binding to cluster-admin", "RA01", "RoleBinding", "tenant-members",
              _to("roleRef", "name", value="cluster-admin"), "rbac-own-fence"),
    Weakening("a role over everything", "RA01", "ClusterRole", "tenancykit-tenant-member",
              _to("rules", value=[{"apiGroups": ["*"], "resources": ["*"], "verbs": ["*"]}]), "rbac-own-fence"),
    Weakening("a network policy for everybody", "RA01", "NetworkPolicy", "allow-same-tenant", _every_peer,
              "network-cross-tenant", everywhere=True),
    Weakening("a network policy to anywhere", "RA01", "NetworkPolicy", "allow-dns", _anywhere, "network-metadata"),
    Weakening("a quota without CPU", "RA01", "ResourceQuota", "compute",
              _cpu, "quota-unbounded"),
    Weakening("a quota without GPUs", "RA01", "ResourceQuota", "compute",
              _without("spec", "hard", "requests.nvidia.com/gpu"), "quota-unbounded"),
    Weakening("a policy that is always content", "RA03", "ValidatingAdmissionPolicy", "tenancykit-research-placement",
              _open_validations, "node-pool-open"),
    Weakening("a policy that does not compile", "RA03", "ValidatingAdmissionPolicy", "tenancykit-research-storage",
              _to("spec", "validations", value=[{"expression": "object.spec.("}]), "storage-class-open"),
    Weakening("a binding that only audits", "RA01", "ValidatingAdmissionPolicyBinding", "tenancykit-research-services",
              _to("spec", "validationActions", value=["Audit"]), "service-external-ips"),
    Weakening("a binding to another policy", "RA08", "ValidatingAdmissionPolicyBinding", "tenancykit-research-runtime",
              _to("spec", "policyName", value="tenancykit-research-priority"), "runtime-open"),
    Weakening("a binding for nobody's namespaces", "RA01", "ValidatingAdmissionPolicyBinding",
              "tenancykit-research-priority",
              _to("spec", "matchResources", "namespaceSelector", "matchLabels", value={"nobody": "there"}),
              "priority-open"),
    Weakening("a Kyverno policy that only audits", "RA02", "ValidatingPolicy", "tenancykit-research-storage",
              _to("spec", "validationActions", value=["Audit"]), "storage-class-open"),
    Weakening("a Gatekeeper constraint that only warns", "RA07", "TenancykitResearchServices",
              "tenancykit-research-services", _to("spec", "enforcementAction", value="warn"), "service-external-ips"),
    Weakening("a sandbox that is none", "RA08", "RuntimeClass", "gvisor", _to("handler", value="runc"), "runtime-open"),
    Weakening("a delivery project for every namespace", "RA03", "AppProject", "t-research-1",
              _to("spec", "destinations", value=[{"server": "https://kubernetes.default.svc", "namespace": "*"}]),
              "delivery-cross-tenant"),
    Weakening("a delivery project for every cluster-scoped kind", "RA03", "AppProject", "t-research-1",
              _to("spec", "clusterResourceWhitelist", value=[{"group": "*", "kind": "*"}]), "delivery-cross-tenant"),
    Weakening("a delivery with the controller's rights", "RA01", "Kustomization", "tenant",
              _without("spec", "serviceAccountName"), "delivery-cross-tenant"),
    Weakening("GPUs in time slices", "RA01", "ConfigMap", "chargeback",
              _to("data", value={"any": _TIME_SLICES}),
              "gpu-shared"),
)  # fmt: skip
