"""How the libraries that are left out are listed."""

from __future__ import annotations

import pytest
from packaging.utils import canonicalize_name

from nixpy.cli.left_out import print_left_out
from nixpy.cli.output import SETTINGS
from nixpy.libraries.match import Library, Rules, WheelNeeds, left_out, match
from nixpy.needs.model import Needs, RuntimeOpen
from opens import opening


def libraries(*opens: RuntimeOpen, rules: Rules | None = None) -> tuple[Library, ...]:
    """Return what is left out of these opens of one package."""
    wheel = WheelNeeds(
        system="x86_64-linux",
        name=canonicalize_name("pkg"),
        filename="pkg-1-py3-none-any.whl",
        needs=Needs(known="sha256", opens=opens),
    )
    return left_out(match([wheel], rules)[0])


LARGE = opening("libgtk-3.so.0", certainty="likely", path="pkg/gui.py", line=12)
POSSIBLE = opening("libz.so.1", certainty="possible", evidence="strings", path="pkg/x.so", line=None)
UNKNOWN = opening("libnosuch.so.1", "libneither.so", certainty="likely")


def test_nothing_is_said_of_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    """If nothing is left out, there is no line."""
    print_left_out(libraries())
    assert capsys.readouterr().out == ""


def test_a_short_list_with_a_count(capsys: pytest.CaptureFixture[str]) -> None:
    """First come libraries that code opens and nixpkgs has, and one of these is the example."""
    more = [opening(f"lib{name}.so.1", certainty="possible") for name in ("expat", "magic")]
    print_left_out(libraries(POSSIBLE, UNKNOWN, LARGE, *more))
    assert capsys.readouterr().out == (
        "left out 5 libraries that packages may open at run time: "
        "libgtk-3.so.0, libnosuch.so.1, libexpat.so.1 and 2 more; -v gives the reasons\n"
        '  to add one, set add = ["libgtk-3.so.0"] in [tool.nixpy.libraries]\n'
    )


def test_the_full_list_has_reasons(capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """With -v, each has its supplier, the reason, and the file."""
    monkeypatch.setattr(SETTINGS, "verbose", True)
    print_left_out(libraries(POSSIBLE, UNKNOWN, LARGE))
    assert capsys.readouterr().out.splitlines()[:4] == [
        "left out 3 libraries that packages may open at run time:",
        "  libgtk-3.so.0   pkgs.gtk3         large; opened by pkg, pkg/gui.py:12",
        "  libnosuch.so.1  no known package  opened by pkg, pkg/__init__.py:3",
        "  libz.so.1       pkgs.zlib         may be opened by pkg, pkg/x.so",
    ]


def test_what_the_setting_leaves_out(capsys: pytest.CaptureFixture[str]) -> None:
    """With `runtime = "none"`, a certain library is left out as well; an unknown one is no example."""
    print_left_out(libraries(UNKNOWN))
    assert "add" not in capsys.readouterr().out
    print_left_out(libraries(opening("libz.so.1"), rules=Rules(runtime="none")))
    assert 'set add = ["libz.so.1"]' in capsys.readouterr().out
