"""How well each feasible machine suits a pod: the default score plugins with their weights, in whole points.

Each plugin gives 0 to 100 per machine, multiplied by its weight; the total decides. Rounding follows the scheduler:
integers divide towards zero, except where it rounds a floating point number itself.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

import numpy as np
from numpy.typing import NDArray

from kubeanswers.records import dataclass
from kubeanswers.scheduling.cluster import BoolArray, Cluster, IntArray
from kubeanswers.scheduling.configuration import Profile
from kubeanswers.scheduling.filters import Static, in_domains, matching
from kubeanswers.scheduling.room import Rows
from kubeanswers.scheduling.values import (
    CPU,
    HOSTNAME,
    MEMORY,
    PODS,
    STORAGE,
    FitScoring,
    NodeTerm,
    Pod,
    Spread,
    term_holds,
)

FloatArray = NDArray[np.float64]
TOP: Final = 100
_MIB: Final = 1024 * 1024
_IMAGE_LEAST: Final = 23 * _MIB
_IMAGE_MOST: Final = 1000 * _MIB
_PAIR: Final = 2
_PLAIN: Final = (CPU, MEMORY, STORAGE)
"""Resources that count in scores whether or not the pod asks for them."""


@dataclass(frozen=True)
class Scores:
    """Weighted points by plugin, and their sum, for the feasible machines in cluster order.

    Attributes:
        machines: positions of the feasible machines.
        plugins: points by plugin.
        total: their sum.
    """

    machines: IntArray
    plugins: Mapping[str, IntArray]
    total: IntArray


def score(
    cluster: Cluster, static: Static, pod: Pod, feasible: BoolArray, profile: Profile, spreads: tuple[Spread, ...]
) -> Scores:
    """Return the points of the feasible machines; a plugin with nothing to say gives none.

    Args:
        cluster: the state.
        static: rules that do not depend on the pods.
        pod: the pod to place.
        feasible: the machines the filters let through.
        profile: settings and weights.
        spreads: the pod's topology spread constraints, or those it gets for want of any.
    """
    rows = np.flatnonzero(feasible)
    key = ("points", asks(pod), profile.fit, profile.balanced)
    fit, balance = static.room.columns(
        key, lambda some: (_fit(cluster, pod, some, profile.fit), _balance(cluster, pod, some, profile.balanced))
    )
    none = np.zeros(len(rows), dtype=np.int64)
    points = {
        "TaintToleration": _taints(static.disliked(pod)[rows]),
        "NodeAffinity": _wishes(cluster, (*pod.node_wishes, *profile.enforced_wishes), rows),
        "NodeResourcesFit": fit[rows],
        "NodeResourcesBalancedAllocation": balance[rows],
        "PodTopologySpread": _spread(cluster, static, pod, feasible, Spreading.of(pod, profile, spreads)),
        "InterPodAffinity": _pods(cluster, static, pod, rows, profile),
        "DynamicResources": _devices(cluster, pod, rows),
        "ImageLocality": _images(cluster, pod, rows),
    }
    weighted = {name: none if value is None else profile.weights.get(name, 0) * value for name, value in points.items()}
    total = none.copy()
    for value in weighted.values():
        if value is not none:
            total += value
    return Scores(rows, weighted, total)


def _taints(counts: IntArray) -> IntArray:
    """Return 100 less the share of the most soft taints any feasible machine has that the pod does not tolerate."""
    most = int(counts.max(initial=0))
    return TOP - (TOP * counts // most if most else np.zeros_like(counts))


def _wishes(cluster: Cluster, wishes: tuple[tuple[int, NodeTerm], ...], rows: IntArray) -> IntArray | None:
    if not wishes:
        return None
    points = np.array(
        [sum(weight for weight, term in wishes if term_holds(term, cluster.machines[i])) for i in rows.tolist()],
        dtype=np.int64,
    )
    most = int(points.max(initial=0))
    return TOP * points // most if most else points


def asks(pod: Pod) -> tuple[object, ...]:
    """Return all of a pod that resource scores look at."""
    nominal = (pod.nominal_cpu, pod.nominal_memory, pod.scored_cpu, pod.scored_memory)
    return (*sorted(pod.requests.items()), *nominal)


def _usage(cluster: Cluster, pod: Pod, resource: str, rows: Rows, *, nominal: bool) -> tuple[IntArray, IntArray]:
    """Return what would be requested with the pod, and the capacity; both 0 where the resource is to be left out."""
    capacity, asked = cluster.capacity(resource)[rows], pod.requests.get(resource, 0)
    if resource == PODS or (resource not in _PLAIN and asked == 0):
        return np.zeros_like(capacity), np.zeros_like(capacity)
    if nominal and resource in (CPU, MEMORY):
        own = (pod.scored_cpu or pod.nominal_cpu) if resource == CPU else (pod.scored_memory or pod.nominal_memory)
        return cluster.nominal[resource][rows] + own, capacity
    return cluster.used(resource)[rows] + asked, capacity


def _fit(cluster: Cluster, pod: Pod, rows: Rows, fit: FitScoring) -> IntArray:
    points, weights = np.zeros_like(cluster.number[rows]), np.zeros_like(cluster.number[rows])
    for resource, weight in fit.resources:
        requested, capacity = _usage(cluster, pod, resource, rows, nominal=True)
        present = capacity > 0
        whole = np.maximum(capacity, 1)
        if fit.kind == "MostAllocated":
            value = np.minimum(requested, capacity) * TOP // whole
        elif fit.kind == "LeastAllocated":
            value = np.where(requested > capacity, 0, (capacity - requested) * TOP // whole)
        else:
            value = broken_line(np.where(requested > capacity, TOP, requested * TOP // whole), fit.shape)
            present &= value > 0
        points += np.where(present, value * weight, 0)
        weights += np.where(present, weight, 0)
    if fit.kind == "RequestedToCapacityRatio":
        return np.floor(points / np.maximum(weights, 1) + 0.5).astype(np.int64)
    return points // np.maximum(weights, 1)


def broken_line(percent: IntArray, shape: tuple[tuple[int, int], ...]) -> IntArray:
    """Return a score 0 to 100 for utilisations in percent, linear between the points of a shape scored 0 to 10.

    >>> broken_line(np.array([0, 25, 75]), ((0, 0), (50, 3), (100, 10))).tolist()
    [0, 15, 65]
    """
    result = np.full(percent.shape, shape[-1][1] * 10, dtype=np.int64)
    for i in range(len(shape) - 1, -1, -1):
        at, value = shape[i][0], shape[i][1] * 10
        if i == 0:
            line = np.full(percent.shape, value, dtype=np.int64)
        else:
            before, low = shape[i - 1][0], shape[i - 1][1] * 10
            line = low + np.trunc((value - low) * (percent - before) / (at - before)).astype(np.int64)
        result = np.where(percent <= at, line, result)
    return result


def _balance(cluster: Cluster, pod: Pod, rows: Rows, resources: tuple[str, ...]) -> IntArray:
    """Return 75 points, more where the pod evens out the use of the resources, less where it skews it.

    Half of (150 + balance with the pod - balance without it), both balances in whole points. A pod that asks for none
    of the resources gets no points anywhere.
    """
    if not any(pod.requests.get(resource) for resource in resources):
        return np.zeros_like(cluster.number[rows])
    shares: tuple[list[FloatArray], list[FloatArray]] = [], []
    for resource in resources:
        requested, capacity = _usage(cluster, pod, resource, rows, nominal=False)
        for found, amount in zip(shares, (requested - pod.requests.get(resource, 0), requested), strict=True):
            share = np.minimum(amount / np.maximum(capacity, 1), 1.0)
            found.append(np.where(capacity > 0, share, np.nan))
    before, after = (((1.0 - _deviation(np.array(found))) * TOP).astype(np.int64) for found in shares)
    return (150 + after - before) // 2


def _deviation(shares: FloatArray) -> FloatArray:
    """Return the standard deviation per machine of the shares that exist there; 0 for fewer than two."""
    present = ~np.isnan(shares)
    if len(shares) == _PAIR and present.all():
        half: FloatArray = np.abs(shares[0] - shares[1]) / 2
        return half
    number = present.sum(axis=0)
    filled = np.where(present, shares, 0.0)
    mean = filled.sum(axis=0) / np.maximum(number, 1)
    squares = np.where(present, (shares - mean) ** 2, 0.0).sum(axis=0) / np.maximum(number, 1)
    half = (filled.max(axis=0) - np.where(present, shares, 1.0).min(axis=0)) / 2
    return np.where(number > _PAIR, np.sqrt(squares), np.where(number == _PAIR, half, 0.0))


@dataclass(frozen=True)
class Spreading:
    """Soft spread constraints, and whether machines without one of their labels are left out of the score."""

    soft: tuple[Spread, ...]
    strict: bool

    @classmethod
    def of(cls, pod: Pod, profile: Profile, spreads: tuple[Spread, ...]) -> Spreading:
        """Return those of a pod; only the scheduler's own constraints do without the labels."""
        soft = tuple(spread for spread in spreads if not spread.hard)
        return cls(soft, strict=bool(pod.spreads) or not profile.system_spreads)


def _spread(cluster: Cluster, static: Static, pod: Pod, feasible: BoolArray, spreading: Spreading) -> IntArray | None:
    """Return points for machines whose domains hold few matching pods; 0 for machines without the labels."""
    rows = np.flatnonzero(feasible)
    if not spreading.soft:
        return None
    keys = [spread.topology for spread in spreading.soft] if spreading.strict else []
    candidates = feasible
    for key in keys:
        candidates = candidates & (cluster.codes(key) >= 0)
    raw = np.zeros(len(cluster.machines))
    for spread in spreading.soft:
        codes = cluster.codes(spread.topology)
        amount = matching(cluster, pod, spread)
        if spread.topology == HOSTNAME:
            size, here = int(candidates.sum()), amount
        else:
            size, known = in_domains(codes, candidates)  # having no label is one more domain in the scheduler's count
            where = static.counted(pod, spread, keys)
            sums = cluster.by_domain(spread.topology, np.where(where, amount, 0))
            here = np.where(known, sums, 0)
        raw += np.where(codes >= 0, here * np.log(size + 2) + (spread.skew - 1), 0.0)
    value = np.floor(raw + 0.5).astype(np.int64)
    ranked = value[candidates]
    if not len(ranked):
        return None
    least, most = int(ranked.min()), int(ranked.max())
    points = np.full_like(value, TOP) if most == 0 else TOP * (most + least - value) // most
    return np.where(candidates, points, 0)[rows]


def _pods(cluster: Cluster, static: Static, pod: Pod, rows: IntArray, profile: Profile) -> IntArray | None:
    """Return points for being near wanted pods and away from unwanted ones, stretched from 0 to 100.

    Preferences of both sides count; so do the others' requirements, if they mean the pod.
    """
    if not (profile.others_wishes or pod.near_wishes or pod.away_wishes):
        return None
    raw = cluster.zeros()
    for sign, terms in ((1, pod.near_wishes), (-1, pod.away_wishes)):
        for term in terms:
            raw += sign * term.weight * cluster.by_domain(term.topology, cluster.meant(term))
    for group, term, weight in static.wished(pod, profile.hard_affinity):
        raw += weight * cluster.by_domain(term.topology, group.count)
    value = raw[rows]
    least, most = (int(value.min()), int(value.max())) if len(value) else (0, 0)
    if most == least:
        return None
    return (TOP * ((value - least) / (most - least))).astype(np.int64)


def _devices(cluster: Cluster, pod: Pod, rows: IntArray) -> IntArray | None:
    """Return points for machines whose devices satisfy alternatives that come early in their lists."""
    if not pod.device_claims or cluster.devices.undecided(pod):
        return None
    points = np.array([cluster.devices.points(pod, cluster.machines[i]) for i in rows.tolist()], dtype=np.int64)
    most = int(points.max(initial=0))
    return TOP * points // most if most else points


def _images(cluster: Cluster, pod: Pod, rows: IntArray) -> IntArray | None:
    """Return points for holding the pod's images, scaled by how many machines hold them."""
    if not cluster.images:
        return None
    sums = np.zeros(len(rows), dtype=np.int64)
    for image in (*pod.images, *pod.mounted):
        size, holders = cluster.images.get(image, (0, 0))
        share = int(size * (holders / len(cluster.machines)))
        if share:
            sums += share * np.array([image in cluster.machines[i].images for i in rows.tolist()], dtype=np.int64)
    most = _IMAGE_MOST * max(len(pod.images), 1)
    clipped = np.clip(sums, _IMAGE_LEAST, most)
    return TOP * (clipped - _IMAGE_LEAST) // (most - _IMAGE_LEAST)
