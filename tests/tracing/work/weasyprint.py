# /// script
# dependencies = ["weasyprint"]
# [tool.trace]
# kind = "documents"
# ///
"""Turn HTML into a PDF."""

import weasyprint

assert weasyprint.HTML(string="<h1>hello</h1>").write_pdf().startswith(b"%PDF")
