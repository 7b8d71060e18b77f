"""What doctor reads: the machine, interpreters, the loader, Nix files and git."""

from __future__ import annotations

import re
import shutil
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

from elfbuild import elf
from nixpy.doctor import cache, folder, nixfiles
from nixpy.doctor.host import foreign_folders, read_host
from nixpy.doctor.interpreter import packages_of, pythons_on_path, read_program, start
from nixpy.doctor.loader import Files, Search
from nixpy.doctor.venv import read_venv
from nixpy.needs.elf import read, run_path

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
    told = start(Path(sys.executable), {"LD_LIBRARY_PATH": str(tmp_path)})
    assert told.search is not None
    assert told.search[0] == tmp_path
    assert len(told.search) > 1
    assert "libc.so.6" in told.loaded
    assert "libz.so.1" not in told.loaded
    assert told.version == ".".join(map(str, sys.version_info[:3]))
    assert told.loader is not None


def test_nothing_of_a_project_is_run(tmp_path: Path) -> None:
    """Neither sitecustomize nor a .pth file of the environment, nor PYTHONPATH, is looked at when it is started."""
    subprocess.run([sys.executable, "-m", "venv", "--without-pip", tmp_path / "venv"], check=True)
    site = next((tmp_path / "venv").glob("lib/python3*/site-packages"))
    trap = f"import pathlib; pathlib.Path({str(tmp_path / 'sprung')!r}).touch()\n"
    (site / "trap.pth").write_text(trap)
    (site / "sitecustomize.py").write_text(trap)
    (tmp_path / "json.py").write_text(trap)
    start(tmp_path / "venv/bin/python", {"PYTHONPATH": str(tmp_path)})
    assert not (tmp_path / "sprung").exists()
    subprocess.run([tmp_path / "venv/bin/python", "-c", "pass"], check=True)
    assert (tmp_path / "sprung").exists()  # the trap is one


def test_an_interpreter_that_fails(tmp_path: Path) -> None:
    """It raises with the first line of what it wrote."""
    (tmp_path / "python").write_text("#!/bin/sh\necho no such luck >&2\nexit 3\n")
    (tmp_path / "python").chmod(0o755)
    with pytest.raises(ValueError, match="no such luck"):
        start(tmp_path / "python", {})


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


# --- the loader ---


def files_of(folder: Path, **contents: bytes) -> Files:
    """ELF files in a folder, by stem."""
    places = {}
    found = []
    for stem, data in contents.items():
        place = folder / "pkg" / f"{stem}.so"
        place.parent.mkdir(exist_ok=True)
        place.write_bytes(data)
        facts = read(data, f"pkg/{stem}.so")
        assert facts is not None
        found.append(facts)
        places[facts.path] = place
    return Files(files=tuple(found), places=places)


NOWHERE = Search(folders=())


def test_who_finds_a_library(tmp_path: Path) -> None:
    """Told folders, the process itself and the cache answer for all; a run path for the file that has it."""
    (tmp_path / "libs").mkdir()
    (tmp_path / "libs/libx.so.1").touch()
    plain = files_of(tmp_path, a=elf(needed=["libx.so.1"]))
    assert plain.unfound("libx.so.1", NOWHERE) == ("pkg/a.so",)
    assert plain.unfound("liby.so.1", NOWHERE) == ()  # nobody asks
    assert plain.unfound("libx.so.1", Search(folders=(tmp_path / "libs",))) == ()
    assert plain.unfound("libx.so.1", replace(NOWHERE, loaded=frozenset({"libx.so.1"}))) == ()
    assert plain.unfound("libx.so.1", replace(NOWHERE, cached=frozenset({"libx.so.1"}))) == ()
    for path in ("$ORIGIN/../libs", "${ORIGIN}/../libs", str(tmp_path / "libs"), f"/nowhere:{tmp_path / 'libs'}"):
        assert files_of(tmp_path, a=elf(needed=["libx.so.1"], runpath=path)).unfound("libx.so.1", NOWHERE) == ()
        assert files_of(tmp_path, a=elf(needed=["libx.so.1"], rpath=path)).unfound("libx.so.1", NOWHERE) == ()


def test_run_paths_are_not_inherited_and_old_ones_are(tmp_path: Path) -> None:
    """DT_RPATH of who brought a file in counts for what that file needs; DT_RUNPATH does not, and switches it off."""
    (tmp_path / "libs").mkdir()
    (tmp_path / "libs/libx.so.1").touch()
    inner = elf(needed=["libx.so.1"], soname="inner.so")

    def unfound(inner: bytes, **paths: str) -> tuple[str, ...]:
        return files_of(tmp_path, inner=inner, outer=elf(needed=["inner.so"], **paths)).unfound("libx.so.1", NOWHERE)  # type: ignore[arg-type]

    libs = "$ORIGIN/../libs"
    assert unfound(inner) == ("pkg/inner.so",)
    assert unfound(inner, rpath=libs) == ()
    assert unfound(inner, runpath=libs) == ("pkg/inner.so",)
    assert unfound(inner, rpath=libs, runpath="/nowhere") == ("pkg/inner.so",)
    assert unfound(elf(needed=["libx.so.1"], soname="inner.so", runpath="/no"), rpath=libs) == ("pkg/inner.so",)


def test_files_that_need_each_other(tmp_path: Path) -> None:
    """A circle of libraries ends."""
    circle = files_of(tmp_path, a=elf(needed=["b.so", "libx.so.1"]), b=elf(needed=["a.so"]))
    assert circle.unfound("libx.so.1", NOWHERE) == ("pkg/a.so",)


def elf_files() -> Iterator[Path]:
    """The interpreter of this environment, and what is installed in it."""
    yield Path(sys.executable).resolve()
    yield from sorted(Path(sys.prefix).glob("lib/python3*/site-packages/**/*.so"))[:60]


def test_run_paths_of_real_files() -> None:
    """They are those that pyelftools reads."""
    for path in elf_files():
        with path.open("rb") as stream:
            segments = ELFFile(stream).iter_segments()
            tags = [tag for one in segments if isinstance(one, DynamicSegment) for tag in one.iter_tags()]
            rpath = [getattr(tag, "rpath") for tag in tags if tag.entry.d_tag == "DT_RPATH"]  # noqa: B009
            runpath = [getattr(tag, "runpath") for tag in tags if tag.entry.d_tag == "DT_RUNPATH"]  # noqa: B009
        expected = tuple(tuple(":".join(texts).split(":")) if texts else () for texts in (rpath, runpath))
        assert run_path(path.read_bytes()) == expected, path
    assert run_path(b"") == run_path(b"\x7fELF") == ((), ())


def test_the_cache_is_what_ldconfig_prints() -> None:
    """The cache of this machine's loader has the sonames that ldconfig lists."""
    ldconfig = shutil.which("ldconfig", path="/sbin:/usr/sbin")
    told = start(Path(sys.executable), {}) if sys.platform == "linux" else None
    if ldconfig is None or told is None or told.loader is None or not Path("/etc/ld.so.cache").exists():
        pytest.skip("no glibc with a cache")
    printed = subprocess.run([ldconfig, "-p"], check=True, capture_output=True, text=True).stdout
    expected = set(re.findall(r"^\t(\S+) \(", printed, re.MULTILINE))
    assert told.cached == cache.of_loader(told.loader) == expected


@pytest.mark.parametrize("data", [b"", b"glibc-ld.so.cache1.1", b"glibc-ld.so.cache1.1" + b"\xff" * 40, b"x" * 100])
def test_a_damaged_cache_is_empty(data: bytes) -> None:
    """Bytes that are no cache, or end too early, name nothing."""
    assert cache.parse(data) == []


# --- Nix files ---

APPLICATION = """
{ pkgs }:
let
  # app = buildPythonPackage { };
  app = pkgs.python3Packages.buildPythonApplication { pname = "app"; };
  tool = pkgs.stdenv.mkDerivation rec { name = "tool"; nested = { a = "; }"; }; };
  right = pkgs.python3Packages.buildPythonPackage { pname = "right"; inputs = [ (stdenv.mkDerivation { }) ]; };
  made = pkgs.python3Packages.toPythonModule (pkgs.stdenv.mkDerivation { name = "made"; });
  passed = pkgs.stdenv.mkDerivation { passthru = { pythonModule = pkgs.python3; }; };
  file = pkgs.callPackage ./package.nix { };
  library = pkgs.callPackage ./library { };
in
pkgs.mkShell {
  packages = [
    app
    (pkgs.python3.withPackages (ps: with ps; [ numpy app right made passed file library
      (pkgs.stdenv.mkDerivation { name = "inline"; })
      (ps.buildPythonPackage { pname = "x"; })
    ]))
    tool
  ];
}
"""


def test_packages_that_with_packages_leaves_out(tmp_path: Path) -> None:
    """Found are an application, a derivation, inline or in a called file; not what stands beside the environment, has a
    pythonModule, is a comment, or is a library.
    """
    (tmp_path / "shell.nix").write_text(APPLICATION)
    (tmp_path / "package.nix").write_text("{ lib, buildPythonApplication }:\nbuildPythonApplication { }\n")
    (tmp_path / "library").mkdir()
    (tmp_path / "library/default.nix").write_text("{ buildPythonPackage }: buildPythonPackage { }\n")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/shell.nix").write_text(APPLICATION)
    found = nixfiles.applied(tmp_path)
    assert [(one.name, one.builder, one.file.name, one.line) for one in found] == [
        ("app", "buildPythonApplication", "shell.nix", 16),
        ("file", "buildPythonApplication", "shell.nix", 16),
        ("a package", "mkDerivation", "shell.nix", 17),
    ]
    assert [(one.made_in.name, one.made_at) for one in found] == [
        ("shell.nix", 5),
        ("package.nix", None),
        ("shell.nix", 17),
    ]


def test_packages_of_an_overlay_in_the_same_file(tmp_path: Path) -> None:
    """As in the wiki: bound in packageOverrides, taken as `ps.toolz`."""
    (tmp_path / "toolz.nix").write_text('{ stdenv, fetchPypi }:\nstdenv.mkDerivation rec { pname = "toolz"; }\n')
    (tmp_path / "shell.nix").write_text("""
let
  python = pkgs.python3.override {
    packageOverrides = pyfinal: pyprev: { toolz = pyfinal.callPackage ./toolz.nix { }; };
  };
in pkgs.mkShell { packages = [ (python.withPackages (python-pkgs: [ python-pkgs.pandas python-pkgs.toolz ])) ]; }
""")
    assert [one.name for one in nixfiles.applied(tmp_path)] == ["toolz"]


@pytest.mark.parametrize(
    "text", ["", "withPackages (", "withPackages (ps: [", "x = ", "withPackages (ps: [ (", "a = {"]
)
def test_broken_nix_is_no_failure(tmp_path: Path, text: str) -> None:
    """Text that ends in the middle is read to its end."""
    (tmp_path / "a.nix").write_text(text)
    assert nixfiles.applied(tmp_path) == ()


# --- git ---


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """A git tree with a flake, what nixpy writes, and a .venv."""
    subprocess.run(["git", "init", "-q", tmp_path], check=True)
    for name in ("flake.nix", "nixpy.nix", "nixpy.lock", "pyproject.toml"):
        (tmp_path / name).write_text("")
    (tmp_path / ".venv").mkdir()
    (tmp_path / ".venv/pyvenv.cfg").touch()
    return tmp_path


def test_what_git_does_not_know(tree: Path) -> None:
    """Files of the flake that are not in the index, in the flake's order; `git add -N` makes them known."""
    found = folder.git(tree, tree / ".venv")
    assert found is not None
    assert (found.unknown, found.open_venv) == (("flake.nix", "nixpy.nix", "nixpy.lock"), True)
    subprocess.run(["git", "-C", tree, "add", "-N", *found.unknown], check=True)
    (tree / ".gitignore").write_text(".venv/\n")
    found = folder.git(tree, tree / ".venv")
    assert found is not None
    assert (found.unknown, found.open_venv) == ((), False)


def test_a_venv_that_ignores_itself(tree: Path) -> None:
    """As Python 3.13 and uv make it, with a .gitignore inside."""
    (tree / ".venv/.gitignore").write_text("*\n")
    found = folder.git(tree, tree / ".venv")
    assert found is not None
    assert not found.open_venv


def test_a_project_below_the_top(tree: Path) -> None:
    """Names are those of the project's folder; without a flake nothing need be known."""
    below = tree / "below"
    below.mkdir()
    (below / "nixpy.nix").touch()
    found = folder.git(below, below / ".venv")
    assert found is not None
    assert (found.unknown, found.open_venv) == ((), False)
    (below / "flake.nix").touch()
    found = folder.git(below, below / ".venv")
    assert found is not None
    assert found.unknown == ("flake.nix", "nixpy.nix")


def test_no_git_tree(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nothing to say outside of one; in one without git, that is an error that names it."""
    assert folder.git(tmp_path, tmp_path / ".venv") is None
    (tmp_path / ".git").mkdir()
    (tmp_path / "flake.nix").touch()
    with pytest.raises(OSError, match="not a git repository"):
        folder.git(tmp_path, tmp_path / ".venv")
    monkeypatch.setenv("PATH", "/nowhere")
    with pytest.raises(FileNotFoundError, match="git is not on PATH"):
        folder.git(tmp_path, tmp_path / ".venv")


@pytest.mark.parametrize(
    ("name", "text", "may"),
    [
        ("pyproject.toml", "", True),
        ("pyproject.toml", '[tool.uv]\npython-downloads = "never"\n', False),
        ("uv.toml", 'python-preference = "only-system"\n', False),
        ("uv.toml", 'python-downloads = "manual"\n', True),
    ],
)
def test_settings_of_uv(tmp_path: Path, name: str, text: str, may: bool) -> None:
    """What the project's files say of uv's own Pythons."""
    (tmp_path / name).write_text(text)
    assert folder.uv_may_download(tmp_path) == may
