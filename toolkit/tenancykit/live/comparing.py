"""Where two readings of an object differ: what the server stores against what it would make of the export's object.

What servers and well-known controllers write by themselves is not a change by somebody.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal
from typing import Any, Final

from kubeanswers.admission.api_defaults import as_admitted
from kubeanswers.objects import ManifestObject, mapping, mappings, scalar_text
from kubeanswers.quantities import parse_quantity
from tenancykit.live.applying import stated

_TOOLS: Final = (
    "app.kubernetes.io/instance",
    "argocd.argoproj.io/",
    "control-plane.alpha.kubernetes.io/",
    "deployment.kubernetes.io/",
    "deprecated.daemonset.template.generation",
    "field.cattle.io/",
    "helm.toolkit.fluxcd.io/",
    "kubectl.kubernetes.io/",
    "kubernetes.io/metadata.name",
    "kustomize.toolkit.fluxcd.io/",
    "lifecycle.cattle.io/",
    "meta.helm.sh/",
    "objectset.rio.cattle.io/",
    "openshift.io/",
    "operator.cluster.x-k8s.io/",
    "pv.kubernetes.io/",
    "rbac.authorization.kubernetes.io/autoupdate",
    "volume.beta.kubernetes.io/",
    "volume.kubernetes.io/",
)
"""Labels and annotations that delivery tools and controllers write to what they look after."""
_CONTROLLED: Final[Mapping[str, tuple[str, ...]]] = {
    "Service": (
        "spec.clusterIP",
        "spec.clusterIPs",
        "spec.healthCheckNodePort",
        "spec.ipFamilies",
        "spec.ipFamilyPolicy",
    ),
    "PersistentVolumeClaim": ("spec.volumeName", "metadata.finalizers"),
    "PersistentVolume": ("spec.claimRef", "metadata.finalizers"),
    "Namespace": ("spec.finalizers",),
    "Job": ("spec.selector", "spec.template.metadata.labels", "metadata.labels"),
    "CustomResourceDefinition": ("spec.conversion.webhook.clientConfig.caBundle",),
    "ValidatingWebhookConfiguration": ("webhooks.clientConfig.caBundle",),
    "MutatingWebhookConfiguration": ("webhooks.clientConfig.caBundle",),
}
"""Fields that the server or a controller fills in by itself, without positions in lists."""
_NAMES: Final = ("name", "key", "port", "containerPort", "mountPath")


def differences(stored: Any, wanted: Any, path: str = "") -> Iterator[str]:
    """Yield the paths at which two values differ, as deep as both have them."""
    if isinstance(stored, Mapping) and isinstance(wanted, Mapping):
        for key in sorted({*stored, *wanted}):
            below = f"{path}.{key}".lstrip(".")
            if key not in stored or key not in wanted:
                if not _is_nothing(stored.get(key)) or not _is_nothing(wanted.get(key)):
                    yield below
            else:
                yield from differences(stored[key], wanted[key], below)
    elif isinstance(stored, list) and isinstance(wanted, list):
        yield from _list_differences(stored, wanted, path)
    elif not _equal(stored, wanted):
        yield path


def _list_differences(stored: list[Any], wanted: list[Any], path: str) -> Iterator[str]:
    if len(stored) != len(wanted):
        yield path
        return
    pairs = list(zip(stored, wanted, strict=True))
    names = next((name for name in _NAMES if all(isinstance(i, Mapping) and name in i for p in pairs for i in p)), "")
    if names:  # lists that are maps by a key keep no order
        order = {str(item[names]): item for item in wanted}
        if len(order) == len(wanted) and order.keys() == {str(item[names]) for item in stored}:
            pairs = [(item, order[str(item[names])]) for item in stored]
    for index, (one, other) in enumerate(pairs):
        yield from differences(one, other, f"{path}[{index}]")


def _is_nothing(value: Any) -> bool:
    return value is None or value in ({}, [], "")


def _equal(one: Any, other: Any) -> bool:
    if one == other and isinstance(one, bool) == isinstance(other, bool):
        return True
    if isinstance(one, str | int) and isinstance(other, str | int):
        left, right = _amount(one), _amount(other)
        return left is not None and left == right and not isinstance(one, bool) and not isinstance(other, bool)
    return False


def _amount(value: str | int) -> Decimal | None:
    """Return a quantity; servers write amounts in their own spelling."""
    try:
        return parse_quantity(str(value))
    except ValueError:
        return None


def changes(stored: Mapping[str, Any], wanted: Mapping[str, Any], kind: str) -> list[str]:
    """Return what of a stored object is not as wanted, with what servers, controllers and tools write left out."""
    found = differences(stated(stored), stated(wanted))
    aggregated = bool(mapping(wanted.get("aggregationRule")).get("clusterRoleSelectors"))
    return sorted(
        path for path in found if not _is_controlled(kind, path) and not (aggregated and path.startswith("rules"))
    )


def _is_controlled(kind: str, path: str) -> bool:
    plain = "".join(part.partition("]")[2] if index else part for index, part in enumerate(path.split("[")))
    for start in ("metadata.labels.", "metadata.annotations."):
        if plain.startswith(start):
            return plain.removeprefix(start).startswith(_TOOLS)
    if plain in ("metadata.name", "metadata.generateName", "metadata.labels", "metadata.annotations"):
        return True
    return plain in _CONTROLLED.get(kind, ())


_KINDS_KNOWN: Final = frozenset(
    {
        "ClusterRole",
        "ClusterRoleBinding",
        "ConfigMap",
        "CronJob",
        "DaemonSet",
        "Deployment",
        "Job",
        "LimitRange",
        "Namespace",
        "NetworkPolicy",
        "PersistentVolumeClaim",
        "Pod",
        "PriorityClass",
        "ResourceQuota",
        "Role",
        "RoleBinding",
        "RuntimeClass",
        "Service",
        "ServiceAccount",
        "StatefulSet",
        "StorageClass",
        "ValidatingAdmissionPolicy",
        "ValidatingAdmissionPolicyBinding",
    }
)
"""Kinds whose defaults are known here, so that what a server adds by itself can be told from what somebody added."""


def local_changes(item: ManifestObject, stored: Mapping[str, Any]) -> list[str] | None:
    """Return what of a stored object is not as exported, without asking the server; None for kinds not known here."""
    if item.kind not in _KINDS_KNOWN or ("." in item.group and not item.group.endswith(".k8s.io")):
        return None
    wanted, found = _completed(item.data), _completed({**stored, "apiVersion": item.data.get("apiVersion")})
    metadata = {**mapping(found.get("metadata"))}
    if not mapping(wanted.get("metadata")).get("namespace"):
        metadata.pop("namespace", None)
    return changes({**found, "metadata": metadata}, wanted, item.kind)


def _completed(data: Mapping[str, Any]) -> dict[str, Any]:
    """Return an object with the defaults of its kind."""
    made = as_admitted({key: value for key, value in data.items() if key != "status"})
    kind, spec = scalar_text(data.get("kind")), mapping(made.get("spec"))
    if kind in ("RoleBinding", "ClusterRoleBinding"):
        made["subjects"] = [_subject(one) for one in mappings(made.get("subjects"))]
        made["roleRef"] = {"apiGroup": "rbac.authorization.k8s.io", **mapping(made.get("roleRef"))}
    elif kind == "LimitRange":
        made["spec"] = {"limits": [_limit(one) for one in mappings(spec.get("limits"))]}
    elif kind == "ValidatingAdmissionPolicy":
        matched = {"matchConstraints": _matched(spec["matchConstraints"])} if "matchConstraints" in spec else {}
        made["spec"] = {"failurePolicy": "Fail", **spec, **matched}
    elif kind == "ValidatingAdmissionPolicyBinding" and "matchResources" in spec:
        made["spec"] = {**spec, "matchResources": _matched(spec["matchResources"])}
    elif kind == "StorageClass":
        made = {"reclaimPolicy": "Delete", "volumeBindingMode": "Immediate", **made}
    elif kind == "PriorityClass":
        made = {"preemptionPolicy": "PreemptLowerPriority", **made}
    return made


def _subject(one: Mapping[str, Any]) -> dict[str, Any]:
    if one.get("kind") == "ServiceAccount":
        return {key: value for key, value in one.items() if key != "apiGroup" or value}
    return {"apiGroup": "rbac.authorization.k8s.io", **one}


def _matched(given: Any) -> dict[str, Any]:
    found = mapping(given)
    rules = [{"scope": "*", **rule} for rule in mappings(found.get("resourceRules"))]
    made = {"matchPolicy": "Equivalent", "namespaceSelector": {}, "objectSelector": {}, **found}
    return {**made, **({"resourceRules": rules} if rules else {})}


def _limit(one: Mapping[str, Any]) -> dict[str, Any]:
    """Return a limit with the defaults that follow from its bounds."""
    if one.get("type") != "Container":
        return dict(one)
    default = {**mapping(one.get("max")), **mapping(one.get("default"))}
    request = {**mapping(one.get("min")), **default, **mapping(one.get("defaultRequest"))}
    return {**one, **({"default": default} if default else {}), **({"defaultRequest": request} if request else {})}
