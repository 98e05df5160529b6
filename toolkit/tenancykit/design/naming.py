"""Names of designs: what their resolved parts are in plain words, the same for whoever published them.

A short name says how tenants are kept apart - whose API server, whose nodes, which sandbox, which network - and a long
one adds what is built on top. Words come from the options' files (``words``); what most classes have is said once, what
some have is said with their names. Who published the pattern is told apart from the name, so that no provider's product
becomes the name of a design on another's site.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from typing import Final

from kubeanswers.records import dataclass
from tenancykit.catalogue.model import Option
from tenancykit.design.facts import SITE
from tenancykit.design.model import ClassDesign
from tenancykit.sentences import listed

BRIEF_LAYERS: Final = ("nodes", "runtime", "slurm")
"""Layers a name speaks of where a single line has room for little."""
TIGHT_LAYERS: Final = ("runtime",)
"""Layers a name speaks of where there is room for less still."""
SHORT_LAYERS: Final = ("nodes", "runtime", "perimeter", "class", "slurm")
"""Layers a short name speaks of beside the control plane: who keeps tenants apart, and what they submit to."""
LONG_LAYERS: Final = (
    *SHORT_LAYERS,
    *("fabric", "mesh", "encryption", "fraction", "queue", "ray", "fleet"),
)
"""Layers a long name speaks of beside the control plane."""
_SHARED: Final = "{shared}"
"""Where the words of an option say whose shared cluster tenants stand on: how many there are, all classes decide."""


@dataclass(frozen=True)
class Title:
    """How a design is called.

    Attributes:
        short: what keeps tenants apart, and what they submit to.
        long: the same with what is built on top.
        brief: whose clusters, nodes, kernels and Slurm, for a line that has to be short.
        tight: whose clusters and kernels, by whatever they are run.
    """

    short: str
    long: str
    brief: str
    tight: str


def title(classes: Sequence[ClassDesign]) -> Title:
    """Return the name of a design from the options chosen for each class."""
    tenant = _tenant(classes)
    short, long, brief = (_name(classes, layers, _head, tenant) for layers in (SHORT_LAYERS, LONG_LAYERS, BRIEF_LAYERS))
    shared = shared_clusters(classes)
    names = (short, long, brief, _name(classes, TIGHT_LAYERS, _whose, tenant))
    return Title(*(name.replace(_SHARED, shared) for name in names))


def parts(classes: Sequence[ClassDesign]) -> dict[str, tuple[str, ...]]:
    """Return what a short name would say of each class alone, part by part, by class id."""
    tenant, shared = _tenant(classes), shared_clusters(classes)
    names = {c.tenant_class.id: _name([c], SHORT_LAYERS, _head, tenant).replace(_SHARED, shared) for c in classes}
    return {class_id: tuple(name.split(", ")) for class_id, name in names.items()}


def shared_clusters(classes: Iterable[ClassDesign]) -> str:
    """Return what classes share that have no cluster per tenant, in words: one, or one at each of their sites."""
    sites = {fact for one in classes if not one.cluster.per_tenant for fact in one.facts if fact.startswith(SITE)}
    return "one shared cluster per site" if len(sites) > 1 else "one shared cluster"


def _tenant(classes: Sequence[ClassDesign]) -> str:
    kinds = {resolved.tenant_class.kind for resolved in classes}
    return kinds.pop() if len(kinds) == 1 else "tenant"


def _name(
    classes: Sequence[ClassDesign], layers: Iterable[str], head_of: Callable[[ClassDesign, str], str], tenant: str
) -> str:
    heads: dict[str, list[ClassDesign]] = {}
    for resolved in classes:
        heads.setdefault(head_of(resolved, tenant), []).append(resolved)
    said = []
    for head, members in heads.items():
        whom = "" if len(heads) == 1 else f"{listed([c.tenant_class.id for c in members])}: "
        told = [whom + head]
        for layer in layers:
            told.extend(_modifiers(members, layer, tenant, several=len(classes) > 1))
        said.append(", ".join(told))
    return "; ".join(said)


def _head(resolved: ClassDesign, tenant: str) -> str:
    option = resolved.chosen("control_plane", "tenancy")
    if option is None:
        return "no control plane"
    return _said(option, resolved, tenant) or option.name


def _whose(resolved: ClassDesign, tenant: str) -> str:
    return f"a cluster per {tenant}" if resolved.cluster.per_tenant else _SHARED


def _modifiers(members: Sequence[ClassDesign], layer: str, tenant: str, *, several: bool) -> list[str]:
    """Return what a layer adds to the name of some classes of one control plane, each word once."""
    words: dict[str, list[str]] = {}
    for resolved in members:
        option = next((o for o in resolved.options if o.layer == layer), None)
        if option is None or _goes_without_saying(option, resolved, several=several):
            continue
        if text := _said(option, resolved, tenant):
            words.setdefault(text, []).append(resolved.tenant_class.id)
    return [text if len(ids) == len(members) else f"{text} for {listed(ids)}" for text, ids in words.items()]


def _goes_without_saying(option: Option, resolved: ClassDesign, *, several: bool) -> bool:
    """Return whether the control plane implies it: own nodes and classes in a tenant's cluster, nodes of one class."""
    if option.layer == "class":
        return resolved.cluster.per_tenant and "tenant-storage-backend" not in option.provides
    if option.placement is None:
        return False
    if option.placement.domain == "class":
        return not several
    return resolved.cluster.per_tenant and not option.placement.whole_hosts


def _said(option: Option, resolved: ClassDesign, tenant: str) -> str:
    return option.words.replace("{tenant}", tenant).replace("{gpu}", "GPU " if "gpu" in resolved.facts else "")
