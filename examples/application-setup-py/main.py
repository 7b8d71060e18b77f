#!/usr/bin/env python
"""Serves a greeting at port 8080 of this machine."""

from flask import Flask

app = Flask(__name__)


@app.route("/")
def hello() -> str:
    """Return the page."""
    return "Hello, World!"


if __name__ == "__main__":
    app.run(host="127.0.0.1", port=8080)
