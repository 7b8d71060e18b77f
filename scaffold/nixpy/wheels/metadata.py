"""Read the requirements of a wheel from its METADATA.

Source: core metadata, Requires-Dist.
"""

from __future__ import annotations

from nixpy.core.core_metadata import parse
from nixpy.wheels.archive import Archive


def path(archive: Archive) -> str | None:
    """Return the path of the METADATA of a wheel, or None if it has no such file."""
    return next((member.path for member in archive.members() if _is_metadata(member.path)), None)


def requires(content: bytes, path: str) -> tuple[str, ...]:
    """Return the requirements in a METADATA, unchanged; `path` names it in errors."""
    return tuple(parse(content, path).get("requires_dist", ()))


def _is_metadata(path: str) -> bool:
    folder, _, name = path.partition("/")
    return folder.endswith(".dist-info") and name == "METADATA"
