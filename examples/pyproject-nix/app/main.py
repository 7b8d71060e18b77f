"""A page that says which database library it would use."""

import psycopg2
from flask import Flask

app = Flask(__name__)


@app.route("/")
def hello_world() -> str:
    """Say hello."""
    return f"Hello, World! psycopg2 {psycopg2.__version__}"


def main() -> None:
    """Serve it."""
    app.run(host="127.0.0.1", port=8080)
