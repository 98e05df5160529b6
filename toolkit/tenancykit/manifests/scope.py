"""What a builder is given: the cluster or the tenant it builds for, and the names both sides must agree on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import field
from functools import cached_property
from typing import Final

from kubeanswers.records import dataclass
from tenancykit.catalogue.reading import Catalogue
from tenancykit.design.boards import vendor_of
from tenancykit.design.facts import api_access
from tenancykit.design.model import ClassDesign
from tenancykit.manifests.devices import ClassDevices
from tenancykit.manifests.plan import ClusterPlan
from tenancykit.manifests.promises import Promises
from tenancykit.manifests.sizing import Demand, total_demand
from tenancykit.scenario.model import Exposure, Scenario, Workload
from tenancykit.scenario.naming import Tenant

INGRESS_NAMESPACE: Final = "tenancykit-ingress"
MONITORING_NAMESPACE: Final = "tenancykit-monitoring"
SYSTEM_NAMESPACE: Final = "tenancykit-system"


EXAMPLE_DOMAIN: Final = "tenants.example.com"
"""Domain of exposed workloads in the samples; the operator replaces it."""


@dataclass(frozen=True)
class ClassScope:
    """One tenant class in an export, with what its builders share.

    Attributes:
        scenario: what is asked.
        catalogue: where options and charts are looked up.
        found: the class with its options.
        promises: what queues promise tenants of all classes, so that it fits the fleet.
    """

    scenario: Scenario
    catalogue: Catalogue
    found: ClassDesign
    promises: Promises = field(default_factory=Promises, repr=False, compare=False)
    _demands: dict[int, tuple[object, Demand, tuple[tuple[Workload, int], ...]]] = field(
        default_factory=dict, repr=False, compare=False
    )

    @property
    def id(self) -> str:
        """Id of the class."""
        return self.found.tenant_class.id

    @cached_property
    def options(self) -> frozenset[str]:
        """Ids of the options the class chose."""
        return frozenset(self.found.choice.options)

    @cached_property
    def devices(self) -> ClassDevices:
        """How the class's pods ask for GPUs."""
        return ClassDevices.of(self.found, self.scenario, self.catalogue)

    @cached_property
    def has_api_access(self) -> bool:
        """Whether tenants of the class hold credentials of a Kubernetes API."""
        return api_access(self.found.tenant_class)

    @cached_property
    def owns_cluster_api(self) -> bool:
        """Whether a tenant may hold cluster-wide rights: it has an API server of its own and asks for them."""
        own = self.found.cluster.per_tenant or self.found.cluster.control_plane in ("virtual", "logical")
        return own and "cluster-api-access" in self.found.facts

    @property
    def admission_reports(self) -> bool:
        """Whether policies only report what breaks them (``team.admission: audit``), so that nothing is refused."""
        return self.scenario.team.admission == "audit"

    @cached_property
    def delivery(self) -> str:
        """Id of the delivery option, or an empty string."""
        option = self.found.chosen("identity_gitops", "delivery")
        return option.id if option else ""

    @cached_property
    def provider(self) -> str:
        """Provider of the first site."""
        return self.scenario.infrastructure.sites[0].provider

    def demand(self, tenant: Tenant) -> Demand:
        """Return what all workloads of a tenant ask for together."""
        return self._sized(tenant)[1]

    def workloads(self, tenant: Tenant) -> tuple[tuple[Workload, int], ...]:
        """Return the tenant's workload templates with their replicas; those with none are left out."""
        return self._sized(tenant)[2]

    def _sized(self, tenant: Tenant) -> tuple[object, Demand, tuple[tuple[Workload, int], ...]]:
        # Tenants of a class share one tuple of uses: its identity is the cheapest key, and it is kept alive here.
        key = id(tenant.workloads)
        if key not in self._demands:
            replicas: dict[str, int] = {}
            for use in tenant.workloads:
                template = self.scenario.workload(use.template)
                count = template.replicas if use.replicas is None else use.replicas
                replicas[template.id] = replicas.get(template.id, 0) + count
            counted = tuple((self.scenario.workload(i), n) for i, n in replicas.items() if n)
            self._demands[key] = (tenant.workloads, total_demand(counted, self.found, self.devices), counted)
        return self._demands[key]

    def exposed(self, tenant: Tenant) -> tuple[tuple[Workload, Exposure], ...]:
        """Return the workloads of a tenant that are called from outside their pods."""
        return tuple((w, w.exposure) for w, _ in self.workloads(tenant) if w.exposure is not None)


def with_required(components: Iterable[str], catalogue: Catalogue) -> frozenset[str]:
    """Return components with all that they cannot run without."""
    found: set[str] = set()
    pending = list(components)
    while pending:
        name = pending.pop()
        if name not in found:
            found.add(name)
            pending.extend(catalogue.components[name].requires)
    return frozenset(found)


@dataclass(frozen=True)
class ClusterScope:
    """A cluster with the classes that chose the option being built.

    Attributes:
        plan: the cluster.
        classes: scopes of those of its classes that chose the option.
        everyone: scopes of all its classes.
    """

    plan: ClusterPlan
    classes: tuple[ClassScope, ...]
    everyone: tuple[ClassScope, ...]

    @property
    def scenario(self) -> Scenario:
        """The scenario."""
        return self.everyone[0].scenario

    @property
    def catalogue(self) -> Catalogue:
        """The catalogue."""
        return self.everyone[0].catalogue

    @cached_property
    def options(self) -> frozenset[str]:
        """Ids of the options any class of the cluster chose."""
        return frozenset().union(*(scope.options for scope in self.everyone))

    @cached_property
    def makers(self) -> frozenset[str]:
        """Makers of the accelerators on offer; NVIDIA where none is known."""
        offered = (model for scope in self.everyone for model in scope.devices.offered)
        return frozenset(vendor_of(model) or "nvidia" for model in offered) or frozenset({"nvidia"})

    @cached_property
    def components(self) -> frozenset[str]:
        """Ids of the components those options need, and of those these cannot run without."""
        chosen = (option for scope in self.everyone for option in scope.found.options)
        return with_required((name for option in chosen for name in option.components), self.catalogue)


@dataclass(frozen=True)
class TenantScope:
    """A tenant in the folder being built.

    Attributes:
        tenant: the tenant.
        cls: its class.
        plan: the cluster whose folder is being built.
        ordinal: 0-based position among all tenants of the scenario; fixes addresses and partition keys.
    """

    tenant: Tenant
    cls: ClassScope
    plan: ClusterPlan
    ordinal: int

    @property
    def name(self) -> str:
        """Kubernetes name of the tenant."""
        return self.tenant.kubernetes_name

    @property
    def namespace(self) -> str:
        """Namespace of the tenant."""
        return tenant_namespace(self.tenant)

    @property
    def options(self) -> frozenset[str]:
        """Ids of the options its class chose."""
        return self.cls.options

    @property
    def scenario(self) -> Scenario:
        """The scenario."""
        return self.cls.scenario


def tenant_namespace(tenant: Tenant) -> str:
    """Return the namespace of a tenant, apart from every system namespace whatever the tenant is called."""
    return f"t-{tenant.kubernetes_name}"


def pool_of(cls: ClassScope, tenant: Tenant | None) -> str:
    """Return the value of the pool label that a class's (or a tenant's) nodes carry; empty where nodes are shared."""
    domain = cls.found.placement.domain
    if domain == "fleet" or is_alone(cls):
        return ""
    if domain == "class" or tenant is None:
        return cls.id
    return f"t-{tenant.kubernetes_name}"


def is_alone(cls: ClassScope) -> bool:
    """Return whether nobody shares the nodes anyway, because each tenant has a cluster with nodes of its own."""
    return cls.found.cluster.per_tenant


SHARED_CLASSES: Final = ("tenancykit-standard", "tenancykit-standard-shared")
"""StorageClasses that tenants without classes of their own share."""


def storage_class(cls: ClassScope, tenant: Tenant, *, shared: bool) -> str:
    """Return the name of the StorageClass a tenant's volumes use; ``shared`` for volumes many pods mount."""
    suffix = "-shared" if shared else ""
    if "tenant-storage-class" in cls.found.facts:
        return f"t-{tenant.kubernetes_name}{suffix}"
    return SHARED_CLASSES[shared]


def priority_class(workload: Workload) -> str:
    """Return the name of the PriorityClass of a workload."""
    sign = "minus-" if workload.priority < 0 else ""
    kind = "preemptible-" if workload.preemptible else ""
    return f"tenancykit-{kind}{sign}{abs(workload.priority)}"
