# /// script
# dependencies = ["gevent"]
# [tool.trace]
# kind = "web"
# ///
"""Serve and fetch a page."""

from gevent import monkey

monkey.patch_all()
import urllib.request

from gevent.pywsgi import WSGIServer

server = WSGIServer(("127.0.0.1", 0), lambda e, start: (start("200 OK", []), [b"hello"])[1], log=None)
server.start()
assert urllib.request.urlopen(f"http://127.0.0.1:{server.server_port}").read() == b"hello"
