"""Packages that a project takes from folders and repositories: built by their own back ends, never looked up."""

from __future__ import annotations

import json
from pathlib import Path

import pytest

from nixpy.files.reconcile import parts
from runner import Nixpy
from smallindex import SmallIndex

pytestmark = pytest.mark.slow  # several commands for each lock

PROJECT = '[project]\nname = "app"\nversion = "1"\nrequires-python = ">=3.11"\n'
LIBRARY = """\
[project]
name = "secret"
version = "1"
dependencies = ["alpha"]

[build-system]
requires = ["{build}"]
build-backend = "x"
"""
UV = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "app"
version = "1"
source = {{ virtual = "." }}
dependencies = [{{ name = "secret" }}]

[package.metadata]
requires-dist = [{{ name = "secret", directory = "libs/secret" }}]

[[package]]
name = "secret"
version = "1"
source = {{ {source} }}
"""
POETRY = """\
[[package]]
name = "secret"
version = "1"
optional = false
python-versions = "*"
groups = ["main"]
files = []
develop = {editable}

[package.source]
type = "directory"
url = "libs/secret"

[metadata]
lock-version = "2.1"
python-versions = ">=3.11"
content-hash = ""
"""
PDM = """\
[metadata]
groups = ["default"]
strategy = ["inherit_metadata"]
lock_version = "4.5.0"
content_hash = ""

[[package]]
name = "secret"
version = "1"
path = "./libs/secret"
editable = {editable}
groups = ["default"]
"""
PYLOCK = """\
lock-version = "1.0"
created-by = "hand"

[[packages]]
name = "secret"
directory = {{ path = "libs/secret", editable = {editable} }}
"""
LOCKS = {
    "uv.lock": UV.replace("{source}", 'directory = "libs/secret"').replace("{{", "{").replace("}}", "}"),
    "poetry.lock": POETRY.format(editable="false"),
    "pdm.lock": PDM.format(editable="false"),
    "pylock.toml": PYLOCK.format(editable="false"),
    "requirements.txt": "./libs/secret\n",
}
EDITABLE = {
    "uv.lock": UV.replace("{source}", 'editable = "libs/secret"').replace("{{", "{").replace("}}", "}"),
    "poetry.lock": POETRY.format(editable="true"),
    "pdm.lock": PDM.format(editable="true"),
    "pylock.toml": PYLOCK.format(editable="true"),
    "requirements.txt": "-e ./libs/secret\n",
}


def write(folder: Path, name: str, text: str, build: str = "hatchling") -> Path:
    """Write a project with a lock, and the folder that it requires."""
    library = folder / "libs/secret"
    library.mkdir(parents=True)
    (library / "pyproject.toml").write_text(LIBRARY.format(build=build).replace('dependencies = ["alpha"]\n', ""))
    if name != "requirements.txt":
        (folder / "pyproject.toml").write_text(PROJECT + 'dependencies = ["secret"]\n')
    (folder / name).write_text(text)
    return folder


def facts(folder: Path) -> str:
    """Return the facts in the generated file, without the functions below them."""
    return parts((folder / "nixpy.nix").read_text())[0]


def codes(folder: Path, nixpy: Nixpy, *options: str) -> dict[str, str]:
    """Return the diagnostics about the package in JSON, by code."""
    done = nixpy("init", folder, "--format", "json", "--python", "3.13", *options)
    assert done.status == 0, done.err
    (project,) = done.json["projects"]
    assert not [one for one in project["problems"] if one["code"] == "NIX218"]
    return {one["code"]: f"{one['message']} {one['hint']}" for one in project["problems"] if one["package"]}


@pytest.mark.parametrize("name", LOCKS)
@pytest.mark.parametrize("locks", [LOCKS, EDITABLE], ids=["copied", "editable"])
def test_pure_python_in_a_folder(
    tmp_path: Path, nixpy: Nixpy, index: SmallIndex, locks: dict[str, str], name: str
) -> None:
    """The installer builds it: there is no compiler, nothing to report, and no index receives its name."""
    folder = write(tmp_path, name, locks[name])
    before = len(index.requests)
    assert codes(folder, nixpy, "--style", "loader") == {}
    assert not [request for request in index.requests[before:] if "secret" in str(request)]
    assert "pkg-config" not in facts(folder)
    assert nixpy("check", folder).status == 0


@pytest.mark.parametrize("name", LOCKS)
@pytest.mark.parametrize("locks", [LOCKS, EDITABLE], ids=["copied", "editable"])
def test_a_style_without_builds_names_the_folder(
    tmp_path: Path, nixpy: Nixpy, locks: dict[str, str], name: str
) -> None:
    """No package of that name is taken from nixpkgs, and nothing sends the name to `nixpy package`."""
    folder = write(tmp_path, name, locks[name])
    (folder / "libs/requests").mkdir()
    for path in (folder / "pyproject.toml", folder / name, folder / "libs/secret/pyproject.toml"):
        if path.exists():
            path.write_text(path.read_text().replace("secret", "requests"))
    (folder / "libs/secret/pyproject.toml").rename(folder / "libs/requests/pyproject.toml")
    found = codes(folder, nixpy, "--style", "with-packages")
    assert found.keys() == {"NIX305"}
    assert "requests is a local folder that style with-packages does not build" in found["NIX305"]
    assert "requests" not in facts(folder).partition("direct")[2].partition("]")[0]


@pytest.mark.parametrize("locks", [LOCKS, EDITABLE], ids=["copied", "editable"])
def test_what_its_build_starts_is_in_the_shell(tmp_path: Path, nixpy: Nixpy, locks: dict[str, str]) -> None:
    """A folder with a back end that compiles gets the tools of that; `check` notices when the build changes."""
    folder = write(tmp_path, "uv.lock", locks["uv.lock"], build="maturin")
    found = codes(folder, nixpy, "--style", "loader")
    assert "secret 1 is a local folder" in found["NIX201"]
    assert "rescan" not in found["NIX201"]
    assert "pkgs.cargo" in facts(folder)
    assert nixpy("check", folder).status == 0
    library = folder / "libs/secret/pyproject.toml"
    library.write_text(library.read_text().replace("maturin", "hatchling"))
    done = nixpy("check", folder)
    assert done.status == 1
    assert nixpy("sync", folder).status == 0
    assert "pkgs.cargo" not in facts(folder)


def test_what_a_folder_requires_comes_from_nixpkgs(tmp_path: Path, nixpy: Nixpy) -> None:
    """A style that leaves out the folder has the packages that the folder requires."""
    folder = write(tmp_path, "uv.lock", LOCKS["uv.lock"])
    library = folder / "libs/secret/pyproject.toml"
    library.write_text(library.read_text().replace('version = "1"\n', 'version = "1"\ndependencies = ["toolz"]\n'))
    codes(folder, nixpy, "--style", "with-packages", "--offline")
    assert "toolz" in facts(folder)


def test_a_repository_is_unknown(tmp_path: Path, nixpy: Nixpy) -> None:
    """What a repository has is not read, and no hint promises that it can be."""
    text = LOCKS["uv.lock"].replace('directory = "libs/secret"', f'git = "https://git.example/x#{40 * "0"}"', 2)
    text = text.replace('directory = "libs/secret"', "")
    folder = write(tmp_path, "uv.lock", text)
    found = codes(folder, nixpy, "--style", "loader")
    assert "nixpy reads no repository" in found["NIX201"]
    assert "pkgs.git" in facts(folder)
    assert "rescan" not in found["NIX201"]
    found = codes(folder, nixpy, "--style", "with-packages")
    assert "comes from a repository" in found["NIX301"]
    assert "nixpy package" not in found["NIX301"]


def test_nixpy_lock_records_the_source(tmp_path: Path, nixpy: Nixpy) -> None:
    """The source of a package is in nixpy.lock, without its path."""
    folder = write(tmp_path, "uv.lock", LOCKS["uv.lock"])
    codes(folder, nixpy, "--style", "loader", "--system", "x86_64-linux")
    (found,) = json.loads((folder / "nixpy.lock").read_text())["systems"]["x86_64-linux"]["unavailable"]
    assert found == {
        "name": "secret",
        "version": "1",
        "sdist": True,
        "source": "folder",
        "build": ["hatchling"],
        "compiled": False,
    }
