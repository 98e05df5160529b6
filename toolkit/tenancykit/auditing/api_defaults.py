"""Objects as an admission policy sees them: the API server's defaults filled in, empty fields left out.

Only the kinds tenants write are covered; others pass unchanged.  Source of the defaults:
https://kubernetes.io/docs/reference/kubernetes-api/ (each field's own text) and the admission plugins on by default.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from tenancykit.auditing.compute import with_defaults
from tenancykit.auditing.objects import mapping, mappings, scalar_text

_EMPTY_MAPS: Final = frozenset(
    [
        "labels",
        "annotations",
        "data",
        "binaryData",
        "stringData",
        "nodeSelector",
        "limits",
        "requests",
        "matchLabels",
        "selector",
    ]
)
_TEXT_POINTERS: Final = frozenset(
    [
        "storageClassName",
        "runtimeClassName",
        "ingressClassName",
        "loadBalancerClass",
        "volumeAttributesClassName",
        "apiGroup",
    ]
)
_FALSE_LEFT_OUT: Final = frozenset(
    ["hostNetwork", "hostPID", "hostIPC", "stdin", "stdinOnce", "tty", "readOnly", "publishNotReadyAddresses", "paused"]
)
_ZERO_LEFT_OUT: Final = frozenset(["hostPort", "nodePort", "minReadySeconds", "healthCheckNodePort"])
_FREE_MAPS: Final = frozenset(
    ["labels", "annotations", "data", "binaryData", "stringData", "nodeSelector", "matchLabels"]
)
_STAMP: Final = "2026-01-01T00:00:00Z"
_UID: Final = "00000000-0000-4000-8000-000000000000"


def as_admitted(
    data: Mapping[str, Any], namespace: str = "", classes: Mapping[str, Any] | None = None
) -> dict[str, Any]:
    """Return the object as validating admission gets it.

    Args:
        data: the object as it was sent.
        namespace: the request's namespace.
        classes: value by name of PriorityClass, for the priority admission fills in.
    """
    made: dict[str, Any] = dict(_pruned(data, ""))
    metadata = {**mapping(made.get("metadata")), "uid": _UID, "creationTimestamp": _STAMP}
    if namespace and data.get("kind") != "Namespace":
        metadata["namespace"] = namespace
    if "spec" in made:
        metadata.setdefault("generation", 1)
    made["metadata"] = metadata
    fill = _KINDS.get(scalar_text(data.get("kind")))
    if fill and isinstance(made.get("spec", {}), Mapping):
        made["spec"] = fill(dict(mapping(made.get("spec"))))
    if data.get("kind") == "Pod":
        made["spec"] = _admitted_pod(made["spec"], classes or {})
    if fill and data.get("kind") not in ("Pod", "Service"):
        made.setdefault("status", {})
    return made


def _pruned(value: Any, key: str) -> Any:
    """Drop what the typed object would not print: empty lists, maps and text, false and zero where they default."""
    if isinstance(value, list):
        return [_pruned(item, "") for item in value]
    if not isinstance(value, Mapping):
        return value
    if key in _FREE_MAPS:
        return dict(value)
    made: dict[str, Any] = {}
    for name, item in value.items():
        inner = _pruned(item, name)
        empty = (
            inner is None
            or inner == []
            or (inner == {} and name in _EMPTY_MAPS)
            or (inner == "" and name not in _TEXT_POINTERS)
            or (inner is False and name in _FALSE_LEFT_OUT)
            or (inner == 0 and inner is not False and name in _ZERO_LEFT_OUT)
        )
        if not empty:
            made[name] = inner
    return made


def _pod_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    made = {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
        **with_defaults(spec),
    }
    for kind in ("initContainers", "containers"):
        if kind in made:
            made[kind] = [_container(item) for item in mappings(made[kind])]
    if made.get("serviceAccountName"):
        made["serviceAccount"] = made["serviceAccountName"]
    return made


def _container(container: Mapping[str, Any]) -> dict[str, Any]:
    image = scalar_text(container.get("image"))
    untagged = ":" not in image.rpartition("/")[2] and "@" not in image
    made: dict[str, Any] = {
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": "Always" if untagged or image.endswith(":latest") else "IfNotPresent",
        **container,
    }
    if "ports" in made:
        made["ports"] = [{"protocol": "TCP", **port} for port in mappings(made["ports"])]
    return made


def _admitted_pod(spec: Mapping[str, Any], classes: Mapping[str, Any]) -> dict[str, Any]:
    """What the admission plugins add to a pod: account, priority, tolerations, and the account's token."""
    made: dict[str, Any] = {
        "enableServiceLinks": True,
        "serviceAccountName": "default",
        "serviceAccount": "default",
        "preemptionPolicy": "PreemptLowerPriority",
        "priority": classes.get(scalar_text(spec.get("priorityClassName")), 0),
        **spec,
    }
    wanted = [
        {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
        for key in ("not-ready", "unreachable")
    ]
    own = mappings(made.get("tolerations"))
    keys = {item.get("key") for item in own}
    made["tolerations"] = [*own, *(item for item in wanted if item["key"] not in keys)]
    if made.get("automountServiceAccountToken") is not False:
        token = {
            "name": "kube-api-access",
            "projected": {"sources": [{"serviceAccountToken": {"path": "token"}}], "defaultMode": 420},
        }
        mount = {
            "name": "kube-api-access",
            "readOnly": True,
            "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount",
        }
        made["volumes"] = [*mappings(made.get("volumes")), token]
        for kind in ("initContainers", "containers"):
            if kind in made:
                made[kind] = [
                    {**item, "volumeMounts": [*mappings(item.get("volumeMounts")), mount]} for item in made[kind]
                ]
    return made


def _with_template(spec: dict[str, Any], **defaults: Any) -> dict[str, Any]:
    made = {**defaults, **spec}
    template = dict(mapping(made.get("template")))
    template.setdefault("metadata", {})
    template["spec"] = _pod_spec(mapping(template.get("spec")))
    return {**made, "template": template}


_ROLLING: Final = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": "25%"}}


def _deployment(spec: dict[str, Any]) -> dict[str, Any]:
    return _with_template(spec, replicas=1, strategy=_ROLLING, revisionHistoryLimit=10, progressDeadlineSeconds=600)


def _stateful_set(spec: dict[str, Any]) -> dict[str, Any]:
    update = {"type": "RollingUpdate", "rollingUpdate": {"partition": 0}}
    return _with_template(
        spec, replicas=1, podManagementPolicy="OrderedReady", updateStrategy=update, revisionHistoryLimit=10
    )


def _daemon_set(spec: dict[str, Any]) -> dict[str, Any]:
    update = {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": 1, "maxSurge": 0}}
    return _with_template(spec, updateStrategy=update, revisionHistoryLimit=10)


def _replica_set(spec: dict[str, Any]) -> dict[str, Any]:
    return _with_template(spec, replicas=1)


def _job(spec: dict[str, Any]) -> dict[str, Any]:
    counts: dict[str, Any] = {} if "completions" in spec or "parallelism" in spec else {"completions": 1}
    more = {
        "backoffLimit": 6,
        "completionMode": "NonIndexed",
        "suspend": False,
        "podReplacementPolicy": "TerminatingOrFailed",
    }
    return _with_template(spec, **counts, parallelism=spec.get("parallelism", 1), **more)


def _cron_job(spec: dict[str, Any]) -> dict[str, Any]:
    made = {
        "concurrencyPolicy": "Allow",
        "suspend": False,
        "successfulJobsHistoryLimit": 3,
        "failedJobsHistoryLimit": 1,
        **spec,
    }
    job = dict(mapping(made.get("jobTemplate")))
    return {
        **made,
        "jobTemplate": {
            **job,
            "metadata": job.get("metadata", {}),
            "spec": _with_template(dict(mapping(job.get("spec")))),
        },
    }


def _service(spec: dict[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {"type": "ClusterIP", "sessionAffinity": "None", **spec}
    if made["type"] != "ExternalName":
        made.setdefault("internalTrafficPolicy", "Cluster")
    if made["type"] in ("LoadBalancer", "NodePort"):
        made.setdefault("externalTrafficPolicy", "Cluster")
    if made["type"] == "LoadBalancer":
        made.setdefault("allocateLoadBalancerNodePorts", True)
    made["ports"] = [
        {"protocol": "TCP", "targetPort": port.get("port"), **port} for port in mappings(made.get("ports"))
    ]
    return made


def _claim(spec: dict[str, Any]) -> dict[str, Any]:
    return {"volumeMode": "Filesystem", **spec}


def _network_policy(spec: dict[str, Any]) -> dict[str, Any]:
    types = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    return {"policyTypes": types, **spec}


_KINDS: Final[Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "Pod": _pod_spec,
    "Deployment": _deployment,
    "StatefulSet": _stateful_set,
    "DaemonSet": _daemon_set,
    "ReplicaSet": _replica_set,
    "ReplicationController": _replica_set,
    "Job": _job,
    "CronJob": _cron_job,
    "Service": _service,
    "PersistentVolumeClaim": _claim,
    "NetworkPolicy": _network_policy,
}
