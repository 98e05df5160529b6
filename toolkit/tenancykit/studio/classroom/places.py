"""Every participant's folder: a copy of the notebooks, and the way to the folder that designs are handed in to."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from kubeanswers.writing import write_text
from tenancykit.studio.classroom.roster import TRAINER
from tenancykit.studio.classroom.settings import ClassSettings

_TRAINERS: Final = ("solutions", "hub")
"""Folders of the course that only the trainer gets."""
_NEWS: Final = Path(".jupyter/lab/user-settings/@jupyterlab/apputils-extension/notification.jupyterlab-settings")
"""Where JupyterLab keeps whether it asks other hosts for news; unanswered, it asks everybody in the class."""


def prepare(settings: ClassSettings, name: str) -> Path:
    """Return the folder of one account; made with a copy of the notebooks unless it is there already.

    The trainer has the solutions and the files for a hosted hub too. What a participant has changed is left alone.
    """
    home = settings.home(name)
    if not home.exists():
        left_out = ("__pycache__", ".ipynb_checkpoints", *(() if name == TRAINER else _TRAINERS))
        beside = home.with_name(f".{name}.part")
        shutil.rmtree(beside, ignore_errors=True)
        shutil.copytree(settings.notebooks, beside, ignore=shutil.ignore_patterns(*left_out))
        (beside / _NEWS).parent.mkdir(parents=True, exist_ok=True)
        write_text(beside / _NEWS, '{"fetchNews": "false", "checkForUpdates": false}\n', ours="fetchNews")
        beside.rename(home)
    settings.group.mkdir(parents=True, exist_ok=True)
    settings.progress.mkdir(parents=True, exist_ok=True)
    handed_in = home / "workshop" / "group"
    if handed_in.parent.is_dir() and not handed_in.exists():
        handed_in.symlink_to(settings.group, target_is_directory=True)
    return home
