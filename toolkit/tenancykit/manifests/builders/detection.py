"""Runtime detection by Falco (chart 9.1): agents on every node, alerts that name the tenant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tenancykit.manifests.builders.namespaces import pod_security_labels
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import SYSTEM_LABEL, ClusterScope

FALCO_NAMESPACE: Final = "falco"


def falco_namespace(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the agents' namespace; they watch the node's kernel, so they run privileged."""
    labels = {SYSTEM_LABEL: "true"}
    if "pol_psa" in scope.options:
        labels |= pod_security_labels("privileged", scope.scenario.kubernetes)
    yield manifest("pol_falco", "observability", "namespaces", "v1", "Namespace", FALCO_NAMESPACE, labels=labels)


def falco_values(_: ClusterScope) -> dict[str, Any]:
    """Return the chart's values: also on tainted nodes; an alert names the pod's namespace, so its tenant."""
    return {
        "tolerations": [{"operator": "Exists"}],
        "driver": {"kind": "modern_ebpf"},
        "falco": {
            "json_output": True,
            "append_output": [{"match": {"source": "syscall"}, "extra_output": "tenant=%k8s.ns.name"}],
        },
    }
