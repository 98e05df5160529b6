"""An exported platform of two classes, and a fake API server that has it applied."""

from __future__ import annotations

import copy
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubeanswers.validation.custom_kinds import known_kinds
from tenancykit import api
from tenancykit.examples import example
from tests.live.api_server import Cluster, FakeServer, kubeconfig
from tests.study.platforms import exported

EXAMPLE = "regulated-hybrid"
TENANTS = 2
"""Tenants per class: two are enough to be each other's neighbours, and every test audits them twice."""
PLATFORM = "tenancykit-platform"
NAMESPACES = ("default", "kube-system", "flux-system", "argocd")

Serve = Callable[..., Path]


def empty_cluster() -> Cluster:
    """Return a cluster with the kinds of every component and the namespaces of a fresh one."""
    cluster = Cluster(groups={group for group, _ in known_kinds()})
    for name in NAMESPACES:
        add(cluster, {"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": name}})
    return cluster


def add(cluster: Cluster, data: dict[str, Any]) -> None:
    """Put an object into a cluster as somebody else's."""
    group, metadata = str(data["apiVersion"]).rpartition("/")[0], data["metadata"]
    cluster.objects[(group, data["kind"], metadata.get("namespace", ""), metadata["name"])] = data
    cluster.changed()


@pytest.fixture(scope="session")
def scenario(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the file of the example with few tenants of each class."""
    data = yaml.safe_load(example(EXAMPLE).read_text())
    for group in data["tenants"]["classes"]:
        group["count"] = TENANTS
    file = tmp_path_factory.mktemp("scenario") / "scenario.yaml"
    file.write_text(yaml.safe_dump(data))
    return file


@pytest.fixture(scope="session")
def export(scenario: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return the export of a shared cluster."""
    folder = tmp_path_factory.mktemp("live") / "out"
    exported("RA01", api.load_scenario(scenario), folder)
    return folder


@pytest.fixture(scope="session")
def fleet(scenario: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return an export of several clusters."""
    folder = tmp_path_factory.mktemp("fleet") / "out"
    exported("RA04", api.load_scenario(scenario), folder)
    return folder


@pytest.fixture
def cluster() -> Cluster:
    """Return an empty cluster."""
    return empty_cluster()


@pytest.fixture
def serve(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Serve]:
    """Return a function that serves clusters, one context each, and returns their kubeconfig."""
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.delenv(name, raising=False)
    with ExitStack() as stack:

        def start(**clusters: Cluster) -> Path:
            urls = {name: stack.enter_context(FakeServer(one)).url for name, one in clusters.items()}
            file = tmp_path / "kubeconfig.yaml"
            file.write_text(yaml.safe_dump(kubeconfig(**urls)))
            return file

        yield start


@pytest.fixture(scope="session")
def filled(export: Path) -> Cluster:
    """Return what a cluster holds after the export has been applied to it."""
    from tenancykit.live.applying import Application
    from tenancykit.live.contexts import read_cluster
    from tests.live.direct import Direct

    cluster = empty_cluster()
    done = Application(Direct(cluster), read_cluster(export / "clusters" / PLATFORM).objects).apply()
    assert not done.stopped
    return cluster


@pytest.fixture
def applied(filled: Cluster) -> Cluster:
    """Return a cluster of the test's own that holds the export."""
    cluster = empty_cluster()
    cluster.objects = copy.deepcopy(filled.objects)
    cluster.managers = copy.deepcopy(filled.managers)
    return cluster
