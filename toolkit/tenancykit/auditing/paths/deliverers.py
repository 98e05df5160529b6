"""Deliveries tenants may ask for in their own namespaces, with the rights of the delivery tool's controller.

Source: https://fluxcd.io/flux/installation/configuration/multitenancy/ (without ``serviceAccountName`` a Kustomization
or HelmRelease acts as its controller, unless ``--default-service-account`` names an account).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from tenancykit.auditing.crossings.delivery import CROSSING, defaulted_kinds
from tenancykit.auditing.findings import Severity
from tenancykit.auditing.paths.model import Path, Scene, finding

_KINDS: Final = (
    ("kustomize.toolkit.fluxcd.io", "v1", "Kustomization", "kustomizations"),
    ("helm.toolkit.fluxcd.io", "v2", "HelmRelease", "helmreleases"),
    ("infra.contrib.fluxcd.io", "v1alpha2", "Terraform", "terraforms"),
)


_INSTALLED: Final = (
    ("helm.cattle.io", ("HelmChart", "HelmChartConfig"), True),
    ("fleet.cattle.io", ("GitRepo", "Bundle"), False),
)
"""Kinds whose controller installs with rights of its own, and whether with any in the cluster (K3s' helm-controller is
cluster-admin, https://docs.k3s.io/helm; Fleet's agent may be told an account, https://fleet.rancher.io/multi-tenancy)."""


def _installed(scene: Scene) -> Iterator[Path]:
    """Yield charts and repositories in tenants' namespaces that a controller of the platform installs."""
    for group, kinds, sure in _INSTALLED:
        for item, tenant in scene.of_tenants(group, *kinds):
            if not item.spec.get("serviceAccount"):
                yield Path(
                    finding(
                        "delivery-cross-tenant",
                        Severity.HIGH if sure else Severity.MEDIUM,
                        item,
                        f"is installed by its controller with rights of the controller's own; tenant {tenant} owns it",
                        f"{tenant} -> {item} -> its controller -> every namespace",
                        "keep these objects in a namespace of the platform, or name an account of the tenant",
                        CROSSING,
                        [tenant],
                    ),
                    frozenset({tenant}),
                    scene.everybody,
                    sure=sure,
                )


def delivery_paths(scene: Scene) -> Iterator[Path]:
    """Yield the tenants that may have a delivery tool's controller apply what they like with its own rights."""
    yield from _installed(scene)
    default = defaulted_kinds(scene.objects)
    there = {item.group for item in scene.objects}
    there |= {group for rules in scene.tenancy.access.rules.values() for rule in rules for group in rule.groups}
    for group, version, kind, plural in _KINDS:
        made = {"apiVersion": f"{group}/{version}", "kind": kind, "metadata": {"name": "probe"}, "spec": {}}
        seen: set[str] = set()
        for namespace, tenant in (
            sorted(scene.tenancy.by_namespace.items()) if group in there and kind not in default else ()
        ):
            if tenant not in seen and (path := _path(scene, namespace, tenant, made, plural)):
                seen.add(tenant)
                yield path


def _path(scene: Scene, namespace: str, tenant: str, made: Mapping[str, Any], plural: str) -> Path | None:
    group, kind = made["apiVersion"].partition("/")[0], made["kind"]
    space = scene.objects.get("", "Namespace", "", namespace)
    if space is None:
        return None
    own = {**made, "spec": {"serviceAccountName": "tenant"}}
    taken, who = scene.hostile.way(namespace, f"{kind} without an account", made, plural, own)
    if taken.verdict == "no":
        return None
    sure = taken.verdict == "yes" and bool(scene.objects.of(group, kind))
    return Path(
        finding(
            "delivery-cross-tenant",
            Severity.HIGH if sure else Severity.MEDIUM,
            space,
            f"{who} may create {plural} without a service account in {namespace}: they act with the controller's "
            "rights, unless it is told a default account",
            f"{tenant} -> {kind} without serviceAccountName -> its controller -> every namespace",
            "start the controller with --default-service-account and --no-cross-namespace-refs=true, or refuse "
            "objects without an account by admission",
            CROSSING,
            [tenant],
        ),
        frozenset({tenant}),
        scene.everybody,
        sure=sure,
    )
