"""Errors: each kind has a code, and each code of an error has a kind."""

from __future__ import annotations

import ast
import importlib
import pkgutil
import re
from pathlib import Path

import nixpy
from nixpy.core.errors import NixpyError
from nixpy.diagnostics.codes import explanations

PACKAGE = Path(nixpy.__file__).parent


def kinds() -> set[type[NixpyError]]:
    """Return every subclass of NixpyError in the package."""
    for module in pkgutil.walk_packages([str(PACKAGE)], "nixpy."):
        if module.name != "nixpy.__main__":
            importlib.import_module(module.name)
    found: list[type[NixpyError]] = [NixpyError]
    for kind in found:
        found += kind.__subclasses__()
    return {kind for kind in found[1:] if kind.__module__.startswith("nixpy.")}


def test_every_kind_has_a_code_that_is_explained() -> None:
    """The codes NIX7xx of codes.csv are those of the kinds, and each kind of core/errors.py has one of its own."""
    codes = {kind.code for kind in kinds()}
    assert codes == {code for code in explanations() if code.startswith("NIX7")}
    own = [kind.code for kind in kinds() if kind.__module__ == "nixpy.core.errors"]
    assert sorted(own) == sorted(codes)


def test_no_error_is_raised_without_a_code() -> None:
    """No module makes a bare NixpyError, which has no code."""
    assert not hasattr(NixpyError, "code")
    bare = [
        f"{path.relative_to(PACKAGE)}:{node.lineno}"
        for path in PACKAGE.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and re.fullmatch(r"(\w+\.)*NixpyError", ast.unparse(node.func))
    ]
    assert bare == []
