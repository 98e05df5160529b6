"""Strict validation of exported objects, beside the package whose schema files it reads, called naively.

Run: python benchmarks/manifests_validation.py [--json]
"""

from __future__ import annotations

import copy
import statistics
import time
from collections.abc import Callable, Sequence
from typing import Any

import kubernetes_validate

from harness import line, report
from kubeanswers.validation.schema import validate_object

RUNS = 3
_CONTAINER = {
    "name": "c",
    "image": "registry.example.dev/app:1",
    "resources": {"requests": {"cpu": "1", "memory": "1Gi"}, "limits": {"cpu": "1", "memory": "1Gi"}},
}
_DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "app", "namespace": "t-x", "labels": {"app": "x"}},
    "spec": {
        "selector": {"matchLabels": {"app": "x"}},
        "template": {"metadata": {"labels": {"app": "x"}}, "spec": {"containers": [_CONTAINER]}},
    },
}


def _broken() -> dict[str, dict[str, Any]]:
    """Return Deployments a cluster refuses, each for one reason."""

    def changed(change: Callable[[dict[str, Any]], None]) -> dict[str, Any]:
        made = copy.deepcopy(_DEPLOYMENT)
        change(made)
        return made

    def container(value: dict[str, Any]) -> Callable[[dict[str, Any]], None]:
        return lambda d: d["spec"]["template"]["spec"]["containers"][0].update(value)

    pair = [copy.deepcopy(_CONTAINER), copy.deepcopy(_CONTAINER)]
    over = {"requests": {"cpu": "2"}, "limits": {"cpu": "1"}}
    return {
        "selector that matches nothing": changed(lambda d: d["spec"]["selector"].update(matchLabels={"app": "y"})),
        "cpu: banana": changed(container({"resources": {"limits": {"cpu": "banana"}}})),
        "invalid name": changed(lambda d: d["metadata"].update(name="App_X")),
        "invalid label": changed(lambda d: d["metadata"].update(labels={"app": "x y"})),
        "two containers of one name": changed(lambda d: d["spec"]["template"]["spec"].update(containers=pair)),
        "imagePullPolicy: Sometimes": changed(container({"imagePullPolicy": "Sometimes"})),
        "requests above limits": changed(container({"resources": over})),
        "no image": changed(container({"image": None})),
        "no name": changed(lambda d: d["metadata"].pop("name")),
        "misspelt field": changed(lambda d: d["spec"].update(replicaz=1)),
        "text for a number": changed(lambda d: d["spec"].update(replicas="3")),
    }


def _naive(obj: dict[str, Any]) -> bool:
    try:
        kubernetes_validate.validate(obj, "1.36", strict=True)
    except kubernetes_validate.ValidationError:
        return False
    return True


def speed() -> Sequence[dict[str, object]]:
    """A thousand Deployments, validated with validators built once and with the package's own function."""
    objects = [{**_DEPLOYMENT, "metadata": {**_DEPLOYMENT["metadata"], "name": f"app-{n}"}} for n in range(1000)]
    validate_object(objects[0])
    own = _median(lambda: [validate_object(o) for o in objects])
    naive = _median(lambda: [_naive(o) for o in objects[:100]]) * 10
    return [
        line("kubernetes-validate strict, 1,000 Deployments", naive, "s", n=RUNS, measured_on=100),
        line("validate_object, 1,000 Deployments", own, "s", n=RUNS, ratio_to={"kubernetes-validate": own / naive}),
    ]


def caught() -> Sequence[dict[str, object]]:
    """Broken Deployments refused: ours against the package's strict mode."""
    broken = _broken()
    own = sum(bool(validate_object(o)) for o in broken.values())
    naive = sum(not _naive(o) for o in broken.values())
    return [
        line("kubernetes-validate strict, broken ones refused", naive, "", n=len(broken)),
        line(
            "validate_object, broken ones refused",
            own,
            "",
            n=len(broken),
            ratio_to={"kubernetes-validate": own / naive},
        ),
    ]


def _median(work: Callable[[], object]) -> float:
    times = []
    for _ in range(RUNS):
        start = time.perf_counter()
        work()
        times.append(time.perf_counter() - start)
    return statistics.median(times)


if __name__ == "__main__":
    report(__doc__ or "", (speed, caught))
