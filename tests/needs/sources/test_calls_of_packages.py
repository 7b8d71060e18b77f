"""Packages look for their libraries in many ways; each of these is one that users have."""

from __future__ import annotations

import pytest

from nixpy.needs.sources.calls import find_calls

X11 = """\
import ctypes, ctypes.util
from contextlib import suppress
class Library:
    def __init__(self, name, functions=(), required=True):
        path = ctypes.util.find_library(name)
        if not path:
            raise RuntimeError(f"no {name}")
        self.handle = ctypes.cdll.LoadLibrary(path)
class Connection:
    libraries = None
    def open(self):
        if self.libraries is None:
            self.libraries = [Library("xcb"), Library("xcb-randr")]
            with suppress(OSError, RuntimeError):
                self.errors = ctypes.CDLL("libxcb-errors.so.0")
"""
SPELLING = """\
import ctypes, os, sys
from ctypes import cdll
from ctypes.util import find_library
def candidates():
    if os.environ.get("SPELL_LIBRARY"):
        yield os.environ["SPELL_LIBRARY"]
    if sys.platform == "win32":
        yield "spell.dll"
    for version in "2", "1":
        yield find_library(f"spell-{version}")
path = None
for one in candidates():
    if one:
        path = one
        break
if not path:
    raise ImportError("no library to check the spelling")
spell = cdll.LoadLibrary(path)
"""
SOUND = """\
import cffi
_ffi = cffi.FFI()
_ffi.cdef("int pa_start(void);")
_pa = _ffi.dlopen("pulse")
"""
ARCHIVE = """\
from ctypes import cdll
from ctypes.util import find_library
import os
path = os.environ.get("LIBARCHIVE") or find_library("archive")
libarchive = cdll.LoadLibrary(path)
"""
JPEG = """\
from ctypes import cdll
from ctypes.util import find_library
import os, platform
DEFAULT = {
    "Darwin": ["/opt/homebrew/lib/libturbo.dylib"],
    "Linux": ["/usr/lib/x86_64-linux-gnu/libturbo.so.0", "/usr/lib64/libturbo.so.0"],
    "Windows": ["C:/turbo.dll"],
}
class Jpeg:
    def __init__(self, path=None):
        self.library = cdll.LoadLibrary(self.__find() if path is None else path)
    def __find(self):
        path = find_library("turbo")
        if path is not None:
            return path
        for path in DEFAULT[platform.system()]:
            if os.path.exists(path):
                return path
        raise RuntimeError("no library")
"""
SODIUM = """\
import ctypes, ctypes.util
sodium = ctypes.cdll.LoadLibrary(ctypes.util.find_library("sodium") or ctypes.util.find_library("libsodium"))
if not sodium._name:
    raise ValueError("no libsodium")
"""
OPTIONAL = """\
import ctypes
from ctypes.util import find_library
try:
    speedups = ctypes.CDLL("libfast.so.1")
except OSError:
    speedups = None
"""


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        (
            X11,
            [
                ("libxcb.so", 13, True, False, False),
                ("libxcb-randr.so", 13, True, False, False),
                ("libxcb-errors.so.0", 15, False, False, True),
            ],
        ),
        (SPELLING, [("libspell-2.so libspell-1.so", 10, True, True, False)]),
        (SOUND, [("libpulse.so", 4, True, True, False)]),
        (ARCHIVE, [("libarchive.so", 4, True, True, False)]),
        (JPEG, [("libturbo.so libturbo.so.0", 13, False, False, False)]),
        (SODIUM, [("libsodium.so", 2, True, True, False)]),
        (OPTIONAL, [("libfast.so.1", 4, False, True, True)]),
    ],
    ids=["x11", "spelling", "sound", "archive", "jpeg", "sodium", "optional"],
)
def test_a_package_opens(source: str, expected: list[tuple[str, int, bool, bool, bool]]) -> None:
    """Names, line, find_library, at_import and guarded are those that a reader of the source would say."""
    found = [call for call in find_calls({"demo/library.py": source}) if "x86_64-linux" in call.systems]
    assert sorted(
        (" ".join(call.names), call.line, call.find_library, call.at_import, call.guarded) for call in found
    ) == sorted(expected)
