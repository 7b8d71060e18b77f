# /// script
# dependencies = ["matplotlib"]
# [tool.trace]
# kind = "documents"
# ///
"""Draw a figure into a PNG and a PDF."""

import matplotlib

matplotlib.use("agg")
from matplotlib import pyplot

figure, axes = pyplot.subplots()
axes.plot([1, 2, 3])
figure.savefig("a.png")
figure.savefig("a.pdf")
