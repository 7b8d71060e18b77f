"""List the sonames that glibc itself installs.

They come with the interpreter and never from a library path.

Two glibcs in one process crash, so these names are never among the needs. libcrypt, and libnsl from .so.2 on, are no
longer part of glibc and count as libraries.
"""

from __future__ import annotations

import re

# The shared libraries that glibc's `make install` leaves in its `lib` (its shlib-versions and Makefiles),
# and its program loaders: ld-linux-x86-64.so.2, ld-linux-aarch64.so.1, ld64.so.2 and so on.
_GLIBC = re.compile(
    r"""
    libc\.so\.6 | libm\.so\.6 | libmvec\.so\.1 | libpthread\.so\.0 | libdl\.so\.2 | librt\.so\.1
    | libutil\.so\.1 | libresolv\.so\.2 | libanl\.so\.1 | libnsl\.so\.1 | libthread_db\.so\.1
    | libBrokenLocale\.so\.1 | libnss_(?:compat|db|dns|files|hesiod|nis|nisplus)\.so\.2
    | libc_malloc_debug\.so\.0 | libmemusage\.so | libpcprofile\.so | libSegFault\.so
    | ld-linux(?:-[a-z0-9_-]+)?\.so\.[0-9] | ld64\.so\.[0-9] | ld\.so\.1
    """,
    re.VERBOSE,
)


def is_glibc(soname: str) -> bool:
    """Return whether `soname` is one of glibc's own libraries or loaders."""
    return _GLIBC.fullmatch(soname) is not None
