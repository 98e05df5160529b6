"""What each kind of cluster holds: pods and nodes as placed, objects as exported; for the limits of scale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

from tenancykit.criteria.cost.domains import Clusters
from tenancykit.criteria.cost.housing import Housed
from tenancykit.criteria.cost.statement import Statement
from tenancykit.criteria.operations.limits import HUB, SHARED, Demand, Held
from tenancykit.manifests.counting import ObjectCounts


def held_by(statement: Statement, counted: ObjectCounts) -> Mapping[str, Held]:
    """Return what the largest shared cluster, the largest hub, and each class's largest cluster hold.

    Machines of a fixed fleet that no pod needs stand in the shared clusters, evenly; so do objects of their tenants.
    """
    every = statement.layout.clusters
    shared = sum(clusters.copies for clusters in every if clusters.kind == "shared")
    spare = sum(statement.housing.spare.values()) / shared if shared else 0.0
    found: dict[str, Held] = {}
    for clusters in every:
        mine = [one for one in statement.housing.housed if one.domain.cluster == clusters.id]
        if not mine:
            continue
        held = _placed(clusters, mine, spare if clusters.kind == "shared" else 0.0)
        keys = {"shared": (SHARED,), "hub": (HUB,)}.get(clusters.kind, tuple(clusters.classes))
        for key in keys:
            if key not in found or held.all.nodes > found[key].all.nodes:
                found[key] = held
    return {key: _exported(held, key, counted, shared if key == SHARED else 1) for key, held in found.items()}


def _placed(clusters: Clusters, housed: Iterable[Housed], spare: float) -> Held:
    """Return nodes and pods of one of some clusters that are alike."""
    fixed, growing = Demand(nodes=spare), Demand()
    for one in housed:
        share = one.copies / clusters.copies
        nodes = (sum(one.nodes.values()) + sum(one.extra.values())) * share
        system = sum(pod.count for pod in one.domain.fixed) * share
        pods = (sum(one.purchase.placed.values()) + sum(p.count for p in one.pending)) * share
        served = bool(one.domain.streams)
        fixed += Demand(nodes=0.0 if served else nodes, pods=system)
        growing += Demand(nodes=nodes if served else 0.0, pods=max(0.0, pods - system))
    return Held(fixed, growing)


def _exported(held: Held, key: str, counted: ObjectCounts, clusters: int) -> Held:
    """Return the same cluster with the objects that the exported manifests leave in it."""
    standing = counted.clusters.get(key)
    if standing is None:
        return held
    return Held(held.fixed + _objects(standing.own), held.growing + _objects(standing.tenants).scaled(1 / clusters))


def _objects(kinds: Mapping[str, int]) -> Demand:
    return Demand(namespaces=kinds.get("Namespace", 0), services=kinds.get("Service", 0), objects=sum(kinds.values()))
