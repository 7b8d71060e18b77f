"""The matrix: what each style promises, seen in its development shell in the box."""

from __future__ import annotations

import dataclasses
import os
import pty
import re
import subprocess
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile

from nixos.box.observe import WAYS, Observed, Way
from nixos.box.shells import FLAKE, MODULES, PROGRAMS, WORK, Shell
from nixos.box.store import in_root

Saw = Callable[[str, str, bool], None]


@pytest.fixture(params=WAYS, ids=" with ".join)
def way(request: pytest.FixtureRequest) -> Way:
    """Each way into the shell, with each kind of virtual environment."""
    found: Way = request.param
    return found


@pytest.fixture
def found(observed: Observed, way: Way) -> Mapping[str, Any]:
    """What the probe reports."""
    return observed.first[way]


@pytest.fixture
def venv(way: Way) -> str:
    """Where the virtual environment lies."""
    return f"{WORK[way[1]]}/.venv"


def test_every_module_is_imported_from_the_venv(
    observed: Observed, found: Mapping[str, Any], way: Way, venv: str, saw: Saw
) -> None:
    """All packages of the matrix are imported from their wheels, and OpenCV's window finds what it needs: by direnv as
    by `nix develop`, on a host without nix-ld but for the style that asks for it. What lies in `.venv` Nix did not
    build.
    """
    assert set(found["modules"]) == set(PROGRAMS)
    for name, module in found["modules"].items():
        assert module.get("file", "").startswith(f"{venv}/lib/"), (name, module)
    if way[0] == "direnv":
        if observed.name != "fhs":  # whose command was asked, see test_box_direnv.py
            saw(observed.name, "direnv", True)
    elif observed.shell.box.host_loader != "nix-ld":
        saw(observed.name, "no-nix-ld", True)
    saw(observed.name, "deployment", all(m["file"].startswith("/nix/store/") for m in found["modules"].values()))


@pytest.mark.parametrize("observed", ["nix-ld"], indirect=True)
def test_nix_ld_is_for_programs_alone(observed: Observed, saw: Saw) -> None:
    """On a host without nix-ld the program of a wheel does not start under style nix-ld, and Python imports all the
    same.
    """
    bare = dataclasses.replace(observed.shell, box=dataclasses.replace(observed.shell.box, host_loader="stub-ld"))
    assert "file" in bare.imports()["modules"]["numpy"]
    saw("nix-ld", "no-nix-ld", bare.run(".venv/bin/ruff --version", check=False).returncode == 0)


def test_without_the_list_the_same_imports_fail(observed: Observed, way: Way) -> None:
    """With all libraries ignored and the same venv, exactly the modules that need more than is there anyway fail, each
    on a soname that nixpy had named for it or for what it imports.
    """
    needed = observed.shell.sonames
    failing = {name for name in MODULES if needed.get(name, frozenset()) - observed.given}
    failing |= {"opencv-python, a window"}
    if observed.name == "fhs":
        # It needs zlib for its libgfortran, and has by then loaded one of the same name that numpy brought without.
        failing -= {"scipy"}
    modules = observed.without[way]["modules"]
    assert {name for name, module in modules.items() if "error" in module} == failing
    everything = frozenset().union(*needed.values())
    for name in failing:
        assert observed.missed(name) <= everything - observed.given


def test_with_the_list_the_same_venv_works_again(observed: Observed, way: Way) -> None:
    """After libraries came to the set and the shell was entered again, the old .venv finds them: it was linked to the
    new interpreter, and none of its files was installed anew.
    """
    assert all("file" in module for module in observed.again[way]["modules"].values())
    assert observed.kept
    # What is Python's own is found through the link, and so changed with it; in a root it stays at its place, and
    # patched files need no other interpreter.
    same = observed.without[way]["base_prefix"] == observed.again[way]["base_prefix"]
    assert same == (observed.name in {"fhs", "patched-venv"})


def test_only_the_store_and_the_venv_are_mapped(observed: Observed, found: Mapping[str, Any], venv: str) -> None:
    """Everything that a module maps into its process lies in the store or in the venv; in a root, in its /usr."""
    roots = ("/nix/store/", f"{venv}/", *(["/usr/"] if observed.name == "fhs" else []))
    assert [path for path in found["maps"] if path.startswith("/") and not path.startswith((*roots, "/dev/"))] == []
    assert any("libstdc++" in path for path in found["maps"])


def test_the_venv_is_one(observed: Observed, found: Mapping[str, Any], venv: str) -> None:
    """sys.prefix and sys.executable are the venv's, sys.base_prefix is the interpreter's."""
    assert found["prefix"] == venv
    assert found["executable"] == f"{venv}/bin/python"
    assert found["base_prefix"].startswith("/usr" if observed.name == "fhs" else "/nix/store/")


def test_a_spawned_process_is_the_same(found: Mapping[str, Any], venv: str) -> None:
    """A process that multiprocessing spawns, and sys.executable as a program, import numpy in the same venv."""
    module, prefix, executable = found["spawned"]
    assert module.startswith(f"{venv}/lib/")
    assert (prefix, executable) == (venv, f"{venv}/bin/python")
    assert found["started"] == venv


def test_what_python_starts_inherits(observed: Observed, found: Mapping[str, Any], saw: Saw) -> None:
    """LD_LIBRARY_PATH is unset in a child exactly where the style says that nothing leaks, and nix-ld's variables are
    set under the two styles of that name alone; nothing else of Nix's builds is set.
    """
    environment = found["environment"]
    saw(observed.name, "leak-free", "LD_LIBRARY_PATH" not in environment)
    for name in ("NIX_LD", "NIX_LD_LIBRARY_PATH"):
        assert (name in environment) == observed.name.startswith("nix-ld")
    for name in ("PYTHONPATH", "SOURCE_DATE_EPOCH", "PYTHONHASHSEED", "DETERMINISTIC_BUILD"):
        assert name not in environment


def test_a_newer_program_survives_where_nothing_leaks(observed: Observed, built: dict[str, Path]) -> None:
    """A program of the store that needs a newer libstdc++ runs from the shell, and from inside Python exactly where the
    style says that nothing leaks; elsewhere it is given the older one and dies.
    """
    shell = observed.shell
    assert shell.run(f"{built['newer-ninja']}/bin/ninja --version").stdout.splitlines()[-1][0].isdigit()
    assert (observed.newer.returncode == 0) == shell.style.leak_free
    assert ("version `GLIBCXX_" in observed.newer.stderr) != shell.style.leak_free


def test_a_console_script_runs(shell: Shell, way: Way) -> None:
    """The script that numpy's wheel declares starts on its shebang and knows its package."""
    printed = shell.run(".venv/bin/numpy-config --version", entry=way[0], maker=way[1]).stdout.split()
    assert printed[-1][0].isdigit()


def test_a_program_of_a_wheel_runs_where_promised(observed: Observed, saw: Saw) -> None:
    """A program (ruff) starts exactly under the styles that promise programs inside wheels; the others say at the
    entrance that it will not and what does help.
    """
    promised = observed.shell.style.executables
    saw(observed.name, "executables", observed.ruff.returncode == 0)
    assert ("ruff " in observed.ruff.stdout) == promised
    hint = "nixpy: programs in ruff do not start on this host"
    assert (hint in observed.ruff.stderr) != promised
    assert ("use style nix-ld, patched-venv or fhs" in observed.ruff.stderr) != promised


def test_the_venv_works_outside_of_the_shell_where_promised(observed: Observed, saw: Saw) -> None:
    """The Python of a .venv, started without the shell and its variables as an IDE does, imports every package exactly
    under the styles that promise it to IDEs.
    """
    saw(observed.name, "ide", observed.works_outside)


@pytest.mark.parametrize("observed", ["loader"], indirect=True)
def test_every_line_of_the_list_is_needed(observed: Observed) -> None:
    """Each library taken away alone is missed by name in some package, but for those that the loader finds anyway or
    that another library of the list brings along. Imports do not open what a package opens later.
    """
    shell = observed.shell
    sonames = shell.linked
    farm = shell.run("grep -o '/nix/store/[^:\"$]*-nixpy-libraries/lib' $(type -p python) | head -1").stdout
    brought = {soname: set(needed_sonames(Path(farm.strip(), soname))) - {soname} for soname in sonames}
    try:
        for soname in sorted(sonames):
            shell.ignore([soname])
            # First those whose wheels ask for it: where one of them misses it, the others need not be run.
            asking = [name for name in PROGRAMS if soname in shell.sonames.get(name.partition(",")[0], ())]
            for programs in (asking, PROGRAMS.keys() - asking):
                errors = [module.get("error", "") for module in shell.imports(programs)["modules"].values()]
                missed = any(f"{soname}: cannot open shared object file" in error for error in errors)
                if missed:
                    break
            others = set().union(*(names for name, names in brought.items() if name != soname))
            assert missed or soname in observed.given | others, (soname, errors)
            assert not (missed and soname in observed.given), soname
    finally:
        shell.ignore(())


def needed_sonames(library: Path) -> list[str]:
    """The DT_NEEDED names of a library of the store, through links."""
    file = in_root(library)
    if file.is_symlink():
        return needed_sonames(library.parent / file.readlink())
    with file.open("rb") as stream:
        (dynamic,) = (part for part in ELFFile(stream).iter_segments() if isinstance(part, DynamicSegment))
        return [str(getattr(tag, "needed")) for tag in dynamic.iter_tags("DT_NEEDED")]  # noqa: B009


@pytest.mark.parametrize("observed", ["fhs"], indirect=True)
def test_the_root_is_an_app(observed: Observed) -> None:
    """`nix run .#fhs -- CMD` runs a command in the root, and ends as it does."""
    options = ("--offline", "--no-write-lock-file", f"path:{FLAKE}#fhs")
    done = observed.shell.box.nix("run", *options, "--", "bash", "-c", "ls -d /usr/lib; exit 5", check=False)
    assert (done.returncode, done.stdout) == (5, "/usr/lib\n")


@pytest.mark.parametrize("observed", ["fhs"], indirect=True)
def test_a_persons_shell_moves_into_the_root(observed: Observed) -> None:
    """`nix develop` at a terminal is a shell inside the root, where the venv's own programs start as typed, and
    `nixpy-fhs` in there just runs a command.
    """
    command = ("nix", "develop", "--offline", "--no-write-lock-file", f"path:{FLAKE}")
    typed = "ls -d /usr/lib; .venv/bin/ruff --version; nixpy-fhs echo once; exit 7\n"
    status, printed = at_a_terminal(observed.shell, command, typed)
    assert "\n/usr/lib\n" in printed
    assert "\nruff " in printed
    assert "\nonce\n" in printed
    assert status == 7


def at_a_terminal(shell: Shell, command: tuple[str, ...], typed: str) -> tuple[int, str]:
    """The exit status, and what a person sees who starts the command at a terminal and types that."""
    ours, theirs = pty.openpty()
    process = subprocess.Popen(
        shell.box.command(*command, cwd=WORK["venv"]), stdin=theirs, stdout=theirs, stderr=theirs, close_fds=True
    )
    os.close(theirs)
    os.write(ours, typed.encode())
    seen = b""
    try:
        while part := os.read(ours, 65536):
            seen += part
    except OSError:  # the other end is closed
        pass
    os.close(ours)
    return process.wait(60), seen.decode().replace("\r\n", "\n")


@pytest.mark.parametrize("observed", ["loader"], indirect=True)
def test_a_venv_of_another_python_is_not_touched(observed: Observed) -> None:
    """A .venv of another Python version in the store stays as it is, and the shell says what to do."""
    shell = observed.shell
    folder = shell.box.home / "other/.venv"
    (folder / "bin").mkdir(parents=True)
    for name in ("nixpy.lock", "pyproject.toml"):
        (shell.box.home / "other" / name).write_text((shell.folder / name).read_text())
    (folder / "lib/python3.12").mkdir(parents=True)
    link = folder / "bin/python"
    link.symlink_to("/nix/store/00000000000000000000000000000000-python3-3.12.9/bin/python3.12")
    (folder / "pyvenv.cfg").write_text("home = /nowhere\n")
    done = shell.box.nix(
        *("develop", "--offline", "--no-write-lock-file", f"path:{FLAKE}", "-c", "true"), cwd="/home/user/other"
    )
    assert "nixpy: .venv was created with another Python" in done.stderr
    assert "python3.12" in str(link.readlink())
    assert (folder / "pyvenv.cfg").read_text() == "home = /nowhere\n"


def test_a_venv_goes_on_with_a_new_interpreter(observed: Observed, way: Way) -> None:
    """After the interpreter changed (here, an overlay builds it anew), the same .venv stands on the new one, with its
    packages and libraries; and when the old one is back, on that.
    """
    shell = observed.shell
    flake = shell.folder / "flake.nix"
    text = flake.read_text()
    plain = "nixpkgs.legacyPackages.${system};"
    assert plain in text
    overlay = """(nixpkgs.legacyPackages.${system}.extend (_: previous: {
      python313 = previous.python313.overrideAttrs (old: { postInstall = old.postInstall + "touch $out/changed"; });
    }));"""
    program = "import numpy, os, pyodbc, sys; print(os.path.exists(sys.base_prefix + '/changed'))"
    try:
        flake.write_text(text.replace(plain, overlay))
        changed = shell.run(f'.venv/bin/python -c "{program}"', entry=way[0], maker=way[1]).stdout
    finally:
        flake.write_text(text)
    same = shell.run(f'.venv/bin/python -c "{program}"', entry=way[0], maker=way[1]).stdout
    assert (changed.strip(), same.strip()) == ("True", "False")


@pytest.mark.parametrize("observed", ["loader", "patched-venv", "fhs"], indirect=True)
def test_the_folder_of_another_project_is_left_alone(observed: Observed) -> None:
    """Entered where another project lies, with a pyproject.toml, a nixpy.lock of its own and a .venv that stands on a
    Python of the store, the shell changes nothing and makes nothing active.
    """
    shell = observed.shell
    other = shell.box.home / f"of-another-{observed.name}"
    (other / ".venv/bin").mkdir(parents=True)
    (other / ".venv/lib/python3.13").mkdir(parents=True)
    (other / ".venv/bin/python").symlink_to("/nix/store/00000000000000000000000000000000-python3-3.13.5/bin/python3.13")
    (other / ".venv/pyvenv.cfg").write_text("home = /nowhere\n")
    (other / "pyproject.toml").write_text((shell.folder / "pyproject.toml").read_text())
    text = (shell.folder / "nixpy.lock").read_text()
    inputs = re.search(r'"inputs": "(\w+)"', text)
    assert inputs is not None
    (other / "nixpy.lock").write_text(text.replace(inputs[1], inputs[1][::-1]))

    def state() -> dict[str, object]:
        files = {str(path): path.read_bytes() for path in other.rglob("*") if path.is_file() and not path.is_symlink()}
        return {**files, "link": (other / ".venv/bin/python").readlink()}

    before = state()
    done = shell.box.nix(
        *("develop", "--offline", "--no-write-lock-file", f"path:{FLAKE}", "-c"),
        *("bash", "-c", "echo ${VIRTUAL_ENV-none}"),
        cwd=f"/home/user/{other.name}",
    )
    assert done.stdout.strip() == "none"
    assert state() == before
