"""Derive the file names of libraries from the arguments of calls that open them."""

from __future__ import annotations

import re
from pathlib import PurePosixPath

from nixpy.needs.glibc import is_glibc

OWN = "/\N{SECTION SIGN}own"
"""The folder in which the files of the wheel are, as `__file__` has it."""

_FILE = re.compile(r"[A-Za-z0-9_.+-]{1,120}")
_LINUX = re.compile(r".+\.so(?:\.[A-Za-z0-9]+)*")
_DARWIN = re.compile(r".+\.(?:dylib|so(?:\.[A-Za-z0-9]+)*)")
_SUFFIX = re.compile(r"\.(?:so|dll|dylib)\b", re.IGNORECASE)
_SYSTEM = ("/System/", "/usr/lib/lib", "@")  # Darwin has these itself


def own_path(name: str) -> str | None:
    """Return the path in the wheel, None for a file outside the wheel."""
    if not name.startswith(OWN + "/"):
        return None
    parts: list[str] = []
    for part in PurePosixPath(name.removeprefix(OWN + "/")).parts:
        if part == "..":
            del parts[-1:]
        else:
            parts.append(part)
    return "/".join(parts)


def opened(name: str, system: str) -> str | None:
    """Return the file name that dlopen looks for.

    The result is None if the system has no such library.

    An absolute path gives its last part: the distribution of the author has the library there.

    >>> opened("/usr/lib/x86_64-linux-gnu/libturbojpeg.so.0", "x86_64-linux")
    'libturbojpeg.so.0'
    """
    if not name.startswith("/") and "/" in name:
        return None  # relative to the current folder
    darwin = system.endswith("-darwin")
    if darwin and name.startswith(_SYSTEM):
        return None
    last = name.rpartition("/")[2]
    return last if _FILE.fullmatch(last) and (_DARWIN if darwin else _LINUX).fullmatch(last) else None


def found(name: str, system: str) -> str | None:
    """Return the file name for the argument of find_library.

    The result is None if it never finds such a library.

    >>> found("z", "x86_64-linux")
    'libz.so'
    """
    if not _FILE.fullmatch(name) or _SUFFIX.search(name) or name in _FOREIGN:
        return None
    if name.startswith("lib"):
        return f"{name}.so" if system.endswith("-darwin") else None
    return f"lib{name}.so"


def cffi_finds(name: str) -> bool:
    """Return whether cffi gives the name to find_library.

    It does so with a name without a folder and a suffix.
    """
    return "/" not in name and not _SUFFIX.search(name)


_ALWAYS = frozenset({"c", "dl", "m", "pthread", "resolv", "rt", "util"})
# Frameworks of macOS and libraries of Windows: Linux never has them.
_FOREIGN = frozenset(
    {
        *("AppKit", "ApplicationServices", "AudioToolbox", "AudioUnit", "Carbon", "Cocoa"),
        *("CoreAudio", "CoreFoundation", "CoreGraphics", "CoreMIDI", "CoreServices", "CoreText"),
        *("CoreVideo", "Foundation", "IOKit", "ImageIO", "Metal", "Quartz"),
        *("QuartzCore", "Security", "System", "SystemConfiguration", "advapi32", "bcrypt"),
        *("comctl32", "crypt32", "dwmapi", "gdi32", "kernel32", "msvcrt", "objc"),
        *("ntdll", "ole32", "oleaut32", "opengl32", "setupapi", "shell32"),
        *("user32", "winmm", "ws2_32"),
    }
)
_ALWAYS_DARWIN = _ALWAYS | {"System", "System.B", "objc", "objc.A"}


def is_always_there(name: str, system: str) -> bool:
    """Return whether a library comes with every system.

    The name is that of a file (`libc.so.6`), or the `c` of find_library.
    """
    last = name.rpartition("/")[2]
    stem = last.removeprefix("lib").partition(".so")[0].removesuffix(".dylib")
    if system.endswith("-darwin"):
        return name.startswith(_SYSTEM) or stem in _ALWAYS_DARWIN | _FOREIGN | {"OpenGL", "OpenCL", "OpenAL"}
    return is_glibc(last) or stem in _ALWAYS
