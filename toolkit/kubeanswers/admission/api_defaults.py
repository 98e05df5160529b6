"""Objects as an admission policy sees them: the API server's defaults filled in, empty fields left out.

Only the kinds tenants write are covered; others pass unchanged.  Source of the defaults:
https://kubernetes.io/docs/reference/kubernetes-api/ (each field's own text) and the admission plugins on by default.
"""

from __future__ import annotations

import base64
from collections.abc import Callable, Mapping
from typing import Any, Final

from kubeanswers.admission.pod_defaults import admitted_pod, pod_spec
from kubeanswers.admission.printed_amounts import with_printed
from kubeanswers.objects import mapping, mappings, scalar_text

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
_TYPED: Final = frozenset(
    [
        *("", "apps", "autoscaling", "batch", "policy"),
        *(
            f"{name}.k8s.io"
            for name in (
                *("admissionregistration", "apiextensions", "apiregistration", "authentication", "certificates"),
                *("coordination", "discovery", "events", "flowcontrol.apiserver", "networking", "node"),
                *("rbac.authorization", "resource", "scheduling", "storage"),
            )
        ),
    ]
)
"""Groups of the API server's own kinds: of those it prints no empty field, of others what was written."""

_STAMP: Final = "2026-01-01T00:00:00Z"
_UID: Final = "00000000-0000-4000-8000-000000000000"


def as_admitted(
    data: Mapping[str, Any],
    namespace: str = "",
    classes: Mapping[str, Any] | None = None,
    runtimes: Mapping[str, Mapping[str, Any]] | None = None,
) -> dict[str, Any]:
    """Return the object as validating admission gets it.

    Args:
        data: the object as it was sent.
        namespace: the request's namespace.
        classes: value by name of PriorityClass, for the priority admission fills in.
        runtimes: RuntimeClass objects by name, for the overhead and the nodes admission fills in.
    """
    typed = scalar_text(data.get("apiVersion")).rpartition("/")[0] in _TYPED
    made: dict[str, Any] = dict(_pruned(data, "") if typed else data)
    metadata = {**mapping(made.get("metadata")), "uid": _UID, "creationTimestamp": _STAMP}
    if namespace and data.get("kind") != "Namespace":
        metadata["namespace"] = namespace
    if "spec" in made:
        metadata.setdefault("generation", 1)
    made["metadata"] = metadata
    return _completed(made, classes or {}, runtimes or {}) if typed else made


def _completed(
    made: dict[str, Any], classes: Mapping[str, Any], runtimes: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    kind = scalar_text(made.get("kind"))
    fill = _KINDS.get(kind)
    if fill and isinstance(made.get("spec", {}), Mapping):
        made["spec"] = fill(dict(with_printed(mapping(made.get("spec")))))
        if kind == "Pod":
            made["spec"] = admitted_pod(made["spec"], classes, runtimes)
    if kind == "Secret":
        made = _secret(made)
    status = _STATUS.get(kind)
    return {**made, "status": {**status, **mapping(made.get("status"))}} if status is not None else made


_STATUS: Final[Mapping[str, Mapping[str, Any]]] = {
    **{
        kind: {}
        for kind in ("Deployment", "StatefulSet", "DaemonSet", "ReplicaSet", "ReplicationController", "Job", "CronJob")
    },
    "Service": {"loadBalancer": {}},
    "Ingress": {"loadBalancer": {}},
    "Pod": {"phase": "Pending"},
    "PersistentVolumeClaim": {"phase": "Pending"},
    "Namespace": {"phase": "Active"},
}
"""The status an object has when it is made."""


def _secret(made: dict[str, Any]) -> dict[str, Any]:
    """Return the Secret as it is stored: text among the data, encoded."""
    written = mapping(made.get("stringData"))
    encoded = {key: base64.b64encode(scalar_text(value).encode()).decode() for key, value in written.items()}
    kept = {key: value for key, value in made.items() if key != "stringData"}
    data = {**mapping(kept.get("data")), **encoded}
    return {"type": "Opaque", **kept, **({"data": data} if data else {})}


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


def _with_template(made: dict[str, Any]) -> dict[str, Any]:
    template = dict(mapping(made.get("template")))
    template.setdefault("metadata", {})
    template["spec"] = pod_spec(mapping(template.get("spec")))
    return {**made, "template": template}


def _rolling(given: object, **defaults: Any) -> dict[str, Any]:
    """Return an update strategy with what a rolling update defaults to, where it is one."""
    made: dict[str, Any] = {"type": "RollingUpdate", **mapping(given)}
    if made["type"] == "RollingUpdate":
        made["rollingUpdate"] = {**defaults, **mapping(made.get("rollingUpdate"))}
    return made


def _deployment(spec: dict[str, Any]) -> dict[str, Any]:
    strategy = _rolling(spec.get("strategy"), maxUnavailable="25%", maxSurge="25%")
    made = {"replicas": 1, "revisionHistoryLimit": 10, "progressDeadlineSeconds": 600, **spec, "strategy": strategy}
    return _with_template(made)


def _stateful_set(spec: dict[str, Any]) -> dict[str, Any]:
    made = {
        "replicas": 1,
        "podManagementPolicy": "OrderedReady",
        "revisionHistoryLimit": 10,
        **spec,
        "updateStrategy": _rolling(spec.get("updateStrategy"), partition=0),
        "persistentVolumeClaimRetentionPolicy": {
            "whenDeleted": "Retain",
            "whenScaled": "Retain",
            **mapping(spec.get("persistentVolumeClaimRetentionPolicy")),
        },
    }
    claims = made.get("volumeClaimTemplates")
    if isinstance(claims, list):
        made["volumeClaimTemplates"] = [_claim_template(one) if isinstance(one, Mapping) else one for one in claims]
    return _with_template(made)


def _claim_template(one: Mapping[str, Any]) -> dict[str, Any]:
    spec = _claim(dict(mapping(one.get("spec"))))
    typed = {"apiVersion": "v1", "kind": "PersistentVolumeClaim"}
    return {**typed, **one, "spec": spec, "status": {"phase": "Pending"}}


def _daemon_set(spec: dict[str, Any]) -> dict[str, Any]:
    update = _rolling(spec.get("updateStrategy"), maxUnavailable=1, maxSurge=0)
    return _with_template({"revisionHistoryLimit": 10, **spec, "updateStrategy": update})


def _replica_set(spec: dict[str, Any]) -> dict[str, Any]:
    return _with_template({"replicas": 1, **spec})


def _job(spec: dict[str, Any]) -> dict[str, Any]:
    counts: dict[str, Any] = {} if "completions" in spec or "parallelism" in spec else {"completions": 1}
    more = {
        "backoffLimit": 6,
        "completionMode": "NonIndexed",
        "suspend": False,
        "podReplacementPolicy": "TerminatingOrFailed",
    }
    made = {**counts, "parallelism": 1, **more, **spec}
    if spec.get("manualSelector") is not True:
        labels = {"batch.kubernetes.io/controller-uid": _UID, "controller-uid": _UID}
        made["selector"] = {"matchLabels": {"batch.kubernetes.io/controller-uid": _UID}}
        template = mapping(made.get("template"))
        metadata = mapping(template.get("metadata"))
        made["template"] = {
            **template,
            "metadata": {**metadata, "labels": {**mapping(metadata.get("labels")), **labels}},
        }
    return _with_template(made)


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
    if made["type"] in ("LoadBalancer", "NodePort") or made.get("externalIPs"):
        made.setdefault("externalTrafficPolicy", "Cluster")
    if made["type"] == "LoadBalancer":
        made.setdefault("allocateLoadBalancerNodePorts", True)
    made["ports"] = [
        {"protocol": "TCP", "targetPort": port.get("port"), **port} for port in mappings(made.get("ports"))
    ]
    return made


def _claim(spec: dict[str, Any]) -> dict[str, Any]:
    return {"volumeMode": "Filesystem", **spec}


def _namespace(spec: dict[str, Any]) -> dict[str, Any]:
    return {"finalizers": ["kubernetes"], **spec}


def _autoscaler(spec: dict[str, Any]) -> dict[str, Any]:
    return {"minReplicas": 1, **spec}


def _network_policy(spec: dict[str, Any]) -> dict[str, Any]:
    types = ["Ingress", "Egress"] if spec.get("egress") else ["Ingress"]
    made = {"policyTypes": types, **spec}
    for side in ("ingress", "egress"):
        rules = made.get(side)
        if isinstance(rules, list):
            made[side] = [_with_protocols(rule) if isinstance(rule, Mapping) else rule for rule in rules]
    return made


def _with_protocols(rule: Mapping[str, Any]) -> dict[str, Any]:
    ports = rule.get("ports")
    if not isinstance(ports, list):
        return dict(rule)
    return {**rule, "ports": [{"protocol": "TCP", **port} if isinstance(port, Mapping) else port for port in ports]}


_KINDS: Final[Mapping[str, Callable[[dict[str, Any]], dict[str, Any]]]] = {
    "Pod": pod_spec,
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
    "Namespace": _namespace,
    "ResourceQuota": dict,
    "LimitRange": dict,
    "HorizontalPodAutoscaler": _autoscaler,
}
