"""What schemas cannot say about an object, as the API server's validation does, and what an update may not change."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from kubeanswers.validation.checks import (
    admission,
    autoscaling,
    cluster,
    cluster_policies,
    controllers,
    devices,
    fairness,
    jobs,
    metadata,
    nodes,
    pods,
    policies,
    registration,
    services,
    storage,
    webhooks,
)
from kubeanswers.validation.checks.report import Report, mapping

KindCheck = Callable[[Mapping[str, Any], Report], None]

CHECKS: Final[dict[str, KindCheck]] = {
    "Namespace": metadata.namespace,
    "Pod": pods.pod,
    "Deployment": controllers.deployment,
    "ReplicaSet": controllers.replica_set,
    "ReplicationController": controllers.replication_controller,
    "StatefulSet": controllers.stateful_set,
    "DaemonSet": controllers.daemon_set,
    "Job": jobs.job,
    "CronJob": jobs.cron_job,
    "PodDisruptionBudget": controllers.disruption_budget,
    "HorizontalPodAutoscaler": autoscaling.autoscaler,
    "Service": services.service,
    "Ingress": services.ingress,
    "NetworkPolicy": services.network_policy,
    "ResourceQuota": policies.resource_quota,
    "LimitRange": policies.limit_range,
    "Role": policies.role,
    "ClusterRole": policies.role,
    "RoleBinding": policies.role_binding,
    "ClusterRoleBinding": policies.role_binding,
    "FlowSchema": fairness.flow_schema,
    "PriorityLevelConfiguration": fairness.priority_level,
    "ValidatingAdmissionPolicy": admission.admission_policy,
    "MutatingAdmissionPolicy": admission.admission_policy,
    "ValidatingAdmissionPolicyBinding": admission.admission_binding,
    "MutatingAdmissionPolicyBinding": admission.admission_binding,
    "PriorityClass": cluster.priority_class,
    "RuntimeClass": cluster.runtime_class,
    "StorageClass": storage.storage_class,
    "PersistentVolume": storage.persistent_volume,
    "PersistentVolumeClaim": storage.volume_claim,
    "ConfigMap": cluster.config_map,
    "Secret": cluster.secret,
    "DeviceClass": devices.device_class,
    "ResourceClaim": devices.claim,
    "ResourceClaimTemplate": devices.claim_template,
    "ResourceSlice": devices.resource_slice,
    "VolumeAttributesClass": storage.volume_attributes_class,
    "CSIDriver": storage.csi_driver,
    "ValidatingWebhookConfiguration": webhooks.webhook_configuration,
    "MutatingWebhookConfiguration": webhooks.webhook_configuration,
    "CustomResourceDefinition": registration.definition,
    "APIService": registration.api_service,
    "Node": nodes.node,
    "Lease": nodes.lease,
    "IngressClass": nodes.ingress_class,
    "CertificateSigningRequest": nodes.certificate_request,
    "EndpointSlice": nodes.endpoint_slice,
    "PodTemplate": pods.pod_template,
}
"""Checks of the built-in kinds; a kind that is not here has its metadata checked."""

_CUSTOM: Final[dict[tuple[str, str], KindCheck]] = {
    (cluster_policies.GROUP, kind): cluster_policies.cluster_policy
    for kind in ("AdminNetworkPolicy", "BaselineAdminNetworkPolicy", "ClusterNetworkPolicy")
}
"""Checks of custom kinds whose definitions hold rules that an audit rests on, by group and kind."""


def semantic_faults(obj: Mapping[str, Any], version: str, *, custom: bool = False) -> list[str]:
    """Return the faults of an object whose fields have the right types."""
    report = Report(version)
    metadata.metadata(obj, report)
    kind = str(obj.get("kind"))
    group = str(obj.get("apiVersion")).rpartition("/")[0]
    check = _CUSTOM.get((group, kind)) if custom else CHECKS.get(kind)
    if check is not None:
        check(obj, report)
    return report.faults


_SET_FOREVER: Final[dict[str, tuple[str, ...]]] = {
    "Deployment": ("spec.selector",),
    "DaemonSet": ("spec.selector",),
    "ReplicaSet": ("spec.selector",),
    "Job": (
        "spec.completions",
        "spec.selector",
        "spec.completionMode",
        "spec.podFailurePolicy",
        "spec.backoffLimitPerIndex",
        "spec.template",
    ),
    "RoleBinding": ("roleRef",),
    "ClusterRoleBinding": ("roleRef",),
    "PriorityClass": ("value", "preemptionPolicy"),
    "RuntimeClass": ("handler",),
    "StorageClass": ("provisioner", "parameters", "reclaimPolicy", "volumeBindingMode"),
    "Service": ("spec.clusterIP",),
    "Secret": ("type",),
    "ResourceClaimTemplate": ("spec",),
    "ResourceClaim": ("spec",),
    "PersistentVolume": ("spec.volumeMode",),
}
_DEFAULTS: Final[dict[str, Any]] = {
    "preemptionPolicy": "PreemptLowerPriority",
    "value": 0,
    "reclaimPolicy": "Delete",
    "volumeBindingMode": "Immediate",
    "spec.completionMode": "NonIndexed",
    "type": "Opaque",
    "parameters": {},
}
_STATEFUL_MUTABLE: Final = frozenset(
    {
        "minReadySeconds",
        "ordinals",
        "persistentVolumeClaimRetentionPolicy",
        "replicas",
        "revisionHistoryLimit",
        "template",
        "updateStrategy",
    }
)


def update_faults(obj: Mapping[str, Any], old: Mapping[str, Any]) -> list[str]:
    """Return the faults of replacing one object by another: fields that stay as they were created."""
    found: list[str] = []
    name, kind = mapping(obj.get("metadata")).get("name"), str(obj.get("kind"))
    if name != mapping(old.get("metadata")).get("name"):
        found.append("metadata.name: cannot be changed")
    for path in _SET_FOREVER.get(kind, ()):
        before, after = _at(old, path), _at(obj, path)
        if path == "spec.clusterIP" and (after is None or _is_external(old) or _is_external(obj)):
            continue  # an address left out is kept
        if path == "spec.template" and mapping(old.get("spec")).get("suspend"):
            continue  # a suspended Job may be placed elsewhere
        if before != after:
            found.append(f"{path}: cannot be changed")
    if kind == "StatefulSet":
        before, after = mapping(old.get("spec")), mapping(obj.get("spec"))
        changed = [k for k in before.keys() | after.keys() if before.get(k) != after.get(k)]
        found += [f"spec.{key}: cannot be changed" for key in sorted(set(changed) - _STATEFUL_MUTABLE)]
    if kind in ("ConfigMap", "Secret") and old.get("immutable"):
        found += [
            f"{key}: is immutable"
            for key in ("immutable", "data", "binaryData", "stringData")
            if old.get(key) != obj.get(key)
        ]
    if kind == "PersistentVolumeClaim" and mapping(old.get("spec")) != mapping(obj.get("spec")):
        found.append("spec: cannot be changed before the claim is bound")
    return found


def _is_external(obj: Mapping[str, Any]) -> bool:
    return mapping(obj.get("spec")).get("type") == "ExternalName"


def _at(obj: Mapping[str, Any], path: str) -> Any:
    value: Any = obj
    for part in path.split("."):
        value = mapping(value).get(part)
    if path == "roleRef" and isinstance(value, Mapping):
        return {**value, "apiGroup": value.get("apiGroup") or "rbac.authorization.k8s.io"}
    if path == "spec.completions" and value is None and mapping(obj.get("spec")).get("parallelism") is None:
        return 1
    return _DEFAULTS.get(path) if value is None else value
