"""The golden objects of each reference architecture: ``python -m tests.manifests.golden`` writes them anew.

A golden file names every object of an export with a digest of its content; RA01's files hold the objects themselves.
Read the difference before committing it: each line is a change somebody's cluster will see.
"""

from __future__ import annotations

import hashlib
import json
import sys
import tempfile
from pathlib import Path
from typing import Any

import yaml

from tenancykit.catalogue.reading import load_catalogue
from tenancykit.design.validity import reference_design, resolve
from tenancykit.manifests.tree import export
from tenancykit.scenario.model import Scenario
from tests.manifests.conftest import read_objects, scenario_data

FOLDER = Path(__file__).with_name("golden")
WHOLE = "RA01"


def digest(document: dict[str, Any]) -> str:
    """Return a short hash of an object, independent of the order of its keys."""
    return hashlib.sha256(json.dumps(document, sort_keys=True).encode()).hexdigest()[:10]


def inventory(identifier: str, target: Path) -> dict[str, dict[str, str]]:
    """Return the digest of every object of a reference architecture's export, by file and by name."""
    catalogue, scenario = load_catalogue(), Scenario.model_validate(scenario_data())
    design = resolve(reference_design(catalogue.references[identifier], scenario, catalogue), scenario, catalogue)
    export(design, scenario, catalogue, target)
    found: dict[str, dict[str, str]] = {}
    for file, document in read_objects(target):
        metadata = document["metadata"]
        place = "/".join(filter(None, (metadata.get("namespace"), metadata["name"])))
        found.setdefault(file, {})[f"{document['apiVersion']} {document['kind']} {place}"] = digest(document)
    return found


def tenant_objects(target: Path) -> list[dict[str, Any]]:
    """Return the objects of the tenant called ``../x`` in the export of the whole golden reference."""
    folder = target / "clusters" / "tenancykit-platform" / "tenants" / "x"
    return [document for _, document in read_objects(target, sorted(folder.glob("*.yaml")))]


def main() -> int:
    """Write every golden file anew."""
    FOLDER.mkdir(exist_ok=True)
    for identifier in load_catalogue().references:
        with tempfile.TemporaryDirectory() as folder:
            target = Path(folder) / "out"
            text = yaml.safe_dump(inventory(identifier, target), sort_keys=True, width=200)
            (FOLDER / f"{identifier}.yaml").write_text(text, encoding="utf-8")
            if identifier == WHOLE:
                text = yaml.safe_dump_all(tenant_objects(target), sort_keys=True, width=200)
                (FOLDER / f"{identifier}-tenant.yaml").write_text(text, encoding="utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
