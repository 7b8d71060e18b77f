"""A wheel that contains the driver of the graphics card is reported."""

from __future__ import annotations

from packaging.utils import canonicalize_name

from nixpy.analysis.nixpylock import NixpyLock, Wheel
from nixpy.environment.compatibility import diagnostics
from nixpy.needs.model import Needs
from nixpy.styles import styles


def test_a_wheel_with_a_library_of_the_driver() -> None:
    """It is named with the library; a library that only has a similar name is no driver."""
    found = [
        Wheel(
            system="x86_64-linux",
            name=canonicalize_name(name),
            version="1",
            filename=f"{name}-1-py3-none-manylinux_2_28_x86_64.whl",
            sha256=None,
            needs=Needs(known="sha256", provides=(soname,)),
        )
        for name, soname in (("stubs", "libcuda.so.1"), ("runtime", "libcudart.so.12"))
    ]
    lock = NixpyLock(
        python="3.13", release="26.05", inputs="", systems=("x86_64-linux",), wheels=tuple(found), unavailable=()
    )
    (one,) = diagnostics(lock, (), styles.find("loader"), (), "nixos-26.05")
    assert (one.code, one.package) == ("NIX231", "stubs")
    assert one.message.startswith("stubs contains libcuda.so.1, a library of the driver")
