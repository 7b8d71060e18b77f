"""One folder per stage: the tree, the tests, the contract of import-linter and CONTRIBUTING.md agree on them."""

from __future__ import annotations

import ast
import re
import tomllib
from pathlib import Path

import pytest

TOP = Path(__file__).parents[2]
PACKAGE = TOP / "scaffold" / "nixpy"
FOLDERS = sorted(path.parent.name for path in PACKAGE.glob("*/__init__.py"))
MODULES = {"__init__.py", "__main__.py", "api.py"}
TESTS = TOP / "tests"
# The folders of tests/ that are no folder of the package, each with its reason.
OTHER_FOLDERS = {
    "api": "the module `api.py` and the names of `import nixpy`",
    "ci": "the action, the hooks and the workflow of a new project; they run nixpy from outside",
    "corpus": "programs that compare the ELF reader with others, on 44 real wheels and on files of patchelf",
    "docs": "the pages of docs/ and the READMEs, whose commands are run",
    "flake": "what `nix flake check` of this repository tests, in Nix: the table of sonames, and NixOS in machines",
    "fuzz": "a harness for each reader of foreign files, and the inputs that are kept for it",
    "gpu": "a script for a machine with a card of NVIDIA; no one ran it yet",
    "helpers": "what tests of several folders share: a small index, small wheels, nixpy in this process",
    "nixos": "what is rendered, evaluated by real Nix and run on a machine without /lib",
    "repository": "the repository as a whole: its folders, its examples, its documents, what users install",
    "sets": "requirement sets of real packages, and the recorded answers of nixpy, uv and pip to them",
    "suite": "the rules of the tests themselves: markers, groups, outcomes, and the tests of those rules",
    "tracing": "the main work of packages, run in the box, and the libraries that it opens",
}


API = "api"  # one module, between the commands and what is built on them


def layers() -> list[str]:
    """Return the layers of the contract, from the first stage to the last."""
    contracts = tomllib.loads((TOP / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]["contracts"]
    (contract,) = (contract for contract in contracts if contract["type"] == "layers")
    return list(reversed(contract["layers"]))


def test_the_top_of_the_package_has_no_other_modules() -> None:
    """Beside the folders there are only the program and the public API."""
    assert {path.name for path in PACKAGE.glob("*.py")} <= MODULES


def test_every_folder_is_a_layer() -> None:
    """The contract names the folders that exist, and the module of the public API."""
    assert sorted(layers()) == sorted([API, *FOLDERS])


def test_contributing_lists_the_folders_in_the_order_of_the_layers() -> None:
    """Its table has one row per folder; a folder imports only from the rows above its own."""
    text = (TOP / "CONTRIBUTING.md").read_text("utf-8")
    table = text.partition("| folder | what |")[2].partition("\n\n")[0]
    assert re.findall(r"^\| `([a-z]+)(?:/|\.py)` \|", table, re.MULTILINE) == layers()


def test_only_what_is_above_the_api_uses_it() -> None:
    """Other modules take from `nixpy` itself the version alone, or the layers would not hold."""
    above = {*layers()[layers().index(API) + 1 :], "__main__.py"}
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if path.relative_to(PACKAGE).parts[0] in above:
                continue
            if isinstance(node, ast.Import):
                assert "nixpy" not in [alias.name for alias in node.names], path
            if isinstance(node, ast.ImportFrom) and node.module == "nixpy":
                assert [alias.name for alias in node.names] == ["__version__"], path


@pytest.mark.parametrize("folder", FOLDERS)
def test_a_folder_says_what_it_is_and_exports_nothing(folder: str) -> None:
    """Its `__init__.py` is one docstring: what comes in, what goes out, and a module of the folder to read first."""
    tree = ast.parse((PACKAGE / folder / "__init__.py").read_text("utf-8"))
    assert len(tree.body) == 1
    text = ast.get_docstring(tree) or ""
    assert re.search(r"^In: .*Out: ", text, re.MULTILINE | re.DOTALL)
    first = re.search(r"Read `([a-z_]+\.py)`", text)
    assert first is not None
    assert (PACKAGE / folder / first[1]).is_file()


def test_tests_mirror_the_package() -> None:
    """Each folder of tests is a folder of the package or stands in the list above; all of the list exist."""
    folders = {path.parent.name for path in TESTS.glob("*/*") if path.is_file()} - {"__pycache__"}
    assert folders - set(FOLDERS) == set(OTHER_FOLDERS)
    assert not set(FOLDERS) & set(OTHER_FOLDERS)


def test_no_test_lies_at_the_top() -> None:
    """The top of tests has the fixtures of all tests and nothing else."""
    assert [path.name for path in TESTS.iterdir() if path.is_file()] == ["conftest.py"]
