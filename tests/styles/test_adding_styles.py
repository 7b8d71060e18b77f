"""A style is one Nix file and one TOML file, and so is a feature: toy ones need no change of any module.

Their files lie in `toy/`. Each test adds them to a copy of `templates` and points nixpy to it.
"""

from __future__ import annotations

import re
import shutil
import tomllib
from pathlib import Path

import pytest

import shop
from nixos.realnix import RELEASES, evaluate, warnings
from nixos.rfc166 import violations
from nixpy.core import templates
from nixpy.styles import features, styles
from runner import Nixpy

TOP = Path(__file__).parents[2]
TOY = Path(__file__).with_name("toy")
# Where each file goes.
PLACES = {
    "style.toml": "styles/toy/style.toml",
    "style.nix": "nix/styles/toy.nix",
    "toy.txt.jinja": "once/toy.txt.jinja",
    "feature.toml": "features/bells/feature.toml",
    "feature.nix": "nix/features/bells.nix",
}


@pytest.fixture
def added(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Return the copy of `templates` that has the toys."""
    root = tmp_path / "with-toys"
    shutil.copytree(TOP / "templates", root / "templates")
    shutil.copyfile(TOP / "copier.yml", root / "copier.yml")
    for name, place in PLACES.items():
        target = root / "templates" / place
        target.parent.mkdir(exist_ok=True)
        shutil.copyfile(TOY / name, target)
    monkeypatch.setattr(templates, "root", lambda: root)
    return root / "templates"


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """Return a project with libraries, of which one is opened by name."""
    return shop.project(tmp_path / "demo", "alpha", "beta", "gamma", "delta")


def change(path: Path, *changes: tuple[str, str]) -> None:
    """Replace texts in a file, each of which is there."""
    text = path.read_text()
    for old, new in changes:
        assert old in text
        text = text.replace(old, new)
    path.write_text(text)


@pytest.mark.usefixtures("added")
def test_both_are_listed(nixpy: Nixpy) -> None:
    """`nixpy styles` lists them, and tells more about the style by either of its names."""
    report = nixpy("styles", "--format", "json").json
    assert "toy" in [style["name"] for style in report["styles"]]
    assert [one["styles"] for one in report["features"] if one["name"] == "bells"] == [["loader", "toy"]]
    assert "A wrapper sets TOY_LIBRARIES" in nixpy("styles", "plaything").out


@pytest.mark.usefixtures("added")
def test_both_are_rendered(project: Path, nixpy: Nixpy) -> None:
    """`init` renders both, and writes what the style wants to be written once; afterwards the project is fresh."""
    ran = nixpy("init", project, "--style", "toy", "--python", "3.13", "--feature", "bells")
    assert ran.status == 0, ran.err
    text = (project / "nixpy.nix").read_text()
    assert '"styles/toy" =' in text
    assert '"features/bells" =' in text
    assert 'features = [ "bells" ];' in text
    assert 'BELL = "1";' in text
    assert "packages = [ pkgs.zlib ];" in text
    assert violations(text) == []
    assert (project / "toy.txt").read_text() == "Python 3.13\n"
    settings = tomllib.loads((project / "pyproject.toml").read_text())["tool"]["nixpy"]
    assert (settings["style"], settings["features"]) == ("toy", ["bells"])
    assert nixpy("check", project).status == 0
    assert nixpy("check", project, "--strict").status == 0


@pytest.mark.usefixtures("real_nix")
def test_what_is_rendered_evaluates(added: Path, project: Path, nixpy: Nixpy) -> None:
    """Every output evaluates without a warning on the oldest and the newest release, on every system."""
    assert nixpy("init", project, "--style", "toy", "--python", "3.13", "--feature", "bells").status == 0
    for release in (RELEASES[0], RELEASES[-1]):
        for version, said in evaluate(project, release).items():
            assert warnings(said) == [], (added, release, version)


def test_a_feature_needs_no_nix_file(added: Path, project: Path, nixpy: Nixpy) -> None:
    """A feature without one is not among the facts; what its TOML file says is."""
    (added / "nix/features/bells.nix").unlink()
    assert nixpy("init", project, "--style", "toy", "--feature", "bells").status == 0
    text = (project / "nixpy.nix").read_text()
    assert "bells" not in text
    assert "packages = [ pkgs.zlib ];" in text


def test_a_fact_that_nixpy_does_not_have_is_an_error(added: Path, project: Path, nixpy: Nixpy) -> None:
    """An argument without a default that is no fact is named."""
    change(added / "nix/styles/toy.nix", ("  openedSonames ? [ ],\n", "  moon,\n  openedSonames ? [ ],\n"))
    ran = nixpy("init", project, "--style", "toy")
    assert ran.status == 2
    assert "style toy takes the fact `moon`, which nixpy does not have" in ran.err


def test_a_fact_that_the_style_does_not_take_is_an_error(added: Path, project: Path, nixpy: Nixpy) -> None:
    """A style whose TOML file asks for the requirements must take them."""
    change(added / "styles/toy/style.toml", ("order =", 'wheels = "all"\norder ='))
    ran = nixpy("init", project, "--style", "toy")
    assert ran.status == 2
    assert "style toy takes no fact `requirements`" in ran.err


def test_a_new_project_is_offered_by_one_line(added: Path, tmp_path: Path, nixpy: Nixpy) -> None:
    """With a line among the choices of copier.yml, a new project has the style, and `init` writes the same."""
    change(added.parent / "copier.yml", ('    "conda: conda', '    "toy: a toy": toy\n    "conda: conda'))
    folder = tmp_path / "new"
    ran = nixpy("new", folder, "--defaults", "--style", "toy")
    assert ran.status == 0, ran.err
    assert nixpy("check", folder, "--strict").status == 0
    before = {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()}
    for name in ("nixpy.nix", "nixpy.lock", ".envrc", "toy.txt"):
        (folder / name).unlink()
    assert nixpy("init", folder, "--direnv", "--offline").status == 0
    assert {path: path.read_bytes() for path in folder.rglob("*") if path.is_file()} == before


def test_the_toys_are_gone_afterwards() -> None:
    """What one copy of the templates has is not kept for another."""
    assert "toy" not in [style.name for style in styles.styles()]
    assert "bells" not in [feature.name for feature in features.features()]


def test_no_module_names_the_toys() -> None:
    """The toys are added by their files alone."""
    modules = sorted((TOP / "scaffold").rglob("*.py"))
    assert [path for path in modules if re.search(r"""["'](toy|bells)["']""", path.read_text())] == []
