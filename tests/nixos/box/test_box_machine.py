"""The box is like NixOS: nothing of another distribution is in it, and nothing in its store looks for that."""

from __future__ import annotations

from pathlib import Path

import pytest
from elftools.elf.dynamic import DynamicSegment
from elftools.elf.elffile import ELFFile
from elftools.elf.segments import InterpSegment

from nixos.box.sandbox import HOME, LOADER, Box
from nixos.box.store import closure, in_root

pytestmark = pytest.mark.box


def test_there_are_no_library_folders(box: Box) -> None:
    """/lib and /usr/lib do not exist, /lib64 holds what NixOS puts there, /usr/bin and /bin one program each."""
    script = "ls -d /lib /usr/lib /usr/lib64 /usr/local; ls /lib64 /bin /usr/bin"
    done = box.run("/bin/sh", "-c", script, check=False)
    assert done.stdout.split() == ["/bin:", "sh", "/lib64:", "ld-linux-x86-64.so.2", "/usr/bin:", "env"]


def test_the_loader_may_be_missing(tmp_path: Path) -> None:
    """Without anything in the loader's place a program of another distribution is not found, as the kernel says."""
    box = Box(home=tmp_path / "home", host_loader="nothing")
    assert box.run("/bin/sh", "-c", f"test ! -e {LOADER}").returncode == 0


def test_there_is_no_network(box: Box, built: dict[str, Path]) -> None:
    """The box has not even an address of its own to reach."""
    program = "import socket; socket.create_connection(('127.0.0.1', 1), 1)"
    assert "Error" in box.run(str(built["python"] / "bin/python3"), "-c", program, check=False).stderr


def test_nix_runs_in_it(box: Box) -> None:
    """The current Nix evaluates in the box."""
    assert box.nix("eval", "--expr", "1 + 1").stdout == "2\n"


@pytest.mark.parametrize(("loader", "status"), [("nix-ld", 0), ("stub-ld", 127)])
def test_a_foreign_program_goes_through_the_hosts_loader(
    tmp_path: Path, built: dict[str, Path], loader: str, status: int
) -> None:
    """A program that names /lib64/ld-linux-x86-64.so.2 runs where that is nix-ld with NIX_LD set, keeps its name and
    arguments, and its children inherit nothing but what was set.
    """
    assert loader in ("nix-ld", "stub-ld")
    box = Box(
        home=tmp_path / "home",
        host_loader=loader,  # type: ignore[arg-type]
        environment={
            "NIX_LD": str(built["glibc"] / "lib/ld-linux-x86-64.so.2"),
            "NIX_LD_LIBRARY_PATH": str(built["gcc"] / "lib"),
        },
    )
    patch = f"""
        cp {built["bash"]}/bin/bash foreign
        {built["patchelf"]}/bin/patchelf --set-interpreter {LOADER} foreign
        exec -a other {HOME}/foreign -c 'echo "$0 $1 ${{LD_LIBRARY_PATH-none}} $BASH"; env' zero one
    """
    done = box.run("/bin/sh", "-euc", patch, check=False)
    assert done.returncode == status
    if status == 0:
        assert done.stdout.startswith("zero one none ")
        assert "\nLD_LIBRARY_PATH=" not in done.stdout


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
