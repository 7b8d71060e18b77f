"""How Sphinx builds these pages; `make docs` runs it, strictly and without a network."""

from __future__ import annotations

import re
import sys
from pathlib import Path
from typing import Any

HERE = Path(__file__).parent
sys.path.insert(0, str(HERE))

from generate import PARTS  # noqa: E402 - it lies beside this file

from nixpy import __version__  # noqa: E402

project = "nixpy"
author = "the authors of nixpy"
version = release = __version__
extensions = ["myst_parser", "sphinx_copybutton"]
exclude_patterns = ["_build", "templates"]
templates_path = ["templates"]
nitpicky = True
smartquotes = False  # `--format` is not a dash

# A heading can be linked to as on GitHub; `make docs` fails on a link to one that is not there.
myst_heading_anchors = 4
myst_enable_extensions = ["attrs_inline", "deflist"]
suppress_warnings = ["misc.highlighting_failure"]  # sessions with output that is no command

html_theme = "furo"
html_title = f"nixpy {version}"
html_static_path = ["static"]
html_css_files = ["nixpy.css"]
html_copy_source = False
html_show_sphinx = False
html_show_copyright = False  # the foot of the page has the licence
# The button copies the commands of a session, and not what they print.
copybutton_prompt_text = "$ "
copybutton_only_copy_prompt_lines = True
copybutton_line_continuation_character = "\\"
# Nothing here is fetched from elsewhere, neither while building nor by the reader's browser.
html_theme_options: dict[str, Any] = {"top_of_page_buttons": []}
pygments_style, pygments_dark_style = "a11y-high-contrast-light", "a11y-high-contrast-dark"

_PLACE = re.compile(r"^<!-- generated: ([\w-]+) -->$", re.MULTILINE)
# What stands behind the language of a block is for the tests (tests/docs/blocks.py); a reader sees it as a caption.
_BLOCK = re.compile(r"^( *)```(\w+) (\S.*)$", re.MULTILINE)
_CAPTIONS = {
    "box": "run in the [box without /lib](/nixos-box.md)",
    "host": "[not run by the tests](/not-run.md)",
    "fails": "the last command exits with a status that is not 0",
}


def fill(_app: Any, _page: str, source: list[str]) -> None:
    """Put what is generated from the code where a page names it, and say above a block what the tests do with it."""
    source[0] = _BLOCK.sub(_captioned, _PLACE.sub(lambda match: PARTS[match[1]](), source[0]))


def _captioned(block: re.Match[str]) -> str:
    indent, language, words = block.groups()
    caption = "; ".join(_CAPTIONS.get(word, f"`{word}`") for word in words.split())
    return f"{indent}```{{code-block}} {language}\n{indent}:caption: {caption}\n"


def setup(app: Any) -> dict[str, bool]:
    """Be called by Sphinx."""
    app.connect("source-read", fill)
    return {"parallel_read_safe": True}
