"""From definitions to trees of queues and cohorts with their quotas, ready to work on."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from kubeanswers.queueing.pool import Pool
from kubeanswers.queueing.topology import Places
from kubeanswers.queueing.tree import Node, Slots, limits_of, number_limits, settle
from kubeanswers.queueing.values import ClusterQueue, Cohort, Design, Flavor, Version
from kubeanswers.records import dataclass

ZEROS_DROPPED: Final[Version] = (0, 16)
"""Since then nothing asked of a resource that a queue has no quota of keeps nobody out (kubernetes-sigs/kueue 8241)."""
OWN_LABELS: Final[Version] = (0, 17)
"""Since then (0.17.6, 0.18.2) a pod's node terms are heeded as far as they speak of the flavor's own labels, not
of those of others in its group (kubernetes-sigs/kueue 12449)."""


@dataclass
class Forest:
    """Queues and cohorts by name; a cohort that is only named exists as well."""

    pools: dict[str, Pool]
    nodes: dict[str, Node]


class Plan:
    """The definitions as they stand.

    Attributes:
        queues: cluster queues by name.
        cohorts: cohorts by name.
        places: the machines of flavors that have a topology.
    """

    def __init__(self, design: Design, *, topology: bool, version: Version) -> None:
        self.queues: dict[str, ClusterQueue] = {queue.name: queue for queue in design.cluster_queues}
        self.cohorts: dict[str, Cohort] = {cohort.name: cohort for cohort in design.cohorts}
        self._flavors = {flavor.name: flavor for flavor in design.flavors}
        self._topology = topology
        self._rules = {"drops_zeros": version >= ZEROS_DROPPED, "own_labels": version >= OWN_LABELS}
        self.places: dict[str, Places] = {}
        if topology:
            for flavor in design.flavors:
                levels = design.topologies.get(flavor.topology)
                if levels:
                    self.places[flavor.name] = _places(design, flavor, levels)

    def forest(self, slots: Slots, before: Forest) -> Forest:
        """Return the trees; who waits and who runs comes from those before."""
        forest = Forest({name: self._pool(queue, slots, before) for name, queue in self.queues.items()}, {})
        limits = {
            f"cohort:{cohort.name}": number_limits(slots, limits_of(cohort.groups)) for cohort in self.cohorts.values()
        }
        for name, queue in self.queues.items():
            limits[name] = number_limits(slots, limits_of(queue.groups))
        self._join(forest, slots)
        for node in [*(pool.node for pool in forest.pools.values()), *forest.nodes.values()]:
            if node.parent is None:
                settle(node, limits, slots)
                node.flat = not node.queue and all(child.queue for child in node.children)
                _measure(node, forest.pools)
        for pool in forest.pools.values():
            pool.root = pool.node.root
        hunted = {pool.root for pool in forest.pools.values() if not pool.passive}
        for pool in forest.pools.values():
            pool.watched = False
            if pool.root in hunted:
                pool.watch()
        return forest

    def _join(self, forest: Forest, slots: Slots) -> None:
        """Put queues and cohorts under their parents, with what runs in them."""
        for name, pool in forest.pools.items():
            pool.node.usage = [0] * len(slots)
            for job in pool.running.values():
                for slot, amount in job.holds.items():
                    pool.node.usage[slot] += amount
            if self.queues[name].cohort:
                _join(pool.node, self._node(forest, self.queues[name].cohort))
        for cohort in self.cohorts.values():
            node = self._node(forest, cohort.name)
            if cohort.parent:
                _join(node, self._node(forest, cohort.parent))

    def _pool(self, definition: ClusterQueue, slots: Slots, before: Forest) -> Pool:
        pool = Pool(definition, self._flavors, slots, topology=self._topology, **self._rules)
        old = before.pools.get(definition.name)
        if old is not None:
            pool.waiting, pool.running, pool.generation = old.waiting, old.running, old.generation
        names = definition.flavor_names
        pool.places = {name: self.places[name] for name in names if name in self.places}
        pool.inactive = self._inactive(definition)
        pool.topology_only = self._topology and all(
            name in self._flavors and self._flavors[name].topology for name in names
        )
        return pool

    def _inactive(self, queue: ClusterQueue) -> tuple[str, str] | None:
        """Return why a queue admits nothing: Kueue's reason, and the name it speaks of."""
        if queue.stop != "None":
            return "Stopped", queue.stop
        for name in queue.flavor_names:
            flavor = self._flavors.get(name)
            if flavor is None:
                return "FlavorNotFound", name
            if self._topology and flavor.topology and name not in self.places:
                return "TopologyNotFound", flavor.topology
        return None

    def _node(self, forest: Forest, name: str) -> Node:
        found = forest.nodes.get(name)
        if found is None:
            known = self.cohorts.get(name)
            found = forest.nodes[name] = Node(name, known.weight if known else 1.0, queue=False)
        return found


def _places(design: Design, flavor: Flavor, levels: tuple[str, ...]) -> Places:
    machines = [
        machine
        for machine in design.machines
        if not machine.cordoned
        and all(level in machine.labels for level in levels)
        and all(machine.labels.get(key) == value for key, value in flavor.labels.items())
    ]
    return Places(flavor.topology, levels, machines, flavor.tolerations)


def _join(node: Node, parent: Node) -> None:
    node.parent = parent
    parent.children.append(node)


def _measure(node: Node, pools: Mapping[str, Pool]) -> None:
    """Work out heights, on the queues that are active."""
    members = [child for child in node.children if not child.queue or pools[child.name].inactive is None]
    node.height = min(len(members), 1)
    for child in members:
        if not child.queue:
            _measure(child, pools)
            node.height = max(node.height, child.height + 1)
