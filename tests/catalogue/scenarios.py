"""Small scenarios of one or several tenant classes, for deciding which options are valid where."""

from __future__ import annotations

from typing import Any

from tenancykit.catalogue.reading import load_catalogue
from tenancykit.scenario.model import Scenario


def tenant_class(**changes: Any) -> dict[str, Any]:
    """A class of five tenants that run one workload; internal teams unless changed."""
    return {"id": "a", "kind": "team", "count": 5, "workloads": [{"template": "w"}], **changes}


def scenario(
    *classes: dict[str, Any],
    workload: dict[str, Any] | None = None,
    kubernetes: str = "1.36",
    provider: str = "aws",
    gpu_models: tuple[str, ...] = ("H100-80GB",),
    **infrastructure: Any,
) -> Scenario:
    """A scenario on bought cloud machines with managed control planes, unless changed; nothing is asked beside."""
    return Scenario.model_validate(
        {
            "schema": "tenancykit/scenario/v1",
            "name": "case",
            "kubernetes": kubernetes,
            "needs": dict.fromkeys(load_catalogue().needs, False),
            "tenants": {"classes": list(classes) or [tenant_class()]},
            "workloads": [{"id": "w", "kind": "training", "gpu": {"count": 1}, **(workload or {})}],
            "infrastructure": {
                "sites": [{"id": "site", "provider": provider}],
                "nodes": [_node(model) for model in gpu_models],
                **infrastructure,
            },
        }
    )


def _node(gpu_model: str) -> dict[str, Any]:
    spec = {"cpu": "96", "memory": "1Ti", "gpus": 8, "gpu_model": gpu_model, "price_per_hour": 30}
    return {"type": f"node-{gpu_model.lower()}", "count": 8, "spec": spec}


OWN_HOSTS: dict[str, Any] = {
    "provider": "own",
    "virtualised": False,
    "control_plane": "self-managed",
    "mode": "fixed",
}
"""Physical machines of one's own, whose control planes nobody else runs."""

TEAM = tenant_class()
CUSTOMER = tenant_class(kind="customer")
REGULATED = tenant_class(id="regulated", kind="customer", compliance=["hipaa"])
PREMIUM = tenant_class(id="premium", kind="customer", service_tier="premium")
BASIC = tenant_class(id="basic", kind="customer", service_tier="basic")
CLOUD_CUSTOMER = tenant_class(kind="customer", api_access="cluster")
RDMA = {"rdma": True}
UNTRUSTED = {"untrusted_code": True}
