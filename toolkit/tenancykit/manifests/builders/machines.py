"""Machines of a tenant: which type, how many, and what provisions them (Karpenter v1, Metal3 v1alpha1)."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from math import ceil
from typing import Any, Final

from kubeanswers.quantities import GIB, cpu_text, memory_text
from kubeanswers.records import dataclass
from tenancykit.catalogue.accelerators import resources_of
from tenancykit.catalogue.prices import load_prices
from tenancykit.catalogue.reading import Catalogue
from tenancykit.labels import POOL_LABEL
from tenancykit.manifests.builders import scheduling
from tenancykit.manifests.builds import Chart, OptionBuild
from tenancykit.manifests.model import Manifest, manifest
from tenancykit.manifests.scope import ClassScope, TenantScope
from tenancykit.scenario.model import NodeOffer, Scenario

_USABLE: Final = 0.85
"""Assumption: share of a machine's CPU and memory left for pods after kubelet, system and daemon sets."""


@dataclass(frozen=True)
class Machine:
    """A machine type of the scenario with its shape.

    Attributes:
        type: name as the provider calls it.
        cpu_milli: CPU, millicores.
        memory: memory, bytes.
        gpus: GPUs.
        gpu_model: their model; empty where it has none.
    """

    type: str
    cpu_milli: int
    memory: int
    gpus: int
    gpu_model: str = ""


def machines(scenario: Scenario, catalogue: Catalogue) -> tuple[Machine, ...]:
    """Return the machine types of a scenario; one no price book describes counts as 32 CPU, 128 GiB (assumption)."""
    return tuple(_machine(offer, catalogue) for offer in scenario.infrastructure.nodes)


def _machine(offer: NodeOffer, catalogue: Catalogue) -> Machine:
    if offer.spec is not None:
        return Machine(offer.type, offer.spec.cpu, offer.spec.memory, offer.spec.gpus, offer.spec.gpu_model)
    book = load_prices(catalogue)
    price = book.prices.get(offer.type)
    shape = price.node if price else None
    if price is None or shape is None:
        return Machine(offer.type, 32_000, 128 * GIB, 0)
    return Machine(price.sku or _provider_name(offer.type), shape.cpu, shape.memory, shape.gpus, shape.gpu_model)


def _provider_name(identifier: str) -> str:
    """Return the provider's name of a machine type, read off the price book's id (``aws_p4d_24xlarge``)."""
    provider, _, rest = identifier.partition("_")
    if provider == "aws":
        family, _, size = rest.rpartition("_")
        return f"{family.replace('_', '-')}.{size}"
    return rest.replace("_", "-") or identifier


@lru_cache(maxsize=4096)
def _workers(choices: tuple[Machine, ...], cpu: int, memory: int, gpus: int) -> tuple[Machine, int]:
    fitting = [m for m in choices if bool(m.gpus) == bool(gpus)] or list(choices)
    counts = []
    for machine in fitting:
        need = [cpu / (machine.cpu_milli * _USABLE), memory / (machine.memory * _USABLE)]
        if gpus and machine.gpus:
            need.append(gpus / machine.gpus)
        counts.append((max(1, ceil(max(need))), machine))
    count, machine = min(counts, key=lambda pair: pair[0])
    return machine, count


def workers(scope: TenantScope) -> tuple[Machine, int]:
    """Return the machine type and number that hold a tenant's demand, fewest machines first."""
    demand = scope.cls.demand(scope.tenant)
    choices = _machines_of(scope.cls)
    return _workers(choices, demand.cpu_milli, demand.memory, demand.gpus)


_CACHE: Final[dict[int, tuple[Scenario, tuple[Machine, ...]]]] = {}


def _machines_of(cls: ClassScope) -> tuple[Machine, ...]:
    found = _CACHE.get(id(cls.scenario))
    if found is None or found[0] is not cls.scenario:
        _CACHE.clear()
        found = _CACHE[id(cls.scenario)] = (cls.scenario, machines(cls.scenario, cls.catalogue))
    return found[1]


def karpenter_pools(scope: TenantScope) -> Iterator[Manifest]:
    """Yield a NodePool per tenant, limited to the tenant's demand; long GPU jobs are protected by annotation.

    Karpenter 1.14, ``karpenter.sh/v1``.
    """
    demand = scope.cls.demand(scope.tenant)
    machine, count = workers(scope)
    pool = scope.namespace
    template: dict[str, Any] = {
        "metadata": {"labels": {POOL_LABEL: pool}},
        "spec": {
            "expireAfter": "720h",
            "nodeClassRef": _node_class(scope.cls.provider),
            "requirements": [
                {"key": "karpenter.sh/capacity-type", "operator": "In", "values": _capacity(scope.scenario)},
                {"key": "node.kubernetes.io/instance-type", "operator": "In", "values": [machine.type]},
            ],
        },
    }
    if not scope.cls.found.cluster.per_tenant:
        template["spec"]["taints"] = [{"key": POOL_LABEL, "value": pool, "effect": "NoSchedule"}]
    limits = {"cpu": cpu_text(machine.cpu_milli * count), "memory": memory_text(machine.memory * count)}
    if demand.gpus:
        (resource,) = resources_of([machine.gpu_model], scope.cls.catalogue.accelerators)
        limits[resource] = str(machine.gpus * count)
    spec = {
        "template": template,
        "limits": limits,
        "disruption": {
            "consolidationPolicy": "WhenEmpty",
            "consolidateAfter": "10m",
            "budgets": [{"nodes": "10%"}],
        },
    }
    api = "karpenter.sh/v1"
    yield manifest("node_karpenter", "placement", "placement", api, "NodePool", pool, spec=spec)


def _node_class(provider: str) -> dict[str, str]:
    """Return the provider's node class, which holds images, subnets and roles and is the operator's to write."""
    group, kind = {
        "aws": ("karpenter.k8s.aws", "EC2NodeClass"),
        "azure": ("karpenter.azure.com", "AKSNodeClass"),
    }.get(provider, ("karpenter.cluster.x-k8s.io", "ClusterAPINodeClass"))
    return {"group": group, "kind": kind, "name": "default"}


def _capacity(scenario: Scenario) -> list[str]:
    terms = {offer.term for offer in scenario.infrastructure.nodes}
    found = [kind for kind, term in (("spot", "spot"), ("reserved", "reserved")) if term in terms]
    return [*found, "on-demand"] if terms - {"spot"} else found


def hosts(scope: TenantScope) -> Iterator[Manifest]:
    """Yield a BareMetalHost per physical host of a tenant; BMC addresses and credentials are the operator's.

    Metal3 ``metal3.io/v1alpha1``. Disks are wiped at handover and firmware boots signed images only.
    """
    machine, count = workers(scope)
    for number in range(count):
        name = f"{scope.namespace}-{number + 1:03d}"
        spec = {
            "online": True,
            "automatedCleaningMode": "metadata",
            "bootMode": "UEFISecureBoot",
            "bmc": {
                "address": f"redfish-virtualmedia://<bmc-of-{name}>/redfish/v1/Systems/1",
                "credentialsName": f"{name}-bmc",
            },
            "description": f"{machine.type} for tenant {scope.name}",
        }
        yield manifest(
            "node_baremetal_tenant",
            "isolation.compute",
            "placement",
            "metal3.io/v1alpha1",
            "BareMetalHost",
            name,
            namespace=scope.namespace,
            labels={POOL_LABEL: scope.namespace},
            spec=spec,
        )


BUILDS: Final[dict[str, OptionBuild]] = {
    "node_baremetal_tenant": OptionBuild(
        (("pods", scheduling.node_pools),), (("machines", hosts),), upstream="Metal3 metal3.io/v1alpha1"
    ),
    "node_karpenter": OptionBuild(
        (("pods", scheduling.node_pools),),
        (("pods", karpenter_pools),),
        (Chart("karpenter", "karpenter", requirement="placement"),),
        upstream="Karpenter 1.14.1 (karpenter.sh/v1)",
    ),
}
"""What is built for each option that only this module serves."""
