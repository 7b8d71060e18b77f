"""Read pylock.toml, the standard lock file (PEP 751), for any target.

Packaging validates it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from packaging import pylock
from packaging.markers import InvalidMarker
from packaging.specifiers import SpecifierSet
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
)
from packaging.version import Version

from nixpy.core.errors import LockError
from nixpy.core.target import Target
from nixpy.core.toml_file import parse_toml, read_text, toml_line
from nixpy.core.urls import file_name
from nixpy.core.wheel_name import parse_wheel_filename
from nixpy.locks.files import wheel_file
from nixpy.locks.model import Declared, ExtrasAndGroups, LockDefaults, Package, WheelFile

_AGAIN = "Lock again with the tool that wrote this file."


@dataclass(frozen=True, kw_only=True)
class PyLock(LockDefaults):
    """A pylock.toml; `document` is its content as packaging reads it."""

    path: Path
    document: pylock.Pylock = field(repr=False)  # its addresses may contain credentials

    @classmethod
    def read(cls, path: Path, root: Path | None = None) -> Self:  # noqa: ARG003  (paths start at the file)
        """Return the lock in `path`.

        Raises LockError if it is missing, damaged or of a newer major version.
        """
        return cls.parse(read_text(path), path)

    @classmethod
    def parse(cls, text: str, path: Path) -> Self:
        """Return the lock in `text`.

        Relative paths in it start at the folder of `path`, which need not exist.

        nixpy accepts a newer minor version (PEP 751, "lock-version"). Files with names that cannot be parsed are left
        out: they are for future installers, and the package has other files.
        """
        data = parse_toml(text, path)
        _leave_out_unreadable(data)
        try:
            return cls(path=path, document=pylock.Pylock.from_dict(data))
        except pylock.PylockUnsupportedVersionError as error:
            line = toml_line(text, "lock-version")
            raise LockError(str(error), hint="Update nixpy.", path=path, line=line) from None
        except pylock.PylockValidationError as error:
            keys = [int(word) if word.isdigit() else word for word in re.findall(r"[\w-]+", error.context or "")]
            line = toml_line(text, *keys)
            raise LockError(f"this is not a valid pylock.toml: {error}", hint=_AGAIN, path=path, line=line) from None

    @property
    def requires_python(self) -> SpecifierSet | None:
        """The Python versions that the lock is for."""
        return self.document.requires_python

    def packages(self, target: Target, extras_and_groups: ExtrasAndGroups) -> tuple[Package, ...]:
        """Return the packages that an installer installs on `target`.

        They are sorted by name, each name once.

        Chosen groups are installed together with the default groups of the lock, which contain the dependencies of the
        project (PEP 751, "default-groups"). Raises LockError for an extra or group that the lock lacks and for a target
        that it was not made for.
        """
        self._admit(target)
        extras, groups = self._extras(extras_and_groups), self.groups(extras_and_groups)
        found: dict[str, Package] = {}
        for package in self.document.packages:
            if package.marker and not self._holds(str(package.marker), target, extras, groups):
                continue
            if package.name in found:
                raise self._error(f"the lock installs {package.name} twice on {target.system}", _AGAIN)
            if package.requires_python and not package.requires_python.contains(target.python):
                raise self._error(
                    f"{package.name} is locked for Python {package.requires_python}, not {target.python}",
                    "Choose another Python, or lock again for this one.",
                )
            found[package.name] = self._package(package)
        return tuple(found[name] for name in sorted(found))

    def _package(self, package: pylock.Package) -> Package:
        folder, archive = package.directory, package.archive
        wheels = [self._wheel(wheel, wheel.filename) for wheel in package.wheels or ()]
        name = _file_name(archive.path, archive.url) if archive else ""
        if archive and name.endswith(".whl"):
            wheels.append(self._wheel(archive, name))
        return Package(
            name=package.name,
            version=None if package.version is None else str(package.version),
            wheels=tuple(wheels),
            sdist=bool(package.sdist or package.vcs or folder or (archive and not wheels)),
            sdist_file=self._wheel(package.sdist, package.sdist.filename) if package.sdist else None,
            folder=self.path.parent / folder.path if folder else None,
            repository=package.vcs is not None,
            local=folder is not None and (bool(folder.editable) or self._is_own_folder(folder.path)),
        )

    def _wheel(self, file: pylock.PackageWheel | pylock.PackageArchive | pylock.PackageSdist, name: str) -> WheelFile:
        return wheel_file(
            base=self.path.parent,
            filename=name,
            url=file.url,
            path=file.path,
            sha256=file.hashes.get("sha256"),
            size=file.size,
        )

    def _is_own_folder(self, path: str) -> bool:
        return (self.path.parent / path).resolve() == self.path.parent.resolve()

    def differences(self, declared: Declared, target: Target, folder: Path | None = None) -> tuple[str, ...] | None:
        """Return the declared packages that the lock lacks.

        Or it has them in no version that the project admits. The standard records no requirements. A lock with another
        name may be for a part of the project, so None is returned for it. An extra or a group may have a lock of its
        own, so these are not compared.
        """
        if self.path.name != "pylock.toml" or (folder and folder.resolve() != self.path.parent.resolve()):
            return None
        locked: dict[str, list[Version | None]] = {}
        for package in self.document.packages:
            locked.setdefault(package.name, []).append(package.version)
        return tuple(
            sorted(
                name
                for one in declared.dependencies
                if (one.marker is None or target.satisfies(str(one.marker)))
                and (name := canonicalize_name(one.name))
                and not any(
                    version is None or one.specifier.contains(version, prereleases=True)
                    for version in locked.get(name, ())
                )
            )
        )

    def admits(self, target: Target) -> bool:
        """Return whether an environment of the lock holds on `target`."""
        environments = self.document.environments or ()
        return not environments or any(self._holds(str(one), target, frozenset(), frozenset()) for one in environments)

    def _admit(self, target: Target) -> None:
        required = self.document.requires_python
        if required and not required.contains(target.python):
            raise self._error(
                f"this lock is for Python {required}, not {target.python}",
                "Choose a Python that the lock allows, or lock again for this one.",
            )
        if not self.admits(target):
            raise self._error(
                f"this lock is not for {target.system} with Python {target.python}",
                "Choose another system or Python, or lock again for this one.",
            )

    def _extras(self, extras_and_groups: ExtrasAndGroups) -> frozenset[str]:
        return self._known("extra", extras_and_groups.extras, self.document.extras or ())

    def groups(self, extras_and_groups: ExtrasAndGroups) -> frozenset[str]:
        """Return the groups to install: the default groups of the lock and the named ones."""
        default = frozenset(canonicalize_name(name) for name in self.document.default_groups or ())
        named = [canonicalize_name(name) for name in self.document.dependency_groups or ()]
        return default | self._known("group", extras_and_groups.groups or frozenset(), [*default, *named])

    def _known(self, kind: str, chosen: Collection[str], known: Collection[str]) -> frozenset[str]:
        if unknown := sorted(set(chosen) - set(known)):
            there = f"there are {', '.join(sorted(set(known)))}" if known else f"there is no {kind} at all"
            raise self._error(f"the lock has no {kind} `{unknown[0]}`: {there}", f"Correct the name. {_AGAIN}")
        return frozenset(chosen)

    def _holds(self, marker: str, target: Target, extras: frozenset[str], groups: frozenset[str]) -> bool:
        try:
            return target.satisfies(marker, extras, groups)
        except InvalidMarker as error:
            raise self._error(f"cannot evaluate the marker `{marker}`: {error}", _AGAIN) from None

    def _error(self, message: str, hint: str) -> LockError:
        return LockError(message, hint=hint, path=self.path)


def _leave_out_unreadable(data: dict[str, Any]) -> None:
    """Remove files with invalid names from `data`.

    packaging refuses the whole lock for such a name.

    A package without other wheels keeps one as an archive (a file by address), so that it stays in the lock. Only an
    installer that unpacks an sdist needs its name: old kinds (`.tar.bz2`) get a valid one.
    """
    packages = data.get("packages")
    for package in packages if isinstance(packages, list) else ():
        if not isinstance(package, dict):
            continue  # the validation reports it
        wheels, sdist = package.get("wheels"), package.get("sdist")
        if isinstance(sdist, dict) and not _readable(sdist, parse_sdist_filename):
            sdist["name"] = f"{package.get('name')}-{package.get('version', 0)}.tar.gz"
        if not isinstance(wheels, list):
            continue
        package["wheels"] = [wheel for wheel in wheels if _readable(wheel, parse_wheel_filename)]
        if wheels and not package["wheels"] and not sdist:
            package["archive"] = wheels[0]


def _readable(file: object, parse: Callable[[str], object]) -> bool:
    """Return whether the name of a file can be parsed.

    True also without a name, which the validation refuses.
    """
    name, path, url = (file.get(key) if isinstance(file, dict) else None for key in ("name", "path", "url"))
    if not all(isinstance(part, str | None) for part in (name, path, url)) or not (name or path or url):
        return True
    try:
        parse(name or _file_name(path, url))
    except (InvalidWheelFilename, InvalidSdistFilename):
        return False
    return True


def _file_name(path: str | None, url: str | None) -> str:
    """Return the name of a file.

    It is the last part of its path (of either kind), or of its address.
    """
    return re.split(r"[/\\]", path)[-1] if path else file_name(url or "")
