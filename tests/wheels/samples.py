"""Wheels for these tests, and how they are locked."""

from __future__ import annotations

import hashlib
import random
from collections.abc import Mapping
from pathlib import Path

from packaging.utils import parse_wheel_filename

from elfbuild import shared_object
from nixpy.locks.model import LockedWheel, WheelFile
from smallindex import build_wheel

LINUX = "cp313-cp313-manylinux_2_28_x86_64"


def noise(size: int, seed: int = 0) -> bytes:
    """Return bytes that no compression makes smaller."""
    return random.Random(seed).randbytes(size)  # noqa: S311


def mostly_data(folder: Path, name: str = "mostly-data") -> Path:
    """Build a wheel of about 2 MB: two modules of 40 kB apart from each other, one program, the rest is data."""
    files: dict[str, bytes | str] = {
        "pkg/a.so": shared_object(["libz.so.1"], padding=noise(40_000, 1)),
        "pkg/one.bin": noise(900_000, 2),
        "pkg/libb.so.2": shared_object(["libc.so.6"], soname="libb.so.2", padding=noise(40_000, 3)),
        "pkg/two.bin": noise(900_000, 4),
        f"{name.replace('-', '_')}-1.0.data/scripts/tool": shared_object(["libm.so.6"], interpreter="/lib64/ld.so"),
    }
    return build_wheel(folder, name, "1.0", LINUX, files=files)


def mostly_elf(folder: Path, name: str = "mostly-elf", *, size: int = 300_000) -> Path:
    """Build a wheel of which one module is nearly all."""
    files = {"module.so": shared_object(["libstdc++.so.6"], padding=noise(size, 5))}
    return build_wheel(folder, name, "1.0", LINUX, files=files)


def pure(folder: Path, name: str = "pure", files: Mapping[str, bytes | str] | None = None) -> Path:
    """Build a wheel without ELF files."""
    return build_wheel(folder, name, "1.0", files=files)


def sha256(path: Path) -> str:
    """Return the hash of a file."""
    return hashlib.sha256(path.read_bytes()).hexdigest()


def locked(path: Path, url: str | None = None, *, system: str = "x86_64-linux", digest: str = "") -> LockedWheel:
    """Lock a wheel at `url`, or where it lies."""
    name, version, _, _ = parse_wheel_filename(path.name)
    return LockedWheel(
        system=system,
        name=name,
        version=str(version),
        file=WheelFile(filename=path.name, sha256=digest or sha256(path), url=url, path=None if url else path),
    )
