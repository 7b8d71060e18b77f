"""Parse the lines of a requirements file, as pip does.

Lines are decoded and joined, and each requirement is parsed.
"""

from __future__ import annotations

import codecs
import os
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from packaging.markers import InvalidMarker, Marker
from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import (
    InvalidSdistFilename,
    InvalidWheelFilename,
    canonicalize_name,
    parse_sdist_filename,
)

from nixpy.core import limits
from nixpy.core.conflict import refuse_conflict
from nixpy.core.errors import InputError, NixpyError
from nixpy.core.read_file import exists, read_bytes
from nixpy.core.requirement import canonical_requirement
from nixpy.core.urls import file_name, file_path, plain, shown_text, split
from nixpy.core.wheel_name import parse_wheel_filename

_BOMS = {  # the longer ones first: UTF-32's begins with UTF-16's
    codecs.BOM_UTF32_LE: "utf-32",
    codecs.BOM_UTF32_BE: "utf-32",
    codecs.BOM_UTF8: "utf-8-sig",
    codecs.BOM_UTF16_LE: "utf-16",
    codecs.BOM_UTF16_BE: "utf-16",
}
_COOKIE = re.compile(rb"#.*?coding[:=][ \t]*([-\w.]+)")  # PEP 263
_COMMENT = re.compile(r"(?:^|\s)#.*", re.DOTALL)
_URL = re.compile(r"(?:https?|ftp|file|(?:git|hg|svn|bzr)\+[a-z]+):", re.IGNORECASE)
_NAMED = re.compile(
    r"(?P<name>[A-Za-z0-9][\w.-]*+)\s*+(?:\[(?P<extras>[^\]]*)\]\s*+)?@\s*+(?P<address>\S++)(?P<rest>.*)"
)
_EXTRAS = re.compile(r"(?P<head>.+)\[(?P<extras>[^\[\]]*)\]")
_ARCHIVE = re.compile(r"\.(?:whl|zip|tgz|tar\.(?:gz|bz2|xz))(?:\[[^\[\]]*\])?$", re.IGNORECASE)
_EGG = re.compile(r"(?:^|&)egg=(?P<name>[\w.-]+)(?:\[(?P<extras>[^\]]*)\])?")


@dataclass(frozen=True, slots=True, kw_only=True)
class Location:
    """A logical line: its place, and its text for messages.

    The text has unexpanded variables. A `foreign` file is outside of the checkout: whoever wrote the project may have
    named one that holds secrets.
    """

    path: Path
    line: int
    raw: str
    foreign: bool = False

    @property
    def shown(self) -> str:
        """The line in a form that is safe to show.

        It has unexpanded variables, and no credentials and queries.

        Nothing of the line of a foreign file is shown.
        """
        return "…" if self.foreign else shown_text(self.raw)

    def error(self, message: str, hint: str) -> NixpyError:
        """Return the error that names this line."""
        return InputError(message, hint=hint, path=self.path, line=self.line)

    def check(self, address: str) -> None:
        """Raise an error with this line if an address is a malformed URL."""
        try:
            if is_url(address):
                split(address)
        except NixpyError as error:
            raise self.error(f"`{self.shown}` has an address that is not a URL", error.hint or "") from None


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementLine:
    """One requirement or constraint of a requirements file.

    `requirement` has name, extras, specifier and marker; it is None if only the file at `local` or `url` has the name.
    `local` (absolute) or `url` is the source, if it is not an index. `text` is the line as written, with unexpanded
    variables and without credentials; `address` is the source in the same form, relative to the root. The other fields
    may contain secrets. `hashes` are `sha256:…` and the like.
    """

    text: str
    path: Path
    line: int
    address: str | None = None
    requirement: Requirement | None = field(default=None, repr=False)
    url: str | None = field(default=None, repr=False)
    local: Path | None = field(default=None, repr=False)
    editable: bool = False
    extras: frozenset[str] = field(default=frozenset(), repr=False)
    marker: Marker | None = field(default=None, repr=False)
    hashes: frozenset[str] = frozenset()

    def canonical(self) -> str:
        """Return a canonical text of the line.

        It does not depend on order, spacing, comments or spelling.
        """
        if self.address is None and self.requirement:
            text = canonical_requirement(self.requirement)
        else:
            name = canonicalize_name(self.requirement.name) if self.requirement else ""
            extras = ",".join(sorted(canonicalize_name(extra) for extra in self.extras))
            text = f"{name}[{extras}] @ {self.address}" + (f" ; {self.marker}" if self.marker else "")
        return " ".join([*["-e"][: self.editable], text, *(f"--hash={value}" for value in sorted(self.hashes))])


def decoded(path: Path, *, named: bool = False) -> str:
    """Decode a file by its byte order mark, else by its PEP 263 cookie, else as UTF-8.

    A `named` file may be a FIFO, as for `read_bytes`. Raises OSError, and NixpyError with the line if the bytes do not
    have that encoding.
    """
    raw = read_bytes(path, named=named)
    encoding = next((name for bom, name in _BOMS.items() if raw.startswith(bom)), None)
    if encoding is None:
        cookies = (_COOKIE.match(line) for line in raw.split(b"\n", 2)[:2])
        encoding = next((found[1].decode() for found in cookies if found), "utf-8")
    try:
        text = raw.decode("utf-8" if encoding == "utf-8" else limits.codec(encoding))
    except (UnicodeError, LookupError) as error:
        line = raw.count(b"\n", 0, error.start) + 1 if isinstance(error, UnicodeDecodeError) else 1
        hint = "Save it as UTF-8, or name its encoding in the first line: `# -*- coding: latin-1 -*-`."
        raise InputError(f"this file is not {encoding}", hint=hint, path=path, line=line) from None
    limits.check_text(text, path)
    refuse_conflict(text, path)
    return text


def logical_lines(text: str) -> Iterator[tuple[int, str]]:
    r"""Yield each line with content and its number.

    Continuations with `\` are joined, and comments are removed.
    """
    pending: list[str] = []
    start = 0
    for number, line in enumerate(text.splitlines(), start=1):
        comment = line.lstrip().startswith("#")
        start = start if pending else number
        # A comment line ends a continuation; the space keeps its `#` from joining the word before it.
        pending.append(f" {line}" if comment else line.removesuffix("\\"))
        if not line.endswith("\\") or comment:
            yield from _content(start, pending)
            pending = []
    yield from _content(start, pending)


def _content(number: int, parts: list[str]) -> Iterator[tuple[int, str]]:
    if content := _COMMENT.sub("", "".join(parts)).strip():
        yield number, content


def is_url(text: str) -> bool:
    """Return whether pip treats this text as an address and not as a name or a path."""
    return bool(_URL.match(text))


def requirement_line(
    where: Location,
    text: str,
    raw: str,
    root: Path,
    *,
    hashes: frozenset[str] = frozenset(),
    editable: bool = False,
) -> RequirementLine:
    """Return the line for one requirement.

    A requirement is a name, `name @ address`, an address, or a path.

    `text` has no options and expanded variables, `raw` unexpanded ones. Raises NixpyError for any other text, and for a
    malformed URL.
    """
    try:
        address, name, extras, marker = _split(text, editable=editable)
        if address is None:
            requirement: Requirement | None = Requirement(text)
        else:
            joined = f"[{','.join(extras)}]" if extras else ""
            requirement = Requirement(name + joined + (f" ; {marker}" if marker else "")) if name else None
        condition = Marker(marker) if marker else None
    except (InvalidRequirement, InvalidMarker):
        hint = "Write a name with versions (numpy>=2), `name @ URL`, or the path of a wheel or folder (./x)."
        if "${" in text:
            hint = "Set its environment variable; names are in capitals, as in ${NAME}."
        raise where.error(f"`{where.shown}` is not a requirement", hint) from None
    where.check(address or "")
    local = _local(where, address, root) if address else None
    return RequirementLine(
        text=where.shown,
        path=where.path,
        line=where.line,
        address=_address(raw, local, root, editable=editable) if address else None,
        requirement=requirement,
        url=None if local else address,
        local=local,
        editable=editable,
        extras=frozenset(extras if address or requirement is None else requirement.extras),
        marker=requirement.marker if requirement else condition,
        hashes=hashes,
    )


def _split(text: str, *, editable: bool) -> tuple[str | None, str | None, tuple[str, ...], str]:
    """Return address, name, extras and marker of a requirement.

    The address is None for a plain name.
    """
    if named := _NAMED.fullmatch(text):
        rest = named["rest"].strip()
        if rest and not rest.startswith(";"):
            raise InvalidRequirement(rest)
        return named["address"], named["name"], _names(named["extras"]), rest.removeprefix(";").strip()
    # A URL may contain a `;`: the one before a marker has a space next to it.
    head, *rest = (part.strip() for part in re.split(r"(?<=\s);|;(?=\s)" if is_url(text) else ";", text, maxsplit=1))
    if not (editable or is_url(head) or head.startswith(".") or os.sep in head or _ARCHIVE.search(head)):
        return None, None, (), ""
    marker = rest[0].strip() if rest else ""
    if egg := _EGG.search(head.partition("#")[2]):
        return head if is_url(head) else head.partition("#")[0], egg["name"], _names(egg["extras"]), marker
    extras: tuple[str, ...] = ()
    if found := _EXTRAS.fullmatch(head):
        head, extras = found["head"], _names(found["extras"])
    return head, _name(head), extras, marker


def _names(extras: str | None) -> tuple[str, ...]:
    return tuple(name.strip() for name in (extras or "").split(",") if name.strip())


def _name(address: str) -> str | None:
    """Return the package name in the file name of a wheel or sdist, or None."""
    filename = file_name(address)
    try:
        if filename.endswith(".whl"):
            return parse_wheel_filename(filename)[0]
        return parse_sdist_filename(filename)[0]
    except (InvalidWheelFilename, InvalidSdistFilename):
        return None


def _local(where: Location, address: str, root: Path) -> Path | None:
    """Return the absolute path of an address on this machine.

    The path is relative to the folder in which pip and uv run, usually the root; if nothing exists there, to the file.
    """
    if is_url(address) and not address.lower().startswith("file:"):
        return None
    path = file_path(address) or Path(address)
    at_file = where.path.absolute().parent / path
    at_root = root / path
    return Path(os.path.normpath(at_file if exists(at_file) and not exists(at_root) else at_root))


def _address(raw: str, local: Path | None, root: Path, *, editable: bool) -> str:
    """Return the source of a requirement, without secrets and paths of this machine."""
    written = _split(raw, editable=editable)[0]
    if written is None or (local and "${" in written):
        return " ".join(plain(raw).split())
    return Path(os.path.relpath(local, root)).as_posix() if local else plain(written)
