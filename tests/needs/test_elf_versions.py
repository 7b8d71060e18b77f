"""Symbol versions of ELF files, against pyelftools and hand-made files."""

from __future__ import annotations

import sys
from pathlib import Path

import pytest
from elftools.elf.elffile import ELFFile
from elftools.elf.gnuversions import GNUVerDefSection, GNUVerNeedSection
from hypothesis import given
from hypothesis import strategies as st

from elfbuild import BASE, VERDEF, VERDEFNUM, VERNEED, elf
from nixpy.needs.elf import defined_versions, is_complete, needed_versions

NEEDS = {"libc.so.6": ["GLIBC_2.2.5", "GLIBC_2.99"], "libstdc++.so.6": ["CXXABI_1.3"]}
PAIRS = (("libc.so.6", "GLIBC_2.2.5"), ("libc.so.6", "GLIBC_2.99"), ("libstdc++.so.6", "CXXABI_1.3"))
FULL = elf(needed=[*NEEDS], versions=NEEDS, defines=["libfull.so.1", "FULL_1.0", "FULL_2.0"])


def test_hand_made_file() -> None:
    """Each needed version has its library; the defined ones include the name of the library, as linkers write it."""
    assert needed_versions(FULL) == PAIRS
    assert defined_versions(FULL) == {"libfull.so.1", "FULL_1.0", "FULL_2.0"}
    assert is_complete(FULL)


def test_weak_needs_do_not_count() -> None:
    """The loader accepts that a weak version is missing."""
    assert needed_versions(elf(versions=NEEDS, weak=True)) == ()


def test_a_file_without_versions() -> None:
    """Neither a file without these tables nor one that is not ELF has any."""
    plain = elf(needed=["libc.so.6"])
    assert (needed_versions(plain), defined_versions(plain), is_complete(plain)) == ((), frozenset(), True)
    for data in (b"", b"\x7fELF", b"text" * 100):
        assert (needed_versions(data), defined_versions(data), is_complete(data)) == ((), frozenset(), False)


@pytest.mark.parametrize("size", [0, 3, 64, 200, len(FULL) - 1])
def test_a_file_that_is_cut_off(size: int) -> None:
    """It is not complete, however much is left."""
    assert not is_complete(FULL[:size])


@pytest.mark.parametrize("override", [{VERDEF: BASE + 0x10}, {VERDEF: 1 << 62}, {VERNEED: 1}, {VERDEFNUM: 1 << 62}])
def test_tables_at_wrong_places(override: dict[int, int]) -> None:
    """A table outside the file, or over other data, is no error and takes no time."""
    damaged = elf(versions=NEEDS, defines=["A_1"], override=override)
    needed_versions(damaged)
    defined_versions(damaged)


@given(place=st.integers(0, len(FULL) - 1), value=st.integers(0, 255))
def test_damage_never_raises(place: int, value: int) -> None:
    """One wrong byte anywhere does not raise."""
    data = bytearray(FULL)
    data[place] = value
    needed_versions(data)
    defined_versions(data)
    is_complete(data)


def real_files() -> list[Path]:
    """The interpreter of this environment, and the C library and the C++ runtime of this machine."""
    folders = (Path("/lib/x86_64-linux-gnu"), Path("/usr/lib/x86_64-linux-gnu"), Path("/lib64"), Path("/usr/lib64"))
    names = ("libc.so.6", "libm.so.6", "libstdc++.so.6", "libssl.so.3")
    return [
        Path(sys.executable).resolve(),
        *(path for one in folders for name in names if (path := one / name).exists()),
    ]


def test_real_files_read_as_pyelftools_does() -> None:
    """On the C library and others, the versions are those in the sections that pyelftools reads."""
    for path in real_files():
        data = path.read_bytes()
        if not data.startswith(b"\x7fELF"):
            continue
        needed, defined = set(), set()
        with path.open("rb") as stream:
            for section in ELFFile(stream).iter_sections():
                if isinstance(section, GNUVerNeedSection):
                    for library, versions in section.iter_versions():
                        needed |= {
                            (library.name, one.name)
                            for one in versions
                            if one.entry.vna_flags not in (2, "VER_FLG_WEAK")
                        }
                if isinstance(section, GNUVerDefSection):
                    defined |= {next(iter(names)).name for _, names in section.iter_versions()}
        assert set(needed_versions(data)) == needed, path
        assert defined_versions(data) == defined, path
        assert is_complete(data), path
