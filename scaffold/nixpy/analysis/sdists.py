"""Read from sdists how packages without a wheel are built, and what they open.

Each sdist is read once and never run. One that cannot be read is skipped, and its facts stay unknown.
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
from nixpy.locks.model import LockedWheel, SdistFacts, Unavailable, WheelFile
from nixpy.needs.sources.read import read_sources
from nixpy.nixpkgs.requirements import SETUPTOOLS
from nixpy.sdists.metadata import read_pyproject
from nixpy.sdists.release import SdistIndex
from nixpy.wheels.addresses import addresses

if TYPE_CHECKING:
    from nixpy.analysis.analysis_options import AnalysisOptions


def with_sdist_facts(
    unavailable: Sequence[Unavailable], targets: Sequence[Target], analysis_options: AnalysisOptions
) -> tuple[Unavailable, ...]:
    """Return the packages with the facts of their sdists, if they can be read.

    Each file is read once per run.
    """
    known = (
        {}
        if analysis_options.rescan
        else {item: item.sdist_facts for item in analysis_options.known_unavailable if item.sdist_facts}
    )
    found: dict[tuple[str, str | None], SdistFacts | None] = {}
    return tuple(_with_sdist_facts(unavailable, known, found, targets, analysis_options))


def _with_sdist_facts(
    unavailable: Sequence[Unavailable],
    known: dict[Unavailable, SdistFacts],
    found: dict[tuple[str, str | None], SdistFacts | None],
    targets: Sequence[Target],
    analysis_options: AnalysisOptions,
) -> Iterator[Unavailable]:
    for item in unavailable:
        key = (item.name, item.version)
        before = known.get(item)
        # Earlier versions of nixpy did not read the sources.
        if item.sdist_file and key not in found and (before is None or before.opens is None):
            target = next(target for target in targets if target.system == item.system)
            found[key] = None
            with suppress(NixpyError):
                found[key] = _read(item, item.sdist_file, target, analysis_options)
        yield item if item.sdist_facts else replace(item, sdist_facts=found.get(key) or before)


def _read(item: Unavailable, file: WheelFile, target: Target, analysis_options: AnalysisOptions) -> SdistFacts:
    index = IndexSettings.load(analysis_options.root).with_urls(analysis_options.index_urls)
    if not (file.url or file.path or analysis_options.offline):
        # The lock has only its hash.
        locked = LockedWheel(system=item.system, name=item.name, version=item.version or "", file=file)
        file = addresses([locked], target, analysis_options.root)[locked]
    sdist, _ = SdistIndex(
        root=analysis_options.root, target=target, offline=analysis_options.offline, settings=index
    ).sdist(file)
    build = read_pyproject(sdist.pyproject, file.filename).build if sdist.pyproject else None
    names = {canonicalize_name(one.name) for one in (SETUPTOOLS if build is None else build)}
    opens, _ = read_sources(sdist.sources, ())
    return SdistFacts(build=tuple(sorted(names)), compiled=sdist.compiled, opens=opens)
