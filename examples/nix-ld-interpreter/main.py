"""A gRPC server and its client in one program."""

from concurrent.futures import ThreadPoolExecutor

import grpc

SERVICE, METHOD = "Greeter", "Hello"


def hello(name: bytes, _context: grpc.ServicerContext) -> bytes:
    """Answer a call; the bytes are sent unchanged."""
    return b"hello, " + name


def serve() -> tuple[grpc.Server, int]:
    """Return a running server and its port."""
    server = grpc.server(ThreadPoolExecutor(max_workers=2))
    handlers = {METHOD: grpc.unary_unary_rpc_method_handler(hello)}
    server.add_generic_rpc_handlers([grpc.method_handlers_generic_handler(SERVICE, handlers)])
    port = server.add_insecure_port("127.0.0.1:0")
    server.start()
    return server, port


if __name__ == "__main__":
    server, port = serve()
    with grpc.insecure_channel(f"127.0.0.1:{port}") as channel:
        ask = channel.unary_unary(f"/{SERVICE}/{METHOD}")
        for name in ("nix", "python"):
            print(ask(name.encode(), timeout=10).decode())
    server.stop(grace=None)
