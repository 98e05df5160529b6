"""Secrets that operators copy or fetch across tenants: cloning policies, secret stores, replicators, ReferenceGrants.

Sources: https://kyverno.io/docs/policy-types/cluster-policy/generate/ (clone),
https://external-secrets.io/latest/api/clustersecretstore/ (conditions), https://external-secrets.io/latest/provider/kubernetes/
(remoteNamespace) and external-secrets/external-secrets#2240,
https://gateway-api.sigs.k8s.io/api-types/referencegrant/
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubeanswers.objects import ManifestObject, mapping, mappings, scalar_text, texts
from kubeanswers.selectors import Selector
from tenancykit.auditing.findings import Severity
from tenancykit.auditing.paths.model import API, Path, Scene, finding

_ESO: Final = "external-secrets.io"
_REPLICATED: Final = (
    "replicator.v1.mittwald.de/replicate-to", "replicator.v1.mittwald.de/replication-allowed",
    "reflector.v1.k8s.emberstack.com/reflection-auto-enabled", "reflector.v1.k8s.emberstack.com/reflection-allowed",
    "kubed.appscode.com/sync", "config.syncer/sync",
)  # fmt: skip
_EVERYWHERE: Final = ("kubed.appscode.com/sync", "config.syncer/sync")
"""Annotations that copy into every namespace where they are empty (https://config-syncer.com/docs/)."""


def secret_paths(scene: Scene) -> Iterator[Path]:
    """Yield the Secrets that reach other tenants than their own."""
    yield from _clones(scene)
    yield from _stores(scene)
    yield from _replicas(scene)
    yield from _grants(scene)
    yield from _delegations(scene)
    yield from _sealed(scene)
    yield from _global(scene)


def _clones(scene: Scene) -> Iterator[Path]:
    """Yield generate rules of Kyverno that clone a tenant's Secret."""
    for item in scene.objects.of("kyverno.io", "ClusterPolicy"):
        made = [mapping(rule.get("generate")) for rule in mappings(item.spec.get("rules"))]
        for generate in (*made, *(part for whole in made for part in mappings(whole.get("foreach")))):
            clone, listed = mapping(generate.get("clone")), mapping(generate.get("cloneList"))
            kinds = [scalar_text(generate.get("kind")), *texts(listed.get("kinds"))]
            space = scalar_text(clone.get("namespace")) or scalar_text(listed.get("namespace"))
            if any(kind.rpartition("/")[2] == "Secret" for kind in kinds):
                name = scalar_text(clone.get("name")) or "Secrets"
                yield from _copied(scene, item, space, name, "clones it into namespaces of others")


def _copied(
    scene: Scene, item: ManifestObject, space: str, name: str, how: str, to: frozenset[str] | None = None
) -> Iterator[Path]:
    owner = scene.tenancy.by_namespace.get(space, "")
    others = (scene.everybody if to is None else to) - {owner}
    if not owner or not others:
        return
    yield Path(
        finding(
            "secret-cross-tenant",
            Severity.HIGH,
            item,
            f"{how}: Secret {space}/{name} of tenant {owner}",
            f"{min(others)} -> its copy of Secret {space}/{name} -> credentials of {owner}",
            "copy only what the platform owns, and only into the namespaces of one tenant",
            API,
            others,
        ),
        others,
        frozenset({owner}),
    )


def _stores(scene: Scene) -> Iterator[Path]:
    """Yield cluster-wide secret stores that tenants' ExternalSecrets may use with the platform's credentials."""
    stores = scene.objects.of(_ESO, "ClusterSecretStore")
    makers = scene.makers_of(_ESO, "externalsecrets") if stores else {}
    writers = scene.makers_of(_ESO, "pushsecrets") if stores else {}
    by_object = {tenant for _, tenant in scene.of_tenants(_ESO, "ExternalSecret", "PushSecret")}
    for item in stores:
        open_to = {t for n, t in scene.tenancy.by_namespace.items() if _lets(item, n, scene.objects.namespaces[n])}
        if _is_referent(item.spec.get("provider")) or not open_to:
            continue
        using = frozenset(open_to & (makers.keys() | writers.keys() | by_object))
        how = "hands it, with the platform's credentials, to tenants whose ExternalSecrets may use it"
        yield from _copied(scene, item, _space_read(item), "*", how, using)
        if len(open_to) < 2 and using == open_to:
            continue
        who = next((makers[t] for t in sorted(using) if t in makers), "")
        names = using or frozenset(open_to)
        yield Path(
            finding(
                "secret-store-open",
                Severity.HIGH if using else Severity.MEDIUM,
                item,
                f"every ExternalSecret of {len(open_to)} tenants may read any path of the store with the platform's "
                f"credentials; {who or 'nobody of a tenant is seen to may create one'}",
                f"{min(names)} -> ExternalSecret -> {item} -> any path of the store -> credentials of other tenants",
                "give each tenant a SecretStore with credentials of its own, or set spec.conditions to one tenant",
                API,
                names,
            ),
            names,
            scene.everybody if using else frozenset(),
            sure=bool(who),
        )


def _space_read(item: ManifestObject) -> str:
    """Return the namespace of this cluster that a store of Kubernetes' own Secrets reads; empty for other stores."""
    provider = mapping(mapping(item.spec.get("provider")).get("kubernetes"))
    server = scalar_text(mapping(provider.get("server")).get("url"))
    return scalar_text(provider.get("remoteNamespace")) if not server or "//kubernetes.default" in server else ""


def _lets(item: ManifestObject, name: str, labels: Mapping[str, str]) -> bool:
    conditions = mappings(item.spec.get("conditions"))
    if not conditions:
        return True
    for entry in conditions:
        chosen = entry.get("namespaceSelector")
        if isinstance(chosen, Mapping) and Selector.of(chosen).matches(labels):
            return True
        if name in texts(entry.get("namespaces")):
            return True
        if any(_matches(pattern, name) for pattern in texts(entry.get("namespaceRegexes"))):
            return True
    return False


def _matches(pattern: str, name: str) -> bool:
    try:
        return re.search(pattern, name) is not None
    except re.error:
        return True


def _is_referent(provider: Any) -> bool:
    """Return whether the store asks with a service account of the ExternalSecret's own namespace."""
    level = [provider]
    for _ in range(8):
        for value in level:
            reference = mapping(value).get("serviceAccountRef")
            if isinstance(reference, Mapping) and reference.get("name") and not reference.get("namespace"):
                return True
        level = [inner for value in level for inner in mapping(value).values() if isinstance(inner, Mapping)]
    return False


def _replicas(scene: Scene) -> Iterator[Path]:
    for item, _ in scene.of_tenants("", "Secret"):
        notes = item.annotations
        key = next((key for key in _EVERYWHERE if notes.get(key) == ""), "")
        key = key or next((key for key in _REPLICATED if notes.get(key) not in (None, "", "false")), "")
        if key:
            yield from _copied(scene, item, item.namespace, item.name, f"annotation {key} lets a replicator copy it")


def _sealed(scene: Scene) -> Iterator[Path]:
    for item, tenant in scene.of_tenants("bitnami.com", "SealedSecret"):
        if item.annotations.get("sealedsecrets.bitnami.com/cluster-wide") == "true":
            others = scene.everybody - {tenant}
            yield Path(
                finding(
                    "secret-cross-tenant",
                    Severity.MEDIUM,
                    item,
                    "is sealed cluster-wide: whoever reads the file unseals it in a namespace of its own",
                    f"another tenant -> a copy of {item} in its own namespace -> credentials of {tenant}",
                    "seal it for its namespace and name (the default scope)",
                    API,
                    others,
                )
            )


def _grants(scene: Scene) -> Iterator[Path]:
    """Yield ReferenceGrants that let another tenant's objects name this tenant's Secrets or Services."""
    for item, tenant in scene.of_tenants("gateway.networking.k8s.io", "ReferenceGrant"):
        kinds = [scalar_text(entry.get("kind")) for entry in mappings(item.spec.get("to"))]
        for entry in mappings(item.spec.get("from")):
            other = scene.tenancy.by_namespace.get(scalar_text(entry.get("namespace")), "")
            if not other or other == tenant:
                continue
            secret = "Secret" in kinds
            yield Path(
                finding(
                    "reference-granted",
                    Severity.HIGH if secret else Severity.MEDIUM,
                    item,
                    f"lets {scalar_text(entry.get('kind'))}s of tenant {other} name {', '.join(kinds)} of {tenant}",
                    f"{other} -> {scalar_text(entry.get('kind'))} -> {', '.join(kinds)} in {item.namespace}",
                    "grant references only between namespaces of one tenant",
                    API if secret else "",
                    [other],
                ),
                frozenset({other}) if secret else frozenset(),
                frozenset({tenant}),
            )


def _delegations(scene: Scene) -> Iterator[Path]:
    """Yield certificates a tenant's namespace lets others serve with (Contour's TLSCertificateDelegation)."""
    for item, tenant in scene.of_tenants("projectcontour.io", "TLSCertificateDelegation"):
        for entry in mappings(item.spec.get("delegations")):
            spaces = texts(entry.get("targetNamespaces"))
            named = {scene.tenancy.by_namespace.get(space, "") for space in spaces} & scene.everybody
            others = (scene.everybody if "*" in spaces else frozenset(named)) - {tenant}
            if others:
                secret = scalar_text(entry.get("secretName"))
                yield Path(
                    finding(
                        "secret-cross-tenant",
                        Severity.HIGH,
                        item,
                        f"lets HTTPProxies of {len(others)} other tenants serve with Secret {item.namespace}/{secret}",
                        f"{min(others)} -> HTTPProxy -> certificate {secret} of {tenant}",
                        "delegate only to namespaces of the same tenant, or the platform's own certificate",
                        API,
                        others,
                    ),
                    others,
                    frozenset({tenant}),
                )


def _global(scene: Scene) -> Iterator[Path]:
    """Yield global resources of Capsule, ClusterExternalSecrets and the like that copy a tenant's Secrets to others."""
    for item in scene.objects.of("capsule.clastix.io", "GlobalTenantResource", "TenantResource"):
        for resource in mappings(item.spec.get("resources")):
            for entry in mappings(resource.get("namespacedItems")):
                if entry.get("kind") == "Secret":
                    space = scalar_text(entry.get("namespace"))
                    yield from _copied(scene, item, space, scalar_text(entry.get("name")) or "Secrets", "replicates it")
