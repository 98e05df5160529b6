"""Commands about scenarios and designs: check, compare, explain, export, catalogue, lab."""

from __future__ import annotations

import argparse
import sys
from typing import Any

from tenancykit import face
from tenancykit.catalogue.reading import Catalogue, load_catalogue
from tenancykit.cli import FINDINGS, OK
from tenancykit.report import payload, text
from tenancykit.report.assumed import assumptions_data, assumptions_text
from tenancykit.report.lab import open_lab
from tenancykit.report.listing import listing
from tenancykit.scenario.naming import all_tenants, tenant_count
from tenancykit.studio.serve import serve
from tenancykit.study.comparison import Progress, Study
from tenancykit.study.evaluation import CRITERIA


def _loaded(options: argparse.Namespace) -> Catalogue:
    return load_catalogue(*options.catalogue)


def _study(options: argparse.Namespace) -> Study:
    catalogue = _loaded(options)
    scenario = face.load_scenario(options.scenario, catalogue)
    return face.compare(
        scenario, catalogue, designs=options.variant, calibration=options.calibration, progress=progress_line()
    )


def progress_line() -> Progress | None:
    """Return a one-line progress display where a person is watching, else nothing."""
    if not sys.stderr.isatty():
        return None

    def show(done: int, total: int, name: str) -> None:
        text = f"\r{done}/{total} {name}"[:100].ljust(100)
        print(text if done < total else "\r" + " " * 100 + "\r", end="", file=sys.stderr, flush=True)

    return show


def print_json(data: Any) -> None:
    """Print plain data as JSON."""
    print(payload.to_json(data))


def check(options: argparse.Namespace) -> int:
    """Report every fault of a scenario, and the Kubernetes names of its tenants."""
    scenario = face.load_scenario(options.scenario, _loaded(options))
    named = {
        tenant.name: tenant.kubernetes_name for tenant in all_tenants(scenario) if tenant.name != tenant.kubernetes_name
    }
    if options.json:
        print_json(
            {
                "schema": "tenancykit/check/v1",
                "scenario": scenario.name,
                "fingerprint": payload.fingerprint(scenario),
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


def compare(options: argparse.Namespace) -> int:
    """Rank the reference architectures and variants."""
    study = _study(options)
    if options.json:
        print_json(payload.comparison(study))
    else:
        print(text.study_text(study))
    return OK if study.ranking is not None else FINDINGS


def explain(options: argparse.Namespace) -> int:
    """Open a design's figures, or say why one design stands before another."""
    study = _study(options)
    chosen = study[options.design] if options.design else study.best
    if options.other:
        found = study.why(chosen.id, options.other)
        if options.json:
            print_json(payload.reasons(found))
        else:
            print(found)
        return OK
    criteria = [options.criterion] if options.criterion else list(CRITERIA)
    opened = [chosen.explain(criterion) for criterion in criteria]
    if options.json:
        data = [payload.explanation(one) for one in opened]
        print_json(data[0] if options.criterion else {"schema": "tenancykit/explanations/v1", "explanations": data})
        return OK
    depth = options.depth if options.depth is not None or options.criterion else 1
    print("\n\n".join(text.explanation_text(one, depth) for one in opened))
    return OK


def export(options: argparse.Namespace) -> int:
    """Write manifests and decision record."""
    study = _study(options)
    chosen = study[options.design] if options.design else study.best
    handover = face.export(chosen, options.to, study=study)
    if options.json:
        print_json(handover.data())
    else:
        print(handover.text())
    return OK


def catalogue(options: argparse.Namespace) -> int:
    """List catalogue entries."""
    if options.what == "assumptions":
        catalogue = _loaded(options)
        study = face.compare(face.load_scenario(options.scenario, catalogue), catalogue, progress=progress_line())
        if options.json:
            print_json(assumptions_data(study))
        else:
            print(assumptions_text(study))
        return OK
    found = listing(options.what, _loaded(options))
    if options.json:
        print_json(found.data())
    else:
        print(found.text())
    return OK


def lab(options: argparse.Namespace) -> int:
    """Open JupyterLab, or serve the studio alone."""
    if options.app:
        return serve(options.port, not options.no_browser, scenario=options.scenario)
    return open_lab(port=options.port, browser=not options.no_browser)
