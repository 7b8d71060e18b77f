"""A package index of our own: tiny wheels and sdists, and a loopback server that offers them.

    build_wheel(folder, "demo", "1.0", tag="cp313-cp313-manylinux_2_28_x86_64", requires=["other>=2"])
    with SmallIndex(folder) as index:
        subprocess.run(["uv", "lock", "--default-index", index.url])

Nothing here leaves the machine, and the same arguments always give the same bytes.
"""

from __future__ import annotations

import base64
import csv
import functools
import gzip
import hashlib
import html
import io
import json
import re
import tarfile
import threading
import zipfile
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, ClassVar, Self
from urllib.parse import quote, unquote, urlsplit

from packaging.utils import canonicalize_name, parse_sdist_filename, parse_wheel_filename

_DATE = (2020, 1, 1, 0, 0, 0)
_JSON = "application/vnd.pypi.simple.v1+json"


def build_wheel(
    folder: Path,
    name: str,
    version: str,
    tag: str = "py3-none-any",
    requires: Iterable[str] = (),
    *,
    files: Mapping[str, bytes | str] | None = None,
    extras: Iterable[str] = (),
    build: str = "",
    requires_python: str | None = None,
    generator: str = "smallindex",
    stored: bool = False,
    fields: Iterable[str] = (),
) -> Path:
    """Write a valid wheel into `folder` and return its path.

    `files` maps paths inside the wheel to their content; without it the wheel holds one module that knows its
    version. `requires` are PEP 508 lines (`numpy; extra == "fast"` needs `extras=["fast"]`); `build` is the
    build number. Members below `.data/scripts/` are executable. `stored` leaves the members uncompressed. `fields` are
    more lines of METADATA.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{canonicalize_name(name).replace('-', '_')}-{version}"
    info = f"{stem}.dist-info"
    content: dict[str, bytes] = {
        path: data if isinstance(data, bytes) else data.encode()
        for path, data in (
            files or {f"{canonicalize_name(name).replace('-', '_')}.py": f'__version__ = "{version}"\n'}
        ).items()
    }
    content[f"{info}/METADATA"] = _metadata(name, version, requires, extras, requires_python, fields)
    content[f"{info}/WHEEL"] = _wheel_file(tag, build, generator)
    content[f"{info}/RECORD"] = _record(content, f"{info}/RECORD")
    path = folder / (f"{stem}-{build}-{tag}.whl" if build else f"{stem}-{tag}.whl")
    with zipfile.ZipFile(path, "w") as wheel:
        for member, data in content.items():
            entry = zipfile.ZipInfo(member, _DATE)
            entry.compress_type = zipfile.ZIP_STORED if stored else zipfile.ZIP_DEFLATED
            entry.external_attr = (0o100755 if ".data/scripts/" in member else 0o100644) << 16
            wheel.writestr(entry, data)
    return path


def build_sdist(
    folder: Path,
    name: str,
    version: str,
    requires: Iterable[str] = (),
    *,
    requires_python: str | None = None,
    extras: Iterable[str] = (),
    fields: Iterable[str] = (),
    pyproject: str | None = None,
    files: Mapping[str, bytes] | None = None,
    kind: str = "tar.gz",
) -> Path:
    """Write an sdist with static metadata (core metadata 2.2) and a build backend that does not exist.

    `fields` are more lines of PKG-INFO; `pyproject` is another pyproject.toml, none where it is empty. `files` are all
    that is in it by their full names, instead; `kind` is `tar.gz` or `zip`.
    """
    folder.mkdir(parents=True, exist_ok=True)
    stem = f"{canonicalize_name(name).replace('-', '_')}-{version}"
    lines = "".join(f"  {json.dumps(r)},\n" for r in requires)
    project = (
        f'[build-system]\nrequires = ["no-such-backend"]\nbuild-backend = "no_such_backend"\n\n'
        f'[project]\nname = "{name}"\nversion = "{version}"\ndependencies = [\n{lines}]\n'
    )
    content = dict(files or {})
    if files is None:
        content[f"{stem}/PKG-INFO"] = _metadata(name, version, requires, extras, requires_python, fields)
        if pyproject != "":
            content[f"{stem}/pyproject.toml"] = (pyproject or project).encode()
    path = folder / f"{stem}.{kind}"
    if kind == "zip":
        with zipfile.ZipFile(path, "w") as zipped:
            for member, data in content.items():
                zipped.writestr(zipfile.ZipInfo(member, _DATE), data)
        return path
    buffer = io.BytesIO()
    with (
        gzip.GzipFile(fileobj=buffer, mode="wb", mtime=0) as packed,
        tarfile.open(fileobj=packed, mode="w") as archive,
    ):
        for member, data in content.items():
            entry = tarfile.TarInfo(member)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    path.write_bytes(buffer.getvalue())
    return path


def _metadata(
    name: str,
    version: str,
    requires: Iterable[str],
    extras: Iterable[str],
    requires_python: str | None,
    fields: Iterable[str] = (),
) -> bytes:
    lines = ["Metadata-Version: 2.2", f"Name: {name}", f"Version: {version}"]
    if requires_python:
        lines.append(f"Requires-Python: {requires_python}")
    lines += fields
    lines += [f"Provides-Extra: {extra}" for extra in extras]
    lines += [f"Requires-Dist: {requirement}" for requirement in requires]
    return ("\n".join(lines) + "\n").encode()


def _wheel_file(tag: str, build: str, generator: str) -> bytes:
    pythons, abis, platforms = (part.split(".") for part in tag.split("-"))
    pure = str(platforms == ["any"]).lower()
    lines = ["Wheel-Version: 1.0", f"Generator: {generator}", f"Root-Is-Purelib: {pure}"]
    lines += [f"Tag: {p}-{a}-{s}" for p in pythons for a in abis for s in platforms]
    lines += [f"Build: {build}"] if build else []
    return ("\n".join(lines) + "\n").encode()


def _record(content: Mapping[str, bytes], own: str) -> bytes:
    text = io.StringIO()
    rows = csv.writer(text, lineterminator="\n")
    for path, data in content.items():
        digest = base64.urlsafe_b64encode(hashlib.sha256(data).digest()).rstrip(b"=").decode()
        rows.writerow([path, f"sha256={digest}", len(data)])
    rows.writerow([own, "", ""])
    return text.getvalue().encode()


@dataclass(frozen=True, slots=True)
class Request:
    """One request that the index saw; `range` and `authorization` are header values."""

    method: str
    path: str
    range: str | None
    authorization: str | None
    status: int


class SmallIndex:
    """Serve every wheel and sdist of `folder` (also ones added later) as a simple index on loopback.

    `url` is the address for `--default-index`. Speaks JSON and HTML (PEP 691, 503) as asked, only HTML with
    `json=False`; serves `.metadata` files (PEP 658) unless `metadata=False`; answers byte ranges unless
    `ranges=False`; asks for the `auth` pair (user, password) where one is given. `requests` is what it was
    asked, in order. `faults` maps a path's ending to statuses that are answered, one a request, before the
    real answer. `yanked` are names of files that were withdrawn (PEP 592). With `pypi` files lie
    where PyPI and its mirrors have them: by their BLAKE2b-256. `uploaded` are the upload times of files (PEP 700).
    """

    def __init__(
        self,
        folder: Path,
        *,
        ranges: bool = True,
        auth: tuple[str, str] | None = None,
        json: bool = True,
        metadata: bool = True,
        faults: Mapping[str, Iterable[int]] | None = None,
        yanked: Iterable[str] = (),
        pypi: bool = False,
        uploaded: Mapping[str, str] | None = None,
    ) -> None:
        self.folder = folder
        self.ranges = ranges
        self.auth = auth
        self.json = json
        self.metadata = metadata
        self.faults = {ending: list(statuses) for ending, statuses in (faults or {}).items()}
        self.yanked = frozenset(yanked)
        self.pypi = pypi
        self.uploaded = dict(uploaded or {})
        self.requests: list[Request] = []
        handler = type("Handler", (_Handler,), {"index": self})
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), handler)
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)

    @property
    def url(self) -> str:
        """The index's address, without credentials."""
        return f"http://127.0.0.1:{self._server.server_port}/simple/"

    @property
    def url_with_credentials(self) -> str:
        """The index's address with the user and the password in it."""
        user, password = (quote(part, safe="") for part in self.auth or ("", ""))
        return self.url.replace("http://", f"http://{user}:{password}@")

    def file_url(self, filename: str) -> str:
        """Return the address of one file."""
        return f"http://127.0.0.1:{self._server.server_port}/files/{quote(filename)}"

    def file_path(self, file: Path) -> str:
        """Return the path of the address of a file."""
        if not self.pypi:
            return f"/files/{quote(file.name)}"
        digest = hashlib.blake2b(file.read_bytes(), digest_size=32).hexdigest()
        return f"/packages/{digest[:2]}/{digest[2:4]}/{digest[4:]}/{quote(file.name)}"

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()

    def projects(self) -> dict[str, list[Path]]:
        """Return the files of the folder by normalised project name."""
        found: dict[str, list[Path]] = {}
        for path in sorted(self.folder.iterdir()):
            if path.suffix == ".whl":
                found.setdefault(_project(path.name), []).append(path)
            elif path.name.endswith((".tar.gz", ".zip")):
                found.setdefault(parse_sdist_filename(path.name)[0], []).append(path)
        return found


def _project(filename: str) -> str:
    try:
        return parse_wheel_filename(filename)[0]
    except ValueError:  # names to come, PEP 817's variants say
        return canonicalize_name(filename.partition("-")[0])


_LARGE = 1 << 20  # bytes; a large file is not written twice within the resolution of its time stamp


def sha256(path: Path) -> str:
    """Return the SHA-256 of a file; that of a large one is computed once for as long as the file is the same."""
    stat = path.stat()
    if stat.st_size < _LARGE:
        return hashlib.sha256(path.read_bytes()).hexdigest()
    return _sha256_of_large(path, stat.st_ino, stat.st_size, stat.st_mtime_ns)


@functools.lru_cache(maxsize=1024)
def _sha256_of_large(path: Path, *_same: int) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def _core_metadata(path: Path) -> bytes | None:
    if path.suffix != ".whl":
        return None
    with zipfile.ZipFile(path) as wheel:
        names = [name for name in wheel.namelist() if name.endswith(".dist-info/METADATA")]
        return wheel.read(names[0]) if names else None


class _Handler(BaseHTTPRequestHandler):
    index: ClassVar[SmallIndex]
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Stay silent: `requests` is the log."""

    def do_GET(self) -> None:
        self._answer()

    def do_HEAD(self) -> None:
        self._answer()

    def _answer(self) -> None:
        path = unquote(urlsplit(self.path).path)
        status, body, headers = self._response(path)
        asked = self.headers
        self.index.requests.append(Request(self.command, path, asked.get("Range"), asked.get("Authorization"), status))
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **headers}.items():
            self.send_header(name, value)
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)

    def _response(self, path: str) -> tuple[int, bytes, dict[str, str]]:
        for ending, statuses in self.index.faults.items():
            if statuses and path.endswith(ending):
                return statuses.pop(0), b"", {}
        if self.index.auth and self.headers.get("Authorization") != self._expected_authorization():
            return 401, b"", {"WWW-Authenticate": 'Basic realm="index"'}
        if match := re.fullmatch(r"/simple/([^/]+)/", path):
            return self._project_page(match[1])
        if path == "/simple/":
            return self._page({"projects": [{"name": name} for name in self.index.projects()]}, [])
        file = self.index.folder / Path(path).name
        if file.is_file() and path == unquote(self.index.file_path(file)):
            return self._file(file)
        wheel = file.with_suffix("")
        if self.index.metadata and file.suffix == ".metadata" and wheel.is_file():
            return self._bytes(_core_metadata(wheel) or b"")
        return 404, b"", {}

    def _expected_authorization(self) -> str:
        return "Basic " + base64.b64encode(":".join(self.index.auth or ()).encode()).decode()

    def _project_page(self, name: str) -> tuple[int, bytes, dict[str, str]]:
        files = self.index.projects().get(name)
        if files is None:
            return 404, b"", {}
        entries = [self._entry(path) for path in files]
        return self._page({"name": name, "files": entries}, entries)

    def _entry(self, path: Path) -> dict[str, object]:
        entry: dict[str, object] = {
            "filename": path.name,
            "url": self.index.file_path(path),
            "hashes": {"sha256": sha256(path)},
            "size": path.stat().st_size,
            "yanked": "a mistake" if path.name in self.index.yanked else False,
        }
        if path.name in self.index.uploaded:
            entry["upload-time"] = self.index.uploaded[path.name]
        metadata = _core_metadata(path) if self.index.metadata else None
        if metadata is not None:
            entry["core-metadata"] = {"sha256": hashlib.sha256(metadata).hexdigest()}
        return entry

    def _page(self, document: dict[str, object], entries: list[dict[str, object]]) -> tuple[int, bytes, dict[str, str]]:
        if self.index.json and _JSON in self.headers.get("Accept", ""):
            text = json.dumps({"meta": {"api-version": "1.0"}, **document})
            return 200, text.encode(), {"Content-Type": _JSON}
        links = []
        for entry in entries:
            hashes = entry["hashes"]
            assert isinstance(hashes, dict)
            known = 'data-core-metadata="true"' if "core-metadata" in entry else ""
            known += ' data-yanked="a mistake"' if entry["yanked"] else ""
            address = f"{entry['url']}#sha256={hashes['sha256']}"
            links.append(f'<a href="{html.escape(address)}" {known}>{html.escape(str(entry["filename"]))}</a>')
        text = "<!DOCTYPE html><html><body>" + "\n".join(links) + "</body></html>"
        return 200, text.encode(), {"Content-Type": "text/html; charset=utf-8"}

    def _bytes(self, data: bytes) -> tuple[int, bytes, dict[str, str]]:
        return self._part(io.BytesIO(data), len(data), hashlib.sha256(data).hexdigest())

    def _file(self, path: Path) -> tuple[int, bytes, dict[str, str]]:
        with path.open("rb") as file:
            return self._part(file, path.stat().st_size, sha256(path))

    def _part(self, file: BinaryIO, size: int, sha256: str) -> tuple[int, bytes, dict[str, str]]:
        headers = {"Content-Type": "application/octet-stream", "ETag": f'"{sha256[:32]}"'}
        if not self.index.ranges:
            return 200, file.read(), headers
        headers["Accept-Ranges"] = "bytes"
        asked = re.fullmatch(r"bytes=(\d*)-(\d*)", self.headers.get("Range", ""))
        if asked is None or asked[1] == asked[2] == "":
            return 200, file.read(), headers
        first = int(asked[1]) if asked[1] else max(0, size - int(asked[2]))
        last = min(int(asked[2]), size - 1) if asked[1] and asked[2] else size - 1
        if first > last:
            return 416, b"", {"Content-Range": f"bytes */{size}"}
        headers["Content-Range"] = f"bytes {first}-{last}/{size}"
        file.seek(first)
        return 206, file.read(last + 1 - first), headers
