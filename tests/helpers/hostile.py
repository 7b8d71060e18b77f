"""An sdist whose build leaves a trace: a file, the trap. Otherwise its back end answers as PEP 517 asks."""

from __future__ import annotations

from pathlib import Path

from smallindex import build_sdist

TRAP = "import pathlib; pathlib.Path({trap!r}).touch()\n"
BACKEND = (
    TRAP
    + """
def prepare_metadata_for_build_wheel(folder, settings=None):
    info = pathlib.Path(folder, "evilsd-1.0.dist-info")
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\\nName: evilsd\\nVersion: 1.0\\n")
    return info.name
get_requires_for_build_wheel = get_requires_for_build_editable = lambda settings=None: []
prepare_metadata_for_build_editable = prepare_metadata_for_build_wheel
"""
)
SYSTEM = '[build-system]\nrequires = []\nbuild-backend = "evil"\nbackend-path = ["."]\n'


def hostile_sdist(folder: Path, trap: Path, name: str = "evilsd", requires: str = "") -> Path:
    """Write the sdist `name` 1.0, of which only a build tells the requirement, and return its path."""
    backend = BACKEND.format(trap=str(trap)).replace("evilsd", name)
    if requires:
        backend = backend.replace("Version: 1.0", rf"Version: 1.0\nRequires-Dist: {requires}")
    members = {
        "PKG-INFO": f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n",
        "pyproject.toml": SYSTEM,
        "evil.py": backend,
    }
    files = {f"{name}-1.0/{member}": text.encode() for member, text in members.items()}
    return build_sdist(folder, name, "1.0", files=files)
