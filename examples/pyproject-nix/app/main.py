"""A page with the version of the database library."""

import psycopg2
from flask import Flask

app = Flask(__name__)


@app.route("/")
def hello_world() -> str:
    """Return the page."""
    return f"Hello, World! psycopg2 {psycopg2.__version__}"


def main() -> None:
    """Serve the page."""
    app.run(host="127.0.0.1", port=8080)
