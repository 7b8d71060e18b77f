"""Make text from other sources safe to print.

Control characters, bidirectional marks and line ends are escaped.

Unicode Standard Annex 9 describes the bidirectional marks, which reorder what is displayed; ECMA-48 describes the
control characters, which a terminal obeys.
"""

from __future__ import annotations

import os
import re
import shlex

# Control characters except tab and newline (C0, DEL, C1), format characters, line and paragraph separators, the tags
# of plane 14, and surrogates, which represent the bytes of a file name that is not UTF-8. The two joiners, U+200C and
# U+200D, stay: scripts and emoji need them.
_UNSAFE = re.compile(
    "[\0-\x08\x0b-\x1f\x7f-\x9f\u00ad\u061c\u180e\u200b\u200e\u200f\u2028-\u202e\u2060-\u206f\ud800-\udfff"
    "\ufeff\ufff9-\ufffb\U000e0000-\U000e007f]"
)


def visible(text: str) -> str:
    r"""Return `text` with an escape for each control character; tabs and newlines stay.

    A second call changes nothing.

    >>> visible("a\x1b[31mb")
    'a\\x1b[31mb'
    """
    return _UNSAFE.sub(_escape, text)


def visible_line(text: str) -> str:
    """Return `visible(text)` in one line, with tabs and newlines escaped."""
    return visible(text).replace("\n", "\\n").replace("\t", "\\t")


def is_visible(text: str) -> bool:
    """Return whether `visible` leaves `text` unchanged."""
    return _UNSAFE.search(text) is None


def shell_word(name: str) -> str:
    """Return a name as one word of bash, in one line.

    What acts instead of being displayed is bytes in `$'...'`.
    """
    if is_visible(name) and not {"\n", "\t"} & set(name):
        return shlex.quote(name)
    plain = (
        chr(byte) if 0x20 <= byte < 0x7F and byte not in b"'\\" else f"\\x{byte:02x}" for byte in os.fsencode(name)
    )
    return f"$'{''.join(plain)}'"


def json_visible(text: str) -> str:
    """Return the text of a JSON document with such characters as JSON escapes.

    Source: RFC 8259, section 7.
    """
    return _UNSAFE.sub(lambda match: _json_escape(match[0]), text)


def _escape(match: re.Match[str]) -> str:
    code = ord(match[0])
    if 0xDC80 <= code <= 0xDCFF:  # a byte of a file name (PEP 383)
        return f"\\x{code - 0xDC00:02x}"
    short = {"\r": "\\r"}.get(match[0])
    return short or (f"\\x{code:02x}" if code <= 0xFF else f"\\u{code:04x}" if code <= 0xFFFF else f"\\U{code:08x}")


def _json_escape(char: str) -> str:
    units = char.encode("utf-16-be", "surrogatepass")
    return "".join(f"\\u{units[at]:02x}{units[at + 1]:02x}" for at in range(0, len(units), 2))
