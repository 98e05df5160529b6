from __future__ import annotations

from pathlib import Path

import pytest

import tenancykit as tk
from tenancykit.errors import InputError
from tenancykit.scenario.naming import all_tenants

SMALL = """\
schema: tenancykit/scenario/v1
name: small
tenants:
  classes:
    - id: teams
      kind: team
      count: 2
      workloads:
        - template: web
workloads:
  - id: web
    kind: service
    cpu: 500m
    memory: 1Gi
infrastructure:
  sites:
    - {id: here, provider: aws, region: us-east-1, jurisdiction: us}
  nodes:
    - type: aws_m7i_4xlarge
"""


def faults(text: str) -> list[str]:
    with pytest.raises(InputError) as caught:
        tk.parse_scenario(text)
    return [str(fault) for fault in caught.value.faults]


def test_a_small_scenario_reads() -> None:
    scenario = tk.parse_scenario(SMALL)
    assert scenario.workloads[0].cpu == 500
    assert scenario.workloads[0].memory == 2**30


@pytest.mark.parametrize("name", ["ml-platform", "saas-inference", "gpu-cloud", "regulated-hybrid"])
def test_every_example_reads_by_name(name: str) -> None:
    assert tk.load_scenario(name).name == name


def test_all_faults_of_a_file_come_at_once_in_order_of_lines() -> None:
    text = SMALL.replace("kind: team", "kind: teem").replace("cpu: 500m", "cpu: -1").replace("nodes:", "nodez:")
    found = faults(text)
    assert len(found) == 4  # the wrong kind, the negative CPU, the unknown key, the missing key
    lines = [int(fault.split(":")[1]) for fault in found]
    assert lines == sorted(lines)
    assert any("'teem' is unknown" in f and "did you mean team?" in f for f in found)
    assert any("unknown key 'nodez'" in f and "did you mean nodes?" in f for f in found)


@pytest.mark.parametrize(
    ("old", "new", "told"),
    [
        ("cpu: 500m", "cpu: .nan", "not a finite quantity"),
        ("cpu: 500m", "cpu: 500q", "is not a quantity"),
        ("memory: 1Gi", "memory: -1Gi", "negative"),
        ("memory: 1Gi", "memory: 1Zi", "is not a quantity"),
        ("cpu: 500m", 'cpu: "1000"', "no node type can hold one replica of 'web': 1000 CPUs asked, at most 16"),
        ("count: 2", "count: 0", "greater than or equal to 1"),
        ("template: web", "template: wep", "unknown workload 'wep'; allowed: web; did you mean web?"),
        ("type: aws_m7i_4xlarge", "type: aws_m7i_4xlarg", "did you mean aws_m7i_4xlarge?"),
        ("name: small", "name: small\nkubernetes: 1.36", "put the version in quotes"),
        ("kind: team", "kind: team\n      kind: team", "key 'kind' appears twice"),
        ("kind: team", "kind: team\n      residency: [eu]", "data must stay in eu, where no site is; allowed: us"),
        (
            "kind: team",
            "kind: team\n      requirements: {require_options: [pol_psa], forbid_options: [pol_psa]}",
            "pol_psa is both required and forbidden",
        ),
        (
            "kind: team",
            "kind: team\n      api_access: none\n      requirements: {own_crds: true}",
            "bring their own CRDs",
        ),
        ("name: small", "name: small\nweights: {isolation: 0.9}", "weights add up to 1.65"),
        ("name: small", "name: small\nweights: {isolation: -1}", "greater than or equal to 0"),
        ("kind: service", "kind: service\n    gpu: {count: 2, fraction: 0.5}", "asks for 2 GPUs and a fraction"),
        ("kind: service", "kind: service\n    gang: 4", "a gang of 4 cannot start from 1 replicas"),
        ("kind: service", "kind: service\n    demand: {profile: trace}", "names no file"),
        (
            "kind: team",
            "kind: team\n      requirements: {require_options: [rt_gvisr]}",
            "requirements.require_options[0]: unknown option 'rt_gvisr'; did you mean rt_gvisor?",
        ),
        (
            "kind: team",
            "kind: team\n      requirements: {require_options: [rt_gvisor, gpu_mig]}",
            "no valid design of class 'teams' keeps these wishes",
        ),
        (
            "kind: team",
            "kind: team\n      requirements: {require_options: [rt_gvisor, rt_kata]}",
            "rt_gvisor and rt_kata are both required, and a design has one runtime option",
        ),
        ("name: small", "name: small\nteam: {skills: {gpus: good}}", "'gpus' is unknown; allowed: kubernetes,"),
        ("name: small", "name: small\nteam: {engineers: 0}", "greater than 0"),
        ("name: small", "name: small\nteam: {running: [kueu]}", "team.running[0]: unknown option or component 'kueu'"),
        ("schema: tenancykit/scenario/v1", "schema: tenancykit/scenario/v9", "is unknown"),
    ],
)
def test_a_wrong_value_is_named_with_its_line_and_a_cure(old: str, new: str, told: str) -> None:
    found = faults(SMALL.replace(old, new, 1))
    assert any(told in fault for fault in found), found
    assert all(fault.startswith("scenario:") for fault in found)


def named(*names: str) -> str:
    rows = "".join(f"    - {{name: {name}, class: teams}}\n" for name in names)
    return SMALL.replace("workloads:\n  - id: web", f"  named:\n{rows}workloads:\n  - id: web").replace(
        "count: 2", f"count: {max(2, len(names))}"
    )


@pytest.mark.parametrize(
    ("names", "told"),
    [
        (('"Blue Team"', "blue-team"), "both map to the Kubernetes name 'blue-team'"),
        (("blue", "blue"), "tenant 'blue' is already at scenario:11"),
        (('""',), "a tenant name is empty"),
        (('"   "',), "a tenant name is empty"),
        (('"a\\x07b"',), "control character U+0007"),
        (('"a\\u202eb"',), "control character U+202E"),
        (('"' + "x" * 201 + '"',), "at most 200 are allowed"),
        (("teams-2", "other"), ""),
    ],
)
def test_tenant_names_that_cannot_work_are_refused(names: tuple[str, ...], told: str) -> None:
    if not told:  # generated names step aside for nobody, but named tenants use up the count first
        assert tk.parse_scenario(named(*names))
        return
    assert any(told in fault for fault in faults(named(*names)))


def test_a_generated_name_that_collides_with_a_named_tenant_is_refused() -> None:
    text = named("teams-3").replace("count: 2", "count: 3")
    assert any("the generated tenant 'teams-3'" in fault for fault in faults(text))


def test_any_printable_tenant_name_gets_a_unique_valid_kubernetes_name() -> None:
    names = ["../x", "<script>", "=1+1", "名前一", "名前二", "Ünïted", "a" * 200, "a" * 199, "O'Brien & Söhne"]
    quoted = [f'"{name}"' for name in names]
    tenants = list(all_tenants(tk.parse_scenario(named(*quoted))))
    short = [tenant.kubernetes_name for tenant in tenants]
    assert [tenant.name for tenant in tenants] == names
    assert len(set(short)) == len(names)
    assert all(s.replace("-", "").isalnum() and s.isascii() and s == s.lower() and len(s) <= 40 for s in short)
    assert not any(s.startswith("-") or s.endswith("-") for s in short)


def test_a_missing_file_is_an_error_with_a_cure(tmp_path: Path) -> None:
    with pytest.raises(InputError, match="no such file"):
        tk.load_scenario(tmp_path / "nothing.yaml")
    with pytest.raises(InputError, match="did you mean ml-platform"):
        tk.load_scenario("ml-plattform")


def test_a_trace_file_must_lie_beside_the_scenario(tmp_path: Path) -> None:
    text = SMALL.replace("kind: service", "kind: service\n    demand: {profile: trace, file: ../secret.csv}")
    file = tmp_path / "s.yaml"
    file.write_text(text, encoding="utf-8")
    with pytest.raises(InputError, match="leaves the scenario's folder"):
        tk.load_scenario(file)
    file.write_text(text.replace("../secret.csv", "demand.csv"), encoding="utf-8")
    with pytest.raises(InputError, match=r"no such file 'demand\.csv' beside the scenario"):
        tk.load_scenario(file)


def test_a_scenario_survives_the_way_to_yaml_and_back() -> None:
    from tenancykit.source import dump_yaml

    scenario = tk.load_scenario("gpu-cloud")
    text = dump_yaml(scenario.model_dump(mode="json", by_alias=True))
    assert tk.parse_scenario(text) == scenario.model_copy(update={}).in_folder(None)  # type: ignore[arg-type]


def test_skills_of_scenarios_are_those_that_tasks_ask_for() -> None:
    from typing import get_args

    from tenancykit.catalogue.work import SKILLS
    from tenancykit.scenario.model import Skill

    assert get_args(Skill) == SKILLS
