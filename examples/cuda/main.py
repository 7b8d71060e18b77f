"""Lists the GPUs that NVIDIA's driver finds."""

import pynvml

try:
    pynvml.nvmlInit()
except pynvml.NVMLError_LibraryNotFound:
    print("no driver: on NixOS, see hardware.graphics and services.xserver.videoDrivers")
else:
    for index in range(pynvml.nvmlDeviceGetCount()):
        print(pynvml.nvmlDeviceGetName(pynvml.nvmlDeviceGetHandleByIndex(index)))
