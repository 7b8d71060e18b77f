"""Which Python files of a project import a module: read, and never run."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from nixpy.project.own_imports import importing

MODULES = ("tkinter", "_tkinter", "turtle")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("import tkinter\n", True),
        ("import os, tkinter.ttk as t\n", True),
        ("from tkinter import *\n", True),
        ("from tkinter.ttk import Button\n", True),
        ("def f():\n    import turtle\n", True),
        ("try:\n    import _tkinter\nexcept ImportError:\n    pass\n", True),
        ("# import tkinter\n'''\nimport tkinter\n'''\n", False),
        ("from . import tkinter\n", False),
        ("from .tkinter import x\n", False),
        ("import tkinterdnd2\n", False),
        ("import my.tkinter\n", False),
        ("import tkinter !\n", False),
        ("import tkinter\0\n", False),
        ('x = "\\d"\nimport tkinter\n', True),
    ],
)
@pytest.mark.filterwarnings("error")
def test_an_import(text: str, found: bool, tmp_path: Path) -> None:
    """An import statement counts anywhere in a file; other text and relative imports do not."""
    (tmp_path / "app").mkdir()
    path = tmp_path / "app/gui.py"
    path.write_text(text)
    assert importing(tmp_path, MODULES) == (path if found else None)


@pytest.mark.parametrize("folder", [".venv/lib", ".hidden", "node_modules/x", "other", "build/lib"])
def test_files_of_others(folder: str, tmp_path: Path) -> None:
    """Files of environments, of other projects and of builds are not the project's."""
    (tmp_path / folder).mkdir(parents=True)
    (tmp_path / folder / "gui.py").write_text("import tkinter\n")
    if folder == "other":
        (tmp_path / folder / "nixpy.toml").touch()
    assert importing(tmp_path, MODULES) is None


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    """A pipe, a dangling link, a huge file and one that is nested too deeply stop nothing."""
    os.mkfifo(tmp_path / "a.py")
    (tmp_path / "b.py").symlink_to("nowhere")
    (tmp_path / "c.py").write_text("import tkinter\n" + "#" * (1 << 20))
    (tmp_path / "d.py").write_text("import tkinter\n" + "(" * 100_000)
    assert importing(tmp_path, MODULES) is None
    (tmp_path / "e.py").write_text("import tkinter\n")
    assert importing(tmp_path, MODULES) == tmp_path / "e.py"
