# /// script
# dependencies = ["pymupdf"]
# [tool.trace]
# kind = "documents"
# ///
"""Write a PDF and render it."""

import pymupdf

document = pymupdf.open()
document.new_page().insert_text((10, 10), "hello")
assert "hello" in document[0].get_text()
document[0].get_pixmap()
