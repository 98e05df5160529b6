"""The part of the tab for weights that hears a group: files from shared pages, agreement, conflict, joint decision."""

from __future__ import annotations

from html import escape
from typing import Any

import ipywidgets as widgets

from tenancykit.api import collect
from tenancykit.report.collecting import collected_text
from tenancykit.studio.desk import Desk, button, page, written


class GroupPart:
    """Takes the files of weights that people downloaded from a shared page, before and after they talked."""

    def __init__(self, desk: Desk) -> None:
        self._desk = desk
        self._now = _upload("Weights given back", "Files of weights from the shared page, one a person")
        self._before = _upload("Weights before the talk", "The same people's files from before, where there are any")
        self._said = page()
        self.widget = widgets.VBox(
            [
                page(
                    written(
                        "<h3>What a group says</h3><p>Send everybody the page that <code>tenancykit share</code> "
                        "writes; each sends back a small file.</p>"
                    )
                ),
                widgets.HBox(
                    [self._now, self._before, button("What the group says", self._hear)],
                    layout=widgets.Layout(flex_flow="row wrap"),
                ),
                self._said,
            ]
        )

    def _hear(self) -> None:
        self._said.value = ""

        def act() -> None:
            study = self._desk.session.study
            before = collect(study, _files(self._before)) if self._before.value else None
            found = collect(study, _files(self._now))
            self._said.value = written(f"<pre>{escape(collected_text(found, before))}</pre>")

        self._desk.do(act)


def _files(upload: Any) -> list[tuple[str, bytes]]:
    return [(str(file["name"]), bytes(file["content"])) for file in upload.value]


def _upload(text: str, told: str) -> Any:
    return widgets.FileUpload(
        accept=".json", multiple=True, description=text, tooltip=told, layout=widgets.Layout(width="auto")
    )
