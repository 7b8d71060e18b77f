"""A loopback server that sends bytes as the test says: for what is no HTTP, and for what has no end."""

from __future__ import annotations

import itertools
import socket
import struct
import threading
import time
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass, field

HOST = "127.0.0.1"


@dataclass(slots=True)
class RawServer:
    """A running server: its address and the first bytes of every request so far."""

    url: str
    asked: list[bytes] = field(default_factory=list)


@contextmanager
def raw_server(
    answer: Callable[[bytes], Iterable[bytes]], *, waits: bool = True, resets: bool = False
) -> Iterator[RawServer]:
    """Send the pieces of `answer(request)` to each request, and close the connection behind the last one.

    A server that does not wait sends them at once; one that resets ends the connection by RST.
    """

    def serve(connection: socket.socket) -> None:
        with connection, suppress(OSError):
            request = b""
            if resets:
                connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            while waits and not request.endswith(b"\r\n\r\n"):
                if not (more := connection.recv(65_536)):
                    return
                request += more
            server.asked.append(request)
            for piece in answer(request):
                connection.sendall(piece)

    def accept() -> None:
        with suppress(OSError):
            while True:
                threading.Thread(target=serve, args=(listener.accept()[0],), daemon=True).start()

    listener = socket.create_server((HOST, 0))
    server = RawServer(f"http://{HOST}:{listener.getsockname()[1]}")
    thread = threading.Thread(target=accept, daemon=True)
    thread.start()
    try:
        yield server
    finally:
        with suppress(OSError):
            listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        thread.join()


def slowly(text: Iterable[int]) -> Iterator[bytes]:
    """Yield a byte at a time."""
    for byte in text:
        yield bytes([byte])
        time.sleep(0.001)


def forever(piece: bytes) -> Iterator[bytes]:
    """Yield a piece without end, some of them together."""
    return itertools.repeat(piece * (1 + 4_096 // len(piece)))
