"""Every participant's folder: a copy of the notebooks, and the way to the folder that designs are handed in to."""

from __future__ import annotations

import shutil
from pathlib import Path
from typing import Final

from tenancykit.studio.classroom.roster import TRAINER
from tenancykit.studio.classroom.settings import ClassSettings

_SOLUTIONS: Final = "solutions"


def prepare(settings: ClassSettings, name: str) -> Path:
    """Return the folder of one account; made with a copy of the notebooks unless it is there already.

    The trainer has the solutions too. What a participant has changed is left alone.
    """
    home = settings.home(name)
    if not home.exists():
        left_out = ("__pycache__", ".ipynb_checkpoints", *(() if name == TRAINER else (_SOLUTIONS,)))
        beside = home.with_name(f".{name}.part")
        shutil.rmtree(beside, ignore_errors=True)
        shutil.copytree(settings.notebooks, beside, ignore=shutil.ignore_patterns(*left_out))
        beside.rename(home)
    settings.group.mkdir(parents=True, exist_ok=True)
    settings.progress.mkdir(parents=True, exist_ok=True)
    handed_in = home / "workshop" / "group"
    if handed_in.parent.is_dir() and not handed_in.exists():
        handed_in.symlink_to(settings.group, target_is_directory=True)
    return home
