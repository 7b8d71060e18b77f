"""What nixpy renders, given to real Nix: it parses, is formatted, evaluates on every release, and warns of nothing."""

from __future__ import annotations

import json
import os
import re
import subprocess
import tomllib
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

import shop
from builderlocks import lock
from nixos.realnix import (
    CURRENT,
    RELEASES,
    SYSTEMS,
    VERSIONS,
    Nix,
    catalogue_states,
    evaluate,
    lock_flake,
    stand_in,
    warnings,
)
from nixos.rfc166 import violations
from nixpy.files.render import _jinja
from nixpy.libraries.catalogue import catalogue
from nixpy.nixpkgs.executables import substitutes
from nixpy.styles.features import Feature, features
from nixpy.styles.styles import find, styles
from runner import Nixpy
from smallindex import SmallIndex

STYLES = [style.name for style in styles()]
WITHOUT_INPUTS = [style.name for style in styles() if not style.inputs]
EXAMPLES = sorted(path.parent for path in Path(__file__).parents[2].glob("examples/*/nixpy.nix"))
EXAMPLES = [path for path in EXAMPLES if path.name != "uv2nix"]  # it reads uv.lock, which its reader makes first
SETTINGS = """[tool.nixpy]
packages = ["cmake", "ninja"]
shell-hook = '''
echo "a ${x} ''${y} $$ \\\\ it's"
'''
[tool.nixpy.env]
GREETING = "it's ${HOME} '' \\" \\\\ ü 🎉"
[tool.nixpy.libraries]
optional = true
add = ["libX11.so.6"]
"""


@pytest.fixture(params=["plain", "everything"])
def project(request: pytest.FixtureRequest, tmp_path: Path) -> Path:
    """A project with the least and one with the most that can be set."""
    if request.param == "plain":
        return shop.project(tmp_path / "plain", "gamma")
    return shop.project(tmp_path / "all", "alpha", "beta", "delta", "epsilon", "omega", "weasyprint", extra=SETTINGS)


def prepare(project: Path, style: str, index: SmallIndex) -> tuple[str, ...]:
    """Lock the project where the style reads a lock; where all is nixpkgs', let it ask for what nixpkgs has.

    Returns options: where others build what is locked, a wheel that is not there fails, and the shop has some for
    Linux alone.
    """
    lock(project, find(style), index)
    if find(style).reads == "pyproject.toml":
        text = (project / "pyproject.toml").read_text()
        head, _, tail = text.partition("dependencies = [")
        asked = 'dependencies = [\n  "psycopg2-binary",\n  "weasyprint",\n]'
        (project / "pyproject.toml").write_text(head + asked + tail.partition("]")[2])
    somewhere = find(style).reads.endswith(".lock") and project.name == "all"
    return tuple(part for system in SYSTEMS[:2] for part in ("--system", system)) if somewhere else ()


@pytest.mark.parametrize("style", STYLES)
def test_every_style_evaluates_on_every_release(
    style: str, project: Path, nixpy: Nixpy, index: SmallIndex, saw: Callable[[str, str, bool], None]
) -> None:
    """The flake evaluates unmodified and offline with both Nixes on 24.11 to unstable, for all systems, silently; macOS
    is among them where the style promises it.
    """
    options = prepare(project, style, index)
    assert nixpy("init", project, "--style", style, "--python", "3.13", *options).status == 0
    for release in RELEASES:
        for version, said in evaluate(project, release).items():
            assert warnings(said) == [], (release, version)
    if find(style).darwin and not options:
        saw(style, "darwin", '"aarch64-darwin"' in (project / "flake.nix").read_text())


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_every_example_evaluates_on_every_release(example: Path) -> None:
    """Its flake evaluates as it lies there, with both Nixes on 24.11 to unstable, for all its systems, silently."""
    for release in RELEASES:
        for version, said in evaluate(example, release).items():
            assert warnings(said) == [], (release, version)


@pytest.mark.parametrize("feature", features(), ids=lambda feature: feature.name)
def test_every_feature_evaluates_and_is_formatted(feature: Feature, tmp_path: Path, nixpy: Nixpy) -> None:
    """With each feature, every style that it works with evaluates silently on every release, and is formatted."""
    project = shop.project(tmp_path / "one", "alpha", "beta", "gamma", "delta")
    for style in sorted(feature.styles) or WITHOUT_INPUTS:
        asked = ("--style", style, "--python", "3.13", "--feature", feature.name)
        assert nixpy("init", project, *asked).status == 0
        assert violations((project / "nixpy.nix").read_text()) == [], style
        for release in RELEASES if style == "loader" else ("26.05",):
            for version, said in evaluate(project, release).items():
                assert warnings(said) == [], (style, release, version)


@pytest.mark.parametrize("style", STYLES)
def test_every_style_is_formatted(style: str, project: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """All Nix that is written follows RFC 166, as far as our checker of its rules can tell."""
    prepare(project, style, index)
    without_flake = ("--no-flake", "--nixpkgs", "0123456789abcdef0123456789abcdef01234567")
    shell = style in WITHOUT_INPUTS
    for flags in ((), without_flake) if shell else ((),):
        assert nixpy("init", project, "--style", style, *flags).status == 0
    written = {"nixpy.nix", "flake.nix"} | ({"shell.nix"} if shell else set())
    assert {path.name for path in project.glob("*.nix")} >= written
    for path in project.glob("*.nix"):
        assert violations(path.read_text()) == [], path.name


@pytest.mark.parametrize("style", WITHOUT_INPUTS)
def test_every_style_has_a_shell_without_flakes(style: str, project: Path, nixpy: Nixpy) -> None:
    """shell.nix evaluates over the same nixpy.nix with both Nixes, for every system."""
    assert nixpy("init", project, "--style", style, "--no-flake").status == 0
    file = project / "shell.nix"
    shells = f"""
        map (system: (import {file} {{ pkgs = import {stand_in("26.05")} {{ inherit system; }}; }}).drvPath)
          [ {" ".join(json.dumps(system) for system in SYSTEMS)} ]
    """
    for version in VERSIONS:
        done = Nix(version).run("nix-instantiate", "--eval", "--strict", "-E", shells)
        assert done.stdout.count(".drv") == len(SYSTEMS)
        assert warnings(done.stderr) == [], version


@pytest.mark.parametrize("style", STYLES)
def test_the_outputs_are_those_promised(style: str, project: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """nixpy.nix returns the attributes that flakes rely on, whatever the style; modules have keys without any pkgs."""
    prepare(project, style, index)
    assert nixpy("init", project, "--style", style).status == 0
    file = project / "nixpy.nix"
    current = Nix("current")
    names = current.eval_json(f"builtins.attrNames (import {file} {{ pkgs = throw {json.dumps('asked')}; }})")
    promised = ["apps", "checks", "homeModule", "libraries", "nixosModule", "packages", "python", "shell"]
    assert [name for name in names if name != "wrap"] == promised
    assert ("wrap" in names) == (style == "nix-ld")
    modules = f"let n = import {file} {{ pkgs = throw {json.dumps('asked')}; }}; in "
    current.eval_json(modules + "[ (builtins.attrNames n.nixosModule) (builtins.attrNames n.homeModule) ]")


@pytest.mark.parametrize("style", sorted({*STYLES} - {*WITHOUT_INPUTS}))
def test_a_missing_input_is_named(style: str, project: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """Where the user's flake hands on no inputs, the error names the one that is missing, and what to write."""
    prepare(project, style, index)
    assert nixpy("init", project, "--style", style).status == 0
    pkgs = f"import {stand_in('26.05')} {{ system = {json.dumps(SYSTEMS[0])}; }}"
    call = f"import {project / 'nixpy.nix'} {{ pkgs = {pkgs}; }}"
    for version in VERSIONS:
        done = Nix(version).run("nix-instantiate", "--eval", "-E", f"({call}).python.drvPath", check=False)
        assert done.returncode != 0
        named = re.search(f"nixpy: style {style} needs the flake input ([a-z0-9-]+)[.]", done.stderr)
        assert named is not None
        assert named[1] in {item.name for item in find(style).inputs}
        assert "{ inherit pkgs inputs; }" in done.stderr


BUILDING = [style.name for style in styles() if style.builds or style.reads]


@pytest.mark.parametrize(
    "external", ["", '[external]\ndependencies = ["dep:generic/git"]\n'], ids=["plain", "external"]
)
@pytest.mark.parametrize("style", BUILDING)
def test_every_program_of_the_project_is_an_app(
    style: str, external: str, tmp_path: Path, nixpy: Nixpy, index: SmallIndex
) -> None:
    """In each style that builds the project, its scripts and gui-scripts are apps of these names, formatted and silent;
    none is there of a project that does not say how it is built.
    """
    own = "tool.poetry" if find(style).reads == "poetry.lock" else "project"
    system = '[build-system]\nrequires = ["hatchling"]\nbuild-backend = "hatchling.build"\n'
    programs = f'[{own}.scripts]\nrun = "demo:main"\n[{own}.gui-scripts]\n"a.window" = "demo:main"\n'
    for kind, build in (("built", system), ("list", "")):
        project = shop.project(tmp_path / kind, "weasyprint", extra=programs + build + external)
        lock(project, find(style), index)
        assert nixpy("init", project, "--style", style, "--python", "3.13", "--system", SYSTEMS[0]).status == 0
        assert violations((project / "nixpy.nix").read_text()) == []
        assert [warnings(said) for said in evaluate(project, "26.05").values()] == [[], []]
        lock_flake(project, "26.05")
        shown = CURRENT.flake_show(project).get("apps", {}).get(SYSTEMS[0], {})
        built = build or find(style).builds == "always" or own == "tool.poetry"
        assert shown.keys() - {"default"} == ({"run", "a.window"} if built else set())


def test_every_expression_of_the_catalogue_exists_everywhere() -> None:
    """On each release, each expression of the catalogue, and of the programs' table, is a package that neither warns
    nor throws.
    """
    expressions = {entry.expression for entry in catalogue().entries.values() if entry.expression}
    expressions |= {substitute.expression for substitute in substitutes().values()}
    states = catalogue_states(sorted(expressions))
    wrong = {text: found for text, found in states.items() if set(found.values()) != {"ok"}}
    assert wrong == {}
    assert len(states) > 100


def test_families_name_packages_that_exist() -> None:
    """What a pattern makes of a soname is a package of the release that has this version of the family."""
    sonames = ("libpython3.13.so.1.0", "libpython3.12.so.1.0", "libicuuc.so.76", "libicudata.so.78")
    found = {soname: catalogue().find(soname) for soname in sonames}
    states = catalogue_states(sorted({entry.expression for entry in found.values() if entry and entry.expression}))
    for soname, entry in found.items():
        assert entry is not None
        if entry.expression:
            assert set(states[entry.expression].values()) == {"ok"}, soname


@settings(max_examples=5)
@given(st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"])), min_size=60, max_size=200))
@pytest.mark.parametrize("version", VERSIONS)
def test_any_text_comes_back_from_nix(version: str, texts: list[str]) -> None:
    """A string literal is read by Nix as the text it was made of, whatever that is; many in one call."""
    texts += ['"', "${x}", "$${x}", "''", "\n\r\t", "\\", "\\${", "🎉", "$", "${", "'' ${"]
    literals = [quoted(text) for text in texts]
    assert Nix(version).eval_strings(literals) == texts


def quoted(text: str) -> str:
    return str(
        _jinja().from_string('{% import "templates/_nix.jinja" as nix %}{{ nix.string(text) }}').render(text=text)
    )


def test_settings_reach_the_shell_unchanged(tmp_path: Path, nixpy: Nixpy) -> None:
    """The user's hook arrives as it was written, and bash sets the variables to the very text of the settings."""
    project = shop.project(tmp_path / "all", "gamma", extra=SETTINGS)
    assert nixpy("init", project, "--style", "loader").status == 0
    pkgs = f"import {stand_in('26.05')} {{ system = {json.dumps(SYSTEMS[0])}; }}"
    shell = f"(import {project / 'nixpy.nix'} {{ pkgs = {pkgs}; }}).shell"
    (hook,) = Nix("current").eval_strings([f"{shell}.shellHook"])
    table = tomllib.loads(SETTINGS)["tool"]["nixpy"]
    assert table["shell-hook"] in hook
    run = subprocess.run(
        ["bash", "-uc", f"{hook}\nprintf '%s' \"$GREETING\""],
        check=True,
        capture_output=True,
        text=True,
        env={"PATH": os.environ["PATH"], "HOME": "/h", "x": "", "y": ""},
        cwd=tmp_path,
    )
    assert run.stdout.endswith(table["env"]["GREETING"])


def test_the_users_hook_runs_before_the_shell_moves(tmp_path: Path, nixpy: Nixpy) -> None:
    """In style fhs, where the shell hook ends by moving into the root, the user's own has run by then."""
    project = shop.project(tmp_path / "all", "gamma", extra=SETTINGS)
    assert nixpy("init", project, "--style", "fhs").status == 0
    pkgs = f"import {stand_in('26.05')} {{ system = {json.dumps(SYSTEMS[0])}; }}"
    (hook,) = Nix("current").eval_strings([f"(import {project / 'nixpy.nix'} {{ pkgs = {pkgs}; }}).shell.shellHook"])
    mine = tomllib.loads(SETTINGS)["tool"]["nixpy"]["shell-hook"]
    assert 0 < hook.index(mine) < hook.index("exec /nix/store")


def test_a_reason_stays_a_comment() -> None:
    """A name with a line break, as no real package has, does not leave the comment."""
    macro = '{% import "templates/_nix.jinja" as nix %}{{ nix.comment("a\\nb\\rc") }}'
    assert _jinja().from_string(macro).render() == "a b c"
