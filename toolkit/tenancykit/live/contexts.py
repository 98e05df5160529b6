"""Which context of a kubeconfig stands for which cluster of an export."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from kubeanswers.errors import Fault, InputError, did_you_mean
from tenancykit.auditing import Reading, read_objects
from tenancykit.auditing.fleet import cluster_folders
from tenancykit.manifests.model import SYSTEM_PREFIX

_SHOWN = 12


def clusters_of(folder: Path) -> dict[str, Path]:
    """Return the clusters of an export by name; a folder of manifests that is no export is one cluster without name.

    Raises:
        InputError: there is no such folder, or an export without clusters.
    """
    if not folder.is_dir():
        raise InputError(Fault(str(folder), "no such folder", cure="name the folder of an export"))
    found = cluster_folders(folder)
    if not found and (folder / ".tenancykit.json").is_file():
        raise InputError(Fault(str(folder), "is an export without clusters", cure="export it again"))
    return found or {"": folder}


def chosen_contexts(stated: Iterable[str], clusters: Iterable[str]) -> dict[str, str]:
    """Return the context by cluster, from ``CLUSTER=CONTEXT`` texts: the platform's own clusters before the tenants'.

    Clusters nobody named are not in it.

    An export of one cluster needs no name: ``CONTEXT`` alone will do, or nothing for the current context.

    Raises:
        InputError: a cluster is unknown or named twice, or several clusters stand to choose and none is named.
    """
    known = sorted(clusters)
    found: dict[str, str] = {}
    faults: list[Fault] = []
    for text in stated:
        cluster, separator, context = text.partition("=")
        if not separator or cluster not in known:
            if len(known) == 1:  # names of contexts may hold an equals sign themselves
                cluster, context = known[0], text
            else:
                meant = did_you_mean(cluster, known)
                what = (
                    f"{cluster!r} is no cluster of the export" if separator else "does not say which cluster it is of"
                )
                faults.append(Fault(f"--context {text}", what, _listed(known), meant or "write CLUSTER=CONTEXT"))
                continue
        if not context:
            faults.append(Fault(f"--context {text}", "names no context", cure="write CLUSTER=CONTEXT"))
        elif cluster in found:
            faults.append(Fault(f"--context {text}", f"names the context of {cluster or 'the cluster'} twice"))
        found[cluster] = context
    if faults:
        raise InputError(faults)
    if found:
        return dict(sorted(found.items(), key=lambda pair: (not pair[0].startswith(SYSTEM_PREFIX), pair[0])))
    if len(known) == 1:
        return {known[0]: ""}
    cure = "name those to talk to: --context CLUSTER=CONTEXT, repeatable"
    raise InputError(Fault("--context", f"the export has {len(known)} clusters", _listed(known), cure))


def _listed(names: list[str]) -> str:
    more = f" and {len(names) - _SHOWN} more" if len(names) > _SHOWN else ""
    return ", ".join(names[:_SHOWN]) + more


def read_cluster(folder: Path) -> Reading:
    """Return the objects of one cluster's folder in the order they are applied.

    Raises:
        InputError: a file cannot be read, or says something that only Kustomize itself could carry out.
    """
    reading = read_objects([folder])
    if reading.faults:
        raise InputError(reading.faults)
    return reading
