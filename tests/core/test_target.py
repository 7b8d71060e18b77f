"""Targets: tags and markers of machines, checked against what packaging and pip say of this one."""

from __future__ import annotations

import platform
import re
import subprocess
import sys

import pytest
from packaging.markers import default_environment
from packaging.tags import sys_tags

from nixpy.core.errors import NixpyError
from nixpy.core.target import SYSTEMS, Target

GLIBC = platform.libc_ver()
on_linux = pytest.mark.skipif(
    not sys.platform.startswith("linux") or GLIBC[0] != "glibc", reason="compares with a Linux machine with glibc"
)


def here() -> Target:
    major, minor = GLIBC[1].split(".")[:2]
    return Target(
        system=f"{platform.machine()}-linux", python=platform.python_version(), glibc=(int(major), int(minor))
    )


def portable(tags: list[str]) -> list[str]:
    """Leave out bare `linux` tags: packaging 26.3 moved them from the end to the front, and pip may follow."""
    return [tag for tag in tags if "-linux_" not in tag]


@on_linux
def test_tags_of_this_machine_are_packagings() -> None:
    """For this machine's glibc and Python we list what packaging lists, ordered alike but for bare `linux` tags."""
    ours, theirs = list(map(str, here().tags())), list(map(str, dict.fromkeys(sys_tags())))
    assert set(ours) == set(theirs)
    assert portable(ours) == portable(theirs)


@on_linux
def test_tags_of_this_machine_are_pips_in_order() -> None:
    """For this machine's glibc and Python our list is the one that pip prints, but for bare `linux` tags."""
    printed = subprocess.run(
        [sys.executable, "-W", "ignore", "-m", "pip", "debug", "--verbose"], capture_output=True, text=True, check=True
    ).stdout
    theirs = re.findall(r"^  (\w+-\w+-\w+)$", printed.partition("Compatible tags")[2], re.MULTILINE)
    ours = list(map(str, here().tags()))
    assert set(ours) == set(theirs)
    assert portable(ours) == portable(theirs)


@on_linux
def test_markers_of_this_machine() -> None:
    """For this machine every marker variable is what packaging finds, but for those of the running kernel."""
    expected = {
        name: value
        for name, value in default_environment().items()
        if name not in {"platform_release", "platform_version"}
    }
    ours = here().marker_environment()
    assert {name: ours[name] for name in expected} == expected
    assert set(ours) == set(default_environment())


@pytest.mark.parametrize("system", SYSTEMS)
def test_platform_markers(system: str) -> None:
    """Each system has the names that Python itself reports there: arm64 on a Mac, aarch64 on Linux."""
    target = Target(system=system, python="3.12.4", glibc=(2, 40))
    darwin = system.endswith("darwin")
    assert target.satisfies(f"sys_platform == '{'darwin' if darwin else 'linux'}' and os_name == 'posix'")
    assert target.satisfies(f"platform_system == '{'Darwin' if darwin else 'Linux'}'")
    machine = "arm64" if darwin else system.partition("-")[0]
    assert target.satisfies(f"platform_machine == '{machine}' and python_full_version == '3.12.4'")
    assert not target.satisfies("python_version >= '3.13' or implementation_name == 'pypy'")


def test_oldest_and_newest_manylinux() -> None:
    """Manylinux goes down to 2_5 on x86_64 and 2_17 on aarch64, up to the target's glibc, never to musl."""
    for system, oldest, aliases in (("x86_64-linux", 5, 3), ("aarch64-linux", 17, 1)):
        machine = system.partition("-")[0]
        names = {tag.platform for tag in Target(system=system, python="3.13.1", glibc=(2, 35)).tags()} - {"any"}
        levels = {f"manylinux_2_{minor}_{machine}" for minor in range(oldest, 36)}
        assert levels | {f"linux_{machine}"} <= names
        assert len(names) == len(levels) + 1 + aliases
        assert not any("musl" in name for name in names)


def test_mac_tags() -> None:
    """A Mac takes arm64 and universal2 wheels of macOS 11 to 14, never x86_64 ones or those of a newer macOS."""
    names = {tag.platform for tag in Target(system="aarch64-darwin", python="3.13.1", glibc=(2, 42)).tags()}
    assert {"macosx_11_0_arm64", "macosx_14_0_arm64", "macosx_11_0_universal2", "macosx_10_9_universal2"} <= names
    assert not names & {"macosx_15_0_arm64", "macosx_26_0_arm64", "macosx_11_0_x86_64"}


def test_sets_in_markers() -> None:
    """Several extras and groups may hold at once, as lock files need it (PEP 751)."""
    target = Target(system="x86_64-linux", python="3.13.1", glibc=(2, 42))
    marker = "('a' in extras and 'B_b' in extras) or 'docs' in dependency_groups"
    assert target.satisfies(marker, frozenset({"a", "b-b", "c"}))
    assert target.satisfies(marker, groups=frozenset({"docs"}))
    assert not target.satisfies(marker, frozenset({"a"}))


@pytest.mark.parametrize(
    ("system", "python", "words"),
    [
        ("riscv64-linux", "3.13.1", "riscv64-linux.*"),
        ("x86_64-darwin", "3.13.1", "x86_64-darwin"),
        ("x86_64-linux", "3.13", "3.13"),
        ("x86_64-linux", "3.14.0rc1", "3.14.0rc1"),
        ("x86_64-linux", "2.7.18", "2.7.18"),
        ("x86_64-linux", "3.7.17", "3.7.17"),
        ("x86_64-linux", "pypy3.10", "pypy3.10"),
    ],
)
def test_refuses_what_it_cannot_answer_for(system: str, python: str, words: str) -> None:
    """A system or Python that is none of ours is refused by name, with what would do."""
    with pytest.raises(NixpyError, match=words) as caught:
        Target(system=system, python=python, glibc=(2, 42))
    assert caught.value.hint


def test_derived_names() -> None:
    """The ELF machine, the short version and the tag follow from system and version."""
    target = Target(system="aarch64-linux", python="3.10.13", glibc=(2, 42))
    assert (target.machine, target.short_python, target.python_tag) == (183, "3.10", "cp310")
    assert Target(system="x86_64-linux", python="3.9.2", glibc=(2, 42)).machine == 62
    assert Target(system="aarch64-darwin", python="3.9.2", glibc=(2, 42)).machine is None
