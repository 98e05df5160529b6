"""Who may do what where: Kubernetes RBAC, evaluated over manifests.

Follows the RBAC authorizer of Kubernetes 1.36 (https://kubernetes.io/docs/reference/access-authn-authz/rbac/): rules
only ever add, cluster bindings are asked before those of the namespace, a binding to a missing role grants nothing.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from functools import cached_property
from typing import Any, Final

from kubeanswers.access.default_roles import default_role_objects
from kubeanswers.objects import ManifestObject, ObjectSet, mapping, mappings, scalar_text, texts
from kubeanswers.records import dataclass
from kubeanswers.selectors import Selector

RBAC_GROUP: Final = "rbac.authorization.k8s.io"
MASTERS: Final = "system:masters"
AUTHENTICATED: Final = "system:authenticated"
_NOWHERE: Final = "<nowhere>"
_SERVICE_ACCOUNT: Final = "system:serviceaccount:"


@dataclass(frozen=True, slots=True)
class Rule:
    """One policy rule of a role.  ``*`` keeps its meaning; ``names`` empty means any name."""

    verbs: frozenset[str]
    groups: frozenset[str] = frozenset()
    resources: frozenset[str] = frozenset()
    names: frozenset[str] = frozenset()
    urls: frozenset[str] = frozenset()

    @classmethod
    def of(cls, data: Mapping[str, Any]) -> Rule:
        """Return the rule of a manifest's ``rules`` entry."""
        return cls(
            frozenset(texts(data.get("verbs"))),
            frozenset(texts(data.get("apiGroups"))),
            frozenset(texts(data.get("resources"))),
            frozenset(texts(data.get("resourceNames"))),
            frozenset(texts(data.get("nonResourceURLs"))),
        )

    def allows(self, request: Request) -> bool:
        """Return whether this rule alone allows the request."""
        if "*" not in self.verbs and request.verb not in self.verbs:
            return False
        if request.path is not None:
            return any(url_covers(url, request.path) for url in self.urls)
        if "*" not in self.groups and request.group not in self.groups:
            return False
        if not self._names_resource(request):
            return False
        return not self.names or request.name in self.names

    def _names_resource(self, request: Request) -> bool:
        if "*" in self.resources:
            return True
        if not request.subresource:
            return request.resource in self.resources
        combined = f"{request.resource}/{request.subresource}"
        return combined in self.resources or f"*/{request.subresource}" in self.resources


def url_covers(owned: str, asked: str) -> bool:
    """Return whether a rule's URL, which may end in ``*``, covers a path."""
    return owned == asked or (owned.endswith("*") and asked.startswith(owned.rstrip("*")))


@dataclass(frozen=True, slots=True)
class Request:
    """One question to the authorizer: who wants to do what.

    Attributes:
        user: user name; ``system:serviceaccount:NAMESPACE:NAME`` for a service account.
        groups: exactly the groups the user is in (``system:authenticated`` only if listed).
        verb: API verb, such as ``get`` or ``deletecollection``.
        group: API group; empty for the core group.
        resource: plural resource name.
        subresource: such as ``exec``; empty for none.
        name: object name; empty for all.
        namespace: empty for the cluster scope.
        path: a non-resource URL instead of all of the above.
    """

    user: str
    verb: str
    groups: frozenset[str] = frozenset()
    group: str = ""
    resource: str = ""
    subresource: str = ""
    name: str = ""
    namespace: str = ""
    path: str | None = None


@dataclass(frozen=True, slots=True)
class Subject:
    """One subject of a binding; ``user`` is the user name it stands for, ``group`` the group."""

    kind: str
    name: str
    namespace: str = ""

    @property
    def user(self) -> str:
        """The user name that matches; empty for a group, and for a service account without namespace."""
        if self.kind == "User":
            return self.name
        if self.kind == "ServiceAccount" and self.namespace:
            return f"{_SERVICE_ACCOUNT}{self.namespace}:{self.name}"
        return ""

    def __str__(self) -> str:
        if self.kind == "ServiceAccount":
            return f'ServiceAccount "{self.name}/{self.namespace}"'
        return f'{self.kind} "{self.name}"'


@dataclass(frozen=True, eq=False)
class Grant:
    """One subject's share of one binding: these rules, in this namespace (empty: the whole cluster)."""

    binding: ManifestObject
    role: ManifestObject | None
    role_kind: str
    role_name: str
    subject: Subject
    rules: tuple[Rule, ...]
    namespace: str

    def __str__(self) -> str:
        place = f"/{self.namespace}" if self.namespace else ""
        return (
            f'{self.binding.kind} "{self.binding.name}{place}" of {self.role_kind} "{self.role_name}" to {self.subject}'
        )


@dataclass(frozen=True)
class AccessAnswer:
    """The answer to a request.

    Attributes:
        allowed: yes or no.
        reason: in the API server's words: which binding allows, or which role is missing.
        grant: the binding that allows; None for a refusal and for ``system:masters``.
        notes: what else is worth knowing: that the resource is not known, what an allowed right amounts to.
    """

    allowed: bool
    reason: str
    grant: Grant | None = None
    notes: tuple[str, ...] = ()


@dataclass(frozen=True)
class AccessRules:
    """The RBAC objects of a set, indexed for questions.

    Attributes:
        objects: the manifests.
        with_defaults: also count the roles and bindings every fresh cluster has, unless the set redefines them.
    """

    objects: ObjectSet
    with_defaults: bool = True

    @cached_property
    def roles(self) -> Mapping[tuple[str, str], ManifestObject]:
        """Role objects by namespace (empty for a ClusterRole) and name."""
        found = {("", item.name): item for item in self._defaults if item.kind == "ClusterRole"}
        for item in self.objects.of(RBAC_GROUP, "ClusterRole", "Role"):
            found[(item.namespace, item.name)] = item
        return found

    @cached_property
    def _defaults(self) -> tuple[ManifestObject, ...]:
        return default_role_objects() if self.with_defaults else ()

    @cached_property
    def rules(self) -> Mapping[tuple[str, str], tuple[Rule, ...]]:
        """The rules each role ends up with, aggregation done."""
        own = {key: tuple(map(Rule.of, mappings(role.data.get("rules")))) for key, role in self.roles.items()}
        return {**own, **_aggregated(self.roles, own)}

    @cached_property
    def bindings(self) -> tuple[ManifestObject, ...]:
        """ClusterRoleBindings, then RoleBindings."""
        given = self.objects.of(RBAC_GROUP, "ClusterRoleBinding", "RoleBinding")
        names = {item.name for item in given if item.kind == "ClusterRoleBinding"}
        defaults = [b for b in self._defaults if b.kind == "ClusterRoleBinding" and b.name not in names]
        return (*defaults, *given)

    @cached_property
    def grants(self) -> tuple[Grant, ...]:
        """Every subject of every binding with the rules it gets."""
        return tuple(grant for binding in self.bindings for grant in self._grants_of(binding))

    def role_of(self, binding: ManifestObject) -> tuple[str, str, tuple[str, str]]:
        """Return kind, name and index of the role a binding refers to; what is no kind of role is found nowhere."""
        ref = mapping(binding.data.get("roleRef"))
        kind, name = scalar_text(ref.get("kind")), scalar_text(ref.get("name"))
        if kind == "ClusterRole":
            return kind, name, ("", name)
        return kind, name, (binding.namespace if kind == "Role" and binding.namespace else _NOWHERE, name)

    def _grants_of(self, binding: ManifestObject) -> Iterator[Grant]:
        kind, name, key = self.role_of(binding)
        role = self.roles.get(key)
        rules = self.rules.get(key, ())
        for item in mappings(binding.data.get("subjects")):
            namespace = scalar_text(item.get("namespace"))
            if item.get("kind") == "ServiceAccount":
                namespace = namespace or binding.namespace
            subject = Subject(scalar_text(item.get("kind")), scalar_text(item.get("name")), namespace)
            yield Grant(binding, role, kind, name, subject, rules, binding.namespace)

    @cached_property
    def _index(self) -> _GrantIndex:
        return _GrantIndex.of(self.grants)

    def grants_for(self, user: str, groups: Iterable[str], namespace: str = "") -> Iterator[Grant]:
        """Yield the grants of a user, those of the cluster first, then those of the namespace."""
        yield from self._index.find(user, groups, "")
        if namespace:
            yield from self._index.find(user, groups, namespace)

    def can(self, request: Request) -> AccessAnswer:
        """Return whether the request is allowed, and by which binding."""
        if MASTERS in request.groups:
            return AccessAnswer(allowed=True, reason=f"member of {MASTERS}, which is allowed before RBAC is asked")
        missing: list[str] = []
        for grant in self.grants_for(
            request.user, request.groups, "" if request.path is not None else request.namespace
        ):
            if grant.role is None:
                missing.append(f'{grant.role_kind.lower()}.{RBAC_GROUP} "{grant.role_name}" not found')
            if any(rule.allows(request) for rule in grant.rules):
                return AccessAnswer(allowed=True, reason=f"RBAC: allowed by {grant}", grant=grant)
        return AccessAnswer(allowed=False, reason=f"RBAC: {', '.join(missing)}" if missing else "no binding allows it")

    def rules_for(self, user: str, groups: Iterable[str], namespace: str) -> list[Rule]:
        """Return every rule the user holds in the namespace (empty: cluster-wide ones only)."""
        return [rule for grant in self.grants_for(user, groups, namespace) for rule in grant.rules]


@dataclass
class _GrantIndex:
    """Grants by subject and scope, so that a question costs the user's own bindings and no more."""

    by_user: dict[tuple[str, str], list[Grant]] = field(default_factory=dict)
    by_group: dict[tuple[str, str], list[Grant]] = field(default_factory=dict)

    @classmethod
    def of(cls, grants: Sequence[Grant]) -> _GrantIndex:
        index = cls()
        for grant in grants:
            subject = grant.subject
            if subject.kind == "Group":
                index.by_group.setdefault((subject.name, grant.namespace), []).append(grant)
            elif subject.user:
                index.by_user.setdefault((subject.user, grant.namespace), []).append(grant)
        return index

    def find(self, user: str, groups: Iterable[str], namespace: str) -> Iterator[Grant]:
        yield from self.by_user.get((user, namespace), ())
        for group in sorted(groups):
            yield from self.by_group.get((group, namespace), ())


def service_account_user(namespace: str, name: str) -> str:
    """Return the user name of a service account."""
    return f"{_SERVICE_ACCOUNT}{namespace}:{name}"


def service_account_groups(namespace: str) -> frozenset[str]:
    """Return the groups every service account of a namespace is in."""
    return frozenset({"system:serviceaccounts", f"system:serviceaccounts:{namespace}", AUTHENTICATED})


def implied_groups(user: str, groups: Iterable[str]) -> frozenset[str]:
    """Return the groups a real login of that user carries: authentication adds some to those given."""
    found = {*groups}
    if user.startswith(_SERVICE_ACCOUNT) and user.count(":") == 3:
        found |= service_account_groups(user.split(":")[2])
    return frozenset(found | ({"system:unauthenticated"} if user == "system:anonymous" else {AUTHENTICATED}))


def _aggregated(
    roles: Mapping[tuple[str, str], ManifestObject], own: Mapping[tuple[str, str], tuple[Rule, ...]]
) -> dict[tuple[str, str], tuple[Rule, ...]]:
    """Return the rules of the roles with an aggregationRule: those of the roles they select, written rules replaced.

    Roles that select each other in a circle keep each other's written rules, the wider of the possible outcomes.
    """
    sources = {key: _selected(key, role, roles) for key, role in roles.items() if role.data.get("aggregationRule")}

    def gather(key: tuple[str, str], path: frozenset[tuple[str, str]]) -> dict[Rule, None]:
        if key in path or key not in sources:
            return dict.fromkeys(own[key])
        merged: dict[Rule, None] = {}
        for source in sources[key]:
            merged.update(gather(source, path | {key}))
        return merged

    return {key: tuple(gather(key, frozenset())) for key in sources}


def _selected(
    key: tuple[str, str], role: ManifestObject, roles: Mapping[tuple[str, str], ManifestObject]
) -> list[tuple[str, str]]:
    terms = mappings(mapping(role.data.get("aggregationRule")).get("clusterRoleSelectors"))
    selectors = [Selector.of(term) for term in terms]
    return [
        other
        for other, candidate in roles.items()
        if not other[0] and other != key and any(selector.matches(candidate.labels) for selector in selectors)
    ]
