"""Projects that Poetry or PDM locked, small; what these tools really write is in `locks/made`."""

from __future__ import annotations

import hashlib
from pathlib import Path

from packaging.version import Version

from nixpy.core.toml_file import load_toml
from nixpy.locks.pdm import _content_hashes
from nixpy.locks.poetry import _content_hash
from smallindex import SmallIndex

PYPROJECT = """\
[project]
name = "demo"
version = "0.1.0"
requires-python = ">=3.11,<4"
dependencies = ["alpha", "gamma"]
"""


def locked(folder: Path, index: SmallIndex, tool: str, source: str | None = None) -> Path:
    """Write a project with a lock of the shop's alpha and gamma, in the words of the tool."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "pyproject.toml").write_text(PYPROJECT)
    data = load_toml(folder / "pyproject.toml")
    packages = ""
    for name in ("alpha", "gamma"):
        files = "".join(
            f'    {{file = "{path.name}", hash = "sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}"}},\n'
            for path in sorted(index.folder.glob(f"{name}-1.0-*.whl"))
        )
        group = "main" if tool == "poetry" else "default"
        kept = 'optional = false\npython-versions = "*"\n' if tool == "poetry" else ""
        packages += f'\n[[package]]\nname = "{name}"\nversion = "1.0"\ngroups = ["{group}"]\n{kept}'
        packages += f"files = [\n{files}]\n"
        if source:
            packages += f'\n[package.source]\ntype = "legacy"\nurl = "{source}"\nreference = "house"\n'
    if tool == "poetry":
        metadata = (
            '[metadata]\nlock-version = "2.1"\npython-versions = ">=3.11,<4"\n'
            f'content-hash = "{_content_hash(data, groups=True)}"\n'
        )
    else:
        digest = next(_content_hashes(data, Version("4.5.1")))
        metadata = (
            '[metadata]\ngroups = ["default"]\nstrategy = ["inherit_metadata"]\nlock_version = "4.5.1"\n'
            f'content_hash = "sha256:{digest}"\n'
        )
    (folder / f"{tool}.lock").write_text(metadata + packages)
    return folder
