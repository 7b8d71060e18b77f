"""Read the index settings of uv and pip.

They come from environment variables and configuration files.
"""

from __future__ import annotations

import configparser
import os
import re
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from nixpy.core import limits
from nixpy.core.errors import IndexSettingError
from nixpy.core.read_file import is_folder, read_bytes
from nixpy.core.toml_file import load_toml
from nixpy.core.urls import file_path

UV_INDEX_KEYS = ("index", "index-url", "extra-index-url", "find-links", "no-index")
_UV_INDEX_VARIABLES = ("UV_DEFAULT_INDEX", "UV_INDEX", "UV_INDEX_URL", "UV_EXTRA_INDEX_URL", "UV_FIND_LINKS")
_UV_CERTIFICATE_KEYS = ("system-certs", "native-tls")
_UV_CERTIFICATE_VARIABLES = ("SSL_CERT_FILE", "SSL_CERT_DIR", "UV_SYSTEM_CERTS", "UV_NATIVE_TLS")
_SYSTEM = Path("/etc")
_NAMED = re.compile(r"(?P<name>[A-Za-z0-9._-]+)=(?P<url>.+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class UvIndexes:
    """uv's own index settings.

    `indexes` are pairs of name and URL, which are never shown. `default` is the index that replaces PyPI, with its name
    before it if it has one.
    """

    indexes: tuple[tuple[str | None, str], ...] = field(default=(), repr=False)
    default: str | None = field(default=None, repr=False)
    configured: bool = False  # uv has index settings of its own
    certificates: bool = False  # uv knows which certificates to trust


def _default_indexes(table: Mapping[str, Any]) -> Iterator[str]:
    indexes = table.get("index")
    for index in indexes if isinstance(indexes, list) else []:
        if isinstance(index, dict) and index.get("default") is True and isinstance(index.get("url"), str):
            name = index.get("name")
            yield f"{name}={index['url']}" if isinstance(name, str) else index["url"]
    if isinstance(table.get("index-url"), str):
        yield table["index-url"]


@dataclass(frozen=True, slots=True, kw_only=True)
class PipIndexes:
    """pip's index settings as `pip install` merges them.

    Local folders that do not exist are left out.
    """

    index_url: str | None = field(default=None, repr=False)
    extra_index_urls: tuple[str, ...] = field(default=(), repr=False)
    find_links: tuple[str, ...] = field(default=(), repr=False)
    certificates: Path | None = None
    client_certificate: Path | None = None


def uv_indexes(root: Path, environ: Mapping[str, str]) -> UvIndexes:
    """Return the index settings of uv for the project in `root`.

    They come from variables, then from project, user and system files.

    Follows uv's documentation of its configuration files. Raises NixpyError for a file that is not TOML.
    """
    tables = [file.table for file in uv_files(root, environ)]
    tables += [table["pip"] for table in tables if isinstance(table.get("pip"), dict)]
    found = [*_uv_variables(environ), *(entry for table in tables for entry in _uv_table(table))]
    return UvIndexes(
        indexes=tuple(found),
        default=environ.get("UV_DEFAULT_INDEX")
        or environ.get("UV_INDEX_URL")
        or next((url for table in tables for url in _default_indexes(table)), None),
        configured=any(environ.get(name) for name in _UV_INDEX_VARIABLES)
        or any(key in table for table in tables for key in UV_INDEX_KEYS),
        certificates=any(environ.get(name) for name in _UV_CERTIFICATE_VARIABLES)
        or any(table.get(key) for table in tables for key in _UV_CERTIFICATE_KEYS),
    )


def _uv_variables(environ: Mapping[str, str]) -> Iterator[tuple[str | None, str]]:
    for variable in _UV_INDEX_VARIABLES:
        separator = "," if variable == "UV_FIND_LINKS" else None
        for text in environ.get(variable, "").split(separator):
            named = _NAMED.fullmatch(text)
            yield (named["name"], named["url"]) if named else (None, text)


def _uv_table(table: Mapping[str, Any]) -> Iterator[tuple[str | None, str]]:
    indexes = table.get("index")
    for index in indexes if isinstance(indexes, list) else []:
        if isinstance(index, dict) and isinstance(index.get("url"), str):
            name = index.get("name")
            yield name if isinstance(name, str) else None, index["url"]
    for key in ("index-url", "extra-index-url", "find-links"):
        value = table.get(key)
        for url in value if isinstance(value, list) else [value]:
            if isinstance(url, str):
                yield None, url


@dataclass(frozen=True, slots=True, kw_only=True)
class UvFile:
    """The settings of uv in one file.

    `of_project`: the file belongs to the project, not to the user or machine.
    """

    path: Path
    table: Mapping[str, Any] = field(repr=False)
    of_project: bool = False


def uv_files(root: Path, environ: Mapping[str, str]) -> Iterator[UvFile]:
    """Yield the files that uv reads for the project in `root`.

    The first ones take precedence.

    Raises NixpyError for a file that is not TOML.
    """
    if explicit := environ.get("UV_CONFIG_FILE"):
        path = Path(explicit)
        inside = path.resolve().is_relative_to(root.resolve())
        yield UvFile(path=path, table=load_toml(path), of_project=inside)
        return
    if is_on(environ.get("UV_NO_CONFIG")):
        return
    if (project := uv_project_file(root)) is not None:
        yield project
    home = _home(environ)
    user = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "uv" / "uv.toml"
    shared = (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")
    system = [Path(folder) / "uv" / "uv.toml" for folder in (*shared, str(_SYSTEM))]
    for candidates in ([user], [] if is_on(environ.get("UV_NO_SYSTEM_CONFIG")) else system):
        if (shared_file := next((path for path in candidates if path.is_file()), None)) is not None:
            yield UvFile(path=shared_file, table=load_toml(shared_file))


def is_on(value: str | None) -> bool:
    """Return whether uv takes this value of a boolean variable as true.

    uv ends with an error for a value that is neither true nor false; here such a value is false.
    """
    return (value or "").lower() in {"1", "on", "t", "true", "y", "yes"}


def uv_project_file(root: Path) -> UvFile | None:
    """Return the settings of the nearest folder that has any, or of its workspace."""
    nearest: UvFile | None = None
    for folder in (root.resolve(), *root.resolve().parents):
        pyproject, uv_toml = folder / "pyproject.toml", folder / "uv.toml"
        tool = load_toml(pyproject).get("tool", {}) if pyproject.is_file() else {}
        table = tool.get("uv") if isinstance(tool, dict) else None
        own = uv_toml.is_file()
        settings = load_toml(uv_toml) if own else table
        if not isinstance(settings, dict):
            continue
        found = UvFile(path=uv_toml if own else pyproject, table=settings, of_project=True)
        if isinstance(table, dict) and "workspace" in table:
            return found
        nearest = found if nearest is None else nearest
    return nearest


def pip_indexes(root: Path, environ: Mapping[str, str]) -> PipIndexes:
    """Return pip's settings for the project in `root`.

    The sources are, the last one taking precedence, the pip.conf of the system, the user and the virtual environment,
    PIP_CONFIG_FILE, and PIP_ variables; in files, `[install]` takes precedence over `[global]` (pip's documentation,
    "Configuration"). Raises NixpyError for a file that pip cannot read either.
    """
    values: dict[str, str] = {}
    sections = [_sections(path) for path in _pip_files(root, environ)]
    for section in ("global", "install"):
        merged = {key: value for file in sections for key, value in file.get(section, {}).items()}
        values |= {key: value for key, value in merged.items() if value}
    values |= {
        key.removeprefix("PIP_").lower().replace("_", "-"): value
        for key, value in environ.items()
        if key.startswith("PIP_") and value
    }
    locations = {
        key: tuple(place for text in values.get(key, "").split() if (place := _place(text, root)))
        for key in ("extra-index-url", "find-links")
    }
    return PipIndexes(
        index_url=values.get("index-url") or None,
        extra_index_urls=locations["extra-index-url"],
        find_links=locations["find-links"],
        certificates=_path(values.get("cert")),
        client_certificate=_path(values.get("client-cert")),
    )


def _pip_files(root: Path, environ: Mapping[str, str]) -> list[Path]:
    explicit = environ.get("PIP_CONFIG_FILE", "")
    if explicit == os.devnull:
        return []
    home = _home(environ)
    shared = [Path(folder) / "pip" for folder in (environ.get("XDG_CONFIG_DIRS") or "/etc/xdg").split(":")]
    user = Path(environ.get("XDG_CONFIG_HOME") or home / ".config") / "pip"
    if sys.platform == "darwin":
        shared = [Path("/Library/Application Support/pip")]
        library = home / "Library" / "Application Support" / "pip"
        user = library if library.is_dir() else user
    folders = [*shared, _SYSTEM]
    if not (explicit and Path(explicit).is_file()):
        folders += [home / ".pip", user]
    folders.append(Path(environ.get("VIRTUAL_ENV") or root / ".venv"))
    return [folder / "pip.conf" for folder in folders] + ([Path(explicit)] if explicit else [])


def _sections(path: Path) -> dict[str, dict[str, str]]:
    parser = configparser.RawConfigParser()
    try:
        text = read_bytes(path).decode()
        if "\0" in text:
            raise IndexSettingError("pip's configuration file has a NUL character", hint="Remove it.", path=path)
        limits.check_blanks(text, path)
        parser.read_string(text)
    except OSError:  # missing or not readable: pip continues without it, too
        return {}
    except (configparser.Error, UnicodeDecodeError) as error:
        # The message quotes neither the error nor the line, which may contain a password.
        line = getattr(error, "lineno", None) or next(iter(getattr(error, "errors", [])), (None,))[0]
        raise IndexSettingError(
            "pip's configuration file cannot be read", hint="Correct that line.", path=path, line=line
        ) from None
    return {
        section: {key.lstrip("-").replace("_", "-"): value for key, value in parser.items(section)}
        for section in parser.sections()
    }


def _place(text: str, root: Path) -> str | None:
    """Return a URL unchanged, a local folder as an absolute path, or None.

    Returns None if the folder does not exist.
    """
    if path := file_path(text):
        return text if is_folder(path) else None
    if "://" in text:
        return text
    folder = root.absolute() / _expanded(text)
    return str(folder) if is_folder(folder) else None


def _path(text: str | None) -> Path | None:
    return _expanded(text) if text else None


def _expanded(text: str) -> Path:
    """Return a path of pip's settings with `~` expanded to a home folder."""
    try:
        return Path(text).expanduser()
    except RuntimeError:
        message = f"`{text}` in the settings of pip is in the home folder of a user that this machine does not know"
        raise IndexSettingError(message, hint="Write the whole path.") from None


def _home(environ: Mapping[str, str]) -> Path:
    return Path(environ.get("HOME") or Path.home())
