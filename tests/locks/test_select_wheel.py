"""Selection: which of a package's wheels is taken, whatever lock named them."""

from __future__ import annotations

import random
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st
from packaging.tags import create_compatible_tags_selector
from packaging.utils import NormalizedName, parse_wheel_filename

from nixpy.core.target import Target
from nixpy.locks.model import ExtrasAndGroups, LockDefaults, Package, WheelFile
from nixpy.locks.select import best_wheel, select

LINUX = Target(system="x86_64-linux", python="3.13.1", glibc=(2, 35))
ARM = Target(system="aarch64-linux", python="3.11.4", glibc=(2, 35))
MAC = Target(system="aarch64-darwin", python="3.12.0", glibc=(2, 35))


@dataclass(frozen=True)
class Given(LockDefaults):
    """A lock that installs the same packages everywhere."""

    content: Sequence[Package]
    path: Path = Path("some.lock")
    requires_python: None = None

    def packages(self, target: Target, extras_and_groups: ExtrasAndGroups) -> tuple[Package, ...]:  # noqa: ARG002
        """Return the packages, whatever was asked."""
        return tuple(self.content)


def package(
    name: str, *filenames: str, version: str | None = "1.0", sdist: bool = False, local: bool = False
) -> Package:
    wheels = tuple(WheelFile(filename=filename) for filename in filenames)
    return Package(name=NormalizedName(name), version=version, wheels=wheels, sdist=sdist, local=local)


def chosen(target: Target, *filenames: str) -> str | None:
    best = best_wheel(package("p", *filenames), target)
    return best and best[0].filename


def test_highest_build_number_as_a_number() -> None:
    """Of wheels with the same tag the highest build number wins, 10 over 9 over none; a better tag beats both."""
    plain, nine, ten = "p-1.0-py3-none-any.whl", "p-1.0-9-py3-none-any.whl", "p-1.0-10-py3-none-any.whl"
    assert chosen(LINUX, nine, plain, ten) == ten
    assert chosen(LINUX, ten, "p-1.0-cp313-cp313-manylinux_2_17_x86_64.whl").startswith("p-1.0-cp313")  # type: ignore[union-attr]


def test_unreadable_names_are_passed_over() -> None:
    """Names with a variant part (PEP 817) or no sense at all do not hide the plain wheel, nor are they chosen."""
    variant = "p-1.0-cp313-cp313-manylinux_2_17_x86_64-cu12.whl"
    numbered = "p-1.0-1-cp313-cp313-manylinux_2_17_x86_64-cu12.whl"
    plain = "p-1.0-py3-none-any.whl"
    assert chosen(LINUX, variant, numbered, "p.whl", "", plain) == plain
    assert chosen(LINUX, variant, numbered, "p.whl", "") is None


def test_musl_is_never_taken() -> None:
    """A wheel for musl is none for a glibc system."""
    assert chosen(LINUX, "p-1.0-cp313-cp313-musllinux_1_2_x86_64.whl") is None


def test_what_is_reported() -> None:
    """Packages without a fitting wheel are named with their sdist; what is installed in place is left out."""
    lock = Given(
        [
            package("b", "b-1.0-cp313-cp313-manylinux_2_17_x86_64.whl", sdist=True),
            package("a", "a-1.0-cp313-cp313-manylinux_2_17_x86_64.whl"),
            package("tree", sdist=True),
            package("self", "self-1.0-py3-none-any.whl", local=True),
        ]
    )
    result = select(lock, [LINUX, ARM], ExtrasAndGroups())
    assert [(wheel.system, wheel.name) for wheel in result.wheels] == [("x86_64-linux", "a"), ("x86_64-linux", "b")]
    assert [(one.system, one.name, one.sdist) for one in result.unavailable] == [
        ("aarch64-linux", "a", False),
        ("aarch64-linux", "b", True),
        ("aarch64-linux", "tree", True),
        ("x86_64-linux", "tree", True),
    ]


def test_version_from_the_file_name() -> None:
    """Where the lock has no version, the wheel's name has it."""
    lock = Given([package("p", "p-2.0+local.1-py3-none-any.whl", version=None)])
    assert [wheel.version for wheel in select(lock, [LINUX], ExtrasAndGroups()).wheels] == ["2.0+local.1"]


PYTHONS = [
    "cp313-cp313",
    "cp311-abi3",
    "cp313-none",
    "cp311-cp311",
    "cp38-abi3",
    "cp313-cp313t",
    "py3-none",
    "py2.py3-none",
]
PLATFORMS = [
    "any",
    "linux_x86_64",
    "manylinux1_x86_64",
    "manylinux_2_12_x86_64.manylinux2010_x86_64",
    "manylinux_2_35_x86_64",
    "manylinux_2_36_x86_64",
    "manylinux_2_17_aarch64.manylinux2014_aarch64",
    "musllinux_1_1_x86_64",
    "macosx_11_0_arm64",
    "macosx_14_0_universal2",
    "macosx_10_9_x86_64.macosx_11_0_arm64",
    "win_amd64",
]


@given(
    st.lists(st.tuples(st.sampled_from(PYTHONS), st.sampled_from(PLATFORMS)), unique=True),
    st.sampled_from([LINUX, ARM, MAC]),
    st.randoms(use_true_random=False),
)
def test_agrees_with_packagings_selector(tags: list[tuple[str, str]], target: Target, shuffle: random.Random) -> None:
    """For any set of wheels, in any order, ours is as good as the first that packaging's own selector yields."""
    names = [f"p-1.0-{python}-{platform}.whl" for python, platform in tags]
    shuffle.shuffle(names)
    pick = create_compatible_tags_selector(target.tags())
    order = list(pick((name, parse_wheel_filename(name)[3]) for name in sorted(names)))
    assert chosen(target, *names) == (order[0] if order else None)
