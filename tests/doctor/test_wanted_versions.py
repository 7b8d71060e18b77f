"""The versions that a project installs into an environment: of each lock, for this system and this Python."""

from __future__ import annotations

from pathlib import Path

import pytest

import shop
import toollocks
from doctor.world import HOST
from nixpy.core.errors import NixpyError
from nixpy.doctor.project_folder import recorded_versions, wanted_versions
from runner import Nixpy
from smallindex import SmallIndex

PYPROJECT = '[project]\nname = "demo"\nversion = "1"\nrequires-python = ">=3.11"\ndependencies = []\n'
UV = """\
version = 1
requires-python = ">=3.11"

[[package]]
name = "demo"
source = { virtual = "." }
dependencies = [
    { name = "forked", version = "1.0", source = { registry = "R" }, marker = "python_full_version < '3.12'" },
    { name = "forked", version = "2.0", source = { registry = "R" }, marker = "python_full_version >= '3.12'" },
    { name = "cuda" },
    { name = "windows", marker = "sys_platform == 'win32'" },
    { name = "folder" },
    { name = "copied" },
    { name = "repository" },
]

[package.optional-dependencies]
extra = [{ name = "more" }]

[[package]]
name = "forked"
version = "1.0"
source = { registry = "R" }
wheels = [{ url = "https://files.example/forked-1.0-py3-none-any.whl" }]

[[package]]
name = "forked"
version = "2.0"
source = { registry = "R" }
wheels = [{ url = "https://files.example/forked-2.0-py3-none-any.whl" }]

[[package]]
name = "cuda"
version = "2.9.0+cu128"
source = { registry = "R" }
wheels = [{ url = "https://files.example/cuda-2.9.0%2Bcu128-py3-none-any.whl" }]

[[package]]
name = "windows"
version = "1.0"
source = { registry = "R" }
wheels = [{ url = "https://files.example/windows-1.0-py3-none-any.whl" }]

[[package]]
name = "more"
version = "3.0"
source = { registry = "R" }
sdist = { url = "https://files.example/more-3.0.tar.gz" }

[[package]]
name = "folder"
version = "0.1"
source = { editable = "folder" }

[[package]]
name = "copied"
version = "0.1"
source = { directory = "copied" }

[[package]]
name = "repository"
version = "0.1"
source = { git = "https://example.org/repository?rev=main#0123456789012345678901234567890123456789" }
"""


def write(folder: Path, name: str, text: str, pyproject: str = PYPROJECT) -> Path:
    (folder / "pyproject.toml").write_text(pyproject)
    (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(("python", "forked"), [("3.11.7", "==1.0"), ("3.13.5", "==2.0")])
def test_a_lock_of_uv(tmp_path: Path, python: str, forked: str) -> None:
    """The fork for this Python; no local version, and no package in place, of another system, or of a repository."""
    write(tmp_path, "uv.lock", UV)
    assert wanted_versions(tmp_path, HOST, python) == {"forked": forked, "cuda": "==2.9.0"}


def test_extras_of_the_settings(tmp_path: Path) -> None:
    """Only the chosen ones are installed."""
    write(tmp_path, "uv.lock", UV, f'{PYPROJECT}[tool.nixpy]\nextras = ["extra"]\n')
    assert wanted_versions(tmp_path, HOST, "3.13.5")["more"] == "==3.0"


@pytest.mark.parametrize("tool", ["poetry", "pdm"])
def test_locks_of_poetry_and_pdm(tmp_path: Path, index: SmallIndex, tool: str) -> None:
    """Each has the version of every package."""
    folder = toollocks.locked(tmp_path / "demo", index, tool)
    assert wanted_versions(folder, HOST, "3.13.5") == {"alpha": "==1.0", "gamma": "==1.0"}


def test_a_pylock(tmp_path: Path) -> None:
    """A package that only another system installs has a marker."""
    packages = "".join(
        f'[[packages]]\nname = "{name}"\nversion = "1.5"\n{marker}'
        f'[[packages.wheels]]\nname = "{name}-1.5-py3-none-any.whl"\nurl = "https://files.example/x"\n'
        '[packages.wheels.hashes]\nsha256 = "0"\n'
        for name, marker in (("pure", ""), ("windows", "marker = \"sys_platform == 'win32'\"\n"))
    )
    write(tmp_path, "pylock.toml", f'lock-version = "1.0"\ncreated-by = "x"\n{packages}')
    assert wanted_versions(tmp_path, HOST, "3.13.5") == {"pure": "==1.5"}


def test_requirements_without_a_lock(tmp_path: Path) -> None:
    """All specifiers of a name count, and neither addresses nor other systems do."""
    (tmp_path / "requirements.txt").write_text(
        "Pinned==1.0\nranged>=1\nranged<2\nfree\nremote @ https://example.org/remote-1.0-py3-none-any.whl\n"
        "windows==1 ; sys_platform == 'win32'\n"
    )
    wanted = wanted_versions(tmp_path, HOST, "3.13.5")
    assert wanted == {"pinned": "==1.0", "ranged": ">=1,<2"}
    project = shop.project(tmp_path / "demo", "alpha>=0.1", "gamma; python_version < '3.12'")
    assert wanted_versions(project, HOST, "3.13.5") == {"alpha": ">=0.1"}


def test_versions_that_nixpy_recorded(tmp_path: Path, nixpy: Nixpy) -> None:
    """For a project without a lock, and for the Python that they were chosen for."""
    project = shop.project(tmp_path / "demo", "gamma", "alpha")
    assert recorded_versions(project, HOST, "3.13.0") == {}
    assert nixpy("init", project, "--style", "loader", "--python", "3.13").status == 0
    assert recorded_versions(project, HOST, "3.13.0") == {"alpha": "==1.1", "gamma": "==1.1"}
    assert recorded_versions(project, HOST, "3.12.0") == recorded_versions(project, HOST, None) == {}
    (project / "uv.lock").write_text(UV)
    assert recorded_versions(project, HOST, "3.13.0") == {}


def test_no_project_and_a_damaged_one(tmp_path: Path) -> None:
    """Nothing is required, or the requirements are not known."""
    assert wanted_versions(tmp_path, HOST, None) == {}
    write(tmp_path, "uv.lock", "version = [")
    with pytest.raises(NixpyError):
        wanted_versions(tmp_path, HOST, "3.13.5")
