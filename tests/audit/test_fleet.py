"""Clusters of one export are audited one by one, and reported together."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import yaml

from tenancykit.auditing import audit_clusters, read_clusters
from tests.audit.tenancy import cluster


def write(folder: Path, objects: list[dict[str, Any]]) -> None:
    folder.mkdir(parents=True)
    (folder / "all.yaml").write_text(yaml.safe_dump_all(objects), encoding="utf-8")
    (folder / "kustomization.yaml").write_text("resources: [all.yaml]\n", encoding="utf-8")


def test_tenants_of_different_clusters_do_not_reach_each_other(tmp_path: Path) -> None:
    open_to_all = [item for item in cluster("blue") if item["kind"] not in ("NetworkPolicy", "ResourceQuota")]
    write(tmp_path / "clusters" / "one", open_to_all)
    write(tmp_path / "clusters" / "two", [item for item in cluster("red") if item["kind"] != "NetworkPolicy"])
    (tmp_path / "index.yaml").write_text("schema: tenancykit/export-index/v1\n", encoding="utf-8")
    readings = read_clusters([tmp_path])
    assert set(readings) == {"one", "two"}
    found = audit_clusters(readings)
    assert set(found.tenants) == {"blue", "red"}
    assert found.open_crossings() == {}
    assert found.exit_code == 0


def test_faults_of_every_cluster_are_kept(tmp_path: Path) -> None:
    write(tmp_path / "clusters" / "one", cluster("blue", "red"))
    write(tmp_path / "clusters" / "two", cluster("green"))
    (tmp_path / "clusters" / "two" / "all.yaml").write_text("a: [", encoding="utf-8")
    found = audit_clusters(read_clusters([tmp_path]))
    assert found.exit_code == 2
    assert len(found.faults) == 1
    assert set(found.tenants) == {"blue", "red"}


def test_a_plain_folder_is_one_cluster(tmp_path: Path) -> None:
    (tmp_path / "all.yaml").write_text(yaml.safe_dump_all(cluster("blue", "red")), encoding="utf-8")
    readings = read_clusters([tmp_path])
    assert set(readings) == {""}
    assert audit_clusters(readings).open_crossings() == {}


def test_folders_of_clusters_that_define_the_same_objects_are_read_apart(tmp_path: Path) -> None:
    for name in ("dev", "prod"):
        folder = tmp_path / "clusters" / name
        folder.mkdir(parents=True)
        (folder / "all.yaml").write_text(yaml.safe_dump_all(cluster("blue", "red")), encoding="utf-8")
    assert set(read_clusters([tmp_path])) == {"dev", "prod"}
    assert set(read_clusters([tmp_path / "clusters"])) == {"dev", "prod"}
    (tmp_path / "more.yaml").write_text(yaml.safe_dump_all(cluster("green")), encoding="utf-8")
    assert set(read_clusters([tmp_path])) == {""}


def test_how_tenants_were_found_is_one_line_for_all_clusters(tmp_path: Path) -> None:
    write(tmp_path / "clusters" / "one", cluster("blue", "red"))
    write(tmp_path / "clusters" / "two", cluster("green"))
    told = audit_clusters(read_clusters([tmp_path])).told
    assert told == ("tenants: 2 by label tenancykit.dev/tenant, in the largest of the sets",)
