"""Print facts about the interpreter that runs this file, as JSON.

It runs isolated and without site, on any CPython 3.

`search` are the folders in which the loader searches the needs of libc (dlinfo(3), RTLD_DI_SERINFO): the program's
DT_RPATH, LD_LIBRARY_PATH or `--library-path`, and its own folders, in this order; libc has no run path. It is null if
the C library does not support that, as on macOS.

`lacks` are those of the modules in its arguments that it does not have.
"""

import importlib.util
import json
import sys


def mapped() -> "list[str]":
    """Return the files that are mapped into this process."""
    try:
        with open("/proc/self/maps") as lines:  # noqa: PTH123
            return sorted({line.split(None, 5)[5].strip() for line in lines if "/" in line})
    except OSError:
        return []


def search() -> "list[str] | None":
    """Return the folders that the loader searches, or None."""
    try:
        import ctypes

        class Folder(ctypes.Structure):
            _fields_ = (("name", ctypes.c_char_p), ("flags", ctypes.c_uint))

        class Head(ctypes.Structure):
            _fields_ = (("size", ctypes.c_size_t), ("count", ctypes.c_uint))

        dlinfo = ctypes.CDLL(None).dlinfo
        dlinfo.argtypes = ctypes.c_void_p, ctypes.c_int, ctypes.c_void_p
        handle, head = ctypes.CDLL("libc.so.6")._handle, Head()  # noqa: SLF001
        if dlinfo(handle, 5, ctypes.byref(head)):  # RTLD_DI_SERINFOSIZE
            return None

        class Info(ctypes.Structure):
            _fields_ = (("head", Head), ("folders", Folder * head.count))

        room = ctypes.create_string_buffer(head.size)
        if dlinfo(handle, 5, room) or dlinfo(handle, 4, room):  # RTLD_DI_SERINFO
            return None
        return [folder.name.decode("utf-8", "surrogateescape") for folder in Info.from_buffer(room).folders]
    except (ImportError, AttributeError, OSError, ValueError):
        return None


# The mapped files are read first, since ctypes maps more libraries.
print(  # noqa: T201
    json.dumps(
        {
            "mapped": mapped(),
            "version": sys.version.split()[0],
            "executable": sys.executable,
            "base_prefix": sys.base_prefix,
            "search": search(),
            "lacks": [name for name in sys.argv[1:] if importlib.util.find_spec(name) is None],
        }
    )
)
