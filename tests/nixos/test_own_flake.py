"""nixpy's own flake: what it offers evaluates, and its templates are projects."""

from __future__ import annotations

import ast
import os
import re
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

from nixos.realnix import CURRENT, SYSTEMS, VERSIONS, Nix, evaluate, lock_flake, warnings
from nixos.repository import TOP, copy_repository
from nixos.rfc166 import violations
from nixpy.libraries.catalogue import Catalogue
from nixpy.styles.features import features
from nixpy.styles.styles import styles
from runner import Nixpy

MACHINES = {"machine-with-nix-ld", "machine-without-nix-ld", "machine-with-home-manager"}
EXAMPLES = sorted(path.name for path in (TOP / "examples").iterdir() if path.is_dir())


@pytest.fixture(scope="module")
def flake(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The repository, as a git repository whose nixpkgs is the stand-in."""
    folder = tmp_path_factory.mktemp("nixpy")
    copy_repository(folder)
    lock_flake(folder, "unstable")
    for command in (["init", "--quiet"], ["add", "--all"]):
        subprocess.run(["git", *command], cwd=folder, check=True)
    return folder


def test_it_evaluates_and_is_formatted(flake: Path) -> None:
    """`nix run`, `nix develop` and `nix flake check` of nixpy itself evaluate with both Nixes, for every system,
    without a warning.
    """
    for version, said in evaluate(flake, "unstable").items():
        assert warnings(said) == [], version
    assert violations((TOP / "flake.nix").read_text()) == []


def test_it_offers_what_a_flake_can(flake: Path) -> None:
    """There is a package, an app, checks and a shell for every system, an overlay, and a template for each example."""
    shown = CURRENT.flake_show(flake)
    for kind, names in {
        "packages": {"default"},
        "apps": {"default"},
        "checks": {"catalogue", "examples", "package"},
        "devShells": {"default"},
    }.items():
        more = MACHINES if kind == "checks" else set()
        expected = {system: names | more if system == "x86_64-linux" else names for system in SYSTEMS}
        assert {system: set(found) for system, found in shown[kind].items()} == expected, kind
    assert shown["overlays"]["default"]["type"] == "nixpkgs-overlay"
    assert "lib" in shown
    assert sorted(shown["templates"]) == EXAMPLES
    assert {style.name for style in styles()} | {feature.name for feature in features()} <= shown["templates"].keys()
    for name, template in shown["templates"].items():
        title = (TOP / "examples" / name / "README.md").read_text().partition("\n")[0]
        assert f"# {template['description']}" == title


def test_the_package_is_made_of_this_source(flake: Path) -> None:
    """What `nix run` starts is the package, with its name, its version and its command; the overlay has the same."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    found = CURRENT.eval_json(f"""
        let
          flake = builtins.getFlake "git+file://{flake}";
          package = flake.packages.{SYSTEMS[0]}.default;
          pkgs = flake.inputs.nixpkgs.legacyPackages.{SYSTEMS[0]};
        in
        {{
          inherit (package) name;
          program = flake.apps.{SYSTEMS[0]}.default.program == "${{package}}/bin/nixpy";
          overlay = (pkgs.extend flake.overlays.default).nixpy.drvPath == package.drvPath;
        }}
    """)
    assert found["name"].endswith(f"nixpy-{project['version']}")
    assert (found["program"], found["overlay"]) == (True, True)


def test_the_program_ignores_variables_of_python(flake: Path, tmp_path: Path) -> None:
    """The package starts nixpy with `-I`, so that it runs and can report a PYTHONHOME without a standard library."""
    expression = f'(builtins.getFlake "git+file://{flake}").packages.{SYSTEMS[0]}.default.preFixup'
    (tmp_path / "bin").mkdir()
    program = tmp_path / "bin/nixpy"
    program.write_text(f"#!{sys.executable}\nimport os; print(os.environ['PYTHONHOME'])\n")
    program.chmod(0o755)
    environ = {"PATH": os.environ["PATH"], "PYTHONHOME": "/nowhere", "out": str(tmp_path)}
    assert subprocess.run([program], env=environ, capture_output=True, check=False).returncode != 0
    subprocess.run(["sh", "-euc", CURRENT.eval_json(expression)], env=environ, check=True)
    done = subprocess.run([program], env=environ, capture_output=True, text=True, check=True)
    assert done.stdout == "/nowhere\n"


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("name", ["loader", "pip"])
def test_a_template_is_a_project(name: str, version: str, flake: Path, tmp_path: Path, nixpy: Nixpy) -> None:
    """`nix flake init -t` of the repository lays the example down, which `nixpy check` finds fresh."""
    Nix(version).run("nix", "flake", "init", "-t", f"git+file://{flake}#{name}", cwd=tmp_path)
    example = TOP / "examples" / name
    files = {path.relative_to(tmp_path): path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    assert {path: (example / path).read_bytes() for path in files} == files
    assert {Path(item) for item in ("README.md", "flake.nix", "nixpy.lock", "nixpy.nix")} <= files.keys()
    assert nixpy("check", "--strict", tmp_path).status == 0


def test_it_names_every_dependency() -> None:
    """What pyproject.toml asks for is in the flake, and what `nixpy new` wants."""
    project = tomllib.loads((TOP / "pyproject.toml").read_text())["project"]
    text = (TOP / "flake.nix").read_text()
    for requirement in [*project["dependencies"], *project["optional-dependencies"]["new"]]:
        assert requirement.partition(">")[0] in text.replace("ps.", "").replace(";", "").split()


def test_the_catalogue_has_every_library_of_the_table(flake: Path) -> None:
    """The check reads the table in Nix: its sonames are those that nixpy supplies from nixpkgs, on each system."""
    found = CURRENT.eval_json(f"""
        let flake = builtins.getFlake "git+file://{flake}";
        in builtins.mapAttrs (_: checks: builtins.attrNames checks.catalogue.sonames) flake.checks
    """)
    supplied = [entry for entry in Catalogue().entries.values() if entry.provider == "nixpkgs"]
    for system in SYSTEMS:
        names = {entry.soname for entry in supplied if entry.darwin or not system.endswith("darwin")}
        assert set(found[system]) == names, system


def test_a_machine_enters_the_shells_of_the_examples(flake: Path) -> None:
    """A test script is Python; it enters each shell, imports, opens a library by its name, and runs ruff."""
    scripts = CURRENT.eval_json(f"""
        let flake = builtins.getFlake "git+file://{flake}";
        in builtins.mapAttrs (_: test: test.testScript or "") flake.checks.x86_64-linux
    """)
    assert {name for name, script in scripts.items() if script} == MACHINES
    for name in MACHINES:
        assert ast.parse(scripts[name])
        for words in ("import numpy", "ctypes.CDLL", "ruff"):
            assert words in scripts[name], (name, words)
    assert "nix-ld" not in re.findall(r'develop\("([\w-]+)"', scripts["machine-without-nix-ld"])
