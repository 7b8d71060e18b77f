"""Read a wheel on an index.

nixpy reads only the required bytes, or all of them with their hash checked.
"""

from __future__ import annotations

import zipfile
from collections.abc import Iterable, Iterator
from typing import IO, cast

from nixpy.core.urls import shown
from nixpy.needs.model import Known
from nixpy.wheels.archive import Content
from nixpy.wheels.http import Client
from nixpy.wheels.partial import GAP, PartialFile, Span, merge
from nixpy.wheels.zipped import DamagedWheelError, ZippedWheel

_HEAD = 8 << 10  # bytes: a local header and the first block that zipfile unpacks
_WHOLE = 2 / 3  # from this share of the file on, nixpy fetches the rest to check the hash


class RemoteWheel(ZippedWheel):
    """The Archive of a wheel at an http(s) URL.

    Nothing is fetched before it is needed.

    `sha256` is lower-case hex, `most` the size that the lock names. Members are fetched by byte ranges (RFC 9110,
    section 14), the central directory first. If the server has no ranges, or most of the file is needed, nixpy reads
    the whole file and checks its hash. Raises NixpyError if the request fails or the file is damaged.
    """

    def __init__(self, url: str, client: Client, *, sha256: str | None = None, most: int | None = None) -> None:
        self._remote = PartialFile(url, client, sha256, most)
        self._heads_fetched = False
        super().__init__(cast("IO[bytes]", self._remote), shown(url))

    @property
    def known(self) -> Known:
        """How the facts read so far are known.

        It is `sha256` if the whole file was hashed, else `index`.
        """
        return "sha256" if self._remote.verified else "index"

    @property
    def whole(self) -> bool:
        """Whether every byte was fetched."""
        return self._remote.whole

    def head(self, path: str, size: int) -> bytes:
        """Return the first bytes of a member.

        Those of all possible programs are fetched together.
        """
        if not self._heads_fetched:
            self._heads_fetched = True
            likely = {m.path for m in self.members() if m.executable or ".so" in m.path or "/scripts/" in m.path}
            if not self._fetch_whole(self._spans(likely | {path})):
                programs = {name for name in likely if ".so" not in name} | {path}
                self._remote.ensure((first, min(last, first + _HEAD)) for first, last in self._spans(programs))
        return super().head(path, size)

    def read(self, paths: Iterable[str]) -> Iterator[tuple[str, Content]]:
        """Yield each member with its bytes.

        nixpy first fetches them together, or the whole file.
        """
        wanted = list(paths)
        spans = self._spans(wanted)
        if not self._fetch_whole(spans):
            self._remote.ensure(spans)
        yield from super().read(wanted)

    def _fetch_whole(self, spans: Iterable[Span]) -> bool:
        """Fetch the whole file if `spans` are most of it.

        Return whether all of it is fetched.
        """
        asked = sum(last - first for first, last in merge(spans, GAP))
        if not self._remote.whole and asked >= self._remote.size * _WHOLE:
            self._remote.download()
        return self._remote.whole

    def _spans(self, paths: Iterable[str]) -> list[Span]:
        """Return the spans of the members, each from its local header to the next one."""
        starts = sorted({info.header_offset for info in self.zip.infolist()})
        ends = dict(zip(starts, [*starts[1:], self.zip.start_dir], strict=False))  # a wheel may be empty
        offsets = (self.zip.getinfo(path).header_offset for path in paths)
        return [(offset, ends[offset]) for offset in offsets]

    def _open(self) -> zipfile.ZipFile:
        try:
            return super()._open()
        except DamagedWheelError:
            if self._remote.whole:
                raise
        # Some servers and proxies answer ranges wrongly. The whole file shows it: its hash is known.
        self._remote.download()
        return super()._open()

    def _unpack(self, path: str, size: int = -1) -> Content:
        try:
            return super()._unpack(path, size)
        except DamagedWheelError:
            if self._remote.whole:
                raise
        self._remote.download()
        return super()._unpack(path, size)
