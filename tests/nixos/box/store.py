"""What the box is made of: the stand-in nixpkgs, built. `make setup` does it once; afterwards it is looked up.

Run as a module it builds everything, for the set-up.
"""

from __future__ import annotations

import csv
import functools
import sys
from pathlib import Path

from nixos.realnix import CACHE, CURRENT, HERE, ROOT, WHEELS, NixError, stand_in
from suite.access import ACCESS

RELEASE = "26.05"
SYSTEM = "x86_64-linux"
PYTHON = "3.13"
WHEELHOUSE = CACHE / "wheelhouse"

PLAIN = (
    "bash",
    "bubblewrap",
    "coreutils",
    "glib",
    "glibc",
    "libGL",
    "libice",
    "libsm",
    "libusb1",
    "libx11",
    "libxcb",
    "libxcursor",
    "libxext",
    "makeBinaryWrapper",
    "nix-ld",
    "patchelf",
    "pkg-config",
    "ruff",
    "stdenv",
    "unixodbc",
    "uv",
    "xkeyboard-config",
    "zlib",
    "zstd",
)
OTHERS = {
    "python": "pkgs.python313",
    "tkinter": "pkgs.python313.pkgs.tkinter",
    "gcc": "pkgs.stdenv.cc.cc.lib",
    "gcc-wrapper": "pkgs.stdenv.cc",
    "zlib-dev": "pkgs.zlib.dev",
    "system-path": "pkgs.boxSystemPath",
    "stub-ld": "pkgs.boxStubLoader",
    "newer-ninja": "pkgs.boxNewerProgram",
}


def build(expression: str, release: str = RELEASE) -> Path:
    """The store path of a derivation over `pkgs`, built; NixError, with the end of its log, where it fails."""
    text = f'let pkgs = import {stand_in(release)} {{ system = "{SYSTEM}"; }}; in {expression}'
    return Path(CURRENT.run("nix-build", "--no-out-link", "-", stdin=text).stdout.strip())


@functools.cache
def packages() -> dict[str, Path]:
    """The store path of each package of the box by its name, built where it is not yet; NixError where it
    cannot be.
    """
    ACCESS.demand("box")
    entries = {name: f'pkgs."{name}"' for name in PLAIN} | OTHERS
    try:
        links = " ".join(f'"{name}" = {expression};' for name, expression in entries.items())
        out = build(f'pkgs.linkFarm "box" {{ {links} }}')
    except NixError as error:
        raise NixError(f"the box is not set up, run `make setup`: {error}") from error
    return {name: in_root(out / name).readlink() for name in entries}


def in_root(path: Path) -> Path:
    """Where a path of the store lies on this machine."""
    return ROOT / path.relative_to("/nix")


def closure() -> list[Path]:
    """All store paths that the packages of the box refer to."""
    done = CURRENT.run("nix-store", "--query", "--requisites", *packages().values())
    return [Path(line) for line in done.stdout.splitlines()]


def wheels(*tables: str) -> dict[str, Path]:
    """The wheel file of each project in the wheelhouse, or of those tables; NixError where one has not been brought."""
    found: dict[str, Path] = {}
    for table in tables or WHEELS:
        with (HERE / "box" / table).open(newline="") as file:
            found |= {row["name"]: WHEELHOUSE / row["filename"] for row in csv.DictReader(file)}
    missing = [path.name for path in found.values() if not path.exists()]
    if missing:
        raise NixError(f"{missing} is missing: run `make setup`")
    return found


if __name__ == "__main__":
    sys.stderr.write(
        f"setup of the box: {len(packages())} packages, {len(closure())} store paths, {len(wheels())} wheels\n"
    )
