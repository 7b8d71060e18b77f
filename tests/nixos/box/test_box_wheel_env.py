"""The environment of style wheel-env, built of the wheelhouse's wheels and used where there is no /lib."""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from nixos.box.sandbox import HOME, Box
from nixos.box.shells import nixpy, nixpy_with, on_this_machine, wheelhouse
from nixos.box.store import PYTHON, RELEASE, SYSTEM, WHEELHOUSE, in_root, packages, wheels
from nixos.realnix import CURRENT, lock_flake
from smallindex import SmallIndex, build_wheel

MODULES = ("numpy", "PIL.Image", "PIL._imagingft", "psycopg2")
OPTIONS = ("--offline", "--no-write-lock-file")
PYPROJECT = f"""\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">={PYTHON}"
dependencies = ["numpy", "pillow", "psycopg2-binary", "pyodbc", "python-dateutil", "ruff"]
"""

# Every module in a process of its own: Python's own zlib would lend it libz.so.1. What it maps, and what a child gets.
TELL = """
import importlib, json, os, subprocess, sys
importlib.import_module(sys.argv[1])
maps = sorted({line.split(maxsplit=5)[5].strip() for line in open("/proc/self/maps") if "/" in line})
child = dict(line.split("=", 1) for line in subprocess.check_output(["env"], text=True).splitlines())
print(json.dumps([os.path.realpath(sys.modules[sys.argv[1]].__file__), maps, child]))
"""


def make(folder: Path, settings: str = "") -> Box:
    """A box with the flake of a project in that style in its home."""
    project = folder / "home/flake"
    project.mkdir(parents=True)
    (project / "pyproject.toml").write_text(PYPROJECT + settings)
    nixpy(project, "init", "--style", "wheel-env", "--python", PYTHON, "--system", SYSTEM)
    lock_flake(project, RELEASE)
    return Box(home=folder / "home")


def build(box: Box, output: str = "default") -> subprocess.CompletedProcess[str]:
    """The finished build of an output, linked to `result` in the home, whether it failed or not."""
    return box.nix("build", "-L", *OPTIONS, f"path:{HOME}/flake#{output}", "-o", f"{HOME}/result", check=False)


@pytest.fixture(scope="module")
def built(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """The box with the environment as `result`."""
    box = make(tmp_path_factory.mktemp("wheel-env"))
    done = build(box)
    assert done.returncode == 0, done.stderr
    return box


def python(box: Box, *arguments: str, check: bool = True) -> subprocess.CompletedProcess[str]:
    """The finished run of the environment's Python with nothing set but a home, a path and a language."""
    cleared = ("env", "-i", f"HOME={HOME}", "PATH=/run/current-system/sw/bin", "LANG=C.UTF-8")
    return box.run(*cleared, f"{HOME}/result/bin/python", *arguments, check=check)


@pytest.mark.parametrize("module", MODULES)
def test_wheels_are_imported_from_the_store(built: Box, module: str, saw: Callable[[str, str, bool], None]) -> None:
    """With nothing set, what is imported and every library it maps lie in the store, and no search path of libraries
    or of modules reaches what Python starts.
    """
    file, maps, child = json.loads(python(built, "-c", TELL, module).stdout)
    saw("wheel-env", "ide", file.startswith("/nix/store/"))
    saw("wheel-env", "deployment", file.startswith("/nix/store/"))
    assert [path for path in maps if path.endswith(".so") or ".so." in path]
    assert [path for path in maps if not path.startswith("/nix/store/")] == []
    saw("wheel-env", "leak-free", "LD_LIBRARY_PATH" not in child)
    assert not {"NIX_PYTHONPATH", "PYTHONPATH"} & child.keys()


def test_pure_wheels_and_metadata_are_there(built: Box) -> None:
    """Wheels without code for a platform, which other styles do not record, are installed in the lock's version."""
    record = json.loads((built.home / "flake/nixpy.lock").read_text())
    locked = {wheel["name"]: wheel["version"] for wheel in record["systems"][SYSTEM]["wheels"]}
    program = (
        "import importlib.metadata as m, json, dateutil.parser, sys;"
        "print(json.dumps({name: m.version(name) for name in sys.argv[1:]}))"
    )
    assert json.loads(python(built, "-c", program, *locked).stdout) == locked
    assert "python-dateutil" in locked


def test_scripts_and_programs_run(built: Box, saw: Callable[[str, str, bool], None]) -> None:
    """A console script runs on the environment, and a program from a wheel starts without any loader on the host."""
    flags = built.run(f"{HOME}/result/bin/numpy-config", "--cflags").stdout
    assert flags.startswith("-I/nix/store/")
    bare = Box(home=built.home, host_loader="nothing")
    started = bare.run(f"{HOME}/result/bin/ruff", "--version", check=False).stdout.startswith("ruff ")
    saw("wheel-env", "executables", started)
    saw("wheel-env", "no-nix-ld", started)


def test_the_shell_has_the_environment(built: Box) -> None:
    """`nix develop` offers the environment's Python, and its programs."""
    develop = ("develop", *OPTIONS, f"path:{HOME}/flake", "-c")
    printed = built.nix(*develop, "python", "-c", "import numpy; print(numpy.__file__)").stdout
    assert printed.startswith("/nix/store/")
    assert built.nix(*develop, "ruff", "--version").stdout.startswith("ruff ")


def test_the_requirements_are_met(built: Box) -> None:
    """The check of what the project asks for passes, and fails once it asks for another numpy than the lock has."""
    output = f"path:{HOME}/flake#checks.{SYSTEM}.requirements"
    built.nix("build", *OPTIONS, "--no-link", output)
    file = built.home / "flake/nixpy.nix"
    text = file.read_text()
    assert text.count('      "numpy"\n') == 1
    file.write_text(text.replace('      "numpy"\n', '      "numpy<1"\n'))
    done = built.nix("build", "-L", *OPTIONS, "--no-link", output, check=False)
    file.write_text(text)
    assert done.returncode != 0
    assert "numpy<1: " in done.stderr
    assert "pillow" not in done.stderr


def test_nothing_is_stripped(built: Box) -> None:
    """A file in which nothing had to be changed is the wheel's, byte for byte; every other one is no smaller."""
    (wheel,) = WHEELHOUSE.glob("numpy-*.whl")
    program = "import numpy, os; print(os.path.dirname(os.path.realpath(numpy.__file__)))"
    folder = in_root(Path(python(built, "-c", program).stdout.strip())).parent
    with zipfile.ZipFile(wheel) as archive:
        sizes = {item.filename: item.file_size for item in archive.infolist() if ".so" in item.filename}
    assert len(sizes) > 5
    assert [name for name, size in sizes.items() if (folder / name).stat().st_size < size] == []


def test_the_image_is_enough(built: Box, tmp_path: Path) -> None:
    """What the image's configuration starts, with the image for a root and nothing else, imports a wheel with all its
    libraries.
    """
    built.nix("build", "-L", *OPTIONS, f"path:{HOME}/flake#image", "-o", f"{HOME}/image")
    subprocess.run(["tar", "-xzf", in_root((built.home / "image").readlink()), "-C", tmp_path], check=True)
    (entry,) = json.loads((tmp_path / "manifest.json").read_text())
    command = json.loads((tmp_path / entry["Config"]).read_text())["config"]["Cmd"]
    root = tmp_path / "root"
    root.mkdir()
    for layer in entry["Layers"]:
        subprocess.run(["tar", "-xf", tmp_path / layer, "-C", root], check=True)
    assert not (root / "lib64").exists()
    # nixpkgs' loader knows its own folder by itself.
    cache = ("--symlink", f"{packages()['glibc']}/etc/ld.so.cache", "/etc/ld.so.cache")
    bare = (
        "bwrap",
        "--bind",
        str(root),
        "/",
        "--proc",
        "/proc",
        "--dev",
        "/dev",
        *cache,
        "--unshare-net",
        "--clearenv",
    )
    program = TELL.replace('["env"]', '["/bin/python3", "-c", ""]')
    done = subprocess.run([*bare, *command, "-c", program, "PIL.Image"], check=True, capture_output=True, text=True)
    file, maps, _ = json.loads(done.stdout)
    assert file.startswith("/nix/store/")
    assert [path for path in maps if not path.startswith("/nix/store/")] == []


def test_a_need_that_nobody_supplies_fails_the_build_by_name(tmp_path: Path) -> None:
    """Without the list of libraries the build fails, and auto-patchelf says which soname is wanted by which file."""
    box = make(tmp_path)
    file = box.home / "flake/nixpy.nix"
    kept = [line for line in file.read_text().splitlines() if '"libz.so.1" =' not in line]
    file.write_text("\n".join(kept) + "\n")
    done = build(box)
    assert done.returncode != 0
    assert "auto-patchelf could not satisfy dependency libz.so.1 wanted by /nix/store/" in done.stderr


def test_what_the_user_ignores_is_missing_at_run_time(tmp_path: Path) -> None:
    """A soname that the settings ignore is left to fail where it is used: so nothing but the list had supplied it."""
    box = make(tmp_path, '[tool.nixpy.libraries]\nignore = ["libz.so.1"]\n')
    done = build(box)
    assert done.returncode == 0, done.stderr
    failed = python(box, "-c", TELL, "PIL.Image", check=False)
    assert "ImportError: libz.so.1: cannot open shared object file" in failed.stderr
    python(box, "-c", TELL, "numpy")


def test_libraries_of_a_sibling_wheel_are_found(box: Box, tmp_path: Path) -> None:
    """psycopg2, cut into two wheels of which one has the libraries that the other asks for, is imported."""
    patchelf = f"{packages()['patchelf']}/bin/patchelf"
    project = box.home / "flake"
    project.mkdir(parents=True)
    with zipfile.ZipFile(wheels()["psycopg2-binary"]) as archive:
        archive.extractall(parts := box.home / "parts")
    (libpq,) = parts.glob("psycopg2_binary.libs/libpq-*")
    (module,) = parts.glob("psycopg2/_psycopg*.so")
    # A grafted name is private to its wheel, so this one gets a plain one.
    box.run(patchelf, "--replace-needed", libpq.name, "libpq.so.5", f"parts/psycopg2/{module.name}")
    box.run(patchelf, "--set-soname", "libpq.so.5", f"parts/psycopg2_binary.libs/{libpq.name}")
    libpq.rename(libpq.with_name("libpq.so.5"))
    for name, folder in (("house-code", "psycopg2"), ("house-libs", "psycopg2_binary.libs")):
        files = {str(file.relative_to(parts)): file.read_bytes() for file in (parts / folder).iterdir()}
        tag = "cp313-cp313-manylinux2014_x86_64.manylinux_2_17_x86_64"
        wheel = build_wheel(tmp_path / "stock", name, "1.0", tag, files=files)
        CURRENT.run("nix-store", "--add-fixed", "sha256", wheel)
    (project / "pyproject.toml").write_text(
        '[project]\nname = "demo"\nversion = "0"\ndependencies = ["house-code", "house-libs"]\n'
    )
    with SmallIndex(tmp_path / "stock") as index:
        init = ("init", "--style", "wheel-env", "--python", PYTHON, "--system", SYSTEM)
        nixpy_with(index, project, *init)
    lock_flake(project, RELEASE)
    done = build(box)
    assert done.returncode == 0, done.stderr
    _, maps, _ = json.loads(python(box, "-c", TELL, "psycopg2").stdout)
    assert [path for path in maps if "house-libs" in path and path.endswith("/libpq.so.5")]


def test_uv_lock_tells_where_wheels_of_any_index_are(tmp_path: Path) -> None:
    """With a uv.lock of another index than PyPI its addresses are used, and stand in no generated file."""
    project = tmp_path / "home/flake"
    project.mkdir(parents=True)
    # uv locks on the Python of this machine, for which the wheelhouse has no wheels: what it is to take is pinned.
    pinned = [f"{name}=={wheels()[name].name.split('-')[1]}" for name in ("pillow", "typing-extensions")]
    (project / "pyproject.toml").write_text(
        f'[project]\nname = "demo"\nversion = "0"\nrequires-python = ">=3.11,<4"\ndependencies = {json.dumps(pinned)}\n'
    )
    index = wheelhouse()
    on_this_machine(index, project, "uv", "lock", "--quiet")
    assert index.url.removesuffix("/simple/") in (project / "uv.lock").read_text()
    init = ("init", "--style", "wheel-env", "--python", PYTHON, "--system", SYSTEM)
    nixpy_with(index, project, *init)
    assert not any("127.0.0.1" in (project / name).read_text() for name in ("nixpy.nix", "nixpy.lock"))
    lock_flake(project, RELEASE)
    box = Box(home=tmp_path / "home")
    done = build(box)
    assert done.returncode == 0, done.stderr
    file, _, _ = json.loads(python(box, "-c", TELL, "PIL.Image").stdout)
    assert file.startswith("/nix/store/")
