"""Which namespace belongs to which tenant, and who acts for a tenant."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Final

from kubeanswers.access.rbac import AccessRules, Grant, implied_groups, service_account_user
from kubeanswers.objects import ObjectSet

OWN_LABEL: Final = "tenancykit.dev/tenant"
TENANT_LABELS: Final = (OWN_LABEL, "capsule.clastix.io/tenant")
"""Namespace labels whose value names the tenant: ours, and Capsule's."""

PLATFORM_GROUPS: Final = frozenset({"tenancykit:platform"})
"""Group our exports reserve for the platform team; callers add their own."""

_SYSTEM_ACCOUNT: Final = "system:serviceaccount:"


@dataclass(frozen=True, slots=True, order=True)
class Principal:
    """Somebody who acts for a tenant: a user, a group's member, or a service account.

    Attributes:
        user: user name; for a group's member an invented one.
        groups: the groups the API server would see.
        title: how messages call it.
    """

    user: str
    groups: frozenset[str]
    title: str


@dataclass(frozen=True)
class Tenancy:
    """Namespaces by tenant, and the principals of each.

    Attributes:
        objects: the manifests.
        access: their RBAC rules.
        given: tenant by namespace where the caller knows better than the labels.
        platform: users and groups that act for the platform, although bound in tenants' namespaces.
    """

    objects: ObjectSet
    access: AccessRules
    given: Mapping[str, str]
    platform: frozenset[str] = PLATFORM_GROUPS

    @cached_property
    def by_namespace(self) -> Mapping[str, str]:
        """Tenant by namespace; namespaces of no tenant are the platform's and are not listed.

        A namespace the set uses but does not declare belongs to the tenant its objects are labelled with.
        """
        found: dict[str, str] = {}
        for name, labels in self.objects.namespaces.items():
            tenant = self.given.get(name) or _labelled(labels)
            if tenant:
                found[name] = tenant
        declared = {item.name for item in self.objects.of("", "Namespace")}
        for item in self.objects:
            if item.namespaced and item.namespace not in declared and _labelled(item.labels):
                found.setdefault(item.namespace, _labelled(item.labels))
        return found

    @cached_property
    def namespaces(self) -> Mapping[str, tuple[str, ...]]:
        """Namespaces by tenant, both in alphabetical order."""
        found: dict[str, list[str]] = {}
        for name, tenant in sorted(self.by_namespace.items()):
            found.setdefault(tenant, []).append(name)
        return {tenant: tuple(names) for tenant, names in sorted(found.items())}

    @property
    def tenants(self) -> tuple[str, ...]:
        """The tenants in alphabetical order."""
        return tuple(self.namespaces)

    @cached_property
    def owners(self) -> Mapping[tuple[str, str], frozenset[str]]:
        """Tenants by subject (kind, name): those in whose namespaces a RoleBinding names the user or group.

        Subjects of the platform, and those Kubernetes itself uses, are nobody's.
        """
        found: dict[tuple[str, str], set[str]] = {}
        for grant in self.access.grants:
            tenant = self.by_namespace.get(grant.namespace)
            if tenant and self._is_personal(grant):
                found.setdefault((grant.subject.kind, grant.subject.name), set()).add(tenant)
        sets: dict[frozenset[str], frozenset[str]] = {}
        return {subject: sets.setdefault(frozenset(tenants), frozenset(tenants)) for subject, tenants in found.items()}

    def _is_personal(self, grant: Grant) -> bool:
        subject = grant.subject
        if (
            subject.kind not in ("User", "Group")
            or subject.name in self.platform
            or subject.name.startswith(_SYSTEM_ACCOUNT)
        ):
            return False
        return not subject.name.startswith("system:")

    @cached_property
    def principals(self) -> Mapping[str, tuple[Principal, ...]]:
        """Who acts for each tenant: its bound users and groups, and every service account of its namespaces."""
        found: dict[str, dict[str, Principal]] = {tenant: {} for tenant in self.tenants}
        for (kind, name), tenants in sorted(self.owners.items()):
            who = _person(kind, name)
            for tenant in tenants:
                found[tenant][who.title] = who
        for namespace, name in sorted(self._accounts()):
            who = _account(namespace, name)
            found[self.by_namespace[namespace]][who.title] = who
        return {tenant: tuple(people.values()) for tenant, people in found.items()}

    def _accounts(self) -> Iterable[tuple[str, str]]:
        names = {(item.namespace, item.name) for item in self.objects.of("", "ServiceAccount")}
        names |= {(namespace, "default") for namespace in self.by_namespace}
        names |= {
            (g.subject.namespace, g.subject.name) for g in self.access.grants if g.subject.kind == "ServiceAccount"
        }
        return (pair for pair in names if pair[0] in self.by_namespace)

    def tenants_of(self, grant: Grant) -> frozenset[str]:
        """Return the tenants whose people or pods hold the grant; :data:`EVERYONE` for a group everybody is in."""
        subject = grant.subject
        if subject.kind == "ServiceAccount":
            tenant = self.by_namespace.get(subject.namespace)
            return frozenset({tenant}) if tenant else frozenset()
        name = subject.name
        if subject.kind == "Group" and name in (
            "system:authenticated",
            "system:unauthenticated",
            "system:serviceaccounts",
        ):
            return EVERYONE
        if subject.kind == "Group" and name.startswith("system:serviceaccounts:"):
            tenant = self.by_namespace.get(name.removeprefix("system:serviceaccounts:"))
            return frozenset({tenant}) if tenant else frozenset()
        if subject.kind == "User" and name.startswith(_SYSTEM_ACCOUNT) and name.count(":") == 3:
            tenant = self.by_namespace.get(name.split(":")[2])
            return frozenset({tenant}) if tenant else frozenset()
        return self.owners.get((subject.kind, name), frozenset())


def _labelled(labels: Mapping[str, str]) -> str:
    return next((labels[key] for key in TENANT_LABELS if labels.get(key)), "")


EVERYONE: Final = frozenset({"*"})
"""Stands for every tenant."""


def _person(kind: str, name: str) -> Principal:
    if kind == "Group":
        return Principal(f"member of {name}", implied_groups("", {name}), f'group "{name}"')
    return Principal(name, implied_groups(name, ()), f'user "{name}"')


def _account(namespace: str, name: str) -> Principal:
    user = service_account_user(namespace, name)
    return Principal(user, implied_groups(user, ()), f'service account "{namespace}/{name}"')
