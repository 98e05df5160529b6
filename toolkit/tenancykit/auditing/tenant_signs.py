"""Whose a namespace is: the labels, annotations and kinds by which tools and people say it, the surest first.

Sources: Flux (``flux create tenant`` labels with toolkit.fluxcd.io/tenant), Capsule, HNC (tree labels; the root of the
tree), Rancher (field.cattle.io/projectId), Kubeflow (a Profile owns the namespace of its name), vCluster (the namespace
its control plane runs in), KubeSphere, Stakater; labels whose last part is ``tenant``.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase
from functools import cache
from pathlib import Path
from typing import Any, Final

from kubeanswers.objects import ManifestObject, ObjectSet, mapping, mappings, scalar_text, texts
from kubeanswers.records import dataclass
from kubeanswers.scalars import whole_number
from kubeanswers.source import read_yaml
from tenancykit.labels import TENANT_LABEL

TENANT_LABELS: Final = (
    TENANT_LABEL,
    "capsule.clastix.io/tenant",
    "toolkit.fluxcd.io/tenant",
    "field.cattle.io/projectId",
    "kubesphere.io/workspace",
    "stakater.com/tenant",
)
"""Namespace labels whose value names the tenant."""
WEAK_LABELS: Final = ("team", "customer", "workspace", "project", "squad", "business-unit")
"""Last parts of label keys that name a tenant where nothing surer does; the report says so. Assumption."""
_SWITCHES: Final = frozenset({"enabled", "disabled", "true", "false", ""})
"""Values of labels that switch something on or off, and name nobody."""
_PLACEHOLDER: Final = re.compile(r"[$<{]")
"""What a name holds that is filled in later."""
_HNC_DEPTH: Final = ".tree.hnc.x-k8s.io/depth"
_HNC: Final = "hnc.x-k8s.io"
_VCLUSTER: Final = ("app", "vcluster")


@cache
def platform_namespaces() -> tuple[str, ...]:
    """Return patterns of namespaces taken for the platform's where no label says whose a namespace is.

    They stand in ``platform_namespaces.yaml``. Assumption: how charts and distributions call them by default.
    """
    stated: list[str] = read_yaml(Path(__file__).with_name("platform_namespaces.yaml")).data
    return tuple(stated)


def is_platform_namespace(name: str, labels: Mapping[str, str]) -> bool:
    """Return whether a namespace that is no tenant's is the platform's, by how it is called or labelled."""
    return labels.get("tenancykit.dev/component", "") != "" or any(
        fnmatchcase(name, pattern) for pattern in platform_namespaces()
    )


@dataclass(frozen=True)
class Found:
    """Tenants by namespace.

    Attributes:
        by_namespace: tenant by namespace.
        how: what said so, in words, with how many namespaces; the surest first.
        weak: whether only words such as ``team`` said so.
    """

    by_namespace: Mapping[str, str]
    how: tuple[str, ...] = ()
    weak: bool = False


def labelled(labels: Mapping[str, str], keys: Iterable[str] = ()) -> tuple[str, str]:
    """Return tenant and label key that labels of a namespace or object name; empty for none."""
    for key in (*keys, *TENANT_LABELS):
        if labels.get(key):
            return _plain(key, labels[key]), key
    for key, value in labels.items():
        if value and key.rpartition("/")[2] == "tenant":
            return value, key
    return "", ""


def _plain(key: str, value: str) -> str:
    return value.rpartition(":")[2] if key == "field.cattle.io/projectId" else value


def find_tenants(objects: ObjectSet, given: Mapping[str, str], keys: tuple[str, ...] = ()) -> Found:
    """Return whose the namespaces are: as given (globs allowed), else by labels and kinds.

    Namespaces of no tenant are the platform's and are not listed.  A namespace the set uses but does not declare
    belongs to the tenant its objects are labelled with, unless it is called as the platform's are: a project of the
    delivery tool is a tenant's, and the tool's namespace is not.
    """
    return objects.derived(f"tenants {list(given.items())} {keys}", lambda: _found(objects, given, keys))


def _found(objects: ObjectSet, given: Mapping[str, str], keys: tuple[str, ...]) -> Found:
    found: dict[str, str] = {}
    how: Counter[str] = Counter()

    def note(name: str, tenant: str, why: str) -> None:
        if tenant and name not in found:
            found[name] = tenant
            how[why] += 1

    globs = {name: tenant for name, tenant in given.items() if any(sign in name for sign in "*?[") or tenant == "*"}
    for name, labels in objects.namespaces.items():
        tenant = given.get(name, "")
        note(name, "" if tenant == "*" else tenant, "as given")
        if globs:
            note(name, _globbed(name, globs), "as given")
        tenant, key = labelled({**_annotated(objects, name), **labels}, keys)
        note(name, tenant, f"label {key}")
    for name, tenant, why in (*_by_trees(objects), *_by_kinds(objects)):
        note(name, tenant, why)
    declared = {item.name for item in objects.of("", "Namespace")}
    declared |= {name for name in objects.namespaces if is_platform_namespace(name, {})}
    for item in objects:
        if item.namespaced and item.namespace not in found and item.namespace not in declared:
            tenant, key = labelled(item.labels, keys)
            note(item.namespace, tenant, f"label {key} of objects in it")
    found = {name: tenant for name, tenant in found.items() if name in objects.namespaces}
    return Found(found, _words(how)) if found else _weakly(objects)


def _words(how: Counter[str]) -> tuple[str, ...]:
    return tuple(f"{count} by {why}" if why != "as given" else f"{count} as given" for why, count in how.most_common())


def _annotated(objects: ObjectSet, name: str) -> Mapping[str, str]:
    item = objects.get("", "Namespace", "", name)
    notes = item.annotations if item is not None and item.metadata.get("annotations") else {}
    return {key: value for key, value in notes.items() if key in TENANT_LABELS}


def _globbed(name: str, globs: Mapping[str, str]) -> str:
    for pattern, tenant in globs.items():
        if fnmatchcase(name, pattern):
            if tenant != "*":
                return tenant
            if is_platform_namespace(name, {}):
                continue
            star = re.fullmatch(re.escape(pattern).replace(r"\*", "(.*)", 1).replace(r"\*", ".*"), name)
            return (star.group(1) if star and star.groups() else "") or name
    return ""


def _by_trees(objects: ObjectSet) -> Iterable[tuple[str, str, str]]:
    """Yield namespaces of hierarchies (HNC), each with the root of its tree."""
    parents: dict[str, str] = {}
    for item in objects.of(_HNC, "SubnamespaceAnchor"):
        parents[item.name] = item.namespace
    for item in objects.of(_HNC, "HierarchyConfiguration"):
        if item.spec.get("parent"):
            parents[item.namespace] = scalar_text(item.spec["parent"])
    for name, labels in objects.namespaces.items():
        depths = [
            (depth, key.removesuffix(_HNC_DEPTH))
            for key, value in labels.items()
            if key.endswith(_HNC_DEPTH) and (depth := whole_number(value)) is not None
        ]
        if depths:
            yield name, max(depths)[1], "its hierarchy (HNC)"
    for name in sorted({*parents, *parents.values()}):
        root, seen = name, {name}
        while root in parents and parents[root] not in seen:
            root = parents[root]
            seen.add(root)
        yield name, root, "its hierarchy (HNC)"


def _by_kinds(objects: ObjectSet) -> Iterable[tuple[str, str, str]]:
    """Yield namespaces that an object of a tenancy tool makes or fills, with whose they are."""
    for item in objects.of("kubeflow.org", "Profile"):
        yield item.name, item.name, "its Kubeflow Profile"
    yield from _by_prefix(objects)
    for item in objects:
        if (item.kind in ("StatefulSet", "Deployment") and item.labels.get(_VCLUSTER[0]) == _VCLUSTER[1]) or (
            item.kind == "HelmRelease" and _is_vcluster(item)
        ):
            yield item.namespace, item.namespace, "the vCluster in it"
    for item in objects.of("", "Namespace"):
        if item.labels.get("app.kubernetes.io/part-of") == "kubeflow-profile":
            yield item.name, item.name, "its Kubeflow Profile"
    for item in objects.of("stakater.com", "Tenant") + objects.of("tenantoperator.stakater.com", "Tenant"):
        for name in texts(item.spec.get("namespaces")):
            yield name, item.name, "its Tenant"


def _by_prefix(objects: ObjectSet) -> Iterable[tuple[str, str, str]]:
    """Yield namespaces named after a Capsule Tenant, as it has its owners name them (``forceTenantPrefix``)."""
    for item in objects.of("capsule.clastix.io", "Tenant"):
        for name, labels in objects.namespaces.items():
            if name.startswith(f"{item.name}-") and not is_platform_namespace(name, labels):
                yield name, item.name, "the Capsule Tenant it is named after"


def capsule_owners(item: ManifestObject) -> list[Mapping[str, Any]]:
    """Return the owners of a Capsule Tenant; its first version had one."""
    one = mapping(item.spec.get("owner"))
    return [*mappings(item.spec.get("owners")), *([one] if one else [])]


def _is_vcluster(item: ManifestObject) -> bool:
    chart = mapping(mapping(item.spec.get("chart")).get("spec")).get("chart")
    return scalar_text(chart) == "vcluster"


def _weakly(objects: ObjectSet) -> Found:
    """Return tenants by words such as ``team``, or by the projects of Argo CD; nothing surer was found."""
    for word in WEAK_LABELS:
        named = {
            name: value
            for name, labels in objects.namespaces.items()
            for key, value in labels.items()
            if value and key.rpartition("/")[2] == word and not is_platform_namespace(name, labels)
        }
        if named:
            return Found(named, (f"{len(named)} by labels called {word}",), weak=True)
    named = {}
    for project in objects.of("argoproj.io", "AppProject"):
        for entry in mappings(project.spec.get("destinations")):
            name = scalar_text(entry.get("namespace"))
            if name and "*" not in name and not name.startswith("!") and not is_platform_namespace(name, {}):
                named.setdefault(name, project.name)
    named = {name: tenant for name, tenant in named.items() if name in objects.namespaces}
    return Found(named, (f"{len(named)} by the destinations of Argo CD projects",), weak=True) if named else Found({})


def candidates(objects: ObjectSet) -> tuple[list[str], list[str]]:
    """Return namespaces that may be tenants', and label keys on them: what to name where no tenant was found."""
    names = [
        name
        for name, labels in objects.namespaces.items()
        if not is_platform_namespace(name, labels) and not _PLACEHOLDER.search(name)
    ]
    keys = Counter(
        key
        for name in names
        for key, value in objects.namespaces[name].items()
        if key != "kubernetes.io/metadata.name"
        and not key.startswith("pod-security.kubernetes.io/")
        and value not in _SWITCHES
    )
    return sorted(names), [key for key, _ in keys.most_common()]
