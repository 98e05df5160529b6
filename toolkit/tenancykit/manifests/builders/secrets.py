"""A secret store per tenant: its own identity, and rights to sync from it only (External Secrets 2.9, OpenBao 2.6).

Source: https://external-secrets.io/latest/guides/multi-tenancy/ (SecretStore per namespace; cluster-wide kinds off).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tenancykit.manifests.builders.access import RBAC, WRITE, bound, groups
from tenancykit.manifests.builders.namespaces import platform_namespace
from tenancykit.manifests.builds import Chart, OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import ClusterScope, TenantScope

ESO_NAMESPACE: Final = "external-secrets"
BAO_NAMESPACE: Final = "openbao"
_OPTION: Final = "id_eso"
_API: Final = "external-secrets.io/v1"
_GROUP: Final = "external-secrets.io"
_ACCOUNT: Final = "secret-reader"
_ROLE: Final = "tenancykit-secret-users"


def secrets_namespace(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the operator's namespace; its pods run restricted."""
    yield platform_namespace(scope, _OPTION, "identity", ESO_NAMESPACE)


def secret_roles(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield what members may do in their namespace: write ExternalSecrets, read the store; PushSecrets they may not."""
    if not any(cls.has_api_access and not cls.owns_cluster_api for cls in scope.classes):
        return
    rules = [
        {"apiGroups": [_GROUP], "resources": ["externalsecrets"], "verbs": WRITE},
        {"apiGroups": [_GROUP], "resources": ["secretstores"], "verbs": ["get", "list", "watch"]},
    ]
    yield manifest(_OPTION, "identity", "access", RBAC, "ClusterRole", _ROLE, rules=rules)


def tenant_stores(scope: TenantScope) -> Iterator[Manifest]:
    """Yield a tenant's store, the account it asks as, and the binding of the tenant's groups.

    The account is one of the tenant's namespace, so the store outside knows tenants apart and no credential is kept.
    """
    yield manifest(
        _OPTION,
        "identity",
        "access",
        "v1",
        "ServiceAccount",
        _ACCOUNT,
        namespace=scope.namespace,
        annotations=_identity(scope),
        automountServiceAccountToken=False,
    )
    yield manifest(
        _OPTION,
        "identity",
        "access",
        _API,
        "SecretStore",
        "tenant",
        namespace=scope.namespace,
        spec={"provider": _provider(scope)},
    )
    if scope.cls.has_api_access and not scope.cls.owns_cluster_api:
        yield bound((_OPTION, "identity"), "tenant-secret-users", _ROLE, groups(scope), scope.namespace)


def _identity(scope: TenantScope) -> dict[str, str]:
    """Return the annotation that ties the account to the tenant's own identity at its provider."""
    return {
        "aws": {"eks.amazonaws.com/role-arn": f"arn:aws:iam::<account>:role/{scope.namespace}"},
        "azure": {"azure.workload.identity/client-id": f"<client-of-{scope.namespace}>"},
        "gcp": {"iam.gke.io/gcp-service-account": f"{scope.namespace}@<project>.iam.gserviceaccount.com"},
    }.get(scope.cls.provider, {})


def _provider(scope: TenantScope) -> dict[str, Any]:
    """Return the store of the tenant's provider; what stands in angle brackets is the operator's to fill in."""
    account = {"serviceAccountRef": {"name": _ACCOUNT}}
    login = {"mountPath": "kubernetes", "role": scope.namespace, **account}
    if "cluster-secret-store" in scope.cls.found.facts:
        inside = f"https://openbao.{BAO_NAMESPACE}.svc:8200"
        place = {"server": inside, "namespace": scope.namespace, "path": "secrets", "version": "v2"}
        return {"vault": {**place, "auth": {"kubernetes": login}}}
    if scope.cls.provider == "aws":
        return {"aws": {"service": "SecretsManager", "region": "<region>", "auth": {"jwt": account}}}
    if scope.cls.provider == "azure":
        return {
            "azurekv": {"authType": "WorkloadIdentity", "vaultUrl": f"https://{scope.namespace}.<vaults>", **account}
        }
    if scope.cls.provider == "gcp":
        return {"gcpsm": {"projectID": f"<project>-{scope.namespace}", "auth": {"workloadIdentity": account}}}
    return {
        "vault": {
            "server": "https://secrets.example.com",
            "path": f"tenants/{scope.namespace}",
            "version": "v2",
            "auth": {"kubernetes": login},
        }
    }


def eso_values(_: ClusterScope) -> dict[str, Any]:
    """Return the operator's Helm values: the kinds that reach over all namespaces are neither served nor followed."""
    return {
        "installCRDs": True,
        "crds": {
            "createClusterExternalSecret": False,
            "createClusterSecretStore": False,
            "createClusterGenerator": False,
            "createClusterPushSecret": False,
            "createPushSecret": False,
        },
        "processClusterExternalSecret": False,
        "processClusterStore": False,
        "processClusterGenerator": False,
        "processClusterPushSecret": False,
        "processPushSecret": False,
    }


def bao_namespace(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the namespace of the secret store's servers; they run restricted."""
    yield platform_namespace(scope, "id_openbao", "identity", BAO_NAMESPACE)


def bao_values(scope: ClusterScope) -> dict[str, Any]:
    """Return the store's Helm values: TLS on, three servers where availability is asked for, no injector."""
    replicas = 3 if any("high-availability" in cls.found.facts for cls in scope.classes) else 1
    return {
        "global": {"tlsDisable": False},
        "injector": {"enabled": False},
        "server": {
            "ha": {"enabled": True, "replicas": replicas, "raft": {"enabled": True}},
            "dataStorage": {"enabled": True},
        },
    }


BUILDS: Final[dict[str, OptionBuild]] = {
    "id_eso": OptionBuild(
        (("api", secrets_namespace), ("api", secret_roles)),
        (("api", tenant_stores),),
        (Chart("external-secrets", ESO_NAMESPACE, "api", eso_values, requirement="identity"),),
        upstream="External Secrets Operator 2.9 (external-secrets.io/v1)",
    ),
    "id_openbao": OptionBuild(
        (("pods", bao_namespace),),
        charts=(Chart("openbao", BAO_NAMESPACE, values=bao_values, requirement="identity"),),
        upstream="OpenBao 2.6.2 (chart 0.29.2)",
    ),
}
"""What is built for each option that only this module serves."""
