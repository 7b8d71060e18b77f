"""Checks of libraries, variables and files, on facts: each with both answers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from doctor.world import (
    HOST,
    LOADER,
    PROJECT,
    ROOT,
    STARTED,
    STDCXX,
    STORE_LOADER,
    SUPPLIERS,
    VENV,
    WELL,
    codes,
    diagnostics,
    only,
)
from nixpy.doctor import examine
from nixpy.doctor.examine import CHECKS, judge
from nixpy.doctor.facts import DRIVER, WSL_DRIVER, Facts, Freshness, Git, Supplier, WheelProgram
from nixpy.doctor.machine_diagnostic import MachineDiagnostic, in_groups

MISSING = {"unfound": (STDCXX,), "suppliers": SUPPLIERS}
NIXPKGS = Supplier(provider="nixpkgs", expression="pkgs.x")
SIBLING = Supplier(provider="sibling-wheel", expression=None)
UNSUPPLIED = Supplier(provider="none", expression=None)
RUFF = replace(VENV, programs=(WheelProgram(wheel="ruff", path=ROOT / ".venv/bin/ruff", loader=LOADER),))


def test_a_library_that_is_not_found() -> None:
    """NIX409 names it, who needs it and who has it; the command is to render it, or to enter what names it already."""
    found = only(**MISSING)
    assert (found.code, found.packages, found.command) == ("NIX409", ("numpy",), "nixpy sync && nix develop")
    assert found.message == "libstdc++.so.6 is not found; numpy needs it, and pkgs.stdenv.cc.cc.lib contains it"
    rendered = only(**MISSING, rendered=frozenset({"libstdc++.so.6"}))
    assert rendered.command == "nix develop"
    assert "nixpy.nix supplies it from pkgs.stdenv.cc.cc.lib, but not to this Python" in rendered.message
    assert only(**MISSING, project=replace(PROJECT, uses_nixpy=False)).command == "nixpy init"
    packages = only(**MISSING, project=replace(PROJECT, style="with-packages"), pythons=())
    assert packages.command == "nixpy init --style loader"


@pytest.mark.parametrize(
    ("supplier", "rendered", "words"),
    [
        (NIXPKGS, False, "and nixpkgs has them"),
        (
            NIXPKGS,
            True,
            "and nixpy.nix supplies them, but not to this Python",
        ),
        (
            SIBLING,
            False,
            "and the packages that contain them are not installed",
        ),
        (
            UNSUPPLIED,
            False,
            (
                "and nixpy does not know which packages contain them. Find the package with `nix-locate --top-level "
                '--whole-name lib/SONAME`, and set map = { "SONAME" = "PACKAGE" } in [tool.nixpy.libraries].'
            ),
        ),
    ],
)
def test_many_libraries_of_one_cause_are_one_line(supplier: Supplier, rendered: bool, words: str) -> None:
    """The first sonames, the number of the others and all packages are named; JSON has each library."""
    sonames = [f"libnobody{number}.so.1" for number in range(9)]
    missing = tuple(replace(STDCXX, soname=one, wheel=name) for one in sonames for name in ("numpy", "vtk"))
    found = diagnostics(
        unfound=missing, suppliers=dict.fromkeys(sonames, supplier), rendered=frozenset(sonames if rendered else ())
    )
    assert len(found) == 9
    (one,) = in_groups(found)
    assert one.message == (
        "libnobody0.so.1, libnobody1.so.1, libnobody2.so.1 and 6 more are not found; they are needed by numpy, vtk, "
        + words
    )
    assert (one.packages, one.command) == (("numpy", "vtk"), found[0].command)


@pytest.mark.parametrize(
    ("soname", "words", "command"),
    [
        ("libtorch.so", "and the package that contains it is not installed", "uv sync"),
        (
            "libfoo.so.1",
            (
                "and nixpy does not know which package contains it. Find the package with `nix-locate --top-level "
                '--whole-name lib/libfoo.so.1`, and set map = { "libfoo.so.1" = "PACKAGE" } in [tool.nixpy.libraries].'
            ),
            "nixpy sync && nix develop",
        ),
    ],
)
def test_a_library_that_nixpkgs_lacks(soname: str, words: str, command: str) -> None:
    """NIX409 says so."""
    found = only(unfound=(replace(STDCXX, soname=soname),), suppliers=SUPPLIERS)
    assert found.message.endswith(words)
    assert found.command == command


def test_optional_and_ignored_libraries_are_no_finding() -> None:
    """What only plugins need is a fact, and what the settings ignore is nobody's wish."""
    assert codes(unfound=(replace(STDCXX, optional=True),), suppliers=SUPPLIERS) == []
    assert codes(unfound=(STDCXX,), suppliers={}) == []


def test_nix_ld_is_not_read(tmp_path: Path) -> None:
    """NIX404 where the variable's folders have what an interpreter of the store misses; nix-ld's own variable for the
    system goes before the general one.
    """
    (tmp_path / "libstdc++.so.6").touch()
    there, empty = str(tmp_path), str(tmp_path / "none")
    assert codes(**MISSING, environ={"NIX_LD_LIBRARY_PATH": there}) == ["NIX404", "NIX409"]
    assert codes(**MISSING, environ={"NIX_LD_LIBRARY_PATH": empty}) == ["NIX409"]
    both = {"NIX_LD_LIBRARY_PATH": there, "NIX_LD_LIBRARY_PATH_x86_64_linux": empty}
    assert codes(**MISSING, environ=both) == ["NIX409"]
    assert codes(environ={"NIX_LD_LIBRARY_PATH": there}) == []
    foreign = replace(STARTED, loader=LOADER)
    assert codes(**MISSING, environ={"NIX_LD_LIBRARY_PATH": there}, started=foreign) == ["NIX409"]


@pytest.mark.parametrize(
    ("at_loader", "expected"), [("stub", ["NIX407"]), ("none", ["NIX407"]), ("nix-ld", []), ("a loader", [])]
)
def test_programs_of_wheels(at_loader: Any, expected: list[str]) -> None:
    """NIX407 where nothing starts them; programs with a loader of their own need none."""
    host = replace(HOST, at_loader=at_loader)
    assert codes(venv=RUFF, host=host) == expected
    if expected:
        assert only(venv=RUFF, host=host).command == "nixpy init --style patched-venv"
        mac = replace(PROJECT, systems=("aarch64-darwin", "x86_64-linux"))
        assert only(venv=RUFF, host=host, project=mac).command == "nixpy init --style nix-ld"
        assert only(venv=RUFF, host=host, project=replace(PROJECT, style="fhs")).command == "nix develop"
    patched = replace(VENV, programs=(replace(RUFF.programs[0], loader=STORE_LOADER),))
    assert codes(venv=patched, host=host) == []


def test_nix_ld_that_names_nothing() -> None:
    """NIX407 where NIX_LD is a file that does not exist; entering the shell of style nix-ld sets it right."""
    environ = {"NIX_LD": "/nix/store/gone"}
    assert only(venv=RUFF, environ=environ).command == "unset NIX_LD"
    assert only(venv=RUFF, environ=environ, project=replace(PROJECT, style="nix-ld")).command == "nix develop"
    assert codes(environ=environ) == []
    assert codes(venv=RUFF, environ={"NIX_LD": "/"}) == []
    system = {"NIX_LD_x86_64_linux": "/nix/store/gone", "NIX_LD": "/"}
    assert only(venv=RUFF, environ=system).command == "unset NIX_LD_x86_64_linux"
    assert codes(venv=RUFF, environ={"NIX_LD_x86_64_linux": "/", "NIX_LD": "/nix/store/gone"}) == []


def test_a_search_path_for_all() -> None:
    """NIX408 with the libraries that do harm, if any."""
    found = only(search_path={"/a": ("libc.so.6", "libm.so.6"), "/b": ()})
    assert (found.code, found.command) == ("NIX408", "unset LD_LIBRARY_PATH")
    assert "/a (with libc.so.6, libm.so.6), /b: every program" in found.message
    assert found.message.endswith("crash")
    assert not only(search_path={"/b": ()}).message.endswith("crash")


@pytest.mark.parametrize(
    ("name", "level"), [("PYTHONPATH", "error"), ("PYTHONHOME", "error"), ("SOURCE_DATE_EPOCH", "note")]
)
def test_variables_of_python(name: str, level: str) -> None:
    """NIX410 where one is set, and not where it is empty; the date that every Nix shell sets is a note."""
    found = only(environ={name: "1"})
    assert (found.code, found.command, found.level) == ("NIX410", f"unset {name}", level)
    assert codes(environ={name: ""}) == []
    assert judge(replace(WELL, environ={name: "1"})).status == (1 if level == "error" else 0)


def test_uv_python() -> None:
    """NIX411 for a path of the store; a version, or the environment's own Python, is right."""
    assert only(environ={"UV_PYTHON": "/nix/store/a/bin/python"}).code == "NIX411"
    assert codes(environ={"UV_PYTHON": "3.13"}) == []
    assert codes(environ={"UV_PYTHON": "/home/user/demo/.venv/bin/python"}) == []


def test_downloads_of_uv() -> None:
    """NIX413 on NixOS without nix-ld, with uv, where neither a variable nor a file forbids it."""
    stub = replace(HOST, at_loader="stub")
    well: dict[str, Any] = {"uv_settings": {}, "host": stub, "environ": {}}
    assert only(**well).command == "export UV_PYTHON_PREFERENCE=only-system"
    for change in (
        {"environ": {"UV_PYTHON_DOWNLOADS": "never"}},
        {"environ": {"UV_PYTHON_PREFERENCE": "only-system"}},
        {"uv": False},
        {"uv_settings": {"python-downloads": "never"}},
        {"environ": {"UV_PYTHON_DOWNLOADS": "manual"}},
        {"environ": {"UV_NO_MANAGED_PYTHON": "1"}},
        {"environ": {"UV_OFFLINE": "true"}},
        {"uv_settings": {"python-preference": "only-system"}},
        {"host": replace(stub, nixos=False)},
        {"host": HOST},
    ):
        assert codes(**{**well, **change}) == []
    # A variable goes before the same setting in a file.
    for environ, settings in (
        ({"UV_PYTHON_DOWNLOADS": "automatic"}, {"python-downloads": "never"}),
        ({"UV_PYTHON_PREFERENCE": "managed"}, {"python-preference": "only-system"}),
        ({"UV_NO_MANAGED_PYTHON": "0"}, {}),
    ):
        assert codes(**{**well, "environ": environ, "uv_settings": settings}) == ["NIX413"]


def test_files_that_git_does_not_know() -> None:
    """NIX414 and NIX415, each by itself."""
    assert (
        only(git=Git(unknown=("flake.nix", "nixpy.nix"), open_venv=False)).command == "git add -N flake.nix nixpy.nix"
    )
    assert only(git=Git(unknown=(), open_venv=True)).command == "echo .venv/ >> .gitignore"
    assert codes(git=Git(unknown=(), open_venv=False)) == []


@pytest.mark.parametrize(
    ("state", "words", "command"),
    [
        ("stale", "out of date", "nixpy sync"),
        ("edited", "edited", "nixpy sync --force"),
        ("merge conflict", "in a merge conflict", "nixpy sync"),
        ("never analysed", "not generated", "nixpy init"),
    ],
)
def test_files_of_nixpy(state: str, words: str, command: str) -> None:
    """NIX416 with check's first reason; a project that nixpy was never run for has no such files."""
    fresh = Freshness(state=state, reasons=("x changed",))
    found = only(fresh=fresh)
    assert (found.code, found.command) == ("NIX416", command)
    assert found.message.endswith(f"are {words}: x changed")
    assert codes(fresh=fresh, project=replace(PROJECT, uses_nixpy=False)) == []


def test_a_file_that_was_removed() -> None:
    """NIX416 names `nixpy sync` if the settings name a style, since that command then writes the file again."""
    removed = Freshness(state="never analysed", reasons=(), settled=True)
    assert only(fresh=removed).command == "nixpy sync"


def test_the_driver() -> None:
    """NIX417 where its folder is missing and a wheel requires a library from there; with it, or for a plugin, not."""
    cuda = replace(STDCXX, soname="libcuda.so.1")
    without = replace(HOST, driver=False, drivers={})
    found = only(unfound=(cuda,), suppliers=SUPPLIERS, host=without)
    assert (found.code, found.command) == ("NIX417", "sudo nixos-rebuild switch")
    assert 'services.xserver.videoDrivers = [ "nvidia" ]' in found.message
    foreign = only(unfound=(cuda,), suppliers=SUPPLIERS, host=replace(without, nixos=False))
    assert "targets.genericLinux.gpu.enable = true" in foreign.message
    assert codes(unfound=(cuda,), suppliers=SUPPLIERS) == []
    assert codes(unfound=(replace(cuda, optional=True),), suppliers=SUPPLIERS, host=without) == []
    assert codes(host=without) == []


def test_the_file_of_the_driver() -> None:
    """NIX417 for each file that the folder lacks: Mesa alone has no libcuda, and the driver of NVIDIA has."""
    cuda, opengl = (replace(STDCXX, soname=soname) for soname in ("libcuda.so.1", "libGL.so.1"))
    suppliers = {**SUPPLIERS, "libGL.so.1": SUPPLIERS["libcuda.so.1"]}
    mesa = replace(HOST, drivers={"libGL.so.1": DRIVER})
    found = only(unfound=(cuda, opengl), suppliers=suppliers, host=mesa)
    wanted = 'hardware.graphics.enable = true and services.xserver.videoDrivers = [ "nvidia" ]'
    assert found.message.startswith("libcuda.so.1 of the graphics driver is not found; numpy needs it, but /run/")
    assert found.message.endswith(f"/run/opengl-driver/lib does not have it; to install it, set {wanted}")
    assert codes(unfound=(opengl,), suppliers=suppliers, host=mesa) == []
    # Outside of nixpy's shell, a Python does not search the folder.
    outside = only(unfound=(cuda,), suppliers=suppliers, pythons=(), environ={})
    assert (outside.code, outside.command) == ("NIX417", "nix develop")
    assert "/run/opengl-driver/lib has it, but this Python does not search there" in outside.message


def test_the_driver_of_windows() -> None:
    """NIX417 under WSL names the folder of Windows: NixOS-WSL has an option for it, elsewhere a link does it."""
    cuda = replace(STDCXX, soname="libcuda.so.1")
    wsl = replace(HOST, driver=False, drivers={"libcuda.so.1": WSL_DRIVER})
    nixos = only(unfound=(cuda,), suppliers=SUPPLIERS, host=wsl)
    assert "set wsl.useWindowsDriver = true" in nixos.message
    debian = only(unfound=(cuda,), suppliers=SUPPLIERS, host=replace(wsl, nixos=False))
    file = "/etc/tmpfiles.d/wsl-driver.conf"
    assert debian.command == (
        f"echo 'L+ /run/opengl-driver/lib - - - - /usr/lib/wsl/lib' | sudo tee {file} && "
        f"sudo systemd-tmpfiles --create {file}"
    )
    assert "Windows puts it into /usr/lib/wsl/lib" in debian.message


@pytest.mark.parametrize("fact", sorted({need for _, _, needs in CHECKS for need in needs}))
def test_a_check_without_its_facts_is_listed(fact: str) -> None:
    """A fact that could not be read makes exactly the checks impossible that need it; the others are made."""
    report = judge(replace(WELL, unread={fact: "because"}, environ={"PYTHONPATH": "1"}))
    assert {skipped.check for skipped in report.skipped} == {name for name, _, needs in CHECKS if fact in needs}
    assert {skipped.reason for skipped in report.skipped} == {"because"}
    assert [diagnostic.code for diagnostic in report.diagnostics] == ["NIX410"]


@pytest.mark.parametrize("fact", ["host", "pythons", "venv", "started", "wheels", "project", "fresh"])
def test_the_status_without_an_essential_fact(fact: str) -> None:
    """It is 2 if nothing else is wrong, and 1 if something is."""
    assert judge(replace(WELL, unread={fact: "because"})).status == 2
    assert judge(replace(WELL, unread={fact: "because"}, environ={"PYTHONPATH": "1"})).status == 1


def test_the_status_without_another_fact() -> None:
    """git, Nix files and variables concern single mistakes, and the interpreter those who need libraries: it is 0."""
    for fact in ("git", "applied", "uv_settings", "search_path"):
        assert judge(replace(WELL, unread={fact: "because"})).status == 0
    report = judge(replace(WELL, unread={"started": "because"}, needs_libraries=False))
    assert (report.status, bool(report.skipped)) == (0, True)


def test_a_check_that_fails_is_listed() -> None:
    """Whatever a check raises, the others have their say."""
    report = judge(replace(WELL, search_path=3, environ={"PYTHONPATH": "1"}))  # type: ignore[arg-type]
    assert [skipped.check for skipped in report.skipped] == ["LD_LIBRARY_PATH"]
    assert [diagnostic.code for diagnostic in report.diagnostics] == ["NIX410"]


def test_a_check_is_one_function_and_one_row(monkeypatch: pytest.MonkeyPatch) -> None:
    """A row in the table is all that a new check needs: its diagnostics are reported, or why it could not run."""

    def toy(facts: Facts) -> Iterator[MachineDiagnostic]:
        yield MachineDiagnostic(code="NIX499", message=f"{facts.venv_folder} is a toy", command="true")

    monkeypatch.setattr(examine, "CHECKS", (*CHECKS, ("toys", toy, ("venv",))))
    assert codes() == ["NIX499"]
    report = judge(replace(WELL, unread={"venv": "because"}))
    assert ("toys", "because") in {(skipped.check, skipped.reason) for skipped in report.skipped}


def test_a_folder_without_git() -> None:
    """NIX222 with the commands; a project in a repository, or without a flake, has nothing to copy."""
    found = only(project=replace(PROJECT, copied=("flake.nix", "nixpy.nix", "nixpy.lock")))
    assert (found.code, found.command) == ("NIX222", "git init && git add -N flake.nix nixpy.nix nixpy.lock")
    assert "copy the folder, .venv included, into the Nix store" in found.message
    assert codes(project=replace(PROJECT, copied=())) == []


def test_files_that_do_not_lead_to_the_shell() -> None:
    """What the observation found is reported as it is."""
    one = MachineDiagnostic(code="NIX220", message="no import", command="nixpy init")
    assert only(unused=(one,)) == one
