"""What people's own catalogues get wrong: each fault is told with file, line, field and cure."""

from __future__ import annotations

from pathlib import Path

import pytest

from kubeanswers.errors import CatalogueError, InputError
from tenancykit.api import parse_scenario
from tenancykit.catalogue.reading import OWN_ROOT, load_catalogue
from tenancykit.catalogue.whole import read_whole
from tenancykit.examples import example

AMD = "options/gpu_sharing/gpu_amd_partition.yaml"
MIG = "options/gpu_sharing/gpu_mig.yaml"


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (AMD, "MI300X-192GB", "H100-80GB", "gpu.profiles.H100-80GB: the option cuts cards of amd, and H100-80GB is"),
        (AMD, "MI300X-192GB", "TPU-v6e-32GB", "made by google; write vendor: google, or leave the model out"),
        (AMD, "CPX-NPS4", "CPX-NPS5", "'CPX-NPS5' is no partition of MI300X-192GB; allowed: SPX-NPS1"),
        (MIG, "1g.10gb", "CPX-NPS4", "'CPX-NPS4' is no partition of H100-80GB; allowed: names of MIG profiles"),
        (MIG, "A100-80GB", "MI300X-192GB", "the option cuts cards of nvidia, and MI300X-192GB is made by amd"),
        (AMD, "not rt_coco", "not rt_koko", "unknown fact 'rt_koko': it would never hold; did you mean rt_coco?"),
        ("rules/gpu.yaml", "when: rt_gvisor", "when: rt_gvizor", "when: unknown fact 'rt_gvizor'"),
        ("components/ufm.yaml", "when: high-availability", "when: highly-available", "unknown fact 'highly-available'"),
        (
            "evidence/inference-server--model.yaml",
            "effect: other-tenant-data",
            "effect: other-tenants-data",
            "effect: CVE-2025-23319: unknown effect 'other-tenants-data'; allowed: all-secrets-read",
        ),
    ],
)
def test_an_entry_of_ones_own_is_refused_with_file_field_and_cure(
    file: str, old: str, new: str, said: str, tmp_path: Path
) -> None:
    text = (OWN_ROOT / file).read_text()
    assert old in text
    copy = tmp_path / file
    copy.parent.mkdir(parents=True)
    copy.write_text(text.replace(old, new))
    with pytest.raises(CatalogueError) as caught:
        read_whole(load_catalogue(tmp_path))
    assert said in str(caught.value)
    assert f"{file}:" in str(caught.value)


def test_a_window_of_no_days_is_refused(tmp_path: Path) -> None:
    (tmp_path / "windows").mkdir()
    days = "{low: 0, likely: 0, high: 0}"
    entry = f"id: kernel, what: x, days: {days}, assumption: true, why: because"
    (tmp_path / "windows" / "mine.yaml").write_text(f"entries:\n- {{{entry}}}\n")
    with pytest.raises(CatalogueError, match=r"windows/mine\.yaml:2: entries\[0\]: days: likely is 0") as caught:
        read_whole(load_catalogue(tmp_path))
    assert "write 0.1 or more" in str(caught.value)


def test_a_scenario_that_patches_in_no_time_is_refused_at_its_line() -> None:
    text = example("ml-platform").read_text() + "\npatch_days: {kernel: 0}\n"
    with pytest.raises(InputError, match=r":\d+: patch_days\.kernel: 0 is too small; allowed: more than 0"):
        parse_scenario(text)
