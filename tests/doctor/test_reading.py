"""What doctor reads of a machine: the host, interpreters, virtual environments."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from elfbuild import elf
from nixpy.doctor.facts import DRIVER, WSL_DRIVER
from nixpy.doctor.host import foreign_folders, read_host
from nixpy.doctor.interpreter import packages_of, pythons_on_path, read_program, start
from nixpy.doctor.moved import other_folders
from nixpy.doctor.project_folder import importing
from nixpy.doctor.venv import read_venv

# --- the machine ---


def host_root(folder: Path, target: str | None) -> Path:
    """A file system whose loader leads to a file of this name."""
    (folder / "lib64").mkdir(parents=True)
    (folder / "etc").mkdir()
    if target:
        (folder / target).parent.mkdir(parents=True, exist_ok=True)
        (folder / target).touch()
        (folder / "lib64/ld-linux-x86-64.so.2").symlink_to(folder / target)
    return folder


@pytest.mark.parametrize(
    ("target", "expected"),
    [
        ("nix/store/a-nix-ld-2.0.4/libexec/nix-ld", "nix-ld"),
        ("nix/store/a-stub-ld-x86_64-linux/libexec/stub-ld", "stub"),
        ("usr/lib/ld-2.36.so", "a loader"),
        (None, "none"),
    ],
)
def test_what_is_at_the_loaders_place(tmp_path: Path, target: str | None, expected: str) -> None:
    """The store path that the link leads to says what it is."""
    host = read_host(host_root(tmp_path, target), "x86_64", "Linux")
    assert (host.at_loader, str(host.loader), host.nixos, host.driver) == (
        expected,
        "/lib64/ld-linux-x86-64.so.2",
        False,
        False,
    )


def test_a_link_that_leads_nowhere_is_nothing(tmp_path: Path) -> None:
    """A dangling loader starts nothing."""
    root = host_root(tmp_path, "nix/store/a-nix-ld/nix-ld")
    (root / "nix/store/a-nix-ld/nix-ld").unlink()
    assert read_host(root, "x86_64", "Linux").at_loader == "none"


def test_nixos_and_its_driver(tmp_path: Path) -> None:
    """os-release or /etc/NIXOS tells NixOS; the driver's folder is looked for; macOS has no loader."""
    (tmp_path / "etc").mkdir()
    (tmp_path / "etc/os-release").write_text('NAME="x"\nID=nixos\n')
    (tmp_path / "run/opengl-driver/lib").mkdir(parents=True)
    host = read_host(tmp_path, "aarch64", "Linux")
    assert (host.nixos, host.driver, host.system) == (True, True, "aarch64-linux")
    assert str(host.loader) == "/lib/ld-linux-aarch64.so.1"
    (tmp_path / "etc/os-release").write_text("ID=debian\n")
    assert not read_host(tmp_path, "x86_64", "Linux").nixos
    (tmp_path / "etc/NIXOS").touch()
    assert read_host(tmp_path, "x86_64", "Linux").nixos
    (tmp_path / "usr/lib/wsl/lib").mkdir(parents=True)
    for path in ("usr/lib/wsl/lib/libcuda.so.1", "usr/lib/wsl/lib/libdxcore.so", "run/opengl-driver/lib/libdxcore.so"):
        (tmp_path / path).touch()
    (tmp_path / "run/opengl-driver/lib/libGL.so.1").symlink_to("nowhere")
    drivers = read_host(tmp_path, "x86_64", "Linux").drivers
    assert drivers == {"libcuda.so.1": WSL_DRIVER, "libdxcore.so": DRIVER}
    mac = read_host(tmp_path, "arm64", "Darwin")
    assert (mac.loader, mac.system) == (None, "aarch64-darwin")


def test_folders_of_the_search_path(tmp_path: Path) -> None:
    """Those of nixpy and of the driver are right; of others, glibc's libraries and the C++ runtime are named."""
    (tmp_path / "libc.so.6").touch()
    (tmp_path / "libz.so.1").touch()
    (tmp_path / "libstdc++.so.6").touch()
    ours = "/nix/store/00000000000000000000000000000000-nixpy-libraries/lib"
    environ = {"LD_LIBRARY_PATH": f"{ours}:{tmp_path}::/nowhere:/run/opengl-driver/lib"}
    assert foreign_folders(environ) == {str(tmp_path): ("libc.so.6", "libstdc++.so.6"), "/nowhere": ()}
    assert foreign_folders({}) == {}
    root = {"LD_LIBRARY_PATH": "/usr/lib:/usr/lib32"}
    assert foreign_folders({**root, "NIXPY_FHS": "1"}) == {}
    assert set(foreign_folders(root)) == {"/usr/lib", "/usr/lib32"}


# --- interpreters ---

STORE = "/nix/store/00000000000000000000000000000000"


def test_wrappers_are_seen_through(tmp_path: Path) -> None:
    """A launcher names the interpreter that it starts and the libraries it hands over; links are followed by name."""
    script = tmp_path / "python3.13"
    libraries = f"{STORE}-nixpy-libraries"
    script.write_text(f"#!/bin/sh\nexec ld.so --library-path {libraries}/lib {STORE}-python3-3.13.5/bin/python3.13\n")
    (tmp_path / "python3").symlink_to("python3.13")
    (tmp_path / "python").symlink_to("python3")
    found = read_program(tmp_path / "python")
    assert found.links == (tmp_path / "python", tmp_path / "python3", script)
    assert (found.exists, found.ours, found.loader) == (True, True, None)
    assert str(found.wraps) == f"{STORE}-python3-3.13.5/bin/python3.13"


def test_a_program_that_is_no_wrapper(tmp_path: Path) -> None:
    """An ELF file has a loader; one that leads nowhere, or in a circle, does not exist."""
    program = tmp_path / "python"
    program.write_bytes(elf(interpreter=b"/lib64/ld-linux-x86-64.so.2\0"))
    found = read_program(program)
    assert (str(found.loader), found.wraps, found.ours) == ("/lib64/ld-linux-x86-64.so.2", None, False)
    (tmp_path / "gone").symlink_to("/nix/store/gone/bin/python")
    assert not read_program(tmp_path / "gone").exists
    (tmp_path / "a").symlink_to("b")
    (tmp_path / "b").symlink_to("a")
    assert not read_program(tmp_path / "a").exists


def test_pythons_of_path(tmp_path: Path) -> None:
    """Each entry that has an executable one, in order, each once; with the distributions of its prefix."""
    for name in ("one", "two", "three"):
        (tmp_path / name / "bin").mkdir(parents=True)
    for path in ("one/bin/python", "two/bin/python3"):
        (tmp_path / path).write_text("#!/bin/sh\n")
        (tmp_path / path).chmod(0o755)
    (tmp_path / "three/bin/python").write_text("not executable")
    (tmp_path / "two/lib/python3.13/site-packages/Zope.Interface-1.0.dist-info").mkdir(parents=True)
    entries = [str(tmp_path / name / "bin") for name in ("one", "three", "two", "one")]
    found = pythons_on_path({"PATH": ":".join(["", *entries, "/nowhere"])})
    assert [one.program.path for one in found] == [tmp_path / "one/bin/python", tmp_path / "two/bin/python3"]
    assert [one.packages for one in found] == [frozenset(), frozenset({"zope-interface"})]


def test_an_interpreter_tells_where_it_looks(tmp_path: Path) -> None:
    """What the loader itself answers begins with LD_LIBRARY_PATH; libc is loaded from the start, and zlib is not."""
    if sys.platform != "linux":
        pytest.skip("the loader of this system does not tell")
    told = start(Path(sys.executable), {"LD_LIBRARY_PATH": str(tmp_path)}, project=tmp_path)
    assert told.search is not None
    assert told.search[0] == tmp_path
    assert len(told.search) > 1
    assert "libc.so.6" in told.loaded
    assert "libz.so.1" not in told.loaded
    assert told.version == ".".join(map(str, sys.version_info[:3]))
    assert told.loader is not None


def test_who_imports_a_module_that_the_interpreter_lacks(tmp_path: Path) -> None:
    """The interpreter tells whether it has the module; who imports it is a file of the project and known packages."""
    told = start(Path(sys.executable), {}, project=tmp_path)
    assert told.lacks == ({"_tkinter"} if importlib.util.find_spec("_tkinter") is None else set())
    (tmp_path / "requirements.txt").touch()
    (tmp_path / "gui.py").write_text("from tkinter import ttk\n")
    lacking = replace(told, lacks=frozenset({"_tkinter"}))
    assert importing(tmp_path, lacking, {"numpy", "customtkinter"}) == {"tkinter": ("the project", "customtkinter")}
    assert importing(tmp_path, replace(told, lacks=frozenset()), {"customtkinter"}) == {}


def test_nothing_of_a_project_is_run(tmp_path: Path) -> None:
    """Neither sitecustomize nor a .pth file of the environment, nor PYTHONPATH, is looked at when it is started."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    site = next((tmp_path / "venv").glob("lib/python3*/site-packages"))
    trap = f"import pathlib; pathlib.Path({str(tmp_path / 'sprung')!r}).touch()\n"
    (site / "trap.pth").write_text(trap)
    (site / "sitecustomize.py").write_text(trap)
    (tmp_path / "json.py").write_text(trap)
    start(tmp_path / "venv/bin/python", {"PYTHONPATH": str(tmp_path)}, project=tmp_path)
    assert not (tmp_path / "sprung").exists()
    subprocess.run([tmp_path / "venv/bin/python", "-c", "pass"], check=True)
    assert (tmp_path / "sprung").exists()  # the trap is one


def test_an_interpreter_that_fails(tmp_path: Path) -> None:
    """It raises with the first line of what it wrote."""
    (tmp_path / "python").write_text("#!/bin/sh\necho no such luck >&2\nexit 3\n")
    (tmp_path / "python").chmod(0o755)
    with pytest.raises(ValueError, match="no such luck"):
        start(tmp_path / "python", {}, project=tmp_path)


def test_a_virtual_environment(tmp_path: Path) -> None:
    """Which link leaves it, its home, its versions; no folder, or an empty one, is none; a dangling one is."""
    assert read_venv(tmp_path / ".venv") is None
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / ".venv"], check=True)
    found = read_venv(tmp_path / ".venv")
    assert found is not None
    assert found.leaves is not None
    assert found.leaves.parent == tmp_path / ".venv/bin"
    assert found.leaves.readlink().is_absolute()
    assert not found.leaves.readlink().is_relative_to(tmp_path)
    assert found.versions == (f"3.{sys.version_info.minor}",)
    assert found.home is not None
    assert Path(found.home).is_dir()
    # As uv makes it: python3 leads to python, which leaves; and as others do, the other way round.
    (tmp_path / ".venv/bin/python").unlink()
    (tmp_path / ".venv/bin/python").symlink_to("python9")
    (tmp_path / ".venv/bin/python9").symlink_to("/nix/store/gone/bin/python")
    found = read_venv(tmp_path / ".venv")
    assert found is not None
    assert (found.leaves, found.python.exists) == (tmp_path / ".venv/bin/python9", False)


def test_distributions_of_a_prefix(tmp_path: Path) -> None:
    """dist-info and egg-info count, names are normalised, and other folders are none."""
    site = tmp_path / "lib/python3.13/site-packages"
    for name in ("Foo_Bar-1.0.dist-info", "old-2.egg-info", "foo_bar"):
        (site / name).mkdir(parents=True)
    assert packages_of(tmp_path) == {"foo-bar", "old"}


def damaged_venv(folder: Path) -> Path:
    """A virtual environment, to be damaged."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", folder], check=True)
    (folder / "bin/python").unlink()
    return folder


@pytest.mark.parametrize(
    ("content", "mode", "broken"),
    [
        (b"", 0o755, "is empty"),
        (b"garbage", 0o755, "is not a program"),
        (b"#!/bin/sh\n", 0o644, "is not executable"),
        (b"\x7fELF" + b"\0" * 10, 0o755, "is not a program"),
        (b"#!/bin/sh\n", 0o755, ""),
        (elf(interpreter=b"/lib64/ld-linux-x86-64.so.2\0"), 0o755, ""),
        (bytes.fromhex("cffaedfe") + b"\0" * 40, 0o755, ""),
    ],
)
def test_a_python_that_is_no_program(tmp_path: Path, content: bytes, mode: int, broken: str) -> None:
    """The reason is in words; one such file on PATH does not hide the others."""
    venv = damaged_venv(tmp_path / ".venv")
    (venv / "bin/python").write_bytes(content)
    (venv / "bin/python").chmod(mode)
    found = read_venv(venv)
    assert found is not None
    assert found.python.broken.startswith(broken)
    assert bool(found.python.broken) == bool(broken)
    if mode & 1:
        paths = [one.program.path for one in pythons_on_path({"PATH": f"{venv}/bin:{Path(sys.executable).parent}"})]
        assert paths[0] == venv / "bin/python"
        assert len(paths) == 2


def test_a_venv_without_its_files(tmp_path: Path) -> None:
    """Without pyvenv.cfg or Python it is one still, as long as something tells; a bin folder alone does not."""
    venv = damaged_venv(tmp_path / ".venv")
    found = read_venv(venv)
    assert found is not None
    assert (found.python.missing, found.has_config, found.version) == (True, True, f"3.{sys.version_info.minor}")
    (venv / "pyvenv.cfg").unlink()
    found = read_venv(venv)
    assert found is not None
    assert (found.has_config, found.home, found.version) == (False, None, None)
    (tmp_path / "other/bin").mkdir(parents=True)
    assert read_venv(tmp_path / "other") is None


OLD = "/old place/.venv"


@pytest.mark.parametrize(
    ("name", "text", "moved"),
    [
        ("activate", 'VIRTUAL_ENV="{}"\nexport VIRTUAL_ENV\n', True),  # venv of Python 3.12
        ("activate", "    VIRTUAL_ENV=$(cygpath '{0}')\n  *)\n    export VIRTUAL_ENV='{0}'\n", True),  # 3.13
        ("activate", "VIRTUAL_ENV='{}'\n", True),  # uv, virtualenv
        ("activate", 'VIRTUAL_ENV=\'\'"$(dirname -- "$(dirname -- "$(realpath -- "$SCRIPT_PATH")")")"\'\'\n', False),
        ("pip", "#!{}/bin/python3.13\nimport sys\n", True),
        ("pip", "#!/bin/sh\n'''exec' \"{}/bin/python\" \"$0\" \"$@\"\n' '''\n", True),  # pip
        ("pip", "#!/bin/sh\n'''exec' '{}/bin/python' \"$0\" \"$@\"\n' '''\n", True),  # uv
        ("pip", '#!/bin/sh\n\'\'\'exec\' "$(dirname -- "$(realpath -- "$0")")"/\'python\' "$0" "$@"\n', False),
        ("tool", "#!/usr/bin/env python3\n", False),
        ("tool", "#!/usr/bin/python3\n", False),
        ("tool", "#!/nix/store/00000000000000000000000000000000-python3-3.13.5/bin/python3.13\n", False),
        ("tool", "\x7fELF {}/bin/python", False),
    ],
)
def test_the_folder_that_files_name(tmp_path: Path, name: str, text: str, *, moved: bool) -> None:
    """Each installer writes the folder in its own form; relocatable files and other interpreters name none."""
    venv = tmp_path / "new place/.venv"
    (venv / "bin").mkdir(parents=True)
    (venv / f"bin/{name}").write_text(text.replace("{0}", "{}").replace("{}", OLD))
    assert list(other_folders(venv)) == ([Path(OLD)] if moved else [])
    (venv / f"bin/{name}").write_text(text.replace("{0}", "{}").replace("{}", str(venv)))
    assert list(other_folders(venv)) == []
    (tmp_path / "link").symlink_to(venv)
    (venv / f"bin/{name}").write_text(text.replace("{0}", "{}").replace("{}", str(tmp_path / "link")))
    assert list(other_folders(venv)) == []


def test_a_script_of_another_environment(tmp_path: Path) -> None:
    """A folder of another name counts if it is a virtual environment; a link in bin, and what is no file, do not."""
    venv, other = tmp_path / ".venv", tmp_path / "other"
    for folder in (venv / "bin", other / "bin"):
        folder.mkdir(parents=True)
    (venv / "bin/tool").write_text(f"#!{other}/bin/python\n")
    assert list(other_folders(venv)) == []
    (other / "pyvenv.cfg").touch()
    assert list(other_folders(venv)) == [other]
    (venv / "bin/tool").rename(other / "bin/tool")
    (venv / "bin/tool").symlink_to(other / "bin/tool")
    os.mkfifo(venv / "bin/pipe")
    assert list(other_folders(venv)) == []
    assert list(other_folders(tmp_path / "none")) == []


def test_packages_of_the_base(tmp_path: Path) -> None:
    """Those of the Python in `home` count with include-system-site-packages, in the folders of Debian, too."""
    venv = tmp_path / ".venv"
    (venv / "lib/python3.13/site-packages").mkdir(parents=True)
    for path in (
        "lib/python3.13/site-packages/one-1.dist-info",
        "local/lib/python3.13/dist-packages/two-1.dist-info",
        "lib/python3/dist-packages/three-1.egg-info",
        "lib/python3.12/site-packages/four-1.dist-info",
    ):
        (tmp_path / "base" / path).mkdir(parents=True)
    for value, expected in (("true", {"one", "two", "three"}), ("True", {"one", "two", "three"}), ("false", set())):
        (venv / "pyvenv.cfg").write_text(f"home = {tmp_path}/base/bin\ninclude-system-site-packages = {value}\n")
        found = read_venv(venv)
        assert found is not None
        assert (set(found.system_packages), found.inherits) == (expected, bool(expected))
