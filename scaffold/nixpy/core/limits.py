"""Define the limits of what nixpy reads, each with its reason.

Other people write the files that nixpy reads. Without a limit, a small file can take all memory, all time, or the
stack of Python. Each limit is far above the size of real files: a file that passes one is damaged or hostile.
"""

from __future__ import annotations

import codecs
import json
import re
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nixpy.core.errors import ArgumentError, InputError

TEXT_SIZE = 64 << 20
"""Bytes of one text file. The lock of a project with a thousand packages has about 5 MB."""

DEPTH = 100
"""Levels of tables and lists in TOML and JSON. Locks have fewer than ten; Python allows about 1,000 nested calls."""

DIGITS = 1_000
"""Decimal digits in a row. Python refuses to convert more than 4,300, since that takes quadratic time (CVE-2020-10735);
a hash has at most 128 digits.
"""

BLANKS = 500
"""Blanks in a row in setup.cfg, pip.conf and the like, for which configparser takes quadratic time."""

INI_SIZE = 1 << 20
"""Characters of such a file. The longest setup.cfg has less than 100,000."""

NIX_SIZE = 1 << 20
"""Characters of a Nix file in which `doctor` looks for packages. The longest file of nixpkgs has about half of that."""

CODECS = frozenset({"idna", "punycode", "raw-unicode-escape", "undefined", "unicode-escape"})
"""Codecs of Python that nixpy refuses: they are not for text files, raise other errors, or take quadratic time."""

CHAIN = 100
"""Files, extras or groups that include each other in a row. Projects have fewer than ten."""

EXTRAS = 10_000
"""Times that a project's own extras are looked up under different markers. Projects have fewer than a hundred."""

PATH = 4_096
"""Bytes of a path: PATH_MAX of Linux. The system refuses longer ones."""

NAME = 255
"""Bytes of the name of a file or folder: NAME_MAX of Linux."""

ARGUMENT = 4_096
"""Characters of one argument on the command line: a path is no longer, and requirements have fewer than 200."""

DIRECTORY = 16 << 20
"""Bytes of the directory of a zip file, which zipfile holds in memory: the largest wheels of PyPI have about 2 MB."""

MEMBERS = 200_000
"""Files of a wheel or an sdist; the largest have about 40,000."""

UNPACKED = 32 << 30
"""Bytes of an unpacked wheel: four times the size of the largest ones."""

UNCHECKED = 256 << 20
"""Bytes that any wheel may unpack to, even a small one."""

RATIO = 200
"""Ratio of unpacked to packed size that a wheel may have above `UNCHECKED` bytes: programs have less than ten."""
MARKER_WORDS = 100
"""Extras that one marker of METADATA may name. The longest markers of packages on PyPI name about twenty."""

TAGS = 1_000
"""Tags that the name of a wheel expands to: interpreters times ABIs times platforms. The longest name on PyPI has about
a hundred.
"""

METADATA = 16 << 20
"""Bytes of METADATA, RECORD and the like. The longest README of a package on PyPI has less than 2 MB."""

FIELDS = 10_000
"""Fields in METADATA; the packages with the most requirements and extras have about a thousand."""

FIELD_NAMES = 200
"""Different names of fields in METADATA; the specification has about thirty, and email searches all fields for each."""

PAUSE = 30.0
"""Seconds that a server may ask nixpy to wait before the next attempt."""

RATE = 1 << 10
"""Minimum rate of a download in bytes a second, over each `RATE_SPAN`: slower links cannot fetch wheels at all."""

RATE_SPAN = 60.0
"""Seconds over which the rate of a download is measured: a link may be down for this long."""

HEADERS = 1 << 20
"""Bytes that a server may send before a body or between two pieces of it; the headers of a response have about 2 KB."""

RESOLUTION = 3_600.0
"""Seconds that uv may take when it builds nothing, since uv waits for slow indexes forever; large projects take one
minute.
"""

UNKNOWN_SIZE = 8 << 30
"""Bytes of a download if neither the lock nor the server states its size; the largest wheels have about 4 GB."""

SOURCE = 4 << 20
"""Bytes of one Python source. The longest sources on PyPI that are not data have about 1 MB."""

SOURCES = 256 << 20
"""Bytes of all sources of a wheel, which are in memory together. Those of the largest generated clients have half."""

PARSED = 32 << 20
"""Bytes of the sources of a wheel that nixpy parses to find out what imports a module: Python parses about 4 MB in a
second. The sources of most wheels together have less."""

IMPORTS = 10_000
"""Modules of other packages that nixpy lists for a wheel; the largest wheels import about a thousand."""

OWN_SOURCES = 50_000
"""Python files of a project in which nixpy looks for imports; the largest repositories have about 40,000."""

OWN_BYTES = 512 << 20
"""Bytes of these files together: the largest repositories have about 300 MB."""


_BRACKETS = re.compile(r"[()]")


def codec(name: str) -> str:
    """Return the name of a codec for the text of a file.

    Raises LookupError if Python has none or nixpy refuses it.
    """
    found = codecs.lookup(name).name
    if found in CODECS:
        raise LookupError(name)
    return found


class PastLimitError(ValueError):
    """A text or a document passes a limit."""


def parse_json(text: str | bytes) -> Any:
    """Return the JSON document in `text`.

    Raises ValueError if it is not JSON or passes a limit.
    """
    try:
        document = json.loads(text)
    except RecursionError:
        raise _too_deep() from None
    check_document(document)
    return document


def check_document(document: object) -> None:
    """Raise PastLimitError if a document passes a limit.

    Its tables and lists have more levels than `DEPTH`, or a string is too long.
    """
    level: list[object] = [document]
    for _ in range(DEPTH + 1):
        inner: list[object] = []
        for item in level:
            if isinstance(item, str):
                check_line(item)
            elif isinstance(item, dict):
                inner += item
                inner += item.values()
            elif isinstance(item, list):
                inner += item
        if not inner:
            return
        level = inner
    raise _too_deep()


def check_line(text: str) -> None:
    """Raise PastLimitError for a too long number or too many nested brackets.

    The parser of markers is recursive: it calls itself for each bracket.
    """
    if len(text) > DIGITS and long_number(text) is not None:
        raise PastLimitError(f"it has a number of more than {DIGITS:,} digits")
    if text.count("(") > DEPTH:
        depth = 0
        for bracket in _BRACKETS.findall(text):
            depth = max(depth + (1 if bracket == "(" else -1), 0)
            if depth > DEPTH:
                raise PastLimitError(f"it has brackets in more than {DEPTH} levels")


def check_argument(text: str) -> None:
    """Raise NixpyError for a command-line argument that passes a limit.

    The message quotes its first characters.
    """
    reason = f"it has more than {ARGUMENT:,} characters" if len(text) > ARGUMENT else ""
    try:
        check_line(text[:ARGUMENT])
    except PastLimitError as error:
        reason = str(error)
    if reason:
        start = text[:40].partition("://")[0]  # an address may hold a secret
        raise ArgumentError(f"`{start}…` is not read: {reason}", hint="Check how the argument is quoted.")


def _too_deep() -> PastLimitError:
    return PastLimitError(f"its tables and lists have more than {DEPTH} levels")


def long_number(text: str) -> int | None:
    """Return the index of the first run of more than `DIGITS` digits, or None."""
    return _long_run(text, DIGITS, str.isdecimal)


def _long_run(text: str, most: int, is_member: Callable[[str], bool]) -> int | None:
    """Return the index of the first run of more than `most` such characters, or None."""
    # Such a run covers a multiple of `most`, so that nixpy looks at few characters.
    for place in range(0, len(text), most):
        if is_member(text[place]):
            start = end = place
            while start and is_member(text[start - 1]) and end - start <= most:
                start -= 1
            while end < len(text) and is_member(text[end]) and end - start <= most:
                end += 1
            if end - start > most:
                return start
    return None


def check_blanks(text: str, path: Path | str) -> None:
    """Raise NixpyError, with the line, for a long run of blanks.

    configparser takes quadratic time for it.
    """
    place = _long_run(text, BLANKS, lambda char: char.isspace() and char != "\n")
    if place is not None or len(text) > INI_SIZE:
        what = "this file is absurdly large" if place is None else f"this line has more than {BLANKS} blanks in a row"
        line = None if place is None else text.count("\n", 0, place) + 1
        raise InputError(f"{what} and is not read", hint="Shorten it.", path=path, line=line)


def check_text(text: str, path: Path | str) -> None:
    """Raise NixpyError, with the line, for a number of too many digits.

    The limit is `DIGITS`.
    """
    if (place := long_number(text)) is not None:
        raise InputError(
            f"this number has more than {DIGITS:,} digits",
            hint="Correct it: nixpy reads no number of this length.",
            path=path,
            line=text.count("\n", 0, place) + 1,
        )
