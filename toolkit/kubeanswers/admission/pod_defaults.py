"""What the API server and its admission plugins fill into a pod before policies see it.

Source: https://kubernetes.io/docs/reference/kubernetes-api/workload-resources/pod-v1/ (each field's own text) and
https://kubernetes.io/docs/reference/access-authn-authz/admission-controllers/ (the plugins on by default).
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from kubeanswers.admission.printed_amounts import with_printed
from kubeanswers.compute import with_defaults
from kubeanswers.objects import mapping, mappings, scalar_text

_PROBES: Final = ("livenessProbe", "readinessProbe", "startupProbe")
_PROBE: Final = {"timeoutSeconds": 1, "periodSeconds": 10, "successThreshold": 1, "failureThreshold": 3}
_MODE: Final = 420
_SYSTEM_CLASSES: Final = {"system-cluster-critical": 2_000_000_000, "system-node-critical": 2_000_001_000}
_TOKEN: Final = "kube-api-access-probe"  # noqa: S105 - the name of a volume; a real one ends in five random letters


def pod_spec(spec: Mapping[str, Any]) -> dict[str, Any]:
    """Return a pod spec, of a pod or a template, with the API server's own defaults."""
    made = {
        "restartPolicy": "Always",
        "terminationGracePeriodSeconds": 30,
        "dnsPolicy": "ClusterFirst",
        "securityContext": {},
        "schedulerName": "default-scheduler",
        **with_defaults(spec),
    }
    for kind in ("initContainers", "containers", "ephemeralContainers"):
        if kind in made:
            made[kind] = [_container(item) for item in mappings(made[kind])]
    if "volumes" in made:
        made["volumes"] = [_volume(item) for item in mappings(made["volumes"])]
    if made.get("serviceAccountName"):
        made["serviceAccount"] = made["serviceAccountName"]
    return made


def _container(container: Mapping[str, Any]) -> dict[str, Any]:
    made: dict[str, Any] = {
        "resources": {},
        "terminationMessagePath": "/dev/termination-log",
        "terminationMessagePolicy": "File",
        "imagePullPolicy": _pull_policy(scalar_text(container.get("image"))),
        **container,
    }
    if "ports" in made:
        made["ports"] = [{"protocol": "TCP", **port} for port in mappings(made["ports"])]
    if "env" in made:
        made["env"] = [_variable(item) for item in mappings(made["env"])]
    for key in _PROBES:
        if isinstance(made.get(key), Mapping):
            made[key] = {**_PROBE, **_handler(made[key])}
    if isinstance(made.get("lifecycle"), Mapping):
        made["lifecycle"] = {
            key: _handler(value) if isinstance(value, Mapping) else value for key, value in made["lifecycle"].items()
        }
    return made


def _pull_policy(image: str) -> str:
    name, digest, _ = image.rpartition("/")[2].partition("@")
    latest = name.endswith(":latest") or (":" not in name and not digest)
    return "Always" if latest else "IfNotPresent"


def _variable(variable: Mapping[str, Any]) -> Mapping[str, Any]:
    source = mapping(variable.get("valueFrom"))
    if not isinstance(source.get("fieldRef"), Mapping):
        return variable
    return {**variable, "valueFrom": {**source, "fieldRef": {"apiVersion": "v1", **source["fieldRef"]}}}


def _handler(handler: Mapping[str, Any]) -> dict[str, Any]:
    asked = handler.get("httpGet")
    filled = {"path": "/", "scheme": "HTTP", **asked} if isinstance(asked, Mapping) else asked
    return {**handler, "httpGet": filled} if asked is not None else dict(handler)


def _volume(volume: Mapping[str, Any]) -> dict[str, Any]:
    made = dict(volume)
    sources = [key for key in made if key != "name"]
    if not sources:
        return {**made, "emptyDir": {}}
    for key in ("configMap", "secret", "downwardAPI", "projected"):
        if isinstance(made.get(key), Mapping):
            made[key] = {"defaultMode": _MODE, **made[key]}
    if isinstance(made.get("hostPath"), Mapping):
        made["hostPath"] = {"type": "", **made["hostPath"]}
    if isinstance(made.get("image"), Mapping):
        policy = _pull_policy(scalar_text(made["image"].get("reference")))
        made["image"] = {"pullPolicy": policy, **made["image"]}
    return made


def admitted_pod(
    spec: Mapping[str, Any], classes: Mapping[str, Any], runtimes: Mapping[str, Mapping[str, Any]]
) -> dict[str, Any]:
    """Return the spec of a pod with what admission adds: account, priority, tolerations, runtime, account's token."""
    named = scalar_text(spec.get("priorityClassName"))
    made: dict[str, Any] = {
        "enableServiceLinks": True,
        "serviceAccountName": "default",
        "serviceAccount": "default",
        "preemptionPolicy": "PreemptLowerPriority",
        "priority": classes.get(named, _SYSTEM_CLASSES.get(named, 0)),
        **spec,
    }
    made.update(_of_runtime(made, mapping(runtimes.get(scalar_text(made.get("runtimeClassName"))))))
    own = mappings(made.get("tolerations"))
    made["tolerations"] = [*own, *(item for item in _default_tolerations() if not _covered(item["key"], own))]
    if made.get("hostNetwork") is True:
        for kind in ("initContainers", "containers"):
            if kind in made:
                made[kind] = [_on_host(item) for item in made[kind]]
    return _with_token(made) if made.get("automountServiceAccountToken") is not False else made


def _of_runtime(spec: Mapping[str, Any], runtime: Mapping[str, Any]) -> dict[str, Any]:
    """Return what a RuntimeClass gives its pods: overhead, and where they are to be scheduled."""
    fixed = mapping(mapping(runtime.get("overhead")).get("podFixed"))
    where = mapping(runtime.get("scheduling"))
    selector = {**mapping(spec.get("nodeSelector")), **mapping(where.get("nodeSelector"))}
    own = mappings(spec.get("tolerations"))
    made = {
        "overhead": with_printed(fixed, "overhead"),
        "nodeSelector": selector,
        "tolerations": [*own, *(item for item in mappings(where.get("tolerations")) if item not in own)],
    }
    return {key: value for key, value in made.items() if value}


def _default_tolerations() -> list[dict[str, Any]]:
    return [
        {"key": f"node.kubernetes.io/{key}", "operator": "Exists", "effect": "NoExecute", "tolerationSeconds": 300}
        for key in ("not-ready", "unreachable")
    ]


def _covered(key: str, tolerations: list[Mapping[str, Any]]) -> bool:
    return any(
        (item.get("key") or key) == key and (item.get("effect") or "NoExecute") == "NoExecute" for item in tolerations
    )


def _on_host(container: Mapping[str, Any]) -> dict[str, Any]:
    if "ports" not in container:
        return dict(container)
    ports = [{**port, "hostPort": port.get("hostPort") or port.get("containerPort")} for port in container["ports"]]
    return {**container, "ports": ports}


def _with_token(spec: dict[str, Any]) -> dict[str, Any]:
    sources = [
        {"serviceAccountToken": {"expirationSeconds": 3607, "path": "token"}},
        {"configMap": {"name": "kube-root-ca.crt", "items": [{"key": "ca.crt", "path": "ca.crt"}]}},
        {
            "downwardAPI": {
                "items": [{"path": "namespace", "fieldRef": {"apiVersion": "v1", "fieldPath": "metadata.namespace"}}]
            }
        },
    ]
    mount = {"name": _TOKEN, "readOnly": True, "mountPath": "/var/run/secrets/kubernetes.io/serviceaccount"}
    made = dict(spec)
    made["volumes"] = [
        *mappings(made.get("volumes")),
        {"name": _TOKEN, "projected": {"sources": sources, "defaultMode": _MODE}},
    ]
    for kind in ("initContainers", "containers"):
        if kind in made:
            made[kind] = [_mounted(item, mount) for item in made[kind]]
    return made


def _mounted(container: Mapping[str, Any], mount: Mapping[str, Any]) -> dict[str, Any]:
    mounts = mappings(container.get("volumeMounts"))
    if any(item.get("mountPath") == mount["mountPath"] for item in mounts):
        return dict(container)
    return {**container, "volumeMounts": [*mounts, mount]}
