# /// script
# dependencies = ["pikepdf"]
# [tool.trace]
# kind = "documents"
# ///
"""Write a PDF."""

import pikepdf

pdf = pikepdf.new()
pdf.add_blank_page()
pdf.save("a.pdf")
