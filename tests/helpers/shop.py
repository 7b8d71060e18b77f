"""A small index with wheels like the real ones, and projects that use them.

`alpha` is like numpy (C++ and zlib, an own grafted library), `beta` like ruff (a program), `gamma` is pure Python,
`delta` needs C++ and a library of its sibling `epsilon`, `omega` what nobody has, `sourceonly` has no wheel,
`weasyprint` is known to open libraries at run time, and `psycopg2-binary` goes by another name in nixpkgs.
"""

from __future__ import annotations

from pathlib import Path

from elfbuild import AARCH64, X86_64, program
from elfbuild import shared_object as elf
from smallindex import build_sdist, build_wheel

MACHINES = {X86_64: "x86_64", AARCH64: "aarch64"}
PYTHON = "3.13"
TAG = "cp313-cp313"


def stock(folder: Path) -> Path:
    """Write every wheel of the shop into `folder` and return it."""
    build_wheel(folder, "gamma", "1.0")
    build_wheel(folder, "gamma", "1.1")
    build_wheel(folder, "weasyprint", "1.0")
    build_wheel(folder, "psycopg2-binary", "1.0")
    build_sdist(folder, "sourceonly", "1.0")
    for version in ("1.0", "1.1"):
        for machine, name in MACHINES.items():
            grafted = "libinner-0a1b2c3d.so.1"
            _wheel(
                folder,
                "alpha",
                version,
                name,
                {
                    f"alpha/core.cpython-313-{name}-linux-gnu.so": elf(
                        ["libstdc++.so.6", grafted, "libc.so.6"], machine=machine
                    ),
                    f"alpha.libs/{grafted}": elf(["libz.so.1", "libm.so.6"], machine=machine, soname=grafted),
                    "alpha/plugins/libextra.so": elf(["libodbc.so.2"], machine=machine),
                },
            )
        build_wheel(folder, "alpha", version, f"{TAG}-macosx_11_0_arm64", files={"alpha/core.so": b"mach-o"})
    for machine, name in MACHINES.items():
        _wheel(
            folder,
            "beta",
            "1.0",
            name,
            {"beta-1.0.data/scripts/beta": program(["libgcc_s.so.1", "libc.so.6"], machine=machine)},
            python="py3-none",
        )
        core = elf(["libstdc++.so.6", "libsibling.so.3"], machine=machine)
        _wheel(folder, "delta", "2.0", name, {"delta/core.abi3.so": core})
        sibling = elf(["libc.so.6"], machine=machine, soname="libsibling.so.3")
        _wheel(folder, "epsilon", "1.0", name, {"epsilon/libsibling.so.3": sibling})
        _wheel(folder, "omega", "1.0", name, {"omega/core.abi3.so": elf(["libnobody.so.7"], machine=machine)})
    return folder


def _wheel(folder: Path, name: str, version: str, machine: str, files: dict[str, bytes], python: str = TAG) -> None:
    tag = f"{python}-manylinux_2_17_{machine}.manylinux2014_{machine}"
    build_wheel(folder, name, version, tag, files={f"{name}/__init__.py": b"", **files})


def project(folder: Path, *requirements: str, extra: str = "") -> Path:
    """Write a pyproject.toml that asks for `requirements` and return the folder."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = "".join(f'  "{requirement}",\n' for requirement in requirements)
    (folder / "pyproject.toml").write_text(
        f"""# A comment that must stay.
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.11"
dependencies = [
{lines}]
{extra}
"""
    )
    return folder
