"""Find the import statements of Python sources without parsing them, since all sources of all wheels go through here.

The result may have statements in strings, and does not have their conditions: `import_statements` parses the few files
for which that matters.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass

_IMPORT = re.compile(rb"import(?=[ \t(\\])")
_BEFORE = re.compile(rb"(?:[^\n]*[:;])?[ \t]*(?:from[ \t]+(\.*[^\W\d]?[\w.]*)[ \t]*)?")
_AFTER = re.compile(rb"import[ \t]*(\((?:[^()#]|#[^\n]*)*\)|(?:[^\n;#\\]|\\\r?\n)*)")
_COMMENT = re.compile(rb"#[^\n]*")
# The block of `if TYPE_CHECKING:`: lines that are indented more, and empty ones.
_TYPE_CHECKING = re.compile(
    rb"^([ \t]*)if[ \t]+(?:\w+\.)?TYPE_CHECKING[ \t]*:[^\n]*\n(?:\1[ \t]+[^\n]*\n|[ \t]*\r?\n)*", re.MULTILINE
)
_QUOTES = (b'"""', b"'''")
_PLATFORM = re.compile(rb"platform|os\.name")
_NAME = re.compile(rb"[^\W\d][\w.]*")


@dataclass(frozen=True, slots=True)
class Found:
    """A name that a source seems to import.

    The last components of `name` may be attributes. It is `plain` at the beginning of a line, where it has no
    condition, and `quoted` if it seems to be in a string of several lines.
    """

    name: str  # absolute
    plain: bool
    quoted: bool


def scan(source: bytes, module: str, *, package: bool) -> Iterator[Found]:
    """Yield the names that a source seems to import, in their order; those for type checkers alone are left out.

    `from a.b import c` gives `a.b.c`, and `from a import *` gives `a`.

    Args:
        source: The bytes of the file.
        module: Its dotted name, for relative imports.
        package: It is an `__init__.py`.
    """
    spans = [match.span() for match in _TYPE_CHECKING.finditer(source)] if b"TYPE_CHECKING" in source else []
    conditional = _PLATFORM.search(source) is not None  # `if sys.platform != "linux": raise ImportError`
    for match in _IMPORT.finditer(source):
        place = match.start()
        start = source.rfind(b"\n", 0, place) + 1
        before = _BEFORE.fullmatch(source, start, place)
        after = _AFTER.match(source, place)
        if before is None or after is None or any(first <= place < last for first, last in spans):
            continue
        quoted = any(source.count(quotes, 0, place) % 2 for quotes in _QUOTES)
        plain = not conditional and not quoted and source[start : start + 1] in (b"f", b"i") and b":" not in before[0]
        items = _COMMENT.sub(b"", after[1]).strip(b"() \t\r\n\\").replace(b"\\", b" ").split(b",")
        base = before[1]
        names = [words[0] for item in items if (words := item.split())]
        if base is not None:
            root = absolute(base.decode("utf-8", "replace"), module if package else module.rpartition(".")[0])
            for name in names if root else ():
                yield Found(root if name == b"*" else f"{root}.{name.decode('utf-8', 'replace')}", plain, quoted)
        else:
            for name in names:
                if _NAME.fullmatch(name):
                    yield Found(name.decode("utf-8", "replace"), plain, quoted)


def absolute(name: str, package: str) -> str:
    """Return the absolute name of a relative one, such as `..demo`; empty if it leaves the top-level package."""
    rest = name.lstrip(".")
    if rest == name:
        return name
    parents = package.split(".")
    up = len(name) - len(rest) - 1
    if not package or up >= len(parents):
        return ""
    base = ".".join(parents[: len(parents) - up])
    return f"{base}.{rest}" if rest else base
