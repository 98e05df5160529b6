"""Tenant names for people, and the Kubernetes names they map to."""

from __future__ import annotations

import hashlib
import itertools
import re
import unicodedata
from collections.abc import Iterator, Sequence
from typing import Final

from kubeanswers.records import dataclass
from tenancykit.scenario.model import NamedTenant, Scenario, TenantClass, WorkloadUse

MAX_KUBERNETES_NAME: Final = 40
"""Longest name derived for a tenant; leaves room for prefixes and suffixes within the 63 characters of a DNS label."""

_HASH_LENGTH: Final = 8
_NO_PLURAL: Final = ("ss", "us", "is", "ics", "ops", "ous")
_NO_PEOPLE: Final = frozenset({"sales", "news", "business", "plus", "express"})
"""Words that end like a plural and are none, or do not say who people are."""


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


def tenants_of(classes: Sequence[TenantClass], among: Sequence[TenantClass] = ()) -> str:
    """Return the tenants of classes in words: ``the 60 basic and 12 premium customers``, ``the 20 startups``.

    A class whose name says who they are in the plural needs no other noun.

    Args:
        classes: the classes.
        among: all classes there are; where ``classes`` are more than one and all of them, they are everybody.
    """
    if len(classes) > 1 and len(classes) == len(among):
        return "everybody"
    said = [_counted(one) for one in classes]
    for at, (here, after) in enumerate(itertools.pairwise(said)):
        if here[1] == after[1]:
            said[at] = (here[0], "")
    told = [" ".join(filter(None, parts)) for parts in said]
    return f"the {' and '.join(filter(None, [', '.join(told[:-1]), told[-1]]))}"


def _counted(tenant_class: TenantClass) -> tuple[str, str]:
    """Return how many of which class, and the noun that has to follow, if one has."""
    one, kind = tenant_class.count == 1, tenant_class.kind
    count, name = "one" if one else f"{tenant_class.count:,}", tenant_class.id
    last = name.rpartition("-")[2]
    if last in (kind, f"{kind}s"):
        stem = name.removesuffix("s")
        return f"{count} {stem if one else f'{stem}s'}", ""
    if last.endswith("s") and last not in _NO_PEOPLE and not last.endswith(_NO_PLURAL):
        return (f"one {kind} of class {name}" if one else f"{count} {name}"), ""
    return f"{count} {name}", kind if one else f"{kind}s"
