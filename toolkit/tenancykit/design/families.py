"""Families of near-twins: designs that keep tenants apart in the same way and differ only in what is built on top.

Two designs are of one family where, for every class, they have the same kind of control plane, the same sharing of
nodes, the same runtime, the same means on the network and the same storage. Tools that do the same (two admission
engines, two queues, Capsule or plain namespaces), delivery, chargeback, metrics, logs, quotas, priorities and the way
GPUs are cut do not make another family. Shares of samples are counted by family, so that a copy of the winner never
changes how sure a verdict is.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

from tenancykit.design.model import ClassDesign, ResolvedDesign

_LAYERS = ("runtime", "mesh", "perimeter", "fabric", "encryption")


def family_of(design: ResolvedDesign) -> Hashable:
    """Return what the members of a design's family have in common."""
    return tuple((resolved.tenant_class.id, family_of_class(resolved)) for resolved in design.classes)


def recommendation_of(design: ResolvedDesign) -> Hashable:
    """Return what designs that are one recommendation have in common.

    That is for every class the kind of cluster, the sharing of machines and the runtime, whatever storage, network and
    add-ons differ: nobody would call a choice between such designs contested.
    """
    return tuple(map(_recommended_for_class, design.classes))


def _recommended_for_class(resolved: ClassDesign) -> Hashable:
    cluster = resolved.cluster
    runtimes = tuple(sorted(option.id for option in resolved.options if option.sandbox is not None))
    return resolved.tenant_class.id, cluster.control_plane, cluster.per_tenant, resolved.sharing, runtimes


def families(designs: Sequence[ResolvedDesign]) -> tuple[tuple[str, ...], ...]:
    """Return the ids of designs by family, families and members in the order given."""
    found: dict[Hashable, list[str]] = {}
    for design in designs:
        found.setdefault(family_of(design), []).append(design.id)
    return tuple(tuple(members) for members in found.values())


def differences(first: ResolvedDesign, second: ResolvedDesign) -> tuple[str, ...]:
    """Return the layers in which two designs choose differently for some class, in their order."""
    found: dict[str, None] = {}
    for one, other in zip(first.classes, second.classes, strict=True):
        mine, theirs = ({(o.layer, o.id) for o in side.options} for side in (one, other))
        differing = {layer for layer, _ in mine ^ theirs}
        found.update((o.layer, None) for o in (*one.options, *other.options) if o.layer in differing)
    return tuple(layer.replace("_", " ") for layer in found)


def family_of_class(resolved: ClassDesign) -> Hashable:
    """Return what near-twins of one class have in common: how they keep tenants apart."""
    network, storage = resolved.chosen("network", "pod_network"), resolved.chosen("storage", "class")
    chosen = tuple(sorted(option.id for option in resolved.options if option.layer in _LAYERS))
    return (
        (resolved.cluster.control_plane, resolved.cluster.per_tenant),
        resolved.sharing,
        tuple(sorted(network.provides)) if network else (),
        tuple(sorted(storage.provides)) if storage else (),
        chosen,
    )
