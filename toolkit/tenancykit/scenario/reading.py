"""A scenario file to a checked scenario, with every fault at once."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path

from kubeanswers.errors import Fault, InputError
from kubeanswers.places import is_file, is_folder
from kubeanswers.records import dataclass
from kubeanswers.source import Document, Path_, Place, parse_yaml, read_yaml
from tenancykit.scenario.checks import check
from tenancykit.scenario.fitting import NodeShape, whole_hosts_only
from tenancykit.scenario.model import Scenario, WorkloadUse
from tenancykit.validation import validate


@dataclass(frozen=True)
class Known:
    """What a scenario may refer to beyond itself.

    Attributes:
        shapes: looks up the node types of the price book that holds for a scenario.
        faults: what the catalogue finds wrong with a scenario, with the path of each place.
    """

    shapes: Callable[[Scenario], Mapping[str, NodeShape]]
    faults: Callable[[Scenario, Place], Iterable[Fault]]


def read_scenario(path: str | os.PathLike[str], known: Known | None = None) -> Scenario:
    """Return the scenario of a YAML file, or of ``scenario.yaml`` in a folder.

    Raises:
        InputError: every fault of the file, each with file, line, what is allowed and a cure.
    """
    file = Path(path)
    if is_folder(file):
        file = file / "scenario.yaml"
    return scenario_of(read_yaml(file), known, folder=file.parent)


def parse_scenario(text: str, known: Known | None = None, *, name: str = "scenario") -> Scenario:
    """Return the scenario written in ``text``; trace files are not looked for.

    Raises:
        InputError: as :func:`read_scenario`.
    """
    return scenario_of(parse_yaml(text, name), known)


def scenario_of(document: Document, known: Known | None = None, *, folder: Path | None = None) -> Scenario:
    """Return the checked scenario of a document.

    Raises:
        InputError: as :func:`read_scenario`.
    """
    scenario = validate(Scenario, document)
    if folder is not None:
        scenario = scenario.in_folder(folder)
        missing = _missing_files(scenario, document, folder)
        if missing:
            raise InputError([*missing, *check(scenario, document)])
    shapes = known.shapes(scenario) if known else None
    faults = check(scenario, document, shapes)
    if known:
        faults.extend(known.faults(scenario, document.where))
    if faults:
        raise InputError(faults)
    return _hosted(scenario, shapes or {})


def _hosted(scenario: Scenario, shapes: Mapping[str, NodeShape]) -> Scenario:
    """Return the scenario saying whether its nodes are virtual machines, where it left that to its node types."""
    if scenario.infrastructure.virtualised is not None:
        return scenario
    virtualised = not whole_hosts_only(scenario, shapes)
    infrastructure = scenario.infrastructure.model_copy(update={"virtualised": virtualised})
    placed = scenario.model_copy(update={"infrastructure": infrastructure})
    return placed if scenario.folder is None else placed.in_folder(scenario.folder)


def named_files(scenario: Scenario) -> dict[Path_, str]:
    """Return the files a scenario names (demand traces, price book), by the place that names them."""
    named: dict[Path_, str] = {("infrastructure", "price_book"): scenario.infrastructure.price_book}
    for w, workload in enumerate(scenario.workloads):
        named["workloads", w, "demand", "file"] = workload.demand.file
    users: list[tuple[Path_, tuple[WorkloadUse, ...]]] = [
        (("tenants", "classes", c), tenant_class.workloads) for c, tenant_class in enumerate(scenario.tenants.classes)
    ]
    users += [(("tenants", "named", n), tenant.workloads or ()) for n, tenant in enumerate(scenario.tenants.named)]
    for path, uses in users:
        for u, use in enumerate(uses):
            if use.demand:
                named[(*path, "workloads", u, "demand", "file")] = use.demand.file
    return {path: name for path, name in named.items() if name}


def _missing_files(scenario: Scenario, document: Document, folder: Path) -> list[Fault]:
    """Return files that lie elsewhere or are not there, each once however many places name it."""
    faults = []
    root = folder.resolve()
    firsts: dict[str, Path_] = {}
    for path, name in named_files(scenario).items():
        firsts.setdefault(name, path)
    for name, path in firsts.items():
        target = (root / name).resolve()
        if not target.is_relative_to(root):
            faults.append(Fault(document.where(path), f"{name!r} leaves the scenario's folder", cure="copy it there"))
        elif not is_file(target):
            faults.append(Fault(document.where(path), f"no such file {name!r} beside the scenario", cure="add it"))
    return faults
