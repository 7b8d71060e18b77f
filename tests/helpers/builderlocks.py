"""Projects for the styles whose Nix code reads a lock of its own, each locked for the small index."""

from __future__ import annotations

import hashlib
import re
import tomllib
from pathlib import Path

from packaging.utils import canonicalize_name, parse_wheel_filename

from nixpy.project import config
from nixpy.styles.styles import Style
from realuv import RealUv
from smallindex import SmallIndex

_POETRY = """\
[tool.poetry]
name = "{name}"
version = "0.1.0"

[tool.poetry.dependencies]
python = "^3.11"
{lines}
"""


def lock(project: Path, style: Style, index: SmallIndex) -> None:
    """Give the project the lock that the style reads, if it reads one."""
    if style.reads == "uv.lock":
        RealUv(folder=project, index_url=index.url, cache=project.parent / "uv-cache").run("lock", "--quiet")
    elif style.reads == "poetry.lock":
        _lock_by_poetry(project, index)
    pin(project, style)


def pin(project: Path, style: Style) -> None:
    """Set the last nixpkgs that the style works with, if there is one."""
    if style.limits and style.limits.last_release:
        path = project / "pyproject.toml"
        path.write_text(config.updated(path, path.read_text(), {"nixpkgs": style.limits.last_release}))


def _lock_by_poetry(project: Path, index: SmallIndex) -> None:
    """Write poetry.lock, and pyproject.toml as Poetry 1 had it, for what the project asks for."""
    path = project / "pyproject.toml"
    data = tomllib.loads(path.read_text())
    names = [canonicalize_name(re.split(r"[^\w.-]", text)[0]) for text in data["project"]["dependencies"]]
    found: dict[str, dict[str, list[Path]]] = {}
    for wheel in sorted(index.folder.glob("*.whl")):
        name, version, _, _ = parse_wheel_filename(wheel.name)
        found.setdefault(name, {}).setdefault(str(version), []).append(wheel)
    entries = "\n".join(poetry_entry(name, *list(found[name].items())[-1]) for name in names)
    path.write_text(
        _POETRY.format(name=data["project"]["name"], lines="".join(f'{name} = "*"\n' for name in names))
        + path.read_text().partition("]\n")[2].partition("\n]\n")[2]
    )
    metadata = '[metadata]\nlock-version = "2.1"\npython-versions = "^3.11"\ncontent-hash = ""\n'
    (project / "poetry.lock").write_text(f"{entries or 'package = []'}\n{metadata}")


def poetry_entry(name: str, version: str, wheels: list[Path]) -> str:
    """The table of a package in poetry.lock, with these files."""
    files = "".join(
        f'    {{file = "{wheel.name}", hash = "sha256:{hashlib.sha256(wheel.read_bytes()).hexdigest()}"}},\n'
        for wheel in wheels
    )
    return (
        f'[[package]]\nname = "{name}"\nversion = "{version}"\noptional = false\npython-versions = ">=3.11"\n'
        f'groups = ["main"]\nfiles = [\n{files}]\n'
    )
