"""Where wheels will be installed: a system, a Python and a glibc, which need not be this machine's."""

from __future__ import annotations

from dataclasses import dataclass

LINUX_SYSTEMS = ("aarch64-linux", "x86_64-linux")
SYSTEMS = ("aarch64-darwin", *LINUX_SYSTEMS)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """One Nix system with one CPython.

    `python` is the full version (`3.13.9`), `glibc` that of the nixpkgs release in use, (2, 42) say; Darwin ignores it.
    """

    system: str
    python: str
    glibc: tuple[int, int]
