"""What a KubeSchedulerConfiguration says: which rules are asked, with which settings and weights.

Format: https://kubernetes.io/docs/reference/config-api/kube-scheduler-config.v1/
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import field
from types import MappingProxyType
from typing import Any, Final, cast

from kubeanswers.errors import Fault, InputError
from kubeanswers.records import dataclass
from kubeanswers.scheduling.objects import node_term, node_terms, one_of, spread
from kubeanswers.scheduling.requests import Object
from kubeanswers.scheduling.values import CPU, HOSTNAME, MEMORY, ZONE, FitScoring, NodeTerm, Spread

WEIGHTS: Final[Mapping[str, int]] = MappingProxyType(
    {
        "TaintToleration": 3,
        "NodeAffinity": 2,
        "NodeResourcesFit": 1,
        "PodTopologySpread": 2,
        "InterPodAffinity": 2,
        "DynamicResources": 2,
        "NodeResourcesBalancedAllocation": 1,
        "ImageLocality": 1,
    }
)
"""Weights of the default profile (https://kubernetes.io/docs/reference/scheduling/config/)."""
FILTERS: Final = (
    "NodeUnschedulable",
    "TaintToleration",
    "NodeAffinity",
    "NodePorts",
    "NodeResourcesFit",
    "VolumeRestrictions",
    "NodeVolumeLimits",
    "VolumeBinding",
    "VolumeZone",
    "PodTopologySpread",
    "InterPodAffinity",
    "DynamicResources",
    "NodeDeclaredFeatures",
)
"""Plugins of the default profile that refuse machines, in the order they are asked."""
DEFAULT_SCHEDULER: Final = "default-scheduler"
_STRATEGIES: Final = ("LeastAllocated", "MostAllocated", "RequestedToCapacityRatio")
_FULL: Final = 100
_SYSTEM_SPREADS: Final = (
    Spread(HOSTNAME, 3, hard=False, selector=None),
    Spread(ZONE, 5, hard=False, selector=None),
)


@dataclass(frozen=True)
class Profile:
    """How one scheduler decides; the fields' defaults are the default profile.

    Attributes:
        fit: strategy of the resource score.
        balanced: resources whose shares are to be even.
        weights: points count this many times, by plugin; a plugin left out does not score.
        filters: plugins that refuse machines.
        preempts: whether room is made by preemption.
        ignored, ignored_groups: extended resources (or their name's part before ``/``) that are not checked.
        enforced: node rules added to every pod's; ``None`` for none.
        enforced_wishes: preferred node rules added to every pod's, with points.
        spreads: constraints for pods without any of their own, selectors aside.
        system_spreads: whether those are the scheduler's own, which do without the label they spread over.
        hard_affinity: points for the required affinity of pods that run.
        others_wishes: whether preferences of pods that run count for pods without any.
    """

    fit: FitScoring = field(default_factory=FitScoring)
    balanced: tuple[str, ...] = (CPU, MEMORY)
    weights: Mapping[str, int] = field(default_factory=lambda: WEIGHTS)
    filters: frozenset[str] = frozenset(FILTERS)
    preempts: bool = True
    ignored: frozenset[str] = frozenset()
    ignored_groups: frozenset[str] = frozenset()
    enforced: tuple[NodeTerm, ...] | None = None
    enforced_wishes: tuple[tuple[int, NodeTerm], ...] = ()
    spreads: tuple[Spread, ...] = _SYSTEM_SPREADS
    system_spreads: bool = True
    hard_affinity: int = 1
    others_wishes: bool = True


def fit_scoring(strategy: Object | None) -> FitScoring:
    """Return a NodeResourcesFit scoring strategy; ``None`` is the default profile's.

    Raises:
        ValueError: an unknown strategy, or a shape without rising points.
    """
    if not strategy:
        return FitScoring()
    default: list[Object] = [{"name": CPU, "weight": 1}, {"name": MEMORY, "weight": 1}]
    resources = tuple((r["name"], int(r.get("weight") or 1)) for r in strategy.get("resources") or default)
    kind = one_of("type", strategy.get("type", "LeastAllocated"), _STRATEGIES)
    shape = (strategy.get("requestedToCapacityRatio") or {}).get("shape") or ()
    points = tuple((int(p["utilization"]), int(p["score"])) for p in shape)
    if kind == "RequestedToCapacityRatio":
        marks = [at for at, _ in points]
        if not points or marks != sorted(set(marks)) or not all(0 <= at <= _FULL for at in marks):
            raise ValueError(f"shape {points} needs points with utilization rising from 0 to 100")
    return FitScoring(cast("Any", kind), resources, points)


def profiles(objects: Iterable[Object]) -> dict[str, Profile]:
    """Return the profiles of every KubeSchedulerConfiguration by scheduler name; empty where there is none.

    Raises:
        InputError: a profile is malformed.
    """
    found: dict[str, Profile] = {}
    for thing in objects:
        if thing.get("kind") != "KubeSchedulerConfiguration":
            continue
        for i, profile in enumerate(thing.get("profiles") or ({},)):
            try:
                found[profile.get("schedulerName") or DEFAULT_SCHEDULER] = _profile(profile)
            except (KeyError, TypeError, ValueError, AttributeError) as error:
                where = f"KubeSchedulerConfiguration: profiles[{i}]"
                raise InputError(Fault(where, f"is malformed: {error}", "the API's own form")) from error
    return found


def _profile(profile: Object) -> Profile:
    args = {one["name"]: one.get("args") or {} for one in profile.get("pluginConfig") or ()}
    weights, filters, preempts = _plugins(profile.get("plugins") or {})
    fit, affinity = args.get("NodeResourcesFit", {}), args.get("NodeAffinity", {}).get("addedAffinity") or {}
    spreading, pods = args.get("PodTopologySpread", {}), args.get("InterPodAffinity", {})
    listed = spreading.get("defaultingType") == "List"
    default: list[Object] = [{"name": CPU}, {"name": MEMORY}]
    hard = pods.get("hardPodAffinityWeight")
    return Profile(
        fit=fit_scoring(fit.get("scoringStrategy")),
        balanced=tuple(r["name"] for r in args.get("NodeResourcesBalancedAllocation", {}).get("resources") or default),
        weights=weights,
        filters=filters,
        preempts=preempts,
        ignored=frozenset(fit.get("ignoredResources") or ()),
        ignored_groups=frozenset(fit.get("ignoredResourceGroups") or ()),
        enforced=node_terms(affinity.get("requiredDuringSchedulingIgnoredDuringExecution")),
        enforced_wishes=tuple(
            (int(wish["weight"]), node_term(wish["preference"]))
            for wish in affinity.get("preferredDuringSchedulingIgnoredDuringExecution") or ()
        ),
        spreads=tuple(spread(c, {}) for c in spreading.get("defaultConstraints") or ()) if listed else _SYSTEM_SPREADS,
        system_spreads=not listed,
        hard_affinity=1 if hard is None else int(hard),
        others_wishes=not pods.get("ignorePreferredTermsOfExistingPods"),
    )


def _plugins(plugins: Object) -> tuple[dict[str, int], frozenset[str], bool]:
    """Return score weights, filters, and whether preemption is on: what all points share first, then each its own."""
    known = {"filter": dict.fromkeys(FILTERS, 1), "score": dict(WEIGHTS), "postFilter": {"DefaultPreemption": 1}}
    chosen = {point: dict(names) for point, names in known.items()}
    for source in ("multiPoint", *known):
        listed: Mapping[str, Any] = plugins.get(source) or {}
        off = {one["name"] for one in listed.get("disabled") or ()}
        on = {one["name"]: int(one.get("weight") or 1) for one in listed.get("enabled") or ()}
        for point in known if source == "multiPoint" else (source,):
            kept = {k: v for k, v in chosen[point].items() if k not in off and "*" not in off}
            chosen[point] = {**kept, **{k: v for k, v in on.items() if k in known[point]}}
    return chosen["score"], frozenset(chosen["filter"]), bool(chosen["postFilter"])
