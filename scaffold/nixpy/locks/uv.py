"""Read uv.lock: find what `uv sync` installs on any target."""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Iterable
from collections.abc import Set as AbstractSet
from dataclasses import dataclass, field
from functools import cached_property
from pathlib import Path
from typing import Any, Self

from packaging.requirements import Requirement
from packaging.specifiers import SpecifierSet
from packaging.utils import NormalizedName, canonicalize_name

from nixpy.core.errors import LockError
from nixpy.core.target import Target
from nixpy.core.toml_file import load_toml
from nixpy.locks.model import ExtrasAndGroups, LockDefaults, Package
from nixpy.locks.uv_changes import differences
from nixpy.locks.uv_document import (
    DEPENDENCIES,
    Document,
    Edge,
    Node,
    Section,
    code,
    damaged,
    extra_section,
    group_section,
    read_document,
)
from nixpy.locks.validate import DamagedError, holds

_Step = tuple[Node, Section]
_QUOTED = re.compile(r"""["']([^"']*)["']""")


@dataclass(frozen=True, kw_only=True)
class UvLock(LockDefaults):
    """A uv.lock of the project in the folder `root`.

    If that is not a project, it is the lock of all members.
    """

    path: Path
    root: Path
    document: Document = field(repr=False)  # its addresses may contain credentials

    @classmethod
    def read(cls, path: Path, root: Path | None = None) -> Self:
        """Return the lock in `path`.

        `root` is the folder of the project, by default that of the lock.

        Raises LockError if the file is not a uv.lock, is damaged, or has a version that this nixpy does not read.
        """
        return cls(path=path, root=root or path.parent, document=read_document(path))

    @property
    def requires_python(self) -> SpecifierSet | None:
        """The Python versions that the lock is for."""
        return self.document.requires_python

    def packages(self, target: Target, extras_and_groups: ExtrasAndGroups) -> tuple[Package, ...]:
        """Return the packages that `uv sync` installs on `target`.

        They are sorted by name, each name once.

        These are the direct and indirect dependencies of the project and of its chosen extras and groups, if their
        markers are true. Raises LockError for an extra or group that the project lacks, for some that exclude each
        other, and for a target that the lock was not made for.
        """
        self._admit(target)
        extras, groups = self.extras(extras_and_groups), self.groups(extras_and_groups)
        starts: list[_Step] = []
        active: set[str] = set()
        for node in self.roots:
            own_extras, own_groups = sorted(extras & node.extras), sorted(groups & node.groups)
            active.add(code("project", node.name))
            active.update(code("extra", node.name, name) for name in own_extras)
            active.update(code("group", node.name, name) for name in own_groups)
            starts.append((node, DEPENDENCIES))
            starts += [(node, extra_section(name)) for name in own_extras]
            starts += [(node, group_section(name)) for name in own_groups]
        if self.document.conflicts:
            # Markers about conflicts depend on all active extras and groups, so nixpy first collects those, as uv does.
            active |= self._walk(starts, target, active, grow=True)[1]
            self._refuse_conflicts(active)
        nodes, _ = self._walk(starts, target, active, grow=False)
        return self._once(nodes)

    def differences(
        self, requirements: Iterable[Requirement], target: Target, extras_and_groups: ExtrasAndGroups
    ) -> tuple[str, ...] | None:
        """Return the packages with requirements that changed after locking.

        They are sorted by name.

        `requirements` are the current ones of the project, with those of the chosen extras and groups. nixpy compares
        both sides on `target`. Returns None if the lock does not record the old ones: uv may leave them out, and a
        workspace without a project of its own has none.
        """
        projects = [node for node in self.roots if node is not self.document.manifest]
        if len(projects) != 1 or projects[0].metadata is None:
            return None

        def holds(marker: str | None, active: AbstractSet[str]) -> bool:
            return self.holds(marker, target, active)

        groups, extras = self.groups(extras_and_groups), self.extras(extras_and_groups)
        return differences(self.path, projects[0], requirements, extras=extras, groups=groups, holds=holds)

    @cached_property
    def roots(self) -> tuple[Node, ...]:
        """The project in `root`, or all members if that is not a project.

        And the requirements of the manifest.
        """
        nodes, manifest = self.document.nodes, self.document.manifest
        project = tuple(filter(self._is_here, nodes))
        if not project and self.root.resolve() == self.path.parent.resolve():
            project = tuple(node for node in nodes if node.member)
        if not project and not manifest.sections:
            raise LockError(
                f"this lock holds no project in the folder {self.root}",
                hint="Run `uv lock` in the project's folder.",
                path=self.path,
            )
        return (*project, manifest)

    def has_project(self) -> bool:
        """Return whether `root` itself is a project of this lock.

        It may be only a folder below or above one.
        """
        return any(map(self._is_here, self.document.nodes))

    def is_empty(self) -> bool:
        """Return whether the lock holds neither packages nor requirements."""
        return not self.document.nodes and not self.document.manifest.sections

    def extras(self, extras_and_groups: ExtrasAndGroups) -> frozenset[str]:
        """Return the extras in `extras_and_groups`; LockError if the lock lacks one."""
        self._refuse_unknown(
            "extra", extras_and_groups.extras, frozenset().union(*(node.extras for node in self.roots))
        )
        return frozenset(extras_and_groups.extras)

    def groups(self, extras_and_groups: ExtrasAndGroups) -> frozenset[str]:
        """Return the groups in `extras_and_groups`, those of uv by default.

        Raises LockError if the lock lacks one.
        """
        known: frozenset[str] = frozenset().union(*(node.groups for node in self.roots))
        chosen = self._default_groups(known) if extras_and_groups.groups is None else extras_and_groups.groups
        self._refuse_unknown("group", chosen, known)
        return frozenset(chosen)

    def holds(self, marker: str | None, target: Target, active: AbstractSet[str]) -> bool:
        """Return whether a marker of the lock is true on `target`.

        `active` are the extras that it may test.
        """
        # Only those that the marker names: locks have thousands of markers and active extras.
        words = _QUOTED.findall(marker) if marker and "extra" in marker else ()
        named = frozenset(name for word in words for name in (word, canonicalize_name(word)) if name in active)
        try:
            return holds(marker, target, named)
        except DamagedError as error:
            raise damaged(self.path, error) from None

    @cached_property
    def _by_name(self) -> dict[str, list[Node]]:
        found: dict[str, list[Node]] = {}
        for node in self.document.nodes:
            found.setdefault(node.name, []).append(node)
        return found

    def _walk(
        self, starts: Iterable[_Step], target: Target, active: AbstractSet[str], *, grow: bool
    ) -> tuple[list[Node], set[str]]:
        """Return every package reached from `starts`, and `active`.

        With `grow`, also the extras on the way.
        """
        active = set(active)
        queue = deque(starts)
        seen = set(queue)
        while queue:
            node, section = queue.popleft()
            for edge in node.sections.get(section, ()):
                own = {code("project", edge.name), *(code("extra", edge.name, name) for name in edge.extras)} - active
                if grow:
                    active |= own
                if not self.holds(edge.marker, target, active):
                    active -= own if grow else set()
                    continue
                found = self._find(edge, target)
                steps = ((found, DEPENDENCIES), *((found, extra_section(name)) for name in edge.extras))
                queue.extend(step for step in steps if step not in seen)
                seen.update(steps)
        return list({node: None for node, _ in seen}), active

    def _find(self, edge: Edge, target: Target) -> Node:
        found = self._by_name.get(edge.name, [])
        if edge.version is not None:
            found = [node for node in found if node.version == edge.version]
        if edge.source is not None:
            found = [node for node in found if node.source == edge.source]
        if len(found) > 1:
            found = [
                node
                for node in found
                if not node.environments or any(self.holds(one, target, set()) for one in node.environments)
            ]
        if len(found) != 1:
            count = "several packages" if found else "no package"
            raise damaged(self.path, f"it has {count} for {edge.name} {edge.version or ''}".rstrip())
        return found[0]

    def _once(self, nodes: Iterable[Node]) -> tuple[Package, ...]:
        found: dict[str, Package] = {}
        for node in nodes:
            if node is self.document.manifest:
                continue
            if node.name in found:
                raise LockError(
                    f"the lock installs {node.name} twice: {found[node.name].version} and {node.version}",
                    hint="Choose extras and groups that go together.",
                    path=self.path,
                )
            found[node.name] = node.package
        return tuple(found[name] for name in sorted(found))

    def _is_here(self, node: Node) -> bool:
        return node.folder is not None and node.folder.resolve() == self.root.resolve()

    def admits(self, target: Target) -> bool:
        """Return whether an environment of the lock holds on `target`."""
        environments = self.document.environments
        return not environments or any(self.holds(one, target, set()) for one in environments)

    def _admit(self, target: Target) -> None:
        required = self.document.requires_python
        if not required.contains(target.python):
            raise LockError(
                f"this lock is for Python {required}, not {target.python}",
                hint="Choose a Python that the lock allows, or change requires-python and run `uv lock`.",
                path=self.path,
            )
        if not self.admits(target):
            raise LockError(
                f"this lock is not for {target.system} with Python {target.python}",
                hint="Choose another system or Python, or add this one to tool.uv.environments and run `uv lock`.",
                path=self.path,
            )

    def _default_groups(self, known: frozenset[str]) -> frozenset[str]:
        """Return the groups that `uv sync` installs by default.

        They are those in `tool.uv.default-groups`, else `dev`.
        """
        default = self._default
        if default is None:
            return known & {"dev"}
        if default == "all":
            return known
        if not isinstance(default, list) or not all(isinstance(name, str) for name in default):
            raise LockError(
                '`tool.uv.default-groups` must be a list of names, or "all"',
                hint="Correct the value.",
                path=self.root / "pyproject.toml",
            )
        return frozenset(canonicalize_name(name) for name in default)

    @cached_property
    def _default(self) -> object:
        """The default groups in pyproject.toml, else those in the lock.

        Newer versions of uv record them in the lock.
        """
        pyproject = self.root / "pyproject.toml"
        data: Any = load_toml(pyproject) if pyproject.is_file() else {}
        for key in ("tool", "uv", "default-groups"):
            data = data.get(key) if isinstance(data, dict) else None
        recorded = (node.table["default-groups"] for node in self.roots if "default-groups" in node.table)
        return next(recorded, None) if data is None else data

    def _refuse_unknown(
        self, kind: str, chosen: AbstractSet[str] | AbstractSet[NormalizedName], known: AbstractSet[str]
    ) -> None:
        if unknown := sorted(set(chosen) - known):
            there = f"there are {', '.join(sorted(known))}" if known else f"there is no {kind} at all"
            raise LockError(
                f"the lock has no {kind} `{unknown[0]}`: {there}",
                hint=f"Correct the name; if the {kind} is new, run `uv lock`.",
                path=self.path,
            )

    def _refuse_conflicts(self, active: AbstractSet[str]) -> None:
        for conflict in self.document.conflicts:
            both = [label for name, label in conflict.items() if name in active]
            if len(both) > 1:
                raise LockError(
                    f"the lock says that these exclude each other: {', '.join(both)}",
                    hint="Choose one of them.",
                    path=self.path,
                )
