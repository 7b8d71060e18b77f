"""Observe the machine: whether it is NixOS, and its loader.

The loader is the one that programs of other distributions find.
"""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator, Mapping
from pathlib import Path

from nixpy.doctor.facts import DRIVER, WSL_DRIVER, Host, HostLoader, folders
from nixpy.needs.glibc import is_glibc

# The path of the loader in the psABI of each machine.
_LOADERS = {"x86_64": Path("/lib64/ld-linux-x86-64.so.2"), "aarch64": Path("/lib/ld-linux-aarch64.so.1")}
_MARKS: tuple[tuple[bytes, HostLoader], ...] = ((b"stub-ld", "stub"), (b"nix-ld", "nix-ld"))
_DANGEROUS = ("libstdc++.so.6", "libgcc_s.so.1")


def read_host(root: Path = Path("/"), machine: str | None = None, kernel: str | None = None) -> Host:
    """Return the facts of the machine with the file system at `root`."""
    machine, kernel = machine or platform.machine(), kernel or platform.system()
    machine = {"arm64": "aarch64"}.get(machine, machine)
    loader = _LOADERS.get(machine) if kernel == "Linux" else None
    return Host(
        system=f"{machine}-{kernel.lower()}",
        nixos=(root / "etc/NIXOS").exists() or _is_nixos(root / "etc/os-release"),
        loader=loader,
        at_loader=_at(root / loader.relative_to("/")) if loader else "none",
        driver=(root / DRIVER.relative_to("/")).is_dir(),
        drivers={name: folder for folder in (WSL_DRIVER, DRIVER) for name in _libraries(root, folder)},
    )


def _libraries(root: Path, folder: Path) -> Iterator[str]:
    """Yield the names of the libraries in a folder, without links to missing files."""
    try:
        paths = list((root / folder.relative_to("/")).iterdir())
    except OSError:
        return
    yield from (path.name for path in paths if ".so" in path.name and path.exists())


def _is_nixos(release: Path) -> bool:
    try:
        return "ID=nixos" in release.read_text("utf-8", "replace").splitlines()
    except OSError:
        return False


def _at(loader: Path) -> HostLoader:
    """Return the kind of loader at this path.

    The name of the store path that the link points to decides.
    """
    if not loader.exists():
        return "none"
    target = os.path.realpath(loader).encode()
    return next((kind for mark, kind in _MARKS if mark in target), "a loader")


def foreign_folders(environ: Mapping[str, str]) -> dict[str, tuple[str, ...]]:
    """Return foreign folders of LD_LIBRARY_PATH, with their harmful libraries.

    Neither nixpy nor the driver has added these folders.

    Those of glibc and the C++ runtime are harmful to programs that were built with others.
    """
    found = {}
    for entry in folders(environ.get("LD_LIBRARY_PATH", "")):
        if entry.startswith("/run/opengl-driver") or "-nixpy-libraries" in entry:
            continue
        if "NIXPY_FHS" in environ and entry.startswith("/usr/lib"):  # a folder of the root itself
            continue
        try:
            names = sorted(path.name for path in Path(entry).iterdir())
        except OSError:
            names = []
        found[entry] = tuple(name for name in names if name in _DANGEROUS or is_glibc(name))
    return found
