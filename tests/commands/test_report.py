"""What `init` and `sync` report: on one screen, with named numbers, what changed, and what the host needs."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

import shop
from elfbuild import X86_64, elf, shared_object
from nixpy.libraries.catalogue import catalogue
from nixpy.styles.styles import Style, styles
from runner import Nixpy
from smallindex import SmallIndex, build_sdist, build_wheel
from terminal import run

pytestmark = pytest.mark.slow  # each test runs uv or several commands

SCREEN = (24, 80)  # lines and columns; the last line has the prompt
# With the longest expressions.
SUPPLIED = sorted(
    (entry for entry in catalogue().entries.values() if entry.provider == "nixpkgs"),
    key=lambda entry: -len(entry.expression or ""),
)
SONAMES = [entry.soname for entry in SUPPLIED[:60]]


@pytest.fixture
def wheels(tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """The folder of the only index, for wheels of a test's own."""
    folder = tmp_path / "wheels"
    folder.mkdir()
    with SmallIndex(folder) as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        yield folder


@pytest.fixture
def many(tmp_path: Path, wheels: Path) -> Path:
    """A project in a repository whose wheels need 60 libraries and have long names."""
    names = [f"a-package-with-a-long-name-{number}" for number in range(9)]
    for name in names:
        files = {f"{name}.so": shared_object(SONAMES, machine=X86_64)}
        build_wheel(wheels, name, "1.0", f"{shop.TAG}-manylinux_2_17_x86_64", files=files)
    (tmp_path / "demo" / ".git").mkdir(parents=True)
    return shop.project(tmp_path / "demo", *names)


def test_init_fits_one_screen(many: Path, nixpy: Nixpy) -> None:
    """However many libraries there are, the report has room above the prompt; `-v` names each of them."""
    command = [sys.executable, "-m", "nixpy", "init", "--system", "x86_64-linux"]
    status, terminal = run(command, columns=SCREEN[1], cwd=many)
    lines = terminal.shown.rstrip("\n").split("\n")
    assert status == 0, terminal.plain
    assert len(lines) < SCREEN[0], terminal.shown
    assert max(map(len, lines)) <= SCREEN[1]
    assert "of 60 libraries; -v lists all" in terminal.shown
    assert re.search(r"^project +pyproject.toml +9 packages, 9 wheel files for 1 system$", terminal.shown, re.MULTILINE)
    whole = nixpy("init", many, "-v", "--system", "x86_64-linux").out
    assert [soname for soname in SONAMES if f"  {soname}  " not in whole] == []
    assert "-v lists all" not in whole


def test_the_wheels_are_counted(tmp_path: Path, nixpy: Nixpy) -> None:
    """Packages, wheel files and systems are numbers of their own; a file for every system is one file.

    Where nixpy.lock alone is read, the number says that it counts what nixpy.lock has.
    """
    project = shop.project(tmp_path / "demo", "alpha", "gamma")
    counts = "2 packages, 4 wheel files for 3 systems"  # one for each system, and gamma's
    assert counts in nixpy("init", project).out
    assert counts in nixpy("sync", project).out  # without a lock, nixpy.lock has all
    assert counts in nixpy("init", project, "--manager", "none").out
    assert "1 package in nixpy.lock, 3 wheel files for 3 systems" in nixpy("sync", project).out


def test_each_choice_has_its_reason(tmp_path: Path, nixpy: Nixpy) -> None:
    """The report says of style, manager, Python and nixpkgs whether nixpy chose it, or where it is from."""
    project = shop.project(tmp_path / "demo", "alpha")
    chosen = nixpy("init", project, "--style", "fhs", "--nixpkgs", "nixos-25.11").out
    kept = nixpy("sync", project).out
    for out, style, nixpkgs in (
        (chosen, "from --style", "from --nixpkgs"),
        (kept, "from pyproject.toml", "from pyproject.toml"),
    ):
        assert re.search(rf"^style +fhs +{style}$", out, re.MULTILINE)
        assert re.search(rf"^nixpkgs +nixos-25.11 +{nixpkgs}$", out, re.MULTILINE)
        assert len(re.findall(r"^(?:style|manager|python|nixpkgs) +\S+ +\w", out, re.MULTILINE)) == 4


@pytest.mark.parametrize("style", [style for style in styles() if style.host], ids=lambda style: style.name)
def test_what_the_host_needs_is_next(style: Style, tmp_path: Path, nixpy: Nixpy) -> None:
    """Each setting that supplies a need of the style is a line of its own below "next", with the host it is for."""
    following = nixpy("init", shop.project(tmp_path / "demo", "alpha"), "--style", style.name).err.partition("next:")[2]
    for need in style.host:
        for one in need.settings:
            assert f"  {one.setting}   # {one.where}: the style needs {need.title}\n" in following


@pytest.mark.parametrize(("arguments", "needed"), [((), True), (("--no-flake",), False), (("--direnv",), True)])
def test_flakes_are_next(arguments: tuple[str, ...], needed: bool, tmp_path: Path, nixpy: Nixpy) -> None:
    """The command that enters the shell names the setting that enables flakes, where there is a flake."""
    said = nixpy("init", shop.project(tmp_path / "demo", "alpha"), *arguments).err
    assert ("with experimental-features = nix-command flakes in nix.conf" in said) is needed
    assert "programs.nix-ld.enable" not in said


ONE_SYSTEM = "[tool.nixpy]\nstyle = 'nix-ld'\nsystems = ['x86_64-linux']"


@pytest.fixture
def three(tmp_path: Path, nixpy: Nixpy) -> Path:
    """A folder with three projects that are up to date."""
    for name in ("a", "b", "c"):
        assert nixpy("init", shop.project(tmp_path / name, "alpha==1.0", "beta", extra=ONE_SYSTEM)).status == 0
    return tmp_path


def test_sync_of_all_prints_what_changed(three: Path, nixpy: Nixpy) -> None:
    """Each project has its state, and what changed in it: packages and libraries that came, went or changed.

    The last line counts the projects.
    """
    before = nixpy("sync", "--all", cwd=three)
    lines = [f"{name}: up to date (nixpy.lock, nixpy.nix)" for name in "abc"]
    assert before.out.splitlines() == [*lines, "3 projects: 3 up to date"]
    shop.project(three / "a", "alpha==1.1", "delta", "epsilon", extra=ONE_SYSTEM)
    shop.project(three / "b", "alpha>=>", extra=ONE_SYSTEM)
    planned = nixpy("sync", "--all", "--diff", "--format", "json", cwd=three).json["projects"]
    assert ["alpha 1.0 -> 1.1" in one["changes"] for one in planned] == [True, False]
    ran = nixpy("sync", "--all", cwd=three)
    assert ran.status == 2
    first, *others, last_project, total = ran.out.splitlines()
    assert first == "a: wrote nixpy.lock, nixpy.nix"
    assert {"  alpha 1.0 -> 1.1", "  + delta 2.0", "  + epsilon 1.0", "  - beta 1.0"} <= set(others)
    assert last_project == "c: up to date (nixpy.lock, nixpy.nix)"
    assert total == "3 projects: 1 changed, 1 up to date, 1 failed"
    assert "error[NIX703]: b/pyproject.toml:7: " in ran.err


def test_sync_of_all_prints_everything_with_verbose(three: Path, nixpy: Nixpy) -> None:
    """With `-v` each project has its whole report."""
    out = nixpy("sync", "--all", "-v", cwd=three).out
    assert len(re.findall(r"^style +nix-ld", out, re.MULTILINE)) == 3
    assert out.endswith("3 projects: 3 up to date\n")


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("style = 'nix-ld'", "style = 'loader'", "the settings or nixpy changed; packages and libraries are the same"),
        ('python = "3.13"', 'python = "3.12"', "Python 3.13 -> 3.12"),
        ('  "beta",', '  "beta>=1",', "the requirements changed; packages and libraries are the same"),
        ("['x86_64-linux']", "['x86_64-linux', 'aarch64-linux']", "+ aarch64-linux"),
        ('"alpha==1.0",', "", "- libz.so.1 from pkgs.zlib"),
    ],
)
def test_sync_says_why_it_wrote(old: str, new: str, said: str, three: Path, nixpy: Nixpy) -> None:
    """A file is never written without a reason: the choice, the requirement, the system or the library that changed."""
    path = three / "a/pyproject.toml"
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))
    out = nixpy("sync", three / "a").out
    assert f"  {said}" in out.partition("wrote ")[2].splitlines()


def test_many_diagnostics_are_counted(tmp_path: Path, wheels: Path, nixpy: Nixpy) -> None:
    """Of one code, the first two are printed, and how many more there are; `-v` prints all."""
    names = [f"unknown{number}" for number in range(9)]
    for name in names:
        files = {"a.so": shared_object([f"libnobody-{name}.so.1"], machine=X86_64)}
        build_wheel(wheels, name, "1.0", f"{shop.TAG}-manylinux_2_17_x86_64", files=files)
    project = shop.project(tmp_path / "demo", *names)
    brief = nixpy("init", project, "--system", "x86_64-linux").out
    assert len(re.findall(r"^warning\[NIX101\]: libnobody", brief, re.MULTILINE)) == 2
    assert "warning[NIX101]: and 7 more; -v lists all\n" in brief
    whole = nixpy("sync", project, "-v").out
    assert len(re.findall(r"^warning\[NIX101\]: libnobody", whole, re.MULTILINE)) == 9


def test_diagnostics_of_one_cause_are_one_line(tmp_path: Path, wheels: Path, nixpy: Nixpy) -> None:
    """38 libraries that one package lacks are one line with their number; `-v` and JSON have each of them."""
    files = {"a.so": shared_object([f"libnobody{number:02}.so.1" for number in range(38)], machine=X86_64)}
    build_wheel(wheels, "unknown", "1.0", f"{shop.TAG}-manylinux_2_17_x86_64", files=files)
    project = shop.project(tmp_path / "demo", "unknown")
    only = ("--system", "x86_64-linux")
    line = (
        "warning[NIX101]: libnobody00.so.1, libnobody01.so.1, libnobody02.so.1 and 35 more are needed by unknown on "
        "x86_64-linux, but nixpy does not know which packages have them\n"
        "  hint: Find the package with `nix-locate --top-level --whole-name lib/SONAME`, and set "
        'map = { "SONAME" = "PACKAGE" } in [tool.nixpy.libraries].\n'
    )
    for command in (("init", project, *only), ("scan", project, *only), ("sync", project)):
        out = nixpy(*command).out
        assert line in out, command
        assert out.count("NIX101") == 1
        assert len(re.findall(r"^warning\[NIX101\]: libnobody", nixpy(*command, "-v").out, re.MULTILINE)) == 38
        assert len([one for one in _problems(nixpy(*command, "--format", "json").json) if one == "NIX101"]) == 38


def _problems(report: Any) -> list[str]:
    """Return the codes in a report."""
    found = report["problems"] if "problems" in report else report["projects"][0]["problems"]
    return [one["code"] for one in found]


def test_an_elf_file_that_nixpy_cannot_read(tmp_path: Path, wheels: Path, nixpy: Nixpy) -> None:
    """`init`, `scan`, `sync` and `check` report it, `check` from nixpy.lock; a static program is no diagnostic."""
    damaged = shared_object(["libz.so.1"]).replace(b"libz.so.1", b"libz\n.so1")
    files = {"tool-1.0.data/scripts/tool": damaged, "tool-1.0.data/scripts/static": elf(dynamic=False)}
    build_wheel(wheels, "tool", "1.0", "py3-none-manylinux_2_17_x86_64", files=files)
    project = shop.project(tmp_path / "demo", "tool")
    only = ("--system", "x86_64-linux")
    words = "nixpy cannot read the ELF file tool-1.0.data/scripts/tool of tool on x86_64-linux, so it does not know"
    for command in (("init", project, *only), ("scan", project), ("sync", project), ("check", project, "-v")):
        result = nixpy(*command)
        assert result.status == 0, result.err
        assert f"warning[NIX104]: {words}" in result.out + result.err, command
    assert re.search(r"^style +patched-venv", nixpy("sync", project).out, re.MULTILINE)
    assert "tool  an ELF file that nixpy cannot read" in nixpy("scan", project).out
    report = nixpy("scan", project, "--format", "json").json
    assert report["wheels"][0]["needs"]["unreadable"] == ["tool-1.0.data/scripts/tool"]


def test_a_project_without_libraries_claims_only_what_was_seen(tmp_path: Path, nixpy: Nixpy) -> None:
    """`init` says that no wheel links to a library, and that nixpy saw none opened."""
    said = nixpy("init", shop.project(tmp_path / "demo", "gamma")).out
    assert "no wheel links to a library of nixpkgs; none opens one that nixpy could see\n" in said


def test_notes_of_the_catalogue_reach_the_user(tmp_path: Path, wheels: Path, nixpy: Nixpy) -> None:
    """What a library needs from the user is a note of `init`, `scan` and `sync`; `check` says it only with `-v`."""
    files = {"a.so": shared_object(["libvlc.so.5"], machine=X86_64)}
    build_wheel(wheels, "player", "1.0", f"{shop.TAG}-manylinux_2_17_x86_64", files=files)
    build_sdist(wheels, "evdev", "1.0")
    only = ("--system", "x86_64-linux")
    project = shop.project(tmp_path / "demo", "player")
    note = "note[NIX105]: libvlc.so.5, needed by player, needs its plugins, which it finds by VLC_PLUGIN_PATH\n  hint: "
    for command in (("init", project, *only), ("scan", project), ("sync", project)):
        assert note in nixpy(*command).out, command
    assert nixpy("check", project).err == ""
    assert note in nixpy("check", project, "-v").err
    scan = nixpy("scan", project, "-v").out
    assert "libvlc.so.5  pkgs.libvlc (needs VLC_PLUGIN_PATH to find its plugins), linked by a.so\n" in scan
    assert "note[NIX105]: evdev is built from its source" in nixpy("scan", "evdev", "--no-deps", *only).out
