"""What PodDisruptionBudgets allow."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import Any

from kubeanswers.scheduling.objects import label_selector
from kubeanswers.scheduling.requests import Object
from kubeanswers.scheduling.values import Budget, Selector


def budgets(objects: Iterable[Object], pods: Iterable[Object]) -> list[Budget]:
    """Return the disruption budgets; without a status, what they allow is computed from the pods that run.

    As the disruption controller does: percentages and ``maxUnavailable`` count pods that have a controller only.
    """
    running = [pod for pod in pods if (pod.get("spec") or {}).get("nodeName")]
    found = []
    for thing in objects:
        if thing.get("kind") != "PodDisruptionBudget":
            continue
        spec, namespace = thing.get("spec") or {}, (thing.get("metadata") or {}).get("namespace") or "default"
        selector = label_selector(spec.get("selector"))
        status = thing.get("status") or {}
        allowed = status.get("disruptionsAllowed")
        if allowed is None:
            allowed = _allowed(spec, [p for p in running if _covered(p, namespace, selector or ())])
        found.append(Budget(namespace, selector, int(allowed), frozenset(status.get("disruptedPods") or ())))
    return found


def _covered(pod: Object, namespace: str, selector: Selector) -> bool:
    meta = pod.get("metadata") or {}
    inside = (meta.get("namespace") or "default") == namespace
    return inside and bool(selector) and all(r.holds(meta.get("labels") or {}) for r in selector)


def _allowed(spec: Object, pods: Sequence[Object]) -> int:
    managed = sum(
        any(owner.get("controller") for owner in (pod.get("metadata") or {}).get("ownerReferences") or ())
        for pod in pods
    )
    if spec.get("maxUnavailable") is not None:
        expected, desired = managed, managed - _share(spec["maxUnavailable"], managed)
    else:
        least = spec.get("minAvailable", 1)
        expected = managed if str(least).endswith("%") else len(pods)
        desired = _share(least, expected)
    return max(0, len(pods) - max(0, desired)) if expected else 0


def _share(value: Any, total: int) -> int:
    text = str(value)
    return -(-int(text[:-1]) * total // 100) if text.endswith("%") else int(text)
