# /// script
# dependencies = ["zxing-cpp", "numpy", "pillow"]
# [tool.trace]
# kind = "images"
# ///
"""Write a code and read it."""

import numpy
import zxingcpp

image = zxingcpp.write_barcode(zxingcpp.BarcodeFormat.QRCode, "hello", width=100, height=100)
assert zxingcpp.read_barcodes(numpy.array(image))[0].text == "hello"
