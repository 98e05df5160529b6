from __future__ import annotations

from pathlib import Path

import pytest
import yaml

from tenancykit.catalogue.reading import load_catalogue
from tests.manifests.golden import FOLDER, WHOLE, inventory, tenant_objects

REFERENCES = sorted(load_catalogue().references)


@pytest.mark.parametrize("identifier", REFERENCES)
def test_a_reference_architectures_objects_are_the_golden_ones(identifier: str, tmp_path: Path) -> None:
    golden = yaml.safe_load((FOLDER / f"{identifier}.yaml").read_text(encoding="utf-8"))
    assert inventory(identifier, tmp_path / "out") == golden


def test_a_tenants_objects_are_the_golden_ones_word_by_word(tmp_path: Path) -> None:
    inventory(WHOLE, tmp_path / "out")
    golden = list(yaml.safe_load_all((FOLDER / f"{WHOLE}-tenant.yaml").read_text(encoding="utf-8")))
    assert tenant_objects(tmp_path / "out") == golden
