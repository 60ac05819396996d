"""The documentation site: `make docs` builds it offline, warnings are errors."""

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent / "_ext"))

from wherefore.study.provenance import release as installed

project = "Wherefore"
author = "The Wherefore authors"
release = version = installed()
extensions = [
    "myst_parser",
    "sphinx.ext.autodoc",
    "sphinx.ext.napoleon",
    "sphinx_copybutton",
    "generated",
]
exclude_patterns = ["_build", "img"]
source_suffix = {".md": "markdown"}
html_theme = "furo"
html_title = f"Wherefore {release}"
html_show_sourcelink = False
html_show_copyright = False
templates_path: list[str] = []

myst_enable_extensions = ["deflist", "colon_fence"]
myst_heading_anchors = 3
copybutton_prompt_text = "$ "

autodoc_member_order = "bysource"
autodoc_typehints = "signature"
autodoc_default_options = {"members": True, "undoc-members": False, "show-inheritance": False}
add_module_names = False
default_role = "code"
