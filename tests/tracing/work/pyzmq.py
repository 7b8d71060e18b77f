# /// script
# dependencies = ["pyzmq"]
# [tool.trace]
# kind = "web"
# ///
"""Send a message."""

import zmq

context = zmq.Context()
a, b = context.socket(zmq.PAIR), context.socket(zmq.PAIR)
a.bind("inproc://a")
b.connect("inproc://a")
a.send(b"hello")
assert b.recv() == b"hello"
