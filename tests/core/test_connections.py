"""One module opens connections; with uv, which `core/programs.py` starts, it is all of nixpy that uses a network."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

import nixpy

PACKAGE = Path(nixpy.__file__).parent
# What of the standard library and of nixpy's dependencies can open a connection.
OPENS = {
    "aiohttp",
    "asyncio",
    "ftplib",
    "http.client",
    "http.server",
    "httpx",
    "imaplib",
    "logging.handlers",
    "poplib",
    "requests",
    "smtplib",
    "socket",
    "socketserver",
    "ssl",
    "telnetlib",
    "urllib.request",
    "urllib3",
    "webbrowser",
    "xmlrpc",
}


def imports(source: str) -> set[str]:
    """Return the names of the list that a module's text imports when it runs; a type alone opens nothing."""
    tree = ast.parse(source)
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and ast.unparse(node.test) == "TYPE_CHECKING":
            node.body = [ast.Pass()]
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found |= {node.module, *(f"{node.module}.{alias.name}" for alias in node.names)}
    return {name for name in found if name in OPENS or name.partition(".")[0] in OPENS}


def test_one_module_opens_connections() -> None:
    """Only `wheels/http.py` opens one, of the kind that `wheels/metered.py` describes for it."""
    texts = {str(path.relative_to(PACKAGE)): path.read_text("utf-8") for path in PACKAGE.rglob("*.py")}
    assert {path for path, text in texts.items() if imports(text)} == {"wheels/http.py", "wheels/metered.py"}
    assert {path for path, text in texts.items() if "nixpy.wheels.metered" in text} == {"wheels/http.py"}


@pytest.mark.parametrize(
    "source", ["import socket", "from urllib import request", "import urllib3.util", "def f():\n  import http.client"]
)
def test_a_module_that_opens_one_is_noticed(source: str) -> None:
    """The test above can fail."""
    assert imports(source)
