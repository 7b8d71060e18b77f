# /// script
# dependencies = ["python-magic"]
# [tool.trace]
# kind = "files"
# ///
"""Tell the type of a file."""

import magic

assert magic.from_buffer(b"%PDF-1.4\n", mime=True) == "application/pdf"
