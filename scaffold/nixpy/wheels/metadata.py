"""Read the requirements of a wheel from its METADATA.

Source: core metadata, Requires-Dist.
"""

from __future__ import annotations

from nixpy.core.core_metadata import parse
from nixpy.wheels.archive import Archive


def requires(archive: Archive) -> tuple[str, ...]:
    """Return the requirements in the METADATA of a wheel, unchanged.

    The result is empty if it has no such file.
    """
    paths = [member.path for member in archive.members() if _is_metadata(member.path)]
    for path, content in archive.read(paths[:1]):
        raw = parse(bytes(content), path)
        return tuple(raw.get("requires_dist", ()))
    return ()


def _is_metadata(path: str) -> bool:
    folder, _, name = path.partition("/")
    return folder.endswith(".dist-info") and name == "METADATA"
