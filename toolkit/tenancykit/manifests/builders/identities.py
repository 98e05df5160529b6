"""Workload identities by SPIRE: one prefix per tenant, given by namespace (spire.spiffe.io/v1alpha1, chart 0.30).

Source: https://github.com/spiffe/spire-controller-manager (ClusterSPIFFEID; selectors and templates).
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tenancykit.labels import TENANT_LABEL
from tenancykit.manifests.builders.namespaces import platform_namespace
from tenancykit.manifests.builds import Chart, OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import ClusterScope, TenantScope

SPIRE_NAMESPACE: Final = "spire"
_OPTION: Final = "id_spire"
_TRUST_DOMAIN: Final = "tenants.example.com"


def spire_namespace(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the namespace of server and agents; agents ask the node's kubelet, so they run privileged."""
    yield platform_namespace(scope, _OPTION, "identity", SPIRE_NAMESPACE, "privileged")


def tenant_identities(scope: TenantScope) -> Iterator[Manifest]:
    """Yield which identities a tenant's pods get: below the tenant's prefix, by a label only the platform writes."""
    spec: dict[str, Any] = {
        "className": SPIRE_NAMESPACE,
        "namespaceSelector": {"matchLabels": {TENANT_LABEL: scope.name}},
        "spiffeIDTemplate": (
            f"spiffe://{{{{ .TrustDomain }}}}/tenant/{scope.name}"
            "/ns/{{ .PodMeta.Namespace }}/sa/{{ .PodSpec.ServiceAccountName }}"
        ),
    }
    yield manifest(
        _OPTION,
        "identity",
        "access",
        "spire.spiffe.io/v1alpha1",
        "ClusterSPIFFEID",
        f"tenancykit-{scope.namespace}",
        spec=spec,
    )


def spire_values(scope: ClusterScope) -> dict[str, Any]:
    """Return the chart's values: our trust domain, and no identity but those of a tenant's ClusterSPIFFEID."""
    return {
        "global": {"spire": {"trustDomain": _TRUST_DOMAIN, "clusterName": scope.plan.name}},
        "spire-server": {
            "controllerManager": {
                "className": SPIRE_NAMESPACE,
                "identities": {"clusterSPIFFEIDs": {"default": {"enabled": False}}},
            }
        },
    }


BUILDS: Final[dict[str, OptionBuild]] = {
    "id_spire": OptionBuild(
        (("pods", spire_namespace),),
        (("pods", tenant_identities),),
        (
            Chart("spire-crds", SPIRE_NAMESPACE, requirement="identity"),
            Chart("spire", SPIRE_NAMESPACE, values=spire_values, requirement="identity"),
        ),
        upstream="SPIRE 1.15.3 (spire.spiffe.io/v1alpha1)",
    ),
}
"""What is built for each option that only this module serves."""
