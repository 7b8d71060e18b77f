# /// script
# dependencies = ["reportlab"]
# [tool.trace]
# kind = "documents"
# ///
"""Write a PDF."""

from reportlab.pdfgen.canvas import Canvas

canvas = Canvas("a.pdf")
canvas.drawString(10, 10, "hello")
canvas.save()
