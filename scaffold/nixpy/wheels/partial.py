"""Read a file at a URL in pieces.

A piece is fetched when it is read, into a sparse temporary file.
"""

from __future__ import annotations

import errno
import functools
import hashlib
import io
import os
import re
import tempfile
from collections.abc import Iterable, Iterator
from typing import IO, TYPE_CHECKING

from nixpy.core import limits
from nixpy.core.urls import shown
from nixpy.wheels.http import Client, too_large
from nixpy.wheels.local import hash_mismatch
from nixpy.wheels.zipped import no_room

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer
    from urllib3 import BaseHTTPResponse

Span = tuple[int, int]  # the first byte, and the one after the last

GAP = 256 << 10  # bytes: fetching this much in vain is cheaper than another request
_TAIL = 64 << 10  # bytes: contains the central directory of most wheels; the smallest request
_SMALL = 512 << 10  # bytes: a file of this size is fetched at once

_CONTENT_RANGE = re.compile(r"bytes (\d{1,18})-(\d{1,18})/(\d{1,18})")


class PartialFile(io.RawIOBase):
    """A read-only, seekable file.

    `sha256` (lower-case hex) is checked once the whole file is fetched.

    Follows RFC 9110, section 14; after any wrong answer to a range the whole file is fetched. `most` is the size in the
    lock, in bytes: nothing longer is fetched.
    """

    def __init__(self, url: str, client: Client, sha256: str | None, most: int | None = None) -> None:
        super().__init__()
        self._url, self._client, self._sha256, self._most = url, client, sha256, most
        self._disk: IO[bytes] = tempfile.TemporaryFile(prefix="nixpy-")  # noqa: SIM115
        self._here: list[Span] = []
        self._size: int | None = None
        self._position = 0
        self.verified = False  # the whole file was read and has the expected hash

    @property
    def size(self) -> int:
        """The size of the file in bytes.

        The first access also fetches its tail, or a small file as a whole.
        """
        if self._size is None:
            small = self._most is not None and self._most <= _SMALL
            if small or not self._client.get(self._url, self._take_tail, byte_range=f"bytes=-{_TAIL}"):
                self.download()
            self._verify()
        return self._size or 0

    @property
    def whole(self) -> bool:
        """Whether every byte is fetched."""
        return self._size is not None and self._here == [(0, self._size)]

    def ensure(self, spans: Iterable[Span]) -> None:
        """Fetch these bytes, with one request for each run of missing ones.

        Near runs share a request.
        """
        size = self.size
        wanted = [(max(first, 0), min(last, size)) for first, last in spans]
        for first, last in merge(_without(wanted, self._here), GAP):
            if self.whole:  # the server sent the whole file instead
                break
            take = functools.partial(self._take, span=(first, last))
            if not self._client.get(self._url, take, byte_range=f"bytes={first}-{last - 1}"):
                self.download()
        self._verify()

    def download(self) -> None:
        """Fetch the whole file; NixpyError if it has another hash than in the lock."""
        self._client.get(self._url, self._take_whole)
        self._verify()

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to a position, as files do."""
        base = self.size if whence == io.SEEK_END else self._position if whence == io.SEEK_CUR else 0
        if base + offset < 0:
            raise OSError(errno.EINVAL, os.strerror(errno.EINVAL))  # as files do; zipfile counts on it
        self._position = base + offset
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Fill the buffer from the position on; missing bytes are fetched first."""
        view = memoryview(buffer).cast("B")
        first, last = self._position, min(self._position + len(view), self.size)
        if first >= last:
            return 0
        if _without([(first, last)], self._here):
            self.ensure([(first, max(last, first + _TAIL))])
        self._disk.seek(first)
        data = self._disk.read(last - first)
        view[: len(data)] = data
        self._position += len(data)
        return len(data)

    def close(self) -> None:
        """Remove the temporary file."""
        self._disk.close()
        super().close()

    def _take_tail(self, response: BaseHTTPResponse) -> bool:
        if response.status == 200:
            return self._take_whole(response)
        span, size = _content_range(response)
        if size > (limits.UNKNOWN_SIZE if self._most is None else self._most):
            raise too_large(self._url, self._most)
        if span is None or span[1] != size or not self._write(response, span):
            return False
        self._size = size
        return True

    def _take(self, response: BaseHTTPResponse, span: Span) -> bool:
        if response.status == 200:
            return self._take_whole(response)
        return _content_range(response) == (span, self._size) and self._write(response, span)

    def _take_whole(self, response: BaseHTTPResponse) -> bool:
        self._here, self._size = [], None
        self._disk.seek(0)
        self._disk.truncate()
        self._write(response, None)
        self._size = self._disk.tell()
        self._here = [(0, self._size)]
        return True

    def _write(self, response: BaseHTTPResponse, span: Span | None) -> bool:
        """Store the body; return False if it is not as long as its span."""
        at = span[0] if span else 0
        for chunk in self._client.chunks(response, self._url, self._most):
            if span and at + len(chunk) > span[1]:
                return False
            try:
                self._disk.seek(at)
                at += self._disk.write(chunk)
            except OSError as error:
                raise no_room(shown(self._url), error) from None
        if span is None:
            return True
        if at == span[1]:
            self._here = merge([*self._here, span], 0)
        return at == span[1]

    def _verify(self) -> None:
        if not self.whole or self.verified or self._sha256 is None:
            return
        self._disk.seek(0)
        found = hashlib.file_digest(self._disk, "sha256").hexdigest()  # type: ignore[arg-type]
        if found != self._sha256:
            raise hash_mismatch(shown(self._url), self._sha256, found)
        self.verified = True


def merge(spans: Iterable[Span], gap: int) -> list[Span]:
    """Return the spans sorted, without empty ones.

    Those at most `gap` bytes apart are joined.
    """
    merged: list[Span] = []
    for first, last in sorted(span for span in spans if span[0] < span[1]):
        if merged and first - merged[-1][1] <= gap:
            merged[-1] = merged[-1][0], max(merged[-1][1], last)
        else:
            merged.append((first, last))
    return merged


def _without(spans: Iterable[Span], here: list[Span]) -> list[Span]:
    """Return the parts of `spans` that are not in the sorted, separate spans `here`."""
    return [part for span in merge(spans, 0) for part in _holes(span, here)]


def _holes(span: Span, here: list[Span]) -> Iterator[Span]:
    first, end = span
    for start, stop in here:
        if start < end and stop > first:
            if first < start:
                yield first, start
            first = stop
    if first < end:
        yield first, end


def _content_range(response: BaseHTTPResponse) -> tuple[Span | None, int]:
    """Return the span of a partial response, and the size of the whole file.

    Returns None for an unclear span.
    """
    match = _CONTENT_RANGE.fullmatch(response.headers.get("Content-Range", ""))
    encoding = response.headers.get("Content-Encoding", "identity")
    if response.status != 206 or match is None or encoding != "identity":
        return None, 0
    first, last, size = map(int, match.groups())
    return ((first, last + 1), size) if first <= last < size else (None, 0)
