"""A package index on loopback with the recorded candidates of real packages, without their files.

It has what a resolver reads: the names, upload times and hashes of files, and their metadata (PEP 503, 658, 691, 700).
An sdist is made at its first request: one with static metadata, or one that only a build would show.
"""

from __future__ import annotations

import hashlib
import json
import tempfile
import threading
from functools import cache
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import Any, ClassVar, Self
from urllib.parse import unquote

from sets import model
from smallindex import build_sdist

BEFORE, AFTER = "2026-10-01T00:00:00Z", "2026-11-02T00:00:00Z"
Versions = dict[str, dict[str, Any]]
"""By version: `wheels`, their tags; `sdist`, whether it is `static` or `dynamic`, if there is one; `requires` and
`extras`, if a tool read them; `python`; `after`, if it was uploaded after the date."""


def load(path: Path = model.CANDIDATES) -> dict[str, Versions]:
    """Return the recorded candidates by the normalised name of the package."""
    rows = (json.loads(line) for line in path.read_text().splitlines())
    return {row["name"]: row["versions"] for row in rows}


class RecordedIndex:
    """Serve candidates. `unknown` are the requested files whose metadata was not recorded."""

    def __init__(self, candidates: dict[str, Versions]) -> None:
        self.candidates = candidates
        self.unknown: set[tuple[str, str]] = set()
        handler = type("Handler", (_Handler,), {"index": self})
        self._server = _Server(("127.0.0.1", 0), handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self.page = cache(self._page)

    @property
    def url(self) -> str:
        """The address of the index."""
        return f"http://127.0.0.1:{self._server.server_port}/simple/"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def _page(self, name: str) -> bytes:
        files: list[dict[str, object]] = []
        for version, one in self.candidates[name].items():
            stem = f"{name.replace('-', '_')}-{version}"
            shared = {"requires-python": one.get("python"), "upload-time": AFTER if one.get("after") else BEFORE}
            for filename in (f"{stem}-{tag}.whl" for tag in one.get("wheels", ())):
                hashes = {"sha256": hashlib.sha256(filename.encode()).hexdigest()}
                files.append({"filename": filename, "hashes": hashes, "core-metadata": True} | shared)
            if "sdist" in one:
                files.append({"filename": f"{stem}.tar.gz", "hashes": {}} | shared)
            for file in files:
                file.setdefault("url", f"/files/{name}/{version}/{file['filename']}")
        return json.dumps({"meta": {"api-version": "1.1"}, "name": name, "files": files}).encode()

    def file(self, name: str, version: str, filename: str) -> bytes | None:
        """Return the metadata of a wheel, or an sdist; None if its metadata was not recorded."""
        one = self.candidates[name][version]
        dynamic = one.get("sdist") == "dynamic"
        if filename.endswith(".tar.gz"):
            with tempfile.TemporaryDirectory() as folder:
                return build_sdist(
                    Path(folder),
                    name,
                    version,
                    one.get("requires", ()),
                    extras=one.get("extras", ()),
                    requires_python=one.get("python"),
                    fields=["Dynamic: Requires-Dist"] if dynamic else [],
                    pyproject="" if dynamic else None,
                ).read_bytes()
        if "requires" not in one:
            self.unknown.add((name, version))
            return None
        lines = ["Metadata-Version: 2.2", f"Name: {name}", f"Version: {version}"]
        lines += [f"Requires-Python: {one['python']}"] if one.get("python") else []
        lines += [f"Provides-Extra: {extra}" for extra in one.get("extras", ())]
        lines += [f"Requires-Dist: {requirement}" for requirement in one["requires"]]
        return ("\n".join(lines) + "\n").encode()


class _Server(ThreadingHTTPServer):
    daemon_threads = True

    def handle_error(self, request: object, client_address: object) -> None:
        """Stay silent: uv ends connections when it has its answer."""


class _Handler(BaseHTTPRequestHandler):
    index: ClassVar[RecordedIndex]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent."""

    def do_GET(self) -> None:
        parts = unquote(self.path).strip("/").removesuffix(".metadata").split("/")
        body = None
        if parts[0] == "simple" and parts[1] in self.index.candidates:
            body = self.index.page(parts[1])
        elif parts[0] == "files":
            body = self.index.file(*parts[1:])
        self.send_response(404 if body is None else 200)
        kind = "application/vnd.pypi.simple.v1+json" if parts[0] == "simple" else "application/octet-stream"
        for header in (
            ("Content-Type", kind),
            ("Content-Length", str(len(body or b""))),
            ("Cache-Control", "max-age=600"),
        ):
            self.send_header(*header)
        self.end_headers()
        self.wfile.write(body or b"")
