"""Opens a gRPC channel to nobody, and says what Python itself is."""

from pathlib import Path

import grpc

with grpc.insecure_channel("127.0.0.1:1") as channel:
    print("grpc", grpc.__version__, type(channel).__name__)
print(Path("/proc/self/exe").resolve().name)
