"""Commands that hold a design against objects: prove, assess."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from kubeanswers.errors import Fault, InputError
from kubeanswers.source import read_yaml
from tenancykit import api
from tenancykit.auditing import Severity
from tenancykit.catalogue.reading import Catalogue, load_catalogue
from tenancykit.cli import BAD_INPUT, FINDINGS, OK
from tenancykit.cli.designs import print_json
from tenancykit.cli.objects import tenant_pairs
from tenancykit.design.model import Design, choose
from tenancykit.report.proving import assessment_data, assessment_text, proof_data, proof_text
from tenancykit.study.assessing import Assessment
from tenancykit.study.assessing import assess as assess_objects
from tenancykit.study.assessing_gap import close_gap
from tenancykit.study.evaluation import evaluate
from tenancykit.study.proof import prove as prove_folder


def prove(options: argparse.Namespace) -> int:
    """Prove an export against its design's claim; exit 1 when it is not proven, 2 when a file cannot be read."""
    catalogue = load_catalogue(*options.catalogue)
    scenario = api.load_scenario(options.scenario, catalogue)
    folder = Path(options.folder)
    if not folder.is_dir():
        raise InputError(Fault(str(folder), "no such folder", cure="name the folder of an export"))
    design = api.variant(options.design, scenario, catalogue) if options.design else exported(folder, catalogue)
    design = design or api.variant(exported_design(folder), scenario, catalogue)
    proof = prove_folder(evaluate(design, scenario, catalogue), scenario, catalogue, folder)
    if options.json:
        print_json(proof_data(proof))
    else:
        print(proof_text(proof))
    if proof.unread:
        return BAD_INPUT
    return OK if proof.verdict == "proven" else FINDINGS


def exported(folder: Path, catalogue: Catalogue) -> Design | None:
    """Return the design an export says it is of, option by option; None where its index does not list them.

    What was exported may be completed with what its scenario needs, so its id alone does not say which options it has.
    """
    index = folder / "index.yaml"
    stated = read_yaml(index).data if index.is_file() else None
    listed = stated.get("options") if isinstance(stated, dict) else None
    if not isinstance(stated, dict) or not isinstance(listed, dict):
        return None
    choices = {str(name): choose(catalogue, map(str, found)) for name, found in listed.items()}
    return Design(str(stated.get("design")), str(stated.get("name")), choices, "exported")


def exported_design(folder: Path) -> str:
    """Return the design an export says it is of."""
    index = folder / "index.yaml"
    stated = read_yaml(index).data if index.is_file() else None
    if not isinstance(stated, dict) or not stated.get("design"):
        raise InputError(Fault(str(index), "does not say which design was exported", cure="name it with --design"))
    return str(stated["design"])


def assess(options: argparse.Namespace) -> int:
    """Assess an existing cluster; exit 1 when there are gaps or findings, 2 when a file cannot be read."""
    catalogue = load_catalogue(*options.catalogue)
    scenario = api.load_scenario(options.scenario, catalogue)
    found = assess_objects(
        options.paths,
        scenario,
        catalogue,
        target=options.target or "",
        tenants=tenant_pairs(options.tenant),
        stdin=sys.stdin,
    )
    written = close_gap(found, options.to) if options.to else None
    if options.json:
        print_json(assessment_data(found, written))
    else:
        print(assessment_text(found, written))
    return _exit_code(found)


def _exit_code(found: Assessment) -> int:
    if found.report.faults:
        return BAD_INPUT
    worst = max((finding.severity for finding in found.report.findings), default=Severity.INFO)
    return FINDINGS if found.gaps or worst >= Severity.MEDIUM else OK
