"""Style with-packages where nixpkgs lacks what the project asks for: it is built of the locked wheel, with all that the
wheel asks for; and the check that holds what was built against what the project asks for.
"""

from __future__ import annotations

import json
import subprocess
from collections.abc import Collection, Sequence
from pathlib import Path

import pytest

from nixos.box.sandbox import HOME, Box
from nixos.box.shells import nixpy, nixpy_with
from nixos.box.store import PYTHON, RELEASE, SYSTEM, build
from nixos.realnix import CURRENT, HERE, lock_flake
from smallindex import SmallIndex, build_wheel

OPTIONS = ("--offline", "--no-write-lock-file")
LACKED = {"pandas", "pillow", "python-dateutil"}  # what this nixpkgs does not have
NEWER = ["numpy>=98", "mac-only<3; sys_platform == 'darwin'"]

# Where a module is from, every file that it maps, and the name of each distribution, as often as it is there.
TELL = """
import importlib, importlib.metadata, json, os, sys
module = importlib.import_module(sys.argv[1])
maps = sorted({line.split(maxsplit=5)[5].strip() for line in open("/proc/self/maps") if "/" in line})
names = [one.name for one in importlib.metadata.distributions()]
print(json.dumps([os.path.realpath(module.__file__), maps, names]))
"""


def make(folder: Path, dependencies: Sequence[str], lacked: Collection[str] = (), stock: Path | None = None) -> Box:
    """A box with the flake of a project in its home, locked to a nixpkgs that has not what is `lacked`; its wheels are
    those of the wheelhouse, or of `stock`, which has them for macOS as well.
    """
    project = folder / "home/flake"
    project.mkdir(parents=True)
    (project / "pyproject.toml").write_text(f"""\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">={PYTHON}"
dependencies = {json.dumps(dependencies)}
""")
    init = ("init", "--style", "with-packages", "--python", PYTHON, "--system", SYSTEM)
    if stock is None:
        nixpy(project, *init)
    else:
        for wheel in stock.glob("*.whl"):
            CURRENT.run("nix-store", "--add-fixed", "sha256", wheel)
        with SmallIndex(stock) as index:
            nixpy_with(index, project, *init, "--system", "aarch64-darwin")
    head, *rows = (HERE / "python-attributes.csv").read_text().splitlines(keepends=True)
    kept = [row for row in rows if row.partition(",")[0] not in lacked]
    assert len(kept) == len(rows) - len(lacked)
    table = folder / "python-attributes.csv"
    table.write_text("".join([head, *kept]))
    lock_flake(project, RELEASE, python_attributes=table)
    return Box(home=folder / "home")


def result(box: Box, output: str = "packages", name: str = "default") -> subprocess.CompletedProcess[str]:
    """The finished build of an output, linked to `result` in the home, whether it failed or not."""
    reference = f"path:{HOME}/flake#{output}.{SYSTEM}.{name}"
    return box.nix("build", "-L", *OPTIONS, reference, "-o", f"{HOME}/result", check=False)


def tell(box: Box, module: str, python: str = f"{HOME}/result/bin/python") -> tuple[str, list[str], list[str]]:
    """What a Python tells of a module, with nothing set but a home, a path and a language."""
    cleared = ("env", "-i", f"HOME={HOME}", "PATH=/run/current-system/sw/bin", "LANG=C.UTF-8")
    file, maps, names = json.loads(box.run(*cleared, python, "-c", TELL, module).stdout)
    return file, maps, names


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """The box with an environment that is partly nixpkgs' and partly of wheels."""
    box = make(tmp_path_factory.mktemp("from-wheel"), ["pandas", "pillow", "psycopg2-binary"], LACKED)
    done = result(box)
    assert done.returncode == 0, done.stderr
    return box


@pytest.mark.parametrize("module", ["PIL.Image", "PIL._imagingft", "pandas", "dateutil.parser", "numpy", "psycopg2"])
def test_what_nixpkgs_lacks_is_there(built: Box, module: str) -> None:
    """Modules of wheels, of what those ask for, and of nixpkgs are imported, with every library of the store."""
    file, maps, _ = tell(built, module)
    assert file.startswith("/nix/store/")
    assert [path for path in maps if not path.startswith("/nix/store/")] == []


def test_there_is_one_of_each(built: Box) -> None:
    """numpy, which nixpkgs has and the wheel of pandas asks for, is nixpkgs' and no other; nothing is there twice."""
    file, _, names = tell(built, "numpy")
    assert file.startswith(f"{build('pkgs.python313.pkgs.numpy')}/")
    assert len(names) == len(set(names))
    assert {"numpy", "pandas", "pillow", "python-dateutil"} <= {name.lower() for name in names}


def test_a_venv_sees_what_is_from_a_wheel(built: Box) -> None:
    """A virtual environment with the system's packages has those of wheels as well."""
    built.run(f"{HOME}/result/bin/python", "-m", "venv", "--without-pip", "--system-site-packages", f"{HOME}/venv")
    file, _, _ = tell(built, "PIL.Image", f"{HOME}/venv/bin/python")
    assert file == tell(built, "PIL.Image")[0]


def test_the_shell_has_it(built: Box) -> None:
    """`nix develop` offers the environment's Python."""
    develop = ("develop", *OPTIONS, f"path:{HOME}/flake", "-c", "python", "-c")
    assert built.nix(*develop, "import PIL.Image, pandas; print(pandas.Series([20, 22]).sum())").stdout.split() == [
        "42"
    ]


def test_the_requirements_are_met(built: Box) -> None:
    """The check passes, also for psycopg2-binary, whose place nixpkgs' psycopg2 takes."""
    done = result(built, "checks", "requirements")
    assert done.returncode == 0, done.stderr
    result(built)


def test_an_extra_of_what_nixpkgs_has(tmp_path: Path) -> None:
    """What an extra asks for of nixpkgs' own package is imported from nixpkgs, and the check passes; without what the
    lock says of extras it is not there, and the check says so and who asks.
    """
    box = make(tmp_path, ["flask[async]"])
    assert result(box).returncode == 0
    assert tell(box, "asgiref")[0].startswith(f"{build('pkgs.python313.pkgs.asgiref')}/")
    done = result(box, "checks", "requirements")
    assert done.returncode == 0, done.stderr

    lock = box.home / "flake/nixpy.lock"
    assert '"by-extras": ["asgiref"]' in lock.read_text()
    lock.write_text(lock.read_text().replace('"by-extras": ["asgiref"]', '"by-extras": []'))
    assert result(box).returncode == 0
    lost = box.run(f"{HOME}/result/bin/python", "-c", "import flask, asgiref", check=False)
    assert "No module named 'asgiref'" in lost.stderr
    failed = result(box, "checks", "requirements")
    assert failed.returncode != 0
    assert "asgiref>=3.2 for Flask[async]: nothing is installed" in failed.stderr


def test_without_the_list_it_fails(tmp_path: Path) -> None:
    """Without the list of libraries the wheel is not built, and its soname is named: nothing else supplied it."""
    box = make(tmp_path, ["pillow"], {"pillow"})
    file = box.home / "flake/nixpy.nix"
    kept = [line for line in file.read_text().splitlines() if '"libz.so.1" =' not in line]
    file.write_text("\n".join(kept) + "\n")
    done = result(box)
    assert done.returncode != 0
    assert "auto-patchelf could not satisfy dependency libz.so.1 wanted by /nix/store/" in done.stderr


@pytest.fixture
def newer(tmp_path: Path) -> Box:
    """A box with a project that asks for a newer numpy than nixpkgs has: a wheel of ours, which asks for another."""
    stock = tmp_path / "stock"
    build_wheel(stock, "numpy", "99", files={"numpy/__init__.py": "import house\n"}, requires=["house"])
    for name in ("house", "mac-only"):
        build_wheel(stock, name, "1.0")
    return make(tmp_path, NEWER, stock=stock)


def test_a_version_that_misses_is_listed(newer: Box) -> None:
    """The version of nixpkgs is built; the check fails and says what is asked for and what is there, nothing else."""
    assert result(newer).returncode == 0
    assert tell(newer, "numpy")[0].startswith(f"{build('pkgs.python313.pkgs.numpy')}/")
    done = result(newer, "checks", "requirements")
    assert done.returncode != 0
    said = [line.partition("> ")[2] for line in done.stderr.splitlines() if " is installed" in line and "> " in line]
    assert [line.partition(":")[0] for line in said] == ["numpy>=98"]
    assert "2.5.5 is installed" in said[0]


def test_locked_versions_come_from_wheels(newer: Box) -> None:
    """With `versions = "locked"` it is the wheel, with what that asks for, and the check passes."""
    project = newer.home / "flake"
    settings = (project / "pyproject.toml").read_text()
    (project / "pyproject.toml").write_text(f'{settings}versions = "locked"\n')
    nixpy(project, "sync")
    done = result(newer)
    assert done.returncode == 0, done.stderr
    file, _, names = tell(newer, "numpy")
    assert "-numpy-99/" in file
    assert sorted(names) == ["house", "numpy"]
    done = result(newer, "checks", "requirements")
    assert done.returncode == 0, done.stderr
