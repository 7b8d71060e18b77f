# /// script
# dependencies = ["grpcio"]
# [tool.trace]
# kind = "web"
# ///
"""Serve a channel and connect to it."""

from concurrent.futures import ThreadPoolExecutor

import grpc

server = grpc.server(ThreadPoolExecutor(1))
port = server.add_insecure_port("127.0.0.1:0")
server.start()
grpc.channel_ready_future(grpc.insecure_channel(f"127.0.0.1:{port}")).result(10)
server.stop(None)
