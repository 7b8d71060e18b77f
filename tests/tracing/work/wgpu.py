# /// script
# dependencies = ["wgpu"]
# [tool.trace]
# kind = "opengl"
# ///
"""Look for an adapter."""

import wgpu

adapter = wgpu.gpu.request_adapter_sync(power_preference="high-performance")
adapter.request_device_sync()
