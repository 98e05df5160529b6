"""A decision record says what was asked, what is chosen, why and how sure, and works out again from its own page."""

from __future__ import annotations

import re

import pytest

import tenancykit as tk
from kubeanswers.source import dump_yaml, read_yaml
from tenancykit.examples import example
from tenancykit.report.record_page import DIMENSIONS
from tests.studies import study


def words(page: str) -> str:
    return " ".join(re.sub(r"<[^>]+>", " ", re.sub(r"<(style|script).*?</\1>", "", page, flags=re.DOTALL)).split())


def test_the_page_says_what_was_asked_chosen_and_refused_in_words() -> None:
    found = study("regulated-hybrid")
    text = words(tk.record(found).html)
    assert f"Decision: {found.best.name} ({found.best.id})" in text
    assert "Hospitals customer 5 +40% isolation L3; data stays in eu; gdpr-health, iso27001" in text
    assert "The platform is to be: live within 52 weeks, run by at most 8 people." in text
    assert f"security 0.70 0.05 0.15 0.10 {found.stakeholders['security'].best.id}" in text
    for option in found.best.resolved.classes[0].choice.options:
        assert found.catalogue.options[option].name in text
    for evaluation in found.evaluations:
        assert evaluation.name in text
        for reason in found.exclusions(evaluation.id) if found.rank(evaluation.id) is None else ():
            assert " ".join(reason.split()) in text.replace("&#x27;", "'").replace("&quot;", '"')


def test_a_design_chosen_by_hand_is_called_that() -> None:
    found = study("saas-inference")
    text = words(tk.record(found, "RA15").html)
    assert f"RA15 {found['RA15'].name}: not admitted, chosen by hand" in text
    assert "was chosen by hand (not admitted: KubeVirt virtual machines: GPUs are handed to guests by VFIO" in text


def test_every_dimension_of_a_design_has_a_title() -> None:
    assert set(DIMENSIONS) == {option.dimension for option in study("saas-inference").catalogue.options.values()}


@pytest.mark.parametrize("hostile", ["<script>alert(1)</script>", '"><img src=x>', "</style><b>", "| `code` |"])
def test_hostile_text_stays_text(hostile: str) -> None:
    data = read_yaml(example("regulated-hybrid")).data
    data["title"] = data["description"] = hostile
    data["tenants"]["classes"][0]["name"] = hostile
    data["stakeholders"] = {hostile: {"isolation": 1, "effort": 0, "operations": 0, "cost": 0}}
    page = tk.record(tk.compare(tk.parse_scenario(dump_yaml(data)))).html
    body = page[: page.index('<script type="application/json"')]
    assert "<script" not in body
    assert "<img" not in body
    assert body.count("</style>") == 1


@pytest.mark.parametrize(
    "hostile",
    ["![x](https://example.com/track.png)", "[click](javascript:alert(1))", "https://example.com", "www.example.com",
     "me@example.com", "<img src=x>", "a | b", "`code`", "**bold** _it_", "back\\slash [a](b)"],
)  # fmt: skip
def test_hostile_text_is_no_markup_in_the_markdown_either(hostile: str) -> None:
    data = read_yaml(example("saas-inference")).data
    data["title"] = data["description"] = f"see {hostile} here"
    title = tk.record(tk.compare(tk.parse_scenario(dump_yaml(data)))).markdown.split("\n", 1)[0]
    bare = re.sub(r"\\[\\\[\]|*_~!]|&[#a-z0-9]+;", "", title)
    assert not re.search(r"[\[\]`<>|*_]|://|www\.|@|!\[|[\x00-\x1f\u202e]", bare), title


def test_what_completes_the_decision_stands_in_it_and_scales_are_no_matter_of_the_candidates() -> None:
    found = study("saas-inference")
    for text in (words(tk.record(found).html), tk.record(found).markdown.replace("\\", "")):
        assert "Completed with CUDA MPS (shares of a GPU) for basic" in text
        assert "do not depend on the designs compared" in text
        assert "valid reference architecture" not in text
    assert tk.record(found).markdown.startswith("# Decision: basic and premium: namespaces"), "no id before the name"
