"""A loopback server that answers as the test says: for the answers that a proper index never gives."""

from __future__ import annotations

import ssl
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from email.message import Message
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer


@dataclass(frozen=True, slots=True)
class Answer:
    """A response; with `cut` the connection breaks after so many bytes of the body."""

    status: int = 200
    body: bytes = b""
    headers: Mapping[str, str] = field(default_factory=dict)
    cut: int | None = None


@dataclass(slots=True)
class Scripted:
    """A running server: its address and the headers of every request so far."""

    url: str
    asked: list[tuple[str, Message]] = field(default_factory=list)


@contextmanager
def scripted(answer: Callable[[str, Message], Answer], *, tls: ssl.SSLContext | None = None) -> Iterator[Scripted]:
    """Serve `answer(path, headers)` on loopback, over TLS where a context is given."""

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

        def do_GET(self) -> None:
            server.asked.append((self.path, self.headers))
            found = answer(self.path, self.headers)
            self.send_response(found.status)
            for name, value in {"Content-Length": str(len(found.body)), **found.headers}.items():
                self.send_header(name, value)
            self.end_headers()
            self.wfile.write(found.body[: found.cut])
            self.close_connection = self.close_connection or found.cut is not None

    http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    http.daemon_threads = True
    http.handle_error = lambda *_: None  # type: ignore[method-assign]
    if tls is not None:
        http.socket = tls.wrap_socket(http.socket, server_side=True)
    server = Scripted(f"{'https' if tls else 'http'}://127.0.0.1:{http.server_port}")
    thread = threading.Thread(target=http.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    try:
        yield server
    finally:
        http.shutdown()
        thread.join()
        http.server_close()
