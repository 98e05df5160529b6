"""Hostile text in every text field of a scenario, as the schema lists them, in everything that is made of it."""

from __future__ import annotations

import inspect
import json
import re
from collections.abc import Callable, Iterator, Mapping
from html.parser import HTMLParser
from itertools import pairwise
from pathlib import Path
from typing import Any, Final
from xml.etree import ElementTree as ET

import pytest

import tenancykit as tk
from kubeanswers.source import dump_yaml, parse_yaml
from tenancykit.auditing import to_junit, to_sarif
from tenancykit.criterion_names import FOUR
from tenancykit.drawing import html_of, text_of
from tenancykit.report import sharing
from tenancykit.report.collecting import collected_data, collected_text
from tenancykit.schemas import schemas
from tenancykit.studio import Studio
from tests.studio.conftest import SMALL

HOSTILE: Final = """=1 "><img src=x onerror=alert(1)></script><script>alert(1)</script>[x](javascript:alert(1))]]>'|`"""
Path_ = tuple[str | int, ...]


def text_fields(schema: Mapping[str, Any]) -> Iterator[Path_]:
    """Yield where a scenario holds text nothing binds; 0 stands for items of a list, "" for names of one's own."""

    def walk(part: Mapping[str, Any], path: Path_, seen: frozenset[str]) -> Iterator[Path_]:
        if "$ref" in part:
            name = part["$ref"].rpartition("/")[2]
            if name not in seen:
                yield from walk(schema["$defs"][name], path, seen | {name})
            return
        for other in (*part.get("anyOf", ()), *part.get("oneOf", ()), *part.get("allOf", ())):
            yield from walk(other, path, seen)
        if part.get("type") == "string" and not part.keys() & {"enum", "const", "pattern"}:
            yield path
        for name, inner in part.get("properties", {}).items():
            yield from walk(inner, (*path, name), seen)
        if isinstance(part.get("items"), dict):
            yield from walk(part["items"], (*path, 0), seen)
        if isinstance(part.get("additionalProperties"), dict) and not part.get("propertyNames"):
            yield (*path, "")

    yield from walk(schema, (), frozenset())


def put(data: Any, path: Path_) -> None:
    """Put hostile text where a path leads; what is missing on the way is made."""
    for place, following in pairwise(path):
        empty: Any = [] if following == 0 else {}
        if isinstance(data, list):
            data.extend([] if data else [empty])
            data = data[0]
        else:
            data = data.setdefault(place, empty)
    if isinstance(data, list):
        data[:1] = [HOSTILE]
    elif path[-1] == "":
        data[HOSTILE] = data.pop(next(iter(data))) if data else 1
    else:
        data[path[-1]] = HOSTILE


@pytest.fixture(scope="module")
def scenario() -> tuple[tk.Scenario, list[Path_]]:
    """Return a scenario with hostile text in all fields that take it, and those fields."""
    named = "  named: [{name: a, class: team}]\n"
    text = SMALL.replace("workloads:\n  - id", f"{named}workloads:\n  - id")
    taken = []
    for path in dict.fromkeys(text_fields(json.loads(json.dumps(schemas()["scenario.schema.json"])))):
        data = parse_yaml(text, "x").data
        put(data, path)
        try:
            tk.parse_scenario(dump_yaml(data))
        except tk.InputError:
            continue  # in words, and the field is bound
        taken.append(path)
        text = dump_yaml(data)
    return tk.parse_scenario(text), taken


def test_the_schema_names_the_text_fields_and_free_text_is_taken(scenario: tuple[tk.Scenario, list[Path_]]) -> None:
    taken = {".".join(map(str, path)) for path in scenario[1]}
    free = {"title", "description", "credit", "tenants.classes.0.name", "tenants.named.0.name", "stakeholders."}
    assert free <= taken


@pytest.fixture(scope="module")
def study(scenario: tuple[tk.Scenario, list[Path_]]) -> tk.Study:
    return tk.compare(scenario[0])


class Markup(HTMLParser):
    """Collects what hostile text became that is more than text."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.script = False
        self.feed(page)
        self.close()

    def handle_starttag(self, tag: str, attributes: list[tuple[str, str | None]]) -> None:
        given = dict(attributes)
        self.script = tag == "script" and given.get("type") != "application/json"
        if tag == "img" and not str(given.get("src", "")).startswith("data:"):
            self.found.append(f"<img src={given.get('src')}>")
        self.found += [f"{tag} {name}" for name in given if name.startswith("on") and "alert" in str(given[name])]
        self.found += [f"{tag} {value}" for value in given.values() if str(value).strip().startswith("javascript:")]

    def handle_data(self, data: str) -> None:
        if self.script and data.strip().startswith("alert(1)"):
            self.found.append("a script")

    def handle_endtag(self, _: str) -> None:
        self.script = False


def charts(study: tk.Study) -> Iterator[str]:
    """Yield every picture that can be drawn of a study, as SVG."""
    best, other = study.best, study.evaluations[0]
    given: dict[tuple[str, str], Any] = {
        ("study", "Study"): study,
        ("evaluation", "Evaluation"): best,
        ("evaluations", "Sequence[Evaluation]"): [best],
        ("design_id", "str"): best.id,
        ("first", "str"): best.id,
        ("second", "str"): other.id,
        ("first", "Evaluation"): best,
        ("second", "Evaluation"): other,
    }
    for name in tk.charts.__all__:
        draw = getattr(tk.charts, name)
        asked = [one for one in inspect.signature(draw).parameters.values() if one.default is one.empty]
        if inspect.isfunction(draw) and {(one.name, one.annotation) for one in asked} <= given.keys():
            yield draw(**{one.name: given[one.name, one.annotation] for one in asked}).svg


def shown_in(studio: Studio) -> str:
    """Return all HTML of a studio, tab after tab."""
    for index in range(len(studio._panels)):
        studio._tabs.selected_index = index
    waiting, parts = [studio.widget], [studio.still()["text/html"]]
    while waiting:
        one = waiting.pop()
        waiting += getattr(one, "children", ())
        if type(one).__name__ == "HTML":
            parts.append(str(one.value))
    return "\n".join(parts)


PAPER: Final = tk.paper(author=HOSTILE, sign_off=[HOSTILE], owners={"security": HOSTILE, "budget": HOSTILE})
PAGES: Final[dict[str, Callable[[tk.Study], str]]] = {
    "record and board's page": lambda study: tk.record(study, paper=PAPER).html,
    "page to share": sharing.shared_page,
    "notebook: study": html_of,
    "notebook: design": lambda study: html_of(study.best),
    "notebook: explanation": lambda study: "".join(html_of(study.best.explain(one)) for one in FOUR),
    "notebook: robustness": lambda study: html_of(tk.robustness(study)),
    "studio": lambda study: shown_in(Studio(study.scenario)),
}


@pytest.mark.parametrize("page", PAGES)
def test_no_text_field_is_markup_in(page: str, study: tk.Study) -> None:
    made = PAGES[page](study)
    assert Markup(made).found == []
    assert "alert(1)" in made or page.startswith("notebook"), "the text is not shown, so this says nothing"


def test_the_check_sees_what_it_looks_for() -> None:
    assert len(Markup(f'<a title="{HOSTILE}" href="javascript:alert(1)"></a><p>{HOSTILE}').found) >= 4


def test_every_picture_is_xml_without_markup_of_somebody_else(study: tk.Study) -> None:
    drawn = list(charts(study))
    assert len(drawn) > 10
    for picture in drawn:
        assert Markup(picture).found == []
        assert not {e.tag for e in ET.fromstring(picture).iter()} & {"img", "script"}  # noqa: S314 - our own output


def test_markdown_terminal_and_collected_weights_hold_no_markup(study: tk.Study, tmp_path: Path) -> None:
    weights = {"isolation": 1, "effort": 1, "operations": 1, "cost": 1}
    data = {"schema": "tenancykit/weights/v1", "question": sharing.question_of(study), "weights": weights}
    files = []
    for number, who in enumerate((HOSTILE[:70], "Bo")):
        files.append(tmp_path / f"{number}.json")
        files[-1].write_text(json.dumps({**data, "who": who}))
    found = tk.collect(study, files)
    assert json.loads(json.dumps(collected_data(found)))
    assert "\x1b" not in collected_text(found) + text_of(study)
    bare = re.sub(r"\\[\\\[\]|*_~!`]|&[#a-z0-9]+;", "", tk.record(study, paper=PAPER).markdown)
    assert "<img" not in bare
    assert "](javascript:" not in bare


def test_the_export_is_audited_into_xml_and_json_that_read_back(study: tk.Study, tmp_path: Path) -> None:
    tk.export(study, tmp_path / "out")
    found = tk.audit(tmp_path / "out")
    assert found.faults == ()
    assert ET.fromstring(to_junit(found)).tag  # noqa: S314 - our own output
    assert json.loads(json.dumps(to_sarif(found)))
    for page in (tmp_path / "out").rglob("*.html"):
        assert Markup(page.read_text(encoding="utf-8")).found == []
