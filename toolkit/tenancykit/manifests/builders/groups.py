"""Rights to write groups of Jobs and of pods: JobSet 0.12, LeaderWorkerSet 0.10, KubeRay 1.7 and Slinky 1.2.

Their controllers make pods in the tenant's own namespace, under its quotas and admission policies; what a tenant may do
there it may already do with Jobs.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from typing import Final

from tenancykit.manifests.builders.access import RBAC, WRITE, bound, groups
from tenancykit.manifests.builders.namespaces import platform_namespace
from tenancykit.manifests.builds import Chart, OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import ClusterScope, TenantScope

KINDS: Final = {
    "sch_jobset": ("jobset.x-k8s.io", ["jobsets"], "jobset-system"),
    "sch_lws": ("leaderworkerset.x-k8s.io", ["leaderworkersets"], "lws-system"),
    "sch_kuberay": ("ray.io", ["rayclusters", "rayjobs", "rayservices"], "kuberay-system"),
    "sch_slinky": ("slinky.slurm.net", ["nodesets", "controllers", "loginsets", "restapis"], "slinky"),
}
"""API group, resources and the controller's namespace, by option."""


def controller_namespace(option: str) -> Callable[[ClusterScope], Iterable[Manifest]]:
    """Return a builder of the namespace the option's controller runs in, restricted."""

    def built(scope: ClusterScope) -> Iterator[Manifest]:
        yield platform_namespace(scope, option, "workload", KINDS[option][2])

    return built


def group_role(option: str) -> Callable[[ClusterScope], Iterable[Manifest]]:
    """Return a builder of the role whose holder writes the option's kind in a namespace."""

    def built(scope: ClusterScope) -> Iterator[Manifest]:
        if any(cls.has_api_access and not cls.owns_cluster_api for cls in scope.classes):
            group, resources, _ = KINDS[option]
            rules = [{"apiGroups": [group], "resources": resources, "verbs": WRITE}]
            yield manifest(option, "workload", "access", RBAC, "ClusterRole", _role(option), rules=rules)

    return built


def group_binding(option: str) -> Callable[[TenantScope], Iterable[Manifest]]:
    """Return a builder that binds that role to a tenant's groups in its namespace."""

    def built(scope: TenantScope) -> Iterator[Manifest]:
        if scope.cls.has_api_access and not scope.cls.owns_cluster_api:
            name = f"tenant-{KINDS[option][1][0]}"
            yield bound((option, "workload"), name, _role(option), groups(scope), scope.namespace)

    return built


def _role(option: str) -> str:
    return f"tenancykit-{KINDS[option][1][0]}-users"


BUILDS: Final[dict[str, OptionBuild]] = {
    "sch_jobset": OptionBuild(
        (("pods", controller_namespace("sch_jobset")), ("api", group_role("sch_jobset"))),
        (("api", group_binding("sch_jobset")),),
        (Chart("jobset", "jobset-system", requirement="workload"),),
        upstream="JobSet 0.12.0 (jobset.x-k8s.io/v1alpha2)",
    ),
    "sch_lws": OptionBuild(
        (("pods", controller_namespace("sch_lws")), ("api", group_role("sch_lws"))),
        (("api", group_binding("sch_lws")),),
        (Chart("leader-worker-set", "lws-system", requirement="workload"),),
        upstream="LeaderWorkerSet 0.10.0 (leaderworkerset.x-k8s.io/v1)",
    ),
    "sch_kuberay": OptionBuild(
        (("pods", controller_namespace("sch_kuberay")), ("api", group_role("sch_kuberay"))),
        (("api", group_binding("sch_kuberay")),),
        (Chart("kuberay-operator", "kuberay-system", requirement="workload"),),
        upstream="KubeRay 1.7.0 (ray.io/v1)",
    ),
    "sch_slinky": OptionBuild(
        (("pods", controller_namespace("sch_slinky")), ("api", group_role("sch_slinky"))),
        (("api", group_binding("sch_slinky")),),
        (Chart("slurm-operator", "slinky", requirement="workload"),),
        upstream="Slinky 1.2.1 (slinky.slurm.net/v1beta1)",
    ),
}
"""What is built for each option that only this module serves."""
