"""Files of `nixpy package`, built by real Nix from sdists and wheels, and imported where there is no /lib; also in the
layout of nixpkgs.
"""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

from nixos.box.sandbox import Box
from nixos.box.store import build
from nixos.box.test_box_external import BUILD, CRC, CRC_OF_NIXPY, SETUP
from nixos.realnix import CURRENT, NixError
from smallindex import SmallIndex, build_sdist, build_wheel

PYTHON = """(let python = pkgs.python313.override {{
    self = python;
    packageOverrides = final: previous: {{ tiny = final.callPackage {} {{ }}; }};
  }}; in {})"""
LIBRARY = {
    "pyproject.toml": """\
[build-system]
requires = ["setuptools>=60"]
build-backend = "setuptools.build_meta"

[project]
name = "tiny"
version = "1.0"
dependencies = ["numpy>=2"]
""",
    "tiny/__init__.py": "import numpy\n\nANSWER = int(numpy.sum([40, 2]))\n",
}
PROGRAM = {
    "pyproject.toml": """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "tinyapp"
version = "2.0"
dependencies = ["tiny>=1"]

[project.scripts]
tinyapp = "tinyapp:main"
""",
    "tinyapp.py": "import tiny\n\n\ndef main():\n    print(tiny.ANSWER)\n",
}


def sdist(folder: Path, name: str, version: str, files: dict[str, str], requires: str = "") -> None:
    """Write the sdist of a project of these files, and put it where fetchPypi would download it to."""
    stem = f"{name}-{version}"
    info = f"Metadata-Version: 2.2\nName: {name}\nVersion: {version}\n"
    info += f"Requires-Dist: {requires}\n" if requires else ""
    content = {f"{stem}/{path}": text.encode() for path, text in {**files, "PKG-INFO": info}.items()}
    CURRENT.run("nix-store", "--add-fixed", "sha256", build_sdist(folder, name, version, files=content))


@pytest.fixture
def stock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of an index with a library, and a program that needs it."""
    folder = tmp_path / "stock"
    sdist(folder, "tiny", "1.0", LIBRARY, "numpy>=2")
    sdist(folder, "tinyapp", "2.0", PROGRAM, "tiny>=1")
    with SmallIndex(folder) as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
        yield folder


def nixpy_package(folder: Path, *arguments: str | Path) -> None:
    command = [sys.executable, "-m", "nixpy", "package", *map(str, arguments)]
    subprocess.run(command, check=True, cwd=folder, capture_output=True)


def test_an_sdist_is_built_by_its_own_build_system(stock: Path, box: Box, tmp_path: Path) -> None:
    """A file as it is written is put into a Python by `packageOverrides`, is built from the sdist, and imported from
    `withPackages` with what it depends on; without its dependencies, or its build system, the build fails.
    """
    file = tmp_path / "tiny.nix"
    nixpy_package(tmp_path, "tiny", "-o", file)
    expression = PYTHON.format(file, "python.withPackages (ps: [ ps.tiny ])")
    env = build(expression)
    assert box.run(f"{env}/bin/python", "-c", "import tiny; print(tiny.ANSWER)").stdout.split() == ["42"]
    text = file.read_text()
    for line, words in (
        ("dependencies = [ numpy ]", "numpy not installed"),
        ("build-system = [ setuptools ]", "setuptools"),
    ):
        assert line in text
        file.write_text(text.replace(line, f"{line.partition(' = ')[0]} = [ ]"))
        with pytest.raises(NixError, match=words):
            build(expression)


def test_a_library_of_c_is_linked_to(stock: Path, box: Box, tmp_path: Path) -> None:
    """An extension in C is built with the library that the sdist's `[external]` names, and finds it when it runs, with
    nothing on a path; without `buildInputs` the build lacks its headers.
    """
    pyproject = f'{BUILD}\n[external]\nhost-requires = ["dep:generic/zlib"]\n'
    files = {"pyproject.toml": pyproject, "setup.py": SETUP, "crcsum.c": CRC}
    sdist(stock, "crcsum", "1.0", files)
    file = tmp_path / "crcsum.nix"
    nixpy_package(tmp_path, "crcsum", "-o", file)
    # Every build of nixpkgs has a compiler; those of the stand-in have none.
    called = """(final: final.callPackage FILE {
      buildPythonPackage =
        given: final.buildPythonPackage (given // { nativeBuildInputs = [ pkgs.stdenv.cc ]; });
    }) pkgs.python313.pkgs""".replace("FILE", str(file))
    built = build(f"pkgs.python313.withPackages (_: [ ({called}) ])")
    command = "import crcsum; print(crcsum.sum_of('nixpy'))"
    assert box.run("env", "-i", f"{built}/bin/python", "-c", command).stdout.split() == [CRC_OF_NIXPY]
    text = file.read_text()
    assert "  buildInputs = [ zlib ];\n" in text
    file.write_text(text.replace("  buildInputs = [ zlib ];\n", ""))
    with pytest.raises(NixError, match=r"zlib\.h"):
        build(called)


def test_the_layout_of_nixpkgs_holds_a_library_and_an_application(stock: Path, box: Box, tmp_path: Path) -> None:
    """In a tree as nixpkgs is one, a library is where its line in python-packages.nix calls it from, and an application
    where pkgs/by-name finds it, and needs it; built so, the program runs. Without what it needs the build fails.
    """
    tree = tmp_path / "nixpkgs"
    (tree / "pkgs/top-level").mkdir(parents=True)
    (tree / "pkgs/top-level/python-packages.nix").touch()
    nixpy_package(tmp_path, "tiny", "--nixpkgs", "-o", tree)
    nixpy_package(tmp_path, "tinyapp", "--nixpkgs", "--application", "-o", tree)
    library, (program,) = tree / "pkgs/development/python-modules/tiny", tree.glob("pkgs/by-name/*/*/package.nix")
    assert program.parent.parent.name == program.parent.name[:2] == "ti"
    # The program's needs are unknown to the table, so that they are marked, and there all the same.
    expression = PYTHON.format(library, f"pkgs.callPackage {program} {{ python3Packages = python.pkgs; }}")
    built = build(expression)
    assert box.run("env", "-i", f"{built}/bin/tinyapp").stdout.split() == ["42"]
    text = program.read_text()
    assert 'mainProgram = "tinyapp";' in text
    program.write_text(text.replace("    python3Packages.tiny # not known to be in nixpkgs\n", ""))
    with pytest.raises(NixError, match="tiny not installed"):
        build(expression)


def test_a_package_is_built_and_imported(box: Box, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A wheel of pure Python, rendered by its hash, is built and imported from `withPackages`; its imports are checked
    when it is built, so that a module it lacks fails the build.
    """
    wheel = build_wheel(tmp_path / "stock", "tiny", "1.0", files={"tiny/__init__.py": "ANSWER = 42\n"})
    file = tmp_path / "tiny.nix"
    with SmallIndex(wheel.parent) as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        monkeypatch.setenv("UV_CACHE_DIR", str(tmp_path / "cache"))
        nixpy_package(tmp_path, "tiny", "-o", file)
    # What fetchPypi would download: by name and hash the store knows that it has it.
    CURRENT.run("nix-store", "--add-fixed", "sha256", wheel)
    expression = PYTHON.format(file, "python.withPackages (ps: [ ps.tiny ])")
    env = build(expression)
    assert box.run(f"{env}/bin/python", "-c", "import tiny; print(tiny.ANSWER)").stdout.split() == ["42"]
    text = file.read_text()
    assert 'pythonImportsCheck = [ "tiny" ];' in text
    file.write_text(text.replace('[ "tiny" ]', '[ "absent" ]'))
    with pytest.raises(NixError, match="No module named 'absent'"):
        build(expression)
