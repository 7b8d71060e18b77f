"""Measure the rate of connections from the first byte of a response on.

Headers and chunk frames count.

The time-outs of sockets limit only the wait for the next bytes: they never stop a server that sends one byte at a time,
endless headers, or chunks without content.
"""

from __future__ import annotations

import io
import socket
import time
from collections.abc import Callable
from http.client import HTTPResponse
from typing import TYPE_CHECKING, Any

from urllib3 import HTTPConnectionPool, HTTPSConnectionPool
from urllib3.connection import HTTPConnection, HTTPSConnection

from nixpy.core import limits

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

clock: Callable[[], float] = time.monotonic
"""The clock by which rates are measured, in seconds."""


class SlowError(Exception):
    """The rate was below `limits.RATE` over `limits.RATE_SPAN`."""


class EmptyError(Exception):
    """More than `limits.HEADERS` bytes arrived without content."""


class _Meter(io.RawIOBase):
    """A stream that raises SlowError or EmptyError when it passes a limit."""

    def __init__(self, stream: io.RawIOBase) -> None:
        super().__init__()
        self._stream = stream
        self._part = 0
        self.restart()

    def restart(self) -> None:
        """Measure the rate from now on."""
        self._since, self._received = clock(), 0
        self.part()

    def part(self) -> None:
        """Record that content has arrived."""
        self._part = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: WriteableBuffer, /) -> int:
        """Read once from the stream."""
        count = self._stream.readinto(buffer) or 0
        self._received += count
        self._part += count
        if self._part > limits.HEADERS:
            raise EmptyError
        span = clock() - self._since
        if span >= limits.RATE_SPAN:
            if self._received < limits.RATE * span:
                raise SlowError
            self._since, self._received = self._since + span, 0
        return count

    def close(self) -> None:
        """Close the stream."""
        self._stream.close()
        super().close()


class _Response(HTTPResponse):
    """A response that is read through a meter."""

    def __init__(self, sock: socket.socket, *args: Any, **options: Any) -> None:
        super().__init__(sock, *args, **options)
        self._meter = _Meter(self.fp.detach())
        self.fp = io.BufferedReader(self._meter)

    def begin(self) -> None:
        """Read the status line and the headers.

        The rate of the body is measured separately.
        """
        super().begin()
        self._meter.restart()

    def read1(self, n: int = -1) -> bytes:
        """Read the content that has arrived."""
        self._meter.part()
        return super().read1(n)


class _Connection(HTTPConnection):
    response_class = _Response


class _TlsConnection(HTTPSConnection):
    response_class = _Response


class _Pool(HTTPConnectionPool):
    ConnectionCls = _Connection


class _TlsPool(HTTPSConnectionPool):
    ConnectionCls = _TlsConnection


POOLS: dict[str, type[HTTPConnectionPool]] = {"http": _Pool, "https": _TlsPool}
"""The pools of measured connections, for `PoolManager.pool_classes_by_scheme`."""
