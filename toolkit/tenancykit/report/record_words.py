"""The words of a decision's first page, said once to whoever meets them there for the first time."""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Final

from kubeanswers.quantities import GIB
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.criteria.cost.statement import Statement
from tenancykit.study.evaluation import Evaluation

_TERMS: Final = (
    ("tenants?", "Tenant", "a team or a customer that shares the platform with others"),
    ("clusters?", "Cluster", "machines that Kubernetes runs as one, under one control plane"),
    ("control planes?", "Control plane", "the part of a cluster that takes orders and remembers what runs"),
    ("namespaces?", "Namespace", "a named part of a cluster, with rights and limits of its own"),
    ("virtual clusters?", "Virtual cluster", "a control plane of its own on machines that others use too"),
    ("nodes?", "Node", "a machine of a cluster"),
    ("gVisor|sandboxes", "gVisor", "a sandbox: programs reach a copy of the system's kernel instead of the machine's"),
    ("virtual machines?", "Virtual machine", "a machine within a machine, with a kernel of its own"),
    ("confidential", "Confidential", "memory is encrypted, so that who runs the machine cannot read it"),
    ("DPUs", "DPU", "a network card that enforces rules out of reach of the machine it sits in"),
    ("MIG", "MIG", "NVIDIA's way to cut a card into parts with memory of their own"),
    ("MPS|time-sliced GPUs", "Shared cards", "programs take turns on a card, or use it at once, without such parts"),
    (
        "storage classes",
        "Storage class",
        "a kind of storage that volumes are made of; own ones are for one tenant only",
    ),
    ("queues", "Queue", "what decides which job runs next where not all can run at once"),
    ("fleet", "Fleet", "many clusters kept alike from one place"),
    (
        "Kamaji|vCluster|k0smotron|HyperShift|Gardener|Cluster API|Capsule|kcp|k3k|Rancher|OpenShift|KubeVirt",
        "",
        "names of software that makes or divides clusters",
    ),
    (
        "days a year open|open days",
        "Days open",
        "days of a year on which, by the model, flaws or slips of configuration left no barrier on some way to another",
    ),
    (
        r"\([0-9.,]+M? to [0-9.,]+M?\)",
        "Figures in brackets",
        "from the 10th to the 90th of a hundred equally likely outcomes",
    ),
    ("samples", "Sample", "whatever is not known, drawn once more within its range; how often the first place stays"),
    (
        "(?:clear|close|contested)(?=:)",
        "Clear, close, contested",
        "first in 95 of 100 samples and at either end of any one assumption; in more than half; in half or fewer",
    ),
    (
        "priors",
        "Prior",
        "how often a barrier of a kind is believed to fall, before the flaws of this one are counted",
    ),
    ("scales", "Scale", "from which figure to which a criterion is counted from bad to good"),
    ("weigh(?:s|ed)", "Weight", "how much of the decision a criterion makes up, of 1 in all; it can be said in money"),
)
"""What is looked for on the page, what it is called, and what it means."""
_LEVEL: Final = re.compile(r"\bL[0-9]\b")


def explained(chosen: Evaluation, said: str) -> tuple[tuple[str, str], ...]:
    """Return the words of a text with what they mean; words it does not use are left out.

    Args:
        chosen: the design the text is about.
        said: the text.
    """
    return (*_classes(chosen, said), *_machines(chosen, said), *_levels(chosen, said), *_terms(said))


def _classes(chosen: Evaluation, said: str) -> Iterator[tuple[str, str]]:
    for one in chosen.scenario.tenants.classes:
        if one.name and one.name.casefold() != one.id.casefold() and _holds(said, re.escape(one.id)):
            yield one.id, one.name


def _machines(chosen: Evaluation, said: str) -> Iterator[tuple[str, str]]:
    statement: Statement = chosen.scores["cost"].detail
    for name, machine in statement.machines.items():
        if _holds(said, re.escape(name)):
            shape = machine.shape
            cards = f", {shape.gpus} x {shape.gpu_model}" if shape.gpus else ""
            yield name, f"a machine with {shape.cpu / 1000:g} CPU, {shape.memory / GIB:,.0f} GiB of memory{cards}"


def _levels(chosen: Evaluation, said: str) -> Iterator[tuple[str, str]]:
    known = load_isolation(chosen.catalogue).levels
    for level in sorted(set(_LEVEL.findall(said)) & set(known)):
        yield level, "; ".join(rule.why for rule in known[level].rules) or known[level].title


def _terms(said: str) -> Iterator[tuple[str, str]]:
    for pattern, title, meaning in _TERMS:
        if found := [match[0] for match in re.finditer(rf"(?<!\w)(?:{pattern})(?!\w)", said, re.IGNORECASE)]:
            yield title or ", ".join(dict.fromkeys(found)), meaning


def _holds(said: str, pattern: str) -> bool:
    return re.search(rf"(?<![\w-]){pattern}(?![\w-])", said) is not None


__all__ = ["explained"]
