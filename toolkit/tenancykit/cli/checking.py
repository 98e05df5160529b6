"""The command that reads a scenario and does nothing else; apart, so that it need not wait for what a study imports."""

from __future__ import annotations

import argparse

from tenancykit import api
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.cli import OK
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
                "faults": [],
            }
        )
        return OK
    print(f"{scenario.name}: {tenant_count(scenario)} tenants, {len(scenario.workloads)} workload templates; no faults")
    for name, short in named.items():
        print(f"  {name}  ->  {short}")
    return OK
