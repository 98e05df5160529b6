"""Bases and overlays are audited as ``kubectl apply -k`` builds them.

Expected names, hashes and orders follow Kustomize's documented behaviour; hashes were checked against its own output.
"""

from __future__ import annotations

import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pytest
import yaml

from kubeanswers.kustomize.patches import merged, patched
from kubeanswers.reading import Reading, read_objects

DEPLOYMENT: dict[str, Any] = {
    "apiVersion": "apps/v1",
    "kind": "Deployment",
    "metadata": {"name": "web"},
    "spec": {
        "selector": {"matchLabels": {"app": "web"}},
        "template": {
            "metadata": {"labels": {"app": "web"}},
            "spec": {
                "serviceAccountName": "runner",
                "containers": [
                    {
                        "name": "c",
                        "image": "nginx:1",
                        "env": [{"name": "A", "value": "1"}, {"name": "B", "value": "2"}],
                        "envFrom": [{"configMapRef": {"name": "settings"}}, {"secretRef": {"name": "token"}}],
                    }
                ],
                "volumes": [{"name": "v", "persistentVolumeClaim": {"claimName": "data"}}],
            },
        },
    },
}
BASE: list[dict[str, Any]] = [
    DEPLOYMENT,
    {"apiVersion": "v1", "kind": "ServiceAccount", "metadata": {"name": "runner"}},
    {"apiVersion": "v1", "kind": "PersistentVolumeClaim", "metadata": {"name": "data"}, "spec": {}},
    {
        "apiVersion": "v1",
        "kind": "Service",
        "metadata": {"name": "web"},
        "spec": {"selector": {"app": "web"}, "ports": [{"port": 80, "name": "http"}]},
    },
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "Role",
        "metadata": {"name": "reader"},
        "rules": [{"apiGroups": [""], "resources": ["configmaps"], "verbs": ["get"], "resourceNames": ["settings"]}],
    },
    {
        "apiVersion": "rbac.authorization.k8s.io/v1",
        "kind": "RoleBinding",
        "metadata": {"name": "reader"},
        "roleRef": {"apiGroup": "rbac.authorization.k8s.io", "kind": "Role", "name": "reader"},
        "subjects": [{"kind": "ServiceAccount", "name": "runner"}, {"kind": "ServiceAccount", "name": "default"}],
    },
    {
        "apiVersion": "networking.k8s.io/v1",
        "kind": "NetworkPolicy",
        "metadata": {"name": "np"},
        "spec": {
            "podSelector": {"matchLabels": {"app": "web"}},
            "ingress": [{"from": [{"podSelector": {"matchLabels": {"app": "web"}}}]}],
        },
    },
]
WEB: dict[str, Any] = {"name": "WEB", "objref": {"kind": "Service", "apiVersion": "v1", "name": "web"}}
GENERATORS: dict[str, Any] = {
    "configMapGenerator": [{"name": "settings", "literals": ["fruit=apple", 'quoted="x"']}],
    "secretGenerator": [{"name": "token", "literals": ["password=hunter2"]}],
}


def build(folder: Path, overlay: dict[str, Any], files: dict[str, str] | None = None, **base: Any) -> Reading:
    """Return the reading of an overlay on the base above."""
    (folder / "base").mkdir()
    (folder / "over").mkdir()
    (folder / "base" / "all.yaml").write_text(yaml.safe_dump_all(BASE), encoding="utf-8")
    (folder / "base" / "kustomization.yaml").write_text(json.dumps({"resources": ["all.yaml"], **base}), "utf-8")
    (folder / "over" / "kustomization.yaml").write_text(json.dumps({"resources": ["../base"], **overlay}), "utf-8")
    for name, text in (files or {}).items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, encoding="utf-8")
    return read_objects([folder])


def one(reading: Reading, kind: str, start: str = "") -> Any:
    found = [item.data for item in reading.objects if item.kind == kind and item.name.startswith(start)]
    assert len(found) == 1, [str(item) for item in reading.objects]
    return found[0]


def test_an_overlay_is_audited_once_and_its_base_not_by_itself(tmp_path: Path) -> None:
    reading = build(tmp_path, {"namespace": "team"})
    assert reading.faults == ()
    assert len(reading.objects) == len(BASE)
    assert {item.namespace for item in reading.objects} == {"team"}


def test_names_and_what_refers_to_them_change_together(tmp_path: Path) -> None:
    reading = build(tmp_path, {"namePrefix": "p-", "nameSuffix": "-s", "namespace": "team"}, **GENERATORS)
    assert reading.faults == ()
    pod = one(reading, "Deployment")["spec"]["template"]["spec"]
    settings = one(reading, "ConfigMap")["metadata"]["name"]
    token = one(reading, "Secret")["metadata"]["name"]
    assert one(reading, "Deployment")["metadata"]["name"] == "p-web-s"
    assert pod["serviceAccountName"] == "p-runner-s"
    assert pod["volumes"][0]["persistentVolumeClaim"]["claimName"] == "p-data-s"
    assert pod["containers"][0]["envFrom"] == [
        {"configMapRef": {"name": settings}},
        {"secretRef": {"name": token}},
    ]
    assert settings.startswith("p-settings-s-")
    assert token.startswith("p-token-s-")
    assert one(reading, "Role")["rules"][0]["resourceNames"] == [settings]
    binding = one(reading, "RoleBinding")
    assert binding["roleRef"]["name"] == "p-reader-s"
    assert binding["subjects"] == [
        {"kind": "ServiceAccount", "name": "p-runner-s", "namespace": "team"},
        {"kind": "ServiceAccount", "name": "default", "namespace": "team"},
    ]


def test_generated_names_end_in_the_hash_kustomize_computes(tmp_path: Path) -> None:
    literals = ["fruit=Indian Gooseberry", "year=2020", "crisis=true"]
    reading = build(tmp_path, {"configMapGenerator": [{"name": "bob", "literals": literals}]})
    assert one(reading, "ConfigMap")["metadata"]["name"] == "bob-79t79mt227"


def test_values_of_generated_secrets_are_not_kept(tmp_path: Path) -> None:
    files = {"over/pw.env": "user=hunter3\n", "over/raw.txt": "hunter4"}
    generator = [{"name": "s", "envs": ["pw.env"], "files": ["raw.txt"], "literals": ["p=hunter2"]}]
    reading = build(tmp_path, {"secretGenerator": generator}, files)
    assert one(reading, "Secret")["data"] == {"p": "", "raw.txt": "", "user": ""}
    text = repr(reading)
    assert all(value not in text for value in ("hunter", "aHVudGVy"))


def test_common_labels_reach_selectors_and_templates_and_labels_do_not_unless_told(tmp_path: Path) -> None:
    overlay = {
        "commonLabels": {"team": "a"},
        "labels": [{"pairs": {"tier": "gold"}}, {"pairs": {"t": "1"}, "includeTemplates": True}],
        "commonAnnotations": {"note": "n"},
    }
    reading = build(tmp_path, overlay)
    web = one(reading, "Deployment")
    assert web["spec"]["selector"]["matchLabels"] == {"app": "web", "team": "a"}
    assert web["spec"]["template"]["metadata"]["labels"] == {"app": "web", "t": "1", "team": "a"}
    assert web["spec"]["template"]["metadata"]["annotations"] == {"note": "n"}
    assert web["metadata"]["labels"] == {"tier": "gold", "t": "1", "team": "a"}
    assert one(reading, "Service")["spec"]["selector"] == {"app": "web", "team": "a"}
    policy = one(reading, "NetworkPolicy")["spec"]
    assert policy["podSelector"]["matchLabels"] == {"app": "web", "team": "a"}
    assert policy["ingress"][0]["from"][0]["podSelector"]["matchLabels"] == {"app": "web", "team": "a"}


def test_patches_of_every_form_are_applied(tmp_path: Path) -> None:
    overlay = {
        "patches": [
            {"path": "sm.yaml"},
            {
                "target": {"kind": "Deploy.*", "labelSelector": "!absent"},
                "patch": '[{"op":"replace","path":"/spec/template/spec/containers/0/image","value":"x:2"}]',
            },
            {"target": {"kind": "Service"}, "patch": "kind: x\nmetadata: {name: any, labels: {patched: 'yes'}}\n"},
        ],
        "patchesStrategicMerge": [
            "apiVersion: v1\nkind: PersistentVolumeClaim\nmetadata: {name: data}\n$patch: delete\n"
        ],
        "patchesJson6902": [{"target": {"kind": "Role"}, "patch": "- {op: remove, path: /rules/0/resourceNames}\n"}],
        "replicas": [{"name": "web", "count": 3}],
        "images": [{"name": "x", "newName": "registry.example/x", "newTag": "9"}],
    }
    patch = {
        "apiVersion": "apps/v1",
        "kind": "Deployment",
        "metadata": {"name": "web"},
        "spec": {
            "template": {
                "spec": {
                    "serviceAccountName": None,
                    "containers": [
                        {"name": "c", "env": [{"name": "B", "$patch": "delete"}, {"name": "C", "value": "3"}]}
                    ],
                }
            }
        },
    }
    reading = build(tmp_path, overlay, {"over/sm.yaml": yaml.safe_dump(patch)})
    assert reading.faults == ()
    web = one(reading, "Deployment")["spec"]
    assert web["replicas"] == 3
    assert "serviceAccountName" not in web["template"]["spec"]
    container = web["template"]["spec"]["containers"][0]
    assert container["image"] == "registry.example/x:9"
    assert container["env"] == [{"name": "C", "value": "3"}, {"name": "A", "value": "1"}]
    assert one(reading, "Service")["metadata"] == {"name": "web", "labels": {"patched": "yes"}}
    assert "resourceNames" not in one(reading, "Role")["rules"][0]
    assert not [item for item in reading.objects if item.kind == "PersistentVolumeClaim"]


def test_components_change_what_uses_them_and_replacements_copy_values(tmp_path: Path) -> None:
    component = {
        "apiVersion": "kustomize.config.k8s.io/v1alpha1",
        "kind": "Component",
        "namePrefix": "c-",
        "patches": [{"patch": "apiVersion: v1\nkind: Service\nmetadata: {name: web}\nspec: {type: NodePort}\n"}],
    }
    replacement = {
        "source": {"kind": "Service", "fieldPath": "spec.ports.[name=http].port"},
        "targets": [
            {
                "select": {"kind": "Deployment"},
                "fieldPaths": ["spec.template.spec.containers.[name=c].env.[name=A].value"],
            },
            {"select": {"kind": "Role"}, "fieldPaths": ["metadata.annotations.port"], "options": {"create": True}},
        ],
    }
    overlay = {"components": ["../part"], "replacements": [replacement]}
    reading = build(tmp_path, overlay, {"part/kustomization.yaml": json.dumps(component)})
    assert reading.faults == ()
    assert one(reading, "Service")["spec"]["type"] == "NodePort"
    web = one(reading, "Deployment", "c-")["spec"]["template"]["spec"]
    assert web["containers"][0]["env"][0]["value"] == 80
    assert web["serviceAccountName"] == "c-runner"
    assert one(reading, "Role")["metadata"]["annotations"] == {"port": 80}


def test_variables_put_the_final_names_where_kustomize_and_configurations_look_for_them(tmp_path: Path) -> None:
    patch = {"env": [{"name": "A", "value": "http://$(WEB):$(PORT)/$(NOSUCH)/$$(WEB)"}], "name": "c"}
    template: dict[str, Any] = {"spec": {"template": {"spec": {"containers": [patch]}}}}
    deployment = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, **template}
    policy = {
        "apiVersion": "x.example/v1",
        "kind": "Route",
        "metadata": {"name": "r"},
        "to": {"host": "$(WEB)", "port": "$(PORT)"},
    }
    port = {**WEB, "name": "PORT", "fieldref": {"fieldpath": "spec.ports[0].port"}}
    overlay = {
        "namePrefix": "p-",
        "resources": ["../base", "route.yaml"],
        "patches": [{"patch": json.dumps(deployment)}],
        "configurations": ["places.yaml"],
    }
    files = {
        "over/route.yaml": json.dumps(policy),
        "over/places.yaml": "varReference: [{path: to/host, kind: Route}, {path: to/port, kind: Route}]",
    }
    reading = build(tmp_path, overlay, files, vars=[WEB, port])
    assert reading.faults == ()
    container = one(reading, "Deployment")["spec"]["template"]["spec"]["containers"][0]
    assert container["env"][0]["value"] == "http://p-web:80/$(NOSUCH)/$(WEB)"
    assert one(reading, "Route")["to"] == {"host": "p-web", "port": 80}


def test_configurations_add_places_for_names_namespaces_labels_and_images(tmp_path: Path) -> None:
    thing = {
        "apiVersion": "x.example/v1", "kind": "Thing", "metadata": {"name": "t"},
        "of": {"account": "runner", "space": "", "labels": {}, "image": "nginx:1"},
    }  # fmt: skip
    places = {
        "nameReference": [{"kind": "ServiceAccount", "fieldSpecs": [{"path": "of/account", "kind": "Thing"}]}],
        "namespace": [{"path": "of/space", "kind": "Thing", "create": True}],
        "commonLabels": [{"path": "of/labels", "kind": "Thing", "create": True}],
        "images": [{"path": "of/image", "kind": "Thing"}],
    }
    overlay = {
        "resources": ["../base", "thing.yaml"], "configurations": ["places.yaml"], "namespace": "team",
        "nameSuffix": "-x", "commonLabels": {"a": "b"}, "images": [{"name": "nginx", "newTag": "2"}],
    }  # fmt: skip
    reading = build(tmp_path, overlay, {"over/thing.yaml": json.dumps(thing), "over/places.yaml": json.dumps(places)})
    assert reading.faults == ()
    expected = {"account": "runner-x", "space": "team", "labels": {"a": "b"}, "image": "nginx:2"}
    assert one(reading, "Thing")["of"] == expected


def test_what_a_remote_base_may_hold_is_not_called_missing(tmp_path: Path) -> None:
    patch = {"patch": "apiVersion: v1\nkind: Service\nmetadata: {name: nosuch}\n"}
    overlay = {
        "resources": ["../base", "https://github.com/a/b//c?ref=v1"],
        "patches": [patch],
        "replicas": [{"name": "x", "count": 2}],
    }
    reading = build(tmp_path, overlay)
    assert [fault.what for fault in reading.faults if "not there" in fault.what] == []
    assert "not fetched" in " ".join(reading.unread)


GENERATES = "configMapGenerator: [{name: settings, behavior: merge, literals: [a=b]}]\n"


def test_a_generator_is_not_blamed_for_what_a_remote_or_missing_base_may_hold(tmp_path: Path) -> None:
    remote, missing, whole = tmp_path / "remote", tmp_path / "missing", tmp_path / "whole"
    for folder, base in ((remote, "resources: [github.com/org/repo/base?ref=v1]\n"), (missing, "resources: [../no]\n")):
        folder.mkdir()
        (folder / "kustomization.yaml").write_text(base + GENERATES + "replicas: [{name: web, count: 2}]\n")
    whole.mkdir()
    (whole / "kustomization.yaml").write_text(GENERATES)
    assert not read_objects([remote]).faults
    assert [fault.what for fault in read_objects([missing]).faults] == ["names '../no', which does not exist"]
    assert ["behavior merge" in fault.what for fault in read_objects([whole]).faults] == [True]


def test_an_unknown_behaviour_creates_and_a_key_in_brackets_holds_dots(tmp_path: Path) -> None:
    source = {"kind": "Service", "name": "web", "fieldPath": "spec.ports.0.port"}
    target = {
        "select": {"kind": "Role"},
        "fieldPaths": ["metadata.annotations.[a.example/port]"],
        "options": {"create": True},
    }
    overlay = {
        "configMapGenerator": [{"name": "m", "behavior": "add", "literals": ["a=1"]}],
        "replacements": [{"source": source, "targets": [target]}],
    }
    reading = build(tmp_path, overlay)
    assert reading.faults == ()
    assert one(reading, "ConfigMap")["data"] == {"a": "1"}
    assert one(reading, "Role")["metadata"]["annotations"] == {"a.example/port": 80}


def test_built_in_transformers_and_generators_written_out_are_run(tmp_path: Path) -> None:
    written: list[dict[str, Any]] = [
        {"kind": "PrefixTransformer", "prefix": "z-", "fieldSpecs": [{"kind": "Service", "path": "metadata/name"}]},
        {"kind": "LabelTransformer", "labels": {"a": "b"}, "fieldSpecs": [{"path": "metadata/labels", "create": True}]},
        {"kind": "PatchTransformer", "target": {"kind": "Role"}, "patch": "[{op: remove, path: /rules}]"},
        {"kind": "ImageTagTransformer", "imageTag": {"name": "nginx", "newTag": "9"}},
    ]
    head: dict[str, Any] = {"apiVersion": "builtin", "metadata": {"name": "x"}}
    transformers = [{**head, **data} for data in written]
    generator = {
        "apiVersion": "builtin",
        "kind": "ConfigMapGenerator",
        "metadata": {"name": "more"},
        "literals": ["a=1"],
    }
    overlay = {"transformers": ["all.yaml"], "generators": [f"{json.dumps(generator)}\n"], "nameprefix": "p-"}
    reading = build(tmp_path, overlay, {"over/all.yaml": yaml.safe_dump_all(transformers)})
    assert reading.faults == ()
    assert one(reading, "Service")["metadata"] == {"name": "z-p-web", "labels": {"a": "b"}}
    assert "rules" not in one(reading, "Role")
    web = one(reading, "Deployment")
    assert web["metadata"]["name"] == "p-web"
    assert web["spec"]["template"]["spec"]["containers"][0]["image"] == "nginx:9"
    assert one(reading, "ConfigMap")["data"] == {"a": "1"}


@pytest.mark.parametrize(
    ("overlay", "what"),
    [
        ({"patches": [{"patch": "apiVersion: v1\nkind: Service\nmetadata: {name: nosuch}\n"}]}, "which is not there"),
        ({"patches": [{"target": {"kind": "("}, "patch": "[]"}]}, "regular expression"),
        ({"patches": [{"patch": "[{op: add, path: /a, value: 1}]"}]}, "needs a target"),
        ({"patches": [{"target": {"kind": "Service"}, "patch": "[{op: remove, path: /a}]"}]}, "does not exist"),
        ({"replicas": [{"name": "nosuch", "count": 1}]}, "nosuch"),
        ({"replacements": [{"source": {"kind": "X"}, "targets": [{"select": {"kind": "Y"}}]}]}, "selects 0 objects"),
        ({"configMapGenerator": [{"name": "x", "files": ["../../secret"]}]}, "outside"),
        ({"configMapGenerator": [{"name": "x", "behavior": "merge"}]}, "behavior merge"),
        ({"components": ["nosuch"]}, "no folder"),
        ({"components": ["../base"]}, "which is none: Kustomize refuses that"),
        ({"validators": ["../base"]}, "validators, which is not applied"),
        ({"helmCharts": [{"name": "x"}]}, "not applied"),
        ({"vars": [{"name": "A", "objref": {"kind": "Service", "apiVersion": "v1", "name": "no"}}]}, "is not there"),
        ({"vars": [WEB, WEB]}, "declared twice"),
        ({"vars": [{**WEB, "fieldref": {"fieldpath": "spec.nosuch"}}]}, "spec.nosuch"),
        ({"transformers": ["{apiVersion: acme.example/v1, kind: Sealer, metadata: {name: s}}\n"]}, "Sealer"),
        ({"generators": ["{apiVersion: viaduct.ai/v1, kind: ksops, metadata: {name: s}}\n"]}, "is not run"),
    ],
)
def test_what_cannot_be_built_is_named_and_the_rest_is_audited(tmp_path: Path, overlay: Any, what: str) -> None:
    reading = build(tmp_path, overlay)
    assert len(reading.faults) == 1
    assert what in str(reading.faults[0])
    assert len(reading.objects) >= len(BASE)


def test_a_component_is_no_resource(tmp_path: Path) -> None:
    part = {"part/kustomization.yaml": "apiVersion: kustomize.config.k8s.io/v1alpha1\nkind: Component\n"}
    reading = build(tmp_path, {"resources": ["../base", "../part"]}, part)
    assert [fault.what for fault in reading.faults] == [
        "names '../part' among its resources, which is a component: Kustomize refuses that"
    ]
    assert len(reading.objects) == len(BASE)


def test_two_overlays_of_one_base_keep_their_own_objects_and_share_what_is_equal(tmp_path: Path) -> None:
    other = {"other/kustomization.yaml": json.dumps({"resources": ["../base"], "namespace": "b"})}
    reading = build(tmp_path, {"namespace": "a"}, other)
    assert sorted(item.namespace for item in reading.objects) == ["a"] * len(BASE) + ["b"] * len(BASE)
    assert reading.objects.duplicates == ()
    for name in ("over", "other"):
        (tmp_path / name / "kustomization.yaml").write_text('{"resources": ["../base"]}', encoding="utf-8")
    plain = read_objects([tmp_path]).objects
    assert len(plain) == len(BASE)
    assert plain.duplicates == ()
    assert {item.where.file for item in plain} == {str(tmp_path / "base" / "all.yaml")}


def test_lists_without_a_known_key_are_replaced_whole_and_added_elements_come_first() -> None:
    own = {
        "apiVersion": "x.dev/v1",
        "kind": "Deployment",
        "spec": {"template": {"spec": {"containers": [{"name": "a"}]}}},
    }
    patch = {"spec": {"template": {"spec": {"containers": [{"name": "b"}]}}}}
    for api, names in (("x.dev/v1", ["b"]), ("apps/v1", ["b", "a"])):
        made = merged({**own, "apiVersion": api}, patch)
        assert made is not None
        assert [c["name"] for c in made["spec"]["template"]["spec"]["containers"]] == names


@pytest.mark.parametrize(
    ("operation", "expected"),
    [
        ({"op": "add", "path": "/a/1", "value": 9}, {"a": [1, 9, 2], "b/c": {"d": 1}}),
        ({"op": "add", "path": "/a/-", "value": 9}, {"a": [1, 2, 9], "b/c": {"d": 1}}),
        ({"op": "remove", "path": "/a/0"}, {"a": [2], "b/c": {"d": 1}}),
        ({"op": "replace", "path": "/b~1c/d", "value": 2}, {"a": [1, 2], "b/c": {"d": 2}}),
        ({"op": "move", "from": "/b~1c/d", "path": "/e"}, {"a": [1, 2], "b/c": {}, "e": 1}),
        ({"op": "copy", "from": "/a/0", "path": "/b~1c/e"}, {"a": [1, 2], "b/c": {"d": 1, "e": 1}}),
        ({"op": "test", "path": "/a/0", "value": 1}, {"a": [1, 2], "b/c": {"d": 1}}),
    ],
)
def test_json_patch_operations_do_what_rfc_6902_says(operation: Any, expected: Any) -> None:
    assert patched({"a": [1, 2], "b/c": {"d": 1}}, [operation]) == expected


REFUSED = {
    "namespace: 123": "namespace is no text; put it in quotes",
    "namespace: no": "namespace is no text; put it in quotes",
    "namePrefix: 1": "namePrefix is no text",
    "nameSuffix: 1e3": "nameSuffix is no text",
    "labels: [{pairs: {a: 1}}]": "labels[0].pairs.a is no text",
    "commonLabels: {a: 1}": "commonLabels.a is no text",
    "commonAnnotations: {a: true}": "commonAnnotations.a is no text",
    "foo: bar": "foo is no field of it",
    "kind: Foo": "neither Kustomization nor Component",
    "apiVersion: x": "its apiVersion is not",
    "images: [{name: a, newTag: 1.10}]": "images[0].newTag is no text",
    "configMapGenerator: [{name: no, literals: [a=b]}]": "configMapGenerator[0].name is no text",
    "replicas: [{name: a, count: no}]": "replicas[0].count is no whole number",
    "components: part": "components is no list",
    "resources: [base.yaml, ../outside.yaml]": "is not in or below its folder",
    "patches: [{path: ../outside.yaml}]": "is not in or below its folder",
    "resources: [base.yaml, nameless.yaml]": "has no metadata.name",
    "resources: [base.yaml, list.yaml]": "metadata.name",
}
"""What `kubectl kustomize` 1.32 refuses (each was put before it), and what is said of it here."""


def refused_folder(folder: Path, line: str) -> Path:
    inner = folder / "inner"
    inner.mkdir()
    thing = "apiVersion: v1\nkind: ConfigMap\nmetadata: {{{}}}\n"
    (inner / "base.yaml").write_text(thing.format("name: a"))
    (folder / "outside.yaml").write_text(thing.format("name: b"))
    (inner / "nameless.yaml").write_text(thing.format("labels: {}"))
    (inner / "list.yaml").write_text(thing.format("name: [x]"))
    text = line if line.startswith("resources") else f"resources: [base.yaml]\n{line}"
    (inner / "kustomization.yaml").write_text(f"{text}\n")
    return inner


@pytest.mark.parametrize(("line", "told"), REFUSED.items())
def test_what_kubectl_kustomize_refuses_is_refused_here(tmp_path: Path, line: str, told: str) -> None:
    faults = read_objects([refused_folder(tmp_path, line)]).faults
    assert any(told in str(fault) for fault in faults), faults


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="needs kubectl; no server is asked")
@pytest.mark.parametrize("line", REFUSED)
def test_kubectl_kustomize_refuses_it_indeed(tmp_path: Path, line: str) -> None:
    folder = refused_folder(tmp_path, line)
    done = subprocess.run(["kubectl", "kustomize", str(folder)], capture_output=True, check=False)
    assert done.returncode != 0, done.stdout
