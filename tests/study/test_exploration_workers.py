"""A sweep spread over workers gives what one process gives: a pool of processes, and a Dask cluster on loopback."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from concurrent.futures import Executor, ProcessPoolExecutor
from contextlib import contextmanager
from multiprocessing import get_context
from pathlib import Path

import pytest

import tenancykit
from tenancykit import example, load_catalogue, load_scenario
from tenancykit.study.exploration import Exploration, explore

WIDE = {
    "control_plane": ["cp_kamaji", "cp_vcluster_standalone"],
    "node_isolation": ["node_dedicated_tenant", "node_pool_class"],
    "storage": ["st_sc_quota"],
    "gpu_sharing": ["gpu_exclusive", "gpu_mig"],
    "scheduling_quota": ["sch_kueue"],
    "policy_admission": ["pol_psa"],
    "identity_gitops": ["id_oidc_rbac"],
    "observability_chargeback": [],
}


@pytest.fixture
def workers_find_the_package(monkeypatch: pytest.MonkeyPatch) -> None:
    """Workers are fresh interpreters: they look for the package where this one found it."""
    folder = str(Path(tenancykit.__file__).parent.parent)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(filter(None, [folder, os.environ.get("PYTHONPATH", "")])))


@contextmanager
def dask_cluster() -> Iterator[Executor]:
    """Start a scheduler and two workers on loopback."""
    distributed = pytest.importorskip("distributed", reason="the extra 'distributed' is not installed")
    cluster = distributed.LocalCluster(
        n_workers=2, threads_per_worker=1, processes=True, host="127.0.0.1", dashboard_address=None
    )
    with cluster, distributed.Client(cluster) as client:
        client.wait_for_workers(2)
        yield client.get_executor()


def figures(found: Exploration) -> list[tuple[str, tuple[float, ...]]]:
    return [(one.id, one.values) for one in found.front]


@pytest.mark.usefixtures("workers_find_the_package")
def test_two_processes_give_what_one_gives() -> None:
    catalogue = load_catalogue()
    scenario = load_scenario(example("gpu-cloud"), catalogue)
    alone = explore(scenario, catalogue, allowed=WIDE)
    with ProcessPoolExecutor(2, mp_context=get_context("spawn")) as executor:
        spread = explore(scenario, catalogue, allowed=WIDE, executor=executor)
    assert alone.exact
    assert figures(spread) == figures(alone)
    assert spread.evaluated == alone.evaluated > 500


@pytest.mark.usefixtures("workers_find_the_package")
@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore::ResourceWarning")
def test_a_dask_cluster_of_two_workers_gives_what_one_process_gives() -> None:
    catalogue = load_catalogue()
    scenario = load_scenario(example("gpu-cloud"), catalogue)
    alone = explore(scenario, catalogue, allowed=WIDE)
    with dask_cluster() as executor:
        spread = explore(scenario, catalogue, allowed=WIDE, executor=executor)
    assert figures(spread) == figures(alone)
    assert spread.exact
    assert "distributed" in sys.modules
