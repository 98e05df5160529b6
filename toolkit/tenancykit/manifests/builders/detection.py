"""Runtime detection by Falco (chart 9.1) or Tetragon (1.7): agents on every node, alerts that name the tenant."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from tenancykit.manifests.builders.namespaces import platform_namespace
from tenancykit.manifests.builds import Chart, OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import ClusterScope, TenantScope

FALCO_NAMESPACE: Final = "falco"


def falco_namespace(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the agents' namespace; they watch the node's kernel, so they run privileged."""
    yield platform_namespace(scope, "pol_falco", "observability", FALCO_NAMESPACE, "privileged")


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


TETRAGON_NAMESPACE: Final = "tetragon"


def tetragon_namespace(scope: ClusterScope) -> Iterator[Manifest]:
    """Yield the agents' namespace; they load programs into the node's kernel, so they run privileged."""
    yield platform_namespace(scope, "pol_tetragon", "observability", TETRAGON_NAMESPACE, "privileged")


def tenant_tracing(scope: TenantScope) -> Iterator[Manifest]:
    """Yield what is watched in a tenant's namespace: processes that enter another namespace of the kernel are killed.

    Source: https://github.com/cilium/tetragon/blob/main/examples/tracingpolicy/ (setns; Sigkill).
    """
    spec: dict[str, Any] = {
        "kprobes": [
            {
                "call": "__x64_sys_setns",
                "syscall": True,
                "args": [{"index": 0, "type": "int"}, {"index": 1, "type": "int"}],
                "selectors": [{"matchActions": [{"action": "Sigkill"}]}],
            }
        ]
    }
    yield manifest(
        "pol_tetragon",
        "isolation.compute",
        "admission",
        "cilium.io/v1alpha1",
        "TracingPolicyNamespaced",
        "tenancykit-setns",
        namespace=scope.namespace,
        spec=spec,
    )


def tetragon_values(_: ClusterScope) -> dict[str, Any]:
    """Return the chart's values: namespaced policies on, on tainted nodes too."""
    return {"tolerations": [{"operator": "Exists"}], "tetragon": {"enablePolicyFilter": True}}


BUILDS: Final[dict[str, OptionBuild]] = {
    "pol_falco": OptionBuild(
        (("hosts", falco_namespace),),
        charts=(Chart("falco", FALCO_NAMESPACE, "hosts", falco_values, requirement="observability"),),
        upstream="Falco 0.44.1 (chart 9.1)",
    ),
    "pol_tetragon": OptionBuild(
        (("pods", tetragon_namespace),),
        (("pods", tenant_tracing),),
        (Chart("tetragon", TETRAGON_NAMESPACE, "pods", tetragon_values, requirement="observability"),),
        upstream="Tetragon 1.7.0 (cilium.io/v1alpha1)",
    ),
}
"""What is built for each option that only this module serves."""
