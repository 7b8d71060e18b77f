"""Read pyvenv.cfg, the configuration of a virtual environment (PEP 405)."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path

from nixpy.core.read_file import read_lossy

NAME = "pyvenv.cfg"
_VERSION = re.compile(r"3\.\d+")


def read_config(folder: Path) -> dict[str, str]:
    """Return the keys of the pyvenv.cfg in `folder`, in small letters.

    There are none if the file does not exist. Of two lines with one key, Python uses the first. Raises OSError or
    NixpyError if the file cannot be read.
    """
    try:
        lines = read_lossy(folder / NAME).splitlines()
    except FileNotFoundError:
        return {}
    pairs = (line.partition("=") for line in reversed(lines))
    return {key.strip().lower(): value.strip() for key, equals, value in pairs if equals and "\0" not in value}


def python_version(config: Mapping[str, str]) -> str | None:
    """Return the X.Y of the Python for which the environment was created, or None.

    venv writes `version`, virtualenv and uv write `version_info`.
    """
    match = _VERSION.match(config.get("version") or config.get("version_info") or "")
    return match[0] if match else None
