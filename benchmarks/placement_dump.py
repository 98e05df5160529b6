"""Placing a dump's pending pods with every filter on, beside reading the same dump as JSON in the same run."""

from __future__ import annotations

import json
import random
import time
from typing import Any

from harness import line, report
from kubeanswers.scheduling.dump import place_dump

NODES, PODS, APPS = 1_000, 10_000, 100
Object = dict[str, Any]


def node(number: int) -> Object:
    """Return every other node with GPUs and a taint, in three zones."""
    name, gpus = f"n{number:04}", 8 * (number % 2)
    labels = {"kubernetes.io/hostname": name, "topology.kubernetes.io/zone": f"z{number % 3}", "pool": f"p{number % 2}"}
    have = {"cpu": "64", "memory": "256Gi", "pods": "110", "nvidia.com/gpu": str(gpus)}
    taints = [{"key": "nvidia.com/gpu", "effect": "NoSchedule"}] if gpus else []
    meta = {"name": name, "labels": labels}
    return {"kind": "Node", "metadata": meta, "spec": {"taints": taints}, "status": {"allocatable": have}}


def pod(number: int, draw: random.Random) -> Object:
    """Return a pod of one of the applications: a quarter each with spread, wishes, must-nots and selectors."""
    app, labels = number % APPS, {"app": f"a{number % APPS}"}
    mine = {"labelSelector": {"matchLabels": labels}}
    asked = {"cpu": draw.choice(["500m", "1", "2"]), "memory": draw.choice(["1Gi", "2Gi", "4Gi"])}
    spec: Object = {"containers": [{"name": "c", "image": f"app{app}:1", "resources": {"requests": asked}}]}
    if app % 3 == 0:
        spec["tolerations"] = [{"key": "nvidia.com/gpu", "operator": "Exists"}]
        spec["containers"][0]["resources"]["limits"] = {"nvidia.com/gpu": "1"} if app % 2 else {}
    if app % 4 == 0:
        zone = {"maxSkew": 5, "topologyKey": "topology.kubernetes.io/zone", "whenUnsatisfiable": "DoNotSchedule"}
        spec["topologySpreadConstraints"] = [{**zone, **mine}]
    elif app % 4 == 1:
        wish = {"weight": 10, "podAffinityTerm": {**mine, "topologyKey": "kubernetes.io/hostname"}}
        spec["affinity"] = {"podAntiAffinity": {"preferredDuringSchedulingIgnoredDuringExecution": [wish]}}
    elif app % 4 == 2:
        never = {**mine, "topologyKey": "kubernetes.io/hostname"}
        spec["affinity"] = {"podAntiAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": [never]}}
    else:
        spec["nodeSelector"] = {"pool": f"p{int(app % 3 == 0)}"}
    meta = {"name": f"p{number}", "namespace": f"ns{app % 10}", "uid": f"u{number}", "labels": labels}
    return {"apiVersion": "v1", "kind": "Pod", "metadata": meta, "spec": spec, "status": {"phase": "Pending"}}


def service(app: int) -> Object:
    """Return the Service of an application, whose pods are spread by default."""
    meta = {"name": f"s{app}", "namespace": f"ns{app % 10}"}
    return {"kind": "Service", "metadata": meta, "spec": {"selector": {"app": f"a{app}"}}}


def dump() -> list[dict[str, object]]:
    """Return the time of one placement of the whole dump."""
    draw = random.Random(1)  # noqa: S311 - a reproducible dump, nothing secret
    services = [service(app) for app in range(APPS)]
    things = [*(node(i) for i in range(NODES)), *services, *(pod(i, draw) for i in range(PODS))]
    text = json.dumps(things)
    start = time.perf_counter()
    json.loads(text)
    reading = time.perf_counter() - start
    start = time.perf_counter()
    placed = place_dump(things)
    seconds = time.perf_counter() - start
    bound = sum(bool(one.node) for one in placed.pods)
    ratio = {"json.loads of the dump": round(seconds / reading, 1)}
    return [line("place a dump", seconds, "seconds", n=PODS, ratio_to=ratio, nodes=NODES, bound=bound)]


if __name__ == "__main__":
    report(__doc__ or "", [dump])
