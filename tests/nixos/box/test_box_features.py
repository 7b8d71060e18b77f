"""The features, seen in a shell in the box; what they take from packages that are not here is only evaluated."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pytest

from nixos.box.sandbox import HOME, Box
from nixos.box.shells import nixpy
from nixos.box.store import PYTHON, RELEASE, SYSTEM
from nixos.realnix import CURRENT, lock_flake, stand_in

Enter = Callable[..., str]


@pytest.fixture
def enter(tmp_path: Path) -> Enter:
    """Renders a project with some features and runs a script in its shell; what that prints."""

    def run(script: str, *features: str, style: str = "loader", requires: tuple[str, ...] = ("pyodbc", "ruff")) -> str:
        folder = tmp_path / "home/flake"
        folder.mkdir(parents=True, exist_ok=True)
        (folder / "pyproject.toml").write_text(
            f'[project]\nname = "demo"\nversion = "1"\nrequires-python = ">={PYTHON}"\n'
            f"dependencies = {json.dumps(requires)}\n[tool.nixpy]\nfeatures = {json.dumps(features)}\n"
        )
        nixpy(folder, "init", "--style", style, "--python", PYTHON, "--system", SYSTEM)
        lock_flake(folder, RELEASE)
        box = Box(home=tmp_path / "home", environment={"QT_PLUGIN_PATH": "/desktop"})
        options = ("--offline", "--no-write-lock-file", f"path:{HOME}/flake")
        return box.nix("develop", *options, "-c", "bash", "-euc", script).stdout.strip()

    return run


LOOK = "import ctypes, ctypes.util as u; n = u.find_library('odbc'); print(n); ctypes.CDLL(n) if n else 0"


@pytest.mark.parametrize("style", ["loader", "nix-ld", "nix-ld-interpreter", "wrapped-python"])
def test_find_library_answers(enter: Enter, style: str) -> None:
    """`ctypes.util.find_library` names a library of the project, which can then be opened, also in a virtual
    environment; without the feature it knows none.
    """
    script = f'python -m venv --clear --without-pip /tmp/v; python -c "{LOOK}"; /tmp/v/bin/python -c "{LOOK}"'
    assert enter(script, "find-library", style=style).split() == ["libodbc.so.2"] * 2
    assert enter(script, style=style).split() == ["None"] * 2
    unknown = "python -c \"from ctypes.util import find_library as f; print(f('nosuch'))\""
    assert enter(unknown, "find-library", style=style) == "None"


def test_programs_come_from_nixpkgs(enter: Enter) -> None:
    """Where ruff's wheel is locked, the shell has nixpkgs' ruff, and does not say that ruff will not start."""
    assert enter("ruff --version; readlink -f $(type -p ruff)", "nix-executables").split()[2].startswith("/nix/store/")
    with pytest.raises(AssertionError, match="ruff: command not found"):
        enter("ruff --version")


def test_cuda_puts_the_drivers_folder_last(enter: Enter) -> None:
    """The search path ends with the driver's folder as it is, unresolved; triton is told of it."""
    script = "grep -o 'library-path .*' $(type -p python); echo $TRITON_LIBCUDA_PATH; echo $CC"
    path, triton, compiler = enter(script, "cuda").splitlines()
    assert "-nixpy-libraries/lib:/run/opengl-driver/lib" in path
    assert (triton, compiler) == ("/run/opengl-driver/lib", "cc")
    assert "opengl-driver" not in enter("cat $(type -p python)")


def test_qt_keeps_the_desktops_plugins_out(enter: Enter) -> None:
    """Variables of the desktop's Qt are gone, and keyboard layouts are of the store."""
    script = 'echo "${QT_PLUGIN_PATH-unset}"; ls $QT_XKB_CONFIG_ROOT'
    assert enter(script, "qt").split()[0] == "unset"
    assert {"rules", "symbols", "keycodes"} <= set(enter(script, "qt").split())


@pytest.mark.parametrize(
    ("style", "create", "inside"),
    [
        ("loader", "python -m venv", ""),
        ("patched-venv", "python -m venv", ""),
        ("fhs", "python -m venv", "nixpy-fhs "),
        ("with-packages", "python -m venv --system-site-packages", ""),  # only then it sees what the environment has
    ],
)
def test_tkinter_is_imported(enter: Enter, style: str, create: str, inside: str) -> None:
    """The Python of the shell, and a virtual environment of it, import tkinter with the feature, and not without it."""
    look = 'python -c "import tkinter; print(tkinter.TkVersion)"'
    script = f"{look}; {create} --without-pip ~/v; {inside}~/v/bin/{look}"
    assert enter(script, "tkinter", style=style, requires=("ruff",)).split() == ["8.6", "8.6"]
    with pytest.raises(AssertionError, match="No module named '_tkinter'"):
        enter(look, style=style, requires=("ruff",))


def test_gtk_is_matplotlibs_backend_where_it_is_installed(enter: Enter, tmp_path: Path) -> None:
    """The shell of the feature has gobject-introspection's hook and its libraries as inputs; MPLBACKEND is set only
    where matplotlib is locked.
    """
    with pytest.raises(AssertionError, match=r"-gtk3-|-gobject-introspection-|not-built"):
        enter("true", "gobject")  # the stand-in only evaluates them
    file = tmp_path / "home/flake/nixpy.nix"
    shell = f'(import {file} {{ pkgs = import {stand_in(RELEASE)} {{ system = "{SYSTEM}"; }}; }}).shell'
    names, inputs, hook = CURRENT.eval_json(
        f"let s = {shell}; n = map (p: p.pname or p.name); in [ (n s.nativeBuildInputs) (n s.buildInputs) s.shellHook ]"
    )
    assert {"gobject-introspection", "wrapGAppsHook3", "pkg-config"} <= set(names)
    assert {"gtk3", "cairo", "glib", "libffi"} <= set(inputs)
    assert "MPLBACKEND" not in hook


def test_an_optimized_interpreter_is_another(enter: Enter, tmp_path: Path) -> None:
    """It is nixpkgs' with its switches for speed, and its packages stand on it."""
    enter("true")
    file = tmp_path / "home/flake/nixpy.nix"
    pkgs = f'import {stand_in(RELEASE)} {{ system = "{SYSTEM}"; }}'
    text = file.read_text()
    plain = CURRENT.eval_json(f"(import {file} {{ pkgs = {pkgs}; }}).python.drvPath")
    settings = tmp_path / "home/flake/pyproject.toml"
    settings.write_text(settings.read_text().replace("features = []", 'features = ["optimized"]'))
    nixpy(tmp_path / "home/flake", "sync")
    assert file.read_text() != text
    changed = CURRENT.eval_json(f"(import {file} {{ pkgs = {pkgs}; }}).python.drvPath")
    assert changed != plain
