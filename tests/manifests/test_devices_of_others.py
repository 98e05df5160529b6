"""A tenant's quota is closed on the GPU partitions that only tenants of other classes ask for."""

from __future__ import annotations

from pathlib import Path

import tenancykit as tk
from tests.studies import study


def test_tenants_cannot_take_the_partitions_of_another_class(tmp_path: Path) -> None:
    found = study("saas-inference")
    mixed = next(
        e for e in found.evaluations
        if e.id == "RA01" and len({c.options for c in e.resolved.design.choices.values()}) > 1
    )  # fmt: skip
    tk.export(mixed, tmp_path / "out", study=found)
    report = tk.audit(tmp_path / "out")
    assert [f.what for f in report.findings if f.rule == "quota-unbounded"] == []
