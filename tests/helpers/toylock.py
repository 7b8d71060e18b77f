"""A lock format that nixpy does not know: `test_adding.py` adds it by one row, and this is its reader."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Self

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from nixpy.core.target import Target
from nixpy.locks.model import Declared, ExtrasAndGroups, LockDefaults, Package, WheelFile


@dataclass(frozen=True, kw_only=True)
class ToyLock(LockDefaults):
    """JSON with the requirements that it was made for, and the wheel files of each package, beside the lock."""

    path: Path
    data: dict[str, Any] = field(repr=False)

    @classmethod
    def read(cls, path: Path, root: Path | None = None) -> Self:  # noqa: ARG003
        """Return the lock in `path`."""
        return cls(path=path, data=json.loads(path.read_text()))

    @property
    def requires_python(self) -> SpecifierSet | None:
        """None: the format does not say."""
        return None

    def packages(self, target: Target, extras_and_groups: ExtrasAndGroups) -> tuple[Package, ...]:  # noqa: ARG002
        """Return every package."""
        return tuple(
            Package(
                name=canonicalize_name(name),
                version=one["version"],
                wheels=tuple(
                    WheelFile(filename=file, sha256=sha256, path=self.path.parent / file)
                    for file, sha256 in one["files"].items()
                ),
            )
            for name, one in sorted(self.data["packages"].items())
        )

    def differences(
        self,
        declared: Declared,
        target: Target,  # noqa: ARG002
        folder: Path | None = None,  # noqa: ARG002
    ) -> tuple[str, ...] | None:
        """Return the names that only one of both has."""
        return tuple(sorted({one.name for one in declared.dependencies} ^ {*self.data["requires"]}))
