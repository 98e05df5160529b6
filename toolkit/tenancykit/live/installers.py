"""Which component of the catalogue brings a kind that an API server does not know, and how the export installs it."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Final

from kubeanswers.errors import InputError
from kubeanswers.objects import mapping, scalar_text
from kubeanswers.source import read_yaml
from tenancykit.catalogue.reading import Catalogue

INSTALLERS: Final[Mapping[str, tuple[str, ...]]] = {
    "amd.com": ("amd-gpu-operator",),
    "apis.kcp.io": ("kcp",),
    "argoproj.io": ("argo-cd",),
    "bootstrap.cluster.x-k8s.io": ("capi-kubeadm", "k0smotron-operator"),
    "capsule.clastix.io": ("capsule",),
    "ceph.rook.io": ("tenant-storage-system",),
    "cilium.io": ("cni-cilium", "tetragon"),
    "cluster.open-cluster-management.io": ("ocm-hub",),
    "cluster.x-k8s.io": ("capi-core",),
    "config.gatekeeper.sh": ("gatekeeper",),
    "configuration.net.nvidia.com": ("network-operator",),
    "constraints.gatekeeper.sh": ("gatekeeper",),
    "controlplane.cluster.x-k8s.io": ("capi-kubeadm", "kamaji-operator", "k0smotron-operator"),
    "core.gardener.cloud": ("gardener",),
    "external-secrets.io": ("external-secrets",),
    "gateway.networking.k8s.io": ("gateway-controller",),
    "hypershift.openshift.io": ("hypershift-operator",),
    "infrastructure.cluster.x-k8s.io": ("capi-infrastructure-provider",),
    "k0rdent.mirantis.com": ("k0rdent",),
    "k0smotron.io": ("k0smotron-operator",),
    "k3k.io": ("k3k-controller",),
    "k8s.cni.cncf.io": ("network-operator",),
    "k8s.ovn.org": ("cni-ovn-kubernetes",),
    "kai.scheduler": ("kai-scheduler",),
    "kamaji.clastix.io": ("kamaji-operator",),
    "karpenter.sh": ("karpenter",),
    "jobset.x-k8s.io": ("jobset",),
    "kubeovn.io": ("cni-kube-ovn",),
    "kubevirt.io": ("kubevirt",),
    "kueue.x-k8s.io": ("kueue",),
    "kustomize.toolkit.fluxcd.io": ("flux",),
    "leaderworkerset.x-k8s.io": ("leader-worker-set",),
    "management.cattle.io": ("project-controller",),
    "mellanox.com": ("network-operator",),
    "metal3.io": ("metal3",),
    "monitoring.coreos.com": ("prometheus-stack",),
    "mutations.gatekeeper.sh": ("gatekeeper",),
    "policies.kyverno.io": ("kyverno",),
    "policy.karmada.io": ("karmada",),
    "policy.linkerd.io": ("linkerd-crds",),
    "policy.networking.k8s.io": ("cluster-network-policy-api",),
    "ray.io": ("kuberay-operator",),
    "scheduling.run.ai": ("kai-scheduler",),
    "scheduling.volcano.sh": ("volcano",),
    "security.istio.io": ("istio-base",),
    "source.toolkit.fluxcd.io": ("flux",),
    "sriovnetwork.openshift.io": ("sriov-operator",),
    "slinky.slurm.net": ("slurm-operator",),
    "spire.spiffe.io": ("spire-crds",),
    "templates.gatekeeper.sh": ("gatekeeper",),
    "tenancy.kcp.io": ("kcp",),
    "velero.io": ("velero",),
}
"""Components by the API group whose definitions they bring, one of which the design runs."""


def installer_of(group: str, export: Path, cluster: str, catalogue: Catalogue) -> str:
    """Return what brings the kinds of an API group, with the command where the export pins its chart.

    A built-in group that is missing means an API server too old, or one that does not serve that version.
    """
    names = INSTALLERS.get(group)
    if names is None:
        if "." not in group or group.endswith(".k8s.io"):
            return "it is part of Kubernetes: the API server is older than the export, or has it switched off"
        return "no component of the catalogue brings it: install the project's CustomResourceDefinitions"
    for name in names:
        for place in (export / "clusters" / cluster, *sorted((export / "classes").glob("*"))):
            text = _chart(place / "helm" / name / "chart.yaml", export)
            if text:
                return text
    titles = " or ".join(catalogue.components[name].name if name in catalogue.components else name for name in names)
    return f"{titles} brings it, which the export asks to have ready"


def _chart(file: Path, export: Path) -> str:
    if not file.is_file():
        return ""
    try:
        stated = mapping(read_yaml(file).data)
    except InputError:
        return ""
    chart, version = scalar_text(stated.get("chart")), scalar_text(stated.get("version"))
    values = str(file.with_name("values.yaml").relative_to(export))
    command = scalar_text(stated.get("install")).replace("values.yaml", values)
    return f"chart {chart} {version} installs it: {command}"
