"""The readers of text and files that other people write: one function and one row each.

A reader takes bytes and a folder that is its own. It may raise NixpyError and nothing else. To add one, write a
function, add its row to `READERS`, and put a file that it accepts into `corpus/NAME`. A lock format needs no row: the
table of the lock formats supplies it.
"""

from __future__ import annotations

import functools
import gzip
import hashlib
import io
import re
import sys
import tempfile
import traceback
from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, closing, contextmanager, suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from unittest import mock

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from urllib3 import HTTPResponse

import nixpy
from nixpy.analysis import nixpylock
from nixpy.core import core_metadata, limits
from nixpy.core.errors import NixpyError
from nixpy.core.target import Target
from nixpy.core.toml_file import load_toml
from nixpy.doctor import cache, nixfiles
from nixpy.doctor import venv as doctor_venv
from nixpy.doctor.packages import read_packages, without_record
from nixpy.environment import own_package
from nixpy.files import envrc, flake_imports, library_input, reconcile, shell_lines
from nixpy.index import settings as index_settings
from nixpy.index import uv_config, uv_input
from nixpy.index.settings import IndexSettings
from nixpy.libraries.match import match
from nixpy.locks import formats, requirements, select
from nixpy.locks.model import Declared, ExtrasAndGroups
from nixpy.needs import elf
from nixpy.needs.derive import needs_of
from nixpy.needs.elf_strings import read_opens
from nixpy.needs.model import WheelFacts
from nixpy.needs.requires import required
from nixpy.package import licences
from nixpy.project import config, discover, flake, project
from nixpy.project.own_imports import own_imports
from nixpy.sdists import metadata, sdist
from nixpy.styles import styles
from nixpy.wheels import partial, remote
from nixpy.wheels.facts import read_facts
from nixpy.wheels.http import Client
from nixpy.wheels.installed import installed_wheels
from nixpy.wheels.local import LocalWheel
from nixpy.wheels.zipped import ZippedWheel

PACKAGE = Path(nixpy.__file__).parent
ALLOWED = NixpyError
"""The only exception that a reader raises, whatever the bytes."""

TARGETS = tuple(Target(system=system, python="3.13.1", glibc=(2, 40)) for system in ("x86_64-linux", "aarch64-darwin"))
NOTHING = ExtrasAndGroups()
CHOSEN = ExtrasAndGroups(extras=frozenset({canonicalize_name("more")}), groups=frozenset({canonicalize_name("dev")}))
PROJECT = """\
[project]
name = "root"
version = "0.1"
requires-python = ">=3.11"
dependencies = ["leaf>=1"]
[project.optional-dependencies]
more = ["tree"]
[dependency-groups]
dev = ["tree"]
[tool.poetry.dependencies]
python = ">=3.11"
leaf = "^1"
[tool.poetry.extras]
more = ["tree"]
"""
CUT = b"\n%%\n"
"""What parts the files in an input of a reader that reads several."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Reader:
    """A reader, the files beside the one that it reads, and the bytes of the longest input that is tried.

    Short inputs are tried more often in the same time.
    """

    read: Callable[[bytes, Path], object]
    beside: Mapping[str, str] = field(default_factory=dict)
    longest: int = 2048


def tried(function: Callable[..., Any], *arguments: Any, **keywords: Any) -> Any:
    """Return the result of a call, None where it raises NixpyError."""
    with suppress(ALLOWED):
        return function(*arguments, **keywords)


@contextmanager
def folder_of(reader: Reader) -> Iterator[Path]:
    """Yield a folder for a reader, in memory where the system has such a place."""
    memory = Path("/dev/shm")  # noqa: S108
    with tempfile.TemporaryDirectory(prefix="nixpy-fuzz-", dir=memory if memory.is_dir() else None) as name:
        folder = Path(name)
        for path, text in reader.beside.items():
            folder.joinpath(path).parent.mkdir(parents=True, exist_ok=True)
            folder.joinpath(path).write_text(text, "utf-8")
        yield folder


def forget() -> None:
    """Empty the caches of the package that grow with their input; one run of nixpy reads one input."""
    for name, module in list(sys.modules.items()):
        if name.startswith("nixpy."):
            for value in vars(module).values():
                if isinstance(value, functools._lru_cache_wrapper) and value.cache_info().currsize > 200:
                    value.cache_clear()


# --- wheels -----------------------------------------------------------------------------------------------------------


def _elf(data: bytes, folder: Path) -> None:
    found = None
    with suppress(elf.UnreadableError):
        found = elf.read(data, "demo/_native.so")
    elf.run_path(data)
    elf.needed_versions(data)
    elf.defined_versions(data)
    elf.is_complete(data)
    for machine in (62, 183):
        read_opens(data, machine, "demo/_native.so")
    if found:
        needs_of(canonicalize_name("demo"), WheelFacts(files=(found,), known="sha256"), found.machine)


def _opened(wheel: ZippedWheel) -> None:
    with closing(wheel):
        for member in wheel.members()[:3]:
            tried(wheel.head, member.path, 4)
        tried(read_facts, wheel, requires=True)
        needs_of(canonicalize_name("demo"), read_facts(wheel, sources=True), 62)


def _wheel(data: bytes, folder: Path) -> None:
    path = folder / "demo-1.0-py3-none-any.whl"
    path.write_bytes(data)
    _opened(LocalWheel(path))


class _Server(Client):
    """A server that has one file; `answers` are for its first requests, each empty or `STATUS;HEADER=VALUE;…`."""

    def __init__(self) -> None:
        super().__init__(IndexSettings(), attempts=2, pause=0)
        self.data = b""
        self.answers: list[str] = []

    @contextmanager
    def _open(self, url: str, byte_range: str | None) -> Iterator[HTTPResponse]:  # noqa: ARG002
        found = re.fullmatch(r"bytes=(\d*)-(\d*)", byte_range or "")
        status, headers, body = 200, {}, self.data
        if found:
            first = int(found[1]) if found[1] else max(len(body) - int(found[2]), 0)
            last = min(int(found[2]) if found[1] else len(body) - 1, len(body) - 1)
            status, headers["Content-Range"] = 206, f"bytes {first}-{last}/{len(body)}"
        if self.answers and (answer := self.answers.pop(0)):
            number, *fields = answer.split(";")
            status = int(number) if re.fullmatch(r"[1-5]\d\d", number) else status
            headers |= {name: value for name, _, value in (one.partition("=") for one in fields)}
        if found and status != 200:
            body = body[first : last + 1]
        yield HTTPResponse(io.BytesIO(body), headers, status, preload_content=False, decode_content=False)


_server = functools.cache(_Server)


def _remote_wheel(data: bytes, folder: Path) -> None:
    head, _, body = data.partition(b"\n")
    server = _server()
    # No request waits, and a file of a few hundred bytes is read in several pieces.
    small = ((partial, "_SMALL", 0), (partial, "_TAIL", 64), *((module, "GAP", 16) for module in (partial, remote)))
    with ExitStack() as stack:
        for module, name, value in (*small, (remote, "_HEAD", 32), (limits, "PAUSE", 0.0)):
            stack.enter_context(mock.patch.object(module, name, value))
        server.data, server.answers = body, head.decode("latin-1").split("|")
        _opened(remote.RemoteWheel("https://index.example/demo-1.0-py3-none-any.whl", server, most=len(body)))


def _metadata(data: bytes, folder: Path) -> None:
    raw = tried(core_metadata.parse, data, "METADATA")
    if raw:
        wheels = {canonicalize_name("demo"): raw.get("requires_dist", ())}
        required(wheels, TARGETS[0].marker_environment(), {canonicalize_name("leaf")}, None)
    found = tried(metadata.read_metadata, data, "METADATA", wheel=True)
    if found:
        licences.licences(found)
        licences.named(found)


def _record(data: bytes, folder: Path) -> None:
    info = folder / "lib/python3.13/site-packages/demo-1.0.dist-info"
    for name, text in zip(("RECORD", "WHEEL", "METADATA", "direct_url.json"), data.split(CUT), strict=False):
        info.joinpath(name).write_bytes(text)
    for wheel in installed_wheels(folder).values():
        assert wheel.filename
        tried(read_facts, wheel, sources=True)
    packages = read_packages(folder)
    without_record(folder, packages)


def _entry_points(data: bytes, folder: Path) -> None:
    metadata.read_programs(data)


# --- sdists -----------------------------------------------------------------------------------------------------------


def _sdist(data: bytes, folder: Path) -> None:
    kinds = {b"PK": "zip", b"BZ": "tar.bz2", b"\xfd7": "tar.xz"}
    name = f"demo-1.0.{kinds.get(data[:2], 'tar.gz')}"
    _described(sdist.read_sdist(io.BytesIO(data), name, name))


def _sdist_tar(data: bytes, folder: Path) -> None:
    # Checksums of gzip would keep all but the first bytes of the tar from being tried.
    name = "demo-1.0.tar.gz"
    _described(sdist.read_sdist(io.BytesIO(gzip.compress(data, 1)), name, name))


def _described(found: sdist.Sdist) -> None:
    tried(metadata.read_metadata, found.pkg_info, "PKG-INFO", wheel=False)
    if found.pyproject is not None:
        tried(metadata.read_pyproject, found.pyproject, "pyproject.toml")


def _sdist_pyproject(data: bytes, folder: Path) -> None:
    metadata.read_pyproject(data, "pyproject.toml")


# --- locks and requirements -------------------------------------------------------------------------------------------


def _lock(one: formats.Format, data: bytes, folder: Path) -> None:
    path = folder / one.name
    path.write_bytes(data)
    if one.pins_only:
        for groups in (None, {"dev"}):
            if file := tried(formats.read_requirements, path, folder, groups):
                _required(file)
        return
    lock = formats.read(path, folder)
    assert lock.requires_python is None or str(lock.requires_python) is not None
    for ask in (lock.fresh, lock.has_project):
        tried(ask)
    tried(select.select, lock, TARGETS, NOTHING)
    tried(lock.groups, CHOSEN)
    tried(lock.packages, TARGETS[0], CHOSEN)
    tried(lock.differences, Declared(dependencies=(Requirement("leaf>=1"),)), TARGETS[0])
    assert isinstance(lock.members, Mapping)


def _required(file: requirements.RequirementsFile) -> None:
    file.canonical()
    tried(uv_input.uv_input_for, [file], NOTHING, allow_build=False)
    tried(IndexSettings().with_urls, file.index_urls)


def _requirements(data: bytes, folder: Path) -> None:
    main, *others = data.split(CUT)
    for number, text in enumerate(others[:3]):
        folder.joinpath(f"{number}.txt").write_bytes(text)
    path = folder / "requirements.txt"
    path.write_bytes(main)
    _required(requirements.read(path, root=folder, environ={"TOKEN": "s3cret-value"}))


# --- projects and settings --------------------------------------------------------------------------------------------


def _project(folder: Path) -> None:
    found = project.read(folder)
    tried(found.canonical, TARGETS)
    tried(found.direct_names, TARGETS)
    tried(found.direct_requirement_lines, TARGETS)
    tried(own_package.read, found, TARGETS)
    tried(envrc.read, found)
    tried(lambda: list(envrc.unwatched(found)))
    tried(lambda: list(library_input.diagnostics(found)))
    if found.dependencies:
        tried(uv_input.uv_input_for, found.dependencies, found.extras_and_groups, allow_build=False)


def _pyproject(data: bytes, folder: Path) -> None:
    path = folder / "pyproject.toml"
    path.write_bytes(data)
    discover._has_settings(path)
    _project(folder)


def _nixpy_toml(data: bytes, folder: Path) -> None:
    folder.joinpath("nixpy.toml").write_bytes(data)
    _project(folder)


def _written_settings(data: bytes, folder: Path) -> None:
    path = folder / "pyproject.toml"
    path.write_bytes(data)
    load_toml(path)
    config.updated(path, path.read_bytes().decode(), {"style": "fhs", "features": ["jupyter"]})


def _setup(data: bytes, folder: Path) -> None:
    for name, text in zip(("setup.py", "setup.cfg"), data.split(CUT, 1), strict=False):
        folder.joinpath(name).write_bytes(text)
    if CUT not in data:
        folder.joinpath("setup.cfg").unlink(missing_ok=True)
    own_imports([folder], ["setuptools.command.build"])
    _project(folder)


def _setup_cfg(data: bytes, folder: Path) -> None:
    folder.joinpath("setup.cfg").write_bytes(data)
    _project(folder)


def _environ(folder: Path, **more: str) -> dict[str, str]:
    return {"HOME": str(folder), "XDG_CONFIG_DIRS": str(folder), **more}


def _uv_toml(data: bytes, folder: Path) -> None:
    folder.joinpath("uv.toml").write_bytes(data)
    environ = _environ(folder, UV_NO_SYSTEM_CONFIG="1")
    _settings(folder, environ)
    for allow_build in (False, True):
        if found := tried(uv_config.read_uv_config, folder, environ, allow_build=allow_build):
            found.text()
            found.text([("leaf", "1.0")])
    tried(lambda: list(uv_config.uv_diagnostics(folder)))


def _pip_conf(data: bytes, folder: Path) -> None:
    path = folder / "pip.conf"
    path.write_bytes(data)
    _settings(folder, _environ(folder, PIP_CONFIG_FILE=str(path)))


def _netrc(data: bytes, folder: Path) -> None:
    path = folder / "netrc"
    path.write_bytes(data)
    settings = IndexSettings(hosts=index_settings._netrc({"NETRC": str(path)}))
    tried(settings.auth, "https://index.example/simple/")
    settings.redact("https://user:pass@index.example/simple/ from `demo`")


def _settings(folder: Path, environ: Mapping[str, str]) -> None:
    if settings := tried(IndexSettings.load, folder, environ):
        settings.uv_environment()
        tried(settings.auth, "https://index.example/simple/")
        tried(settings.redact, "https://user:pass@index.example/simple/?token=abcdef from `demo`")


# --- files of nixpy and of the user's flake ---------------------------------------------------------------------------


def _nixpy_lock(data: bytes, folder: Path) -> None:
    path = folder / "nixpy.lock"
    path.write_bytes(data)
    tried(reconcile.own_state, path)
    # The same with the right digest: whoever edits the file can write one.
    text = data.decode("utf-8", "replace")
    with suppress(ValueError):
        document = limits.parse_json(text)
        if isinstance(document, dict) and limits.long_number(text) is None:
            body = {key: value for key, value in document.items() if key != "digest"}
            text = nixpylock._json({"digest": nixpylock._digest(body), **body})
    with suppress(nixpylock.Damaged, nixpylock.Newer):
        lock = nixpylock.loads(text, path)
        tried(match, nixpylock.wheel_needs(lock.wheels, lock.unavailable), systems=lock.systems)


def _nixpy_nix(data: bytes, folder: Path) -> None:
    path = folder / "nixpy.nix"
    path.write_bytes(data)
    tried(reconcile.own_state, path)
    text = data.decode("utf-8", "replace").replace("\r\n", "\n")
    facts, library, named = reconcile.parts(text)
    if (found := reconcile._CHECKSUM.search(facts)) and facts.count(found[2]) == 1:
        facts = facts.replace(found[2], hashlib.sha256(facts.replace(found[2], "").encode()).hexdigest())
        mark = f"# Text of the library below: sha256 {hashlib.sha256(library.encode()).hexdigest()}\n"
        first, second, *rest = facts.split("\n", 2)
        path.write_text("\n".join((first, second, (mark if named else "") + "".join(rest))) + library)
        tried(reconcile.own_state, path)


def _flake(data: bytes, folder: Path) -> None:
    for name, text in zip(("flake.nix", "flake.lock"), data.split(CUT, 1), strict=False):
        folder.joinpath(name).write_bytes(text)
    flake.followed(folder)
    flake.pin(folder, "nixos-26.05")
    list(flake.input_diagnostics(folder, styles.styles()[-1]))
    list(flake_imports.left_behind(folder, "nixpy.nix"))
    tried(nixfiles.applied, folder)
    tried(lambda: list(library_input.diagnostics(_unchanged(folder))))
    list(flake_imports.unused(_unchanged(folder)))
    shell_lines.place(folder / "flake.nix", _unchanged(folder), handed=True)


def _envrc(data: bytes, folder: Path) -> None:
    folder.joinpath(".envrc").write_bytes(data)
    list(envrc.unwatched(_unchanged(folder)))
    envrc.loaded(folder / ".envrc")


_unchanged = functools.cache(project.read)
"""Read the project of a reader that changes no file of it."""


# --- the machine ------------------------------------------------------------------------------------------------------


def _loader_cache(data: bytes, folder: Path) -> None:
    cache.parse(data)


def _pyvenv(data: bytes, folder: Path) -> None:
    folder.joinpath("bin").mkdir(exist_ok=True)
    for name in ("pyvenv.cfg", "bin/activate", "bin/tool"):
        folder.joinpath(name).write_bytes(data)
    doctor_venv.read_venv(folder)


_INPUT = '[tool.nixpy]\nlibrary = "input"\nsource = "github:example/nixpy"\n'
_INFO = "lib/python3.13/site-packages/demo-1.0.dist-info"
READERS: Mapping[str, Reader] = {
    "elf": Reader(read=_elf),
    "wheel": Reader(read=_wheel, longest=4096),
    "remote-wheel": Reader(read=_remote_wheel),
    "METADATA": Reader(read=_metadata, longest=768),
    "RECORD": Reader(
        read=_record,
        beside={
            f"{_INFO}/METADATA": "Name: demo\nVersion: 1.0\n",
            f"{_INFO}/WHEEL": "Tag: py3-none-any\n",
            f"{_INFO}/../demo/_native.so": "no ELF file",
        },
    ),
    "entry_points.txt": Reader(read=_entry_points, longest=256),
    "sdist": Reader(read=_sdist, longest=4096),
    "sdist-tar": Reader(read=_sdist_tar, longest=8192),
    "sdist-pyproject": Reader(read=_sdist_pyproject),
    **{
        one.name: Reader(read=functools.partial(_lock, one), beside={"pyproject.toml": PROJECT})
        for one in formats.FORMATS
    },
    "requirements.txt": Reader(read=_requirements, longest=768),
    "pyproject.toml": Reader(read=_pyproject, longest=1024),
    "nixpy.toml": Reader(read=_nixpy_toml, beside={"requirements.txt": "leaf\n"}, longest=1024),
    "written-settings": Reader(read=_written_settings, longest=512),
    "setup-py": Reader(read=_setup, longest=768),
    "setup.cfg": Reader(read=_setup_cfg, longest=512),
    "uv.toml": Reader(read=_uv_toml, longest=1024),
    "pip.conf": Reader(read=_pip_conf, longest=512),
    "netrc": Reader(read=_netrc, longest=256),
    "nixpy.lock": Reader(read=_nixpy_lock),
    "nixpy.nix": Reader(read=_nixpy_nix),
    "flake": Reader(read=_flake, beside={"requirements.txt": "leaf\n", "pyproject.toml": PROJECT + _INPUT}),
    "envrc": Reader(read=_envrc, beside={"requirements.txt": "leaf\n"}),
    "ld.so.cache": Reader(read=_loader_cache, longest=512),
    "pyvenv.cfg": Reader(read=_pyvenv, longest=256),
}
"""The readers by name."""


def read(name: str, data: bytes, folder: Path) -> Exception | None:
    """Let a reader read; return the exception that it must not raise, None where all is well."""
    try:
        READERS[name].read(data, folder)
    except ALLOWED:
        return None
    except Exception as error:  # noqa: BLE001
        return error
    return None


def place(error: Exception) -> str:
    """Return the type of an exception and the last function of nixpy that it passed: one fault has one place."""
    frames = traceback.extract_tb(error.__traceback__)
    own = [frame for frame in frames if Path(frame.filename).is_relative_to(PACKAGE)] or frames[-1:]
    file = Path(own[-1].filename)
    return f"{type(error).__name__} in {file.parent.name}/{file.name}:{own[-1].name}"
