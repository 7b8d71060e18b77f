"""List the modules of other packages that the sources of a wheel import.

All sources of all wheels go through here, so nixpy does not parse them: it looks for lines that begin with an import.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping

from nixpy.core import limits
from nixpy.needs.sources.modules import is_test, module_name

_NAME = rb"[A-Za-z_]\w*"
_IMPORT = re.compile(
    rb"^[ \t]*(?:from[ \t]+(" + _NAME + rb"(?:\." + _NAME + rb")*)[ \t]+import[ \t]*(\([^()]*\)|[^\n;#]*)"
    rb"|import[ \t]+([^\n;#]*\.[^\n;#]*))",
    re.MULTILINE,
)
# The block of `if TYPE_CHECKING:`: lines that are indented more, and empty ones.
_TYPE_CHECKING = re.compile(
    rb"^([ \t]*)if[ \t]+(?:\w+\.)?TYPE_CHECKING[ \t]*:[^\n]*\n(?:\1[ \t]+[^\n]*\n|[ \t]*\r?\n)*", re.MULTILINE
)
_COMMENT = re.compile(rb"#[^\n]*")
_QUOTES = (b'"""', b"'''")


def foreign_imports(sources: Mapping[str, bytes]) -> tuple[str, ...]:
    """Return the dotted names of two or more components that sources import from other packages, sorted.

    `from a.b import c` gives `a.b.c`, in which `c` may be an attribute. Modules of the standard library, imports of
    tests, and imports for type checkers alone are left out.
    """
    own = {name.partition(".")[0] for path in sources if (name := module_name(path))}
    skipped = {name.encode() for name in own | sys.stdlib_module_names}
    found: set[bytes] = set()
    for path, source in sources.items():
        if path.endswith(".py") and not is_test(path):
            found.update(_names(source, skipped, found))
    return tuple(sorted(name.decode("ascii") for name in found))[: limits.IMPORTS]


def _names(source: bytes, skipped: set[bytes], known: set[bytes]) -> Iterator[bytes]:
    if b"TYPE_CHECKING" in source:
        source = _TYPE_CHECKING.sub(b"", source)
    for match in _IMPORT.finditer(source):
        base, members, modules = match.groups()
        if base is None:
            names = [name.split()[0] for name in modules.split(b",") if name.split() and b"." in name.split()[0]]
        elif base.partition(b".")[0] in skipped:
            continue
        else:
            listed = _COMMENT.sub(b"", members).strip(b"() \t\r\n\\").split(b",")
            names = [
                base if name.split()[0] == b"*" else base + b"." + name.split()[0] for name in listed if name.split()
            ]
        names = [name for name in names if name not in known and name.partition(b".")[0] not in skipped]
        if names and not _is_quoted(source, match.start()):
            yield from (name for name in names if b"." in name and name.replace(b".", b"_").isascii())


def _is_quoted(source: bytes, place: int) -> bool:
    """Return whether a place is in a docstring, as far as the number of quotes before it shows."""
    return any(source.count(quotes, 0, place) % 2 for quotes in _QUOTES)
