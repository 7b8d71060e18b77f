"""What the sdists of packages without a wheel say of how they are built: read, never run, and each once.

It is for hints and tools, so what cannot be read now leaves the rest as it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import suppress
from dataclasses import replace
from typing import TYPE_CHECKING

from packaging.utils import canonicalize_name

from nixpy.core.errors import NixpyError
from nixpy.core.target import Target
from nixpy.index.settings import IndexSettings
from nixpy.locks.model import LockedWheel, Source, Unavailable, WheelFile
from nixpy.nixpkgs.requirements import SETUPTOOLS
from nixpy.sdists.metadata import read_pyproject
from nixpy.sdists.release import Index
from nixpy.wheels.addresses import addresses

if TYPE_CHECKING:
    from nixpy.analysis.sources import Sources


def with_sources(
    unavailable: Sequence[Unavailable], targets: Sequence[Target], sources: Sources
) -> tuple[Unavailable, ...]:
    """Return the packages with what their sdists say, as far as they can be read; of a file that is read once a run."""
    known = {} if sources.rescan else {item: item.source for item in sources.lacking if item.source}
    found: dict[tuple[str, str | None], Source | None] = {}
    return tuple(_with_source(unavailable, known, found, targets, sources))


def _with_source(
    unavailable: Sequence[Unavailable],
    known: dict[Unavailable, Source],
    found: dict[tuple[str, str | None], Source | None],
    targets: Sequence[Target],
    sources: Sources,
) -> Iterator[Unavailable]:
    for item in unavailable:
        key = (item.name, item.version)
        if item in known:
            found[key] = known[item]
        elif item.file and key not in found:
            target = next(target for target in targets if target.system == item.system)
            found[key] = None
            with suppress(NixpyError):
                found[key] = _read(item, item.file, target, sources)
        yield replace(item, source=found.get(key))


def _read(item: Unavailable, file: WheelFile, target: Target, sources: Sources) -> Source:
    index = IndexSettings.load(sources.root).with_urls(sources.index_urls)
    if not (file.url or file.path or sources.offline):
        # The lock names it by its hash alone.
        asked = LockedWheel(system=item.system, name=item.name, version=item.version or "", file=file)
        file = addresses([asked], target, sources.root)[asked]
    sdist, _ = Index(root=sources.root, target=target, offline=sources.offline, settings=index).sdist(file)
    build = read_pyproject(sdist.pyproject, file.filename).build if sdist.pyproject else None
    names = {canonicalize_name(one.name) for one in (SETUPTOOLS if build is None else build)}
    return Source(build=tuple(sorted(names)), compiled=sdist.compiled)
