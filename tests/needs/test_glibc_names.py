"""Which names glibc keeps for itself."""

from __future__ import annotations

import re
import shutil
import subprocess
from pathlib import Path

import pytest

from nixpy.needs.glibc import is_glibc


@pytest.mark.parametrize(
    "soname",
    [
        "libc.so.6",
        "libm.so.6",
        "libmvec.so.1",
        "libpthread.so.0",
        "libdl.so.2",
        "librt.so.1",
        "libnsl.so.1",
        "libnss_dns.so.2",
        "ld-linux-x86-64.so.2",
        "ld-linux-aarch64.so.1",
        "ld-linux.so.2",
        "ld64.so.2",
    ],
)
def test_glibc_keeps_its_own_names(soname: str) -> None:
    """The libraries and loaders that glibc installs are its own."""
    assert is_glibc(soname)


@pytest.mark.parametrize(
    "soname",
    [
        "libcrypt.so.1",
        "libnsl.so.2",
        "libc++.so.1",
        "libmd.so.0",
        "libc.so.66",
        "xlibc.so.6",
        "libdl.so.2\n",
        "",
    ],
)
def test_what_left_glibc_or_only_looks_like_it_is_not_glibc(soname: str) -> None:
    """Names beside, before and after glibc's own are left to others."""
    assert not is_glibc(soname)


def test_agrees_with_the_distribution_of_this_machine() -> None:
    """Every library that the distribution's glibc package puts where the loader looks is recognised."""
    if not shutil.which("dpkg"):
        pytest.skip("no dpkg here")
    listing = subprocess.run(["dpkg", "-L", "libc6"], capture_output=True, text=True, check=False).stdout
    paths = [Path(line) for line in listing.splitlines()]
    names = {path.name for path in paths if re.search(r"\.so(\.\d+)?$", path.name) and "gconv" not in path.parts}
    if not names:
        pytest.skip("glibc does not come from dpkg here")
    assert {name for name in names if not is_glibc(name)} == set()
