"""Which style is recommended, and what it assumes of the host."""

from __future__ import annotations

import pytest

from nixpy.core.errors import NixpyError
from nixpy.core.target import LINUX_SYSTEMS, SYSTEMS
from nixpy.styles import host
from nixpy.styles.styles import find, recommend, styles

DARWIN = "aarch64-darwin"


@pytest.mark.parametrize(
    ("programs", "systems", "assumed"),
    [
        ((), LINUX_SYSTEMS, "nothing"),
        ((), SYSTEMS, "nothing"),
        ((), (DARWIN,), "nothing"),
        (("ruff",), ("x86_64-linux",), "nothing"),
        (("ruff",), LINUX_SYSTEMS, "nothing"),
        (("ruff",), SYSTEMS, "nix-ld"),
    ],
)
def test_the_recommendation_fits(programs: tuple[str, ...], systems: tuple[str, ...], assumed: str) -> None:
    """It installs the locked wheels, works on all systems, starts programs, and says what it assumes of the host."""
    style, why = recommend(programs, systems)
    assert style.leak_free
    assert style.folder == ".venv"
    assert style.darwin or DARWIN not in systems
    assert style.executables or not programs
    assert why.endswith(f"; assumes {assumed} of the host" + ("" if style.darwin else " but Linux"))
    assert all(name in why for name in programs)


def test_linux_is_judged_by_itself() -> None:
    """Where only Linux systems matter, a style for Linux alone that needs nothing of the host is recommended."""
    assert recommend({"ruff"}, LINUX_SYSTEMS)[0].name == "patched-venv"
    assert recommend({"ruff"}, SYSTEMS)[0].name == "nix-ld"


def test_each_need_of_a_host_names_its_setting() -> None:
    """A style whose promise names a need has the option or the command that supplies it; others need nothing."""
    assert host.in_words(find("loader").host) == "nothing"
    for style in styles():
        for need in style.host:
            assert need.settings
            assert all(setting.where and setting.setting for setting in need.settings)
    assert [setting.setting for setting in host.find("nix-ld").settings] == ["programs.nix-ld.enable = true;"]
    with pytest.raises(NixpyError, match="there is no host need `nix-dl`"):
        host.find("nix-dl")
