"""scan: the JSON people build on, and everything that can be scanned."""

from __future__ import annotations

import sys
import venv
import zipfile
from pathlib import Path
from typing import Any

import pytest

import shop
from elfbuild import AARCH64, program, shared_object
from runner import Nixpy
from smallindex import SmallIndex, build_wheel

ONE = ("--no-deps", "--python", "3.13", "--system", "x86_64-linux")


def scanned(nixpy: Nixpy, *arguments: str | Path) -> Any:
    """Scan, and return the report."""
    result = nixpy("scan", *arguments, "--format", "json")
    assert result.status == 0, result.err
    return result.json


def test_one_package(nixpy: Nixpy) -> None:
    """A requirement with --no-deps is that one wheel, with its sonames, the optional ones apart, and who answers."""
    report = scanned(nixpy, "alpha==1.0", *ONE)
    (wheel,) = report["wheels"]
    assert (wheel["name"], wheel["version"], wheel["system"]) == ("alpha", "1.0", "x86_64-linux")
    assert wheel["needs"] == {
        "sonames": ["libodbc.so.2", "libstdc++.so.6", "libz.so.1"],
        "optional": ["libodbc.so.2"],
        "executables": [],
        "dlopen": [],
        "glibc": None,
        "known": "sha256",
        "unreadable": [],
    }
    answers = {item["soname"]: item for item in report["libraries"]}
    assert answers["libz.so.1"]["expression"] == "pkgs.zlib"
    assert answers["libz.so.1"]["attribute"] == "zlib"
    assert answers["libz.so.1"]["needed_by"] == ["alpha"]
    assert answers["libodbc.so.2"]["optional"]


def test_siblings_answer_each_other(nixpy: Nixpy) -> None:
    """What another wheel of the set ships is answered by it; alone, the same wheel has a problem."""
    together = scanned(nixpy, "delta", "epsilon", *ONE)
    (sibling,) = [item for item in together["libraries"] if item["soname"] == "libsibling.so.3"]
    assert (sibling["provider"], sibling["expression"]) == ("sibling-wheel", None)
    assert together["problems"] == []
    alone = scanned(nixpy, "delta", *ONE)
    assert [problem["code"] for problem in alone["problems"]] == ["NIX101"]


def test_programs_and_names_opened_at_run_time(nixpy: Nixpy) -> None:
    """Programs are named by their path in the wheel; a package known to open libraries says which."""
    report = scanned(nixpy, "beta", "weasyprint", *ONE)
    beta, weasyprint = report["wheels"]
    assert beta["needs"]["executables"] == ["beta-1.0.data/scripts/beta"]
    assert "libpango-1.0.so.0" in weasyprint["needs"]["dlopen"]
    assert any(item["soname"] == "libpango-1.0.so.0" and not item["optional"] for item in report["libraries"])


def test_other_systems_are_scanned_from_here(nixpy: Nixpy) -> None:
    """aarch64-linux is read from its own wheel; macOS needs nothing."""
    report = scanned(
        nixpy, "alpha", "--no-deps", "--python", "3.13", "--system", "aarch64-linux", "--system", "aarch64-darwin"
    )
    mac, linux = report["wheels"]
    assert (mac["system"], mac["needs"]["sonames"]) == ("aarch64-darwin", [])
    assert "aarch64" in linux["filename"]
    assert "libz.so.1" in linux["needs"]["sonames"]


def test_wheel_files(nixpy: Nixpy, index: SmallIndex) -> None:
    """Wheel files are scanned where they lie."""
    (path,) = index.folder.glob("alpha-1.1-*x86_64.whl")
    report = scanned(nixpy, path, "--python", "3.13", "--system", "x86_64-linux")
    assert [wheel["filename"] for wheel in report["wheels"]] == [path.name]


def test_a_project_its_lock_and_its_requirements(tmp_path: Path, nixpy: Nixpy) -> None:
    """A folder, pyproject.toml, a requirements file and the recorded result all name the same wheels."""
    folder = shop.project(tmp_path / "demo", "alpha", "beta")
    (tmp_path / "list.txt").write_text("alpha\nbeta\n")
    only = ("--python", "3.13", "--system", "x86_64-linux")
    reports = [scanned(nixpy, target, *only) for target in (folder, folder / "pyproject.toml", tmp_path / "list.txt")]
    assert [wheel["name"] for wheel in reports[0]["wheels"]] == ["alpha", "beta"]
    assert reports[0] == reports[1] == reports[2]
    assert not (folder / "nixpy.lock").exists()


def test_a_virtual_environment(tmp_path: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """What is installed is read from the environment's own files, and is known as such."""
    venv.create(tmp_path / ".venv")
    site = tmp_path / ".venv" / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    for path in (*index.folder.glob("delta-*x86_64.whl"), *index.folder.glob("epsilon-*x86_64.whl")):
        zipfile.ZipFile(path).extractall(site)
    report = scanned(nixpy, tmp_path / ".venv", "--python", "3.13", "--system", "x86_64-linux")
    assert {wheel["name"]: wheel["needs"]["known"] for wheel in report["wheels"]} == {
        "delta": "installed",
        "epsilon": "installed",
    }
    assert {item["soname"]: item["provider"] for item in report["libraries"]}["libsibling.so.3"] == "sibling-wheel"


@pytest.mark.parametrize(
    ("targets", "words"),
    [
        (("no such thing!",), "neither a file"),
        (("alpha", "."), "cannot be scanned together"),
        (("nothing-like-this-1.0",), "nothing-like-this"),
    ],
)
def test_what_cannot_be_scanned_says_so(targets: tuple[str, ...], words: str, tmp_path: Path, nixpy: Nixpy) -> None:
    """Each wrong target is one error with exit status 2."""
    shop.project(tmp_path, "alpha")
    result = nixpy("scan", *targets, cwd=tmp_path)
    assert result.status == 2
    assert words in result.err


def test_offline_answers_by_the_tag_until_the_wheel_is_opened(
    tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Without a network a wheel gets what its tag allows, said so in text and JSON; sync with one replaces it."""
    folder = shop.project(tmp_path / "demo", "alpha")
    assert nixpy("scan", folder).status == 0  # uv now knows the index; nixpy forgets below
    monkeypatch.setenv("NIXPY_CACHE_DIR", str(tmp_path / "empty"))
    result = nixpy("init", folder, "--style", "loader", "--python", "3.13", "--offline")
    assert result.status == 0, result.err
    assert "not opened" in result.out
    text = (folder / "nixpy.nix").read_text()
    assert '"libX11.so.6" = (pkgs.libx11 or pkgs.xorg.libX11); # alpha (not opened)' in text
    assert nixpy("check", folder).status == 0
    assert nixpy("sync", folder).status == 0
    text = (folder / "nixpy.nix").read_text()
    assert '"libX11.so.6"' not in text
    assert '"libz.so.1" = pkgs.zlib; # alpha' in text


def test_wheels_are_read_for_what_they_are_for(tmp_path: Path, nixpy: Nixpy) -> None:
    """Without --python and --system a wheel is scanned for the system and the Python of its tags."""
    tag = "cp311-cp311-manylinux_2_17_aarch64"
    wheel = build_wheel(tmp_path, "one", "1.0", tag, files={"a.so": shared_object(["libz.so.1"], machine=AARCH64)})
    report = scanned(nixpy, wheel)
    assert (report["python"], report["systems"]) == ("3.11", ["aarch64-linux"])
    assert report["wheels"][0]["needs"]["sonames"] == ["libz.so.1"]
    asked = scanned(nixpy, wheel, "--python", "3.13")
    assert asked["wheels"] == []
    assert "has no wheel for Python 3.13 on" in asked["problems"][0]["message"]


def test_plugins_of_a_package(tmp_path: Path, nixpy: Nixpy) -> None:
    """What plugins link to is supplied if the package opens them; other files give no problem."""
    of_python = ("asyncio", "bisect", "csv", "ctypes", "curses", "heapq", "json", "random", "socket", "ssl")
    shipped = [f"deploy/_{name}.abi3.so" for name in of_python]
    files: dict[str, bytes | str] = {
        "made/__init__.py": "import ctypes\nctypes.CDLL(__file__.replace('__init__.py', 'libfirst.so'))\n",
        "made/core.abi3.so": shared_object(["libz.so.1"]),
        "made/libfirst.so": shared_object(["libbz2.so.1"]),
        "made/plugins/imageformats/libtiff.so": shared_object(["libfirst.so", "libtiff.so.6", "libgtk-3.so.0"]),
        "made/plugins/imageformats/libnew.so": shared_object(["libfirst.so", "libnobody.so.9"]),
        "made/libunused.so": shared_object(["libodbc.so.2", "libnever.so.9"]),
        **{path: shared_object(["libnowhere.so.9"]) for path in shipped},
    }
    wheel = build_wheel(tmp_path, "made", "1.0", "cp313-abi3-manylinux_2_17_x86_64", files=files)
    report = scanned(nixpy, wheel, *ONE)
    needs = report["wheels"][0]["needs"]
    assert needs["optional"] == ["libnever.so.9", "libodbc.so.2"]
    assert "libnowhere.so.9" not in needs["sonames"]
    found = {one["soname"]: (one["optional"], one["evidence"][0]["certainty"]) for one in report["libraries"]}
    assert found == {
        "libbz2.so.1": (False, "certain"),
        "libgtk-3.so.0": (True, "likely"),
        "libnever.so.9": (True, "possible"),
        "libnobody.so.9": (True, "likely"),
        "libodbc.so.2": (True, "possible"),
        "libtiff.so.6": (False, "likely"),
        "libz.so.1": (False, "certain"),
    }
    assert report["problems"] == []
    said = nixpy("scan", wheel, *ONE).out
    assert "libgtk-3.so.0" in said.partition("left out")[2]


def test_a_venv_is_not_read_for_another_system(tmp_path: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """What is installed here says nothing about another system: it has no wheel there."""
    folder = tmp_path / ".venv"
    venv.create(folder)
    site = folder / "lib" / f"python3.{sys.version_info.minor}" / "site-packages"
    for wheel in index.folder.glob("delta-*x86_64.whl"):
        zipfile.ZipFile(wheel).extractall(site)
    report = scanned(nixpy, folder, "--system", "aarch64-linux", "--python", "3.13")
    assert report["wheels"] == []
    assert {problem["code"] for problem in report["problems"]} == {"NIX201"}


@pytest.mark.parametrize("name", ["requirement.txt", "uv.lock", "deep/pylock.toml", "alpha-1.0-py3-none-any.whl"])
def test_a_missing_file_is_no_package(name: str, tmp_path: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """A slip in a file's name never asks an index for a package of that name."""
    before = len(index.requests)
    result = nixpy("scan", name, cwd=tmp_path)
    assert result.status == 2
    assert f"{name}: no such file" in result.err
    assert len(index.requests) == before


def test_a_script_is_scanned_by_its_lock(tmp_path: Path, nixpy: Nixpy) -> None:
    """A Python file is no requirements file; the error says how to lock it."""
    (tmp_path / "s.py").write_text("print(1)\n")
    result = nixpy("scan", "s.py", cwd=tmp_path)
    assert result.status == 2
    assert "uv lock --script s.py" in result.err


def test_a_package_with_the_name_of_a_file(nixpy: Nixpy, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A name like discord.py is a package if there is no such file."""
    build_wheel(tmp_path / "files", "discord-py", "1.0")
    with SmallIndex(tmp_path / "files") as index:
        monkeypatch.setenv("UV_DEFAULT_INDEX", index.url)
        ran = nixpy("scan", "discord.py", cwd=tmp_path)
    assert ran.status == 0
    assert "discord-py 1.0" in ran.out


def test_settings_of_uv_that_are_not_passed_on_are_reported(
    tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Once for each file, the user's too; `check` leaves the user's out, which CI does not have."""
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path / "config"))
    user = tmp_path / "config/uv/uv.toml"
    user.parent.mkdir(parents=True)
    user.write_text("no-such = 1\n")
    folder = shop.project(tmp_path / "demo", "alpha")
    (folder / "uv.toml").write_text("\nno-other = 1\n")
    (folder / "requirements.txt").write_text("alpha\n")
    arguments = ("--python", "3.13", "--system", "x86_64-linux")
    for target in ("alpha", "requirements.txt", "."):
        monkeypatch.chdir(folder)
        problems = [one["message"] for one in scanned(nixpy, target, *arguments)["problems"] if one["code"] == "NIX210"]
        assert [message.partition(": ")[0] for message in problems] == ["uv.toml:2", f"{user}:1"], target
    assert str(user) in nixpy("init", folder, "--style", "loader", "--python", "3.13").out
    checked = nixpy("check", folder, "--format", "json")
    assert "no-other" in checked.out
    assert "no-such" not in checked.out


def test_a_wheel_without_libraries_claims_only_what_was_seen(nixpy: Nixpy) -> None:
    """The text says that the wheel links to none, and that nixpy saw none opened, and not that it needs nothing."""
    words = "links to no library outside glibc and its own files; opens none that nixpy could see"
    assert words in nixpy("scan", "gamma", *ONE).out


def test_many_programs_are_one_line(tmp_path: Path, nixpy: Nixpy) -> None:
    """60 programs of one wheel are one line with their number; `-v` lists them, as the JSON does."""
    names = [f"tool{number:02}" for number in range(60)]
    files = {f"many-1.0.data/scripts/{name}": program() for name in names}
    wheel = build_wheel(tmp_path, "many", "1.0", "py3-none-manylinux_2_17_x86_64", files=files)
    only = ("--system", "x86_64-linux")
    brief = nixpy("scan", wheel, *only).out
    assert "60 programs  need the loader in /lib64 or /lib: tool00, tool01, tool02 and 57 more\n" in brief
    assert brief.count("loader") == 1
    assert nixpy("scan", wheel, *only, "-v").out.count("a program, which needs the loader in /lib64 or /lib") == 60
    assert len(scanned(nixpy, wheel, *only)["wheels"][0]["needs"]["executables"]) == 60


def test_a_dependency_may_supply_an_unknown_library(tmp_path: Path, nixpy: Nixpy, index: SmallIndex) -> None:
    """The hint says so with --no-deps and for a wheel file; with dependencies it tells how to find the package."""
    hint = "hint: A dependency may supply it; scan without --no-deps to see."
    assert hint in nixpy("scan", "delta", *ONE).out
    (wheel,) = index.folder.glob("delta-*x86_64.whl")
    alone = nixpy("scan", wheel, "--python", "3.13", "--system", "x86_64-linux").out
    assert "hint: A dependency may supply it; scan the wheel of that package together with this one." in alone
    whole = nixpy("scan", "omega", "--python", "3.13", "--system", "x86_64-linux").out
    assert "`nix-locate --top-level --whole-name lib/libnobody.so.7`" in whole
    files = {"a.so": shared_object(["libone.so.1", "libtwo.so.1"])}
    two = build_wheel(tmp_path, "two", "1.0", "py3-none-manylinux_2_17_x86_64", files=files)
    assert "hint: A dependency may supply them; " in nixpy("scan", two, "--system", "x86_64-linux").out


def test_packages_without_libraries_are_one_line(tmp_path: Path, nixpy: Nixpy) -> None:
    """Most packages of a project need nothing: they are counted, and `-v` lists them."""
    paths = [build_wheel(tmp_path, f"plain-{letter}", "1.0") for letter in "abcd"]
    words = "to no library outside glibc and"
    ran = nixpy("scan", *paths)
    assert ran.status == 0
    assert (
        "  4 packages link to no library outside glibc and their own files; open none that nixpy could see: " in ran.out
    )
    assert "plain-a 1.0, plain-b 1.0, plain-c 1.0 and 1 more" in ran.out
    assert ran.out.count(words) == 1
    assert nixpy("scan", "-v", *paths).out.count(words) == 4
