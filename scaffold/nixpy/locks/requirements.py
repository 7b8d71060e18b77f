"""Read requirements files as pip reads them.

Source: pip's "Requirements File Format" reference.
"""

from __future__ import annotations

import argparse
import os
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import NoReturn

from packaging.specifiers import SpecifierSet
from packaging.utils import canonicalize_name

from nixpy.core import limits
from nixpy.core.errors import InputError, NixpyError
from nixpy.core.urls import file_path
from nixpy.locks.requirement_lines import (
    Location,
    RequirementLine,
    decoded,
    is_url,
    logical_lines,
    requirement_line,
)

__all__ = ["RequirementLine", "RequirementsFile", "RequirementsOptions", "read"]

_VARIABLE = re.compile(r"\$\{([A-Z0-9_]+)\}")
_HASH = re.compile(r"sha256:[0-9a-f]{64}|sha384:[0-9a-f]{96}|sha512:[0-9a-f]{128}")
_FLAGS = ("no_index", "pre")
_BY_NAME = ("no_binary", "only_binary", "all_releases")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementsOptions:
    """The options about indexes and the choice of files.

    URLs may contain credentials: never show them.
    """

    index_url: str | None = field(default=None, repr=False)
    extra_index_urls: tuple[str, ...] = field(default=(), repr=False)
    find_links: tuple[str, ...] = field(default=(), repr=False)  # URLs and absolute paths
    no_index: bool = False
    pre: bool = False
    all_releases: frozenset[str] = frozenset()  # normalised names, or `:all:`, as in the next two
    no_binary: frozenset[str] = frozenset()
    only_binary: frozenset[str] = frozenset()


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementsFile:
    """A requirements file with all that it includes.

    `files` is every file read, the first being `path`.

    `secrets` maps expanded values to their `${NAME}`, to remove them from texts that are shown. A file that is `whole`
    has every package that its tool installs; the tool reads no requirements of these packages. A file of pip
    names no Python, so its `requires_python` is None.
    """

    path: Path
    requirements: tuple[RequirementLine, ...]
    constraints: tuple[RequirementLine, ...]
    files: tuple[Path, ...]
    options: RequirementsOptions
    secrets: Mapping[str, str] = field(repr=False)
    whole: bool = False
    requires_python: SpecifierSet | None = None

    @property
    def index_urls(self) -> tuple[str, ...]:
        """The addresses of indexes and links that the file names.

        They may contain credentials.
        """
        first = (self.options.index_url,) if self.options.index_url else ()
        return (*first, *self.options.extra_index_urls, *self.options.find_links)

    def canonical(self) -> tuple[str, ...]:
        """Return the requirements as canonical text.

        It is sorted, and equal if and only if the requirements are the same.

        It has neither indexes nor credentials. Addresses have variables by their name.
        """
        lines = {line.canonical() for line in self.requirements}
        lines |= {f"constraint {line.canonical()}" for line in self.constraints}
        lines |= {f"--no-binary {name}" for name in self.options.no_binary}
        lines |= {f"--only-binary {name}" for name in self.options.only_binary}
        lines |= {f"--all-releases {name}" for name in self.options.all_releases}
        lines |= {"--pre"} if self.options.pre else set()
        return tuple(sorted(lines))


def read(
    path: Path, *, root: Path | None = None, environ: Mapping[str, str] = os.environ, named: bool = False
) -> RequirementsFile:
    """Read the requirements file `path` and the files that it includes.

    `-r` and `-c` are relative to the including file, as in pip. Local wheels and folders are relative to `root`, the
    folder in which pip and uv run (by default that of `path`); if nothing exists there, to the file that names them. A
    file that the user has `named` on the command line may be a FIFO. Raises NixpyError, with file and line, for a file
    that cannot be read or parsed, and for a file that includes itself.
    """
    reader = _Reader((root or path.parent).absolute(), environ, named=named)
    reader.read(path, constraint=False)
    return RequirementsFile(
        path=path,
        requirements=tuple(reader.requirements),
        constraints=tuple(reader.constraints),
        files=tuple(dict.fromkeys(file for file, _ in reader.seen)),
        options=RequirementsOptions(
            index_url=reader.index_url,
            extra_index_urls=tuple(reader.extra_index_urls),
            find_links=tuple(reader.find_links),
            no_index="no_index" in reader.flags,
            pre="pre" in reader.flags,
            all_releases=frozenset(reader.by_name["all_releases"]),
            no_binary=frozenset(reader.by_name["no_binary"]),
            only_binary=frozenset(reader.by_name["only_binary"]),
        ),
        secrets=reader.secrets,
    )


# argparse takes `--` as the end of the options, also as a value, and then returns an empty list for the value.
_NO_VALUE = re.compile(r"(?:-\w=?|--[\w-]+=)?--")


class _Parser(argparse.ArgumentParser):
    def parse_words(self, words: Sequence[str]) -> tuple[argparse.Namespace, list[str]]:
        """Return the options and the other words.

        Raises ValueError for an option without its value.
        """
        if any(map(_NO_VALUE.fullmatch, words)):
            self.error("expected one argument")
        return self.parse_known_args(words)

    def error(self, message: str) -> NoReturn:
        raise ValueError(message)


@cache
def _parser() -> _Parser:
    """Return a parser for the options that pip allows in a requirements file.

    `ignored` do not affect the choice.
    """
    parser = _Parser(add_help=False, allow_abbrev=False)
    for names in (
        "-r --requirement",
        "-c --constraint",
        "-e --editable",
        "-f --find-links",
        "--extra-index-url",
        "--no-binary",
        "--only-binary",
        "--all-releases",
        "--hash",
    ):
        parser.add_argument(*names.split(), action="append", default=[])
    parser.add_argument("-i", "--index-url")
    for flag in _FLAGS:
        parser.add_argument("--" + flag.replace("_", "-"), action="store_true")
    for flag in ("--prefer-binary", "--require-hashes", "--no-require-hashes"):
        parser.add_argument(flag, action="store_true", dest="ignored")
    for names in (
        "--trusted-host",
        "--use-feature",
        "-C --config-settings --config-setting",
        "--global-option",
        "--only-final",
    ):
        parser.add_argument(*names.split(), dest="ignored")
    return parser


def _named(path: Path, at: Location | None) -> str:
    """Return the name of a file in a form that is safe to show.

    The name of a file that a foreign file includes is a part of that file.
    """
    return at.shown if at and at.foreign else str(path)


class _Reader:
    """Reads one file and those it includes.

    It collects their requirements and options.
    """

    def __init__(self, root: Path, environ: Mapping[str, str], *, named: bool) -> None:
        from nixpy.core.programs import checkout  # not needed for a project with a lock

        self._root = root
        self._tree = checkout(root)
        self._named = named
        self._environ = environ
        self._parser = _parser()
        self.requirements: list[RequirementLine] = []
        self.constraints: list[RequirementLine] = []
        self.seen: dict[tuple[Path, bool], None] = {}
        self.secrets: dict[str, str] = {}
        self.index_url: str | None = None
        self.extra_index_urls: list[str] = []
        self.find_links: list[str] = []
        self.flags: set[str] = set()
        self.by_name: dict[str, set[str]] = {kind: set() for kind in _BY_NAME}

    def read(
        self, path: Path, *, constraint: bool, including: tuple[Path, ...] = (), at: Location | None = None
    ) -> None:
        """Read one file.

        `including` are the files that include it in turn, `at` is the line that includes it.
        """
        real = path.resolve()
        if at and real in including:
            raise at.error(f"`{at.shown}` leads back to a file that is being read", "Remove this line.")
        if at and len(including) >= limits.CHAIN:
            raise at.error(
                f"`{at.shown}` is the end of a chain of {limits.CHAIN} files that include each other",
                "Include the last file directly.",
            )
        if (real, constraint) in self.seen:
            return
        self.seen[real, constraint] = None
        try:
            text = decoded(path, named=self._named and at is None)
        except OSError as error:
            problem = f"`{_named(path, at)}` cannot be read: {error.strerror}"
            if at:
                raise at.error(problem, "Correct the name; it is relative to this file's folder.") from None
            raise InputError(problem, hint="Check the name of the requirements file.", path=path) from None
        except NixpyError as error:
            if at and error.line is None:
                raise at.error(
                    f"`{_named(path, at)}` cannot be read: {error.message}", error.hint or "Include another."
                ) from None
            raise
        foreign = not (self._named and at is None) and not real.is_relative_to(self._tree)
        for number, raw in logical_lines(text):
            self._line(Location(path=path, line=number, raw=raw, foreign=foreign), constraint, (*including, real))

    def _line(self, where: Location, constraint: bool, including: tuple[Path, ...]) -> None:
        if "\0" in where.raw:
            raise where.error("this line has a NUL character", "Remove it.")
        try:
            limits.check_line(where.raw)
        except limits.PastLimitError as error:
            raise where.error(f"this line cannot be read: {error}", "Correct it.") from None
        raw, raw_options = _parted(where.raw)
        head, option_text = _parted(_VARIABLE.sub(self._value, where.raw))
        options = self._options(where, option_text)
        hashes = _hashes(where, options.hash, head)
        lines = self.constraints if constraint else self.requirements
        if head:
            lines.append(requirement_line(where, head, raw, self._root, hashes=hashes))
            return
        editables = zip(options.editable, self._options(where, raw_options).editable, strict=True)
        lines += [requirement_line(where, text, raw, self._root, editable=True) for text, raw in editables]
        self._note(where, options)
        nested = [(name, False) for name in options.requirement] + [(name, True) for name in options.constraint]
        for name, as_constraint in nested:
            local = file_path(name)
            if local is None and is_url(name):
                raise where.error(
                    f"`{where.shown}` is on a server, and nixpy reads local requirements files only",
                    "Save it next to this file and include the copy.",
                )
            path = where.path.parent / (local or name)
            self.read(path, constraint=as_constraint, including=including, at=where)

    def _value(self, match: re.Match[str]) -> str:
        value = self._environ.get(match[1])
        if not value:
            return match[0]  # pip, too, keeps an unset or empty variable as it is
        self.secrets[value] = match[0]
        return value

    def _options(self, where: Location, text: str) -> argparse.Namespace:
        try:
            options, rest = self._parser.parse_words(shlex.split(text))
        except ValueError:
            raise where.error(
                f"the options in `{where.shown}` cannot be read",
                "Give every option its value and close every quote.",
            ) from None
        if rest:
            kind = "an unknown option" if rest[0].startswith("-") else "text after an option's value"
            raise where.error(
                f"there is {kind} in `{where.shown}`",
                "Remove it, or move it to the configuration of pip or uv.",
            )
        return options

    def _note(self, where: Location, options: argparse.Namespace) -> None:
        for address in (options.index_url or "", *options.extra_index_url, *options.find_links):
            where.check(address)
        self.index_url = options.index_url or self.index_url
        self.extra_index_urls += options.extra_index_url
        self.find_links += [
            # An address without a scheme keeps its form, so that messages hide its login.
            link
            if is_url(link) or (link.startswith("//") and "@" in link)
            else str((where.path.parent / link).resolve())
            for link in options.find_links
        ]
        self.flags |= {flag for flag in _FLAGS if getattr(options, flag)}
        for kind, names in self.by_name.items():
            for name in ",".join(getattr(options, kind)).split(","):
                if name == ":none:":
                    names.clear()
                elif name:
                    names.add(name if name == ":all:" else canonicalize_name(name))


def _parted(text: str) -> tuple[str, str]:
    """Split a line before its first option, as pip does.

    An option is a word that begins with a dash.
    """
    words = text.split(" ")
    first = next((i for i, word in enumerate(words) if word.startswith("-")), len(words))
    return " ".join(words[:first]).strip(), " ".join(words[first:])


def _hashes(where: Location, values: list[str], head: str) -> frozenset[str]:
    hashes = frozenset(value.lower() for value in values)
    if hashes and not head:
        raise where.error(
            "this hash belongs to no requirement",
            "Put it on its requirement's line; a comment line ends a continuation.",
        )
    for value in hashes:
        if not _HASH.fullmatch(value):
            told = where.shown if where.foreign else f"--hash={value}"
            raise where.error(f"`{told}` is not a hash pip allows", "Write --hash=sha256: and its 64 digits.")
    return hashes
