"""Style application: what is read of a project to build it, and what is rendered of that."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import shop
import vendored
from nixos.realnix import RELEASES, SYSTEMS, VERSIONS, Nix, NixError, evaluate, stand_in, warnings
from nixos.rfc166 import violations
from nixpy.files.reconcile import parts
from runner import Nixpy
from smallindex import SmallIndex, build_wheel

INIT = ("--style", "application", "--python", shop.PYTHON)
ALL = """\
[build-system]
requires = ["hatchling>=1", "hatch-vcs", "tomli; python_version < '3.11'", "pbr"]

[project]
name = "Demo.App"
dynamic = ["version"]
description = "Says ${x} and \\"quotes\\" ''"
requires-python = ">=3.11"
dependencies = ["gamma", "alpha; sys_platform == 'win32'"]

[project.optional-dependencies]
more = ["weasyprint"]

[project.urls]
Homepage = "https://example.org/demo"

[project.scripts]
"a.b" = "demo.cli:main"
demo-app = "demo.cli:main"

[project.gui-scripts]
window = "demo.window:main [gui]"

[dependency-groups]
dev = ["pillow"]

[tool.nixpy]
extras = ["more"]
relax = ["WeasyPrint", "hatch-vcs"]
"""
SETUP = """\
from setuptools import setup
setup(name="Demo", version="2", install_requires=["weasyprint"], scripts=["bin/demo.sh"], url="https://example.org")
"""

CFG = "[metadata]\nname = demo\nversion = 2\n[options]\ninstall_requires =\n  weasyprint\n"


@pytest.fixture
def folder(tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """An empty folder called demo, and an index with packages of which nixpkgs has all but one."""
    path = tmp_path / "demo"
    path.mkdir()
    for name in ("alpha", "gamma", "pillow", "weasyprint"):
        build_wheel(tmp_path / "stock", name, "1.0")
    with SmallIndex(tmp_path / "stock") as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        yield path


def attributes(project: Path) -> dict[str, Any]:
    """What real Nix makes of the rendered application, silently."""
    done = Nix("current").run(
        *("nix-instantiate", "--eval", "--strict", "--json", "-"),
        stdin=f"""
          let
            pkgs = import {stand_in("26.05")} {{ system = "{SYSTEMS[0]}"; }};
            nixpy = import {project / "nixpy.nix"} {{ inherit pkgs; }};
            it = nixpy.packages.default;
            names = list: map (p: p.pname) (builtins.filter (p: p ? pname && p.pname != "python3") list);
          in
          {{
            inherit (it) pname version;
            meta = builtins.intersectAttrs {{ description = 1; homepage = 1; mainProgram = 1; }} it.meta;
            relax = it.pythonRelaxDeps or [ ];
            flags = it.pypaBuildFlags or [ ];
            imports = it.pythonImportsCheck or [ ];
            variable = it.PBR_VERSION or null;
            dependencies = names it.propagatedBuildInputs;
            build = names it.nativeBuildInputs;
            shell = names nixpy.python.paths;
            apps = builtins.mapAttrs (_: app: baseNameOf app.program) nixpy.apps;
          }}
        """,
    )
    assert warnings(done.stderr) == []
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def codes(said: str) -> set[str]:
    return set(re.findall(r"NIX32\d", said))


@pytest.mark.usefixtures("real_nix")
def test_a_pyproject_is_all_there_is_to_know(folder: Path, nixpy: Nixpy) -> None:
    """Name, words, build system, dependencies of the extras that are chosen, programs and what they import come from
    pyproject.toml; markers hold for the Python, and dependency groups are for the shell alone.
    """
    (folder / "pyproject.toml").write_text(ALL)
    ran = nixpy("init", folder, *INIT)
    assert ran.status == 0
    found = attributes(folder)
    assert (found["pname"], found["version"], found["variable"]) == ("demo-app", "0", "0")
    assert found["meta"] == {
        "description": "Says ${x} and \"quotes\" ''",
        "homepage": "https://example.org/demo",
        "mainProgram": "demo-app",
    }
    assert found["build"] == ["hatch-vcs", "hatchling", "pbr"]
    assert found["dependencies"] == ["weasyprint", "gamma"]  # the second from its wheel
    assert set(found["shell"]) >= {"hatch-vcs", "hatchling", "pbr", "weasyprint", "pillow"}
    assert not {"alpha", "tomli"} & {*found["shell"]}
    assert found["imports"] == ["demo.cli", "demo.window"]
    assert (found["relax"], found["flags"]) == (["weasyprint"], ["--skip-dependency-check"])
    assert found["apps"] == {"a.b": "a.b", "default": "demo-app", "demo-app": "demo-app", "window": "window"}
    assert codes(ran.out) == {"NIX321"}
    assert nixpy("check", folder).status == 0


@pytest.mark.usefixtures("real_nix")
def test_a_build_system_that_nixpkgs_lacks(folder: Path, nixpy: Nixpy) -> None:
    """It is told, and taken from an overlay or its wheel; where there is neither, the build names it."""
    text = (
        '[project]\nname = "x"\nversion = "1"\n[project.scripts]\nx = "x:main"\n'
        '[build-system]\nrequires = ["own-backend"]\n'
    )
    (folder / "pyproject.toml").write_text(text)
    assert codes(nixpy("init", folder, *INIT).out) == {"NIX323"}
    text = (folder / "nixpy.nix").read_text()
    assert 'build-system = [ "own-backend" ];' in parts(text)[0]
    # First nixpkgs, then a wheel, else an error.
    order = r"self\.first-of ps\b.*\bfromWheel\.\$\{name\} or \(throw\b"
    assert re.search(order, vendored.files(text)["own"], re.DOTALL)
    with pytest.raises(NixError, match="nixpkgs has no own-backend, which builds the project; `nixpy package"):
        evaluate(folder, "26.05")


@pytest.mark.usefixtures("real_nix")
@pytest.mark.parametrize("kind", ["all", "setup.py", "least"])
def test_it_evaluates_on_every_release_and_is_formatted(kind: str, folder: Path, nixpy: Nixpy) -> None:
    """With all that can be there and with the least, both Nixes take what is rendered on each release, silently, and it
    follows RFC 166; default.nix and shell.nix too.
    """
    name, text = {
        "all": ("pyproject.toml", ALL),
        "setup.py": ("setup.py", SETUP),
        "least": ("pyproject.toml", '[project]\nname = "x"\nversion = "1"\n'),
    }[kind]
    (folder / name).write_text(text)
    for flags in (), ("--no-flake",):
        assert nixpy("init", folder, *INIT, *flags).status == 0
    assert {path.name for path in folder.glob("*.nix")} == {"default.nix", "flake.nix", "nixpy.nix", "shell.nix"}
    for path in folder.glob("*.nix"):
        assert violations(path.read_text()) == [], path.name
    for release in RELEASES:
        for version, said in evaluate(folder, release).items():
            assert warnings(said) == [], (release, version)
    expression = f"(import {folder / 'default.nix'} {{ nixpkgs = {stand_in('26.05')}; }}).drvPath"
    for version in VERSIONS:
        done = Nix(version).run("nix-instantiate", "--eval", "--strict", "-E", expression)
        assert ".drv" in done.stdout
        assert warnings(done.stderr) == []


@pytest.mark.usefixtures("real_nix")
def test_setup_py_is_built_by_setuptools(folder: Path, nixpy: Nixpy) -> None:
    """What setup.py says is what is built; without a pyproject.toml by setuptools, which a comment says."""
    (folder / "setup.py").write_text(SETUP)
    ran = nixpy("init", folder, *INIT)
    assert (ran.status, codes(ran.out)) == (0, set())
    found = attributes(folder)
    assert (found["pname"], found["version"]) == ("demo", "2")
    assert (found["build"], found["dependencies"]) == (["setuptools"], ["weasyprint"])
    assert found["meta"] == {"homepage": "https://example.org", "mainProgram": "demo.sh"}
    assert found["apps"] == {"default": "demo.sh", "demo.sh": "demo.sh"}
    text = (folder / "nixpy.nix").read_text()
    assert "build-system" not in parts(text)[0]
    assert re.search(r'build-system \? \[ "setuptools" \], # the default of PEP 517\n', vendored.files(text)["own"])


@pytest.mark.usefixtures("real_nix")
def test_a_build_system_without_packages(folder: Path, nixpy: Nixpy) -> None:
    """A project whose build backend is its own asks for nothing to be built with, and setuptools is not added."""
    (folder / "pyproject.toml").write_text(
        '[project]\nname = "demo"\nversion = "1"\n'
        '[build-system]\nrequires = []\nbuild-backend = "backend"\nbackend-path = ["."]\n'
    )
    assert nixpy("init", folder, *INIT).status == 0
    assert "\n      build-system = [ ];\n" in parts((folder / "nixpy.nix").read_text())[0]
    assert attributes(folder)["build"] == []


@pytest.mark.usefixtures("real_nix")
def test_requirements_stand_in_for_what_setup_py_works_out(folder: Path, nixpy: Nixpy) -> None:
    """Where setup.py works out its dependencies and its name, requirements.txt has the former, the folder the latter,
    which is a problem.
    """
    (folder / "setup.py").write_text("from setuptools import setup\nsetup(name=name(), install_requires=read())\n")
    (folder / "requirements.txt").write_text("weasyprint\n")
    ran = nixpy("init", folder, *INIT)
    assert codes(ran.out) == {"NIX321", "NIX322", "NIX324"}
    found = attributes(folder)
    assert (found["pname"], found["version"], found["dependencies"]) == ("demo", "0", ["weasyprint"])
    assert (found["apps"], found["meta"]) == ({}, {})


@pytest.mark.slow
@pytest.mark.parametrize(
    ("files", "told"),
    [
        ({"setup.py": SETUP, "requirements.txt": "gamma\n"}, True),
        (
            {"setup.cfg": CFG, "setup.py": "from setuptools import setup\nsetup()\n", "requirements.txt": "gamma\n"},
            True,
        ),
        ({"setup.py": SETUP, "requirements.txt": "gamma\nWeasyPrint==1.0\n"}, False),
        ({"setup.py": SETUP.replace('t"]', "t; os_name == 'nt'\"]"), "requirements.txt": "gamma\n"}, False),
        ({"setup.py": SETUP}, False),
    ],
)
@pytest.mark.parametrize("style", ["application", "wheel-env", "loader", "pyproject-nix"])
def test_requirements_that_hide_those_of_setup_py_are_told(
    style: str, files: dict[str, str], told: bool, folder: Path, nixpy: Nixpy
) -> None:
    """Where a requirements file lacks what install_requires has, a style that builds the project says which is used
    for what; where nothing is hidden, or nothing built, there is nothing to say.
    """
    if style == "pyproject-nix":  # it reads no setup.py
        files = {"requirements.txt": "gamma\n", **files}
    for name, text in files.items():
        (folder / name).write_text(text)
    ran = nixpy("init", folder, "--style", style, "--python", shop.PYTHON, "--format", "json")
    assert ran.status == 0, ran.err
    found = [problem for problem in ran.project["problems"] if problem["code"] == "NIX325"]
    assert len(found) == (told and style in ("application", "wheel-env"))
    for problem in found:
        assert problem["package"] == "weasyprint"
        assert "requirements.txt decides what is installed with the project" in problem["message"]
        assert "Add the missing packages to requirements.txt." in problem["hint"]


@pytest.mark.parametrize(
    ("tables", "files", "version"),
    [
        ('[tool.hatch.version]\npath = "demo.py"', {"demo.py": 'VERSION = "1.5"\n'}, "1.5"),
        ('[tool.hatch.version]\npath = "demo.py"\npattern = "x"', {"demo.py": 'VERSION = "1.5"\n'}, "0"),
        ('[tool.hatch.version]\nsource = "vcs"', {}, "0"),
        ('[tool.pdm.version]\nsource = "file"\npath = "demo.py"', {"demo.py": '__version__: str = "1.5"\n'}, "1.5"),
        ('[tool.setuptools.dynamic]\nversion = {attr = "demo.V"}', {"src/demo/__init__.py": 'V = "1.5"\n'}, "1.5"),
        ('[tool.setuptools.dynamic]\nversion = {attr = "demo.V"}', {"demo.py": "V = work_it_out()\n"}, "0"),
        ('[tool.setuptools.dynamic]\nversion = {file = "VERSION"}', {"VERSION": "1.5\n"}, "1.5"),
        ('[tool.setuptools.dynamic]\nversion = {file = "VERSION"}', {}, "0"),
    ],
)
def test_a_version_in_a_file_of_the_project_is_read(
    folder: Path, nixpy: Nixpy, tables: str, files: dict[str, str], version: str
) -> None:
    """A dynamic version is read where its backend finds it written out; what Git or code tells is 0, and a problem."""
    (folder / "pyproject.toml").write_text(f'[project]\nname = "demo"\ndynamic = ["version"]\n{tables}\n')
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    ran = nixpy("init", folder, *INIT)
    assert f'version = "{version}";' in (folder / "nixpy.nix").read_text()
    assert ("NIX321" in ran.out) == (version == "0")


@pytest.mark.usefixtures("real_nix")
def test_poetrys_own_table_is_read_too(folder: Path, nixpy: Nixpy) -> None:
    """A project that is locked by Poetry and described in its table is built from what stands there."""
    (folder / "pyproject.toml").write_text("""\
[build-system]
requires = ["poetry-core"]

[tool.poetry]
name = "demo"
version = "3"

[tool.poetry.scripts]
demo = "demo:main"
other = { reference = "demo.other:main", type = "console" }
""")
    (folder / "poetry.lock").write_text('package = []\n[metadata]\nlock-version = "2.1"\npython-versions = ">=3.11"\n')
    assert nixpy("init", folder, *INIT).status == 0
    found = attributes(folder)
    assert (found["pname"], found["version"], found["build"]) == ("demo", "3", ["poetry-core"])
    assert found["imports"] == ["demo", "demo.other"]


def test_the_file_may_lie_in_a_folder(folder: Path, nixpy: Nixpy) -> None:
    """With `file = "nix/here.nix"` the source is the project's folder still, and without the file itself."""
    (folder / "pyproject.toml").write_text(f'{ALL}file = "nix/here.nix"\n')
    assert nixpy("init", folder, *INIT).status == 0
    text = (folder / "nix/here.nix").read_text()
    facts, own = parts(text)[0], vendored.files(text)["own"]
    assert "source = ../.;" in facts
    assert 'file = "here.nix";' in facts
    assert "src = source;" in own
    ignored = own.partition("(baseNameOf path) [")[2].partition("]")[0]
    assert {'"nixpy.lock"', "file"} <= set(ignored.split())
    assert violations(text) == []


@pytest.mark.parametrize(
    ("files", "words"),
    [
        ({"requirements.txt": "gamma\n"}, "no file states the name of the project"),
        ({"pyproject.toml": '[project]\nversion = "1"\n'}, "pyproject.toml:1: the project has no name"),
        (
            {"pyproject.toml": '[project]\nname = "x"\n[build-system]\nrequires = ["a b"]\n'},
            "pyproject.toml:4: `a b` in `build-system.requires` is not a requirement",
        ),
        (
            {"pyproject.toml": '[project]\nname = "x"\nscripts = 1\n'},
            "pyproject.toml:3: `project.scripts` must be a table",
        ),
        ({"pyproject.toml": '[project]\nname = "x"\n[tool.nixpy]\nrelax = "x"\n'}, "must be true or a list"),
    ],
)
def test_what_cannot_be_built_is_one_error(folder: Path, nixpy: Nixpy, files: dict[str, str], words: str) -> None:
    """A project that does not say how it is built, or says it wrongly, is an error, and nothing is written."""
    for name, text in files.items():
        (folder / name).write_text(text)
    ran = nixpy("init", folder, *INIT)
    assert ran.status == 2
    assert words in ran.err
    assert {path.name for path in folder.iterdir()} == files.keys()
