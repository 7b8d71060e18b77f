"""Virtual environments made of the Python of style with-packages, on a nixpkgs that makes them well by itself (since
nixpkgs#442540, 25.11) and on one that does not.
"""

from __future__ import annotations

import functools
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import pytest

from nixos.box.sandbox import HOME, Box
from nixos.box.shells import nixpy
from nixos.box.store import PYTHON, SYSTEM, build, wheels
from nixos.realnix import lock_flake
from smallindex import build_wheel

WITHOUT_FIX, WITH_FIX = "25.05", "26.05"
FLAKE = f"{HOME}/flake"
OPTIONS = ("--offline", "--no-write-lock-file")

# What a Python says of itself, and where it has numpy from.
TELL = """
import json, os, sys
try:
    import numpy
    found = [os.path.realpath(numpy.__file__), numpy.__version__]
except ModuleNotFoundError as error:
    found = [str(error)]
places = [os.path.realpath(place) for place in (sys.prefix, sys.base_prefix)]
print(json.dumps([*places, *found]))
"""


@functools.cache
def version() -> str:
    """Of numpy, in the wheelhouse and so in the stand-in."""
    return wheels()["numpy"].name.split("-")[1]


def tell(box: Box, *command: str) -> list[str]:
    """What a Python, started in the box by this command, tells."""
    told: list[str] = json.loads(box.run(*command, "-c", TELL).stdout)
    return told


@dataclass(frozen=True, slots=True, kw_only=True)
class Built:
    """A box with the flake of a project that asks for numpy, and its default package as `result` in the home."""

    box: Box
    env: str  # the default package's place in the store

    @property
    def numpy(self) -> str:
        """Where the environment's numpy really lies."""
        return tell(self.box, f"{self.env}/bin/python")[2]

    def venv(self, python: str, *options: str) -> str:
        """The Python of a new virtual environment."""
        folder = f"{HOME}/{len(list(self.box.home.iterdir()))}"
        self.box.run(python, "-m", "venv", *options, folder)
        return f"{folder}/bin/python"


@pytest.fixture(scope="module", params=[WITHOUT_FIX, WITH_FIX])
def built(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Built:
    """What nixpy renders, on a nixpkgs of each kind."""
    home = tmp_path_factory.mktemp("project") / "home"
    project = home / "flake"
    project.mkdir(parents=True)
    (project / "pyproject.toml").write_text(f"""\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">={PYTHON}"
dependencies = ["numpy"]
""")
    nixpy(project, "init", "--style", "with-packages", "--python", PYTHON, "--system", SYSTEM)
    lock_flake(project, request.param)
    box = Box(home=home)
    box.nix("build", *OPTIONS, f"path:{FLAKE}#default", "-o", f"{HOME}/result")
    return Built(box=box, env=str((home / "result").readlink()))


@pytest.fixture(params=["the store", "result"])
def programs(request: pytest.FixtureRequest, built: Built) -> str:
    """The folder of programs, by its place in the store and through the link that `nix build` leaves."""
    return f"{built.env if request.param == 'the store' else f'{HOME}/result'}/bin"


def test_the_environment_is_no_venv(built: Built, programs: str, saw: Callable[[str, str, bool], None]) -> None:
    """sys.prefix and sys.base_prefix are both the environment, whichever way it is called, and it has numpy."""
    for name in ("python", "python3", f"python{PYTHON}"):
        prefix, base, file, found = tell(built.box, f"{programs}/{name}")
        assert (prefix, base, found) == (built.env, built.env, version())
        saw("with-packages", "deployment", file.startswith("/nix/store/"))


def test_a_venv_sees_the_packages(built: Built, programs: str) -> None:
    """A virtual environment with the system's packages has the environment's, and the environment for its base."""
    python = built.venv(f"{programs}/python", "--without-pip", "--system-site-packages")
    assert tell(built.box, python) == [str(Path(python).parents[1]), built.env, built.numpy, version()]


def test_a_venv_without_them_does_not(built: Built, programs: str) -> None:
    """A virtual environment that did not ask for the system's packages has none."""
    python = built.venv(f"{programs}/python", "--without-pip")
    assert tell(built.box, python) == [str(Path(python).parents[1]), built.env, "No module named 'numpy'"]


def test_packages_of_the_venv_win(built: Built, programs: str) -> None:
    """What is installed into the virtual environment is imported in place of the environment's package of that name."""
    python = built.venv(f"{programs}/python", "--system-site-packages")
    wheel = build_wheel(built.box.home / "own", "numpy", "99")
    built.box.run(python, "-m", "pip", "install", "-q", "--no-index", f"{HOME}/own/{wheel.name}")
    _, base, file, found = tell(built.box, python)
    assert (base, found) == (built.env, "99")
    assert file.startswith(str(Path(python).parents[1]))


def test_what_a_venv_starts_inherits_nothing(built: Built, programs: str) -> None:
    """No variable that steers a Python reaches what the Python of a venv starts, but that it should not look
    for packages of the user.
    """
    python = built.venv(f"{programs}/python", "--without-pip", "--system-site-packages")
    printed = built.box.run(python, "-c", "import subprocess; subprocess.run(['env'], check=True)").stdout
    names = {line.partition("=")[0] for line in printed.splitlines()}
    assert {name for name in names if "PYTHON" in name} == {"PYTHONNOUSERSITE"}


def test_scripts_of_its_packages_run_on_the_environment(built: Built, programs: str) -> None:
    """numpy-config, called by either path, finds numpy in the environment."""
    printed = built.box.run(f"{programs}/numpy-config", "--cflags").stdout
    assert printed.split() == [f"-I{built.env}/lib/python{PYTHON}/site-packages/numpy/_core/include"]


def test_the_shell_has_all_of_it(built: Built) -> None:
    """`nix develop` offers the environment's Python and the scripts of its packages."""
    develop = ("develop", *OPTIONS, f"path:{FLAKE}", "-c")
    told = json.loads(built.box.nix(*develop, "python", "-c", TELL).stdout)
    assert told == [built.env, built.env, built.numpy, version()]
    assert built.box.nix(*develop, "numpy-config", "--version").stdout.split() == [version()]


def test_a_venv_in_the_shell_sees_the_packages(built: Built) -> None:
    """One made in `nix develop` works outside of it, and when the shell is entered again."""
    develop = ("develop", *OPTIONS, f"path:{FLAKE}", "-c")
    built.box.nix(*develop, "python", "-m", "venv", "--without-pip", "--system-site-packages", ".venv")
    inside = json.loads(built.box.nix(*develop, ".venv/bin/python", "-c", TELL).stdout)
    assert inside == tell(built.box, ".venv/bin/python") == [f"{HOME}/.venv", built.env, built.numpy, version()]


# --- controls ---


@pytest.mark.parametrize("release", [WITHOUT_FIX, WITH_FIX])
def test_plain_nixpkgs_fails_where_the_document_says(box: Box, release: str) -> None:
    """`withPackages` of a nixpkgs without the fix looks like a virtual environment, and one made of it has lost the
    packages (ModuleNotFoundError); with the fix neither is so. If this turns, nothing else here proves anything.
    """
    env = str(build("pkgs.python313.withPackages (ps: [ ps.numpy ])", release))
    prefix, base, *numpy = tell(box, f"{env}/bin/python")
    assert (prefix, numpy[1]) == (env, version())
    assert (base == env) == (release == WITH_FIX)
    box.run(f"{env}/bin/python", "-m", "venv", "--without-pip", "--system-site-packages", "venv")
    _, venv_base, *found = tell(box, "venv/bin/python")
    assert venv_base == base
    assert found == (numpy if release == WITH_FIX else ["No module named 'numpy'"])
