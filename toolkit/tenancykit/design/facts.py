"""Facts of a tenant class under a design: what the catalogue's conditions may read.

Facts of the class and the infrastructure (this module names them all):

==========================  ==========================================================================================
fact                        holds where
==========================  ==========================================================================================
``team`` / ``customer``     kind of the class
``api-access``              tenants hold credentials of some Kubernetes API
``cluster-api-access``      tenants hold cluster-wide rights, or bring their own CRDs
``external-tenant``         tenants are another organisation (customers)
``trusted``, ``semi-trusted``, ``untrusted``   how far tenants trust each other
``untrusted-code``          a workload runs code nobody vouches for
``untrusted-gpu-code``      such a workload asks for GPUs, or tenants may start pods of their own that do
``gpu``                     a workload asks for GPUs
``gpu-fraction``            a workload asks for a part of a GPU
``gpu-jobs``                training or batch work asks for GPUs
``gang``                    a workload starts all or nothing
``persistent-storage``      a workload keeps volumes
``exposed`` / ``public``    a workload is called from outside its pods / from the internet
``rdma``                    a workload needs RDMA and the fabric has it
``fabric-neighbours``       the same, and so do other tenants
``asked:<level>``           at least this isolation level is required of the data plane
``regulated``, ``compliance:<regime>``   the class is under a compliance regime
``tier:<service tier>``, ``environment:<environment>``   as the scenario states them
``virtualised-nodes``       nodes are virtual machines on hosts others may share
``managed-control-plane``   a provider runs ordinary control planes
``elastic-fleet``           nodes are bought as needed
``high-availability``       control planes run in threes
``fabric:<fabric>``         RDMA fabric of the site
``provider:<provider>``     provider of a site
``site:<site>``             a site the class may use: those of its residency, or all
``several-tenants``         the class has more than one tenant
``several-classes``         there is more than one class
``single-user``             each tenant of the class runs one notebook: it is one person
``whole-board-nodes``       every machine on offer with GPUs holds a whole board of them
``maker:<maker>``           accelerators of this maker are on offer
``automation:<how>``        how changes reach clusters
``policy:audit``            admission policies report and do not refuse
``checks:<what>``           configuration is checked in the pipeline (``ci``) or verified on a schedule (``verify``)
``provider-trust:<how>``    how far the provider is trusted
``own-crds``                the class states that its tenants bring CRDs of their own
``gpu-uncut``               the way chosen to cut GPUs cuts none of the models on offer (known once options are chosen)
==========================  ==========================================================================================

On top come the ids of the chosen options and the traits they provide (``tenancykit catalogue facts`` lists those).
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from tenancykit.catalogue.model import Option
from tenancykit.design.boards import makers_on_offer, whole_boards
from tenancykit.scenario.model import Scenario, TenantClass, Workload, WorkloadUse

SITE: Final = "site:"
"""What the fact begins with that names a site a class may use."""


def class_facts(scenario: Scenario, tenant_class: TenantClass) -> frozenset[str]:
    """Return the facts of a class and its infrastructure, before any option is chosen."""
    facts = {tenant_class.kind, api_access(tenant_class) and "api-access", trust(tenant_class)}
    if tenant_class.kind == "customer":
        facts.add("external-tenant")
    if tenant_class.api_access == "cluster" or tenant_class.requirements.own_crds:
        facts.add("cluster-api-access")
    if tenant_class.requirements.own_crds:
        facts.add("own-crds")
    if tenant_class.count > 1 or len(scenario.tenants.classes) > 1:
        facts.add("several-tenants")
    if len(scenario.tenants.classes) > 1:
        facts.add("several-classes")
    if _single_user(scenario, tenant_class):
        facts.add("single-user")
    if tenant_class.compliance:
        facts.add("regulated")
        facts.update(f"compliance:{regime}" for regime in tenant_class.compliance)
    facts.add(f"tier:{tenant_class.service_tier}")
    facts.add(f"environment:{tenant_class.environment}")
    facts.update(_workload_facts(scenario, class_workloads(scenario, tenant_class)))
    if {"untrusted-code", "api-access"} <= facts:
        facts.add("untrusted-gpu-code")
    if "rdma" in facts and _has_fabric_neighbours(scenario, tenant_class):
        facts.add("fabric-neighbours")
    wishes = tenant_class.requirements
    asked = [wishes.isolation or scenario.requirements.isolation, wishes.data_plane]
    facts.update(f"asked:L{level}" for level in range(1, int(max(filter(None, asked), default="L0")[1]) + 1))
    facts.update(_infrastructure_facts(scenario))
    facts.update(f"{SITE}{site}" for site in class_sites(scenario, tenant_class))
    return frozenset(str(fact) for fact in facts if fact)


def _has_fabric_neighbours(scenario: Scenario, tenant_class: TenantClass) -> bool:
    """Return whether tenants other than one of the class talk by RDMA as well."""
    others = (each for each in scenario.tenants.classes if each is not tenant_class)
    return tenant_class.count > 1 or any(
        workload.rdma for other in others for workload in class_workloads(scenario, other)
    )


def class_sites(scenario: Scenario, tenant_class: TenantClass) -> tuple[str, ...]:
    """Return the sites a class may use: those of its residency, or all where it states none or none matches."""
    wanted = {place.lower() for place in tenant_class.residency}
    sites = scenario.infrastructure.sites
    return tuple(site.id for site in sites if site.jurisdiction.lower() in wanted) or tuple(site.id for site in sites)


def access(tenant_class: TenantClass) -> str:
    """Return what tenants of the class may do at the Kubernetes API (default: teams namespaced, customers nothing)."""
    return tenant_class.api_access or ("namespace" if tenant_class.kind == "team" else "none")


def api_access(tenant_class: TenantClass) -> bool:
    """Return whether tenants of the class hold credentials of a Kubernetes API."""
    return access(tenant_class) != "none"


def trust(tenant_class: TenantClass) -> str:
    """Return how far tenants of the class trust each other (default: teams semi, customers not)."""
    return tenant_class.trust or ("semi-trusted" if tenant_class.kind == "team" else "untrusted")


def class_workloads(scenario: Scenario, tenant_class: TenantClass) -> tuple[Workload, ...]:
    """Return the workload templates that some tenant of the class uses."""
    uses = list(tenant_class.workloads)
    for tenant in scenario.tenants.named:
        if tenant.tenant_class == tenant_class.id and tenant.workloads is not None:
            uses.extend(tenant.workloads)
    return tuple(scenario.workload(identifier) for identifier in dict.fromkeys(use.template for use in uses))


def _single_user(scenario: Scenario, tenant_class: TenantClass) -> bool:
    """Return whether every tenant of a class runs one notebook, which one person works in, whatever else it runs."""
    named = (t for t in scenario.tenants.named if t.tenant_class == tenant_class.id and t.workloads is not None)
    return tenant_class.kind == "team" and all(
        _notebooks(scenario, uses) == 1 for uses in (tenant_class.workloads, *(t.workloads or () for t in named))
    )


def _notebooks(scenario: Scenario, uses: Iterable[WorkloadUse]) -> int:
    known = ((use.replicas, scenario.workload(use.template)) for use in uses)
    return sum(found.replicas if stated is None else stated for stated, found in known if found.kind == "notebook")


def _workload_facts(scenario: Scenario, workloads: Iterable[Workload]) -> set[str]:
    facts: set[str] = set()
    for workload in workloads:
        if workload.untrusted_code:
            facts.add("untrusted-code")
            if workload.gpu:
                facts.add("untrusted-gpu-code")
        if workload.gpu and (workload.gpu.count or workload.gpu.fraction):
            facts |= _gpu_facts(workload)
        if workload.gang > 1:
            facts.add("gang")
        if workload.storage:
            facts.add("persistent-storage")
        if workload.exposure:
            facts.add("exposed")
            if workload.exposure.scope == "public":
                facts.add("public")
        if workload.rdma and scenario.infrastructure.fabric != "none":
            facts.add("rdma")
    return facts


def _gpu_facts(workload: Workload) -> set[str]:
    facts = {"gpu"}
    if workload.kind in ("training", "batch"):
        facts.add("gpu-jobs")
    if workload.gpu and workload.gpu.fraction and workload.gpu.fraction < 1:
        facts.add("gpu-fraction")
    return facts


def _infrastructure_facts(scenario: Scenario) -> set[str]:
    infrastructure = scenario.infrastructure
    facts = {f"provider:{site.provider}" for site in infrastructure.sites}
    facts.add(f"fabric:{infrastructure.fabric}")
    if infrastructure.on_virtual_machines:
        facts.add("virtualised-nodes")
    if infrastructure.control_plane == "managed":
        facts.add("managed-control-plane")
    if infrastructure.mode == "elastic":
        facts.add("elastic-fleet")
    if infrastructure.high_availability:
        facts.add("high-availability")
    if whole_boards(scenario):
        facts.add("whole-board-nodes")
    facts.update(f"maker:{maker}" for maker in makers_on_offer(scenario))
    facts.add(f"provider-trust:{infrastructure.provider_trust}")
    facts.add(f"automation:{scenario.team.automation}")
    facts.update(f"checks:{check}" for check in scenario.team.checks)
    if scenario.team.admission == "audit":
        facts.add("policy:audit")
    return facts


def design_facts(base: frozenset[str], options: Iterable[Option]) -> frozenset[str]:
    """Return the facts of a class together with the chosen options and the traits they provide."""
    facts = set(base)
    for option in options:
        facts.add(option.id)
        facts.update(option.provides)
    return frozenset(facts)
