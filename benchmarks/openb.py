"""The openb trace (Alibaba GPU cluster, 2023) as node and pod classes, for the placement benchmarks."""

from __future__ import annotations

import sys
from collections import Counter
from pathlib import Path

from tenancykit.criteria.cost.placement.devices import FRACTION
from tenancykit.criteria.cost.placement.values import NodeClass, PodClass
from tenancykit.scenario.traces import read_openb_nodes, read_openb_pods

FOLDER = Path(__file__).resolve().parents[2] / "shared" / "data" / "openb"
MAX_PODS = 1001
"""Pods a node takes in the published simulator."""

Shape = tuple[int, int, int, int]


def needed() -> None:
    """End with exit code 2 where the trace is not beside the checkout."""
    if not FOLDER.is_dir():
        print(f"{FOLDER} is missing: put the folder 'shared' with reference data beside the checkout", file=sys.stderr)
        raise SystemExit(2)


def node_classes(total: int | None = None) -> list[NodeClass]:
    """Return the 1,213 GPU nodes by shape, or ``total`` nodes in the same proportions (largest remainders)."""
    rows = read_openb_nodes(FOLDER / "openb_node_list_gpu_node.csv").rows
    counts = sorted(
        Counter((node.cpu_milli, node.memory_bytes, node.gpu_count, node.gpu_model) for node in rows).items()
    )
    wanted = len(rows) if total is None else total
    numbers = [number * wanted // len(rows) for _, number in counts]
    remainders = sorted(range(len(counts)), key=lambda i: (-(counts[i][1] * wanted % len(rows)), i))
    for i in remainders[: wanted - sum(numbers)]:
        numbers[i] += 1
    return [
        NodeClass(f"n{i:02}", number, *shape, gpu_sharing=FRACTION, max_pods=MAX_PODS)
        for i, ((shape, _), number) in enumerate(zip(counts, numbers, strict=True))
    ]


def pod_rows() -> list[Shape]:
    """Return CPU milli, memory bytes, GPUs and milli per GPU of each of the 8,152 pods."""
    rows = read_openb_pods(FOLDER / "openb_pod_list_default.csv").rows
    return [(pod.cpu_milli, pod.memory_bytes, pod.gpu_count, pod.gpu_milli) for pod in rows]


def pod_classes(rows: list[Shape]) -> list[PodClass]:
    """Return pods grouped by shape."""
    return [PodClass(f"p{i:03}", number, *shape) for i, (shape, number) in enumerate(sorted(Counter(rows).items()))]
