"""The tab that writes files: manifests with decision record, the record alone, the session; and reads it back."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import ipywidgets as widgets

from tenancykit.drawing import html_of
from tenancykit.studio.desk import Desk, button, page, safe, written

_WIDE = widgets.Layout(width="420px")


class HandoverPanel:
    """Writes what was decided, saves and loads the session."""

    title = "Hand over"

    def __init__(self, desk: Desk, folder: str) -> None:
        self._desk = desk
        self._folder = widgets.Text(value=folder, description="Folder", layout=_WIDE)
        self._file = widgets.Text(
            value=str(Path(folder).with_name("session.json")), description="Session", layout=_WIDE
        )
        self._upload = widgets.FileUpload(
            accept=".json", multiple=False, description="Upload", tooltip="Load a saved session, 8 MB at most"
        )
        self._upload.observe(self._uploaded, "value")
        self._what, self._told = page(), page()
        self.widget = widgets.VBox(
            [
                self._what,
                widgets.HBox([self._folder]),
                widgets.HBox([button("Export manifests", self._export), button("Write decision record", self._record)]),
                page(written("<h3>Session</h3>")),
                widgets.HBox([self._file]),
                widgets.HBox([button("Save session", self._save), button("Load session", self._load), self._upload]),
                self._told,
            ]
        )

    def show(self) -> None:
        """Say which design would be written."""
        found = self._desk.session.opened
        self._what.value = written(
            f"<h3>Hand over {safe(found.id)} {safe(found.name)}</h3>",
            "<p>Manifests, decision record and a guide to applying them go into the folder.</p>",
        )

    def _export(self) -> None:
        def act() -> None:
            done = self._desk.session.export(Path(self._folder.value))
            self._told.value = written(f'<p class="good">Exported.</p><pre>{safe(done.text())}</pre>')

        self._act(act, "exported")

    def _record(self) -> None:
        def act() -> None:
            found = self._desk.session.record()
            files = found.write(Path(self._folder.value))
            self._told.value = written(
                f'<p class="good">Written: {safe(", ".join(map(str, files)))}</p>', html_of(found)
            )

        self._act(act, "decision record written")

    def _save(self) -> None:
        def act() -> None:
            file = self._desk.session.save(self._file.value)
            self._told.value = written(f'<p class="good">Saved to {safe(str(file))}.</p>')

        self._act(act, "session saved")

    def _load(self) -> None:
        self._act(lambda: self._desk.session.load(self._file.value), "session loaded")

    def _uploaded(self, change: Any) -> None:
        for file in change["new"]:
            text = bytes(file["content"]).decode("utf-8", errors="replace")
            self._act(
                lambda text=text, name=file["name"]: self._desk.session.load_text(text, str(name)), "session loaded"
            )

        self._upload.value = ()  # the same file again is news, too

    def _act(self, act: Any, told: str) -> None:
        self._told.value = ""
        self._desk.do(act, told)
