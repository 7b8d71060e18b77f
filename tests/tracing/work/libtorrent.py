# /// script
# dependencies = ["libtorrent"]
# [tool.trace]
# kind = "web"
# ///
"""Make a torrent."""

from pathlib import Path

import libtorrent

Path("a").write_bytes(bytes(100))
storage = libtorrent.file_storage()
libtorrent.add_files(storage, "a")
torrent = libtorrent.create_torrent(storage)
libtorrent.set_piece_hashes(torrent, ".")
assert libtorrent.bencode(torrent.generate())
