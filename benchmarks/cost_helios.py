"""Helios Earth, 16 real tenants in May 2020: what sharing gains, and what each reference architecture would pay.

Reads the public data beside the checkout (``shared/data/helios_earth_vc``); demand is GPUs running plus GPUs asked for
by queued jobs. CPU and memory per GPU are assumptions (the trace has none).
"""

from __future__ import annotations

import csv
import sys
import tempfile
from pathlib import Path

from harness import line, report
from tenancykit import demand
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.criteria.cost.measure import measure
from tenancykit.design.validity import reference_design, resolve
from tenancykit.scenario.model import Scenario
from tenancykit.scenario.reading import read_scenario

FOLDER = Path(__file__).parents[2] / "shared" / "data" / "helios_earth_vc"
KINDS = ("max_running", "max_demand")
CHANGES = {
    "running": ("running_gpus_changes.csv",),
    "running and queued": ("running_gpus_changes.csv", "pending_gpus_changes.csv"),
}
HEAD = """
schema: tenancykit/scenario/v1
name: helios
tenants:
  classes:
    - {id: vc, kind: team, count: COUNT, workloads: [{template: job, demand: {profile: trace, file: demand.csv}}]}
  named:
"""
TAIL = """
workloads:
  - {id: job, kind: training, replicas: MOST, cpu: "8", memory: 32Gi, gpu: {count: 1}}
infrastructure:
  sites: [{id: us, provider: aws}]
  nodes: [{type: aws_p4d_24xlarge}, {type: aws_m7i_4xlarge}]
"""


def helios(kind: str, folder: Path) -> Scenario:
    """Return a scenario of the 16 virtual clusters with their hourly demand."""
    with (FOLDER / "hourly.csv").open() as file:
        rows = list(csv.DictReader(file))
    tenants = sorted({row["vc"] for row in rows})
    hours = {hour: number for number, hour in enumerate(sorted({row["hour"] for row in rows}))}
    most = max(int(row[kind]) for row in rows)
    body = [f"{row['vc']},{hours[row['hour']]},{row[kind]}" for row in rows]
    (folder / "demand.csv").write_text("\n".join(["tenant,hour,active", *body]) + "\n")
    named = "".join(f"    - {{name: {tenant}, class: vc}}\n" for tenant in tenants)
    text = (HEAD + named + TAIL).replace("COUNT", str(len(tenants))).replace("MOST", str(most))
    (folder / "scenario.yaml").write_text(text)
    return read_scenario(folder)


def architectures() -> list[dict[str, object]]:
    """GPU capacity bought and the monthly cost without people, for each architecture and reading of demand."""
    if not FOLDER.is_dir():
        print(f"skipped: {FOLDER} is absent", file=sys.stderr)
        return []
    catalogue = load_catalogue()
    lines: list[dict[str, object]] = []
    for kind in KINDS:
        with tempfile.TemporaryDirectory() as folder:
            scenario = helios(kind, Path(folder))
            scores = {
                identifier: measure(
                    resolve(reference_design(found, scenario, catalogue), scenario, catalogue), scenario, catalogue
                )
                for identifier, found in catalogue.references.items()
            }
        cheapest = min(score.value for score in scores.values())
        gain = scores["RA01"].figures["multiplexing"]
        lines.append(
            line(
                f"multiplexing gain of one shared cluster over 16, by hourly maxima ({kind})",
                gain["gain"],
                "ratio",
                n=16,
                apart=gain["sum_of_tenant_peaks"],
                together=gain["sum_of_domain_peaks"],
            )
        )
        lines += [
            line(
                f"{identifier} monthly cost without people ({kind})",
                round(score.value),
                "USD",
                n=16,
                ratio_to={"cheapest architecture": round(score.value / cheapest, 3)},
                gpus=score.figures["gpus"]["bought"],
                per_used_gpu_hour=score.figures["per_used_gpu_hour"],
            )
            for identifier, score in scores.items()
        ]
    return lines


def gains() -> list[dict[str, object]]:
    """Return the gain to the minute: the sum of the tenants' peaks over the peak of their sum."""
    lines: list[dict[str, object]] = []
    for kind, files in CHANGES.items():
        found = demand(*(FOLDER / name for name in files)).to_dict()
        lines.append(
            line(
                f"multiplexing gain of one shared cluster over 16, to the minute ({kind})",
                found["gain"],
                "ratio",
                n=16,
                apart=found["apart_total"],
                together=found["together"],
            )
        )
    return lines


if __name__ == "__main__":
    report(__doc__ or "", [gains, architectures])
