"""Configure uv with one file, which nixpy writes.

The file has only settings that nixpy knows.

The settings of a project can make uv build a package in spite of `--no-build`, and a build runs untrusted code. So each
key of uv's configuration and each variable has a row in `uv-settings.csv` with one of these treatments:

- `pass`: passed on; a value in the column `refused` is an error;
- `user`: passed on from the files of the user and the machine, and ignored with a diagnostic in those of the project;
- `build`: passed on with `--allow-build` only; without it nothing is built, and the key has no effect;
- `refuse`: an error without `--allow-build`;
- `read`: as `build`, and without it nixpy applies the key itself;
- `apply`: never passed on; nixpy applies the key itself, except where uv reads the requirements in pyproject.toml;
- `ignore`: never passed on, with a diagnostic, since nixpy sets it differently;
- `silent`: never passed on; it does not change what uv resolves;
- `table`: `pip`, a table with a row for each key.

A key without a row is ignored with a diagnostic, and a variable of uv without a row is removed from its environment.
`tests/index/test_uv_config.py` compares the rows with the keys that the installed uv knows.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from functools import cache
from pathlib import Path
from typing import Any

from packaging.markers import InvalidMarker, Marker
from packaging.utils import canonicalize_name

from nixpy.core import csv_table
from nixpy.core.errors import IndexSettingError
from nixpy.core.toml_file import read_text, toml_line
from nixpy.core.toml_text import inline
from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.index.config_files import UV_INDEX_KEYS, UvFile, uv_files, uv_project_file

_TABLE = Path(__file__).with_name("uv-settings.csv")
_PLACES = ("index-url", "extra-index-url", "find-links")
_SCHEME = re.compile(r"[A-Za-z][A-Za-z0-9+.-]*:")
_METADATA = "dependency-metadata"


@dataclass(frozen=True, slots=True)
class UvSetting:
    """One key or one `variable` of uv, and what nixpy does with it.

    `table` is `top` or `pip`, the table of a key.
    """

    table: str
    key: str
    treatment: str
    refused: str
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class UvConfig:
    """The configuration for uv.

    The values may contain credentials: they are written to a private folder only.

    `no_binary` are the packages for which the settings exclude wheels, or `:all:`. `environments` is a marker that
    limits the resolution, or None. `origin` names the files of the settings.
    """

    settings: Mapping[str, Any] = field(default_factory=dict, repr=False)
    no_binary: frozenset[str] = frozenset()
    environments: Marker | None = None
    origin: str = "uv's settings"

    def without_indexes(self) -> UvConfig:
        """Return the configuration without settings about indexes."""
        keys = {*UV_INDEX_KEYS, "index-strategy"}
        settings = {key: value for key, value in self.settings.items() if key not in keys}
        if "pip" in settings:
            settings["pip"] = {key: value for key, value in settings["pip"].items() if key not in keys}
        return replace(self, settings=settings)

    def text(self, unknown: Iterable[tuple[str, str]] = (), allowed: Iterable[str] = ()) -> str:
        """Return the text of the uv.toml.

        `unknown` are names and versions of packages with requirements that only a build shows: with metadata without
        requirements uv does not try to build them. `allowed` are packages with builds that start a Python that works,
        although PYTHONHOME lets no other start.
        """
        added = [{"name": name, "version": version} for name, version in sorted(unknown)]
        settings = _with_metadata(self.settings, added)
        if variables := {name: {"PYTHONHOME": ""} for name in sorted(allowed)}:
            settings["extra-build-variables"] = variables
        pip = settings.pop("pip", {})
        # uv takes the entries of `pip` instead of those at the top.
        pip = _with_metadata(pip, added) if _METADATA in pip else pip
        top, below = ([f"{inline(key)} = {inline(value)}\n" for key, value in one.items()] for one in (settings, pip))
        return "".join([*top, *(["[pip]\n"] if below else []), *below])


def _with_metadata(settings: Mapping[str, Any], added: Sequence[Mapping[str, str]]) -> dict[str, Any]:
    """Return settings with more entries in `dependency-metadata`."""
    return {**settings, _METADATA: [*settings.get(_METADATA, ()), *added]} if added else dict(settings)


@cache
def known() -> Mapping[tuple[str, str], UvSetting]:
    """Return the row of every setting by its table and key.

    Raises NixpyError for a damaged table.
    """
    columns = ("table", "key", "treatment", "refused", "reason")
    return {(row[0], row[1]): UvSetting(*row) for _, row in csv_table.rows(_TABLE, *columns, keys=2)}


def read_uv_config(root: Path, environ: Mapping[str, str] = os.environ, *, allow_build: bool = False) -> UvConfig:
    """Return the configuration for uv for the project in `root`.

    Raises NixpyError for a file that is not TOML, and for a value that starts programs.
    """
    files = list(uv_files(root, environ))
    merged: dict[str, Any] = {}
    no_binary: set[str] = set()
    for file in files:
        passed = _passed(file, allow_build=allow_build)
        pip = passed.pop("pip", {})
        _merge(merged, passed)
        if pip:
            _merge(merged.setdefault("pip", {}), pip)
        no_binary |= set(_no_binary(file.table))
    return UvConfig(
        settings=merged,
        no_binary=frozenset() if allow_build else frozenset(no_binary),
        environments=_environments(files),
        origin=" and ".join(str(file.path) for file in files) or "uv's settings",
    )


def uv_variables(environ: Mapping[str, str], *, allow_build: bool) -> dict[str, str]:
    """Return the environment for uv.

    It lacks the variables of uv that nixpy does not pass on.

    Raises NixpyError for a value that starts programs, and without `allow_build` for a file that could make uv build.
    """
    passed = {}
    for name, value in environ.items():
        if name.startswith("UV_"):
            row = _variable(name)
            if row is None or not value or (row.treatment == "build" and not allow_build):
                continue
            if row.treatment == "refuse" and not allow_build:
                hint = f"Unset {name}, or allow builds with --allow-build."
                raise IndexSettingError(f"{name} is refused: {row.reason}", hint=hint)
            if row.refused and value == row.refused:
                raise IndexSettingError(f"{name}={value} is refused: {row.reason}", hint="Write the value itself.")
        passed[name] = value
    return passed


def _variable(name: str) -> UvSetting | None:
    login = re.sub(r"^UV_INDEX_.+_(USERNAME|PASSWORD)$", r"UV_INDEX_*_\1", name)
    return known().get(("variable", login))


def _settings(file: UvFile) -> Iterator[tuple[UvSetting | None, str, str, Any]]:
    """Yield every setting of a file: its row, table, key and value.

    The row may be None. Settings in `pip` are yielded one by one.
    """
    for key, value in file.table.items():
        row = known().get(("top", key))
        if row and row.treatment == "table" and isinstance(value, dict):
            for inner, item in value.items():
                yield known().get(("pip", inner)), "pip", inner, item
        else:
            yield row, "top", key, value


def _passed(file: UvFile, *, allow_build: bool) -> dict[str, Any]:
    passed: dict[str, Any] = {}
    for row, table, key, value in _settings(file):
        if row is None or not _is_passed(row, file, allow_build=allow_build):
            continue
        if row.refused and value == row.refused:
            raise IndexSettingError(
                f"uv's setting `{key} = {inline(value)}` is refused: {row.reason}",
                hint="Write the value itself.",
                path=file.path,
                line=_line(file, table, key),
            )
        target = passed if table == "top" else passed.setdefault("pip", {})
        target[key] = _absolute(key, value, file.path.absolute().parent)
    return passed


def _is_passed(row: UvSetting, file: UvFile, *, allow_build: bool) -> bool:
    if row.treatment == "user":
        return not file.of_project
    return row.treatment == "pass" or (allow_build and row.treatment in {"build", "read"})


def _absolute(key: str, value: Any, folder: Path) -> Any:
    """Return a value with absolute paths.

    Relative ones start at the folder of their file.
    """
    if key == "index" and isinstance(value, list):
        return [
            {k: _place(v, folder) if k == "url" else v for k, v in one.items()} if isinstance(one, dict) else one
            for one in value
        ]
    if key in _PLACES:
        return [_place(one, folder) for one in value] if isinstance(value, list) else _place(value, folder)
    return value


def _place(value: Any, folder: Path) -> Any:
    if not isinstance(value, str) or _SCHEME.match(value):
        return value
    return os.path.normpath(folder / value)


def _merge(into: dict[str, Any], later: Mapping[str, Any]) -> None:
    """Add the settings of a later file.

    uv joins lists and tables, and keeps the first of other values.
    """
    for key, value in later.items():
        first = into.get(key)
        if isinstance(first, list) and isinstance(value, list):
            into[key] = [*first, *value]
        elif isinstance(first, dict) and isinstance(value, dict):
            into[key] = {**value, **first}
        else:
            into.setdefault(key, value)


def _no_binary(table: Mapping[str, Any]) -> Iterator[str]:
    pip = table.get("pip")
    if table.get("no-binary") is True:
        yield ":all:"
    for names in (table.get("no-binary-package"), pip.get("no-binary") if isinstance(pip, dict) else None):
        for name in names if isinstance(names, list) else ():
            if isinstance(name, str) and name != ":none:":
                yield name if name == ":all:" else canonicalize_name(name)


def _environments(files: Sequence[UvFile]) -> Marker | None:
    """Return a marker for the environments in the project's pyproject.toml, or None.

    uv accepts the key only in that file: in a uv.toml it is an error.
    """
    for file in files:
        listed = file.table.get("environments")
        if not file.of_project or file.path.name != "pyproject.toml" or listed is None:
            continue
        markers = [listed] if isinstance(listed, str) else listed
        try:
            return Marker(" or ".join(f"({Marker(marker)})" for marker in markers)) if markers else None
        except (InvalidMarker, TypeError):
            raise IndexSettingError(
                f"uv's setting `environments = {inline(listed)}` is not a list of markers",
                hint="Write it as `environments = [\"sys_platform == 'linux'\"]`.",
                path=file.path,
                line=_line(file, "top", "environments"),
            ) from None
    return None


def uv_diagnostics(
    root: Path, environ: Mapping[str, str] = os.environ, *, of_user: bool = False
) -> Iterator[Diagnostic]:
    """Yield a diagnostic for each setting that nixpy does not pass on to uv.

    The settings are those for the project in `root`.

    With `of_user`, the settings of the user and the machine count, too. Raises NixpyError for a file that is not TOML.
    """
    files = uv_files(root, environ) if of_user else filter(None, [uv_project_file(root)])
    for file in files:
        yield from _file_diagnostics(file)


def _file_diagnostics(file: UvFile) -> Iterator[Diagnostic]:
    for row, table, key, _ in _settings(file):
        name = f"pip.{key}" if table == "pip" else key
        place = f"{file.path.name if file.of_project else file.path}:{_line(file, table, key) or 1}"
        if row is None:
            yield Diagnostic(
                code="NIX210",
                message=f"{place}: nixpy does not know uv's setting `{name}`, and does not pass it on",
                hint="Check its spelling. If it is a setting of a newer uv, run `uv lock`; nixpy reads uv.lock.",
            )
        elif row.treatment == "apply" and file.path.name != "pyproject.toml":
            yield Diagnostic(
                code="NIX210",
                message=f"{place}: uv's setting `{name}` has no effect in this file",
                hint="Move it to [tool.uv] in pyproject.toml: uv reads it from that file only.",
            )
        elif row.treatment == "apply" and file.table.get("sources"):
            yield Diagnostic(
                code="NIX210",
                message=f"{place}: uv's setting `{name}` has no effect with `sources`: uv resolves for all systems",
                hint="Run `uv lock`; nixpy reads uv.lock.",
            )
        elif row.treatment == "ignore" or (row.treatment == "user" and file.of_project and row.key not in _QUIET):
            remedy = "Set it in your own uv.toml." if row.treatment == "user" else "Run `uv lock`; nixpy reads uv.lock."
            yield Diagnostic(
                code="NIX210", message=f"{place}: uv's setting `{name}` is not passed on: {row.reason}", hint=remedy
            )


_QUIET = ("cache-dir", "no-cache")  # they do not change what uv resolves


def _line(file: UvFile, table: str, key: str) -> int | None:
    keys = (*(("tool", "uv") if file.path.name == "pyproject.toml" else ()), *(("pip",) if table == "pip" else ()), key)
    return toml_line(read_text(file.path), *keys)
