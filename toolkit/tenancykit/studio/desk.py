"""What the parts of the studio share: the session, a way to act on it that never shows a traceback, small widgets."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, Final, Protocol

import ipywidgets as widgets

from tenancykit.drawing import html_of
from tenancykit.report.chart_canvas import Chart
from tenancykit.report.chart_colours import IN_NOTEBOOKS
from tenancykit.studio.session import Session

STYLE = (
    "<style>.tk-tabs .lm-TabBar-tab{padding:0 4px!important;min-width:0!important;font-size:12px!important}"
    ".tks{font-family:system-ui,sans-serif;font-size:13px;line-height:1.45;padding:4px;overflow-wrap:break-word;"
    "color:var(--jp-content-font-color1,#222);background:var(--jp-layout-color1,#fff)}.tks .tk{background:inherit}"
    ".tks table{border-collapse:collapse;max-width:100%}.tks td,.tks th{padding:3px 8px;text-align:left!important;"
    "vertical-align:top;white-space:normal!important;border-bottom:1px solid var(--jp-border-color2,#ddd)}"
    ".tks small,.tks .out{color:var(--jp-content-font-color2,#5f5f5f)}"
    ".tks a{color:var(--jp-content-link-color,#0b57a4);text-decoration:underline}"
    ".tks .tag{background:#fff3cd;color:#222;padding:0 4px;border-radius:3px}"
    ".tks h3{margin:6px 0;font-size:16px}.tks p{margin:4px 0}"
    ".tks .fault{overflow-wrap:anywhere;color:#8a1f00;background:#fff1ec;font-weight:600;"
    "padding:0 4px}.tks .good{color:#00634a;background:#e9f7f1;font-weight:600;padding:0 4px}"
    ".tks pre{white-space:pre-wrap;margin:4px 0;font-family:var(--jp-code-font-family,monospace)}"
    ".tks>figure{display:inline-block;vertical-align:top;max-width:100%}"  # two beside each other where there is room
    ".tk-studio .lm-TabBar-tabLabel,.tk-studio .jupyter-widget-Collapse-header{"
    "color:var(--jp-content-font-color1,#222)!important}"
    ".tk-studio :focus-visible{outline:2px solid var(--jp-brand-color1,#0b57a4)!important;outline-offset:1px}"
    ".tk-studio select{text-overflow:ellipsis;padding-left:6px!important}"
    ".tk-over.widget-dropdown{flex-direction:column;height:auto}.tk-over .widget-label{width:auto;text-align:left}"
    ".tk-over.widget-dropdown select{width:100%;flex:0 0 28px}"
    ".tk-out.jupyter-button{color:var(--jp-content-font-color2,#5f5f5f);font-style:italic}"
    ".tk-number.jupyter-button{padding:0 4px}.tk-name.jupyter-button{text-align:left;padding:3px 6px;"
    "white-space:normal;line-height:1.3;min-height:26px}"
    ".tk-grid .widget-html-content,.tk-grid .jupyter-widget-html-content{line-height:26px}"
    f"{IN_NOTEBOOKS}</style>"
)
"""Style of everything the studio writes; it follows JupyterLab's theme, and is dark on white where there is none."""

UNKEPT: Final = "tk-unkept"
"""Class of widgets that hold what a reload would lose; the studio's own page warns who leaves."""


class Desk(Protocol):
    """What a part of the studio may ask of the whole."""

    session: Session

    def do(self, action: Callable[[], object], told: str = "") -> bool:
        """Do something, tell what came of it, show the new state; return whether it was done."""
        ...

    def go(self, title: str) -> None:
        """Show the tab with this title."""
        ...


class Panel(Protocol):
    """One tab of the studio."""

    title: str
    widget: Any

    def show(self) -> None:
        """Bring the widgets in line with the session."""
        ...


class Quiet:
    """Says whether widgets are being set by the program, so that their observers keep still."""

    def __init__(self) -> None:
        self.on = False

    @contextmanager
    def __call__(self) -> Iterator[None]:
        """Keep observers still while the program sets values."""
        before, self.on = self.on, True
        try:
            yield
        finally:
            self.on = before


def written(*parts: str | Chart | object) -> str:
    """Return HTML of texts that are HTML already, charts and results, one below the other."""
    return f'<div class="tks">{"".join(_html(part) for part in parts)}</div>'


def _html(part: str | Chart | object) -> str:
    if isinstance(part, str):
        return part
    return part.html() if isinstance(part, Chart) else html_of(part)


def page(value: str = "") -> Any:
    """Return a widget that shows HTML over the full width."""
    return widgets.HTML(value, layout=widgets.Layout(width="auto", min_width="0"))


def button(text: str, act: Callable[[], object], *, told: str = "", width: str = "auto") -> Any:
    """Return a button that does something when it is pressed."""
    layout = widgets.Layout(width=width, align_self="flex-start" if width == "auto" else None)
    made = widgets.Button(description=text, tooltip=told or text, layout=layout)
    made.on_click(lambda _: act())
    return made
