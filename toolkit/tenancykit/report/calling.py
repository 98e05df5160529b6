"""How a design is called in a sentence: in full, in few words, by whose clusters there are, or beside the first one."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from typing import Final

from tenancykit.design.naming import parts, shared_clusters
from tenancykit.report.apart import names_apart
from tenancykit.sentences import listed, with_and_without
from tenancykit.study.comparison import Study
from tenancykit.study.evaluation import Evaluation

EACH: Final = "a design for each"
"""How a name begins that says no more than that classes differ."""
_BRACKETED: Final = re.compile(r" \([^)]*\)")
_SAME: Final = re.compile(r"^(t)he same\b", re.IGNORECASE)
_ROOM: Final = 90
"""Characters of the shortest name that leave room for the rest of a line."""


def brief(evaluation: Evaluation) -> str:
    """Return the briefest name: the one its owner gave, else whose clusters, nodes and kernels."""
    resolved = evaluation.resolved
    return resolved.name if resolved.design.named or not resolved.brief else resolved.brief


def tight(evaluation: Evaluation) -> str:
    """Return whose clusters and kernels, or the name its owner gave."""
    resolved = evaluation.resolved
    return resolved.name if resolved.design.named or not resolved.tight else resolved.tight


def heads(evaluation: Evaluation) -> str:
    """Return whose clusters, and no more; that classes differ where even this is long."""
    found = _by_cluster(evaluation)
    told = next(iter(found)) if len(found) == 1 else "; ".join(f"{listed(ids)}: {what}" for what, ids in found.items())
    return told if len(told) <= _ROOM else f"{EACH} of {len(evaluation.resolved.classes)} classes"


def called(other: Evaluation, first: Evaluation) -> str:
    """Return how a design is called beside the first: by what it has more and less where both begin alike."""
    own = [part for part in brief(other).split("; ") if part not in brief(first).split("; ")]
    if 0 < len(own) < brief(other).count("; ") + 1:
        return f"the same but for {'; '.join(own)}"
    mine, theirs = first.name.split(", "), other.name.split(", ")
    if ";" in first.name + other.name or mine[0] != theirs[0] or mine == theirs:
        return other.name if brief(other) == brief(first) else brief(other)
    more = [part for part in theirs[1:] if part not in mine]
    less = [part for part in mine[1:] if part not in theirs]
    return min(f"the same {' and '.join(with_and_without(more, less))}", other.name, key=len)


def recommended_in_full(told: str) -> str:
    """Return a name or sentence that begins with "the same" with whom it is the same as, for who reads it alone."""
    return _SAME.sub(r"\1he recommended design", told)


def names_beside(study: Study, labels: Iterable[str]) -> dict[str, str]:
    """Return how designs are called in sentences about the first one, no two alike and none as the first."""
    if not (labels := tuple(labels)):
        return {}
    best = study.best
    beside = {label: called(study[label], best) for label in labels}
    told = [*beside.values(), best.name, brief(best), best.resolved.long]
    alike = [label for label in beside if label != best.id and told.count(beside[label]) > 1]
    return beside | {label: name for label, name in names_apart(study.order).items() if label in alike}


def clusters(evaluation: Evaluation) -> str:
    """Return who has a cluster of its own, in words."""
    found = _by_cluster(evaluation)
    return (
        next(iter(found)) if len(found) == 1 else listed([f"{what} for {listed(ids)}" for what, ids in found.items()])
    )


def _by_cluster(evaluation: Evaluation) -> dict[str, list[str]]:
    """Return the ids of classes by whether they have a cluster per tenant or share one, in words."""
    classes = evaluation.resolved.classes
    kinds = {c.tenant_class.kind for c in classes}
    own = f"a cluster per {next(iter(kinds)) if len(kinds) == 1 else 'tenant'}"
    shared = shared_clusters(classes)
    found: dict[str, list[str]] = {}
    for one in classes:
        found.setdefault(own if one.cluster.per_tenant else shared, []).append(one.tenant_class.id)
    return found


def apart(rival: Evaluation, best: Evaluation) -> Iterator[str]:
    """Yield in few words what tells a rival from the first: whose clusters it has, else what it has more.

    What it lacks is told of a rival that has nothing more: "one without gVisor sandboxes" reads as less for less, which
    a design with nodes per tenant instead is not.
    """
    if clusters(rival) != clusters(best):
        several = len(rival.resolved.classes) > 1 and len(_by_cluster(rival)) == 1
        for told in (tight(rival), clusters(rival)):
            yield f"{told} for all" if several and ", " not in told else told
        before = _by_cluster(best)
        for what, ids in _by_cluster(rival).items():
            if moved := [name for name in ids if name not in before.get(what, ())]:
                yield f"one with {what} for {listed(moved)}"
        return
    has, lacks = parts(rival.resolved.classes), parts(best.resolved.classes)
    yield from [*_beyond(has, lacks, "with")] or _beyond(lacks, has, "without")


def _beyond(mine: Mapping[str, tuple[str, ...]], theirs: Mapping[str, tuple[str, ...]], way: str) -> Iterator[str]:
    """Yield what one design has more than another for which classes, then what it alone has for some class."""
    whom: dict[str, list[str]] = {}
    for name, said in mine.items():
        for part in [part for part in said[1:] if part not in theirs[name]][:1]:
            whom.setdefault(part, []).append(name)
    for part, ids in whom.items():
        told = f"one {way} {part}{'' if len(ids) == len(mine) else f' for {listed(ids)}'}"
        yield from dict.fromkeys((told, _BRACKETED.sub("", told)))
    for part in whom:
        if not any(part in said for said in theirs.values()):
            yield f"one {way} {_BRACKETED.sub('', part)}"


__all__ = ["EACH", "apart", "brief", "called", "clusters", "heads", "names_beside", "recommended_in_full", "tight"]
