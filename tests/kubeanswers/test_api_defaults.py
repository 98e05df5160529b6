"""Admission policies see objects as the API server completes and prints them."""

from __future__ import annotations

import pytest

from kubeanswers.admission.api_defaults import as_admitted


def test_policies_see_the_object_with_its_defaults() -> None:
    seen = as_admitted(
        {
            "apiVersion": "apps/v1",
            "kind": "Deployment",
            "metadata": {"name": "d", "labels": {}},
            "spec": {"template": {"spec": {"containers": [{"name": "c", "image": "x:latest"}]}}},
        },
        "a",
    )
    assert seen["spec"]["replicas"] == 1
    assert seen["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] == "Always"
    assert "labels" not in seen["metadata"]


def test_policies_see_what_admission_adds_to_a_pod_and_its_parts() -> None:
    container = {
        "name": "c",
        "image": "x@sha256:0",
        "ports": [{"containerPort": 80}],
        "livenessProbe": {"httpGet": {"port": 80}},
        "env": [{"name": "a", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
    }
    tolerations = [{"operator": "Exists"}]
    spec = {"containers": [container], "hostNetwork": True, "volumes": [{"name": "v"}], "tolerations": tolerations}
    seen = as_admitted({"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": spec}, "a")
    made = seen["spec"]["containers"][0]
    assert made["imagePullPolicy"] == "IfNotPresent"
    assert made["ports"] == [{"protocol": "TCP", "containerPort": 80, "hostPort": 80}]
    assert made["livenessProbe"]["httpGet"] == {"path": "/", "scheme": "HTTP", "port": 80}
    assert made["livenessProbe"]["periodSeconds"] == 10
    assert made["env"][0]["valueFrom"]["fieldRef"]["apiVersion"] == "v1"
    assert seen["spec"]["volumes"][0] == {"name": "v", "emptyDir": {}}
    assert seen["spec"]["tolerations"] == tolerations
    assert seen["status"] == {"phase": "Pending"}


@pytest.mark.parametrize(
    ("written", "seen"),
    [
        (1, "1"),
        ("0.5", "500m"),
        ("1000m", "1"),
        ("1024Mi", "1Gi"),
        ("1.5Gi", "1536Mi"),
        ("512", "512"),
        ("2000", "2k"),
        ("1Ki", "1Ki"),
        ("0.5Ki", "512"),
        ("1e3", "1e3"),
        ("0", "0"),
        ("-1500m", "-1500m"),
        ("many", "many"),
    ],
)
def test_policies_see_amounts_as_the_api_server_prints_them(written: object, seen: str) -> None:
    container = {"name": "c", "image": "i", "resources": {"limits": {"memory": written}}}
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"containers": [container]}}
    resources = as_admitted(pod, "a")["spec"]["containers"][0]["resources"]
    assert resources == {"limits": {"memory": seen}, "requests": {"memory": seen}}


def test_a_new_namespace_is_active_and_has_its_finalizer() -> None:
    seen = as_admitted({"apiVersion": "v1", "kind": "Namespace", "metadata": {"name": "n"}})
    assert (seen["spec"]["finalizers"], seen["status"]["phase"]) == (["kubernetes"], "Active")


def test_half_a_rolling_update_is_completed() -> None:
    strategy = {"rollingUpdate": {"maxSurge": 1}}
    written = {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "d"}, "spec": {"strategy": strategy}}
    seen = as_admitted(written, "a")["spec"]["strategy"]
    assert seen == {"type": "RollingUpdate", "rollingUpdate": {"maxUnavailable": "25%", "maxSurge": 1}}


def test_policies_see_where_a_runtime_class_sends_its_pods() -> None:
    runtime = {
        "overhead": {"podFixed": {"cpu": "0.25"}},
        "scheduling": {"nodeSelector": {"pool": "vm"}, "tolerations": [{"key": "vm", "operator": "Exists"}]},
    }
    pod = {"apiVersion": "v1", "kind": "Pod", "metadata": {"name": "p"}, "spec": {"runtimeClassName": "vm"}}
    spec = as_admitted(pod, "a", {}, {"vm": runtime})["spec"]
    assert (spec["overhead"], spec["nodeSelector"]) == ({"cpu": "250m"}, {"pool": "vm"})
    assert {"key": "vm", "operator": "Exists"} in spec["tolerations"]


def test_the_text_of_a_secret_is_seen_encoded_among_its_data() -> None:
    written = {"apiVersion": "v1", "kind": "Secret", "metadata": {"name": "s"}, "stringData": {"a": "b"}}
    seen = as_admitted(written, "n")
    assert (seen["type"], seen["data"], "stringData" in seen) == ("Opaque", {"a": "Yg=="}, False)


def test_a_job_is_seen_with_the_selector_it_is_given() -> None:
    written = {"apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j"}, "spec": {"template": {"spec": {}}}}
    spec = as_admitted(written, "n")["spec"]
    assert (spec["parallelism"], spec["completions"], spec["backoffLimit"]) == (1, 1, 6)
    assert spec["selector"]["matchLabels"].items() <= spec["template"]["metadata"]["labels"].items()


@pytest.mark.parametrize("kind", ["Thing", "Job", "Service"])
def test_a_custom_resource_is_seen_as_it_was_written(kind: str) -> None:
    spec = {"paused": False, "labels": {}, "items": [], "text": ""}
    written = {"apiVersion": "batch.example.com/v1", "kind": kind, "metadata": {"name": "t"}, "spec": spec}
    assert as_admitted(written, "n")["spec"] == spec
