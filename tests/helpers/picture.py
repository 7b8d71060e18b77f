"""Draws docs/init.svg, and a narrow one for phones, from what `nixpy init` writes in real terminals."""

from __future__ import annotations

import json
import os
import sys
import tempfile
from collections.abc import Mapping
from pathlib import Path
from xml.sax.saxutils import escape

from rich.console import Console
from rich.segment import Segment
from rich.text import Text

from elfbuild import AARCH64, X86_64, program, shared_object
from smallindex import SmallIndex, build_wheel
from terminal import run

TOP = Path(__file__).parents[2]
PICTURES = {TOP / "docs/init.svg": 94, TOP / "docs/init-narrow.svg": 44}  # with the columns of the terminal
_CELL, _LINE, _MARGIN = 8.4, 19, 18  # of letters of 14 pixels
_COLOURS = {"green": "#7ee787", "yellow": "#e3b341", "red": "#ff7b72", "cyan": "#79c0ff"}
_ANSI = {1: "red", 2: "green", 3: "yellow", 6: "cyan"}
_STYLE = f"""text {{ font: 14px ui-monospace, SFMono-Regular, Menlo, Consolas, "DejaVu Sans Mono", monospace;
  white-space: pre; fill: #e6edf3; }}
{" ".join(f".{name} {{ fill: {value}; }}" for name, value in _COLOURS.items())} .bold {{ font-weight: bold; }}"""


def written(environment: Mapping[str, str], columns: int) -> str:
    """Return what `nixpy init` writes at its first run, in a new repository with the dependencies of an example.

    The index is one of small wheels that ask for what the example's nixpy.lock says of the real ones, so that neither
    the network nor the day decides about the picture.
    """
    example = TOP / "examples" / "nix-ld"
    with tempfile.TemporaryDirectory() as folder:
        _stock(example / "nixpy.lock", Path(folder, "index"))
        project = Path(folder, "project")
        (project / ".git").mkdir(parents=True)
        own = (example / "pyproject.toml").read_text().partition("[tool.nixpy]")[0]
        (project / "pyproject.toml").write_text(own)
        with SmallIndex(Path(folder, "index")) as index:
            caches = {"NIXPY_CACHE_DIR": f"{folder}/nixpy", "UV_CACHE_DIR": f"{folder}/uv"}
            settings = {**environment, **caches, "UV_DEFAULT_INDEX": index.url, "UV_OFFLINE": "0"}
            command = [sys.executable, "-m", "nixpy", "init"]
            status, terminal = run(command, columns=columns, cwd=project, env=settings)
        assert status == 0, terminal.plain
        return terminal.last_screen


def _stock(record: Path, folder: Path) -> None:
    """Write a wheel for each that a nixpy.lock names, with a program or a module that asks for what it says."""
    for system, found in json.loads(record.read_text())["systems"].items():
        machine = AARCH64 if system.startswith("aarch64") else X86_64
        for wheel in found["wheels"]:
            needs = wheel["needs"]
            make, file = (
                (program, next(iter(needs["executables"]))) if "executables" in needs else (shared_object, "a.so")
            )
            files = {"empty": b"", file: make(list(needs.get("sonames", ())), machine=machine)}
            tag = "-".join(wheel["filename"].removesuffix(".whl").split("-")[2:])
            build_wheel(folder, wheel["name"], wheel["version"], tag, files=files)


def drawn(text: str, columns: int) -> str:
    """Return the picture of a terminal in which `nixpy init` wrote `text`."""
    whole = [Text.from_ansi("\x1b[1m$ nixpy init"), *map(Text.from_ansi, text.rstrip().split("\n"))]
    # A command stays one line for pasting, which the terminal shows in several.
    lines = [part for line in whole for part in line.divide(range(columns, len(line), columns))]
    height = 2 * _MARGIN + _LINE * len(lines)
    width = round(2 * _MARGIN + _CELL * columns)
    rows = [
        f'<text x="{_MARGIN}" y="{_MARGIN + _LINE * at + 14}">{"".join(map(_span, _segments(line)))}</text>'
        for at, line in enumerate(lines)
    ]
    return "\n".join(
        [
            f'<svg xmlns="http://www.w3.org/2000/svg" width="{width}" viewBox="0 0 {width} {height}"',
            ' xml:space="preserve" role="img" aria-labelledby="title desc">',
            '<title id="title">nixpy init in a terminal</title>',
            f'<desc id="desc">It writes: {escape(" ".join(_plain(text).split()))}</desc>',
            f"<style>{_STYLE}</style>",
            f'<rect width="{width}" height="{height}" rx="8" fill="#0d1117"/>',
            *rows,
            "</svg>\n",
        ]
    )


def _plain(text: str) -> str:
    return "\n".join(Text.from_ansi(line).plain for line in text.split("\n"))


def _segments(line: Text) -> list[Segment]:
    return [segment for segment in line.render(Console(width=1000), end="") if segment.text]


def _span(segment: Segment) -> str:
    style = segment.style
    number = style.color.number if style and style.color else None
    names = [_ANSI[number]] if number in _ANSI else []
    names += ["bold"] if style and style.bold else []
    text = escape(segment.text)
    return f'<tspan class="{" ".join(names)}">{text}</tspan>' if names else text


if __name__ == "__main__":
    coloured = {name: value for name, value in os.environ.items() if name != "NO_COLOR"}
    for picture, columns in PICTURES.items():
        picture.write_text(drawn(written(coloured, columns), columns))
