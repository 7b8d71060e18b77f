"""Why a library is in the generated file: the comment after it, and what is left out."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

from packaging.utils import canonicalize_name

from nixpy.analysis.nixpylock import NixpyLock, Wheel
from nixpy.environment.assemble import environment_of
from nixpy.environment.facts import facts
from nixpy.environment.model import Environment
from nixpy.environment.options import resolve_options
from nixpy.needs.model import Needs, RuntimeOpen
from nixpy.project import project
from opens import of_table, opening

X86 = "x86_64-linux"


def wheel(name: str, *opens: RuntimeOpen, linked: str = "", optional: str = "") -> Wheel:
    """Return a wheel that opens these libraries and links to others."""
    names = sorted({*linked.split(), *optional.split()})
    return Wheel(
        system=X86,
        name=canonicalize_name(name),
        version="1",
        filename=f"{name}-1-py3-none-any.whl",
        sha256=None,
        needs=Needs(
            known="sha256",
            opens=tuple(replace(one, systems=(X86,)) for one in opens),
            sonames=tuple((soname, f"{name}.so") for soname in names),
            optional=tuple(optional.split()),
        ),
    )


def environment(folder: Path, *wheels: Wheel, settings: str = "", style: str = "loader") -> Environment:
    """Return the environment of a project with these wheels."""
    (folder / "pyproject.toml").write_text(f'[project]\n[tool.nixpy]\nstyle = "{style}"\n{settings}')
    own = project.read(folder)
    lock = NixpyLock(
        python="3.13", release="nixos-26.05", inputs="0", systems=(X86,), wheels=wheels, unavailable=(), complete=True
    )
    return environment_of(own, resolve_options(own), lock)


def comments(env: Environment) -> dict[str, str]:
    """Return the comment of each soname in the generated file."""
    found: dict[str, Any] = facts(env).get("sonames", {"parts": []})
    return {soname: item["comment"] for part in found["parts"] for soname, item in part["value"].items()}


def test_the_comment_says_who_links_and_who_opens(tmp_path: Path) -> None:
    """Packages that link come first; the file is named if one package opens the library, and never the line."""
    env = environment(
        tmp_path,
        wheel("link", linked="libz.so.1 libexpat.so.1"),
        wheel("mss", opening("libxcb.so.1", path="mss/linux/xcbhelpers.py"), opening("libz.so.1")),
        wheel("one", opening("libX11.so.6", certainty="likely"), linked="libX11.so.6"),
        wheel("python-magic", *of_table("libmagic.so.1")),
        wheel("two", opening("libmagic.so.1"), opening("libexpat.so.1", certainty="possible")),
    )
    assert comments(env) == {
        "libX11.so.6": "one",
        "libexpat.so.1": "link",
        "libmagic.so.1": "opened by python-magic, two",
        "libxcb.so.1": "opened by mss, mss/linux/xcbhelpers.py",
        "libz.so.1": "link; opened by mss, pkg/__init__.py",
    }


def test_the_strongest_evidence_of_a_package_is_named(tmp_path: Path) -> None:
    """If several files of a package open a library, the comment has the one that surely does."""
    env = environment(
        tmp_path,
        wheel(
            "a",
            opening("libz.so.1", certainty="likely", path="a.py"),
            opening("libz.so.1", path="z.py"),
            *of_table("libz.so.1"),
        ),
    )
    assert comments(env) == {"libz.so.1": "opened by a, z.py"}


def test_a_path_cannot_end_the_comment(tmp_path: Path) -> None:
    """Control characters in the path of a wheel's file are escaped."""
    env = environment(tmp_path, wheel("a", opening("libz.so.1", path="a\n};evil\r.py")))
    assert comments(env) == {"libz.so.1": "opened by a, a\\n};evil\\r.py"}


def test_the_setting_decides_what_is_rendered(tmp_path: Path) -> None:
    """`runtime` chooses among the libraries that packages open; `left_out` has the others."""
    wheels = (
        wheel("a", opening("libmagic.so.1"), opening("libxcb.so.1", certainty="likely")),
        wheel("b", opening("libgtk-3.so.0", certainty="likely"), opening("libzbar.so.0", certainty="possible")),
        wheel("c", *of_table("libcuda.so.1"), linked="libz.so.1"),
    )
    expected = {
        "likely": ({"libmagic.so.1", "libxcb.so.1", "libz.so.1"}, True),
        "certain": ({"libmagic.so.1", "libz.so.1"}, False),
        "none": ({"libz.so.1"}, False),
    }
    every = {"libmagic.so.1", "libxcb.so.1", "libgtk-3.so.0", "libzbar.so.0", "libz.so.1", "libcuda.so.1"}
    for runtime, (rendered, driver) in expected.items():
        env = environment(tmp_path, *wheels, settings=f'libraries.runtime = "{runtime}"\n')
        assert comments(env).keys() == rendered
        assert facts(env).get("driver", False) is driver
        host = {"libcuda.so.1"} if driver else set()
        assert {item.soname for item in env.left_out} == every - rendered - host


def test_what_is_added_is_no_longer_left_out(tmp_path: Path) -> None:
    """With `add`, an offered library is in the file, and is not offered again."""
    opens = wheel("b", opening("libgtk-3.so.0", certainty="likely", path="b.py"))
    env = environment(tmp_path, opens, settings='libraries.add = ["libgtk-3.so.0"]\n')
    assert comments(env) == {"libgtk-3.so.0": "[tool.nixpy]"}
    assert env.left_out == ()


def test_builders_ignore_only_what_files_link_to(tmp_path: Path) -> None:
    """A style that builds wheels lists the missing libraries of ELF files, not those that are only opened."""
    opens = wheel("a", opening("libgtk-3.so.0", certainty="likely"), optional="libodbc.so.2")
    env = environment(tmp_path, opens, style="wheel-env")
    assert [item["value"] for item in facts(env)["wheels"]["missing"]] == ["libodbc.so.2"]


def test_find_library_is_reported_for_what_no_other_name_finds(tmp_path: Path) -> None:
    """NIX303 is for packages that open a library only by find_library; not if a soname is tried after it."""
    only = wheel("only", opening("libarchive.so", find_library=True))
    both = wheel("both", opening("libmagic.so", "libmagic.so.1", find_library=True))
    unused = wheel("unused", opening("libz.so", find_library=True, module="unused.part"))
    libc = wheel("libc", opening("libc.so", find_library=True))
    large = wheel("large", opening("libgtk-3.so", find_library=True, certainty="likely"))
    table = wheel("table", opening("libzbar.so", find_library=True), *of_table("libzbar.so.0"))
    others = (both, unused, libc, large, table)
    found = [one for one in environment(tmp_path, only, *others).diagnostics if one.code == "NIX303"]
    assert [one.message.partition(" ")[0] for one in found] == ["only"]
    assert not [one for one in environment(tmp_path, *others).diagnostics if one.code == "NIX303"]
