"""The table from PyPI projects to nixpkgs' Python attributes."""

from __future__ import annotations

import csv
import re
from pathlib import Path

import pytest

from nixpy.core.errors import NixpyError
from nixpy.nixpkgs.python_packages import attribute, load

JUDGE = Path(__file__).parents[1] / "nixos" / "python-attributes.csv"


def states() -> dict[str, list[str]]:
    """Return the state of every judged attribute in each release, oldest first."""
    with JUDGE.open(encoding="utf-8", newline="") as file:
        _, *rows = csv.reader(file)
    return {name: cells for name, *cells in rows}


@pytest.mark.parametrize(
    ("project", "expression"),
    [
        ("numpy", "ps.numpy"),
        ("opencv-python", "ps.opencv4"),
        ("opencv-python-headless", "ps.opencv4"),
        ("psycopg2-binary", "ps.psycopg2"),
        ("onnxruntime-gpu", "ps.onnxruntime"),
        ("PyYAML", "ps.pyyaml"),
        ("beautifulsoup4", "ps.beautifulsoup4"),
        ("Pillow", "ps.pillow"),
        ("torch", "ps.torch"),
        ("scikit-learn", "ps.scikit-learn"),
        ("python-dateutil", "ps.python-dateutil"),
        ("PyGObject", "ps.pygobject3"),
        ("Bottleneck", "ps.bottleneck"),
        ("QtPy", "ps.qtpy"),
        ("hatch-fancy-pypi-readme", "ps.hatch-fancy-pypi-readme"),
        ("discord.py", "ps.discordpy"),
        ("ruamel.yaml", "ps.ruamel-yaml"),
        ("Faiss_CPU", "ps.faiss"),
        ("PySide6-Essentials", "ps.pyside6"),
        ("python-mpd2", "(ps.python-mpd2 or ps.mpd2)"),
    ],
)
def test_a_project_has_its_attribute(project: str, expression: str) -> None:
    """Spelling and case of a project's name do not matter, and irregular attributes are known."""
    assert attribute(project) == expression


def test_an_unknown_project_has_none() -> None:
    """What is not in the table is said to be unknown, never guessed from the name."""
    assert attribute("no-such-project-anywhere") is None


def test_every_attribute_works_in_every_release() -> None:
    """In each release the spelling that Nix would take is there, without a warning."""
    judged = states()
    for project in load(Path(load.__code__.co_filename).with_name("python-packages.csv")):
        spellings = re.findall(r"ps\.([\w'-]+)", attribute(project) or "")
        for column in range(5):
            # `a or b` takes `a` as soon as the attribute exists, even if it throws.
            taken = next((judged[name][column] for name in spellings if judged[name][column] != "-"), None)
            assert taken == "has", f"{project}: {spellings} in column {column}"


def test_the_judge_has_rows_that_must_not_be_used() -> None:
    """The judging table is no copy of the map: it knows old spellings, and they are not in the map."""
    bad = {name for name, cells in states().items() if set(cells) & {"throws"}}
    assert {"pytorch", "scikitlearn", "dateutil"} <= bad
    used = {name for project in bad if (name := attribute(project))}
    assert not used & {f"ps.{name}" for name in bad}


@pytest.mark.parametrize(
    ("rows", "line"),
    [
        ("numpy,numpy\nattrs,attrs\n", 3),
        ("attrs,attrs\nattrs,attrs\n", 3),
        ("Jinja2,jinja2\n", 2),
        ("ruamel.yaml,ruamel-yaml\n", 2),
        ("attrs,\n", 2),
        ("attrs,a b\n", 2),
        ("attrs,new or \n", 2),
        ("attrs,0attr\n", 2),
        ("attrs,attrs,more\n", 2),
        ("attrs\n", 2),
    ],
)
def test_a_malformed_row_is_named(tmp_path: Path, rows: str, line: int) -> None:
    """Disorder, repetition, unnormalised names and what is no Nix attribute end with the row's line."""
    file = tmp_path / "table.csv"
    file.write_text("pypi,attribute\n" + rows)
    with pytest.raises(NixpyError) as caught:
        load(file)
    assert (caught.value.path, caught.value.line) == (file, line)
