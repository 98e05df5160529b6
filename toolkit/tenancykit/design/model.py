"""A design: for each tenant class, at most one option in each layer of the ten dimensions."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Mapping
from dataclasses import field
from functools import cached_property
from types import MappingProxyType
from typing import NamedTuple

from kubeanswers.errors import Fault, InputError, did_you_mean
from kubeanswers.records import dataclass
from tenancykit.catalogue.layers import LAYERS
from tenancykit.catalogue.model import DIMENSIONS, Cluster, Dimension, GpuMode, Option, Placement, Sandbox
from tenancykit.catalogue.reading import Catalogue
from tenancykit.scenario.model import TenantClass
from tenancykit.sentences import listed


@dataclass(frozen=True)
class Supplement:
    """An option that completes a design for what a scenario needs.

    Attributes:
        option: id of the option.
        needs: ids of the needs it serves; empty where another supplement requires it.
        replaces: id of the option whose layer it takes; empty where the layer was empty.
    """

    option: str
    needs: tuple[str, ...] = ()
    replaces: str = ""


@dataclass(frozen=True)
class Omission:
    """An option that a published architecture came with and a design that follows it goes without.

    Attributes:
        option: id of the option.
        name: its title.
        why: why it is left out, in words that follow *since*.
    """

    option: str
    name: str
    why: str


@dataclass(frozen=True)
class Choice:
    """The options chosen for one tenant class.

    Attributes:
        options: option ids in the order of dimensions, layers.
        completion: those that a reference architecture's publisher leaves open and we filled in.
        tier: the tier of the reference architecture they come from.
        supplements: those that complete the design for what the scenario needs.
        named: those that somebody asked for by name; completion never swaps them.
        omissions: what the publisher chose and nobody asks for here.
    """

    options: tuple[str, ...]
    completion: tuple[str, ...] = ()
    tier: str = ""
    supplements: tuple[Supplement, ...] = ()
    named: tuple[str, ...] = ()
    omissions: tuple[Omission, ...] = ()


@dataclass(frozen=True)
class Design:
    """A tenancy architecture for every class of a scenario.

    Attributes:
        id: unique id (``RA04`` for a published reference architecture).
        name: title.
        choices: class id to the options chosen for it.
        origin: where the design comes from: ``reference``, ``composed``, ``explored``, ``own`` or ``assessed``.
        source: address of its publication, if any.
        named: whether its owner gave it the title, which then stands before the name from its parts.
    """

    id: str
    name: str
    choices: Mapping[str, Choice]
    origin: str = "own"
    source: str = ""
    named: bool = False

    def __post_init__(self) -> None:
        object.__setattr__(self, "choices", MappingProxyType(dict(self.choices)))

    def __hash__(self) -> int:
        return hash((self.id, tuple(self.choices.items())))

    @property
    def is_hybrid(self) -> bool:
        """Whether classes get different options."""
        return len({choice.options for choice in self.choices.values()}) > 1

    @property
    def stands(self) -> bool:
        """Whether it is compared as it stands: it was found so, on a cluster or by a search that heeds needs."""
        return self.origin in {"assessed", "explored"}

    def fingerprint(self) -> str:
        """Return a hash of the options chosen; independent of id and title."""
        text = ";".join(f"{k}={','.join(c.options)}" for k, c in sorted(self.choices.items()))
        return hashlib.sha256(text.encode()).hexdigest()[:12]


@dataclass(frozen=True)
class ClassDesign:
    """One tenant class with the options chosen for it, looked up, and the facts that follow.

    Attributes:
        tenant_class: the class.
        choice: the option ids.
        options: the options, in the order of dimensions and layers.
        facts: every fact that holds for the class under this design; what the catalogue's conditions read.
    """

    tenant_class: TenantClass
    choice: Choice
    options: tuple[Option, ...]
    facts: frozenset[str] = field(repr=False)

    def chosen(self, dimension: Dimension, layer: str | None = None) -> Option | None:
        """Return the option chosen in a dimension (and layer), or None."""
        for option in self.options:
            if option.dimension == dimension and (layer is None or option.layer == layer):
                return option
        return None

    @cached_property
    def cluster(self) -> Cluster:
        """How the control-plane option divides clusters."""
        option = self.chosen("control_plane", "tenancy")
        if option is None or option.cluster is None:
            raise LookupError(f"{self.choice.options} chooses no option with a cluster section")
        return option.cluster

    @cached_property
    def placement(self) -> Placement:
        """Who may share nodes; a cluster per tenant leaves nobody to share with."""
        option = self.chosen("node_isolation")
        if option is None or option.placement is None:
            raise LookupError(f"{self.choice.options} chooses no option with a placement section")
        return option.placement

    @cached_property
    def sharing(self) -> tuple[str, bool]:
        """With whom machines are shared (``fleet``, ``class``, ``tenant``), and whether they are whole hosts.

        The pool of the only class is the fleet; a cluster per tenant leaves nobody to share with.
        """
        domain = "tenant" if self.cluster.per_tenant else self.placement.domain
        only = domain == "class" and "several-classes" not in self.facts
        return "fleet" if only else domain, self.placement.whole_hosts

    @cached_property
    def sandbox(self) -> Sandbox:
        """What the runtime adds to every pod."""
        option = self.chosen("runtime")
        if option is None or option.sandbox is None:
            raise LookupError(f"{self.choice.options} chooses no option with a sandbox section")
        return option.sandbox

    @cached_property
    def gpu_modes(self) -> tuple[GpuMode, ...]:
        """How GPUs are cut: the whole and the fractional mode chosen, in that order."""
        return tuple(o.gpu for o in self.options if o.dimension == "gpu_sharing" and o.gpu and o.gpu.mode != "dra")

    @cached_property
    def gpu_models(self) -> tuple[str, ...] | None:
        """GPU models that rules allow, as prefixes; None where any will do."""
        models = [f.removeprefix("gpu-model-only:") for f in self.facts if f.startswith("gpu-model-only:")]
        return tuple(sorted(models)) if models else None


class Violation(NamedTuple):
    """Why a design is not valid.

    Attributes:
        words: the reason as people read it, which is what ``str`` gives.
        behind: what says so, by id and with its condition, such as ``rule untrusted-code-contained: needs ...``.
    """

    words: str
    behind: str

    def __str__(self) -> str:
        return self.words


@dataclass(frozen=True)
class ResolvedDesign:
    """A design with every class looked up in the catalogue and its validity decided.

    Attributes:
        design: the design.
        classes: per class, in the scenario's order.
        violations: why the design is not valid for the scenario; empty when it is.
        short: its name from its parts in plain words.
        long: the same with what is built on top.
        broken: ids of the classes that break something.
        brief: whose clusters, nodes and kernels in plain words, for a line that has to be short.
        tight: whose clusters and kernels, for one that has room for less.
    """

    design: Design
    classes: tuple[ClassDesign, ...]
    violations: tuple[Violation, ...] = ()
    short: str = ""
    long: str = ""
    broken: frozenset[str] = frozenset()
    brief: str = ""
    tight: str = ""

    @property
    def id(self) -> str:
        """Id of the design."""
        return self.design.id

    @property
    def name(self) -> str:
        """Name of the design: the one its owner gave it, else what its parts are in plain words."""
        return self.design.name if self.design.named or not self.short else self.short

    @property
    def published(self) -> str:
        """The published pattern the design follows, or the references it is composed of; empty where there are none.

        What a class goes without of a pattern is said with it.
        """
        if self.design.origin == "composed" or not self.design.source:
            return self.design.name if self.design.origin == "composed" else ""
        gone = dict.fromkeys(one.name for choice in self.design.choices.values() for one in choice.omissions)
        return f"{self.design.name}, without {listed(list(gone))}" if gone else self.design.name

    def valid_for(self, class_id: str) -> bool:
        """Return whether every rule and requisite holds for one class."""
        return class_id not in self.broken

    @property
    def is_valid(self) -> bool:
        """Whether every rule and requisite holds."""
        return not self.violations

    def of_class(self, class_id: str) -> ClassDesign:
        """Return the design of one tenant class.

        Raises:
            KeyError: the scenario has no such class.
        """
        for found in self.classes:
            if found.tenant_class.id == class_id:
                return found
        raise KeyError(class_id)


def choose(catalogue: Catalogue, options: Iterable[str], *, completion: Iterable[str] = (), tier: str = "") -> Choice:
    """Return a choice of options in the order of dimensions and layers.

    Raises:
        InputError: an option is unknown, two share a layer, or a layer that must be chosen is not.
    """
    taken: dict[tuple[str, str], str] = {}
    faults: list[Fault] = []
    where = f"tier {tier}" if tier else "design"
    for identifier in dict.fromkeys(options):
        option = catalogue.options.get(identifier)
        if option is None:
            cure = did_you_mean(identifier, catalogue.options) or "see: tenancykit catalogue options"
            faults.append(Fault(where, f"unknown option {identifier!r}", cure=cure))
            continue
        key = (option.dimension, option.layer)
        if key in taken:
            faults.append(
                Fault(where, f"{taken[key]} and {identifier} are both {option.layer} options", "one per layer")
            )
        taken[key] = identifier
    for dimension in DIMENSIONS:
        for layer, required in LAYERS[dimension].items():
            if required and (dimension, layer) not in taken:
                known = [o.id for o in catalogue.in_dimension(dimension) if o.layer == layer and o.selectable]
                faults.append(Fault(where, f"nothing is chosen for {dimension}/{layer}", ", ".join(known)))
    if not any(dimension == "gpu_sharing" for dimension, _ in taken):
        faults.append(Fault(where, "nothing is chosen for gpu_sharing", "gpu_exclusive or a fractional mode"))
    if faults:
        raise InputError(faults)
    ordered = [taken[(d, layer)] for d in DIMENSIONS for layer in LAYERS[d] if (d, layer) in taken]
    return Choice(tuple(ordered), tuple(sorted(set(completion) & set(ordered))), tier)
