"""How much there is to understand: components, kinds, settings and how they hang together.

Propagation cost: share of ordered pairs of components, each with itself included, where a change in one can reach the
other along requirements (MacCormack, Rusnak, Baldwin 2006, doi:10.1287/mnsc.1060.0552). Counts of actions, parameters
and memory follow Brown, Keller, Hellerstein 2005 (doi:10.1109/INM.2005.1440836), mapped to Kubernetes: an action is
applying a component or a tenant's objects somewhere, a context switch is a change of cluster, a parameter is a setting
somebody decides, memory holds the values that must be the same in two or more places.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import field

from kubeanswers.records import dataclass
from tenancykit.catalogue.workbook import WorkBook
from tenancykit.design.components import Closure

CLUSTER_SCOPES = frozenset({"fleet", "cluster", "class", "tenant"})


@dataclass(frozen=True)
class Exported:
    """What the exported manifests of a design hold.

    Attributes:
        kinds: objects by kind.
        fields: distinct fields of distinct kinds in which a value is set.
        values: values set, in all objects.
    """

    kinds: Mapping[str, int] = field(default_factory=dict)
    fields: int = 0
    values: int = 0


@dataclass(frozen=True)
class Structure:
    """Counts of what a design consists of.

    Attributes:
        components: distinct components.
        installations: installations of them.
        pods: running pods of them, without those on every node.
        crds: kinds of custom resources they bring.
        exported: configuration objects, counted in the manifests.
        parameters: settings somebody decides, as the catalogue states them for the work the design brings.
        agreements: values that must be the same in two or more places.
        actions: installations and tenants' hand-overs to carry out.
        context_switches: changes of cluster while carrying them out, each cluster visited once.
        depth: longest chain of requirements.
        pairs: ordered pairs of different components where a change in one can reach the other.
        propagation_cost: share of all ordered pairs, each component with itself included.
    """

    components: int
    installations: int
    pods: int
    crds: int
    exported: Exported
    parameters: int
    agreements: tuple[str, ...]
    actions: int
    context_switches: int
    depth: int
    pairs: int
    propagation_cost: float

    @property
    def objects(self) -> int:
        """Configuration objects."""
        return sum(self.exported.kinds.values())


def measure_structure(closure: Closure, book: WorkBook, exported: Exported | None = None) -> Structure:
    """Return the counts of a design.

    Args:
        closure: what it installs.
        book: where settings and agreements are stated.
        exported: what the exported manifests hold; default: nothing was exported.
    """
    extent = closure.whole
    parameters, agreements = _settings(closure, book)
    installations = sum(i.instances for i in closure.installations.values())
    depth, pairs, cost = dependency_measures(closure.edges)
    return Structure(
        components=len(closure.installations),
        installations=installations,
        pods=_pods(closure),
        crds=sum(i.component.crds for i in closure.installations.values()),
        exported=exported or Exported(),
        parameters=parameters,
        agreements=agreements,
        actions=installations + extent.tenants,
        context_switches=max(0, extent.api_servers - 1),
        depth=depth,
        pairs=pairs,
        propagation_cost=cost,
    )


def dependency_measures(edges: Mapping[str, Sequence[str]]) -> tuple[int, int, float]:
    """Return depth, reachable pairs and propagation cost of an acyclic graph of requirements.

    Depth counts the components on the longest chain. A graph without nodes has depth 0 and cost 0.
    """
    reach = visibility(edges)
    index = {node: position for position, node in enumerate(reach)}
    depth: dict[str, int] = {}

    def deep(node: str) -> int:
        if node not in depth:
            depth[node] = 1 + max((deep(needed) for needed in edges.get(node, ()) if needed in index), default=0)
        return depth[node]

    size = len(reach)
    filled = sum(bits.bit_count() for bits in reach.values())
    longest = max((deep(node) for node in edges), default=0)
    return longest, filled - size, filled / size**2 if size else 0.0


def visibility(edges: Mapping[str, Sequence[str]]) -> dict[str, int]:
    """Return, for each node, the nodes it depends on directly or not, itself included, as a bit set.

    Bit ``i`` stands for the ``i``-th node of the result.
    """
    index = {node: position for position, node in enumerate(edges)}
    reach: dict[str, int] = {}

    def visit(node: str) -> int:
        if node not in reach:
            bits = 1 << index[node]
            for needed in edges[node]:
                if needed in index:
                    bits |= visit(needed)
            reach[node] = bits
        return reach[node]

    for node in edges:
        visit(node)
    return {node: reach[node] for node in index}


def design_structure_matrix(edges: Mapping[str, Sequence[str]]) -> tuple[tuple[str, ...], tuple[tuple[int, ...], ...]]:
    """Return names and rows of the design structure matrix, for a picture.

    Entry (i, j): 2 where component i requires j itself, 1 where it depends on j through others, 0 otherwise; the
    diagonal is 0.
    """
    reach = visibility(edges)
    names = tuple(reach)
    rows = tuple(
        tuple(
            2 if other in edges[name] else int(other != name and bool(reach[name] >> position & 1))
            for position, other in enumerate(names)
        )
        for name in names
    )
    return names, rows


def _settings(closure: Closure, book: WorkBook) -> tuple[int, tuple[str, ...]]:
    """Return settings somebody decides, and values that must agree, of the work the design brings."""
    parameters = 0
    agreements: set[str] = set()
    for work in book.work.values():
        concerned = any(
            (work.anywhere or any(t in closure.by_class[c] for t in work.brought_by)) and work.when.holds(r.facts)
            for c, r in closure.classes.items()
        )
        if concerned:
            parameters += work.parameters
            agreements.update(work.agree)
    return parameters, tuple(sorted(agreements))


def _pods(closure: Closure) -> int:
    """Return running pods of all installations, those on every node left out."""
    pods = 0
    for installation in closure.installations.values():
        for footprint in installation.component.footprint:
            classes = [c for c in installation.classes if footprint.when.holds(closure.classes[c].facts)]
            if classes and footprint.scope in CLUSTER_SCOPES:
                pods += footprint.pods * closure.extent(classes).count(footprint.scope)
    return pods
