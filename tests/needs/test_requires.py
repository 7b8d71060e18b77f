"""Which packages of a lock a wheel asks for."""

from __future__ import annotations

from packaging.utils import canonicalize_name

from nixpy.needs.requires import required
from nixpy.target import Target

LINUX = Target(system="x86_64-linux", python="3.13.5", glibc=(2, 42)).marker_environment()
AMONG = {canonicalize_name(name) for name in "abcdefgh"}


def test_what_is_locked_and_holds_there() -> None:
    """Names are normalised, markers hold on that machine, and what the lock does not install is left out."""
    lines = ("A>=2", "b[x]<3 ; python_version < '3.14'", "c ; sys_platform == 'darwin'", "z", "d @ https://a.b/d.whl")
    assert required(lines, LINUX, AMONG) == ("a", "b", "d")


def test_any_extra_counts() -> None:
    """What an extra asks for is asked for, where the rest of its marker holds."""
    lines = ("a ; extra == 'Fast_IO'", "b ; extra == 'x' and sys_platform == 'darwin'", "c ; 'x' == extra")
    assert required(lines, LINUX, AMONG) == ("a", "c")


def test_what_cannot_be_read_asks_for_nothing() -> None:
    """Lines of old tools, and markers that compare what cannot be compared, are passed over."""
    assert required(("a (>=1.0.*)", "b >= 1; os == 'x'", "", "c ; python_version ~= 'x'", "d"), LINUX, AMONG) == ("d",)
