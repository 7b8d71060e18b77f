"""Generate text from facts with the templates."""

from __future__ import annotations

import hashlib
import json
import re
from collections.abc import Mapping
from functools import cache
from pathlib import Path, PurePosixPath
from typing import TYPE_CHECKING, Any

from nixpy.analysis.nixpylock import NIX_FORMAT
from nixpy.core import templates

if TYPE_CHECKING:
    from jinja2 import Environment


def _jinja() -> Environment:
    return _jinja_of(templates.root())


@cache
def _jinja_of(root: Path) -> Environment:
    from jinja2 import Environment, FileSystemLoader, StrictUndefined

    jinja = Environment(
        loader=FileSystemLoader(root),
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
        autoescape=False,  # noqa: S701  (this is Nix, quoted by templates/_nix.jinja)
    )
    # The same filters as in copier's Jinja, so that both can use the same templates.
    jinja.filters["hash"] = lambda text, name="sha1": hashlib.new(name, text.encode()).hexdigest()
    jinja.filters["to_json"] = json.dumps
    jinja.filters["from_json"] = json.loads
    jinja.filters["regex_search"] = lambda text, pattern: (match := re.search(pattern, text)) and match[0]
    jinja.filters["regex_findall"] = lambda text, pattern: re.findall(pattern, text)
    return jinja


def nix_file(facts: Mapping[str, Any], library: str) -> str:
    """Return the text of the generated Nix file for these facts.

    `library` is "vendored" or "input".
    """
    return _jinja().get_template("templates/nixpy.nix.jinja").render(facts=facts, library=library, format=NIX_FORMAT)


def nix_path(path: PurePosixPath) -> str:
    """Return a path below the folder of a Nix file as an expression in that file."""
    if re.fullmatch("[A-Za-z0-9._+-]+(/[A-Za-z0-9._+-]+)*", str(path)):
        return f"./{path}"
    return f"./. + {nix_string(f'/{path}')}"


def nix_string(text: str) -> str:
    """Return a text as a string of Nix."""
    macros: Any = _jinja().get_template("templates/_nix.jinja").module
    return str(macros.string(text))


def render(template: str, env: Mapping[str, Any]) -> str:
    """Return the text of `template` (a path below `templates`) for `env`."""
    return _jinja().get_template(f"templates/{template}").render(env=env)
