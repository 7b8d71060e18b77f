"""Whether an installed wheel is for this machine and this Python: its tag and its files must both say no."""

from __future__ import annotations

from pathlib import Path

import pytest
from packaging.version import Version

from nixpy.core.wheel_name import parse_tag
from nixpy.doctor.facts import Host
from nixpy.doctor.fit import unfit
from nixpy.needs.model import ElfFile
from nixpy.wheels.installed import InstalledWheel

X86_64, AARCH64 = 62, 183
HOST = Host(system="x86_64-linux", nixos=False, loader=None, at_loader="none", driver=False)


def judged(
    tag: str, *files: str, machine: int = X86_64, needed: tuple[str, ...] = (), musl: bool = False, python: str = "3.11"
) -> str:
    """What is said of a wheel with this tag and these ELF files."""
    venv = Path("/venv")
    wheel = InstalledWheel(
        name="demo",  # type: ignore[arg-type]
        version=Version("1"),
        tags=frozenset(one for part in tag.split() for one in parse_tag(part)),
        build="",
        venv=venv,
        site=venv / f"lib/python{python}/site-packages",
        record=("demo/__init__.py", *files),
        direct=None,
    )
    elves = [ElfFile(path=path, machine=machine, needed=needed) for path in files]
    return unfit(wheel, elves, HOST, X86_64, musl=musl)


FITS = [
    ("py3-none-any", ()),
    ("py2.py3-none-any", ()),
    ("cp311-cp311-manylinux_2_17_x86_64", ("a.cpython-311-x86_64-linux-gnu.so",)),
    ("cp311-cp311-manylinux_2_17_x86_64.musllinux_1_2_x86_64", ("a.cpython-311-x86_64-linux-gnu.so",)),
    ("cp311-cp311-linux_x86_64", ("a.so",)),
    ("cp38-abi3-manylinux1_x86_64", ("a.abi3.so",)),
    ("py3-none-manylinux_2_40_x86_64", ("liba.so.1",)),
    ("", ("a.cpython-312-x86_64-linux-gnu.so",)),
    # Tags that are wrong, of wheels that were renamed: the files show nothing.
    ("cp310-cp310-linux_x86_64", ()),
    ("cp310-cp310-linux_x86_64", ("demo.libs/libz-0a1b2c3d.so.1", "a.cpython-311-x86_64-linux-gnu.so")),
    ("cp313-cp313-manylinux_2_17_x86_64", ("a.abi3.so",)),
    ("py3-none-linux_aarch64", ("liba.so.1",)),
    ("cp311-cp311-musllinux_1_2_x86_64", ("a.cpython-311-x86_64-linux-musl.so",)),
    ("cp311-cp311-macosx_11_0_arm64", ("a.so",)),
]


@pytest.mark.parametrize(("tag", "files"), FITS)
def test_it_fits(tag: str, files: tuple[str, ...]) -> None:
    """One tag of several is enough, and a wrong tag alone is no reason."""
    assert judged(tag, *files) == ""


def test_a_wheel_for_another_processor() -> None:
    """No file is for this one."""
    found = judged("cp311-cp311-manylinux_2_17_aarch64", "demo/a.cpython-311-aarch64-linux-gnu.so", machine=AARCH64)
    assert found == (
        "is for another processor (its tag is cp311-cp311-manylinux_2_17_aarch64): "
        "demo/a.cpython-311-aarch64-linux-gnu.so"
    )


@pytest.mark.parametrize("platform", ["macosx_11_0_arm64", "win_amd64"])
def test_a_wheel_for_another_kernel(platform: str) -> None:
    """It has no ELF file."""
    name = "macOS" if "mac" in platform else "Windows"
    assert judged(f"cp311-cp311-{platform}") == f"is for {name} (its tag is cp311-cp311-{platform})"


def test_a_wheel_for_another_c_library() -> None:
    """Musllinux on glibc, and manylinux on musl."""
    found = judged("cp311-cp311-musllinux_1_2_x86_64", "a.so", needed=("libc.musl-x86_64.so.1",))
    assert found.endswith("and this Python uses glibc: a.so needs libc.musl-x86_64.so.1")
    found = judged("cp311-cp311-manylinux_2_17_x86_64", "a.so", needed=("libc.so.6",), musl=True)
    assert found.endswith("and this Python uses musl: a.so needs libc.so.6")
    assert judged("cp311-cp311-musllinux_1_2_x86_64", "a.so", needed=("libc.musl-x86_64.so.1",), musl=True) == ""


@pytest.mark.parametrize(
    ("tag", "file", "python"),
    [
        ("cp312-cp312-manylinux_2_17_x86_64", "a.cpython-312-x86_64-linux-gnu.so", "3.11"),
        ("cp312-cp312-linux_x86_64", "a.so", "3.11"),
        ("cp312-abi3-manylinux_2_17_x86_64", "a.abi3.so", "3.11"),
        ("cp313-cp313-manylinux_2_17_x86_64", "a.cpython-313-x86_64-linux-gnu.so", "3.13t"),
        ("cp313-cp313t-manylinux_2_17_x86_64", "a.cpython-313t-x86_64-linux-gnu.so", "3.13"),
    ],
)
def test_a_wheel_for_another_python(tag: str, file: str, python: str) -> None:
    """Its extension module is not for the Python of the folder."""
    assert judged(tag, file, python=python) == f"is for another Python than {python} (its tag is {tag}): {file}"
    assert judged(tag, file, python="3.12" if "312" in tag else tag.split("-")[1].replace("cp3", "3.")) == ""


def test_other_interpreters_are_not_judged() -> None:
    """The folder of PyPy has another name."""
    assert judged("pp310-pypy310_pp73-linux_x86_64", "a.pypy310-pp73-x86_64-linux-gnu.so", python="y3.10") == ""
