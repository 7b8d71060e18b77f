"""The import statements that a pass over a source finds, compared with those that Python parses."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import nixpy
from nixpy.needs.sources.foreign import foreign_imports
from nixpy.needs.sources.scan import absolute, scan

PACKAGE = Path(nixpy.__path__[0])

STATEMENTS = {
    "import a": ["a"],
    "import a.b, c as d": ["a.b", "c"],
    "import a; import b": ["a", "b"],
    "if x: import a": ["a"],
    "  import a  # import b": ["a"],
    "from a import b": ["a.b"],
    "from a.b import c as d, e": ["a.b.c", "a.b.e"],
    "from a import *": ["a"],
    "from . import a": ["demo.a"],
    "from .import a": ["demo.a"],
    "from .a import b": ["demo.a.b"],
    "from .. import a": [],
    "from a import (b,\n  c as d,  # (a comment)\n  e)": ["a.b", "a.c", "a.e"],
    "from a import(b)": ["a.b"],
    "from a import b, \\\n  c": ["a.b", "a.c"],
    "try: from a import b\nexcept ImportError: import c": ["a.b", "c"],
    "if TYPE_CHECKING:\n    import a\n\n    from b import c\nimport d": ["d"],
    "if True:\n    if typing.TYPE_CHECKING:\n        import a\n    import b": ["b"],
    "important = 1": [],
    "reimport (a)": [],
    "from the start, we import nothing": [],
}


@pytest.mark.parametrize(("text", "names"), STATEMENTS.items())
def test_names(text: str, names: list[str]) -> None:
    """Each statement gives the names that it imports."""
    assert [one.name for one in scan(text.encode(), "demo", package=True)] == names


def test_names_in_docstrings_are_quoted() -> None:
    """They are in a string of several lines."""
    source = b'"""Use it:\n\nimport a\n"""\nimport b\n'
    assert [(one.name, one.quoted) for one in scan(source, "demo", package=True)] == [("a", True), ("b", False)]


@pytest.mark.parametrize(
    ("text", "plain"),
    [
        ("import a", True),
        ("from a import b", True),
        (" import a", False),
        ("if x: import a", False),
        ("for x in y: import a", False),
    ],
)
def test_plain_statements(text: str, plain: bool) -> None:
    """Only a statement at the beginning of a line is outside of functions and conditions."""
    assert list(scan(text.encode(), "demo", package=True))[-1].plain is plain


@pytest.mark.parametrize(
    ("name", "package", "expected"),
    [("a.b", "demo", "a.b"), (".", "demo", "demo"), (".a", "demo.b", "demo.b.a"), ("..a", "demo.b", "demo.a")],
)
def test_relative_names(name: str, package: str, expected: str) -> None:
    """A relative name is one of the package."""
    assert absolute(name, package) == expected
    assert not absolute("...a", "demo.b")


def test_own_sources_agree_with_ast() -> None:
    """In the sources of nixpy, every name that Python parses outside of `if TYPE_CHECKING` is found, and no other."""
    for path in PACKAGE.rglob("*.py"):
        source = path.read_bytes()
        tree = ast.parse(source)
        typed = [one for one in ast.walk(tree) if isinstance(one, ast.If) and ast.unparse(one.test) == "TYPE_CHECKING"]
        left_out = {id(inner) for node in typed for part in node.body for inner in ast.walk(part)}
        expected = set()
        for node in ast.walk(tree):
            if isinstance(node, ast.Import):
                names = [alias.name for alias in node.names]
            elif isinstance(node, ast.ImportFrom):
                names = [f"{node.module}.{alias.name}" for alias in node.names]
            else:
                continue
            if id(node) not in left_out:
                expected.update(names)
        assert {one.name for one in scan(source, "x.y", package=False) if not one.quoted} == expected, path


def test_foreign_imports() -> None:
    """They are dotted names of other packages than the wheel's own and the standard library, always imported."""
    sources = {
        "demo/__init__.py": b"import os.path, numpy, xml.etree\nfrom demo.sub import x\nfrom . import y\nimport b.c\n",
        "demo/sub.py": b'from a.b import c\ndef f():\n    import g.h\n"""\nimport quoted.name\n"""\n',
        "demo/optional.py": b"try:\n    from k.l import m\nexcept ImportError:\n    pass\n",
        "demo/tests/test_sub.py": b"import d.e\n",
        "demo-1.0.data/scripts/run.py": b"from z import w\n",
    }
    assert foreign_imports(sources) == ("a.b.c", "b.c", "z.w")
