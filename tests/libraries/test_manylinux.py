"""The sets that manylinux policies allow."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixpy.core.errors import NixpyError
from nixpy.libraries.catalogue import catalogue
from nixpy.libraries.manylinux import allowed, load, policy, policy_sonames
from nixpy.needs.glibc import is_glibc

# PEP 599, "The manylinux2014 policy": the libraries a wheel may link to.
PEP_599 = {
    *("libgcc_s.so.1", "libstdc++.so.6", "libm.so.6", "libdl.so.2", "librt.so.1", "libc.so.6", "libnsl.so.1"),
    *("libutil.so.1", "libpthread.so.0", "libresolv.so.2", "libX11.so.6", "libXext.so.6", "libXrender.so.1"),
    *("libICE.so.6", "libSM.so.6", "libGL.so.1", "libgobject-2.0.so.0", "libgthread-2.0.so.0"),
    "libglib-2.0.so.0",
}


@pytest.mark.parametrize(
    ("name", "count"),
    [
        ("manylinux_2_5", 22),
        ("manylinux_2_12", 23),
        ("manylinux_2_17", 23),
        ("manylinux_2_24", 24),
        ("linux", 24),
    ],
)
def test_each_policy_has_as_many_libraries_as_auditwheel_lists(name: str, count: int) -> None:
    """The sizes of the sets, glibc's own among them, are those of auditwheel's policy file."""
    assert len(policy_sonames(name)) == count


def test_the_set_of_2014_is_the_peps_and_what_auditwheel_added() -> None:
    """To the list of PEP 599 auditwheel adds zlib, expat, libatomic, libanl; nixpkgs the first two."""
    ours = policy_sonames("manylinux2014_x86_64")
    assert ours - PEP_599 == {"libz.so.1", "libexpat.so.1", "libatomic.so.1", "libanl.so.1"}
    assert ours >= PEP_599
    assert len(PEP_599 | {"libz.so.1", "libexpat.so.1"}) == 21  # as nixpkgs' manylinux2014 has it


def test_what_a_wheel_may_leave_out_has_no_glibc_and_all_of_it_comes_from_nixpkgs() -> None:
    """The set of the newest policy can go on a path as it is: a package for each and glibc for none."""
    sonames = allowed(["manylinux_2_28_x86_64"])
    assert len(sonames) == 14
    for soname in sonames:
        assert not is_glibc(soname)
        entry = catalogue().find(soname)
        assert entry
        assert entry.provider == "nixpkgs"


def test_expat_is_the_difference_between_the_first_policy_and_the_second() -> None:
    """manylinux1 does not allow libexpat; 2010 and all later ones do."""
    assert allowed(["manylinux2010_x86_64"]) - allowed(["manylinux1_x86_64"]) == {"libexpat.so.1"}
    assert allowed(["manylinux_2_41_x86_64"]) == allowed(["manylinux2010_x86_64"])


@pytest.mark.parametrize(
    ("tags", "name"),
    [
        (["manylinux1_x86_64"], "manylinux_2_5"),
        (["manylinux2010_x86_64", "manylinux_2_12_x86_64"], "manylinux_2_12"),
        (["manylinux_2_17_aarch64", "manylinux2014_aarch64"], "manylinux_2_17"),
        (["manylinux2014_x86_64", "manylinux_2_17_x86_64", "manylinux_2_28_x86_64"], "manylinux_2_28"),
        (["manylinux_2_5_x86_64", "manylinux1_x86_64", "manylinux_2_9_x86_64"], "manylinux_2_9"),
        (["linux_x86_64"], "linux"),
        (["linux_x86_64", "manylinux1_x86_64"], "manylinux_2_5"),
        (["any"], None),
        (["musllinux_1_2_x86_64"], None),
        (["macosx_11_0_arm64"], None),
        (["win_amd64"], None),
        ([], None),
    ],
)
def test_the_newest_manylinux_tag_decides(tags: list[str], name: str | None) -> None:
    """Versions compare as numbers, aliases count as what they stand for, other systems' tags for nothing."""
    assert policy(tags) == name
    assert allowed(tags) == allowed(list(reversed(tags)))
    assert bool(allowed(tags)) == (name is not None)


def test_machines_do_not_differ() -> None:
    """x86_64 and aarch64 have the same sets, as auditwheel has one file for both."""
    assert allowed(["manylinux_2_28_x86_64"]) == allowed(["manylinux_2_28_aarch64"])


@pytest.mark.parametrize(
    "row",
    ["libz.so.1", "libz.so.1,2.5", "libz.so.1,manylinux3", "libz.so.1,manylinux_2_5,x", "liba.so,manylinux1"],
)
def test_a_bad_row_names_its_line(tmp_path: Path, row: str) -> None:
    """A row without a policy, with one too many columns or out of order is an error of its line."""
    path = tmp_path / "manylinux.csv"
    path.write_text(f"soname,since\nlibb.so,manylinux_2_5\n{row}\n", encoding="utf-8")
    with pytest.raises(NixpyError) as caught:
        load(path)
    assert (caught.value.path, caught.value.line) == (path, 3)
