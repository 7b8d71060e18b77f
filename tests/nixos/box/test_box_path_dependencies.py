"""Path dependencies of uv, built in the shell by their own back end, where there is no compiler."""

from __future__ import annotations

import os
import subprocess
from pathlib import Path

import uv

from nixos.box.sandbox import HOME
from nixos.box.shells import nixpy_with
from nixos.box.store import PYTHON, RELEASE, SYSTEM
from nixos.box.test_box_new import tracked, with_hatchling
from nixos.realnix import lock_flake
from smallindex import SmallIndex

APP = """\
[project]
name = "app"
version = "1"
requires-python = ">=3.11"
dependencies = ["copied", "linked"]

[tool.uv.sources]
copied = { path = "libs/copied" }
linked = { path = "libs/linked", editable = true }
"""
FOLDER = """\
[project]
name = "{name}"
version = "1"

[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"
"""


def test_folders_of_pure_python_need_no_compiler(tmp_path: Path) -> None:
    """The shell installs one folder as a copy and one in place; it has no compiler."""
    box = with_hatchling(tmp_path / "home")
    folder = box.home / "demo"
    for name in ("copied", "linked"):
        package = folder / "libs" / name / "src" / name
        package.mkdir(parents=True)
        (package / "__init__.py").touch()
        (package.parents[1] / "pyproject.toml").write_text(FOLDER.format(name=name))
    (folder / "pyproject.toml").write_text(APP)
    (folder / ".gitignore").write_text(".venv/\n")
    with SmallIndex(tmp_path / "none") as index:
        environment = {**os.environ, "UV_DEFAULT_INDEX": index.url, "UV_NO_CONFIG": "1"}
        subprocess.run([uv.find_uv_bin(), "lock", "-q"], cwd=folder, env=environment, check=True)
        nixpy_with(index, folder, "init", "--style", "loader", "--python", PYTHON, "--system", SYSTEM)
        assert index.requests == []
    lock_flake(folder, RELEASE)
    tracked(folder)
    script = "python -c 'import copied, linked; print(copied.__file__, linked.__file__)'; command -v cc || echo no cc"
    done = box.nix("develop", "-c", "bash", "-c", script, cwd=f"{HOME}/demo")
    copied, linked, *compiler = done.stdout.split(maxsplit=2)
    assert copied.startswith(f"{HOME}/demo/.venv/lib/")
    assert linked == f"{HOME}/demo/libs/linked/src/linked/__init__.py"
    assert compiler == ["no cc\n"]
