"""How tenants' changes reach clusters: Argo CD projects (chart 10.1, Argo CD 3.4) and Flux with lockdown (v1 APIs)."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from kubeanswers.source import dump_yaml
from tenancykit.manifests.builders.access import RBAC, RECONCILER_ROLE, bound, reconciler_rules
from tenancykit.manifests.builders.namespaces import platform_namespace
from tenancykit.manifests.builds import Chart, OptionBuild
from tenancykit.manifests.model import Manifest, PlainFile, manifest
from tenancykit.manifests.plan import cluster_name
from tenancykit.manifests.scope import ClusterScope, TenantScope

ARGO: Final = "argoproj.io/v1alpha1"
ARGO_NAMESPACE: Final = "argocd"
FLUX_NAMESPACE: Final = "flux-system"
PLATFORM_REPOSITORY: Final = "https://git.example.com/platform/clusters.git"
TENANT_REPOSITORY: Final = "https://git.example.com/tenants"
"""Repositories of the samples; the operator replaces them."""
_LOCAL: Final = "https://kubernetes.default.svc"
_CONTROLLER: Final = f"{ARGO_NAMESPACE}:argocd-application-controller"
"""What syncs the platform's own Application: with impersonation on, a project that names nobody syncs nothing
(Argo CD 3.4, https://argo-cd.readthedocs.io/en/stable/operator-manual/app-sync-using-impersonation/)."""

_SIGN_IN: Final = {
    "name": "identity",
    "issuer": "https://identity.example.com",
    "clientID": "argocd",
    "clientSecret": "$oidc.clientSecret",  # names a key of argocd-secret
    "requestedScopes": ["openid", "profile", "email", "groups"],
}
_NEVER_DELIVERED: Final = (
    ("", "LimitRange"),
    ("", "ResourceQuota"),
    ("networking.k8s.io", "NetworkPolicy"),
    ("rbac.authorization.k8s.io", "Role"),
    ("rbac.authorization.k8s.io", "RoleBinding"),
)
"""Kinds that fence a tenant in; its own repository must not carry them."""


def _argo(kind: str, name: str, spec: dict[str, Any]) -> Manifest:
    return manifest("id_argocd_projects", "delivery", "delivery", ARGO, kind, name, namespace=ARGO_NAMESPACE, spec=spec)


def argo_base(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the platform's own project and the application that keeps this folder applied."""
    yield platform_namespace(scope, "id_argocd_projects", "delivery", ARGO_NAMESPACE, "baseline")
    everything = [{"group": "*", "kind": "*"}]
    yield _argo(
        "AppProject",
        "tenancykit-platform",
        {
            "description": "The platform's own manifests; only the platform team may use it.",
            "sourceRepos": [PLATFORM_REPOSITORY],
            "destinations": [{"server": "*", "namespace": "*"}],
            "clusterResourceWhitelist": everything,
            "destinationServiceAccounts": [{"server": "*", "namespace": "*", "defaultServiceAccount": _CONTROLLER}],
        },
    )
    source = {"repoURL": PLATFORM_REPOSITORY, "targetRevision": "main", "path": f"clusters/{scope.plan.name}"}
    yield _argo(
        "Application",
        scope.plan.name,
        {
            "project": "tenancykit-platform",
            "source": source,
            "destination": {"server": _LOCAL},
            "syncPolicy": {"syncOptions": ["ServerSideApply=true"], "automated": {"prune": False, "selfHeal": True}},
        },
    )


def argo_tenants(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the tenant's project: its repository, its namespace, no kind that fences it in, its groups' rights."""
    own = scope.cls.found.cluster.per_tenant or scope.cls.found.cluster.control_plane == "virtual"
    target = {"name": cluster_name(scope.tenant)} if own else {"server": _LOCAL}
    repository = f"{TENANT_REPOSITORY}/{scope.name}.git"
    policies = [
        f"p, proj:{scope.namespace}:members, applications, {verb}, {scope.namespace}/*, allow"
        for verb in ("get", "sync")
    ]
    spec: dict[str, Any] = {
        "description": f"Tenant {scope.name}",
        "sourceRepos": [repository],
        "destinations": [{**target, "namespace": scope.namespace}],
        "clusterResourceWhitelist": [],
        "namespaceResourceBlacklist": [{"group": group, "kind": kind} for group, kind in _NEVER_DELIVERED],
        "orphanedResources": {"warn": True},
        "roles": [{"name": "members", "policies": policies, "groups": list(scope.tenant.groups)}],
    }
    where = "*" if own else _LOCAL  # a cluster destined by name is compared by its address, which is not known here
    account = {"server": where, "namespace": scope.namespace, "defaultServiceAccount": "workload-delivery"}
    spec["destinationServiceAccounts"] = [account]
    yield _argo("AppProject", scope.namespace, spec)
    application = {
        "project": scope.namespace,
        "source": {"repoURL": repository, "targetRevision": "main", "path": "."},
        "destination": {**target, "namespace": scope.namespace},
        "syncPolicy": {"syncOptions": ["CreateNamespace=false"], "automated": {"prune": True, "selfHeal": True}},
    }
    yield _argo("Application", scope.namespace, application)


def argo_accounts(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the account Argo CD impersonates when it applies a tenant's repository, with the tenant's rights only."""
    yield from _account(scope, "id_argocd_projects", "workload-delivery")


def argo_values(_: ClusterScope) -> dict[str, Any]:
    """Return Argo CD's Helm values: sign-in by the identity provider only, no default rights, impersonated syncs.

    The projects' roles go to groups of the provider; its client secret stays in ``argocd-secret``
    (https://argo-cd.readthedocs.io/en/stable/operator-manual/user-management/).
    """
    return {
        "configs": {
            "cm": {
                "users.anonymous.enabled": "false",
                "admin.enabled": "false",
                "url": "https://argocd.example.com",
                "oidc.config": dump_yaml(_SIGN_IN),
                "application.sync.impersonation.enabled": "true",
            },
            "rbac": {"policy.default": "", "policy.csv": "g, tenancykit:platform, role:admin\n"},
        },
    }


def delivery_roles(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the role by which deliveries apply a tenant's repository."""
    because = tuple(dict.fromkeys(cls.delivery for cls in scope.classes))
    yield manifest(
        because,
        "delivery",
        "access",
        RBAC,
        "ClusterRole",
        RECONCILER_ROLE,
        rules=reconciler_rules(scope.options),
    )


def _account(scope: TenantScope, option: str, name: str) -> Iterator[Manifest]:
    yield manifest(
        option,
        "delivery",
        "access",
        "v1",
        "ServiceAccount",
        name,
        namespace=scope.namespace,
        automountServiceAccountToken=False,
    )
    subject = {"kind": "ServiceAccount", "name": name, "namespace": scope.namespace}
    yield bound((option, "delivery"), name, RECONCILER_ROLE, [subject], scope.namespace)


def _flux(kind: str, api: str, name: str, namespace: str, spec: dict[str, Any]) -> Manifest:
    return manifest("id_flux_lockdown", "delivery", "delivery", api, kind, name, namespace=namespace, spec=spec)


def flux_base(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the platform's own source and the reconciliation of this cluster's folder."""
    if scope.plan.role == "tenant":
        return  # the folder of a class serves many clusters; each cluster's path stands in its tenant part
    yield from _platform_source(scope.plan.name)


def _platform_source(cluster: str) -> Iterator[Manifest]:
    source = {"url": PLATFORM_REPOSITORY, "interval": "5m", "ref": {"branch": "main"}}
    yield _flux("GitRepository", "source.toolkit.fluxcd.io/v1", "platform", FLUX_NAMESPACE, source)
    reconcile = {
        "interval": "10m",
        "path": f"./clusters/{cluster}",
        "prune": False,
        "wait": True,
        "sourceRef": {"kind": "GitRepository", "name": "platform"},
    }
    yield _flux("Kustomization", "kustomize.toolkit.fluxcd.io/v1", "platform", FLUX_NAMESPACE, reconcile)


def flux_tenants(scope: TenantScope) -> Iterator[Manifest]:
    """Yield the tenant's source and its reconciliation under the tenant's own account and rights."""
    if scope.plan.role == "tenant":
        yield from _platform_source(scope.plan.name)
    yield from _account(scope, "id_flux_lockdown", "reconciler")
    source = {"url": f"{TENANT_REPOSITORY}/{scope.name}.git", "interval": "5m", "ref": {"branch": "main"}}
    yield _flux("GitRepository", "source.toolkit.fluxcd.io/v1", "tenant", scope.namespace, source)
    reconcile = {
        "interval": "10m",
        "path": "./",
        "prune": True,
        "serviceAccountName": "reconciler",
        "targetNamespace": scope.namespace,
        "sourceRef": {"kind": "GitRepository", "name": "tenant"},
    }
    yield _flux("Kustomization", "kustomize.toolkit.fluxcd.io/v1", "tenant", scope.namespace, reconcile)


_LOCKDOWN: Final = """\
patches:
- target:
    kind: Deployment
    name: "(kustomize|helm|notification|image-reflector|image-automation)-controller"
  patch: |
    - op: add
      path: /spec/template/spec/containers/0/args/-
      value: --no-cross-namespace-refs=true
- target:
    kind: Deployment
    name: kustomize-controller
  patch: |
    - op: add
      path: /spec/template/spec/containers/0/args/-
      value: --no-remote-bases=true
- target:
    kind: Deployment
    name: "(kustomize|helm)-controller"
  patch: |
    - op: add
      path: /spec/template/spec/containers/0/args/-
      value: --default-service-account=default
"""


def lockdown_file(because: str) -> PlainFile:
    """Return the patches that lock Flux down, with the flags of its multi-tenancy page (source flux_lock)."""
    return PlainFile(
        "flux/lockdown-patches.yaml",
        _LOCKDOWN,
        "merge these patches into flux-system/kustomization.yaml when Flux is bootstrapped; the platform's own "
        "Kustomizations in flux-system then name a service account of their own",
        (because,),
    )


BUILDS: Final[dict[str, OptionBuild]] = {
    "id_argocd_projects": OptionBuild(
        (("delivery", argo_base), ("api", delivery_roles)),
        (("delivery", argo_tenants), ("api", argo_accounts)),
        (Chart("argo-cd", ARGO_NAMESPACE, "delivery", argo_values, requirement="delivery"),),
        upstream="Argo CD 3.4.4",
    ),
    "id_flux_lockdown": OptionBuild(
        (("hub", flux_base), ("pods", flux_base), ("api", delivery_roles)),
        (("api", flux_tenants),),
        files=("pods", lockdown_file),
        upstream="Flux kustomize.toolkit.fluxcd.io/v1, source.toolkit.fluxcd.io/v1",
    ),
}
"""What is built for each option that only this module serves."""
