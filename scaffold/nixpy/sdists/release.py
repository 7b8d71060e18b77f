"""Read one version of a package from an index: its files and their metadata.

No code of it is run.
"""

from __future__ import annotations

import hashlib
import io
import re
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import IO, cast

from packaging.pylock import PackageSdist
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name, canonicalize_version

from nixpy.core import limits
from nixpy.core.errors import ArchiveError, ArgumentError, NetworkError, NixpyError, ResolutionError
from nixpy.core.read_file import open_bytes
from nixpy.core.target import Target
from nixpy.core.urls import shown, shown_text
from nixpy.core.wheel_name import parse_wheel_filename
from nixpy.index.resolve import resolve
from nixpy.index.settings import IndexSettings
from nixpy.locks.files import wheel_file
from nixpy.locks.model import ExtrasAndGroups, Package, WheelFile
from nixpy.locks.pylock import PyLock
from nixpy.locks.select import best_wheel
from nixpy.sdists.metadata import Metadata, Pyproject, read_metadata, read_programs, read_pyproject
from nixpy.sdists.sdist import Sdist, read_sdist
from nixpy.wheels.http import Client
from nixpy.wheels.local import LocalWheel
from nixpy.wheels.partial import PartialFile
from nixpy.wheels.remote import RemoteWheel

_MODULE = re.compile(r"(?P<name>[^./]+)(?:\.py|(?:\.[\w-]+)?\.so)")
_NOT_THE_PACKAGE = frozenset(
    {"benchmarks", "docs", "examples", "test", "testing", "tests"}
)  # folders at the top that are not packages


@dataclass(frozen=True, slots=True, kw_only=True)
class PackageRelease:
    """The facts of one version.

    `filename` and `sha256` (lower-case hex) are those of the source: the sdist, with its `pyproject` if it has one, or,
    without an sdist, a pure Python wheel. With `of_pypi`, fetchPypi finds it. `modules` are those that the wheel
    installs, empty without a wheel. `programs` are those that the wheel installs, or without a wheel those in
    pyproject.toml. `cargo_roots` and `compiled` are as in `Sdist`.
    """

    metadata: Metadata
    filename: str
    sha256: str
    of_pypi: bool
    pyproject: Pyproject | None
    modules: tuple[str, ...]
    programs: tuple[str, ...]
    cargo_roots: tuple[str, ...] = ()
    compiled: bool = False

    @property
    def is_wheel(self) -> bool:
        """Whether the source is a wheel."""
        return self.filename.endswith(".whl")


@dataclass(frozen=True, kw_only=True)
class SdistIndex:
    """The settings of an index for packages.

    They are those of uv and pip for the folder `root`, and the Python version.
    """

    root: Path
    target: Target
    offline: bool = False
    settings: IndexSettings = field(default_factory=IndexSettings, repr=False)

    def read(self, asked: str) -> PackageRelease:
        """Return the release `NAME==VERSION`, or the newest one of `NAME`.

        Raises NixpyError for any other text, for a package or version that no index has or that was yanked, for one
        that has neither an sdist nor a pure Python wheel, and for files that are damaged or have a wrong hash.
        """
        package, sdist = self._find(_requirement(asked))
        wheel = best_wheel(package, self.target)
        members, metadata, programs = self._wheel(wheel[0]) if wheel else ((), None, ())
        if wheel and metadata:
            _admit(metadata, package, wheel[0].filename)
        if sdist is not None:
            found = self._sdist(package, sdist, metadata, members)
            named = found.pyproject.programs if found.pyproject and not wheel else programs
            return replace(found, programs=named)
        plain = [file for file in package.wheels if _is_plain(file.filename)]
        if metadata is None or not plain:
            raise ResolutionError(
                f"the index has neither an sdist nor a pure Python wheel of {package.name} {package.version}",
                hint="Nix has nothing to build it from; `nixpy init` makes a shell that its wheels work in.",
            )
        source = plain[0]
        if source.sha256 is None:
            raise ResolutionError(
                f"the index states no sha256 of {source.filename}", hint="Use an index that states it."
            )
        return PackageRelease(
            metadata=metadata,
            filename=source.filename,
            sha256=source.sha256,
            of_pypi=source.of_pypi,
            pyproject=None,
            modules=top_level(members),
            programs=programs,
        )

    def _find(self, requirement: Requirement) -> tuple[Package, WheelFile | None]:
        # Without dependencies, uv needs no metadata and so builds nothing.
        try:
            text = resolve(
                [requirement],
                root=self.root,
                python=self.target.short_python,
                no_deps=True,
                offline=self.offline,
            )
        except NixpyError as error:
            raise _refusal(error, requirement) or error from None
        lock = PyLock.parse(text, self.root / "pylock.toml")
        (package,) = lock.packages(self.target, ExtrasAndGroups())
        (listed,) = lock.document.packages
        return package, _file(listed.sdist, self.root) if listed.sdist else None

    def _wheel(self, file: WheelFile) -> tuple[tuple[str, ...], Metadata, tuple[str, ...]]:
        """Return the paths of a wheel's files, its METADATA and its programs."""
        if file.path:
            wheel: LocalWheel | RemoteWheel = LocalWheel(file.path, file.sha256)
        else:
            wheel = RemoteWheel(self._address(file), self._client(), sha256=file.sha256, most=file.size)
        with closing(wheel):
            paths = tuple(member.path for member in wheel.members())
            named = [path for path in paths if re.fullmatch(r"[^/]+\.dist-info/METADATA", path)]
            if len(named) != 1:
                raise ArchiveError(
                    "this wheel does not have exactly one METADATA", hint="Choose another version.", path=file.filename
                )
            points = [path for path in paths if re.fullmatch(r"[^/]+\.dist-info/entry_points\.txt", path)]
            content = {path: bytes(data) for path, data in wheel.read([*named, *points])}
        named_programs = [name for path in points for name in read_programs(content[path])]
        scripts = [path.rpartition("/")[2] for path in paths if re.fullmatch(r"[^/]+\.data/scripts/[^/]+", path)]
        metadata = read_metadata(content[named[0]], file.filename, wheel=True)
        return paths, metadata, tuple(dict.fromkeys([*named_programs, *scripts]))

    def sdist(self, file: WheelFile) -> tuple[Sdist, str]:
        """Return the content of an sdist, and its sha256.

        Raises NixpyError if it cannot be fetched or has a wrong hash.
        """
        with self._open(file) as opened:
            digest = hashlib.file_digest(opened, "sha256").hexdigest()
            if digest != (file.sha256 or digest):
                raise ArchiveError(
                    f"its sha256 is {digest}, the index says {file.sha256}",
                    hint="Do not trust it.",
                    path=file.filename,
                )
            return read_sdist(cast("IO[bytes]", opened), file.filename, file.filename), digest

    def _sdist(
        self, package: Package, file: WheelFile, metadata: Metadata | None, members: Iterable[str]
    ) -> PackageRelease:
        sdist, digest = self.sdist(file)
        own = read_metadata(sdist.pkg_info, file.filename, wheel=False)
        _admit(own, package, file.filename)
        written = sdist.pyproject
        return PackageRelease(
            metadata=metadata or own,
            filename=file.filename,
            sha256=digest,
            of_pypi=file.of_pypi,
            pyproject=None if written is None else read_pyproject(written, f"{file.filename}/pyproject.toml"),
            modules=top_level(members),
            programs=(),
            cargo_roots=sdist.cargo_roots,
            compiled=sdist.compiled,
        )

    def _open(self, file: WheelFile) -> io.BufferedIOBase:
        if file.path:
            try:
                return open_bytes(file.path)
            except OSError as error:
                raise ArchiveError(f"this sdist cannot be read: {error.strerror}", path=file.path) from None
        whole = PartialFile(self._address(file), self._client(), file.sha256, file.size)
        whole.download()
        return io.BufferedReader(whole)

    def _address(self, file: WheelFile) -> str:
        if self.offline or not file.url:
            raise NetworkError(
                "this file is not on this machine, and --offline forbids the download",
                hint="Run without --offline.",
                path=shown(file.url or file.filename),
            )
        return file.url

    def _client(self) -> Client:
        return Client(self.settings)


def _admit(metadata: Metadata, package: Package, filename: str) -> None:
    """Raise NixpyError if a file is not the package that the index names.

    Its metadata has another name or version then.
    """
    same = canonicalize_name(metadata.name) == package.name
    if not same or canonicalize_version(metadata.version) != canonicalize_version(package.version or ""):
        message = f"its metadata names {metadata.name!r} {metadata.version!r}"
        raise ArchiveError(message, hint="Do not trust it.", path=filename)


def _refusal(error: NixpyError, requirement: Requirement) -> NixpyError | None:
    """Return a one-line error for uv's error about this package, or None."""
    name, version = requirement.name, next((one.version for one in requirement.specifier), None)
    asked = f"{name} {version}" if version else name
    newest = f"Choose another version, or run `nixpy package {name}` for the newest."
    if "network was disabled" in error.message:
        message = f"{asked} is not in uv's cache, and --offline forbids network access"
        return NetworkError(message, hint="Run without --offline.")
    if "not found in the package registry" in error.message:
        hint = "Check its spelling. The indexes come from your uv or pip settings."
        return NetworkError(f"no index has a package {name}: it was not found", hint=hint)
    if version and "was yanked" in error.message:
        return ResolutionError(f"{asked} was yanked from the index", hint=newest)
    if version and "there is no version of" in error.message:
        return ResolutionError(f"no index has version {version} of {name}", hint=newest)
    return None


def _requirement(asked: str) -> Requirement:
    """Return the requirement for uv.

    It avoids `==`, which would accept a yanked version.
    """
    limits.check_argument(asked)
    text = shown_text(asked)
    try:
        found = Requirement(asked)
    except InvalidRequirement:
        found = None
    if found and found.extras:
        message = f"`{text}` names extras, and a file for nixpkgs has all of them as optional-dependencies"
        raise ArgumentError(message, hint=f"Write {found.name}{found.specifier}.")
    versions = list(found.specifier) if found else []
    simple = found and not (found.extras or found.url or found.marker) and len(versions) <= 1
    if found is None or not simple or any(v.operator != "==" or v.version.endswith("*") for v in versions):
        raise ArgumentError(
            f"`{text}` is not the name of a package on an index",
            hint="Write NAME or NAME==VERSION, such as toolz==1.0.0.",
        )
    if not versions or "+" in versions[0].version:
        return found
    return Requirement(f"{found.name}>={versions[0].version},<={versions[0].version}")


def _file(sdist: PackageSdist, root: Path) -> WheelFile:
    return wheel_file(
        base=root, filename=None, url=sdist.url, path=sdist.path, sha256=sdist.hashes.get("sha256"), size=sdist.size
    )


def _is_plain(filename: str) -> bool:
    """Return whether a wheel is pure Python and fetchPypi can fetch it.

    fetchPypi does not support build numbers.
    """
    _, _, build, tags = parse_wheel_filename(filename)
    return not build and {(tag.abi, tag.platform) for tag in tags} == {("none", "any")}


def top_level(paths: Iterable[str]) -> tuple[str, ...]:
    """Return the importable modules of a wheel with these files, sorted.

    These are the modules at its top, and the packages in a folder without `__init__.py` (PEP 420). Private modules,
    tests and documentation are left out.
    """
    files = [re.sub(r"^[^/]+\.data/(?:purelib|platlib)/", "", path) for path in paths]
    packages = {path.rpartition("/")[0] for path in files if path.endswith(("/__init__.py", "/__init__.pyi"))}
    packages = {package for package in packages if not any(package.startswith(f"{other}/") for other in packages)}
    modules = {match["name"] for path in files if (match := _MODULE.fullmatch(path))}
    dotted = {*modules, *(package.replace("/", ".") for package in packages)}
    return tuple(sorted(filter(_public, dotted)))


def _public(module: str) -> bool:
    parts = module.split(".")
    return parts[0] not in _NOT_THE_PACKAGE and all(p.isidentifier() and not p.startswith("_") for p in parts)
