"""The systems that are analysed by default are those that the project is for."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixpy.core.errors import NixpyError
from nixpy.environment.options import Options, resolve_options
from nixpy.project import project

DEFAULT = Options()
PYPROJECT = '[project]\nname = "p"\nversion = "1"\nrequires-python = ">=3.12"\n'
LINUX = "environments = [\"sys_platform == 'linux'\"]\n"
LOCKS = {
    "uv.lock": 'version = 1\nrevision = 3\nrequires-python = ">=3.12"\nsupported-markers = [\n'
    "    \"sys_platform == 'linux'\",\n]\n\n"
    '[[package]]\nname = "p"\nversion = "1"\nsource = { virtual = "." }\n',
    "pylock.toml": f'lock-version = "1.0"\ncreated-by = "x"\n{LINUX}packages = []\n',
}


def systems(root: Path, options: Options = DEFAULT) -> tuple[tuple[str, ...], str | None]:
    """Return the systems and the reason for them."""
    resolved = resolve_options(project.read(root), options)
    return resolved.systems, resolved.reasons.get("systems")


def test_a_project_for_every_system(tmp_path: Path) -> None:
    """Without such a setting these are all systems, without a reason."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    assert systems(tmp_path) == (("aarch64-darwin", "aarch64-linux", "x86_64-linux"), None)


def test_environments_of_uv(tmp_path: Path) -> None:
    """Without a lock, `tool.uv.environments` excludes systems."""
    (tmp_path / "pyproject.toml").write_text(f"{PYPROJECT}[tool.uv]\n{LINUX}")
    assert systems(tmp_path) == (("aarch64-linux", "x86_64-linux"), "pyproject.toml excludes aarch64-darwin")
    named = Options(systems=("aarch64-darwin",))
    assert systems(tmp_path, named) == (("aarch64-darwin",), None)


@pytest.mark.parametrize("name", LOCKS)
def test_environments_of_a_lock(tmp_path: Path, name: str) -> None:
    """A lock excludes the systems that it was not made for."""
    (tmp_path / "pyproject.toml").write_text(PYPROJECT)
    (tmp_path / name).write_text(LOCKS[name])
    assert systems(tmp_path) == (("aarch64-linux", "x86_64-linux"), f"{name} excludes aarch64-darwin")


def test_no_system_is_left(tmp_path: Path) -> None:
    """If all are excluded, that is an error."""
    (tmp_path / "pyproject.toml").write_text(f"{PYPROJECT}[tool.uv]\nenvironments = [\"sys_platform == 'win32'\"]\n")
    with pytest.raises(NixpyError, match="excludes every system that nixpy knows"):
        systems(tmp_path)
