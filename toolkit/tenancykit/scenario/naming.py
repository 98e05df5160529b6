"""Tenant names for people, and the Kubernetes names they map to."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final

from tenancykit.scenario.model import NamedTenant, Scenario, TenantClass, WorkloadUse

MAX_KUBERNETES_NAME: Final = 40
"""Longest name derived for a tenant; leaves room for prefixes and suffixes within the 63 characters of a DNS label."""

_HASH_LENGTH: Final = 8


@dataclass(frozen=True)
class Tenant:
    """One tenant with its display name and its Kubernetes name.

    Attributes:
        name: what people call it; any printable text.
        kubernetes_name: DNS label of at most 40 characters, unique in the scenario.
        tenant_class: id of its class.
        workloads: what it runs.
        groups: identity-provider groups that act for it.
        index: 0-based position in its class.
    """

    name: str
    kubernetes_name: str
    tenant_class: str
    workloads: tuple[WorkloadUse, ...]
    groups: tuple[str, ...]
    index: int


def kubernetes_name(name: str) -> str:
    """Return a DNS label for any printable tenant name; equal names give equal labels.

    Case, spaces and punctuation fold into ``-``. Where letters or digits are lost (other scripts, over-long names)
    a hash of the whole name keeps different names apart. Label rules: RFC 1123, as Kubernetes applies them.
    """
    folded = unicodedata.normalize("NFKD", name)
    plain = folded.encode("ascii", "ignore").decode()
    slug = re.sub(r"[^a-z0-9]+", "-", plain.lower()).strip("-")
    lost = any(ord(c) > 127 and unicodedata.category(c)[0] in "LN" for c in folded)
    if lost or not slug or len(slug) > MAX_KUBERNETES_NAME:
        digest = hashlib.sha256(name.encode()).hexdigest()[:_HASH_LENGTH]
        room = MAX_KUBERNETES_NAME - _HASH_LENGTH - 1
        slug = f"{slug[:room].strip('-') or 'tenant'}-{digest}"
    return slug


def named_kubernetes_name(tenant: NamedTenant) -> str:
    """Return the Kubernetes name of a named tenant: the one it fixes, or the derived one."""
    return tenant.kubernetes_name or kubernetes_name(tenant.name)


def class_tenants(scenario: Scenario, tenant_class: TenantClass) -> Iterator[Tenant]:
    """Yield the tenants of a class: the named ones first, then generated ones up to the class's count."""
    named = [tenant for tenant in scenario.tenants.named if tenant.tenant_class == tenant_class.id]
    for index, tenant in enumerate(named):
        short = named_kubernetes_name(tenant)
        yield Tenant(
            name=tenant.name,
            kubernetes_name=short,
            tenant_class=tenant_class.id,
            workloads=tenant_class.workloads if tenant.workloads is None else tenant.workloads,
            groups=tenant.groups or (f"tenant:{short}",),
            index=index,
        )
    width = len(str(tenant_class.count))
    for index in range(len(named), tenant_class.count):
        short = f"{tenant_class.id[: MAX_KUBERNETES_NAME - width - 1]}-{index + 1:0{width}d}"
        yield Tenant(short, short, tenant_class.id, tenant_class.workloads, (f"tenant:{short}",), index)


def all_tenants(scenario: Scenario) -> Iterator[Tenant]:
    """Yield every tenant of the scenario, class by class."""
    for tenant_class in scenario.tenants.classes:
        yield from class_tenants(scenario, tenant_class)


def tenant_count(scenario: Scenario) -> int:
    """Return the number of tenants of the scenario today."""
    return sum(tenant_class.count for tenant_class in scenario.tenants.classes)
