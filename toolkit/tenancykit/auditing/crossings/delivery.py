"""May a tenant's repository be delivered into another tenant's namespaces or clusters (Argo CD projects, Flux)?

Sources: https://argo-cd.readthedocs.io/en/stable/user-guide/projects/ (destinations are globs; an Application may only
go where its project allows) and https://fluxcd.io/flux/installation/configuration/multitenancy/ (a Kustomization
without a service account acts with the controller's rights, unless the controller has a default account).
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from fnmatch import fnmatchcase
from functools import cached_property
from typing import Any, Final

from kubeanswers.access.powers import powers_of
from kubeanswers.access.rbac import Rule
from kubeanswers.objects import ManifestObject, ObjectSet, mapping, mappings, scalar_text, texts
from kubeanswers.pods import pods_of
from kubeanswers.records import dataclass
from tenancykit.auditing.crossings.hostile_pods import HostilePods
from tenancykit.auditing.findings import Finding, Severity, about
from tenancykit.auditing.tenant_signs import labelled
from tenancykit.auditing.tenants import Tenancy
from tenancykit.labels import SERVES

CROSSING: Final = "user-to-delivery-hub"
_PLATFORM: Final = ("kube-system", "argocd", "flux-system")
"""Namespaces of every platform from which its delivery tool or its controllers are taken over."""
_CHOICE: Final = re.compile(r"\{([^{}]*)\}")
_HERE: Final = ("https://kubernetes.default.svc", "in-cluster")


@dataclass(frozen=True)
class Delivery:
    """What delivery systems may do for each tenant.

    Attributes:
        objects: the manifests.
        tenancy: whose namespaces these are.
        hostile: who may create objects in them.
    """

    objects: ObjectSet
    tenancy: Tenancy
    hostile: HostilePods

    @property
    def projects(self) -> list[ManifestObject]:
        """The Argo CD projects of the set."""
        return self.objects.of("argoproj.io", "AppProject")

    def owners(self, project: ManifestObject) -> frozenset[str]:
        """Return the tenants whose members or repositories use a project; empty for one of the platform."""
        found = {
            project.annotations.get(SERVES, ""),
            labelled(project.labels)[0],
            *self._by_groups(project),
            *self._by_applications(project),
            *self._by_namespaces(project),
        }
        return frozenset(found) & frozenset(self.tenancy.tenants)

    def _by_groups(self, project: ManifestObject) -> Iterator[str]:
        for role in mappings(project.spec.get("roles")):
            for group in texts(role.get("groups")):
                yield from self.tenancy.owners.get(("Group", group), frozenset())

    def _by_namespaces(self, project: ManifestObject) -> Iterator[str]:
        """Yield tenants that may create Applications of the project in their own namespaces."""
        patterns = texts(project.spec.get("sourceNamespaces"))
        for name, tenant in self.tenancy.by_namespace.items() if patterns else ():
            if any(matches(name, pattern) for pattern in patterns) and self._may_apply(name):
                yield tenant

    def _may_apply(self, namespace: str) -> bool:
        makes = self.hostile.maker(namespace, "argoproj.io", "applications")
        return bool(makes) or namespace in self._application_spaces

    @cached_property
    def _application_spaces(self) -> frozenset[str]:
        return frozenset(item.namespace for item in self.objects.of("argoproj.io", "Application"))

    @cached_property
    def _application_specs(self) -> tuple[tuple[ManifestObject, Mapping[str, Any]], ...]:
        """Applications, and the templates ApplicationSets make them from, each with its spec."""
        made = [(item, item.spec) for item in self.objects.of("argoproj.io", "Application")]
        sets = self.objects.of("argoproj.io", "ApplicationSet")
        return (*made, *((item, mapping(mapping(item.spec.get("template")).get("spec"))) for item in sets))

    @cached_property
    def _applications(self) -> Mapping[str, frozenset[str]]:
        """Tenants by project: those an Application of it serves, by annotation or because it lives with the tenant."""
        found: dict[str, set[str]] = {}
        for item, spec in self._application_specs:
            project = scalar_text(spec.get("project")) or "default"
            owner = self._of_repository.get(_repository(spec), frozenset())
            named = next(iter(owner)) if len(owner) == 1 else ""
            for tenant in (item.annotations.get(SERVES, ""), self.tenancy.by_namespace.get(item.namespace, ""), named):
                if tenant:
                    found.setdefault(project, set()).add(tenant)
        return {project: frozenset(tenants) for project, tenants in found.items()}

    @cached_property
    def _of_repository(self) -> Mapping[str, frozenset[str]]:
        """Tenants whose namespaces each repository is delivered to; one that goes to several is the platform's."""
        found: dict[str, set[str]] = {}
        for _, spec in self._application_specs:
            target = scalar_text(mapping(spec.get("destination")).get("namespace"))
            if tenant := self.tenancy.by_namespace.get(target, ""):
                found.setdefault(_repository(spec), set()).add(tenant)
        return {repository: frozenset(tenants) for repository, tenants in found.items()}

    def _by_applications(self, project: ManifestObject) -> frozenset[str]:
        return self._applications.get(project.name, frozenset())

    @cached_property
    def openings(self) -> tuple[tuple[ManifestObject, str, frozenset[str], str], ...]:
        """Object, tenant, the tenants its deliveries reach, and why; one entry per object that reaches too far."""
        found = []
        everybody = frozenset(self.tenancy.tenants)
        for project in self.projects:
            for tenant in sorted(self.owners(project)):
                reached, why = self._reached(project, tenant)
                if reached - {tenant}:
                    found.append((project, tenant, reached, why))
        for item in self._unfenced_applications():
            tenant = next(iter(self._of_repository[_repository(item.spec)]))
            why = f"{item} is of project default, which Argo CD itself makes and which allows every destination"
            found.append((item, tenant, everybody, why))
        for item in (
            *self.objects.of("kustomize.toolkit.fluxcd.io", "Kustomization"),
            *self.objects.of("helm.toolkit.fluxcd.io", "HelmRelease"),
            *self.objects.of("infra.contrib.fluxcd.io", "Terraform"),
        ):
            tenant = self.tenancy.by_namespace.get(item.namespace, "")
            if tenant and not self._confined(item):
                why = f"{item} names no service account: it acts with the controller's rights over every namespace"
                found.append((item, tenant, everybody, why))
        return tuple(found)

    def _unfenced_applications(self) -> Iterator[ManifestObject]:
        """Yield Applications of one tenant's repository in the project Argo CD makes, where no object says else."""
        if any(project.name == "default" for project in self.projects):
            return
        for item in self.objects.of("argoproj.io", "Application"):
            project = scalar_text(item.spec.get("project")) or "default"
            if project == "default" and len(self._of_repository.get(_repository(item.spec), ())) == 1:
                yield item

    def _confined(self, item: ManifestObject) -> bool:
        """Return whether a delivery acts with an account of its own, in another cluster, or with a default account."""
        return bool(item.spec.get("serviceAccountName") or item.spec.get("kubeConfig") or item.kind in self._defaulted)

    @cached_property
    def _defaulted(self) -> frozenset[str]:
        return defaulted_kinds(self.objects)

    def _reached(self, project: ManifestObject, tenant: str) -> tuple[frozenset[str], str]:
        """Return the tenants whose namespaces or clusters a project may deliver to, with the entry that allows it.

        A destination is allowed where some entry allows it and none with ``!`` denies it. Whoever delivers into a
        namespace of the platform delivers to everybody.
        """
        entries = mappings(project.spec.get("destinations"))
        denied = {place for entry in entries if _denies(entry) for place in self._places(_positive(entry))}
        reached: set[str] = set()
        why = ""
        for entry in entries:
            places = set() if _denies(entry) else self._places(entry) - denied
            more = {owner for place in places for owner in self._owners_of(place)} - {tenant}
            if more and not why:
                why = f"{project} allows destination {_words(entry)}"
                platform = sorted(place for place in places if place in _PLATFORM)
                why += f", the platform's {', '.join(platform)} included" if platform and denied else ""
            reached |= more
        wide = "" if not entries else next(self._ruling_kinds(project), "")
        if wide:
            reached |= set(self.tenancy.tenants)
            why = why or f"{project} allows {wide}"
        return frozenset(reached), why

    def _ruling_kinds(self, project: ManifestObject) -> Iterator[str]:
        """Yield the cluster-scoped kinds a project allows whose objects are worth the cluster, in words."""
        for entry in mappings(project.spec.get("clusterResourceWhitelist")):
            group, kind = scalar_text(entry.get("group")), scalar_text(entry.get("kind"))
            if kind == "*":
                yield "every cluster-scoped kind"
                continue
            served = self.objects.kinds.by_kind.values() if not entry.get("name") else ()
            for known in served:
                if not known.namespaced and matches(known.kind, kind) and matches(known.group, group or "-"):
                    found = powers_of([Rule(frozenset("*"), frozenset({known.group}), frozenset({known.resource}))])
                    if found:
                        yield f"the cluster-scoped kind {known.kind}, with which one {found[0].means}"

    def _places(self, entry: Mapping[str, Any]) -> set[str]:
        """Return the namespaces of this cluster, and the clusters of tenants as ``cluster NAME``, an entry names."""
        server, cluster = scalar_text(entry.get("server")), scalar_text(entry.get("name"))
        namespace = scalar_text(entry.get("namespace")) or "*"
        found: set[str] = set()
        if server == "*" or cluster == "*" or server in _HERE or cluster in _HERE:
            known = (*self.tenancy.by_namespace, *_PLATFORM)
            found = {name for name in known if matches(name, namespace)}
        pattern = "*" if server == "*" else cluster
        if pattern and pattern not in _HERE:
            here = set(self.tenancy.by_namespace.values()) if pattern == "*" else set()
            names = [tenant for tenant in self.tenancy.tenants if tenant not in here]
            found |= {f"cluster {tenant}" for tenant in names if matches(tenant, pattern)}
        return found

    def _owners_of(self, place: str) -> frozenset[str]:
        """Return the tenants that what is delivered to a place reaches."""
        if place in _PLATFORM and place not in self.tenancy.by_namespace:
            return frozenset(self.tenancy.tenants)
        return frozenset({self.tenancy.by_namespace.get(place, place.removeprefix("cluster "))})

    def victims(self) -> dict[str, frozenset[str]]:
        """Return, for each tenant, the others its deliveries reach."""
        found: dict[str, frozenset[str]] = {}
        for _, tenant, reached, _ in self.openings:
            found[tenant] = found.get(tenant, frozenset()) | reached
        return found

    def reasons(self) -> dict[str, str]:
        """Why, by tenant."""
        return {tenant: why for _, tenant, _, why in self.openings}

    def findings(self) -> Iterator[Finding]:
        """Yield one finding per project or Kustomization that reaches other tenants."""
        for item, tenant, reached, why in self.openings:
            subject, where = about(item)
            others = sorted(reached - {tenant})
            yield Finding(
                "delivery-cross-tenant",
                Severity.HIGH if others else Severity.MEDIUM,
                subject,
                where,
                f"repositories of tenant {tenant} may be delivered to {len(others)} other tenants: {why}",
                f"{tenant} -> its repository -> {subject} -> objects of {others[0] if others else 'the platform'}",
                "name the tenant's own namespace and cluster as the only destination, and an account with its rights",
                CROSSING,
                (),
                (tenant,),
            )


_CONTROLLERS: Final = {"kustomize-controller": "Kustomization", "helm-controller": "HelmRelease"}


def defaulted_kinds(objects: ObjectSet) -> frozenset[str]:
    """Return the kinds whose controller is told an account to act with where none is named."""
    found: set[str] = set()
    for pod in pods_of(objects):
        kind = _CONTROLLERS.get(pod.name)
        for container in mappings(pod.spec.get("containers")) if kind else ():
            if any(word.startswith("--default-service-account=") for word in texts(container.get("args"))):
                found.add(str(kind))
    return frozenset(found)


def _repository(spec: Mapping[str, Any]) -> str:
    sources = [mapping(spec.get("source")), *mappings(spec.get("sources"))]
    return " ".join(f"{scalar_text(s.get('repoURL'))} {scalar_text(s.get('path'))}" for s in sources if s)


def _denies(entry: Mapping[str, Any]) -> bool:
    return any(scalar_text(entry.get(key)).startswith("!") for key in ("namespace", "server", "name"))


def _positive(entry: Mapping[str, Any]) -> dict[str, str]:
    return {key: scalar_text(entry.get(key)).removeprefix("!") for key in ("namespace", "server", "name")}


def matches(name: str, pattern: str) -> bool:
    """Return whether Argo CD's pattern covers a name: ``/regular expression/``, or a glob with ``{a,b}``.

    Source: https://argo-cd.readthedocs.io/en/stable/operator-manual/app-any-namespace/ and github.com/gobwas/glob.
    """
    if len(pattern) > 1 and pattern[0] == pattern[-1] == "/":
        try:
            return re.search(pattern[1:-1], name) is not None
        except re.error:
            return False
    choice = _CHOICE.search(pattern)
    if choice is None:
        return fnmatchcase(name, pattern)
    return any(matches(name, pattern[: choice.start()] + w + pattern[choice.end() :]) for w in choice[1].split(","))


def _words(entry: Mapping[str, Any]) -> str:
    where = scalar_text(entry.get("server")) or scalar_text(entry.get("name")) or "-"
    return f"namespace {scalar_text(entry.get('namespace')) or '-'} of {where}"
