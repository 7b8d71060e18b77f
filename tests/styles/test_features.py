"""Features: what the folders say, how they are asked for, and what of them reaches the rendered file."""

from __future__ import annotations

from pathlib import Path

import pytest

import shop
from nixpy.nixpkgs.executables import substitutes
from nixpy.styles.features import features
from nixpy.styles.styles import styles
from runner import Nixpy
from smallindex import build_wheel

NAMES = [feature.name for feature in features()]


@pytest.fixture
def project(tmp_path: Path) -> Path:
    return shop.project(tmp_path / "one", "alpha", "beta", "gamma")


def test_features_are_those_of_the_documents() -> None:
    """There is a feature for each thing the documents ask of a shell besides its style, and its styles exist.

    Those that no document asks for supply what packages need at run time.
    """
    assert NAMES == ["cuda", "find-library", "gobject", "nix-executables", "optimized", "playwright", "qt", "tkinter"]
    assert [feature.name for feature in features() if not feature.document] == ["playwright", "tkinter"]
    assert all(feature.styles <= {style.name for style in styles()} for feature in features())


@pytest.mark.parametrize("feature", NAMES)
def test_a_feature_changes_what_is_rendered(feature: str, project: Path, nixpy: Nixpy) -> None:
    """Asked for on the command line it is kept in the settings and changes the file; taken out, the file is stale."""
    assert nixpy("init", project, "--style", "loader").status == 0
    plain = (project / "nixpy.nix").read_text()
    assert nixpy("init", project, "--feature", feature).status == 0
    assert f'features = ["{feature}"]' in (project / "pyproject.toml").read_text()
    changed = (project / "nixpy.nix").read_text()
    assert (changed.splitlines()[2:] != plain.splitlines()[2:]) == (feature != "nix-executables")
    assert nixpy("check", project).status == 0
    settings = project / "pyproject.toml"
    settings.write_text(settings.read_text().replace(f'features = ["{feature}"]\n', ""))
    assert nixpy("check", project).status == (0 if feature == "nix-executables" else 1)


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ('features = ["cuba"]', "there is no feature `cuba`"),
        ('features = "cuda"', "must be a list of strings"),
        ('style = "fhs"\nfeatures = ["find-library"]', "feature `find-library` does not work with style `fhs`"),
    ],
)
def test_a_wrong_feature_is_one_clear_error(line: str, said: str, project: Path, nixpy: Nixpy) -> None:
    """It names what is wrong and the way out, and nothing is written."""
    settings = project / "pyproject.toml"
    settings.write_text(settings.read_text() + f"\n[tool.nixpy]\n{line}\n")
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    ran = nixpy("init", project)
    assert ran.status == 2
    assert said in ran.err
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_programs_of_nixpkgs_stand_for_those_of_wheels() -> None:
    """Each row of the table names a package, and a variable exactly where a program of it is named."""
    found = substitutes()
    assert found["ruff"].expression == "pkgs.ruff"
    assert found["playwright"].variable == "PLAYWRIGHT_NODEJS_PATH"
    assert all(bool(item.variable) == bool(item.program) for item in found.values())


def test_init_enables_find_library_for_a_package_that_calls_it(tmp_path: Path, nixpy: Nixpy) -> None:
    """`init` enables the feature in a new project, with its reason; later the settings decide, and NIX303 names it."""
    project = tmp_path / "one"
    project.mkdir()
    wheel = build_wheel(tmp_path / "wheels", "pyzbar", "0.1.9")
    (project / "requirements.txt").write_text(f"pyzbar @ {wheel.as_uri()}\n")
    ran = nixpy("init", project, "--style", "loader", "--format", "json")
    assert ran.status == 0, ran.err
    assert "NIX303" not in {problem["code"] for problem in ran.project["problems"]}
    assert "pyzbar calls ctypes.util.find_library" in ran.project["reasons"]["features"]
    settings = project / "nixpy.toml"
    assert 'features = ["find-library"]' in settings.read_text()
    assert nixpy("check", project).status == 0
    settings.write_text(settings.read_text().replace('features = ["find-library"]\n', ""))
    for command in ("sync", "init"):
        ran = nixpy(command, project, "--format", "json")
        assert "NIX303" in {problem["code"] for problem in ran.project["problems"]}
    assert "features" not in settings.read_text()
