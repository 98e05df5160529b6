"""Bindings that tenancy tools make: of Capsule Tenants, Kubeflow Profiles, trees of namespaces and Rancher projects.

Sources: https://projectcapsule.dev/docs/tenants/permissions/ (owners get admin and capsule-namespace-deleter unless
they name clusterRoles; additionalRoleBindings), https://www.kubeflow.org/docs/components/central-dash/profiles/ (the
owner is bound to kubeflow-admin, two service accounts are made), HNC (Roles and RoleBindings go down the tree by
default) and https://ranchermanager.docs.rancher.com/ (project-owner, project-member, read-only).
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import replace
from typing import Any, Final

from kubeanswers.access.rbac import RBAC_GROUP
from kubeanswers.objects import ManifestObject, ObjectSet, mapping, mappings, scalar_text, texts
from kubeanswers.selectors import Selector
from tenancykit.auditing.tenant_signs import Found, capsule_owners

_CAPSULE: Final = "capsule.clastix.io"
_OWNER_ROLES: Final = ("admin", "capsule-namespace-deleter")
_RANCHER: Final = {"project-owner": "admin", "project-member": "edit", "read-only": "view"}
_KUBEFLOW: Final = (("default-editor", "kubeflow-edit"), ("default-viewer", "kubeflow-view"))


def with_implied(objects: ObjectSet, found: Found) -> ObjectSet:
    """Return the set with the bindings that tenancy tools make in tenants' namespaces."""
    spaces: dict[str, list[str]] = {}
    for name, tenant in found.by_namespace.items():
        spaces.setdefault(tenant, []).append(name)
    made = [
        *_capsule(objects, spaces),
        *_profiles(objects),
        *_trees(objects),
        *_rancher(objects, spaces),
        *_replicated(objects, spaces),
        *_generated(objects, found),
    ]
    known = {item.identity for item in objects} if made else set()
    fresh = tuple(item for item in made if item.identity not in known)
    return replace(objects, objects=(*objects.objects, *fresh), _derived={}) if fresh else objects


def with_spaces(objects: ObjectSet) -> ObjectSet:
    """Return the set with the namespaces that Kubeflow Profiles and anchors of HNC make."""
    made = [
        ManifestObject(
            {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": item.name}}, item.where, namespaced=False
        )
        for item in (*objects.of("kubeflow.org", "Profile"), *objects.of("hnc.x-k8s.io", "SubnamespaceAnchor"))
        if item.name and item.name not in objects.namespaces
    ]
    fresh = {item.name: item for item in made}
    return replace(objects, objects=(*objects.objects, *fresh.values()), _derived={}) if fresh else objects


def _binding(
    source: ManifestObject, namespace: str, number: str, role: str, subjects: list[Mapping[str, Any]]
) -> ManifestObject:
    name = f"{source.kind.lower()}:{source.name}:{number}:{role}"
    data = {
        "apiVersion": f"{RBAC_GROUP}/v1",
        "kind": "RoleBinding",
        "metadata": {"name": name, "namespace": namespace},
        "roleRef": {"apiGroup": RBAC_GROUP, "kind": "ClusterRole", "name": role},
        "subjects": subjects,
    }
    return ManifestObject(data, source.where)


def _capsule(objects: ObjectSet, spaces: Mapping[str, list[str]]) -> Iterator[ManifestObject]:
    owners: dict[str, list[tuple[ManifestObject, Mapping[str, Any]]]] = {}
    for item in objects.of(_CAPSULE, "Tenant"):
        owners.setdefault(item.name, []).extend((item, owner) for owner in capsule_owners(item))
    for item in objects.of(_CAPSULE, "TenantOwner"):
        tenant = item.labels.get("projectcapsule.dev/tenant", "")
        owners.setdefault(tenant, []).append((item, item.spec))
    for tenant, found in owners.items():
        for number, (item, owner) in enumerate(found):
            for namespace in spaces.get(tenant, ()):
                for role in texts(owner.get("clusterRoles")) or _OWNER_ROLES:
                    yield _binding(item, namespace, str(number), role, [_subject(owner)])
    for item in objects.of(_CAPSULE, "Tenant"):
        for number, extra in enumerate(mappings(item.spec.get("additionalRoleBindings"))):
            for namespace in spaces.get(item.name, ()):
                role = scalar_text(extra.get("clusterRoleName"))
                yield _binding(item, namespace, f"more-{number}", role, list(mappings(extra.get("subjects"))))


def _replicated(objects: ObjectSet, spaces: Mapping[str, list[str]]) -> Iterator[ManifestObject]:
    """Yield what Capsule's GlobalTenantResources and TenantResources write out for each namespace of tenants."""
    labels = {item.name: item.labels for item in objects.of(_CAPSULE, "Tenant")}
    homes = {space: tenant for tenant, names in spaces.items() for space in names}
    for item in objects.of(_CAPSULE, "GlobalTenantResource", "TenantResource"):
        chosen = Selector.of(mapping(item.spec.get("tenantSelector")))
        tenants = [name for name in spaces if chosen.matches(labels.get(name, {}))]
        if item.kind == "TenantResource":
            tenants = [homes[item.namespace]] if item.namespace in homes else []
        for resource in mappings(item.spec.get("resources")):
            where = Selector.of(mapping(resource.get("namespaceSelector")))
            for name in (name for tenant in tenants for name in spaces[tenant]):
                if where.matches(objects.namespaces.get(name, {})):
                    yield from (_placed(item, raw, name) for raw in mappings(resource.get("rawItems")))


def _generated(objects: ObjectSet, found: Found) -> Iterator[ManifestObject]:
    """Yield the RoleBindings that Kyverno writes into new namespaces; what isolates is not taken for made."""
    for item in objects.of("kyverno.io", "ClusterPolicy"):
        for rule in mappings(item.spec.get("rules")):
            made = mapping(rule.get("generate"))
            data = mapping(made.get("data"))
            if made.get("kind") != "RoleBinding" or not data:
                continue
            for name in found.by_namespace:
                raw = {"kind": "RoleBinding", "metadata": {"name": made.get("name")}, **data}
                if "{{" not in str(data):
                    yield _placed(item, {**raw, "apiVersion": f"{RBAC_GROUP}/v1"}, name)


def _placed(source: ManifestObject, raw: Mapping[str, Any], namespace: str) -> ManifestObject:
    metadata = {**mapping(raw.get("metadata")), "namespace": namespace}
    return ManifestObject({**raw, "metadata": metadata}, source.where)


def _subject(owner: Mapping[str, Any]) -> Mapping[str, Any]:
    kind, name = scalar_text(owner.get("kind")), scalar_text(owner.get("name"))
    if kind == "ServiceAccount" and name.count(":") == 3:
        _, _, namespace, bare = name.split(":")
        return {"kind": kind, "name": bare, "namespace": namespace}
    return {"kind": kind, "name": name, "apiGroup": RBAC_GROUP}


def _profiles(objects: ObjectSet) -> Iterator[ManifestObject]:
    for item in objects.of("kubeflow.org", "Profile"):
        owner = mapping(item.spec.get("owner"))
        if owner.get("name"):
            yield _binding(item, item.name, "owner", "kubeflow-admin", [_subject(owner)])
        for account, role in _KUBEFLOW:
            subject = {"kind": "ServiceAccount", "name": account, "namespace": item.name}
            yield _binding(item, item.name, account, role, [subject])


def _trees(objects: ObjectSet) -> Iterator[ManifestObject]:
    """Yield the RoleBindings that go down trees of namespaces."""
    parents: dict[str, str] = {item.name: item.namespace for item in objects.of("hnc.x-k8s.io", "SubnamespaceAnchor")}
    for item in objects.of("hnc.x-k8s.io", "HierarchyConfiguration"):
        if item.spec.get("parent"):
            parents[item.namespace] = scalar_text(item.spec["parent"])
    if not parents:
        return
    by_space: dict[str, list[ManifestObject]] = {}
    for item in objects.of(RBAC_GROUP, "RoleBinding", "Role"):
        by_space.setdefault(item.namespace, []).append(item)
    for child in parents:
        above, seen = child, {child}
        while above in parents and parents[above] not in seen:
            above = parents[above]
            seen.add(above)
            for item in by_space.get(above, ()):
                metadata = {**item.metadata, "namespace": child}
                yield ManifestObject({**item.data, "metadata": metadata}, item.where)


def _rancher(objects: ObjectSet, spaces: Mapping[str, list[str]]) -> Iterator[ManifestObject]:
    for item in objects.of("management.cattle.io", "ProjectRoleTemplateBinding"):
        project = scalar_text(item.data.get("projectName")).rpartition(":")[2]
        role = _RANCHER.get(scalar_text(item.data.get("roleTemplateName")), "")
        user = scalar_text(item.data.get("userPrincipalName")) or scalar_text(item.data.get("userName"))
        group = scalar_text(item.data.get("groupPrincipalName")) or scalar_text(item.data.get("groupName"))
        subject = {"kind": "User", "name": user} if user else {"kind": "Group", "name": group}
        for namespace in spaces.get(project, ()) if role and (user or group) else ():
            yield _binding(item, namespace, "project", role, [subject])
