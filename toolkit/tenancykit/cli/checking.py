"""The command that reads a scenario and does nothing else; apart, so that it need not wait for what a study imports."""

from __future__ import annotations

import argparse
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from kubeanswers.errors import Fault, InputError
from kubeanswers.source import read_text
from kubeanswers.terminal import counted, escaped
from kubeanswers.writing import write_text
from tenancykit import api
from tenancykit.catalogue.reading import Catalogue, load_catalogue
from tenancykit.cli import OK
from tenancykit.design.needs import Asked, needs_of
from tenancykit.design.offers import machines_of_others, node_shapes, unknown_models
from tenancykit.examples import file_or_example
from tenancykit.scenario.fitting import whole_hosts_only
from tenancykit.scenario.model import Scenario
from tenancykit.scenario.naming import all_tenants, tenant_count
from tenancykit.scenario.reading import named_files


def check(options: argparse.Namespace) -> int:
    """Report every fault of a scenario, its traces and own catalogue folders, and the tenants' Kubernetes names."""
    catalogue = load_catalogue(*options.catalogue)
    if options.catalogue:
        from tenancykit.catalogue.whole import read_whole  # noqa: PLC0415 - no scenario needs all of it

        read_whole(catalogue)
    scenario = api.load_scenario(options.scenario, catalogue)
    if any("demand" in place for place in named_files(scenario)):
        from tenancykit.criteria.cost.activity import activity_of  # noqa: PLC0415 - few scenarios name a trace

        activity_of(scenario, scenario.folder)
    warnings = _warnings(scenario, catalogue)
    needs = [(c, needs_of(c, scenario, catalogue)) for c in scenario.tenants.classes]
    named = {
        tenant.name: tenant.kubernetes_name for tenant in all_tenants(scenario) if tenant.name != tenant.kubernetes_name
    }
    if options.json:
        from tenancykit.cli.designs import print_json  # noqa: PLC0415 - imports what a study needs
        from tenancykit.report.payload import fingerprint  # noqa: PLC0415 - as above

        print_json(
            {
                "schema": "tenancykit/check/v1",
                "scenario": scenario.name,
                "fingerprint": fingerprint(scenario),
                "tenants": tenant_count(scenario),
                "kubernetes_names": named,
                "needs": {c.id: [_need(one) for one in asked] for c, asked in needs},
                "warnings": warnings,
                "faults": [],
            }
        )
        return OK
    tenants, templates = tenant_count(scenario), len(scenario.workloads)
    print(f"{scenario.name}: {counted(tenants, 'tenant')}, {counted(templates, 'workload template')}; no faults")
    for name, short in named.items():
        print(f"  {name}  ->  {short}")
    for warning in warnings:
        print(f"warning: {warning}")
    for tenant_class, asked in needs:
        print(f"what class {tenant_class.id} needs (change it with needs: in the scenario):")
        for one in asked:
            print(f"  {one}")
    return OK


def migrate(options: argparse.Namespace) -> int:
    """Write down what a scenario file of an earlier release left unsaid; say what was assumed and what changed."""
    from tenancykit.design.migrating import migrated  # noqa: PLC0415 - no other command needs it

    catalogue = load_catalogue(*options.catalogue)
    scenario = api.load_scenario(options.scenario, catalogue)
    file = file_or_example(options.scenario)
    if not options.to and file != Path(options.scenario):
        cure = "say --to FILE for a copy of your own"
        raise InputError(Fault(str(options.scenario), "is an example of the package, which stays as it is", cure=cure))
    file = file / "scenario.yaml" if file.is_dir() else file
    found = migrated(read_text(file), str(file), scenario, catalogue)
    api.parse_scenario(found.text, catalogue)
    target = Path(options.to) if options.to else file
    told = [*found.told, *_left_behind(scenario, file, target)]
    if found.assumed or options.to:
        windows = b"\r\n" in file.read_bytes()
        write_text(target, found.text.replace("\n", "\r\n") if windows else found.text, ours="", force=True)
    if options.json:
        from tenancykit.cli.designs import print_json  # noqa: PLC0415 - imports what a study needs

        data = {"file": str(target), "assumed": list(found.assumed), "told": told}
        print_json({"schema": "tenancykit/migration/v1", **data})
        return OK
    print(escaped(f"{target}: {'written' if found.assumed else 'nothing had to be added'}"))
    for one in found.assumed:
        print(escaped(f"  assumed {one}"))
    for one in told:
        print(escaped(f"  to know: {one}"))
    return OK


def _left_behind(scenario: Scenario, file: Path, target: Path) -> Iterator[str]:
    """Yield which files the scenario names beside itself that a copy in another folder does not find."""
    folder = target.resolve().parent
    if folder != file.resolve().parent:
        names = dict.fromkeys(named_files(scenario).values())
        for name in (name for name in names if not (folder / name).is_file()):
            yield f"the scenario names {name}, which lies beside {file} and not beside {target}: copy it there"


def _need(asked: Asked) -> dict[str, Any]:
    return {"need": asked.need.id, "asked": asked.wanted, "stated": asked.stated, "why": asked.why}


def _warnings(scenario: Scenario, catalogue: Catalogue) -> list[str]:
    """Return what is no fault, and what whoever reads a ranking would have wanted to know before."""
    infrastructure = scenario.infrastructure
    told: list[str] = []
    whole = [whole_hosts_only(one, node_shapes(scenario, catalogue)) for one in _one_by_one(scenario)]
    if infrastructure.virtualised and any(whole):
        told.append(
            "some node types are whole physical hosts and others are not: nodes are taken for virtual machines; say "
            "virtualised: false where only the others are"
        )
    told += unknown_models(scenario, catalogue)
    told += machines_of_others(scenario, catalogue)
    if infrastructure.mode == "fixed":
        from tenancykit.criteria.cost.fleet import demand_beyond_fleet  # noqa: PLC0415 - few scenarios state a fleet

        after = "the machines to buy are priced" if infrastructure.buying == "allowed" else "no design can be admitted"
        told += [f"{one}: {after}" for one in demand_beyond_fleet(scenario, catalogue)]
    return told


def _one_by_one(scenario: Scenario) -> Iterator[Scenario]:
    """Yield the scenario with each of its node types alone."""
    for offer in scenario.infrastructure.nodes:
        alone = scenario.infrastructure.model_copy(update={"nodes": (offer,)})
        yield scenario.model_copy(update={"infrastructure": alone})
