"""What nixpy fills in for uv2nix, poetry2nix and pyproject.nix, built with our stubs of them and used where there is no
/lib.
"""

from __future__ import annotations

import json
import subprocess
import zipfile
from collections.abc import Callable
from pathlib import Path

import pytest

from builderlocks import pin, poetry_entry
from nixos.box.sandbox import HOME, Box
from nixos.box.shells import nixpy_with, on_this_machine, wheelhouse
from nixos.box.store import PYTHON, RELEASE, SYSTEM, packages, wheels
from nixos.realnix import CURRENT, lock_flake
from nixpy.styles.styles import find
from smallindex import SmallIndex, build_wheel

OPTIONS = ("--offline", "--no-write-lock-file")
Saw = Callable[[str, str, bool], None]
MODULES = ("numpy", "PIL.Image", "pyodbc")
WANTED = ("numpy", "pillow", "pyodbc", "ruff")
TELL = """
import importlib, json, os, sys
importlib.import_module(sys.argv[1])
maps = {line.split(maxsplit=5)[5].strip() for line in open("/proc/self/maps") if "/" in line}
print(json.dumps([os.path.realpath(sys.modules[sys.argv[1]].__file__), sorted(maps)]))
"""
# Of the managers the stand-in nixpkgs has uv alone.
OVERLAY = """(nixpkgs.legacyPackages.${system}.extend (_: previous: {
  poetry = previous.writeShellScriptBin "poetry" "";
}));"""
# A build system that lies in the project, as build systems of the index are not in the box.
BACKEND = """\
import pathlib
import zipfile

FILES = {
    "demo.py": pathlib.Path("src/demo.py").read_text(),
    "demo-0.1.0.dist-info/METADATA": "Metadata-Version: 2.1\\nName: demo\\nVersion: 0.1.0\\n",
    "demo-0.1.0.dist-info/WHEEL": "Wheel-Version: 1.0\\nRoot-Is-Purelib: true\\nTag: py3-none-any\\n",
    "demo-0.1.0.dist-info/entry_points.txt": "[console_scripts]\\ndemo = demo:main\\n",
}


def build_wheel(folder, settings=None, metadata=None):
    with zipfile.ZipFile(f"{folder}/demo-0.1.0-py3-none-any.whl", "w") as wheel:
        for name, text in FILES.items():
            wheel.writestr(name, text)
        wheel.writestr("demo-0.1.0.dist-info/RECORD", "")
    return "demo-0.1.0-py3-none-any.whl"
"""
DEMO = """\
def main():
    import numpy

    print("demo of", numpy.__name__)
"""
PACKAGED = """\
[project.scripts]
demo = "demo:main"

[build-system]
requires = []
build-backend = "backend"
backend-path = ["."]

# The wheelhouse is for one Python.
[tool.uv]
environments = ["python_full_version >= '3.13'"]
"""


def pinned(*names: str) -> list[str]:
    """Requirements for the versions of the wheelhouse: uv locks for a Python of which it has no wheels."""
    return [f"{name}=={wheels()[name].name.split('-')[1]}" for name in names]


def project(box: Box, requirements: list[str], tail: str = "") -> Path:
    """A project in the box's home that asks for these, and is built by a build system of its own."""
    folder = box.home / "flake"
    (folder / "src").mkdir(parents=True)
    (folder / "src/demo.py").write_text(DEMO)
    (folder / "backend.py").write_text(BACKEND)
    (folder / "pyproject.toml").write_text(
        f'[project]\nname = "demo"\nversion = "0.1.0"\nrequires-python = ">=3.11"\n'
        f"dependencies = {json.dumps(requirements)}\n\n{tail}"
    )
    return folder


def init(index: SmallIndex, folder: Path, style: str) -> str:
    """What nixpy prints that knows only that index; afterwards the flake's inputs are locked."""
    options = ("--style", style, "--python", PYTHON, "--system", SYSTEM)
    printed = nixpy_with(index, folder, "init", *options)
    flake = folder / "flake.nix"
    flake.write_text(flake.read_text().replace("nixpkgs.legacyPackages.${system};", OVERLAY))
    lock_flake(folder, RELEASE)
    return printed


def build(box: Box, output: str = "default") -> subprocess.CompletedProcess[str]:
    """The finished build of an output, linked to `result` in the home, whether it failed or not."""
    return box.nix("build", "-L", *OPTIONS, f"path:{HOME}/flake#{output}", "-o", f"{HOME}/result", check=False)


def develop(box: Box, *command: str, cwd: str = HOME, check: bool = True) -> subprocess.CompletedProcess[str]:
    """The finished run of a command in the shell."""
    return box.nix("develop", *OPTIONS, f"path:{HOME}/flake", "-c", *command, cwd=cwd, check=check)


def without(folder: Path, soname: str) -> None:
    """Take a row out of the rendered table of libraries."""
    file = folder / "nixpy.nix"
    kept = [line for line in file.read_text().splitlines() if f'"{soname}" =' not in line]
    file.write_text("\n".join(kept) + "\n")


@pytest.fixture(scope="module")
def uv2nix(tmp_path_factory: pytest.TempPathFactory) -> Box:
    """A box with the environment of style uv2nix as `result`."""
    box = Box(home=tmp_path_factory.mktemp("uv2nix") / "home")
    made = make_uv2nix(box)
    assert made.returncode == 0, made.stderr
    return box


def make_uv2nix(box: Box, change: Callable[[Path], None] = lambda _: None) -> subprocess.CompletedProcess[str]:
    folder = project(box, pinned(*WANTED), PACKAGED)
    index = wheelhouse()
    on_this_machine(index, folder, "uv", "lock", "--quiet")
    init(index, folder, "uv2nix")
    change(folder)
    return build(box)


@pytest.mark.parametrize("module", MODULES)
def test_uv2nix_environments_import_from_the_store(uv2nix: Box, module: str) -> None:
    """With nothing set, what is imported and all that it maps lie in the store."""
    bare = ("env", "-i", f"HOME={HOME}", "LANG=C.UTF-8", f"{HOME}/result/bin/python", "-c", TELL, module)
    file, maps = json.loads(uv2nix.run(*bare).stdout)
    assert file.startswith("/nix/store/")
    assert [path for path in maps if ".so" in path and not path.startswith("/nix/store/")] == []


def test_uv2nix_programs_of_wheels_run(uv2nix: Box, saw: Saw) -> None:
    """A program that a wheel brings starts where there is no loader for it, with nothing set."""
    done = uv2nix.run("env", "-i", f"{HOME}/result/bin/ruff", "--version", check=False)
    saw("uv2nix", "executables", done.stdout.startswith("ruff "))


def test_uv2nix_without_the_list_fails_by_name(tmp_path: Path) -> None:
    """Without the row of a library that no manylinux tag promises, the wheel that asks for it does not build."""
    box = Box(home=tmp_path / "home")
    done = make_uv2nix(box, lambda folder: without(folder, "libodbc.so.2"))
    assert done.returncode != 0
    assert "auto-patchelf could not satisfy dependency libodbc.so.2 wanted by /nix/store/" in done.stderr


def test_uv2nix_projects_run(uv2nix: Box, saw: Saw) -> None:
    """The project's own script runs as an app, and as a package that has nothing else on its path."""
    assert uv2nix.nix("run", *OPTIONS, f"path:{HOME}/flake#demo").stdout == "demo of numpy\n"
    done = uv2nix.nix("build", *OPTIONS, f"path:{HOME}/flake#application", "-o", f"{HOME}/application", check=False)
    assert done.returncode == 0, done.stderr
    assert uv2nix.run("ls", f"{HOME}/application/bin").stdout.split() == ["demo"]
    done = uv2nix.run("env", "-i", f"{HOME}/application/bin/demo", check=False)
    saw("uv2nix", "deployment", done.stdout == "demo of numpy\n")


def test_uv2nix_shells_follow_the_sources(uv2nix: Box) -> None:
    """In the shell the project is its sources, found from a folder below them: a change needs no build."""
    work = uv2nix.home / "work"
    (work / "src/deep").mkdir(parents=True)
    (work / "uv.lock").write_text("")
    (work / "src/demo.py").write_text('def main():\n    print("changed")\n')
    assert develop(uv2nix, "demo", cwd=f"{HOME}/{work.name}/src/deep").stdout == "changed\n"
    told = develop(uv2nix, "bash", "-c", "echo $UV_NO_SYNC $UV_PYTHON_DOWNLOADS $UV_PYTHON ${PYTHONPATH-unset}").stdout
    assert told.split()[:2] == ["1", "never"]
    assert told.split()[2].startswith("/nix/store/")
    assert told.split()[3] == "unset"


def test_uv2nix_finds_libraries_of_sibling_wheels(tmp_path: Path) -> None:
    """A wheel whose library is in another wheel is imported, since the overlay tells where that one lies."""
    box = Box(home=tmp_path / "home")
    patchelf = f"{packages()['patchelf']}/bin/patchelf"
    box.home.mkdir(parents=True)
    parts = box.home / "parts"
    with zipfile.ZipFile(wheels()["psycopg2-binary"]) as archive:
        archive.extractall(parts)
    (libpq,) = parts.glob("psycopg2_binary.libs/libpq-*")
    (module,) = parts.glob("psycopg2/_psycopg*.so")
    box.run(patchelf, "--replace-needed", libpq.name, "libpq.so.5", f"parts/psycopg2/{module.name}")
    box.run(patchelf, "--set-soname", "libpq.so.5", f"parts/psycopg2_binary.libs/{libpq.name}")
    libpq.rename(libpq.with_name("libpq.so.5"))
    for name, content in (("house-code", "psycopg2"), ("house-libs", "psycopg2_binary.libs")):
        files = {str(file.relative_to(parts)): file.read_bytes() for file in (parts / content).iterdir()}
        tag = "cp313-cp313-manylinux2014_x86_64.manylinux_2_17_x86_64"
        wheel = build_wheel(tmp_path / "stock", name, "1.0", tag, files=files)
        CURRENT.run("nix-store", "--add-fixed", "sha256", wheel)
    folder = project(box, ["house-code", "house-libs"], PACKAGED)
    with SmallIndex(tmp_path / "stock") as index:
        on_this_machine(index, folder, "uv", "lock", "--quiet")
        init(index, folder, "uv2nix")
    done = build(box)
    assert done.returncode == 0, done.stderr
    _, maps = json.loads(box.run(f"{HOME}/result/bin/python", "-c", TELL, "psycopg2").stdout)
    assert [path for path in maps if "house-libs" in path and path.endswith("/libpq.so.5")]


def make_poetry2nix(box: Box, change: Callable[[Path], None] = lambda _: None) -> None:
    folder = project(box, [])
    entries = "\n".join(poetry_entry(name, wheels()[name].name.split("-")[1], [wheels()[name]]) for name in WANTED)
    (folder / "poetry.lock").write_text(
        f'{entries}\n[metadata]\nlock-version = "2.1"\npython-versions = ">=3.11"\ncontent-hash = ""\n'
    )
    (folder / "pyproject.toml").write_text(
        '[tool.poetry]\nname = "demo"\nversion = "0.1.0"\n\n[tool.poetry.dependencies]\npython = ">=3.11"\n'
        + "".join(f'{name} = "*"\n' for name in WANTED)
    )
    pin(folder, find("poetry2nix"))
    init(wheelhouse(), folder, "poetry2nix")
    change(folder)


def test_poetry2nix_shells_import_from_the_store(tmp_path: Path) -> None:
    """The shell's Python has the locked wheels, each with the libraries it asks for."""
    box = Box(home=tmp_path / "home")
    make_poetry2nix(box)
    for module in MODULES:
        file, maps = json.loads(develop(box, "python", "-c", TELL, module).stdout)
        assert file.startswith("/nix/store/")
        assert [path for path in maps if ".so" in path and not path.startswith("/nix/store/")] == []


def test_poetry2nix_programs_of_wheels_run(tmp_path: Path, saw: Saw) -> None:
    """A program that a wheel brings starts in the shell, where there is no loader for it."""
    box = Box(home=tmp_path / "home")
    make_poetry2nix(box)
    saw("poetry2nix", "executables", develop(box, "ruff", "--version", check=False).stdout.startswith("ruff "))


def test_poetry2nix_projects_run(tmp_path: Path, saw: Saw) -> None:
    """The project is built by its build system with the locked wheels, and its program runs with nothing set."""
    box = Box(home=tmp_path / "home")

    def package(folder: Path) -> None:
        file = folder / "pyproject.toml"
        scripts = '\n[tool.poetry.scripts]\ndemo = "demo:main"\n\n'
        file.write_text(file.read_text() + scripts + PACKAGED[PACKAGED.index("[build-system]") :])

    make_poetry2nix(box, package)
    done = build(box)
    assert done.returncode == 0, done.stderr
    done = box.run("env", "-i", f"{HOME}/result/bin/demo", check=False)
    saw("poetry2nix", "deployment", done.stdout == "demo of numpy\n")


def test_poetry2nix_without_the_list_fails_by_name(tmp_path: Path) -> None:
    """Without the row of a library that no manylinux tag promises, the wheel that asks for it does not build."""
    box = Box(home=tmp_path / "home")
    make_poetry2nix(box, lambda folder: without(folder, "libodbc.so.2"))
    done = develop(box, "true", check=False)
    assert done.returncode != 0
    assert "auto-patchelf could not satisfy dependency libodbc.so.2 wanted by /nix/store/" in done.stderr


def test_pyproject_nix_shells_have_nixpkgs_packages(tmp_path: Path) -> None:
    """The shell's Python has what the project asks for, as nixpkgs has it."""
    box = Box(home=tmp_path / "home")
    folder = project(box, ["numpy", "pillow"])
    init(wheelhouse(), folder, "pyproject-nix")
    for module in ("numpy", "PIL.Image"):
        file, _ = json.loads(develop(box, "python", "-c", TELL, module).stdout)
        assert file.startswith("/nix/store/")


def test_pyproject_nix_applications_run(tmp_path: Path, saw: Saw) -> None:
    """The project is built as an application that `nix run` starts, with nothing set but what it was built with; and
    not without its dependencies.
    """
    box = Box(home=tmp_path / "home")
    folder = project(box, ["numpy"], PACKAGED)
    init(wheelhouse(), folder, "pyproject-nix")
    done = box.nix("run", *OPTIONS, f"path:{HOME}/flake", check=False)
    saw("pyproject-nix", "deployment", done.stdout == "demo of numpy\n")
    file = folder / "pyproject.toml"
    file.write_text(file.read_text().replace('["numpy"]', "[]"))
    failed = box.nix("run", *OPTIONS, f"path:{HOME}/flake", check=False)
    assert "No module named 'numpy'" in failed.stderr


def test_pyproject_nix_checks_extras(tmp_path: Path) -> None:
    """The check fails by the name of an extra that nixpkgs' package does not have, and passes where an overlay gives it
    one, whose packages are there then.
    """
    box = Box(home=tmp_path / "home")
    folder = project(box, ["flask[async]"])
    init(wheelhouse(), folder, "pyproject-nix")
    done = build(box, f"checks.{SYSTEM}.requirements")
    assert done.returncode != 0
    assert "flask of nixpkgs has no extra async, which the project requires" in done.stderr
    assert "No module named 'asgiref'" in develop(box, "python", "-c", "import flask, asgiref", check=False).stderr

    flake = folder / "flake.nix"
    change = "flask = previous.flask.overridePythonAttrs { optional-dependencies.async = [ final.asgiref ]; };"
    override = f"p.python313.override {{ inherit self; packageOverrides = final: previous: {{ {change} }}; }}"
    python = f"python313 = let self = {override}; in self;"
    assert OVERLAY in flake.read_text()
    flake.write_text(flake.read_text().replace(OVERLAY, f"({OVERLAY.rstrip(';')}).extend (_: p: {{ {python} }});"))
    done = build(box, f"checks.{SYSTEM}.requirements")
    assert done.returncode == 0, done.stderr
    develop(box, "python", "-c", "import flask, asgiref")


def test_pyproject_nix_checks_versions(tmp_path: Path) -> None:
    """A version that the project does not admit fails the check by its name; what it admits passes."""
    for wanted, status in (("numpy>=1", 0), ("numpy<2", 1)):
        box = Box(home=tmp_path / f"{status}" / "home")
        folder = project(box, ["numpy"])
        init(wheelhouse(), folder, "pyproject-nix")
        file = folder / "pyproject.toml"
        file.write_text(file.read_text().replace('"numpy"', f'"{wanted}"'))
        done = build(box, f"checks.{SYSTEM}.requirements")
        assert (done.returncode != 0) == bool(status), done.stderr
        assert ("nixpkgs has numpy 2" in done.stderr) == bool(status)
