"""What installed packages open at run time, and the interpreter does not find."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from unittest import mock

import patch_venv
import pytest
from packaging.utils import canonicalize_name

from doctor.world import HOST, only
from nixpy.analysis import nixpylock
from nixpy.analysis.nixpylock import NixpyLock, Wheel
from nixpy.doctor.facts import MissingLibrary, Supplier
from nixpy.doctor.loader import Search
from nixpy.doctor.opened import preloaded, unopened
from nixpy.doctor.project_folder import recorded_opens, suppliers
from nixpy.libraries.match import WheelNeeds
from nixpy.needs.model import Needs, RuntimeOpen
from opens import of_table, opening

MSS = MissingLibrary(soname="libxcb.so.1", wheel="mss", files=(), optional=False, opened="mss/linux/xcbhelpers.py:93")
XCB = {"libxcb.so.1": Supplier(provider="nixpkgs", expression="pkgs.libxcb")}


def wheel(name: str, *opens: RuntimeOpen, provides: tuple[str, ...] = ()) -> WheelNeeds:
    """Return an installed wheel that opens these libraries."""
    needs = Needs(known="installed", opens=opens, provides=provides)
    return WheelNeeds(system=HOST.system, name=canonicalize_name(name), filename="", needs=needs)


def found(*wheels: WheelNeeds, there: tuple[str, ...] = ()) -> list[tuple[str, str, str, bool]]:
    """Return what is not found where the loader has these libraries: soname, package, place, whether it is optional."""
    search = Search(folders=(), cached=frozenset(there))
    return [(one.soname, one.wheel, one.opened, one.optional) for one in unopened(wheels, search)]


def test_what_is_opened_and_not_found() -> None:
    """A missing library has the file and the line that open it; a large one is optional, a possible one is none."""
    opens = (
        opening("libxcb.so.1", path="mss/x.py", line=93),
        opening("libgtk-3.so.0", certainty="likely", path="mss/y.py", line=7),
        opening("libz.so.1", certainty="possible"),
        opening("libexpat.so.1", module="mss.used", path="mss/z.py", line=1),
        *of_table("libmagic.so.1", system=HOST.system),
    )
    assert found(wheel("mss", *opens)) == [
        ("libexpat.so.1", "mss", "mss/z.py:1", False),
        ("libgtk-3.so.0", "mss", "mss/y.py:7", True),
        ("libmagic.so.1", "mss", "", False),
        ("libxcb.so.1", "mss", "mss/x.py:93", False),
    ]
    assert list(unopened([wheel("mss", *opens)], None)) == []


@pytest.mark.parametrize("there", ["libarchive.so.13", "libarchive.so", "libold.so.1"])
def test_any_of_the_names_serves(there: str) -> None:
    """A library is found under a name that the package tries, or under the soname that it stands for."""
    one = wheel("libarchive-c", opening("libarchive.so", "libold.so.1", find_library=True))
    assert found(one) == [("libarchive.so.13", "libarchive-c", "pkg/__init__.py:3", False)]
    assert found(one, there=(there,)) == []


def test_what_another_wheel_ships_is_not_missing() -> None:
    """Packages load each other's libraries by path."""
    assert found(wheel("a", opening("libshipped.so.1")), wheel("b", provides=("libshipped.so.1",))) == []


def test_the_diagnostic_names_the_file() -> None:
    """NIX409 says which file opens the library, in which line."""
    diagnostic = only(unfound=(MSS,), suppliers=XCB)
    assert diagnostic.code == "NIX409"
    assert diagnostic.message == (
        "libxcb.so.1 is not found; mss needs it (mss/linux/xcbhelpers.py:93 opens it), and pkgs.libxcb contains it"
    )
    both = (replace(MSS, opened="", wheel="a"), MSS)
    assert "; a, mss need it (mss/linux/xcbhelpers.py:93 opens it), and" in only(unfound=both, suppliers=XCB).message


def test_nixpy_lock_says_what_is_opened(tmp_path: Path) -> None:
    """The opens of this system are those of nixpy.lock, by package and version; without the file there are none. Those
    of a module count if the project imports it.
    """
    (tmp_path / "pyproject.toml").write_text('[project]\nname = "demo"\nversion = "1"\n')
    assert recorded_opens(tmp_path, HOST) == {}
    opened = opening("libxcb.so.1", systems=(HOST.system,))
    used = replace(opened, path="z.py", module="mss.used", modules=("mss.used",))
    one = Wheel(
        system=HOST.system,
        name=canonicalize_name("mss"),
        version="10.2",
        filename="mss-10.2-py3-none-any.whl",
        sha256=None,
        needs=Needs(
            known="sha256",
            opens=(
                opened,
                used,
                replace(opened, path="zz.py", module="mss.unused", modules=("mss.unused",)),
            ),
        ),
    )
    lock = NixpyLock(
        python="3.13",
        release="nixos-26.05",
        inputs="0",
        systems=(HOST.system,),
        wheels=(one,),
        unavailable=(),
        imported=("mss.used",),
    )
    (tmp_path / "nixpy.lock").write_text(nixpylock.dumps(lock))
    assert recorded_opens(tmp_path, HOST) == {("mss", "10.2"): (opened, used)}


def test_what_the_settings_leave_out_is_not_required(tmp_path: Path) -> None:
    """With `runtime = "none"`, a library that is only opened has no supplier, so that it is not reported."""
    wheels = [wheel("mss", opening("libxcb.so.1"), opening("libgtk-3.so.0", certainty="likely"))]
    (tmp_path / "pyproject.toml").write_text("[project]\n")
    assert suppliers(tmp_path, wheels).keys() == {"libxcb.so.1", "libgtk-3.so.0"}
    (tmp_path / "pyproject.toml").write_text('[project]\n[tool.nixpy]\nlibraries.runtime = "none"\n')
    assert suppliers(tmp_path, wheels).keys() == {"libgtk-3.so.0"}


def test_what_a_patched_environment_loads_at_its_start(tmp_path: Path) -> None:
    """It is what the file of style patched-venv names and what is there: the text is that of patch_venv.py."""
    site = tmp_path / "lib/python3.13/site-packages"
    site.mkdir(parents=True)
    assert preloaded(tmp_path) == frozenset()
    libraries = tmp_path / patch_venv.FOLDER / "lib"
    libraries.mkdir(parents=True)
    for name in ("libthere.so.1", "libother.so.1"):
        (libraries / name).touch()
    settings = mock.Mock(opened=["libthere.so.1", "libgone.so.1"], driver=[])
    report = mock.Mock(preloaded=[], not_served=[])
    patch_venv._preload(tmp_path, settings, frozenset(settings.opened), report)
    assert preloaded(tmp_path) == {"libthere.so.1"}
