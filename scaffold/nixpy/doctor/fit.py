"""Decide whether an installed wheel is for this machine and this Python.

Source: PEP 425 and 600 on tags, PEP 3149 on the names of extension modules. A tag alone decides nothing, since wheels
are renamed without a change of their WHEEL file: a file of the wheel must show the same.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Sequence
from functools import cache
from pathlib import PurePosixPath

from packaging.tags import Tag, compatible_tags, cpython_tags

from nixpy.doctor.facts import Host
from nixpy.needs.model import ElfFile
from nixpy.needs.roots import is_extension
from nixpy.wheels.installed import InstalledWheel

_VERSION = re.compile(r"python3\.(\d{1,4})(t?)")
_SUFFIX = re.compile(r"\.cpython-3(\d{1,3})(t?)d?(?=[-.])")
_MUSL = re.compile(r"libc\.musl-.*|libc\.so")
_GLIBC = "libc.so.6"
_KINDS = (
    ("musllinux", "musl"),
    ("manylinux", "glibc"),
    ("linux", "Linux"),
    ("macosx", "macOS"),
    ("win", "Windows"),
)


def unfit(wheel: InstalledWheel, files: Sequence[ElfFile], host: Host, machine: int | None, *, musl: bool) -> str:
    """Return the words for why an installed wheel does not work here, empty if it may.

    `files` are its ELF files for all machines, `machine` is the e_machine of this one, and with `musl` the Python uses
    that C library instead of glibc.
    """
    match = _VERSION.fullmatch(wheel.site.parent.name)
    if not match or not wheel.tags or machine is None:
        return ""
    pythons = _pythons(int(match[1]), threaded=bool(match[2]))
    processor = host.system.partition("-")[0]
    if any(_is_for(tag, processor, musl=musl) and (tag.interpreter, tag.abi) in pythons for tag in wheel.tags):
        return ""
    tag = min(wheel.tags, key=str)
    if not any(_is_for(one, processor, musl=musl) for one in wheel.tags):
        return _of_platform(tag, files, machine, musl=musl)
    return _of_python(tag, wheel.record, f"3.{match[1]}{match[2]}")


@cache
def _pythons(minor: int, *, threaded: bool) -> frozenset[tuple[str, str]]:
    """Return the interpreter and ABI tags that a CPython accepts."""
    abi = f"cp3{minor}{'t' if threaded else ''}"
    accepted = (
        *cpython_tags((3, minor), [abi, f"cp3{minor}d"], ["any"]),
        *compatible_tags((3, minor), f"cp3{minor}", ["any"]),
    )
    return frozenset((tag.interpreter, tag.abi) for tag in accepted)


def _is_for(tag: Tag, processor: str, *, musl: bool) -> bool:
    if tag.platform == "any":
        return True
    family = "musllinux" if musl else "manylinux"
    return tag.platform.startswith((family, "linux")) and tag.platform.endswith(f"_{processor}")


def _of_platform(tag: Tag, files: Sequence[ElfFile], machine: int, *, musl: bool) -> str:
    here = [file for file in files if file.machine == machine]
    libc = _needed(here, lambda name: name == _GLIBC if musl else bool(_MUSL.fullmatch(name)))
    linux = "linux" in tag.platform
    if linux and here and not libc:
        return ""
    kind = next((words for start, words in _KINDS if tag.platform.startswith(start)), tag.platform)
    if libc:
        return f"is for {kind} (its tag is {tag}), and this Python uses {'musl' if musl else 'glibc'}: {libc}"
    if linux and files:
        shown = next((file for file in files if is_extension(file.path)), files[0])
        return f"is for another processor (its tag is {tag}): {shown.path}"
    return "" if linux or here else f"is for {kind} (its tag is {tag})"


def _needed(files: Iterable[ElfFile], is_wanted: Callable[[str], bool]) -> str:
    ordered = sorted(files, key=lambda file: not is_extension(file.path))
    return next((f"{file.path} needs {name}" for file in ordered for name in file.needed if is_wanted(name)), "")


def _of_python(tag: Tag, record: Iterable[str], version: str) -> str:
    """Return the words for a wheel for another Python, empty if its files fit.

    Only an extension module depends on the version of Python.
    """
    for path in record:
        name = PurePosixPath(path).name
        if not is_extension(path):
            continue
        suffix = _SUFFIX.search(name)
        if suffix:
            other = f"3.{suffix[1]}{suffix[2]}" != version
        else:  # a name for every Python, or for every later one
            other = tag.abi == "abi3" if name.endswith(".abi3.so") else tag.abi != "none"
        if other:
            return f"is for another Python than {version} (its tag is {tag}): {path}"
    return ""
