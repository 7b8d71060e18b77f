"""The two places that a project takes the Nix functions from: below the facts, and the flake input `nixpy`."""

from __future__ import annotations

import json
import re
import shutil
from pathlib import Path

import pytest

import shop
from nixos.derivations import compare
from nixos.realnix import CURRENT, RELEASES, SYSTEMS, VERSIONS, Nix, evaluate, stand_in, warnings
from nixos.repository import TOP, copy_repository
from nixos.rfc166 import violations
from nixos.test_rendered import SETTINGS, prepare
from nixpy.analysis.nixpylock import NIX_FORMAT
from nixpy.styles.features import features
from nixpy.styles.styles import find, styles
from runner import Nixpy
from smallindex import SmallIndex

STYLES = [style.name for style in styles()]
WITH_INPUT = '[tool.nixpy]\nlibrary = "input"\nsource = "github:someone/nixpy"\n'
MORE = """
[project.scripts]
run = "demo:main"
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
[external]
dependencies = ["dep:generic/git"]
host-requires = ["dep:generic/libpq"]
"""
PROMISED = ["apps", "checks", "homeModule", "libraries", "nixosModule", "packages", "python", "shell"]
LIBRARY = f"nixpy.lib = import {TOP}/templates/nix;"


def init(project: Path, nixpy: Nixpy, style: str, *options: str) -> Path:
    assert nixpy("init", project, "--style", style, "--python", "3.13", *options).status == 0
    return project


def equal(project: Path, nixpy: Nixpy) -> int:
    """Compare the project, whose functions are vendored, with a copy that has the input; returns how many values are
    equal, which all are.
    """
    other = Path(shutil.copytree(project, project.parent / "with-input"))
    settings = other / "pyproject.toml"
    settings.write_text(settings.read_text().replace("[tool.nixpy]\n", WITH_INPUT))
    assert nixpy("sync", other).status == 0
    (text,) = (path.read_text() for path in other.rglob("n*.nix"))
    assert violations(text) == []
    assert "The rest is the same for every project" not in text
    total, different = compare(project, other)
    assert different == []
    return total


@pytest.mark.parametrize("style", STYLES)
def test_both_give_equal_derivations(style: str, tmp_path: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """Python, libraries, shell, packages, checks, apps and modules of every style are equal, on every release and
    system; and the file without the functions is formatted.
    """
    names = ("gamma", "alpha") if find(style).reads else ("gamma", "alpha", "weasyprint", "psycopg2-binary")
    project = shop.project(tmp_path / "all", *names, extra=SETTINGS + MORE)
    options = prepare(project, style, index)
    assert equal(init(project, nixpy, style, *options), nixpy) > 8 * len(RELEASES)


def test_both_give_equal_derivations_with_every_feature(tmp_path: Path, nixpy: Nixpy) -> None:
    """The same holds where every feature is on."""
    project = shop.project(tmp_path / "all", "alpha", "beta", "omega", extra=SETTINGS)
    chosen = [word for feature in features() for word in ("--feature", feature.name)]
    equal(init(project, nixpy, "wrapped-python", *chosen), nixpy)


def test_both_give_equal_derivations_of_a_file_in_a_folder(tmp_path: Path, nixpy: Nixpy) -> None:
    """The same holds where the generated file lies below the project, whose source it names."""
    extra = '[tool.nixpy]\nfile = "nix/nixpy.nix"\nversions = "locked"\nrelax = true\n' + MORE
    project = shop.project(tmp_path / "all", "alpha", "weasyprint", extra=extra)
    equal(init(project, nixpy, "application"), nixpy)


@pytest.fixture
def generated(tmp_path: Path, nixpy: Nixpy) -> Path:
    """A generated file that has the facts alone."""
    project = shop.project(tmp_path / "one", "alpha", "omega", extra=WITH_INPUT)
    return init(project, nixpy, "wheel-env") / "nixpy.nix"


def refused(version: str, file: Path, inputs: str) -> str:
    """What a Nix says when it refuses to evaluate the shell."""
    pkgs = f"import {stand_in('26.05')} {{ system = {json.dumps(SYSTEMS[0])}; }}"
    call = f"(import {file} {{ inputs = {{ {inputs} }}; pkgs = {pkgs}; }}).shell.drvPath"
    done = Nix(version).run("nix-instantiate", "--eval", "-E", call, check=False)
    assert done.returncode != 0
    return done.stderr


@pytest.mark.parametrize("version", VERSIONS)
@pytest.mark.parametrize("number", [NIX_FORMAT - 1, NIX_FORMAT + 1])
def test_another_format_is_refused(number: int, version: str, generated: Path) -> None:
    """Facts of an older and of a newer format are an error that names both numbers and the command that helps, before
    anything else of the facts is looked at.
    """
    text = generated.read_text()
    assert f"  format = {NIX_FORMAT};\n" in text
    other = text.replace(f"  format = {NIX_FORMAT};\n", f"  format = {number};\n")
    generated.write_text(other.replace('style = "wheel-env";', 'style = "of another version";'))
    said = refused(version, generated, LIBRARY)
    assert f"these facts have format {number}, and the flake input `nixpy` reads format {NIX_FORMAT}" in said
    assert "nix flake update nixpy" in said
    assert "nixpy sync" in said


@pytest.mark.parametrize("version", VERSIONS)
def test_an_input_that_is_not_handed_on_is_named(version: str, generated: Path) -> None:
    """Where the flake hands on no input `nixpy`, the error says how the file is imported."""
    said = refused(version, generated, "")
    assert "the flake input `nixpy` is missing" in said
    assert "{ inherit pkgs inputs; }" in said


def test_the_outputs_are_known_without_nixpkgs(generated: Path) -> None:
    """The file returns the attributes that flakes rely on, and modules have keys, without any pkgs."""
    file = f"(import {generated} {{ pkgs = throw {json.dumps('asked')}; inputs = {{ {LIBRARY} }}; }})"
    assert CURRENT.eval_json(f"builtins.attrNames {file}") == PROMISED
    CURRENT.eval_json(f"map builtins.attrNames [ {file}.nixosModule {file}.homeModule ]")


def test_the_flake_of_nixpy_has_the_functions() -> None:
    """`lib` of our own flake is there without its nixpkgs: pure functions of `pkgs`, for the format that is written."""
    lib = f"((import {TOP}/flake.nix).outputs {{ nixpkgs = throw {json.dumps('asked')}; }}).lib"
    assert CURRENT.eval_json(f"builtins.attrNames {lib}") == ["format", "functions", "mkProject"]
    assert CURRENT.eval_json(f"{lib}.format") == NIX_FORMAT
    arguments = CURRENT.eval_json(f"builtins.functionArgs {lib}.mkProject")
    assert arguments == {"facts": False, "format": False, "inputs": True, "pkgs": False}


@pytest.fixture(scope="module")
def checkout(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """What git knows of this repository, in a folder."""
    folder = tmp_path_factory.mktemp("checkout") / "nixpy"
    copy_repository(folder)
    return folder


@pytest.mark.parametrize("style", ["loader", "uv2nix"])
def test_a_new_flake_takes_the_functions_of_a_checkout(
    style: str, checkout: Path, tmp_path: Path, nixpy: Nixpy, index: SmallIndex
) -> None:
    """The flake that `init` writes, with a checkout of nixpy as `source`, evaluates as it is with both Nixes, for all
    systems, and is formatted.
    """
    extra = f'[tool.nixpy]\nlibrary = "input"\nsource = "path:{checkout}"\n'
    project = shop.project(tmp_path / "demo", "gamma", extra=extra)
    prepare(project, style, index)
    init(project, nixpy, style)
    assert violations((project / "flake.nix").read_text()) == []
    for version, said in evaluate(project, "26.05").items():
        assert warnings(said) == [], version
    assert nixpy("check", project).status == 0


@pytest.mark.parametrize("version", VERSIONS)
def test_nix_finds_the_checkout_itself(version: str, checkout: Path, tmp_path: Path, nixpy: Nixpy) -> None:
    """Without a flake.lock Nix takes the input from its path, and its nixpkgs from the flake; the outputs are those of
    the same project with the functions in its own file.
    """
    found = {}
    for library in ("vendored", "input"):
        extra = f'[tool.nixpy]\nlibrary = "{library}"\nsource = "path:{checkout}"\n'
        project = init(shop.project(tmp_path / library, "alpha", extra=extra), nixpy, "loader")
        options = ("--offline", "--no-write-lock-file", "--override-input", "nixpkgs", f"path:{stand_in('26.05')}")
        found[library] = [
            Nix(version).run("nix", "eval", "--raw", *options, f"path:{project}#{output}.drvPath").stdout
            for output in (
                f"devShells.{SYSTEMS[0]}.default",
                f"packages.{SYSTEMS[1]}.default",
                f"checks.{SYSTEMS[2]}.libraries",
            )
        ]
        Nix(version).run("nix", "flake", "check", "--no-build", *options, f"path:{project}")
    assert found["input"] == found["vendored"]
    assert all(re.fullmatch(r"/nix/store/\S+\.drv", path) for path in found["input"])
