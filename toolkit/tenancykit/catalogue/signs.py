"""What manifests show of a design: which crossings an audit sees, and by which objects an option is recognised."""

from __future__ import annotations

from functools import cache
from typing import Any, Literal

from pydantic import Field

from kubeanswers.errors import CatalogueError, Fault, did_you_mean
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.model import Assumed, Entry, SourceKey
from tenancykit.catalogue.reading import Catalogue, Entries, read_entries


class Claim(Entry):
    """What a design claims of one crossing of the isolation model, as far as its manifests can show it."""

    id: str
    """Id of the crossing."""
    barriers: tuple[str, ...] = ()
    """Barriers of the crossing that are made of objects the audit reads; where one of them stands the crossing is
    claimed closed, where none does it is claimed open to whoever meets its conditions."""
    absence: Literal["manifests", "elsewhere"] = "manifests"
    """Where a design without this crossing shows that: in its manifests, or elsewhere (a provider, a network), so
    that an audit of manifests alone may see it open."""
    needs_pods: bool = True
    """Whether crossing it takes pods or objects that the tenant makes itself in that cluster; where nobody of it may,
    as in the cluster that only hosts its control plane, it does not cross there."""
    check: str
    """What the audit computes."""
    rules: tuple[str, ...] = ()
    """Rules of the audit's findings that name the path once it is open."""
    requirements: tuple[str, ...] = Field(min_length=1)
    """Requirements of an export's trace that this check proves."""


class Trace(Entry):
    """One thing to be found in the objects of a cluster; every part that is stated must hold of the same object."""

    kind: str
    """Kind as a glob; ``Chart`` stands for an installed Helm chart, whose name is the chart's and whose ``values`` are
    its values."""
    group: str = ""
    """API group as a glob; empty: the core group. Charts are of group ``helm``."""
    name: str = ""
    """Name as a glob; empty: any."""
    label: str = ""
    """Label as ``key`` or ``key=value``, both globs; empty: any."""
    field: str = ""
    """Path into the object, its parts separated by ``/`` and each a glob over keys, lists entered wholly
    (``spec/hard/requests.cpu``); empty: none."""
    value: str = ""
    """Glob that some value at ``field`` must match; empty: anything that is there."""
    scope: Literal["cluster", "tenant"] = "cluster"
    """Whether it says something about the whole cluster, or about the tenant it belongs to by namespace or label."""
    only: Literal["any", "shared", "per-tenant"] = "any"
    """Kind of cluster in which it counts."""


class Sign(Entry):
    """How an option is recognised in the objects of an existing cluster.

    Kinds that only one option's ``objects`` name, of API groups outside Kubernetes itself, show that option without
    being repeated here, and so do charts of components that only one option needs.
    """

    id: str
    """Id of the option."""
    any_of: tuple[Trace, ...] = ()
    """Traces, each of which shows the option."""
    objects: bool = True
    """Whether the kinds and charts of the option itself count beside the traces."""
    closed: str = ""
    """Crossing that must be closed, as the audit sees it, between all tenants of the class; the traces count only if it
    is, and where there are none its being closed is enough."""
    only: Literal["any", "shared", "per-tenant"] = "any"
    """Kind of cluster in which the signs count: shared by tenants, or one per tenant."""
    remainder: bool = False
    """Whether the option is what remains when no other of its layer shows (a flat network, the default runtime)."""
    rank: int = 0
    """Of several options of a layer that show, the one with the highest rank is taken for the design."""
    because: str = ""
    """Why these signs, or why there can be none."""
    assumption: Assumed = False
    source: SourceKey = ""


@cache
def load_claims(catalogue: Catalogue) -> Entries[Claim]:
    """Return the claims of a catalogue by crossing, checked against its crossings.

    Raises:
        CatalogueError: a crossing is unknown, or has no such barrier.
    """
    claims = read_entries(catalogue.roots, "claims", Claim)
    model = load_isolation(catalogue)
    faults = []
    for claim in claims.values():
        crossing = model.crossings.get(claim.id)
        if crossing is None:
            cure = did_you_mean(claim.id, model.crossings) or "name a crossing"
            faults.append(Fault(claims.places[claim.id], f"unknown crossing {claim.id!r}", cure=cure))
            continue
        standing = {guard.barrier for guard in crossing.guards}
        faults.extend(
            Fault(claims.places[claim.id], f"crossing {claim.id} has no barrier {name!r}", ", ".join(sorted(standing)))
            for name in claim.barriers
            if name not in standing
        )
    if faults:
        raise CatalogueError(faults)
    return claims


@cache
def load_signs(catalogue: Catalogue) -> Entries[Sign]:
    """Return the signs of a catalogue by option, checked against its options.

    Raises:
        CatalogueError: an option is unknown, or a sign shows nothing.
    """
    signs = read_entries(catalogue.roots, "signs", Sign)
    claims = load_claims(catalogue)
    faults = []
    for sign in signs.values():
        place = signs.places[sign.id]
        if sign.id not in catalogue.options:
            cure = did_you_mean(sign.id, catalogue.options) or "name an option"
            faults.append(Fault(place, f"unknown option {sign.id!r}", cure=cure))
        if not (sign.any_of or sign.objects or sign.closed or sign.remainder or sign.because):
            faults.append(Fault(place, f"{sign.id} shows by nothing", cure="add any_of or closed, or say because"))
        if sign.closed and sign.closed not in claims:
            faults.append(Fault(place, f"the audit sees no crossing {sign.closed!r}", ", ".join(claims)))
    if faults:
        raise CatalogueError(faults)
    return signs


def models() -> dict[str, type[Any]]:
    """Return the models of this section by the name of their schema."""
    return {"claim": Claim, "sign": Sign}
