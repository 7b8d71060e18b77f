# /// script
# dependencies = ["openvino"]
# [tool.trace]
# kind = "science"
# ///
"""Compile a model for the default device, run it, and list the devices."""

import numpy
import openvino
from openvino import opset13 as ops

given = ops.parameter([2, 2], dtype=numpy.float32)
model = openvino.Model([ops.relu(given)], [given], "relu")
core = openvino.Core()
compiled = core.compile_model(model)
result = compiled(numpy.array([[-1, 1], [2, -2]], dtype=numpy.float32))[0]
assert result.tolist() == [[0, 1], [2, 0]], result
assert "CPU" in core.available_devices
