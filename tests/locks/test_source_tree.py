"""How the folder of a path dependency is built, read from its files."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixpy.core import limits
from nixpy.locks.model import SdistFacts
from nixpy.locks.source_tree import source_facts

OWN = '[project]\nname = "x"\nversion = "1"\n'


def build(*requires: str) -> str:
    """Return a pyproject.toml with these build requirements."""
    return f"{OWN}[build-system]\nrequires = {list(requires)}\nbuild-backend = 'x'\n"


@pytest.mark.parametrize(
    ("files", "requires", "compiled"),
    [
        ({"pyproject.toml": build("hatchling>=1.20")}, ["hatchling"], False),
        ({"pyproject.toml": build("flit_core")}, ["flit-core"], False),
        ({"pyproject.toml": build("poetry-core")}, ["poetry-core"], False),
        ({"pyproject.toml": build("uv_build<1")}, ["uv-build"], False),
        ({"pyproject.toml": build("setuptools", "wheel")}, ["setuptools", "wheel"], False),
        ({"pyproject.toml": OWN}, ["setuptools"], False),
        ({"setup.py": "setup(name='x')"}, ["setuptools"], False),
        ({"setup.cfg": ""}, ["setuptools"], False),
        ({"setup.py": "setup(name='x', ext_modules=[])"}, ["setuptools"], True),
        ({"pyproject.toml": build("maturin")}, ["maturin"], True),
        ({"pyproject.toml": build("scikit-build-core", "pybind11")}, ["pybind11", "scikit-build-core"], True),
        ({"pyproject.toml": build("meson-python")}, ["meson-python"], True),
        ({"pyproject.toml": build("setuptools"), "src/x/fast.pyx": ""}, ["setuptools"], True),
        ({"pyproject.toml": build("setuptools"), "x.c": ""}, ["setuptools"], True),
        (
            {"pyproject.toml": build("setuptools"), "tests/x.c": "", ".venv/x.c": "", "node_modules/a/x.cc": ""},
            ["setuptools"],
            False,
        ),
    ],
)
def test_the_build_is_read(tmp_path: Path, files: dict[str, str], requires: list[str], compiled: bool) -> None:
    """The build requirements are those of pyproject.toml, by default setuptools; sources to compile are found."""
    for name, text in files.items():
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
    assert source_facts(tmp_path) == SdistFacts(build=tuple(requires), compiled=compiled)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "text",
    [
        None,
        "[",
        "[build-system]\nrequires = 1\n",
        "[build-system]\nrequires = ['a b']\n",
        "[build-system]\nrequires = [1]\n",
    ],
)
def test_a_folder_that_cannot_be_read(tmp_path: Path, text: str | None) -> None:
    """Nothing is known of an empty folder, of a damaged pyproject.toml, and of a folder that does not exist."""
    if text is not None:
        (tmp_path / "pyproject.toml").write_text(text)
    assert source_facts(tmp_path) is None
    assert source_facts(tmp_path / "none") is None


def test_a_folder_with_too_many_files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """More files than a package has are not listed."""
    (tmp_path / "pyproject.toml").write_text(OWN)
    for number in range(5):
        (tmp_path / f"{number}.txt").touch()
    monkeypatch.setattr(limits, "MEMBERS", 4)
    assert source_facts(tmp_path) is None
