"""Which namespace belongs to which tenant, and who acts for a tenant."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from functools import cached_property
from typing import Final

from kubeanswers.access.powers import effective, powers_of
from kubeanswers.access.rbac import AccessRules, Grant, implied_groups, service_account_user
from kubeanswers.objects import ObjectSet, mapping, scalar_text
from kubeanswers.records import dataclass
from tenancykit.auditing.tenant_signs import TENANT_LABELS, Found, capsule_owners, find_tenants, is_platform_namespace

__all__ = ["EVERYONE", "PLATFORM_GROUPS", "TENANT_LABELS", "Principal", "Tenancy", "is_platform_namespace"]

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
        given: tenant by namespace, or by a glob of namespaces, where the caller knows better than the labels.
        platform: users and groups that act for the platform, although bound in tenants' namespaces.
        label_keys: further labels of namespaces that name the tenant.
    """

    objects: ObjectSet
    access: AccessRules
    given: Mapping[str, str]
    platform: frozenset[str] = PLATFORM_GROUPS
    label_keys: tuple[str, ...] = ()

    @cached_property
    def found(self) -> Found:
        """Whose the namespaces are, and what says so."""
        return find_tenants(self.objects, self.given, self.label_keys)

    @property
    def by_namespace(self) -> Mapping[str, str]:
        """Tenant by namespace; namespaces of no tenant are the platform's and are not listed."""
        return self.found.by_namespace

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
        """Tenants by subject (kind, name): those whose people a user or group is, as far as bindings and names tell.

        A subject bound in the namespaces of one tenant is that tenant's.  One bound in several is its of whom it is
        named after, else whose only subject it is, else where it holds the most; where none of that tells, it is all
        theirs.  One that is bound only cluster-wide is its that it is named after.  Subjects of the platform, and those
        Kubernetes itself uses, are nobody's.
        """
        bound: dict[tuple[str, str], dict[str, list[Grant]]] = {}
        wide: set[tuple[str, str]] = set()
        for grant in self.access.grants:
            key = (grant.subject.kind, grant.subject.name)
            tenant = self.by_namespace.get(grant.namespace)
            if not self._is_personal(grant):
                continue
            if tenant:
                bound.setdefault(key, {}).setdefault(tenant, []).append(grant)
            else:
                wide.add(key)
        people: dict[str, int] = {}
        for tenants in bound.values():
            for tenant in tenants:
                people[tenant] = people.get(tenant, 0) + 1
        sets: dict[frozenset[str], frozenset[str]] = {}
        found = {key: self._home(key, tenants, people) for key, tenants in bound.items()}
        found |= {key: home for key in wide - bound.keys() if (home := self._named_after(*key))}
        found |= {key: tenants | found.get(key, frozenset()) for key, tenants in self._stated.items()}
        return {subject: sets.setdefault(tenants, tenants) for subject, tenants in found.items()}

    def _home(
        self, key: tuple[str, str], tenants: Mapping[str, Sequence[Grant]], people: Mapping[str, int]
    ) -> frozenset[str]:
        everybody = frozenset(tenants)
        if len(everybody) == 1:
            return everybody
        named = self._named_after(*key) & everybody
        if len(named) == 1:
            return named
        alone = frozenset(tenant for tenant in everybody if people[tenant] == 1)
        if len(alone) == 1:
            return alone
        held = {tenant: self._strength(grants) for tenant, grants in tenants.items()}
        most = max(held.values())
        strongest = frozenset(tenant for tenant, strength in held.items() if strength == most)
        return strongest if len(strongest) == 1 else everybody

    def _strength(self, grants: Sequence[Grant]) -> int:
        rules = [rule for grant in grants for rule in effective(grant.rules, self.objects.kinds)]
        return len(powers_of(rules, in_namespace=True))

    @cached_property
    def _stated(self) -> Mapping[tuple[str, str], frozenset[str]]:
        """Owners that objects of tenancy tools name: of Capsule Tenants and Kubeflow Profiles."""
        found: dict[tuple[str, str], set[str]] = {}
        tenants = frozenset(self.tenants)
        entries = [
            (item.name, owner)
            for item in self.objects.of("capsule.clastix.io", "Tenant")
            for owner in capsule_owners(item)
        ]
        entries += [(item.name, mapping(item.spec.get("owner"))) for item in self.objects.of("kubeflow.org", "Profile")]
        for tenant, owner in entries:
            kind, name = scalar_text(owner.get("kind")), scalar_text(owner.get("name"))
            if tenant in tenants and kind in ("User", "Group") and not name.startswith("system:"):
                found.setdefault((kind, name), set()).add(tenant)
        return {subject: frozenset(names) for subject, names in found.items() if subject[1] not in self.platform}

    @cached_property
    def _names(self) -> Mapping[tuple[str, ...], frozenset[str]]:
        """Tenants by the words of their own names and of their namespaces' names."""
        found: dict[tuple[str, ...], set[str]] = {}
        for tenant, namespaces in self.namespaces.items():
            for name in (tenant, *namespaces):
                found.setdefault(_tokens(name), set()).add(tenant)
        return {tokens: frozenset(tenants) for tokens, tenants in found.items() if tokens}

    def _named_after(self, kind: str, name: str) -> frozenset[str]:
        """Return the tenants a user or group is named after: its name begins or ends with theirs."""
        tokens = _tokens(name)
        for length in range(len(tokens), 0, -1):
            for part in (tokens[:length], tokens[-length:]):
                if length == 1 and len(part[0]) == 1 and kind != "Group":
                    continue
                if part in self._names:
                    return self._names[part]
        return frozenset()

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
        if subject.kind == "User" and name == "system:anonymous":
            return EVERYONE
        if subject.kind == "Group" and name.startswith("system:serviceaccounts:"):
            tenant = self.by_namespace.get(name.removeprefix("system:serviceaccounts:"))
            return frozenset({tenant}) if tenant else frozenset()
        if subject.kind == "User" and name.startswith(_SYSTEM_ACCOUNT) and name.count(":") == 3:
            tenant = self.by_namespace.get(name.split(":")[2])
            return frozenset({tenant}) if tenant else frozenset()
        return self.owners.get((subject.kind, name), frozenset())


_GENERIC: Final = frozenset(
    {"tenant", "tenants", "team", "teams", "group", "ns", "t", "project", "oidc", "ldap", "sso"}
)
"""Words that names of groups and namespaces carry beside the tenant's own."""


def _tokens(name: str) -> tuple[str, ...]:
    """Return the words of a name without those that say nothing; a name of such words alone is kept whole."""
    words = tuple(word for word in re.split(r"[^a-z0-9]+", name.lower()) if word)
    return tuple(word for word in words if word not in _GENERIC) or words


EVERYONE: Final = frozenset({"*"})
"""Stands for every tenant."""


def _person(kind: str, name: str) -> Principal:
    if kind == "Group":
        return Principal(f"member of {name}", implied_groups("", {name}), f'group "{name}"')
    return Principal(name, implied_groups(name, ()), f'user "{name}"')


def _account(namespace: str, name: str) -> Principal:
    user = service_account_user(namespace, name)
    return Principal(user, implied_groups(user, ()), f'service account "{namespace}/{name}"')
