"""The widget app without a browser: values are set as a person would, and what the widgets say is read back."""

from __future__ import annotations

import asyncio
import base64
import html
import io
import json
import re
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

import tenancykit as tk
from tenancykit.report.reasons import why_first
from tenancykit.scenario.model import Requirements
from tenancykit.studio import Session, Studio
from tenancykit.studio import app as app_module
from tenancykit.study.comparison import study_of
from tests.studio.conftest import SMALL, set_field

pytest.importorskip("ipywidgets")


@pytest.fixture
def studio(measured: tk.Study, tmp_path: Path) -> Studio:
    return Studio(measured, folder=str(tmp_path / "out"))


def find(studio: Studio, kind: str, description: str) -> Any:
    """Return the one widget of a kind with a description."""
    found = [w for w in walk(studio.widget) if type(w).__name__ == kind and w.description == description]
    assert len(found) == 1, f"{len(found)} {kind} {description!r}"
    return found[0]


def walk(widget: Any) -> list[Any]:
    below = [w for child in getattr(widget, "children", ()) for w in walk(child)]
    return [widget, *below]


def words(studio: Studio) -> str:
    """Return everything the page says."""
    return "\n".join(str(w.value) for w in walk(studio.widget) if type(w).__name__ == "HTML")


def export_button(studio: Studio) -> Any:
    """Return the button that exports the open design."""
    return next(w for w in walk(studio.widget) if re.match(r"Export \S+: ", str(getattr(w, "description", ""))))


def ranks(studio: Studio) -> list[str]:
    """Return the designs in the order of the grid."""
    grid = next(w for w in walk(studio.widget) if type(w).__name__ == "GridBox" and "tk-grid" in w._dom_classes)
    buttons = [w.description for w in grid.children if type(w).__name__ == "Button"]
    return [text.split()[0] for text in buttons if text.startswith(("RA", "HY"))]


def test_moving_a_slider_moves_the_ranking(studio: Studio) -> None:
    for name in ("Effort", "Complexity", "Isolation"):
        find(studio, "FloatSlider", name).value = 0
    find(studio, "FloatSlider", "Cost").value = 1
    assert ranks(studio) == [e.id for e in studio.study.order]
    assert studio.study.weights["cost"] == 1
    assert why_first(studio.study) in html.unescape(words(studio))


def test_the_page_says_whose_weights_these_are(studio: Studio) -> None:
    whose = find(studio, "Dropdown", "Weights of")
    assert whose.label == "the scenario"
    find(studio, "FloatSlider", "Cost").value = 1
    assert whose.label == "my own"
    find(studio, "Button", "Undo").click()
    assert whose.label == "the scenario"
    assert "my own" not in dict(whose.options)
    find(studio, "FloatSlider", "Cost").value = 1
    whose.value = dict(whose.options)["the scenario"]
    assert studio.study.weights.as_dict() == pytest.approx(
        {c: getattr(studio.session.scenario.weights, c) for c in studio.study.weights.as_dict()}
    )


def test_sliders_stand_on_whole_steps_since_a_browser_sends_back_what_it_rounds(studio: Studio) -> None:
    studio.do(lambda: studio.session.weigh(isolation=1, effort=1 / 3, operations=2 / 3, cost=0.123456))
    exact = studio.study.weights.as_dict()
    for name in ("Isolation", "Effort", "Complexity", "Cost"):
        slider = find(studio, "FloatSlider", name)
        assert slider.value == round(slider.value / slider.step) * slider.step
    assert studio.study.weights.as_dict() == exact


def test_the_last_slider_cannot_go_to_zero(studio: Studio) -> None:
    for name in ("Isolation", "Effort", "Complexity", "Cost"):
        find(studio, "FloatSlider", name).value = 0
    assert "weights: are all zero" in words(studio)
    assert find(studio, "FloatSlider", "Cost").value > 0


def test_pressing_a_number_opens_its_evidence(studio: Studio) -> None:
    score = studio.study["RA09"].scores["cost"]
    button = next(
        w for w in walk(studio.widget) if type(w).__name__ == "Button" and w.tooltip.startswith("RA09: service cost")
    )
    button.click()
    assert studio._tabs.get_title(studio._tabs.selected_index) == "Design"
    assert score.evidence.children[0].label in words(studio)
    assert find(studio, "ToggleButtons", "Evidence").value == "cost"


def test_every_tab_can_be_shown_for_a_mixed_scenario(studio: Studio) -> None:
    for index, panel in enumerate(studio._panels):
        studio._tabs.selected_index = index
        assert len(words(studio)) > 100, panel.title
    assert "fault" not in studio._sidebar.status.value


def test_a_form_that_breaks_the_scenario_shows_the_fault_beside_it(studio: Studio) -> None:
    studio.go("Scenario")
    count = next(w for w in walk(studio.widget) if (w.tooltip or "").endswith(", tenants") and w.value == "2")
    before = studio.study.best.id
    count.value = "0"
    assert "classes[0].count" in words(studio)
    assert "1 fault; the figures are still about the last scenario without" in words(studio)
    assert studio.study.best.id == before
    count.value = "5"
    assert "No faults." in words(studio)
    assert studio.study.scenario.tenants.classes[0].count == 5


def test_workloads_are_edited_as_forms(studio: Studio) -> None:
    studio.go("Scenario")
    first = studio.study.scenario.workloads[0]

    def enter(head: str, value: str) -> None:
        title = f"{first.id}, {head}: "
        next(w for w in walk(studio.widget) if (getattr(w, "tooltip", None) or "").startswith(title)).value = value

    enter("memory", "3Gi")
    enter("untrusted code", "no" if first.untrusted_code else "yes")
    enter("reached from", "none")
    changed = studio.study.scenario.workloads[0]
    assert "No faults." in words(studio)
    assert changed.memory == 3 * 2**30
    assert changed.untrusted_code is not first.untrusted_code
    assert changed.exposure is None
    enter("GPUs", "0.25")
    assert "fraction: 0.25" in studio.session.state.text
    enter("priority", "soon")
    assert "workloads[0].priority" in words(studio)


def test_text_with_a_fault_is_told_with_line_and_cure(studio: Studio) -> None:
    studio.go("Scenario")
    area = next(w for w in walk(studio.widget) if type(w).__name__ == "Textarea")
    area.value = area.value.replace("kind: customer", "kind: costumer")
    find(studio, "Button", "Apply text").click()
    assert "did you mean customer?" in words(studio)
    find(studio, "Button", "Undo").click()
    assert "did you mean customer?" not in words(studio)


def test_candidates_and_variants_change_what_is_compared(studio: Studio) -> None:
    box = next(w for w in walk(studio.widget) if type(w).__name__ == "Checkbox" and w.description.startswith("RA01 "))
    box.value = False
    assert "RA01" not in ranks(studio)
    text = next(w for w in walk(studio.widget) if type(w).__name__ == "Text" and "RA01 +" in w.placeholder)
    text.value = "RA01 +node_dedicated_tenant"
    find(studio, "Button", "Add variant").click()
    assert "RA01+node_dedicated_tenant" in ranks(studio)
    assert text.value == ""
    text.value = "RA01 +node_dedicated_tennant"
    find(studio, "Button", "Add variant").click()
    assert "did you mean node_dedicated_tenant?" in words(studio)


def test_export_and_record_are_written_from_buttons(studio: Studio, tmp_path: Path) -> None:
    studio.go("Hand over")
    export_button(studio).click()
    assert (tmp_path / "out" / "index.yaml").is_file()
    assert "Exported." in words(studio)
    href = re.search(r'download="small-\S+.zip" href="data:application/zip;base64,([^"]+)"', words(studio))
    assert href is not None
    with zipfile.ZipFile(io.BytesIO(base64.b64decode(href[1]))) as archive:
        assert archive.read("index.yaml") == (tmp_path / "out" / "index.yaml").read_bytes()
        files = {
            path.relative_to(tmp_path / "out").as_posix() for path in (tmp_path / "out").rglob("*") if path.is_file()
        }
        assert set(archive.namelist()) == files
    find(studio, "Text", "Folder").value = str(tmp_path / "record")
    find(studio, "Button", "Write decision record").click()
    assert (tmp_path / "record" / "decision.md").is_file()


def test_the_export_button_says_rank_and_admission_and_asks_before_what_is_not_admitted(
    measured: tk.Study, tmp_path: Path
) -> None:
    costs = sorted(e.scores["cost"].value for e in measured.evaluations if measured.rank(e.id))
    limits = Requirements(budget_per_month=Decimal(str(costs[len(costs) // 2])))
    scenario = measured.scenario.model_copy(update={"requirements": limits})
    evaluations = [replace(e, scenario=scenario) for e in measured.evaluations]
    studio = Studio(study_of(scenario, measured.catalogue, evaluations), folder=str(tmp_path / "out"))
    studio.go("Hand over")
    study = studio.study
    ranked = sum(study.rank(e.id) is not None for e in study.evaluations)
    assert export_button(studio).description == f"Export {study.best.id}: rank 1 of {ranked}, admitted"
    out = next(e.id for e in study.order if study.rank(e.id) is None and e.resolved.is_valid)
    studio.do(lambda: studio.session.open(out))
    assert export_button(studio).description == f"Export {out}: not admitted"
    export_button(studio).click()
    assert not (tmp_path / "out").exists()
    assert f"{out} is not admitted. Export it all the same?" in words(studio)
    for reason in study.exclusions(out):
        assert html.escape(reason) in words(studio)
    find(studio, "Button", "Export it all the same").click()
    assert (tmp_path / "out" / "index.yaml").is_file()
    broken = next(e.id for e in study.order if not e.resolved.is_valid)
    studio.do(lambda: studio.session.open(broken))
    export_button(studio).click()
    assert f"{broken} cannot be exported" in words(studio)
    assert f"{broken} is not admitted. Export it" not in words(studio)


def test_a_folder_that_cannot_be_written_is_told_in_words(studio: Studio, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    find(studio, "Text", "Folder").value = str(tmp_path / "file" / "out")
    studio.go("Hand over")
    for press in (export_button(studio), find(studio, "Button", "Write decision record")):
        press.click()
        assert 'class="fault"' in studio._sidebar.status.value


def test_a_session_is_saved_and_loaded_from_buttons(studio: Studio, measured: tk.Study, tmp_path: Path) -> None:
    find(studio, "FloatSlider", "Cost").value = 0.9
    find(studio, "Text", "Session").value = str(tmp_path / "s.json")
    find(studio, "Button", "Save session").click()
    other = Studio(measured, folder=str(tmp_path / "out"))
    find(other, "Text", "Session").value = str(tmp_path / "s.json")
    find(other, "Button", "Load session").click()
    assert other.study.weights.as_dict() == pytest.approx(studio.study.weights.as_dict())
    (tmp_path / "s.json").write_text("{broken")
    find(other, "Button", "Load session").click()
    assert "YAML syntax" in words(other)


def test_a_session_file_brings_back_everything_after_a_lost_kernel(measured: tk.Study, tmp_path: Path) -> None:
    file = tmp_path / "kept.json"
    first = Studio(measured, session_file=file)
    find(first, "FloatSlider", "Cost").value = 0.9
    first.session.open("RA10")
    first.do(lambda: first.session.open("RA09", "cost"))
    again = Studio(measured, session_file=file)
    assert again.session.opened.id == "RA09"
    assert again.study.weights.as_dict() == pytest.approx(first.study.weights.as_dict())


def test_two_studios_do_not_touch_each_other(measured: tk.Study) -> None:
    one, other = Studio(measured), Studio(measured)
    before = ranks(other)
    find(one, "FloatSlider", "Cost").value = 1
    find(one, "FloatSlider", "Isolation").value = 0
    assert ranks(other) == before
    assert other.study.weights.as_dict() == pytest.approx(measured.weights.as_dict())


def test_names_that_look_like_markup_are_shown_as_text(tmp_path: Path) -> None:
    hostile = "<img src=x onerror=alert(1)>"
    text = SMALL.replace("Two teams and a customer", f"'{hostile}'").replace(
        "workloads:\n  - id: service",
        f"  named:\n    - {{name: '{hostile}', class: team}}\n"
        "    - {name: '=cmd|calc', class: guest}\nworkloads:\n  - id: service",
    )
    studio = Studio(tk.parse_scenario(text), folder=str(tmp_path / "out"))
    for index in range(len(studio._panels)):
        studio._tabs.selected_index = index
    shown = words(studio) + studio.still()["text/html"]
    assert "&lt;img" in shown
    assert "<img" not in shown


def displayed(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> list[dict[str, str]]:
    """Return the outputs a notebook keeps of a studio."""
    outputs: list[dict[str, str]] = []
    monkeypatch.setattr("IPython.display.display", lambda bundle, **_: outputs.append(bundle))
    studio._ipython_display_()
    return outputs


def test_a_viewer_without_kernel_sees_the_study(studio: Studio, monkeypatch: pytest.MonkeyPatch) -> None:
    picture, live = displayed(studio, monkeypatch)
    assert "<svg" in picture["text/html"]
    assert "https://" not in picture["text/html"].replace("http://www.w3.org/2000/svg", "").split("<a ")[0]
    assert studio.study.best.id in picture["text/plain"]
    assert "application/vnd.jupyter.widget-view+json" not in picture, "a viewer would take the widgets and drop this"
    assert "application/vnd.jupyter.widget-view+json" in live
    assert "VBox" not in live["text/plain"]


def test_live_widgets_hide_their_own_picture_only(measured: tk.Study, monkeypatch: pytest.MonkeyPatch) -> None:
    one, other = Studio(measured), Studio(measured)
    hidden = re.findall(r"\.(tk-still-\w+)\{display:none\}", words(one))
    assert len(hidden) == 1
    assert f'class="{hidden[0]}"' in displayed(one, monkeypatch)[0]["text/html"]
    assert hidden[0] not in displayed(other, monkeypatch)[0]["text/html"]


def test_a_session_that_cannot_be_measured_is_told_and_can_be_undone(studio: Studio, tmp_path: Path) -> None:
    folderless = Session(tk.load_scenario("ml-platform")).save(tmp_path / "s.json")
    folderless.write_text(json.dumps({**json.loads(folderless.read_text()), "example": ""}))
    before = studio.study.best.id
    studio.do(lambda: studio.session.load(folderless))
    assert "the scenario has no folder" in words(studio)
    undo = find(studio, "Button", "Undo")
    assert not undo.disabled
    undo.click()
    assert studio.study.best.id == before
    assert undo.disabled


def test_the_same_file_can_be_uploaded_again_after_it_was_corrected_elsewhere(studio: Studio) -> None:
    upload = find(studio, "FileUpload", "Open a saved session")
    when = datetime.fromtimestamp(0, tz=UTC)
    file = {"name": "a.json", "type": "", "size": 1, "content": memoryview(b"{"), "last_modified": when}
    for _ in range(2):
        studio._say("")
        upload.set_trait("value", (file,))
        assert "a.json:" in studio._sidebar.status.value
        assert upload.value == ()


def test_what_went_wrong_is_announced_at_once_and_what_went_well_politely(studio: Studio) -> None:
    find(studio, "Button", "Save session").click()
    assert 'role="status"' in studio._sidebar.status.value
    studio.do(lambda: studio.session.open("RA99"))
    assert 'role="alert"' in studio._sidebar.status.value


def test_a_scenario_nobody_meets_is_told(measured: tk.Study) -> None:
    studio = Studio(measured)
    set_field(studio.session, ("requirements", "budget_per_month"), 1)
    studio.do(lambda: None)
    for index in range(len(studio._panels)):
        studio._tabs.selected_index = index
    assert "no design meets every requirement" in words(studio)
    find(studio, "Button", "Write decision record").click()
    assert "no design meets every requirement" in studio._sidebar.status.value


def test_measuring_can_be_stopped_and_continued_while_the_page_is_shown(
    measured: tk.Study, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(app_module, "AT_ONCE", 0.0)

    async def visit() -> tuple[Studio, int, int]:
        studio = Studio(measured.scenario)
        await asyncio.sleep(0.05)
        find(studio, "Button", "Stop").click()
        await asyncio.sleep(0.2)
        stopped = len(studio.session.waiting())
        await asyncio.sleep(0.2)
        still = len(studio.session.waiting())
        find(studio, "Button", "Continue").click()
        assert studio._task is not None
        await studio._task
        return studio, stopped, still

    studio, stopped, still = asyncio.run(visit())
    assert 0 < stopped < len(measured.evaluations)
    assert still == stopped
    assert studio.session.waiting() == ()
    assert ranks(studio) == [e.id for e in measured.order]


def test_an_interrupt_keeps_what_is_measured(measured: tk.Study, monkeypatch: pytest.MonkeyPatch) -> None:
    studio = Studio(measured)
    real, calls = studio.session.step, [0]

    def interrupted() -> str:
        calls[0] += 1
        if calls[0] == 3:
            raise KeyboardInterrupt
        return real()

    monkeypatch.setattr(studio.session, "step", interrupted)
    studio.do(lambda: set_field(studio.session, ("tenants", "classes", 0, "count"), 4))
    assert "are not measured yet" in words(studio)
    assert len(studio.session.waiting()) == len(studio.session.designs) - 2
    find(studio, "Button", "Continue").click()
    assert studio.session.waiting() == ()
