"""The commented scenario file that answers to the questions make; sizes nobody was asked about are assumptions."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from typing import Final

from kubeanswers.quantities import cpu_text
from kubeanswers.source import dump_yaml
from tenancykit.catalogue.price_entries import Price
from tenancykit.catalogue.prices import load_prices
from tenancykit.catalogue.reading import Catalogue
from tenancykit.criterion_names import FOUR
from tenancykit.study.interviewing import EMPHASIS, Answers, completed_answers, machine, number, several

HEAD: Final = "# Written from answers by tenancykit init."
"""How such a file begins; one that begins otherwise is somebody's own and is not overwritten."""
_LONGEST_NAME: Final = 40
_EMPHASISED: Final = 0.4
_GROUPS: Final = (("teams", "team"), ("customers", "customer"))
_SIZES: Final = {
    "training": (12_000, 96, "preemptible: true"),
    "notebook": (4_000, 16, "exposure: {scope: internal, port: 8888}"),
    "inference": (4_000, 16, "exposure: {scope: public, port: 8443}"),
    "batch": (4_000, 16, "preemptible: true"),
    "service": (500, 1, "exposure: {scope: internal, port: 8080}"),
}
"""CPU (millicores), memory (GiB) and manner of one replica by kind of work (assumptions)."""
_ON_GPUS: Final = frozenset({"training", "notebook", "inference"})
_LEFT: Final = 0.7
"""Most that one replica asks of its machine, or of a GPU's share of it; the system and others take the rest
(assumption)."""
_REPLICAS: Final = {"notebook": 2, "batch": 2, "service": 2}
_SHARED_NOTEBOOK: Final = "gpu: {fraction: 0.25}"
_JURISDICTIONS: Final = {"us": "us", "eastus": "us", "eastus2": "us", "nyc2": "us", "atl1": "us"} | {
    "eu": "eu",
    "FIN-02": "eu",
    "FIN-03": "eu",
    "PAR": "eu",
}
"""Where the data is in law, by the listed region or the part of it before the first dash."""


def drafted(given: Answers, catalogue: Catalogue) -> str:
    """Return the scenario as YAML with comments that say why each part is there and what is assumed.

    Args:
        given: answers by question id; what is missing takes the question's default.
        catalogue: whose machine types may be named.

    Raises:
        InputError: an answer that is none, one to a question that is not asked, or nobody who shares the platform.
    """
    answers = completed_answers(given, catalogue)
    book = load_prices(catalogue)
    machines = [book[answers[name]] for name in ("gpu-node", "cpu-node") if name in answers]
    parts = (_head(answers), _tenants(answers), _workloads(answers, machines), _fleet(answers, machines))
    return "\n".join([*(line for part in parts for line in part), *_limits(answers), ""])


def _head(answers: Answers) -> Iterator[str]:
    title = answers["title"]
    slug = re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")[:_LONGEST_NAME].strip("-") or "platform"
    yield f'{HEAD} What says "assumption" nobody was asked about: correct it.'
    yield "schema: tenancykit/scenario/v1"
    yield f"name: {_one(slug)}"
    yield f"title: {_one(title)}"
    yield ""


def _tenants(answers: Answers) -> Iterator[str]:
    yield "tenants:"
    yield "  classes:"
    for group, kind in _GROUPS:
        if not number(answers, group):
            continue
        yield f"    - id: {group}"
        yield f"      name: {group.capitalize()}"
        yield f"      kind: {kind}   # teams hold rights on the API, customers do not"
        yield f"      count: {number(answers, group)}"
        if group == "teams":
            yield f"      trust: {answers['teams-trust']}   # how far they trust each other"
        regimes = several(answers, "compliance") if group == "customers" else ()
        if regimes:
            yield f"      compliance: [{', '.join(regimes)}]"
        uses = ", ".join(f"{{template: {_template(group, work)}}}" for work in several(answers, f"{group}-work"))
        yield f"      workloads: [{uses}]"
        level = answers[f"{group}-isolation"]
        wishes = [f"isolation: {level}"] if level != "none" else []
        wishes += ["own_crds: true"] if group == "teams" and answers["teams-crds"] == "yes" else []
        if wishes:
            yield f"      requirements: {{{', '.join(wishes)}}}   # designs that miss this are not admitted"
    yield ""


def _template(group: str, work: str) -> str:
    return f"{group.removesuffix('s')}-{work}"


def _workloads(answers: Answers, machines: Sequence[Price]) -> Iterator[str]:
    yield "# Sizes of one replica, and replicas of each tenant. All assumptions but the GPUs that were asked about."
    yield "workloads:"
    for group, _ in _GROUPS:
        for work in several(answers, f"{group}-work") if number(answers, group) else ():
            replicas, gpu = _gpus(group, work, answers)
            yield f"  - id: {_template(group, work)}"
            yield f"    kind: {work}"
            yield f"    replicas: {replicas}"
            yield from (f"    {line}" for line in (*_size(work, machines), _SIZES[work][2], *gpu))
    yield ""


def _size(work: str, machines: Sequence[Price]) -> tuple[str, str]:
    """Return CPU and memory of one replica, no more than the machine it runs on has for it."""
    cpu, memory, _ = _SIZES[work]
    for node in (price.node for price in machines if price.node is not None):
        if bool(node.gpus) == (work in _ON_GPUS) or len(machines) == 1:
            parts = max(1, node.gpus)
            cpu = min(cpu, int(_LEFT * node.cpu / parts) // 100 * 100)
            memory = min(memory, int(_LEFT * node.memory / parts / 2**30))
    return f"cpu: {_one(cpu_text(cpu))}", f"memory: {memory}Gi"


def _gpus(group: str, work: str, answers: Answers) -> tuple[int, tuple[str, ...]]:
    """Return the replicas of a workload, and what each asks of GPUs."""
    if work == "training":
        count = max(1, number(answers, f"{group}-gpus") if group == "teams" else 1)
        return count, ("gpu: {count: 1}", f"gang: {count}              # the parts of a job start together")
    if work == "inference":
        share = answers["customers-gpu"] if group == "customers" else "0.25"
        asked = f"fraction: {share}" if share.startswith("0.") else f"count: {share}"
        return 1, (f"gpu: {{{asked}}}", "demand: {profile: diurnal, mean: 0.6, seed: 1}")
    gpu = (_SHARED_NOTEBOOK, "demand: {profile: diurnal, mean: 0.4, seed: 2}") if work == "notebook" else ()
    return _REPLICAS[work], gpu


def _fleet(answers: Answers, machines: Sequence[Price]) -> Iterator[str]:
    fixed = number(answers, "gpu-nodes") > 0
    yield "infrastructure:"
    if fixed:
        yield "  mode: fixed                  # the counted machines are what there is"
        if answers["buying"] == "yes":
            yield "  buying: allowed              # a design that needs more has them in its price"
    else:
        yield "  mode: elastic                # machines are bought as needed"
    regions = [price.region for price in machines if price.region != "global"]
    site = ["id: main", f"provider: {_one(answers['provider'])}"]
    if regions:
        place = _jurisdiction(regions[0])
        site += [f"region: {_one(regions[0])}", *([f"jurisdiction: {place}"] if place else [])]
    yield f"  sites: [{{{', '.join(site)}}}]"
    yield "  nodes:"
    for price in machines:
        count = f", count: {number(answers, _counted(price))}" if fixed else ""
        yield f"    - {{type: {_one(price.id)}{count}}}   # {machine(price)}"
    yield ""


def _counted(price: Price) -> str:
    return "gpu-nodes" if price.node is not None and price.node.gpus else "cpu-nodes"


def _jurisdiction(region: str) -> str:
    return _JURISDICTIONS.get(region) or _JURISDICTIONS.get(region.partition("-")[0], "")


def _limits(answers: Answers) -> Iterator[str]:
    yield "team:"
    yield f"  engineers: {max(1, number(answers, 'engineers'))}"
    yield f"  automation: {answers['automation']}"
    yield ""
    limits = [("go_live_weeks", "weeks"), ("budget_per_month", "budget")]
    stated = [(key, number(answers, name)) for key, name in limits if number(answers, name)]
    if stated:
        yield "# Designs beyond these are not admitted, however good they are."
        yield "requirements:"
        yield from (f"  {key}: {value}" for key, value in stated)
        yield ""
    emphasis = answers["emphasis"]
    said = dict(EMPHASIS)[emphasis]
    rest = (1 - _EMPHASISED) / (len(FOUR) - 1)
    weights = {name: _EMPHASISED if name == emphasis else rest for name in FOUR}
    if emphasis == "equal":
        weights = dict.fromkeys(FOUR, 1 / len(FOUR))
    yield f"# A first guess (assumption) at what matters most: {said}. tenancykit weigh asks properly."
    yield f"weights: {{{', '.join(f'{name}: {value:g}' for name, value in weights.items())}}}"


def _one(text: str) -> str:
    """Return text as it stands in YAML on one line."""
    return dump_yaml({"x": text}).removeprefix("x: ").rstrip("\n")
