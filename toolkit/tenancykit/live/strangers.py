"""Objects of others that no evaluator reads whole, and what they may give or take: one rule for each kind.

Each names what the object does that the export does not; what a distribution or a controller keeps in every cluster is
told apart by its own marks.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from kubeanswers.objects import ManifestObject, ObjectSet, mapping, mappings, scalar_text, texts
from kubeanswers.pod_security import enforced, violations
from kubeanswers.records import dataclass
from tenancykit.auditing.tenants import Tenancy, is_platform_namespace
from tenancykit.live.questions import State

SIFTED: Final = (
    ("v1", "Pod"),
    ("discovery.k8s.io/v1", "EndpointSlice"),
    ("apiextensions.k8s.io/v1", "CustomResourceDefinition"),
    ("admissionregistration.k8s.io/v1", "MutatingAdmissionPolicy"),
    ("flowcontrol.apiserver.k8s.io/v1", "FlowSchema"),
    ("snapshot.storage.k8s.io/v1", "VolumeSnapshotContent"),
)
"""Kinds with many objects of which few matter: looked at as they are listed, and not kept."""
_BY_CONTROLLER: Final = "endpointslice.kubernetes.io/managed-by"
_DEFAULTS: Final = {
    "StorageClass": "storageclass.kubernetes.io/is-default-class",
    "IngressClass": "ingressclass.kubernetes.io/is-default-class",
}


@dataclass(frozen=True)
class Strange:
    """What an object of others may do.

    Attributes:
        crossing: what it opens; empty where that is not known.
        state: whether it surely does.
        why: what it does.
        tenant: whom it is about; empty for everybody.
    """

    crossing: str
    state: State
    why: str
    tenant: str = ""


@dataclass(frozen=True)
class Strangers:
    """What objects beside the export do.

    Attributes:
        objects: the export's objects.
        tenancy: whose namespaces these are.
    """

    objects: ObjectSet
    tenancy: Tenancy

    def of(self, item: ManifestObject) -> Iterator[Strange]:
        """Yield what an object beside the export does that none of the evaluators says."""
        rule = _RULES.get((item.group, item.kind))
        if rule is not None:
            yield from rule(self, item)

    def owner(self, namespace: str) -> str:
        """Return the tenant a namespace is of; empty for the platform's."""
        return self.tenancy.by_namespace.get(namespace, "")


def _pod(scene: Strangers, item: ManifestObject) -> Iterator[Strange]:
    tenant = scene.owner(item.namespace)
    level, _ = enforced(scene.objects.namespaces.get(item.namespace, {}))
    broken = violations(item.spec, "baseline", item.metadata) if tenant and level != "privileged" else []
    if broken:
        why = f"it runs in a namespace of {tenant} and breaks the baseline standard: {broken[0]}"
        yield Strange("api-user-to-node", "allowed", why, tenant)


def _slice(scene: Strangers, item: ManifestObject) -> Iterator[Strange]:
    tenant = scene.owner(item.namespace)
    if tenant and not item.labels.get(_BY_CONTROLLER, "").endswith(".k8s.io"):
        why = "it sends a Service's traffic to addresses somebody wrote, and no controller keeps it"
        yield Strange("pod-network-to-victim", "undecided", why, tenant)


def _conversion(scene: Strangers, item: ManifestObject) -> Iterator[Strange]:
    client = mapping(mapping(mapping(item.spec.get("conversion")).get("webhook")).get("clientConfig"))
    yield from _asked(scene, client, f"converts every {item.name.partition('.')[0]}")


def _webhook(scene: Strangers, item: ManifestObject) -> Iterator[Strange]:
    for hook in mappings(item.data.get("webhooks")):
        client = mapping(hook.get("clientConfig"))
        yield from _asked(scene, client, "may change what is made")
        space = scalar_text(mapping(client.get("service")).get("namespace"))
        is_known = scene.owner(space) or is_platform_namespace(space, scene.objects.namespaces.get(space, {}))
        if space and not is_known and _changes_pods(hook):
            why = f"a Service in {space} may change pods of tenants as they are made; its code is not read"
            yield Strange("api-user-to-node", "undecided", why)


def _asked(scene: Strangers, client: Mapping[str, object], does: str) -> Iterator[Strange]:
    """Yield who is asked, where it is nobody of the platform."""
    url = scalar_text(client.get("url"))
    if url:
        yield Strange("api-user-to-shared-api", "undecided", f"{url} {does}")
    tenant = scene.owner(scalar_text(mapping(client.get("service")).get("namespace")))
    if tenant:
        yield Strange("api-user-to-shared-api", "allowed", f"a Service of {tenant} {does}", tenant)


def _mutation(scene: Strangers, item: ManifestObject) -> Iterator[Strange]:  # noqa: ARG001 - every rule takes both
    why = "it changes requests before they are judged, and what it changes is not evaluated here"
    yield Strange("api-user-to-node", "undecided", why)


def _flow(scene: Strangers, item: ManifestObject) -> Iterator[Strange]:  # noqa: ARG001 - every rule takes both
    level = scalar_text(mapping(item.spec.get("priorityLevelConfiguration")).get("name"))
    kept = "apf.kubernetes.io/autoupdate-spec" in item.annotations
    if level == "exempt" and not kept:
        yield Strange("api-user-capacity", "allowed", "requests it means are bound by no limit of the API server")


def _snapshot(scene: Strangers, item: ManifestObject) -> Iterator[Strange]:
    ref = mapping(item.spec.get("volumeSnapshotRef"))
    tenant = scene.owner(scalar_text(ref.get("namespace")))
    handle = scalar_text(mapping(item.spec.get("source")).get("snapshotHandle"))
    if tenant and handle:
        yield Strange("claim-of-others", "undecided", f"it gives {tenant} the data of snapshot {handle}", tenant)


def _default(scene: Strangers, item: ManifestObject) -> Iterator[Strange]:
    def is_default(one: ManifestObject) -> bool:
        return one.data.get("globalDefault") is True or one.annotations.get(_DEFAULTS.get(one.kind, "")) == "true"

    ours = [one.name for one in scene.objects.of(item.group, item.kind) if is_default(one)]
    if ours and is_default(item):
        yield Strange("", "undecided", f"what names no {item.kind} may get this one instead of {ours[0]}")


def _changes_pods(hook: Mapping[str, object]) -> bool:
    """Return whether a webhook is asked about pods, or about everything."""
    rules = mappings(hook.get("rules"))
    return any({"*", "*/*", "pods", "pods/*"} & set(texts(rule.get("resources"))) for rule in rules)


_RULES: Final[Mapping[tuple[str, str], Callable[[Strangers, ManifestObject], Iterator[Strange]]]] = {
    ("", "Pod"): _pod,
    ("discovery.k8s.io", "EndpointSlice"): _slice,
    ("apiextensions.k8s.io", "CustomResourceDefinition"): _conversion,
    ("admissionregistration.k8s.io", "MutatingWebhookConfiguration"): _webhook,
    ("admissionregistration.k8s.io", "MutatingAdmissionPolicy"): _mutation,
    ("flowcontrol.apiserver.k8s.io", "FlowSchema"): _flow,
    ("snapshot.storage.k8s.io", "VolumeSnapshotContent"): _snapshot,
    ("storage.k8s.io", "StorageClass"): _default,
    ("networking.k8s.io", "IngressClass"): _default,
    ("scheduling.k8s.io", "PriorityClass"): _default,
}
