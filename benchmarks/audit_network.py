"""Reachability between 1,000 namespaces of 20 pods: the matrix, beside asking about pairs one by one.

Run: python benchmarks/audit_network.py [--json]
"""

from __future__ import annotations

import itertools
import time
from collections.abc import Sequence
from typing import Any

from harness import line, measure, report
from kubeanswers.network.connections import Network, Port
from kubeanswers.network.matrix import reach_matrix
from kubeanswers.objects import ObjectSet, from_dicts

NAMESPACES, PODS = 1000, 20
_PRIVATE = ["10.0.0.0/8", "172.16.0.0/12", "192.168.0.0/16", "100.64.0.0/10", "169.254.0.0/16"]


def _named(api: str, kind: str, name: str, namespace: str = "", **fields: Any) -> dict[str, Any]:
    metadata = {"name": name, **({"namespace": namespace} if namespace else {}), **fields.pop("metadata", {})}
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **fields}


def _policy(name: str, namespace: str, selector: dict[str, Any], **spec: Any) -> dict[str, Any]:
    return _named("networking.k8s.io/v1", "NetworkPolicy", name, namespace, spec={"podSelector": selector, **spec})


def _tenant(i: int) -> list[dict[str, Any]]:
    space = f"t{i}"
    dns = {
        "namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "kube-system"}},
        "podSelector": {"matchLabels": {"k8s-app": "kube-dns"}},
    }
    own: list[dict[str, Any]] = [{"podSelector": {}}]
    web = [{"from": [{"namespaceSelector": {"matchLabels": {"kubernetes.io/metadata.name": "ingress"}}}]}]
    both = ["Ingress", "Egress"]
    internet = [{"ipBlock": {"cidr": "0.0.0.0/0", "except": _PRIVATE}}]
    container = {"name": "c", "image": "i", "ports": [{"name": "http", "containerPort": 8080}]}
    pods = [
        _named("v1", "Pod", f"p{j}", space, metadata={"labels": {"app": f"a{j}"}}, spec={"containers": [container]})
        for j in range(PODS)
    ]
    return [
        _named("v1", "Namespace", space, metadata={"labels": {"tenancykit.dev/tenant": space}}),
        *pods,
        _policy("deny", space, {}, policyTypes=both),
        _policy("same", space, {}, policyTypes=both, ingress=[{"from": own}], egress=[{"to": own}]),
        _policy(
            "dns", space, {}, policyTypes=["Egress"], egress=[{"to": [dns], "ports": [{"protocol": "UDP", "port": 53}]}]
        ),
        _policy("out", space, {}, policyTypes=["Egress"], egress=[{"to": internet, "ports": [{"port": 443}]}]),
        *(_policy(f"web{j}", space, {"matchLabels": {"app": f"a{j}"}}, ingress=web) for j in range(3)),
    ]


def _cluster(namespaces: int) -> ObjectSet:
    objects = [item for i in range(namespaces) for item in _tenant(i)]
    objects.append(_named("v1", "Pod", "controller", "ingress", spec={"containers": []}))
    labels = {"labels": {"k8s-app": "kube-dns"}}
    objects.append(_named("v1", "Pod", "dns", "kube-system", metadata=labels, spec={"containers": []}))
    return from_dicts(objects)


def network() -> Sequence[dict[str, object]]:
    """Time the whole matrix, and extrapolate the naive way from a sample of pairs measured in the same run."""
    objects = _cluster(NAMESPACES)
    groups = {name: name for name in objects.namespaces}
    found = measure(lambda: reach_matrix(Network(objects), groups), runs=3)
    pods = Network(objects)
    sample = list(itertools.islice(itertools.product(pods.pods[:40], pods.pods[:50]), 2000))
    _ = pods.policies
    start = time.perf_counter()
    for source, target in sample:
        pods.reach(source, target, Port("TCP", 443))
    per_pair = (time.perf_counter() - start) / len(sample)
    pairs = (NAMESPACES * PODS) ** 2
    return [
        line(
            "reachability 1,000 namespaces x 20 pods",
            found.seconds,
            "s",
            n=found.runs,
            ratio_to={"pair by pair, one port (extrapolated)": round(per_pair * pairs / found.seconds)},
            peak_memory_mib=round(found.peak_memory_mib, 1),
        )
    ]


if __name__ == "__main__":
    report(__doc__ or "", [network])
