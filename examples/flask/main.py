"""Serves a picture of the requested colour; as a program, it requests one itself."""

from io import BytesIO

from flask import Flask, Response, send_file
from PIL import Image

app = Flask(__name__)


@app.get("/<colour>.png")
def picture(colour: str) -> Response:
    """Return a small picture."""
    file = BytesIO()
    Image.new("RGB", (32, 32), colour).save(file, "PNG")
    file.seek(0)
    return send_file(file, mimetype="image/png")


if __name__ == "__main__":
    answer = app.test_client().get("/navy.png")
    print(answer.status, answer.mimetype, Image.open(BytesIO(answer.data)).size)
