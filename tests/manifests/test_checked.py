"""No export writes what an API server would refuse."""

from __future__ import annotations

from pathlib import Path

import pytest

import tenancykit as tk
from kubeanswers.errors import OutputError
from tenancykit.manifests import assemble
from tenancykit.manifests.checked import Gate
from tenancykit.manifests.yaml_writer import write_documents


def quota(tenant: str, amount: str) -> dict[str, object]:
    metadata = {"name": "all", "namespace": f"t-{tenant}"}
    return {"apiVersion": "v1", "kind": "ResourceQuota", "metadata": metadata, "spec": {"hard": {"cpu": amount}}}


def test_files_that_differ_in_the_tenant_alone_pass_once_and_others_are_judged() -> None:
    gate = Gate("1.36")
    for tenant in ("team-a", "team-b"):
        gate.check("quota.yaml", write_documents([quota(tenant, "1")]), [quota(tenant, "1")], tenant)
    assert len(gate._passed) == 1
    with pytest.raises(OutputError, match=r"quota\.yaml: ResourceQuota all: spec\.hard\[cpu\].*nothing was written"):
        gate.check("quota.yaml", write_documents([quota("team-c", "x")]), [quota("team-c", "x")], "team-c")


def test_an_export_that_would_be_refused_leaves_the_folder_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    study = tk.compare(tk.load_scenario("ml-platform"))
    whole = assemble.Finish.__call__

    def spoilt(self: assemble.Finish, *args: object) -> dict[str, object]:
        made = whole(self, *args)  # type: ignore[arg-type]
        return {**made, "spec": {"hard": {"cpu": "banana"}}} if made["kind"] == "ResourceQuota" else made

    monkeypatch.setattr(assemble.Finish, "__call__", spoilt)
    with pytest.raises(OutputError, match="would be refused by Kubernetes"):
        tk.export(study, tmp_path / "out")
    assert list(tmp_path.iterdir()) == []
