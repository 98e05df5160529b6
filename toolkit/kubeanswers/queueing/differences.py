"""What Kueue changed after the version that was recorded, and whether it bears on a design.

Modelled: from 0.15.6 on, with fair sharing, who stays within its own quota goes first, preempting whatever the shares;
from 0.18 on the scheduler no longer crashes for a queue in no cohort; from 0.15 on ``flavorFungibility.preference``;
from 0.16 on nothing (zero) asked of a resource that a queue has no quota of keeps nobody out; from 0.17.6 on of a pod's
node terms only those on the flavor's own labels are heeded.
Not modelled, and therefore said: what is listed here. What no version's engine here looks at (admission checks, usage
over time, transformed resources, pods that must become ready) is said where the objects set it.

Source: the release notes of Kueue 0.14 to 0.19, https://github.com/kubernetes-sigs/kueue/tree/main/CHANGELOG
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any, Final

from kubeanswers.objects import ObjectSet, mapping
from kubeanswers.queueing.jobs import Jobs
from kubeanswers.queueing.manifests import GROUP
from kubeanswers.queueing.values import Design, Version

_LOOSE_PLACES: Final[Version] = (0, 15)
_PLACES_AGAIN: Final[Version] = (0, 19)
_LATEST: Final[Version] = (0, 19)


_UNSEEN: Final = {
    "admissionChecks": "admission checks: what has quota may still not be admitted",
    "admissionChecksStrategy": "admission checks: what has quota may still not be admitted",
    "admissionScope": "fair sharing by usage over time (AdmissionFairSharing): the order of admission may differ",
}
"""Fields of a ClusterQueue the engine does not look at."""


def unseen(objects: ObjectSet, configured: Mapping[str, Any]) -> Iterator[str]:
    """Yield what the objects set and no version's rules here look at."""
    found: dict[str, list[str]] = {}
    for item in objects:
        if item.kind == "ClusterQueue" and item.group == GROUP:
            for field in sorted(_UNSEEN.keys() & {key for key, value in item.spec.items() if value}):
                found.setdefault(_UNSEEN[field], []).append(item.name)
    for what, queues in found.items():
        more = f" and {len(queues) - 3} more" if len(queues) > 3 else ""
        yield f"queue {', '.join(queues[:3])}{more}: {what}"
    if mapping(configured.get("waitForPodsReady")):
        yield "waitForPodsReady: workloads may be held or evicted until their pods are ready; not looked at"
    if mapping(configured.get("resources")).get("transformations"):
        yield "resources.transformations: amounts are counted as asked, not transformed"


def undecided(design: Design, jobs: Jobs, version: Version) -> Iterator[str]:
    """Yield what a version may decide otherwise for these objects."""
    workloads = [*jobs.waiting, *(reserved.workload for reserved in jobs.running)]
    requests = [part.topology for workload in workloads for part in workload.pod_sets]
    topologies = any(flavor.topology in design.topologies for flavor in design.flavors if flavor.topology)
    loose = any(one is None or not (one.required or one.preferred) for one in requests)
    if version >= _LOOSE_PLACES and topologies and requests and loose:
        yield (
            "since Kueue 0.15 pods that may go anywhere in a topology fill the fullest domains first; here they go "
            "where they fit best, as in 0.13: places (not quota) may differ"
        )
    if version >= _PLACES_AGAIN and topologies and requests:
        yield (
            "since Kueue 0.19 places in a topology are looked for again where two workloads of one round want the "
            "same; here the later one waits for the next round"
        )
    if version > _LATEST:
        yield f"Kueue {version[0]}.{version[1]} is newer than what is known here (0.19)"
