"""What is built for an option: builders by the side they belong to, charts, files, or the reason why nothing is."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import field
from typing import Any, Final, Literal

from kubeanswers.records import dataclass
from tenancykit.manifests.model import Manifest, PlainFile, Requirement
from tenancykit.manifests.scope import ClusterScope, TenantScope

Side = Literal["pods", "api", "run", "hub", "hosts", "machines", "delivery", "workspace"]
"""Where objects go: the cluster pods run in (``pods``), the API tenants use (``api``), the API workloads are given to
(``run``), the cluster that holds tenants' clusters (``hub``), the cluster whose machines carry the tenants' (``hosts``:
the hub where tenants' nodes are virtual machines, else the pods' cluster), the cluster that provisions physical hosts
(``machines``: the hub where there is one), the cluster a shared delivery system runs in
(``delivery``), a tenant's workspace (``workspace``)."""

KUBERNETES: Final = "Kubernetes 1.30 to 1.37"
"""Releases whose own API the builders follow."""

ForCluster = Callable[[ClusterScope], Iterable[Manifest]]
ForTenant = Callable[[TenantScope], Iterable[Manifest]]


@dataclass(frozen=True)
class Chart:
    """A chart that a catalogue component is installed from.

    Attributes:
        component: id of the component; its ``helm`` section pins chart, repository and version.
        namespace: namespace of the release.
        side: where it is installed.
        values: Helm values for the classes of the cluster.
        requirement: what it serves.
    """

    component: str
    namespace: str
    side: Side = "pods"
    values: Callable[[ClusterScope], Mapping[str, Any]] = field(default=lambda _: {})
    requirement: Requirement = "isolation.control-plane"


@dataclass(frozen=True)
class TenantChart:
    """A chart installed once per tenant.

    Attributes:
        component: id of the component that pins it.
        side: where it is installed; the release goes into the tenant's namespace there.
        values: Helm values for the tenant.
    """

    component: str
    side: Side
    values: Callable[[TenantScope], Mapping[str, Any]]


@dataclass(frozen=True)
class OptionBuild:
    """What is built for an option.

    Attributes:
        base: builders run once per cluster, with the side they belong to.
        tenant: builders run once per tenant, with the side they belong to.
        charts: charts installed once per cluster.
        tenant_charts: charts installed once per tenant.
        files: configuration file that no API server takes, and the side it belongs to.
        upstream: release whose API the builders follow.
        reason: why there are no objects; only where there are no builders and no charts.
    """

    base: tuple[tuple[Side, ForCluster], ...] = ()
    tenant: tuple[tuple[Side, ForTenant], ...] = ()
    charts: tuple[Chart, ...] = ()
    tenant_charts: tuple[TenantChart, ...] = ()
    files: tuple[Side, Callable[[str], PlainFile]] | None = None
    upstream: str = ""
    reason: str = ""


NOTHING: Final = OptionBuild(reason="an option of the user's own catalogue: this package builds no objects for it")
