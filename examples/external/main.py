"""Prints the checksum of each file, by an extension that links to zlib, and its size as GLib formats it."""

import ctypes
import sys
from pathlib import Path

import fingerprint

glib = ctypes.CDLL("libglib-2.0.so.0")
glib.g_format_size.restype = ctypes.c_char_p
glib.g_format_size.argtypes = [ctypes.c_uint64]

for name in sys.argv[1:]:
    data = Path(name).read_bytes()
    print(f"{fingerprint.crc(data):08x}  {glib.g_format_size(len(data)).decode()}  {name}")
