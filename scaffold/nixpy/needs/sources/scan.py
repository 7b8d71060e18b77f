"""Find the import statements of Python sources without parsing them.

All sources of all wheels go through here. The result may have statements in strings, and does not have their
conditions: `import_statements` parses the few files for which that matters.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator
from dataclasses import dataclass

_IMPORT = re.compile(rb"import(?=[ \t(\\])")
_BEFORE = re.compile(rb"(?:[^\n]*[:;])?[ \t]*(?:from[ \t]+(\.*[^\W\d]?[\w.]*)[ \t]*)?")
_AFTER = re.compile(rb"import[ \t]*(\((?:[^()#]|#[^\n]*+)*+\)|(?:[^\n;#\\]|\\\r?\n)*)")
_COMMENT = re.compile(rb"#[^\n]*")
# The block of `if TYPE_CHECKING:`: lines that are indented more, and empty ones.
_TYPE_CHECKING = re.compile(
    rb"^([ \t]*)if[ \t]+(?:\w+\.)?TYPE_CHECKING[ \t]*:[^\n]*\n(?:\1[ \t]+[^\n]*(?:\n|\Z)|[ \t]*\r?\n)*", re.MULTILINE
)
_QUOTES = (b'"""', b"'''")
_NAME = re.compile(r"[^\W\d][\w.]*")
_LINE = 200  # bytes of a line before an import; a statement has fewer
_UNCLOSED = 100  # brackets after `import` that no source leaves open
_NO_SPAN = (sys.maxsize, sys.maxsize)


@dataclass(frozen=True, slots=True)
class Found:
    """A name that a source seems to import.

    The last components of `name` may be attributes. It is `plain` at the beginning of a line, outside of functions,
    conditions and `try`, and `quoted` if it seems to be in a string of several lines.
    """

    name: str  # absolute
    plain: bool
    quoted: bool


def scan(source: bytes, module: str, *, package: bool) -> Iterator[Found]:
    """Yield the names that a source seems to import, in their order.

    Those for type checkers alone are left out. `from a.b import c` gives `a.b.c`, and `from a import *` gives `a`.

    Args:
        source: The bytes of the file.
        module: Its dotted name, for relative imports.
        package: It is an `__init__.py`.
    """
    spans = iter([match.span() for match in _TYPE_CHECKING.finditer(source)] if b"TYPE_CHECKING" in source else [])
    skip_from, skip_to = next(spans, _NO_SPAN)
    counted, counts = 0, [0, 0]
    position = unclosed = 0
    while match := _IMPORT.search(source, position):
        place = match.start()
        after = _AFTER.match(source, place)
        if after and after[1].startswith(b"(") and not after[1].endswith(b")"):  # searched for up to the end
            unclosed += 1
            if unclosed > _UNCLOSED:
                return
        position = after.end() if after else match.end()
        counts = [count + source.count(quotes, counted, place) for count, quotes in zip(counts, _QUOTES, strict=True)]
        counted = place
        while place >= skip_to:
            skip_from, skip_to = next(spans, _NO_SPAN)
        first = max(place - _LINE, 0)
        start = max(source.rfind(b"\n", first, place) + 1, first)
        before = _BEFORE.fullmatch(source, start, place)
        if before is None or after is None or place >= skip_from:
            continue
        quoted = any(count % 2 for count in counts)
        plain = not quoted and source[start : start + 1] in (b"f", b"i") and b":" not in before[0]
        for name in _names(before[1], after[1], module if package else module.rpartition(".")[0]):
            yield Found(name, plain, quoted)


def _names(base: bytes | None, listed: bytes, package: str) -> Iterator[str]:
    """Yield the names of a statement: `base` is after `from`, `listed` after `import`."""
    text = _COMMENT.sub(b"", listed).strip(b"() \t\r\n\\").replace(b"\\", b" ").decode("utf-8", "replace")
    names = [words[0] for item in text.split(",") if (words := item.split())]
    if base is None:
        yield from (name for name in names if _NAME.fullmatch(name))
    elif root := absolute(base.decode("utf-8", "replace"), package):
        yield from (root if name == "*" else f"{root}.{name}" for name in names)


def absolute(name: str, package: str) -> str:
    """Return the absolute name of a relative one; empty if it leaves the package."""
    rest = name.lstrip(".")
    if rest == name:
        return name
    parents = package.split(".")
    up = len(name) - len(rest) - 1
    if not package or up >= len(parents):
        return ""
    base = ".".join(parents[: len(parents) - up])
    return f"{base}.{rest}" if rest else base
