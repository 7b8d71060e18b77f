"""The box is like NixOS: nothing of another distribution is in it, and nothing in its store looks for that."""

from __future__ import annotations

import subprocess
from pathlib import Path

from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from nixos.box.sandbox import LOADER, Box
from nixos.box.store import closure, in_root


def test_there_are_no_library_folders(box: Box) -> None:
    """/lib and /usr/lib do not exist, /lib64 holds what NixOS puts there, /usr/bin and /bin one program each."""
    script = "ls -d /lib /usr/lib /usr/lib64 /usr/local; ls /lib64 /bin /usr/bin"
    done = box.run("/bin/sh", "-c", script, check=False)
    assert done.stdout.split() == ["/bin:", "sh", "/lib64:", "ld-linux-x86-64.so.2", "/usr/bin:", "env"]


def test_there_is_no_network(box: Box, built: dict[str, Path]) -> None:
    """The box has not even an address of its own to reach."""
    program = "import socket; socket.create_connection(('127.0.0.1', 1), 1)"
    assert "Error" in box.run(str(built["python"] / "bin/python3"), "-c", program, check=False).stderr


def test_nix_runs_in_it(box: Box) -> None:
    """The current Nix evaluates in the box."""
    assert box.nix("eval", "--expr", "1 + 1").stdout == "2\n"


FOREIGN = """
    cp {bash}/bin/bash foreign
    {patchelf}/bin/patchelf --set-interpreter {loader} foreign
    exec -a other ./foreign -c 'echo "$0 $1 ${{LD_LIBRARY_PATH-none}}"; env' zero one
"""


def run_foreign(box: Box, built: dict[str, Path]) -> subprocess.CompletedProcess[str]:
    """The run of a program that names the loader of other distributions."""
    script = FOREIGN.format(bash=built["bash"], patchelf=built["patchelf"], loader=LOADER)
    return box.run("/bin/sh", "-euc", script, check=False)


def test_nix_ld_starts_a_foreign_program(tmp_path: Path, built: dict[str, Path]) -> None:
    """Where nix-ld's stand-in is in the loader's place and NIX_LD set, a foreign program runs with its arguments, and
    nothing of the search path is in its environment.
    """
    settings = {
        "NIX_LD": str(built["glibc"] / "lib/ld-linux-x86-64.so.2"),
        "NIX_LD_LIBRARY_PATH": str(built["gcc"] / "lib"),
    }
    done = run_foreign(Box(home=tmp_path / "home", host_loader="nix-ld", environment=settings), built)
    assert done.returncode == 0, done.stderr
    assert done.stdout.startswith("zero one none\n")
    assert "\nLD_LIBRARY_PATH=" not in done.stdout


def test_nix_ld_looks_where_its_documentation_says(tmp_path: Path, built: dict[str, Path]) -> None:
    """The variables with the system's name go before those without, and LD_LIBRARY_PATH is looked into first."""
    settings = {
        "NIX_LD": "/nowhere",
        "NIX_LD_x86_64_linux": str(built["glibc"] / "lib/ld-linux-x86-64.so.2"),
        "NIX_LD_LIBRARY_PATH": "/nowhere",
        "NIX_LD_LIBRARY_PATH_x86_64_linux": "/second",
        "LD_LIBRARY_PATH": "/first",
        "LD_DEBUG": "libs",
    }
    done = run_foreign(Box(home=tmp_path / "home", host_loader="nix-ld", environment=settings), built)
    assert done.returncode == 0, done.stderr
    # The shell that starts the program has LD_LIBRARY_PATH too, but nobody else has both.
    told = [line for line in done.stderr.splitlines() if "search path=/first/" in line and ":/second" in line]
    assert told, done.stderr
    assert "/nowhere" not in done.stderr


def test_nix_ld_has_a_default(tmp_path: Path, built: dict[str, Path]) -> None:
    """Without NIX_LD it takes the loader of the system's profile, which this box does not have."""
    done = run_foreign(Box(home=tmp_path / "home", host_loader="nix-ld"), built)
    assert done.returncode == 127
    assert "cannot start the loader /run/current-system/sw/share/nix-ld/lib/ld.so" in done.stderr


def test_without_nix_ld_a_foreign_program_does_not_start(tmp_path: Path, built: dict[str, Path]) -> None:
    """NixOS's stub says that it cannot be started, and with nothing in the loader's place the kernel finds no such
    file.
    """
    stub = run_foreign(Box(home=tmp_path / "home"), built)
    nothing = run_foreign(Box(home=tmp_path / "other/home", host_loader="nothing"), built)
    assert (stub.returncode, nothing.returncode) == (127, 127)
    assert "Could not start dynamically linked executable" in stub.stderr
    assert "not found" in nothing.stderr


def test_nothing_in_the_store_looks_outside(built: dict[str, Path]) -> None:
    """No ELF file of the closure has a program interpreter or run path that leaves the store."""
    checked = 0
    for path in closure():
        for file in [in_root(path)] if in_root(path).is_file() else in_root(path).rglob("*"):
            if file.is_symlink() or not file.is_file():
                continue
            with file.open("rb") as stream:
                if stream.read(4) != b"\x7fELF":
                    continue
                checked += 1
                found = list(_lookups(ELFFile(stream)))
            # glibc's own library may be run as a program, to print its version: nothing does.
            if file.name != "libc.so.6":
                assert all(text.startswith("/nix/store/") for text in found), (file, found)
    assert checked > 200


def _lookups(elf: ELFFile) -> list[str]:
    found: list[str] = []
    for segment in elf.iter_segments():
        if isinstance(segment, InterpSegment):
            found.append(segment.get_interp_name())
        if isinstance(segment, DynamicSegment):
            tags = [tag for tag in segment.iter_tags() if tag.entry.d_tag in ("DT_RPATH", "DT_RUNPATH")]
            found += [folder for tag in tags for folder in getattr(tag, tag.entry.d_tag[3:].lower()).split(":")]
    return found
