"""Scenarios and designs the isolation tests speak of."""

from __future__ import annotations

from collections.abc import Iterable
from functools import cache

from kubeanswers.source import parse_yaml
from tenancykit.catalogue.barriers import load_isolation
from tenancykit.catalogue.reading import load_catalogue
from tenancykit.criteria.isolation.beliefs import Beliefs
from tenancykit.criteria.isolation.exposure import IsolationResult
from tenancykit.criteria.isolation.measure import measure
from tenancykit.criteria.score import Score
from tenancykit.design.model import Design, ResolvedDesign, choose
from tenancykit.design.validity import resolve
from tenancykit.scenario.model import Scenario
from tenancykit.validation import validate

CATALOGUE = load_catalogue()

COMMON = ("rt_runc", "net_np_default_deny", "st_sc_quota", "gpu_exclusive", "sch_quota", "pol_psa", "id_oidc_rbac")
"""A hardened platform but for what the tests vary."""

SHARED = ("cp_namespace_rbac", "node_shared", *COMMON)


@cache
def scenario(
    kind: str = "team",
    *,
    count: int = 10,
    virtualised: bool = True,
    provider: str = "own",
    access: str = "",
    gpu: str = "0.5",
) -> Scenario:
    """Return tenants of one class that run GPU workloads with volumes and are called by others."""
    api = f", api_access: {access}" if access else ""
    text = f"""
schema: tenancykit/scenario/v1
name: test
tenants:
  classes: [{{id: all, kind: {kind}, count: {count}, workloads: [{{template: w}}]{api}}}]
workloads:
  - {{id: w, kind: training, replicas: 2, gpu: {{fraction: {gpu}}}, storage: {{size: 10Gi}}, exposure: {{}}}}
infrastructure:
  sites: [{{id: one, provider: {provider}}}]
  nodes: [{{type: any}}]
  virtualised: {str(virtualised).lower()}
"""
    return validate(Scenario, parse_yaml(text, "test"))


def with_options(*options: str, base: Iterable[str] = SHARED) -> tuple[str, ...]:
    """Return a base design with some options in place of those of the same layer."""
    known = CATALOGUE.options
    layers = {(known[o].dimension, known[o].layer) for o in options}
    return (*(o for o in base if (known[o].dimension, known[o].layer) not in layers), *options)


def without(*options: str, base: Iterable[str] = SHARED) -> tuple[str, ...]:
    """Return a base design without some options."""
    return tuple(option for option in base if option not in options)


def resolved(options: Iterable[str], asked: Scenario) -> ResolvedDesign:
    """Return a design that gives every class the same options."""
    choice = choose(CATALOGUE, options)
    return resolve(Design("test", "test", {c.id: choice for c in asked.tenants.classes}), asked, CATALOGUE)


def score(options: Iterable[str], asked: Scenario | None = None, *, proven: bool = False, **days: float) -> Score:
    """Return the isolation of a design, with exposure windows by kind (``every`` for all) where they are given."""
    asked = asked or scenario()
    every = dict.fromkeys(load_isolation(CATALOGUE).windows, days["every"]) if "every" in days else {}
    stated = {**every, **{kind.replace("_", "-"): value for kind, value in days.items() if kind != "every"}}
    believed = Beliefs(tuple(sorted((f"window:{kind}", value) for kind, value in stated.items())))
    return measure(resolved(options, asked), asked, CATALOGUE, believed=believed, proven=proven)


def result(options: Iterable[str], asked: Scenario | None = None) -> IsolationResult:
    """Return what the score rests on."""
    found = score(options, asked).detail
    assert isinstance(found, IsolationResult)
    return found
