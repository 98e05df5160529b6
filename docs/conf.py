"""The docs site: pages by hand in this folder, the reference generated from the package before every build."""

from __future__ import annotations

import os
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

from reference import write_reference

from tenancykit.version import __version__

project = "tenancykit"
author = "the tenancykit contributors"
release = version = __version__
extensions = ["myst_nb", "sphinx.ext.autodoc", "sphinx.ext.napoleon"]
myst_heading_anchors = 3
suppress_warnings = [
    "myst.xref_missing",  # links to files of the repository beside the docs, which the forge resolves
    "misc.highlighting_failure",  # templates shown as they are
]
nb_execution_mode = "off" if os.environ.get("DOCS_NOTEBOOKS") == "off" else "cache"
nb_execution_raise_on_error = True
nb_execution_timeout = 300
exclude_patterns = ["_build", "changes", "jupyter_execute"]
html_theme = "furo"
html_title = f"tenancykit {__version__}"
autodoc_typehints = "none"
autodoc_member_order = "bysource"
napoleon_use_ivar = True

write_reference(Path(__file__).parent / "_generated")
