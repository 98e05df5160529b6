"""Our scheduler beside the recorded one, pod by pod, with the recorded choice forced at each step."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from kubeanswers.scheduling.cluster import Cluster
from kubeanswers.scheduling.configuration import Profile, fit_scoring
from kubeanswers.scheduling.disruption import budgets
from kubeanswers.scheduling.dump import place_dump
from kubeanswers.scheduling.objects import Reader, machine, services
from kubeanswers.scheduling.scheduling import Decision, Scheduler
from kubeanswers.scheduling.values import FitScoring, Pod
from tests.oracle.comparison import Comparison, load

Case = Mapping[str, Any]


@dataclass(frozen=True)
class Agreement:
    """How often our answer is the recorded one.

    Attributes:
        pods: pods compared.
        agreeing: pods for which everything recorded agrees.
        by_aspect: (agreeing, compared) per aspect: feasible, scores, each plugin, choice, reason, victims.
        differences: one line per difference.
    """

    pods: int
    agreeing: int
    by_aspect: Mapping[str, tuple[int, int]]
    differences: tuple[str, ...]

    @property
    def share(self) -> float:
        """Pods that agree, of those compared."""
        return self.agreeing / self.pods if self.pods else 0.0


class _Tally:
    def __init__(self) -> None:
        self.right: Counter[str] = Counter()
        self.seen: Counter[str] = Counter()
        self.differences: list[str] = []
        self.entries: list[Mapping[str, object]] = []
        self.pods = self.agreeing = 0

    def pod(self, name: str, aspects: Mapping[str, tuple[object, object]]) -> None:
        self.pods += 1
        same = True
        for aspect, (ours, theirs) in aspects.items():
            self.seen[aspect] += 1
            if ours == theirs:
                self.right[aspect] += 1
            else:
                same = False
                self.differences.append(f"{name}: {aspect}: ours {ours!r}, recorded {theirs!r}")
                case, question = name.split(" ", maxsplit=1)
                entry = {"case": case, "question": question, "expected": theirs, "answered": ours, "why": aspect}
                self.entries.append(entry)
        self.agreeing += same

    def done(self) -> Agreement:
        aspects = {aspect: (self.right[aspect], self.seen[aspect]) for aspect in sorted(self.seen)}
        return Agreement(self.pods, self.agreeing, aspects, tuple(self.differences))


def oracle_scheduler(path: Path) -> tuple[Agreement, tuple[str, ...]]:
    """Return the agreement with the recorded choices of a file, and the differences."""
    data = load(path)
    tally = _Tally()
    for case in data["cases"]:
        _replay(case, data["cluster_objects"], data["profiles"], tally)
    agreement = tally.done()
    return agreement, agreement.differences


def compare(data: Mapping[str, Any], folder: Path) -> Comparison:
    """Return the comparison of a recorded set of scheduling decisions: per pod, or per aggregate of the large cases."""
    if data["set"] == "scheduler-large" or any("nodes_compact" in case for case in data["cases"]):
        return compare_large(data, folder)
    tally = _Tally()
    for case in data["cases"]:
        _replay(case, data.get("cluster_objects") or [], data.get("profiles") or {}, tally)
    result = Comparison(str(data["set"]), agree=tally.agreeing, total=tally.pods)
    for line in tally.entries:
        result.differences.append(dict(line))
    return result


def _node_object(node: Case) -> Case:
    return {
        "kind": "Node",
        "metadata": {"name": node["name"], "labels": node.get("labels")},
        "spec": {"taints": node.get("taints"), "unschedulable": node.get("unschedulable")},
        "status": {"allocatable": node["allocatable"], "images": _images(node.get("images"))},
    }


def _images(images: Any) -> list[Case]:
    """Return a node's images in the API's form; names with sizes are accepted too."""
    if isinstance(images, Mapping):
        images = list(images.items())
    return [
        image if isinstance(image, Mapping) else {"names": [image[0]], "sizeBytes": image[1]} for image in images or ()
    ]


def _started(thing: Case) -> Case:
    started = (thing["metadata"].get("annotations") or {}).get("started", "")
    return {**thing, "status": {"startTime": started}}


def _replay(case: Case, shared: list[Case], profiles: Case, tally: _Tally) -> None:
    reader = Reader(shared)
    objects = list(case.get("objects") or ())
    machines = [machine(_node_object(node)) for node in case["nodes"]]
    existing = [reader.pod(_started(thing)) for thing in case.get("existing") or ()]
    pods = {(p := reader.pod(thing)).key: p for thing in case["pods"]}
    spaces = {o["metadata"]["name"]: o["metadata"].get("labels") or {} for o in shared if o["kind"] == "Namespace"}
    cluster = Cluster(machines, existing, spaces)
    fit = fit_scoring(profiles.get(case["profile"]) if case.get("profile") else None)
    scheduler = Scheduler(cluster, Profile(fit=fit), services(objects), budgets(objects, case.get("existing") or ()))
    where = {pod.key: pod.node for pod in existing}
    everything = {**{pod.key: pod for pod in existing}, **pods}
    for result in case["result"]:
        if "rejected" in result:
            continue
        pod = pods[result["pod"]]
        name = f"{case['id']} {pod.key}"
        if not pod.node:
            tally.pod(name, _compared(scheduler, pod, result, everything, where))
        _force(scheduler, result, everything, where)


def _compared(
    scheduler: Scheduler, pod: Pod, result: Case, pods: Mapping[str, Pod], where: dict[str, str]
) -> Mapping[str, tuple[object, object]]:
    """Return ours beside the recorded answer, by aspect.

    Pods bound meanwhile may have been bound before or after this pod was looked at (the recording does not say); where
    the answers differ before, those after are taken if they agree.
    """
    aspects = dict(_aspects(scheduler, scheduler.decide(pod), result))
    late = result.get("earlier_pending_bound")
    if late and any(ours != theirs for ours, theirs in aspects.values()):
        _force(scheduler, {"pod": pod.key, "earlier_pending_bound": late}, pods, where)
        after = dict(_aspects(scheduler, scheduler.decide(pod), result))
        if all(ours == theirs for ours, theirs in after.values()):
            return after
    return aspects


def _force(scheduler: Scheduler, result: Case, pods: Mapping[str, Pod], where: dict[str, str]) -> None:
    """Bring the cluster to the state recorded after a pod."""
    for victim in result.get("victims") or ():
        if where.get(victim):
            scheduler.evict(pods[victim], where.pop(victim))
    bound = {result["pod"]: result.get("node")} if result.get("node") else {}
    late = result.get("earlier_pending_bound") or {}
    for key, node in {**bound, **dict(late)}.items():
        if node and not where.get(key):
            scheduler.bind(pods[key], node)
            where[key] = node


def _aspects(scheduler: Scheduler, decision: Decision, result: Case) -> Iterator[tuple[str, tuple[object, object]]]:
    cluster, verdict = scheduler.cluster, decision.verdict
    if verdict is None:
        yield "gated", (decision.event, result.get("message", ""))
        return
    feasible = {cluster.machines[i].name for i in np.flatnonzero(verdict.feasible)}
    if result.get("nominated") or result.get("victims"):
        yield "feasible", (feasible, set())
        yield "nominated", (decision.nominated, result["nominated"])
        yield "victims", (sorted(v.key for v in decision.victims), sorted(result["victims"]))
        if "first_message" in result:
            yield "reason", (verdict.event(), _refusal(result["first_message"]))
    elif result.get("node"):
        yield "feasible", (feasible, set(result["scores"]) if "scores" in result else {result["node"]})
        if "scores" in result and decision.scores is not None:
            yield from _score_aspects(scheduler, decision, result)
    else:
        yield "feasible", (feasible, set())
        yield "reason", (verdict.event(), _refusal(result["message"]))
        if "preemption: " in result["message"]:
            yield "preemption", (_preemption(decision.event), _preemption(result["message"]))


def _score_aspects(
    scheduler: Scheduler, decision: Decision, result: Case
) -> Iterator[tuple[str, tuple[object, object]]]:
    scores = decision.scores
    assert scores is not None
    names = [scheduler.cluster.machines[i].name for i in scores.machines]
    order = sorted(range(len(names)), key=names.__getitem__)
    ours = dict(zip(names, scores.total.tolist(), strict=True))
    yield "scores", (ours, result["scores"])
    for plugin in scores.plugins:
        values = [int(scores.plugins[plugin][i]) for i in order]
        recorded = result["plugins"].get(plugin)
        yield plugin, (values if len(set(values)) > 1 else None, recorded)
    best = {name for name, total in ours.items() if total == max(ours.values())}
    yield "choice", (result["node"] in best, True)
    yield "tie", (decision.node, result["node"])


def _refusal(message: str) -> str:
    head = message.split(" preemption: ", maxsplit=1)[0]
    return head.removesuffix(" no new claims to deallocate,").rstrip(",")


def _preemption(message: str) -> str:
    return message.split("preemption: ", maxsplit=1)[-1]


_RUNS = 5


def compare_large(data: Mapping[str, Any], folder: Path) -> Comparison:
    """Return the comparison of aggregates: equal, or else within what drawing ties differently makes of them.

    Where ours differs, our scheduler runs several times with ties drawn at random. A recorded number then has to lie
    within the range of ours, widened by that range on either side; a recorded histogram may be no farther from our
    nearest run than 1.5 times the farthest two of ours are from each other (in nodes or pods that would have to move).
    """
    result = Comparison(str(data["set"]))
    profiles = _profiles(folder)
    for case in data["cases"]:
        name = str(case["profile"])
        fit = fit_scoring(profiles[name]) if profiles.get(name) else _LARGE.get(name, FitScoring())
        exact = _aggregate(case, fit, None)
        if all(exact[key] == recorded for key, recorded in case["aggregate"].items()):
            for key, recorded in case["aggregate"].items():
                result.add(case["id"], key, recorded, exact[key])
            continue
        runs = [_aggregate(case, fit, seed) for seed in range(_RUNS)]
        for key, recorded in case["aggregate"].items():
            ours = [run[key] for run in runs]
            near = _histograms_near(ours, recorded) if isinstance(recorded, dict) else _numbers_near(ours, recorded)
            result.add(case["id"], key, recorded, recorded if near else ours, f"not within the ties of {_RUNS} runs")
    return result


_LARGE = {"gpu-only-most": FitScoring("MostAllocated", (("nvidia.com/gpu", 1),))}
"""The profiles the large cases name, where the smaller cases are not beside them."""


def _profiles(folder: Path) -> Mapping[str, Any]:
    path = next((f for f in (folder / "scheduler.json", folder / "scheduler.json.xz") if f.exists()), None)
    return {} if path is None else dict(load(path)["profiles"])


def _numbers_near(ours: list[int], recorded: int) -> bool:
    width = max(ours) - min(ours)
    return min(ours) - width <= recorded <= max(ours) + width


def _distance(left: Mapping[str, int], right: Mapping[str, int]) -> int:
    return sum(abs(left.get(k, 0) - right.get(k, 0)) for k in {*left, *right})


def _histograms_near(ours: list[Mapping[str, int]], recorded: Mapping[str, int]) -> bool:
    spread = max(_distance(a, b) for a in ours for b in ours)
    return min(_distance(run, recorded) for run in ours) <= 1.5 * spread


def _aggregate(case: Case, fit: FitScoring, seed: int | None) -> dict[str, Any]:
    nodes = [
        {
            "kind": "Node",
            "metadata": {
                "name": name,
                "labels": {"kubernetes.io/hostname": name, "gpu-kind": kind, "topology.kubernetes.io/zone": zone},
            },
            "status": {"allocatable": {"cpu": cpu, "memory": memory, "nvidia.com/gpu": gpus, "pods": "110"}},
        }
        for name, cpu, memory, gpus, kind, zone in case["nodes_compact"]
    ]
    pods = [_large_pod(*row) for row in case["pods_compact"]]
    capacity = {row[0]: int(row[3]) for row in case["nodes_compact"]}
    asked = {f"s-a/{row[0]}": int(row[3] or 0) for row in case["pods_compact"]}
    placed = place_dump([*nodes, *pods], fit=fit, seed=seed).pods
    used, number = Counter(dict.fromkeys(capacity, 0)), Counter(dict.fromkeys(capacity, 0))
    for place in placed:
        if place.node:
            used[place.node] += asked[place.pod]
            number[place.node] += 1
    return {
        "bound": sum(bool(place.node) for place in placed),
        "pending": sum(not place.node for place in placed),
        "gpus_bound": sum(used.values()),
        "gpu_capacity": sum(capacity.values()),
        "nodes_full_gpu": sum(used[name] == total for name, total in capacity.items()),
        "nodes_empty": sum(number[name] == 0 for name in capacity),
        "pods_per_node_histogram": dict(Counter(str(n) for n in number.values())),
        "gpus_used_per_node_histogram": dict(Counter(str(n) for n in used.values())),
        "pending_by_gpus": dict(Counter(str(asked[place.pod]) for place in placed if not place.node)),
    }


def _large_pod(name: str, cpu: str, memory: str, gpus: int, kind: str | None) -> Case:
    requests = {"cpu": cpu, "memory": memory, **({"nvidia.com/gpu": gpus} if gpus else {})}
    return {
        "kind": "Pod",
        "metadata": {"name": name, "namespace": "s-a", "uid": name},
        "spec": {
            **({"nodeSelector": {"gpu-kind": kind}} if kind else {}),
            "containers": [{"name": "c", "image": "app:1", "resources": {"requests": requests}}],
        },
    }
