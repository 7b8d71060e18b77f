"""Read Pipfile.lock, which has versions and hashes.

It has neither file names nor packages for other machines.

So nixpy reads it as a requirements file, and uv finds the files. Pipenv installs the packages of the lock without their
dependencies, so uv resolves no dependencies: there, requirements may contradict the lock.
"""

from __future__ import annotations

import json
import os
import re
from collections.abc import Collection, Mapping
from pathlib import Path
from typing import Any, NoReturn

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from nixpy.core import limits
from nixpy.core.conflict import refuse_conflict
from nixpy.core.errors import LockError
from nixpy.core.toml_file import read_text
from nixpy.locks.requirement_lines import Location, RequirementLine, requirement_line
from nixpy.locks.requirements import RequirementsFile, RequirementsOptions
from nixpy.locks.validate import DamagedError, Table, strings, table_at, tables, typed

_SPEC = 6
_AGAIN = "Run `pipenv lock`."
_ALWAYS, _BY_DEFAULT = "default", "develop"
_NO_PACKAGES = "_meta"
_PYTHON = re.compile(r"(3\.\d{1,3})(?:\.\d{1,3})?")
_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")


def read(
    path: Path,
    *,
    root: Path | None = None,
    groups: Collection[str] | None = None,
    environ: Mapping[str, str] = os.environ,
) -> RequirementsFile:
    """Return the requirements in the Pipfile.lock `path`.

    They are its default packages and those of `groups`.

    Pipenv calls a group a category; None means `develop`, as with `pipenv sync --dev`. Local paths are relative to
    `root`, the folder of the project. Raises LockError for a file that is not a Pipfile.lock or has another version,
    and for a group that it lacks.
    """
    text = read_text(path)
    try:
        data = limits.parse_json(text)
        meta = table_at(data if isinstance(data, dict) else {}, "_meta")
        if meta.get("pipfile-spec") != _SPEC:
            _fail(path, f"this Pipfile.lock does not have version {_SPEC}", _AGAIN)
        secrets: dict[str, str] = {}
        python = _requires_python(table_at(meta, "requires"))
        urls = [_expanded(typed(table, "url", str), environ, secrets) for table in tables(meta.get("sources", []))]
        lines = {
            name: _line(Location(path=path, line=_at(text, section, name), raw=name), typed(packages, name, dict), root)
            for section in reversed(_sections(path, data, groups))
            for packages in [table_at(data, section)]
            for name in packages
        }
    except json.JSONDecodeError as error:
        refuse_conflict(text, path)
        _fail(path, f"this is not valid JSON: {error.msg}", _AGAIN, error.lineno)
    except limits.PastLimitError as error:
        _fail(path, f"this file cannot be read: {error}", _AGAIN)
    except DamagedError as error:
        _fail(path, f"this Pipfile.lock is damaged: {error}", _AGAIN)
    return RequirementsFile(
        path=path,
        requirements=tuple(lines[name] for name in sorted(lines)),
        constraints=(),
        files=(path,),
        options=RequirementsOptions(index_url=urls[0] if urls else None, extra_index_urls=tuple(urls[1:])),
        secrets=secrets,
        whole=True,
        requires_python=python,
    )


def _requires_python(requires: Table) -> SpecifierSet | None:
    """Return the Python of `[requires]` in Pipfile.

    Its patch release does not count: nixpkgs has only one of each minor version.
    """
    named = typed(requires, "python_version", str, "") or typed(requires, "python_full_version", str, "")
    found = _PYTHON.fullmatch(named)
    return SpecifierSet(f"=={found[1]}.*") if found else None


def _sections(path: Path, data: Table, groups: Collection[str] | None) -> list[str]:
    """Return the sections to read.

    For a package in several sections, the first one decides.
    """
    if groups is None:
        return [_ALWAYS, _BY_DEFAULT]
    there = {canonicalize_name(name): name for name in (_BY_DEFAULT, *data) if name not in (_ALWAYS, _NO_PACKAGES)}
    if missing := sorted(set(groups) - there.keys()):
        _fail(path, f"the lock has no group `{missing[0]}`", f"Choose from {', '.join(sorted(there.values()))}.")
    return [_ALWAYS, *(there[canonicalize_name(name)] for name in sorted(groups))]


def _line(where: Location, table: Table, root: Path | None) -> RequirementLine:
    extras = strings(table, "extras")
    text = where.raw + (f"[{','.join(extras)}]" if extras else "")
    git, ref = typed(table, "git", str, ""), typed(table, "ref", str, "")
    address = (
        f"git+{git.removeprefix('git+')}@{ref}" if git else typed(table, "file", str, typed(table, "path", str, ""))
    )
    text += f" @ {address}" if address else typed(table, "version", str, "")
    if marker := typed(table, "markers", str, ""):
        text += f" ; {marker}"
    hashes = frozenset(strings(table, "hashes"))
    return requirement_line(where, text, text, root or where.path.parent, hashes=hashes)


def _expanded(url: str, environ: Mapping[str, str], secrets: dict[str, str]) -> str:
    """Return an address with its variables replaced.

    `secrets` records the values, which may be secret.
    """

    def value(match: re.Match[str]) -> Any:
        found = environ.get(match[1])
        if found:
            secrets[found] = match[0]
        return found or match[0]

    return _VARIABLE.sub(value, url)


def _at(text: str, section: str, name: str) -> int:
    """Return the approximate line of a package, for a message."""
    start = max(text.find(f'"{section}": {{'), 0)
    return text.count("\n", 0, max(text.find(f'"{name}": {{', start), 0)) + 1


def _fail(path: Path, message: str, hint: str, line: int | None = None) -> NoReturn:
    raise LockError(message, hint=hint, path=path, line=line)
