# /// script
# dependencies = ["pypdfium2", "pillow"]
# [tool.trace]
# kind = "documents"
# ///
"""Render a PDF."""

import pypdfium2

document = pypdfium2.PdfDocument.new()
document.new_page(100, 100).render().to_pil()
