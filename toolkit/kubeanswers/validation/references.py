"""References to objects that are not there: classes, accounts, roles, policies, queues, what pods mount.

What a cluster brings by itself counts as there. What is missing here may still stand in the cluster: a finding, not a
refusal; an API server takes the object and refuses or keeps waiting what rests on it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from typing import Any, Final

from kubeanswers.objects import ManifestObject, ObjectSet, Where, mapping, mappings, scalar_text, sequence
from kubeanswers.records import dataclass
from kubeanswers.validation.places import at_line, line_of

_RBAC: Final = "rbac.authorization.k8s.io"
_ADMISSION: Final = "admissionregistration.k8s.io"
_KUEUE: Final = "kueue.x-k8s.io"
_QUEUE: Final = f"{_KUEUE}/queue-name"
_BUILT_IN_ROLES: Final = frozenset({"cluster-admin", "admin", "edit", "view"})
_BUILT_IN_CLASSES: Final = frozenset({"system-node-critical", "system-cluster-critical"})
_ROOT_CA: Final = frozenset({"kube-root-ca.crt", "openshift-service-ca.crt"})
_TEMPLATED: Final[Mapping[tuple[str, str], tuple[str, ...]]] = {
    ("", "Pod"): ("spec",),
    ("", "ReplicationController"): ("spec", "template", "spec"),
    ("", "PodTemplate"): ("template", "spec"),
    ("apps", "Deployment"): ("spec", "template", "spec"),
    ("apps", "ReplicaSet"): ("spec", "template", "spec"),
    ("apps", "StatefulSet"): ("spec", "template", "spec"),
    ("apps", "DaemonSet"): ("spec", "template", "spec"),
    ("batch", "Job"): ("spec", "template", "spec"),
    ("batch", "CronJob"): ("spec", "jobTemplate", "spec", "template", "spec"),
}
_EFFECTS: Final[Mapping[str, str]] = {
    "RuntimeClass": "every pod of it is refused",
    "PriorityClass": "every pod of it is refused",
    "ServiceAccount": "every pod of it is refused",
    "StorageClass": "no volume is made for it",
    "PersistentVolumeClaim": "its pods do not start",
    "ConfigMap": "its pods do not start",
    "Secret": "its pods do not start",
    "ResourceClaim": "its pods do not start",
    "ResourceClaimTemplate": "its pods do not start",
    "DeviceClass": "no device is given for it",
    "Role": "it grants nothing",
    "ClusterRole": "it grants nothing",
    "ValidatingAdmissionPolicy": "it refuses nothing",
    "MutatingAdmissionPolicy": "it changes nothing",
    "ClusterQueue": "nothing it queues is admitted",
    "LocalQueue": "it is never admitted",
    "ResourceFlavor": "the queue admits nothing",
    "Cohort": "nothing is lent to it",
    "Topology": "the flavor admits nothing",
    "Service": "what calls it fails",
    "Gateway": "no request reaches it",
    "GatewayClass": "no gateway is made for it",
}


@dataclass(frozen=True, slots=True)
class Dangling:
    """A reference to something that is not there.

    Attributes:
        item: the object that refers.
        field: path of the reference.
        group: API group of what is missing.
        kind: its kind.
        name: its name.
        namespace: where it would have to be; empty for what lives in no namespace.
        where: file and line of the reference.
    """

    item: ManifestObject
    field: str
    group: str
    kind: str
    name: str
    namespace: str
    where: Where

    @property
    def missing(self) -> str:
        """What is missing, in words."""
        return f"{self.kind} {self.namespace}/{self.name}" if self.namespace else f"{self.kind} {self.name}"

    @property
    def effect(self) -> str:
        """What follows where it is missing in the cluster too."""
        return _EFFECTS.get(self.kind, "what rests on it fails")

    def as_dict(self) -> dict[str, Any]:
        """Return it as plain data."""
        return {
            "object": str(self.item),
            "file": self.where.file,
            "line": self.where.line,
            "field": self.field,
            "missing": self.missing,
            "effect": self.effect,
        }

    def __str__(self) -> str:
        return (
            f"{self.where}: {self.item}: {self.field}: {self.missing} is not among these objects; "
            f"where the cluster lacks it too, {self.effect}"
        )


Reference = tuple[str, str, str, str, str]
"""Field, group, kind, namespace and name of what is referred to."""


def dangling(objects: ObjectSet) -> tuple[Dangling, ...]:
    """Return every reference to what is neither in the set nor part of every cluster."""
    return objects.derived("dangling", lambda: tuple(_dangling(objects)))


def _dangling(objects: ObjectSet) -> Iterator[Dangling]:
    for item in objects:
        key = (item.group, item.kind)
        if key not in _TEMPLATED and key not in _FINDERS and _QUEUE not in mapping(item.metadata.get("labels")):
            continue
        for field, group, kind, namespace, name in dict.fromkeys(_references(item)):
            if name and not _exists(objects, group, kind, namespace, name):
                where = at_line(item.where, line_of(item, field))
                yield Dangling(item, field, group, kind, name, namespace, where)


def _exists(objects: ObjectSet, group: str, kind: str, namespace: str, name: str) -> bool:
    builtin = _BUILT_IN.get(kind)
    return objects.get(group, kind, namespace, name) is not None or bool(builtin and builtin(name))


_BUILT_IN: Final[Mapping[str, Callable[[str], bool]]] = {
    "ClusterRole": lambda name: name in _BUILT_IN_ROLES or name.startswith("system:"),
    "Role": lambda name: name.startswith(("system:", "system::", "extension-apiserver-authentication-reader")),
    "PriorityClass": _BUILT_IN_CLASSES.__contains__,
    "ServiceAccount": lambda name: name == "default",
    "ConfigMap": _ROOT_CA.__contains__,
    "Service": lambda name: name == "kubernetes",
}


def _references(item: ManifestObject) -> Iterator[Reference]:
    key = (item.group, item.kind)
    path = _TEMPLATED.get(key)
    if path is not None:
        spec: Any = item.data
        for part in path:
            spec = mapping(mapping(spec).get(part))
        yield from _pod(".".join(path), spec, item.namespace)
        if key == ("apps", "StatefulSet"):
            for index, claim in enumerate(mappings(item.spec.get("volumeClaimTemplates"))):
                yield from _claim(f"spec.volumeClaimTemplates[{index}].spec", mapping(claim.get("spec")))
    queue = item.labels.get(_QUEUE) if _QUEUE in mapping(item.metadata.get("labels")) else ""
    if queue:
        yield f"metadata.labels[{_QUEUE}]", _KUEUE, "LocalQueue", item.namespace, queue
    finder = _FINDERS.get(key)
    if finder is not None:
        yield from finder(item)


def _pod(path: str, spec: Mapping[str, Any], namespace: str) -> Iterator[Reference]:
    """Yield what a pod needs to be taken and to start."""
    for field, group, kind in (
        ("runtimeClassName", "node.k8s.io", "RuntimeClass"),
        ("priorityClassName", "scheduling.k8s.io", "PriorityClass"),
    ):
        yield f"{path}.{field}", group, kind, "", scalar_text(spec.get(field))
    account = scalar_text(spec.get("serviceAccountName") or spec.get("serviceAccount"))
    yield f"{path}.serviceAccountName", "", "ServiceAccount", namespace, account
    for index, claim in enumerate(mappings(spec.get("resourceClaims"))):
        place = f"{path}.resourceClaims[{index}]"
        for field, kind in (
            ("resourceClaimName", "ResourceClaim"),
            ("resourceClaimTemplateName", "ResourceClaimTemplate"),
        ):
            yield f"{place}.{field}", "resource.k8s.io", kind, namespace, scalar_text(claim.get(field))
    for index, volume in enumerate(mappings(spec.get("volumes"))):
        yield from _volume(f"{path}.volumes[{index}]", volume, namespace)
    for kind in ("initContainers", "containers"):
        for index, container in enumerate(mappings(spec.get(kind))):
            yield from _environment(f"{path}.{kind}[{index}]", container, namespace)


def _volume(path: str, volume: Mapping[str, Any], namespace: str) -> Iterator[Reference]:
    claim = mapping(volume.get("persistentVolumeClaim"))
    yield (
        f"{path}.persistentVolumeClaim.claimName",
        "",
        "PersistentVolumeClaim",
        namespace,
        scalar_text(claim.get("claimName")),
    )
    sources = [(path, volume)]
    projected = mappings(mapping(volume.get("projected")).get("sources"))
    sources += [(f"{path}.projected.sources[{index}]", source) for index, source in enumerate(projected)]
    for place, source in sources:
        config, secret = mapping(source.get("configMap")), mapping(source.get("secret"))
        if not config.get("optional"):
            yield f"{place}.configMap.name", "", "ConfigMap", namespace, scalar_text(config.get("name"))
        if not secret.get("optional"):
            field = "secretName" if secret.get("secretName") else "name"
            yield f"{place}.secret.{field}", "", "Secret", namespace, scalar_text(secret.get(field))
    ephemeral = mapping(mapping(volume.get("ephemeral")).get("volumeClaimTemplate"))
    yield from _claim(f"{path}.ephemeral.volumeClaimTemplate.spec", mapping(ephemeral.get("spec")))


def _environment(path: str, container: Mapping[str, Any], namespace: str) -> Iterator[Reference]:
    sources = [
        (f"{path}.env[{index}].valueFrom", mapping(variable.get("valueFrom")), "KeyRef")
        for index, variable in enumerate(mappings(container.get("env")))
    ]
    sources += [
        (f"{path}.envFrom[{index}]", source, "Ref") for index, source in enumerate(mappings(container.get("envFrom")))
    ]
    for place, source, suffix in sources:
        for field, kind in (("configMap", "ConfigMap"), ("secret", "Secret")):
            ref = mapping(source.get(f"{field}{suffix}"))
            if not ref.get("optional"):
                yield f"{place}.{field}{suffix}.name", "", kind, namespace, scalar_text(ref.get("name"))


def _claim(path: str, spec: Mapping[str, Any]) -> Iterator[Reference]:
    name = scalar_text(spec.get("storageClassName"))
    yield f"{path}.storageClassName", "storage.k8s.io", "StorageClass", "", name


def _binding(item: ManifestObject) -> Iterator[Reference]:
    ref = mapping(item.data.get("roleRef"))
    kind = scalar_text(ref.get("kind"))
    if kind in ("Role", "ClusterRole"):
        space = item.namespace if kind == "Role" else ""
        yield "roleRef.name", _RBAC, kind, space, scalar_text(ref.get("name"))


def _policy_binding(item: ManifestObject) -> Iterator[Reference]:
    kind = item.kind.removesuffix("Binding")
    yield "spec.policyName", _ADMISSION, kind, "", scalar_text(item.spec.get("policyName"))


def _local_queue(item: ManifestObject) -> Iterator[Reference]:
    yield "spec.clusterQueue", _KUEUE, "ClusterQueue", "", scalar_text(item.spec.get("clusterQueue"))


def _cluster_queue(item: ManifestObject) -> Iterator[Reference]:
    for number, group in enumerate(mappings(item.spec.get("resourceGroups"))):
        for index, flavor in enumerate(mappings(group.get("flavors"))):
            place = f"spec.resourceGroups[{number}].flavors[{index}].name"
            yield place, _KUEUE, "ResourceFlavor", "", scalar_text(flavor.get("name"))


def _flavor(item: ManifestObject) -> Iterator[Reference]:
    yield "spec.topologyName", _KUEUE, "Topology", "", scalar_text(item.spec.get("topologyName"))


def _scoped_quota(item: ManifestObject) -> Iterator[Reference]:
    expressions = mappings(mapping(item.spec.get("scopeSelector")).get("matchExpressions"))
    for index, one in enumerate(expressions):
        if one.get("scopeName") == "PriorityClass" and one.get("operator") == "In":
            for number, value in enumerate(sequence(one.get("values"))):
                place = f"spec.scopeSelector.matchExpressions[{index}].values[{number}]"
                yield place, "scheduling.k8s.io", "PriorityClass", "", scalar_text(value)


def _webhook(item: ManifestObject) -> Iterator[Reference]:
    for index, hook in enumerate(mappings(item.data.get("webhooks"))):
        service = mapping(mapping(hook.get("clientConfig")).get("service"))
        place = f"webhooks[{index}].clientConfig.service.name"
        yield place, "", "Service", scalar_text(service.get("namespace")), scalar_text(service.get("name"))


def _gateway(item: ManifestObject) -> Iterator[Reference]:
    name = scalar_text(item.spec.get("gatewayClassName"))
    yield "spec.gatewayClassName", "gateway.networking.k8s.io", "GatewayClass", "", name


def _route(item: ManifestObject) -> Iterator[Reference]:
    for index, parent in enumerate(mappings(item.spec.get("parentRefs"))):
        if scalar_text(parent.get("kind") or "Gateway") == "Gateway":
            space = scalar_text(parent.get("namespace")) or item.namespace
            place = f"spec.parentRefs[{index}].name"
            yield place, "gateway.networking.k8s.io", "Gateway", space, scalar_text(parent.get("name"))


def _volume_claim(item: ManifestObject) -> Iterator[Reference]:
    if not item.spec.get("volumeName"):
        yield from _claim("spec", item.spec)


def _device_claim(item: ManifestObject) -> Iterator[Reference]:
    path = "spec" if item.kind == "ResourceClaim" else "spec.spec"
    spec = item.spec if item.kind == "ResourceClaim" else mapping(item.spec.get("spec"))
    for index, request in enumerate(mappings(mapping(spec.get("devices")).get("requests"))):
        place = f"{path}.devices.requests[{index}]"
        name = scalar_text(request.get("deviceClassName"))
        yield f"{place}.deviceClassName", "resource.k8s.io", "DeviceClass", "", name
        name = scalar_text(mapping(request.get("exactly")).get("deviceClassName"))
        yield f"{place}.exactly.deviceClassName", "resource.k8s.io", "DeviceClass", "", name


_FINDERS: Final[Mapping[tuple[str, str], Callable[[ManifestObject], Iterator[Reference]]]] = {
    ("", "PersistentVolumeClaim"): _volume_claim,
    ("", "ResourceQuota"): _scoped_quota,
    (_RBAC, "RoleBinding"): _binding,
    (_RBAC, "ClusterRoleBinding"): _binding,
    (_ADMISSION, "ValidatingAdmissionPolicyBinding"): _policy_binding,
    (_ADMISSION, "MutatingAdmissionPolicyBinding"): _policy_binding,
    (_ADMISSION, "ValidatingWebhookConfiguration"): _webhook,
    (_ADMISSION, "MutatingWebhookConfiguration"): _webhook,
    (_KUEUE, "LocalQueue"): _local_queue,
    (_KUEUE, "ClusterQueue"): _cluster_queue,
    (_KUEUE, "ResourceFlavor"): _flavor,
    ("gateway.networking.k8s.io", "Gateway"): _gateway,
    ("gateway.networking.k8s.io", "HTTPRoute"): _route,
    ("resource.k8s.io", "ResourceClaim"): _device_claim,
    ("resource.k8s.io", "ResourceClaimTemplate"): _device_claim,
}
