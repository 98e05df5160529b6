"""The tab that writes files: manifests with decision record, the record alone, the session; and reads it back."""

from __future__ import annotations

import base64
import io
import zipfile
from collections.abc import Callable
from functools import partial
from html import escape
from pathlib import Path
from typing import Any, Final

import ipywidgets as widgets

from tenancykit.report.record import Record
from tenancykit.studio.desk import Desk, button, page, written

_WIDE = widgets.Layout(width="420px")
_MOST_ZIP: Final = 16 * 2**20
"""Largest zip that is put into the page, bytes: browsers hold it as text a third larger (assumption)."""
_EPOCH: Final = (1980, 1, 1, 0, 0, 0)
"""Time on every file of a zip, so that the same files give the same bytes."""


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
            accept=".json",
            multiple=False,
            description="Open a saved session",
            tooltip="Load a saved session, 8 MB at most",
            layout=widgets.Layout(width="auto"),
        )
        self._upload.observe(self._uploaded, "value")
        self._what, self._told, self._why = page(), page(), page()
        self._export_button = button("Export manifests", self._asked)
        self._anyway = widgets.HBox(
            [
                button("Export it all the same", self._export),
                button("Do not export", self._leave, told="Write nothing"),
            ]
        )
        self._asking = widgets.VBox([self._why, self._anyway])
        self._leave()
        self.widget = widgets.VBox(
            [
                self._what,
                widgets.HBox([self._folder]),
                widgets.HBox(
                    [self._export_button, button("Write decision record", self._record)],
                    layout=widgets.Layout(flex_flow="row wrap"),
                ),
                self._asking,
                page(written("<h3>Session</h3>")),
                widgets.HBox([self._file]),
                widgets.HBox([button("Save session", self._save), button("Load session", self._load), self._upload]),
                self._told,
            ]
        )

    def show(self) -> None:
        """Say which design would be written, where it stands, and whether it is admitted."""
        study, found = self._desk.session.study, self._desk.session.opened
        rank = study.rank(found.id)
        admitted = sum(study.rank(e.id) is not None for e in study.evaluations)
        stands = f"rank {rank} of {admitted}, admitted" if rank else "not admitted"
        self._export_button.description = f"Export {found.id}: {stands}"
        self._export_button.tooltip = f"Write the manifests of {found.id} and its decision record into the folder"
        self._leave()
        self._what.value = written(
            f"<h3>Hand over {escape(found.id)} {escape(found.name)}</h3>",
            "<p>Manifests, decision record and a guide to applying them go into the folder.</p>",
        )

    def _asked(self) -> None:
        """Export a design that is admitted; ask first about one that is not, and refuse one that cannot hold."""
        study, found = self._desk.session.study, self._desk.session.opened
        if study.rank(found.id):
            self._export()
            return
        reasons = "".join(f"<li>{escape(reason)}</li>" for reason in study.exclusions(found.id))
        holds = found.resolved.is_valid
        told = (
            "is not admitted. Export it all the same?"
            if holds
            else "cannot be exported: its manifests would promise what cannot hold here"
        )
        self._why.value = written(
            f'<p class="fault" role="alert">{escape(found.id)} {told}</p>',
            f"<ul>{reasons}</ul>",
        )
        self._anyway.layout.display = "" if holds else "none"
        self._asking.layout.display = ""

    def _leave(self) -> None:
        self._asking.layout.display = "none"

    def _export(self) -> None:
        self._leave()

        def act() -> None:
            done = self._desk.session.export(Path(self._folder.value))
            self._told.value = written(
                f'<p class="good">Exported.</p><pre>{escape(done.text())}</pre>',
                _zip_link(Path(self._folder.value), f"{self._desk.session.scenario.name}-{done.design.split()[0]}.zip"),
                _opened(done.record) if done.record else "",
            )

        self._act(act, "exported")

    def _record(self) -> None:
        def act() -> None:
            found = self._desk.session.record()
            files = found.write(Path(self._folder.value))
            self._told.value = written(
                f'<p class="good">Written: {escape(", ".join(map(str, files)))}</p>', _opened(found)
            )

        self._act(act, "decision record written")

    def _save(self) -> None:
        def act() -> None:
            file = self._desk.session.save(self._file.value)
            self._told.value = written(f'<p class="good">Saved to {escape(str(file))}.</p>')

        self._act(act, "session saved")

    def _load(self) -> None:
        self._act(lambda: self._desk.session.load(self._file.value), "session loaded")

    def _uploaded(self, change: Any) -> None:
        for file in change["new"]:
            text = bytes(file["content"]).decode("utf-8", errors="replace")
            self._act(partial(self._desk.session.load_text, text, str(file["name"])), "session loaded")
        self._upload.value = ()  # the same file again is news, too

    def _act(self, act: Callable[[], object], told: str) -> None:
        self._told.value = ""
        self._desk.do(act, told)


def _zip_link(folder: Path, name: str) -> str:
    """Return a link that downloads a folder as a zip, or where the folder lies if that is too large for a page."""
    packed = io.BytesIO()
    with zipfile.ZipFile(packed, "w", zipfile.ZIP_DEFLATED) as archive:
        for file in sorted(path for path in folder.rglob("*") if path.is_file() and not path.is_symlink()):
            entry = zipfile.ZipInfo(file.relative_to(folder).as_posix(), _EPOCH)
            entry.compress_type = zipfile.ZIP_DEFLATED
            archive.writestr(entry, file.read_bytes())
    size = packed.tell()
    if size > _MOST_ZIP:
        return f"<p>Too large to download from here ({size / 2**20:.0f} MiB); it lies in {escape(str(folder))}.</p>"
    data = base64.b64encode(packed.getvalue()).decode()
    text = f"Download {name} ({size / 1024:,.0f} kB)"
    return f'<p><a download="{escape(name)}" href="data:application/zip;base64,{data}">{escape(text)}</a></p>'


def _opened(found: Record) -> str:
    """Return the decision record as it looks, with a link that keeps it as a file.

    The page of the studio opens links of the class ``tk-open`` in a tab of their own; elsewhere they are downloads.
    """
    data = base64.b64encode(found.html.encode()).decode()
    link = f'download="decision.html" href="data:text/html;charset=utf-8;base64,{data}"'
    title = f"decision record of {escape(found.design)}"
    return (
        f'<p><a class="tk-open" {link}>Open the {title}</a></p>'
        f'<iframe title="The {title}" sandbox="allow-popups" srcdoc="{escape(found.html)}" '
        'style="width:100%;height:640px;border:1px solid #999;background:#fff"></iframe>'
    )
