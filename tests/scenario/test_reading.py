from __future__ import annotations

from pathlib import Path

import pytest

import tenancykit as tk
from kubeanswers.errors import InputError
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
        ("cpu: 500m", 'cpu: "1000"', "no node type can hold one replica of 'web': 1,000 CPUs asked, at most 16"),
        ("count: 2", "count: 0", "tenants.classes[0].count: 0 is too small; allowed: 1 or more"),
        ("count: 2", "count: true", "true is not a number"),
        ("count: 2", "count: 012", "012 is read by YAML as the number 10; write 10, or '012' in quotes for text"),
        ("count: 2", "count: 1e-3", "count: 1e-3 is not a whole number"),
        ("cpu: 500m", "cpu: 1e400", "'1e400' is more than Kubernetes can count"),
        ("cpu: 500m", "cpu: 1" + "0" * 400, "(401 characters) is no quantity; write at most 64"),
        ("cpu: 500m", "cpu:", "nothing is not a quantity"),
        ("cpu: 500m", "cpu: [1]", "a list is not a quantity"),
        ("memory: 1Gi", "memory: 16", "a replica asks for 16 bytes of memory; allowed: 1Mi or more; add the unit"),
        ("kind: service", "kind: service\n    image: 'a b'", "'a b' is not a container image"),
        ("kind: service", "kind: service\n    gpu: {models: ['']}", "gpu.models[0]: the text is empty"),
        ("name: small", "name: small\nkubernetes: '1.99'", "'1.99' is no Kubernetes version we know; write"),
        ("name: small", "name: Small Shop", "'Small Shop' is not a short name; write lower-case letters"),
        ("name: small", 'name: small\ntitle: "a\\e[31m"', "title: the text holds the control character U+001B"),
        (
            "name: small",
            "name: small\nrequirements: {budget_per_month: '10,000'}",
            "'10,000' is not an amount of money",
        ),
        ("name: small", "name: small\nrequirements: {budget_per_month: 1e400}", "no credible amount of money"),
        (
            "name: small",
            "name: small\nweights: {isolation: 1.0e+308, normalise: true}",
            "is too large; allowed: at most",
        ),
        ("provider: aws", "provider: awz", "unknown provider 'awz'; allowed: aws, azure,"),
        ("provider: aws", "provider: awz", "did you mean aws?"),
        ("provider: aws", "provider: AWS", "did you mean aws?"),
        (
            "infrastructure:",
            "infrastructure:\n  currency: DOGE",
            "no price or exchange rate is in 'DOGE'; allowed: EUR",
        ),
        ("aws_m7i_4xlarge", "aws_m7i_4xlarge\n      count: 0", "no machine is counted"),
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
        (
            "name: small",
            "name: small\nweights: {isolation: 0.9}",
            "weights add up to 1.65, with effort at 0.25, operations at 0.25 and cost at 0.25 as nothing is said",
        ),
        ("name: small", "name: small\nweights: {isolation: -1}", "-1 is too small; allowed: 0 or more"),
        ("kind: service", "kind: service\n    gpu: {count: 2, fraction: 0.5}", "asks for 2 GPUs and a fraction"),
        ("kind: service", "kind: service\n    gang: 4", "a gang of 4 cannot start from 1 replicas"),
        ("kind: service", "kind: service\n    demand: {profile: trace}", "names no file"),
        ("kind: service", "kind: service\n    demand: {file: a.csv}", "profile 'constant' does not read it"),
        ("template: web", "template: web\n          demand: {file: a.csv}", "profile 'constant' does not read it"),
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
        ("name: small", "name: small\nteam: {engineers: 0}", "0 is too small; allowed: more than 0"),
        ("name: small", "name: small\nteam: {running: [kueu]}", "team.running[0]: unknown option or component 'kueu'"),
        ("schema: tenancykit/scenario/v1", "schema: tenancykit/scenario/v9", "is unknown"),
    ],
)
def test_a_wrong_value_is_named_with_its_line_and_a_cure(old: str, new: str, told: str) -> None:
    found = faults(SMALL.replace(old, new, 1))
    assert any(told in fault for fault in found), found
    assert all(fault.startswith("scenario:") for fault in found)


def test_a_provider_that_sells_no_machine_we_know_is_welcome_where_the_machines_are_described() -> None:
    described = SMALL.replace("aws_m7i_4xlarge", "big\n      spec: {cpu: 64, memory: 256Gi, price_per_hour: 3}")
    assert tk.parse_scenario(described.replace("provider: aws", "provider: hetzner"))
    assert any("unknown provider 'hetzner'" in f for f in faults(SMALL.replace("provider: aws", "provider: hetzner")))


def test_a_workload_that_needs_more_gpu_memory_than_a_card_has_fits_nowhere() -> None:
    card = "big\n      spec: {cpu: 64, memory: 256Gi, gpus: 2, gpu_model: A100-40GB, price_per_hour: 3}"
    text = SMALL.replace("aws_m7i_4xlarge", card)
    assert tk.parse_scenario(text.replace("kind: service", "kind: service\n    gpu: {memory: 40Gi}"))
    found = faults(text.replace("kind: service", "kind: service\n    gpu: {memory: 80Gi}"))
    assert "80 GiB of GPU memory asked, at most 40 GiB on such a GPU" in found[0]


def test_groups_of_the_api_server_act_for_no_tenant() -> None:
    text = named("blue").replace("class: teams}", "class: teams, groups: ['system:authenticated']}")
    assert "group 'system:authenticated' is Kubernetes's own" in faults(text)[0]


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


def test_a_folder_without_a_scenario_does_not_hide_the_example_of_its_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    (tmp_path / "gpu-cloud").mkdir()
    assert tk.load_scenario("gpu-cloud").name == "gpu-cloud"
    (tmp_path / "gpu-cloud" / "scenario.yaml").write_text(SMALL, encoding="utf-8")
    assert tk.load_scenario("gpu-cloud").name == "small"


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
    from kubeanswers.source import dump_yaml

    scenario = tk.load_scenario("gpu-cloud")
    text = dump_yaml(scenario.model_dump(mode="json", by_alias=True))
    assert tk.parse_scenario(text) == scenario.model_copy(update={}).in_folder(None)  # type: ignore[arg-type]


def test_skills_of_scenarios_are_those_that_tasks_ask_for() -> None:
    from typing import get_args

    from tenancykit.catalogue import work
    from tenancykit.scenario.model import Skill

    assert get_args(Skill) == get_args(work.Skill)
