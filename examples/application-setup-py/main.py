#!/usr/bin/env python
"""Says hello to who asks at port 8080 of this machine."""

from flask import Flask

app = Flask(__name__)


@app.route("/")
def hello() -> str:
    """Answer the one page."""
    return "Hello, World!"


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=8080)
