"""The scenario by mouse: examples, questions with why, lists, requirements, needs, options by name; the text stays."""

from __future__ import annotations

import re
from pathlib import Path
from typing import TYPE_CHECKING

from tests.browser.conftest import STARTING, Watched, opened
from tests.browser.test_voila import tab

if TYPE_CHECKING:
    from playwright.sync_api import Locator, Page

AREA = ".tk-scenario textarea"


def at_scenario(watched: Watched, address: str) -> Page:
    page = opened(watched, address)
    tab(page, "Scenario")
    page.get_by_role("button", name="Remove Research teams", exact=True).wait_for()
    return page


def text(page: Page) -> str:
    return page.locator(AREA).input_value()


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def unfold(page: Page, name: str) -> None:
    page.get_by_text(name, exact=True).click()


def until(page: Page, wanted: str, *, there: bool = True) -> None:
    """Wait until the scenario's text holds these words, or does not."""
    page.wait_for_function(
        "([area, wanted, there]) => document.querySelector(area).value.includes(wanted) === there",
        arg=[AREA, wanted, there],
    )


def remove(page: Page, *names: str) -> None:
    """Remove items of lists, and wait until each is gone."""
    for name in names:
        found = page.get_by_role("button", name=f"Remove {name}", exact=True)
        found.click()
        found.wait_for(state="hidden")


def choose(page: Page, label: str, wanted: str) -> None:
    page.get_by_label(label, exact=True).select_option(label=wanted)


def changed(before: str, after: str) -> list[tuple[str, str]]:
    """Return the lines that differ between texts of as many lines."""
    old, new = before.splitlines(), after.splitlines()
    assert len(old) == len(new), after
    return [(one, other) for one, other in zip(old, new, strict=True) if one != other]


def option(page: Page, label: str, part: str) -> str:
    """Return the choice of a field whose words hold these."""
    found: Locator = page.get_by_label(label, exact=True).locator("option", has_text=part).first
    found.wait_for(state="attached")
    return found.inner_text()


def test_classes_workloads_and_machines_are_added_copied_and_removed_and_the_text_is_as_it_was(
    watched: Watched, voila: tuple[str, Path]
) -> None:
    page = at_scenario(watched, voila[0])
    before = text(page)

    press(page, "Add a class of customers")
    page.get_by_role("button", name="Remove New class-2", exact=True).wait_for()
    press(page, "Copy Research teams")
    page.get_by_role("button", name="Remove Research teams (copy)", exact=True).wait_for()
    until(page, "id: research-2")
    assert text(page).count("growth_per_year: 0.25          # assumption") == 2, "a copy keeps the author's comments"

    remove(page, "New class-2", "Research teams (copy)")

    press(page, "Add a workload")
    page.get_by_role("button", name="Copy workload-2", exact=True).wait_for()
    press(page, "Copy notebook")
    page.get_by_role("button", name="Remove notebook-2", exact=True).wait_for()
    assert text(page).count("memory: 15Gi                     # median of openb's GPU-sharing pods") == 2
    page.get_by_title("workload-2, untrusted code").select_option(label="yes")
    until(page, "untrusted_code: true")
    remove(page, "workload-2", "notebook-2")

    press(page, "Add a machine type")
    added = page.get_by_title(re.compile("^aws_dl1_24xlarge, what it is"))
    added.wait_for()
    machine = next(t for t in added.locator("option").all_inner_texts() if "p5.48xlarge" in t)
    assert "8 x H100" in machine.replace("\xa0", " "), "machines are chosen by what they are"
    added.select_option(label=machine)
    page.get_by_role("button", name="Copy aws_p5_48xlarge", exact=True).wait_for()
    press(page, "Copy aws_p5_48xlarge")
    page.get_by_text("copied, as aws_dl1_24xlarge; choose which machine it is").wait_for()
    page.get_by_role("button", name="Remove aws_dl1_24xlarge", exact=True).wait_for()
    page.get_by_text("No faults.").wait_for()
    watched.shot("voila-lists")
    remove(page, "aws_p5_48xlarge", "aws_dl1_24xlarge")
    page.wait_for_function("([area, wanted]) => document.querySelector(area).value === wanted", arg=[AREA, before])


def test_what_is_changed_by_mouse_changes_its_own_line_and_no_comment_or_unit(
    watched: Watched, voila: tuple[str, Path]
) -> None:
    page = at_scenario(watched, voila[0])
    before = text(page)
    memory = page.get_by_title(re.compile("^notebook, memory"))
    assert memory.input_value() == "15Gi"
    memory.fill("16Gi")
    memory.press("Enter")
    cpu = page.get_by_title(re.compile("^notebook, CPU"))
    cpu.fill("5")
    cpu.press("Enter")
    page.get_by_title("Research teams, isolation: at least").select_option(label="L3")
    until(page, "isolation: L3")
    until(page, "memory: 16Gi")
    until(page, 'cpu: "5"')
    assert changed(before, text(page)) == [
        ("        isolation: L2", "        isolation: L3"),
        (
            """    cpu: "4"                         # median of openb's GPU-sharing pods""",
            """    cpu: "5"                         # median of openb's GPU-sharing pods""",
        ),
        (
            "    memory: 15Gi                     # median of openb's GPU-sharing pods",
            "    memory: 16Gi                     # median of openb's GPU-sharing pods",
        ),
    ]

    unfold(page, "Requirements of a class, and what it runs")
    choose(page, "Control plane", "L2")
    until(page, "control_plane: L2")
    page.get_by_label("tracking", exact=True).click()
    until(page, "        - {template: notebook, replicas: 2}\n      requirements:")
    choose(page, "Own CRDs", "yes")
    beside = page.locator(".fault", has_text="tenants bring their own CRDs but api_access is 'namespace'")
    beside.nth(2).wait_for()
    watched.shot("voila-requirements")
    sizes = [found["width"] for found in (beside.nth(n).bounding_box() for n in range(beside.count())) if found]
    assert max(sizes) > 600, "a fault stands under its line, as wide as the table"
    choose(page, "API access", "cluster")
    page.get_by_text("No faults.").wait_for()
    choose(page, "Own CRDs", "no")
    choose(page, "API access", "namespace")
    until(page, "api_access: namespace")

    unfold(page, "Needs of that class")
    need = page.get_by_label("backup and restore per tenant", exact=True)
    need.wait_for()
    page.get_by_text("not asked, because nobody stated it").first.wait_for()
    need.select_option(label="asked")
    until(page, "backup")
    watched.shot("voila-needs")
    need.select_option(label="as it follows")
    until(page, "      needs:", there=False)
    budget = page.get_by_label("Budget a month", exact=True)
    budget.fill("a lot")
    budget.press("Enter")
    page.locator(".fault", has_text="budget_per_month").nth(1).wait_for()
    press(page, "Undo")
    page.get_by_text("No faults.").wait_for()
    kept = {line.partition("#")[2] for line in before.splitlines() if "#" in line}
    assert kept <= {line.partition("#")[2] for line in text(page).splitlines()}


def test_an_example_is_opened_and_a_new_scenario_is_asked_for_with_why(
    watched: Watched, voila: tuple[str, Path]
) -> None:
    page = at_scenario(watched, voila[0])
    unfold(page, "Open an example")
    choose(page, "Example", "saas-inference")
    press(page, "Open example")
    page.get_by_text("opened the example saas-inference").wait_for()
    until(page, "name: saas-inference")
    tab(page, "Ranking")
    page.locator(".tk-grid button", has_text=re.compile("^RA10 ")).first.wait_for(timeout=STARTING)
    press(page, "Undo")
    page.get_by_role("heading", name="Internal ML platform for sixteen research teams").wait_for()

    tab(page, "Scenario")
    unfold(page, "New scenario, by questions")
    teams = page.get_by_label(re.compile("^How many teams of your own .* Why: "))
    teams.wait_for()
    asked = page.locator(".tks p:visible", has=page.locator("small", has_text="Why: "))
    first = asked.count()
    for question in asked.all():
        what, why = question.inner_text().split("Why: ")
        assert "?" in what, what
        assert len(why) > 20, question.inner_text()
    watched.shot("voila-why")
    page.get_by_label(re.compile("^How many customers.* Why: ")).select_option(label="40")
    page.get_by_text("What is run for each of them?").wait_for()
    assert asked.count() > first, "what is answered decides what is asked"
    teams.select_option(label="another number")
    own = page.get_by_label("How many teams of your own organisation share it?", exact=True)
    own.fill("eight")
    own.press("Enter")
    fault = page.locator(".fault", has_text="eight")
    fault.wait_for()
    press(page, "Create scenario")
    page.get_by_text("Not created: correct the answers that are marked.").wait_for()
    assert "name: ml-platform" in text(page)
    own.fill("8")
    own.press("Enter")
    fault.wait_for(state="hidden")
    press(page, "Create scenario")
    page.locator("h3", has_text="Our platform").first.wait_for()
    page.get_by_text("created; the sizes it assumes are marked").wait_for(timeout=STARTING)


def test_an_option_is_picked_by_name_and_what_it_changes_is_said_before_it_is_wished_for(
    watched: Watched, voila: tuple[str, Path]
) -> None:
    page = opened(watched, voila[0])
    tab(page, "Options")
    choose(page, "About", option(page, "About", "runtime"))
    name = option(page, "Option", "gVisor")
    choose(page, "Option", name)
    page.get_by_text(re.compile(r"^In RA\d\d it would take the place of|^RA\d\d has nothing in its place")).wait_for()
    press(page, "What it changes")
    table = page.locator("table", has_text="with it")
    table.wait_for(timeout=STARTING)
    rows = [row.split("\t") for row in table.locator("tr").all_inner_texts()[1:]]
    assert [row[-1] for row in rows].count("no change") < 4
    assert {row[-1] for row in rows} <= {"better", "worse", "no change"}
    assert len(rows) == 4
    watched.shot("voila-option")
    press(page, "Compare with the others")
    page.get_by_text(re.compile("with .*gVisor.*: compared with the others from now on")).wait_for()
    added = page.locator(".tk-grid button", has_text=re.compile(r"^RA\d\d\+rt_gvisor"))
    added.first.wait_for(timeout=STARTING)

    tab(page, "Options")
    press(page, "It must not have it")
    page.get_by_text(re.compile("Research teams: must not have .*gVisor")).wait_for()
    tab(page, "Scenario")
    until(page, "forbid_options: [rt_gvisor]")
    unfold(page, "Requirements of a class, and what it runs")
    wish = page.get_by_role("button", name=re.compile("^Remove.*gVisor"))
    watched.shot("voila-wish")
    wish.click()
    page.get_by_text("wish removed").wait_for()
    until(page, "forbid_options", there=False)
