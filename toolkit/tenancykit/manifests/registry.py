"""Which builders serve which option: one literal table in sight. Options without objects say why."""

from __future__ import annotations

from typing import Final

from tenancykit.catalogue.model import Option
from tenancykit.manifests.builders import (
    access,
    admission,
    admission_engines,
    backup,
    clusters,
    control_planes,
    delivery,
    detection,
    dispatch,
    exposure,
    fabric,
    fleet,
    gang,
    gpu,
    groups,
    guests,
    hosted,
    hub,
    identities,
    instinct,
    machines,
    mesh,
    namespaces,
    network,
    observability,
    overlay,
    queue,
    quota,
    runtime,
    scheduling,
    secrets,
    storage,
    topology,
    workloads,
)
from tenancykit.manifests.builds import NOTHING, Chart, ForCluster, ForTenant, OptionBuild, Side, TenantChart

KUBERNETES: Final = "Kubernetes 1.30 to 1.37"

_Base = tuple[tuple[Side, ForCluster], ...]
_Tenant = tuple[tuple[Side, ForTenant], ...]

_FENCE_BASE: Final[_Base] = (
    ("pods", namespaces.system_namespaces),
    ("api", access.api_fairness),
    ("run", exposure.gateways),
)
_FENCE_TENANT: Final[_Tenant] = (
    ("pods", namespaces.tenant_namespaces),
    ("pods", access.workload_accounts),
    ("pods", quota.object_quota),
    ("pods", quota.limit_range),
)
_RUN: Final[_Tenant] = (
    ("run", exposure.tenant_exposure),
    ("run", exposure.governing_services),
    ("run", workloads.sample_workloads),
)
_SHARED: Final[_Tenant] = (*_FENCE_TENANT, *_RUN)
_VIRTUAL_BASE: Final[_Base] = (("pods", namespaces.system_namespaces), ("api", access.api_fairness))
_VIRTUAL: Final[_Tenant] = (
    *_FENCE_TENANT,
    ("api", namespaces.tenant_namespaces),
    ("api", access.workload_accounts),
    *_RUN,
)
_OWN: Final[_Tenant] = (
    ("hub", namespaces.tenant_namespaces),
    ("hub", hub.hub_policies),
    ("hub", hub.hub_quota),
    *_SHARED,
)
_POLICIES: Final[_Tenant] = (("pods", network.tenant_policies),)
_ISTIO: Final[tuple[Chart, ...]] = (
    Chart("istio-base", "istio-system", requirement="isolation.network"),
    Chart("istiod", "istio-system", values=mesh.istio_values, requirement="isolation.network"),
    Chart("istio-cni", "istio-system", values=mesh.istio_values, requirement="isolation.network"),
    Chart("ztunnel", "istio-system", values=mesh.istio_values, requirement="isolation.network"),
)
_LINKERD: Final[tuple[Chart, ...]] = (
    Chart("linkerd-crds", "linkerd", requirement="isolation.network"),
    Chart("linkerd-control-plane", "linkerd", values=mesh.linkerd_values, requirement="isolation.network"),
)
_GPU_OPERATOR: Final = Chart("gpu-operator", gpu.NAMESPACE, "hosts", gpu.operator_values, "isolation.accelerator")

_CONTROL_PLANE: Final[dict[str, OptionBuild]] = {
    "cp_namespace_rbac": OptionBuild(_FENCE_BASE, _SHARED, upstream=KUBERNETES),
    "cp_capsule": OptionBuild(
        (*_FENCE_BASE, ("pods", control_planes.capsule_configuration)),
        (*_SHARED, ("pods", control_planes.capsule_tenants)),
        (Chart("capsule", "capsule-system"),),
        upstream="Capsule 0.14.0",
    ),
    "cp_hnc": OptionBuild(reason="retired: recognised in a dump, never built"),
    "cp_projects": OptionBuild(
        _FENCE_BASE, _SHARED, upstream="OpenShift 4.20, whose Projects are made from namespaces"
    ),
    "cp_rancher_projects": OptionBuild(
        _FENCE_BASE, (*_SHARED, ("pods", control_planes.rancher_projects)), upstream="Rancher management.cattle.io/v3"
    ),
    "cp_kcp": OptionBuild(
        (*_FENCE_BASE, ("hub", control_planes.kcp_types)),
        (*_SHARED, ("hub", control_planes.kcp_workspaces), ("workspace", control_planes.kcp_access)),
        upstream="kcp 0.32",
    ),
    "cp_vcluster_shared": OptionBuild(
        _VIRTUAL_BASE,
        _VIRTUAL,
        tenant_charts=(TenantChart("vcluster-control-plane", "pods", control_planes.vcluster_values),),
        upstream="vCluster 0.36.1",
    ),
    "cp_k3k": OptionBuild(
        (*_VIRTUAL_BASE, ("pods", control_planes.k3k_policies)),
        (*_VIRTUAL, ("pods", control_planes.k3k_clusters)),
        (Chart("k3k-controller", "k3k-system"),),
        upstream="k3k 1.1.0",
    ),
    "cp_vcluster_private": OptionBuild(
        _FENCE_BASE,
        _OWN,
        tenant_charts=(TenantChart("vcluster-private-control-plane", "hub", control_planes.private_vcluster_values),),
        upstream="vCluster 0.36.1 with private nodes",
    ),
    "cp_vcluster_standalone": OptionBuild(
        _FENCE_BASE, _SHARED, upstream="vCluster 0.36.1; the control plane itself is a binary on the tenant's hosts"
    ),
    "cp_kamaji": OptionBuild(
        (*_FENCE_BASE, ("hub", hosted.kamaji_datastore)),
        (*_OWN, ("hub", hosted.kamaji_control_planes)),
        (Chart("kamaji-operator", "kamaji-system", "hub"),),
        upstream="Kamaji 26.8.2-edge",
    ),
    "cp_hypershift": OptionBuild(
        _FENCE_BASE, (*_OWN, ("hub", hosted.hypershift_clusters)), upstream="HyperShift 0.1.81 (v1beta1)"
    ),
    "cp_k0smotron": OptionBuild(
        _FENCE_BASE, (*_OWN, ("hub", hosted.k0smotron_clusters)), upstream="k0smotron 2.1.0 (v1beta2)"
    ),
    "cp_gardener": OptionBuild(
        _FENCE_BASE, (*_OWN, ("hub", hosted.gardener_shoots)), upstream="Gardener 1.149 (core.gardener.cloud/v1beta1)"
    ),
    "cp_capi_dedicated": OptionBuild(
        _FENCE_BASE, (*_OWN, ("hub", clusters.capi_clusters)), upstream="Cluster API 1.14 (v1beta2)"
    ),
    "cp_managed_per_tenant": OptionBuild(
        _FENCE_BASE,
        (*_OWN, ("hub", clusters.managed_clusters)),
        upstream="Cluster API 1.14 with CAPA v1beta2, CAPZ and CAPG v1beta1",
    ),
    "fl_karmada": OptionBuild(
        tenant=(("hub", fleet.karmada_tenant),),
        charts=(Chart("karmada", "karmada-system", "hub"),),
        upstream="Karmada 1.18.2",
    ),
    "fl_ocm": OptionBuild(
        (("hub", fleet.ocm_base),),
        (("hub", fleet.ocm_tenant),),
        (Chart("ocm-hub", "open-cluster-management", "hub"),),
        upstream="Open Cluster Management 1.3.1",
    ),
    "fl_k0rdent": OptionBuild(
        (("hub", fleet.k0rdent_base),), (("hub", fleet.k0rdent_tenant),), upstream="k0rdent 1.11.4"
    ),
    "fl_gitops_fleet": OptionBuild(
        reason="the fleet is the tree itself: each cluster's folder is delivered by the delivery option beside it"
    ),
    "fl_multikueue": OptionBuild(
        (("hub", dispatch.manager),),
        (("hub", dispatch.dispatched),),
        (Chart("kueue", dispatch.NAMESPACE, "hub", queue.kueue_values, requirement="fleet"),),
        upstream="Kueue 0.20.1 (v1beta2)",
    ),
    "cp_eks_provisioned": OptionBuild(
        reason="the tier is a setting of the cluster at the provider; no object of Kubernetes carries it"
    ),
}

_NODES_AND_RUNTIME: Final[dict[str, OptionBuild]] = {
    "node_shared": OptionBuild(reason="any node takes any tenant's pods: nothing has to be set"),
    "node_pool_class": OptionBuild((("hosts", scheduling.node_pools),), upstream=KUBERNETES),
    "node_dedicated_tenant": OptionBuild((("pods", scheduling.node_pools),), upstream=KUBERNETES),
    "node_baremetal_tenant": OptionBuild(
        (("pods", scheduling.node_pools),), (("machines", machines.hosts),), upstream="Metal3 metal3.io/v1alpha1"
    ),
    "node_karpenter": OptionBuild(
        (("pods", scheduling.node_pools),),
        (("pods", machines.karpenter_pools),),
        (Chart("karpenter", "karpenter", requirement="placement"),),
        upstream="Karpenter 1.14.1 (karpenter.sh/v1)",
    ),
    "rt_runc": OptionBuild(reason="the default runtime needs no RuntimeClass"),
    "rt_userns": OptionBuild(reason="hostUsers: false stands on every pod of the samples and is locked by admission"),
    "rt_gvisor": OptionBuild((("pods", runtime.runtime_classes),), upstream="gVisor release-20260817"),
    "rt_kata": OptionBuild(
        (("pods", runtime.runtime_classes),),
        charts=(Chart("kata-deploy", "kata-system", requirement="isolation.compute"),),
        upstream="Kata Containers 4.1.0",
    ),
    "rt_kata_single_gpu": OptionBuild(
        (("pods", runtime.runtime_classes),),
        charts=(Chart("kata-deploy", "kata-system", requirement="isolation.compute"),),
        upstream="Kata Containers 4.2.0",
    ),
    "rt_coco": OptionBuild(
        (("pods", runtime.runtime_classes),),
        charts=(Chart("kata-deploy", "kata-system", requirement="isolation.compute"),),
        upstream="Kata Containers 4.1.0, Confidential Containers 0.21",
    ),
    "rt_kubevirt": OptionBuild(
        (("hosts", runtime.kubevirt),),
        (("hosts", guests.virtual_machines),),
        upstream="KubeVirt 1.9.0 (kubevirt.io/v1)",
    ),
}

_NETWORK: Final[dict[str, OptionBuild]] = {
    "net_flat": OptionBuild(reason="a flat network is the absence of policies"),
    "net_np_default_deny": OptionBuild(tenant=_POLICIES, upstream=KUBERNETES),
    "net_cnp": OptionBuild(
        (("pods", overlay.admin_policies),),
        (*_POLICIES, ("pods", overlay.tenant_admin_policy)),
        upstream="network-policy-api 0.2.0 (v1alpha2)",
    ),
    "net_cilium": OptionBuild(
        (("pods", overlay.cilium_cluster_policies),),
        (*_POLICIES, ("pods", overlay.cilium_policies)),
        (Chart("cni-cilium", "kube-system", values=overlay.cilium_values, requirement="isolation.network"),),
        upstream="Cilium 1.20.1 (cilium.io/v2)",
    ),
    "net_mesh_istio_ambient": OptionBuild(
        (("pods", mesh.istio_mesh),), (("pods", mesh.istio_tenant),), _ISTIO, upstream="Istio 1.30.3"
    ),
    "net_mesh_linkerd": OptionBuild(
        tenant=(("pods", mesh.linkerd_tenant),), charts=_LINKERD, upstream="Linkerd 2.20 (policy.linkerd.io)"
    ),
    "net_kube_ovn": OptionBuild(
        tenant=(*_POLICIES, ("hosts", overlay.kube_ovn)),
        charts=(Chart("cni-kube-ovn", "kube-system", "hosts", requirement="isolation.network"),),
        upstream="Kube-OVN 1.15.24",
    ),
    "net_ovnk_udn": OptionBuild(
        tenant=(*_POLICIES, ("pods", overlay.user_defined_network)),
        charts=(Chart("cni-ovn-kubernetes", "ovn-kubernetes", requirement="isolation.network"),),
        upstream="OVN-Kubernetes 1.3.0 (k8s.ovn.org/v1)",
    ),
    "net_vpc_per_tenant": OptionBuild(
        reason="the VPC is made with the tenant's cluster: its range stands in the cluster's network section"
    ),
    "net_rdma_pkey": OptionBuild(
        (("pods", fabric.infiniband),), (("pods", fabric.infiniband_tenant),), upstream="NVIDIA Network Operator 26.7"
    ),
    "net_spectrum_x": OptionBuild(
        (("pods", fabric.spectrum_x),), (("pods", fabric.spectrum_x_tenant),), upstream="NVIDIA Network Operator 26.7"
    ),
    "net_dpu": OptionBuild(
        reason="the tenant's network is enforced on the DPU, outside host and cluster, by the DPU's own controller"
    ),
}

_STORAGE: Final[dict[str, OptionBuild]] = {
    "st_shared_sc": OptionBuild((("pods", storage.shared_classes),), upstream=KUBERNETES),
    "st_sc_quota": OptionBuild(
        tenant=(("pods", storage.tenant_classes), ("pods", quota.storage_quota)), upstream=KUBERNETES
    ),
    "st_tenant_keys": OptionBuild(
        reason="the key stands in the parameters of the tenant's StorageClass, which the storage option builds"
    ),
    "st_dedicated": OptionBuild(
        tenant=(("pods", storage.tenant_classes), ("pods", quota.storage_quota), ("pods", storage.ceph_pool)),
        upstream="Rook ceph.rook.io/v1",
    ),
    "st_velero_tenant": OptionBuild(
        (("pods", backup.backup_namespace),),
        (("pods", backup.tenant_backups),),
        (Chart("velero", backup.VELERO_NAMESPACE, values=backup.velero_values, requirement="persistence"),),
        upstream="Velero 1.18 (velero.io/v1)",
    ),
}

_GPU: Final[dict[str, OptionBuild]] = {
    "gpu_exclusive": OptionBuild(
        (("hosts", gpu.namespaces), ("hosts", instinct.devices)),
        charts=(_GPU_OPERATOR,),
        upstream="GPU operator v26.7.0; AMD GPU operator 1.5.1 where the cards are AMD's",
    ),
    "gpu_amd_partition": OptionBuild(
        (("hosts", instinct.devices), ("hosts", instinct.profiles)),
        upstream="AMD GPU operator 1.5.1 (amd.com/v1alpha1)",
    ),
    "gpu_tpu_slice": OptionBuild(
        reason="GKE runs the device plugin; accelerator and topology stand in the node selector of each pod"
    ),
    "gpu_mig": OptionBuild(
        (("hosts", gpu.namespaces), ("hosts", gpu.mig_config)),
        charts=(_GPU_OPERATOR,),
        upstream="GPU operator v26.7.0 (mig-parted v1)",
    ),
    "gpu_timeslice": OptionBuild(
        (("hosts", gpu.namespaces), ("hosts", gpu.sharing_config)),
        charts=(_GPU_OPERATOR,),
        upstream="GPU operator v26.7.0",
    ),
    "gpu_mps": OptionBuild(
        (("hosts", gpu.namespaces), ("hosts", gpu.sharing_config)),
        charts=(_GPU_OPERATOR,),
        upstream="GPU operator v26.7.0",
    ),
    "gpu_vgpu": OptionBuild((("hosts", gpu.namespaces),), charts=(_GPU_OPERATOR,), upstream="GPU operator v26.7.0"),
    "gpu_dra": OptionBuild(
        (("pods", gpu.device_classes),),
        (("run", gpu.claim_templates),),
        (Chart("dra-driver-gpu", "nvidia-dra-driver-gpu", requirement="isolation.accelerator"),),
        upstream="NVIDIA DRA driver 0.4.1, resource.k8s.io/v1",
    ),
    "gpu_hami": OptionBuild(
        charts=(Chart("hami", "hami-system", requirement="isolation.accelerator"),), upstream="HAMi 2.10.0"
    ),
    "gpu_kai_fraction": OptionBuild(
        reason="the fraction stands in an annotation of each pod, and the chart of sch_kai turns sharing on"
    ),
}

_SCHEDULING: Final[dict[str, OptionBuild]] = {
    "sch_quota": OptionBuild(tenant=(("pods", quota.compute_quota),), upstream=KUBERNETES),
    "sch_priority": OptionBuild((("pods", scheduling.priority_classes),), upstream=KUBERNETES),
    "sch_kueue": OptionBuild(
        (("pods", queue.kueue_base),),
        (("pods", queue.kueue_tenant),),
        (Chart("kueue", "kueue-system", values=queue.kueue_values, requirement="fair-share"),),
        upstream="Kueue 0.19.2 (v1beta2)",
    ),
    "sch_volcano": OptionBuild(
        tenant=(("pods", queue.volcano_tenant),),
        charts=(Chart("volcano", "volcano-system", requirement="fair-share"),),
        upstream="Volcano 1.15.1",
    ),
    "sch_kai": OptionBuild(
        (("pods", queue.kai_base),),
        (("pods", queue.kai_tenant),),
        (Chart("kai-scheduler", "kai-scheduler", values=queue.kai_values, requirement="fair-share"),),
        upstream="KAI Scheduler 0.17.0",
    ),
    "sch_yunikorn": OptionBuild(
        (("pods", queue.yunikorn_config),),
        charts=(Chart("yunikorn", "yunikorn", requirement="fair-share"),),
        upstream="YuniKorn 1.9.0",
    ),
    "sch_native_gang": OptionBuild(
        tenant=(("run", gang.gangs),), files=("api", gang.gates_file), upstream="Kubernetes 1.37 (KEP-4671)"
    ),
    "sch_kueue_tas": OptionBuild((("pods", topology.topology),), upstream="Kueue 0.20.1 (v1beta2)"),
    "sch_jobset": OptionBuild(
        (("pods", groups.controller_namespace("sch_jobset")), ("api", groups.group_role("sch_jobset"))),
        (("api", groups.group_binding("sch_jobset")),),
        (Chart("jobset", "jobset-system", requirement="workload"),),
        upstream="JobSet 0.12.0 (jobset.x-k8s.io/v1alpha2)",
    ),
    "sch_lws": OptionBuild(
        (("pods", groups.controller_namespace("sch_lws")), ("api", groups.group_role("sch_lws"))),
        (("api", groups.group_binding("sch_lws")),),
        (Chart("leader-worker-set", "lws-system", requirement="workload"),),
        upstream="LeaderWorkerSet 0.10.0 (leaderworkerset.x-k8s.io/v1)",
    ),
    "sch_kuberay": OptionBuild(
        (("pods", groups.controller_namespace("sch_kuberay")), ("api", groups.group_role("sch_kuberay"))),
        (("api", groups.group_binding("sch_kuberay")),),
        (Chart("kuberay-operator", "kuberay-system", requirement="workload"),),
        upstream="KubeRay 1.7.0 (ray.io/v1)",
    ),
    "sch_slinky": OptionBuild(
        (("pods", groups.controller_namespace("sch_slinky")), ("api", groups.group_role("sch_slinky"))),
        (("api", groups.group_binding("sch_slinky")),),
        (Chart("slurm-operator", "slinky", requirement="workload"),),
        upstream="Slinky 1.2.1 (slinky.slurm.net/v1beta1)",
    ),
}

_POLICY: Final[dict[str, OptionBuild]] = {
    "pol_psa": OptionBuild(reason="labels on every namespace: namespaces.py writes them with the namespace itself"),
    "pol_vap": OptionBuild((("pods", admission.validating_policies),), upstream="Kubernetes 1.30"),
    "pol_map": OptionBuild((("pods", admission.mutating_policies),), upstream="Kubernetes 1.36"),
    "pol_kyverno": OptionBuild(
        (("pods", admission_engines.kyverno_policies),),
        charts=(Chart("kyverno", "kyverno"),),
        upstream="Kyverno 1.19 (policies.kyverno.io/v1)",
    ),
    "pol_gatekeeper": OptionBuild(
        (("pods", admission_engines.gatekeeper_config), ("pods", admission_engines.gatekeeper_policies)),
        (("pods", admission_engines.gatekeeper_tenant),),
        (Chart("gatekeeper", "gatekeeper-system"),),
        upstream="Gatekeeper 3.23",
    ),
    "pol_falco": OptionBuild(
        (("hosts", detection.falco_namespace),),
        charts=(
            Chart("falco", detection.FALCO_NAMESPACE, "hosts", detection.falco_values, requirement="observability"),
        ),
        upstream="Falco 0.44.1 (chart 9.1)",
    ),
    "pol_tetragon": OptionBuild(
        (("pods", detection.tetragon_namespace),),
        (("pods", detection.tenant_tracing),),
        (
            Chart(
                "tetragon", detection.TETRAGON_NAMESPACE, "pods", detection.tetragon_values, requirement="observability"
            ),
        ),
        upstream="Tetragon 1.7.0 (cilium.io/v1alpha1)",
    ),
}

_IDENTITY: Final[dict[str, OptionBuild]] = {
    "id_oidc_rbac": OptionBuild(
        (("api", access.cluster_roles),),
        (("api", access.tenant_bindings),),
        files=("api", access.authentication_file),
        upstream="Kubernetes 1.34 (structured authentication)",
    ),
    "id_impersonation": OptionBuild(
        (("api", access.cluster_roles), ("api", access.impersonation_role)),
        (("api", access.tenant_bindings),),
        upstream=KUBERNETES,
    ),
    "id_argocd_projects": OptionBuild(
        (("delivery", delivery.argo_base), ("api", delivery.delivery_roles)),
        (("delivery", delivery.argo_tenants), ("api", delivery.argo_accounts)),
        (Chart("argo-cd", delivery.ARGO_NAMESPACE, "delivery", delivery.argo_values, requirement="delivery"),),
        upstream="Argo CD 3.4.4",
    ),
    "id_flux_lockdown": OptionBuild(
        (("hub", delivery.flux_base), ("pods", delivery.flux_base), ("api", delivery.delivery_roles)),
        (("api", delivery.flux_tenants),),
        files=("pods", delivery.lockdown_file),
        upstream="Flux kustomize.toolkit.fluxcd.io/v1, source.toolkit.fluxcd.io/v1",
    ),
    "id_eso": OptionBuild(
        (("api", secrets.secrets_namespace), ("api", secrets.secret_roles)),
        (("api", secrets.tenant_stores),),
        (Chart("external-secrets", secrets.ESO_NAMESPACE, "api", secrets.eso_values, requirement="identity"),),
        upstream="External Secrets Operator 2.9 (external-secrets.io/v1)",
    ),
    "id_openbao": OptionBuild(
        (("pods", secrets.bao_namespace),),
        charts=(Chart("openbao", secrets.BAO_NAMESPACE, values=secrets.bao_values, requirement="identity"),),
        upstream="OpenBao 2.6.2 (chart 0.29.2)",
    ),
    "id_spire": OptionBuild(
        (("pods", identities.spire_namespace),),
        (("pods", identities.tenant_identities),),
        (
            Chart("spire-crds", identities.SPIRE_NAMESPACE, requirement="identity"),
            Chart("spire", identities.SPIRE_NAMESPACE, values=identities.spire_values, requirement="identity"),
        ),
        upstream="SPIRE 1.15.3 (spire.spiffe.io/v1alpha1)",
    ),
}

_OBSERVABILITY: Final[dict[str, OptionBuild]] = {
    "obs_opencost": OptionBuild(
        (("pods", observability.chargeback_labels),),
        charts=(Chart("opencost", "opencost", values=observability.opencost_values, requirement="chargeback"),),
        upstream="OpenCost 1.120",
    ),
    "obs_prom_shared": OptionBuild(
        (("pods", observability.label_proxy),),
        (("pods", observability.pod_monitors),),
        upstream="Prometheus operator monitoring.coreos.com/v1",
    ),
    "obs_metrics_multitenant": OptionBuild(
        (("pods", observability.metrics_limits),),
        (("pods", observability.pod_monitors),),
        upstream="Prometheus operator monitoring.coreos.com/v1, Mimir runtime configuration",
    ),
    "obs_per_cluster": OptionBuild(
        tenant=(("pods", observability.pod_monitors),), upstream="Prometheus operator monitoring.coreos.com/v1"
    ),
    "obs_logs_per_tenant": OptionBuild((("pods", observability.log_routing),), upstream="Fluent Bit and Loki"),
}

BUILDERS: Final[dict[str, OptionBuild]] = {
    **_CONTROL_PLANE,
    **_NODES_AND_RUNTIME,
    **_NETWORK,
    **_STORAGE,
    **_GPU,
    **_SCHEDULING,
    **_POLICY,
    **_IDENTITY,
    **_OBSERVABILITY,
}
"""What is built for each option of the catalogue that its file alone does not say; no other ids stand here."""

_SANDBOX: Final = OptionBuild((("pods", runtime.runtime_classes),), upstream=KUBERNETES)


def build_of(option: Option) -> OptionBuild:
    """Return what is built for an option: by its id, else by what its file provides (sandboxes: their RuntimeClass)."""
    if option.id in BUILDERS:
        return BUILDERS[option.id]
    return _SANDBOX if option.sandbox is not None and option.sandbox.runtime_class else NOTHING
