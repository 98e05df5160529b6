"""Exporting a cluster with many tenants: time and memory, beside dumping the same objects with PyYAML alone.

Run: python benchmarks/manifests_export.py [--json]
"""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import yaml

from harness import line, report
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.design.model import ResolvedDesign
from tenancykit.design.validity import reference_design, resolve
from tenancykit.manifests.tree import export
from tenancykit.manifests.yaml_writer import write_documents
from tenancykit.scenario.model import Scenario

MANY = 10_000
SOME = 1_000
RUNS = 3
_DUMPER = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)


def scenario(tenants: int) -> Scenario:
    """Return a scenario of two classes with training, inference and notebooks."""
    return Scenario.model_validate(
        {
            "schema": "tenancykit/scenario/v1",
            "name": "many",
            "tenants": {
                "classes": [
                    {
                        "id": "research",
                        "kind": "team",
                        "count": tenants // 2,
                        "workloads": [{"template": "train"}, {"template": "chat"}, {"template": "lab"}],
                    },
                    {"id": "apps", "kind": "customer", "count": tenants // 2, "workloads": [{"template": "chat"}]},
                ]
            },
            "workloads": [
                {"id": "train", "kind": "training", "replicas": 4, "gpu": {"count": 1}},
                {"id": "chat", "kind": "inference", "replicas": 2, "exposure": {"scope": "public"}},
                {"id": "lab", "kind": "notebook", "storage": {"size": "20Gi"}},
            ],
            "infrastructure": {
                "sites": [{"id": "a", "provider": "aws", "region": "eu-central-1"}],
                "nodes": [{"type": "aws_p4d_24xlarge"}],
            },
        }
    )


def designed(asked: Scenario, identifier: str) -> ResolvedDesign:
    """Return a reference architecture laid over a scenario."""
    catalogue = load_catalogue()
    return resolve(reference_design(catalogue.references[identifier], asked, catalogue), asked, catalogue)


def child(identifier: str, tenants: int) -> None:
    """Export once and print seconds, largest resident memory and objects; a process of its own measures its memory."""
    import resource  # noqa: PLC0415 - POSIX only, and only in the child

    asked = scenario(tenants)
    design = designed(asked, identifier)
    with tempfile.TemporaryDirectory() as folder:
        start = time.perf_counter()
        result = export(design, asked, load_catalogue(), Path(folder) / "out", decision_hash="0123abcd")
        seconds = time.perf_counter() - start
    peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024
    print(json.dumps({"seconds": seconds, "mib": peak, "objects": result.objects, "files": result.changes.added.count}))


def exported(identifier: str, tenants: int) -> dict[str, float]:
    """Return what a child process measured."""
    command = [sys.executable, __file__, "--child", identifier, str(tenants)]
    done = subprocess.run(command, check=True, capture_output=True, text=True)
    found: dict[str, float] = json.loads(done.stdout)
    return found


def many_tenants() -> Sequence[dict[str, object]]:
    """Ten thousand tenants in one cluster, and ten thousand clusters of their own."""
    rows = []
    for identifier, kind in (("RA01", "namespaces"), ("RA09", "hosted clusters")):
        found = exported(identifier, MANY)
        rows.append(
            line(
                f"export {MANY} tenants, {kind} ({identifier})",
                found["seconds"],
                "s",
                n=1,
                peak_memory_mib=round(found["mib"], 1),
                objects=found["objects"],
                files=found["files"],
            )
        )
    few, more = exported("RA01", SOME), exported("RA01", MANY)
    growth = (more["mib"] - few["mib"]) / (MANY - SOME) * 1024
    rows.append(line("export memory per further tenant", growth, "KiB", n=1, peak_memory_mib=round(more["mib"], 1)))
    return rows


def beside_yaml() -> Sequence[dict[str, object]]:
    """The whole export of a thousand tenants, and its writer alone, against PyYAML dumping the same objects."""
    asked = scenario(SOME)
    design, catalogue = designed(asked, "RA01"), load_catalogue()
    with tempfile.TemporaryDirectory() as folder:
        target = Path(folder) / "out"
        whole = [_timed(lambda: export(design, asked, catalogue, target)) for _ in range(RUNS)]
        objects = _objects(target)
    plain = [_timed(lambda: yaml.dump_all(objects, Dumper=_DUMPER, sort_keys=False)) for _ in range(RUNS)]
    own = [_timed(lambda: write_documents(objects)) for _ in range(RUNS)]
    baseline = statistics.median(plain)
    rows = [line(f"PyYAML dump of {len(objects)} objects", baseline, "s", n=RUNS)]
    for name, times in ((f"export {SOME} tenants, built and written", whole), ("own writer, the same objects", own)):
        value = statistics.median(times)
        rows.append(line(name, value, "s", n=RUNS, ratio_to={"PyYAML dump": round(value / baseline, 3)}))
    return rows


def _objects(tree: Path) -> list[Any]:
    files = sorted(tree.glob("clusters/*/tenants/*/*.yaml"))
    return [o for f in files for o in yaml.load_all(f.read_text(encoding="utf-8"), _LOADER)]


def _timed(work: Any) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        child(sys.argv[2], int(sys.argv[3]))
    else:
        report(__doc__ or "", (many_tenants, beside_yaml))
