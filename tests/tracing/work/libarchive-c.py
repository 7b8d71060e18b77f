# /// script
# dependencies = ["libarchive-c"]
# [tool.trace]
# kind = "files"
# ///
"""Write an archive and read it."""

import libarchive

with libarchive.file_writer("a.tar.gz", "ustar", "gzip") as archive:
    archive.add_file_from_memory("a", 5, b"hello")
with libarchive.file_reader("a.tar.gz") as archive:
    assert [entry.pathname for entry in archive] == ["a"]
