# /// script
# dependencies = ["onnxruntime"]
# [tool.trace]
# kind = "science"
# ///
"""Open a model that does not exist."""

import onnxruntime

assert "CPUExecutionProvider" in onnxruntime.get_available_providers()
try:
    onnxruntime.InferenceSession("none.onnx")
except Exception as error:
    assert "none.onnx" in str(error)
