"""The main work of packages: a file of `work/` each, whose script metadata (PEP 723) names what it installs.

A package of the corpus without a script of its own is imported: every top-level module and every extension module.
"""

from __future__ import annotations

import json
import re
import tomllib
from dataclasses import dataclass
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name, parse_wheel_filename

_FOLDER = Path(__file__).with_name("work")
_CORPUS = Path(__file__).parents[1] / "corpus/wheels.json"
# Those that `make test` measures again: small wheels, without a server.
SAMPLE = (
    "discid",
    "hid",
    "libusb1",
    "lxml",
    "python-magic",
    "pyudev",
    "pyusb",
    "pyzmq",
    "sounddevice",
    "zstandard",
)
_METADATA = re.compile(r"^# /// script\n(.*?)^# ///$", re.MULTILINE | re.DOTALL)
_LARGEST = 30_000_000  # bytes of a wheel of the corpus
_LEFT_OUT = "torchvision"  # installs torch
_IMPORT = _FOLDER / "__import__.py"


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """The main work of one package."""

    name: str
    kind: str
    requirements: tuple[str, ...]
    script: str
    builds: bool = False  # a requirement has no wheel, and is built: pure Python only
    reason: str = ""  # why it cannot do its work here


def all_works() -> list[Work]:
    """Return the main work of every package, sorted by name."""
    works = {path.stem: _read(path) for path in sorted(_FOLDER.glob("[!_]*.py"))}
    have = {canonicalize_name(Requirement(work.requirements[0]).name) for work in works.values()}
    for row in json.loads(_CORPUS.read_text()):
        name, version, *_ = parse_wheel_filename(row["wheel"])
        if name not in {*have, *works, _LEFT_OUT} and row["size"] < _LARGEST:
            script = _IMPORT.read_text().replace("DISTRIBUTION", name)
            requirement = f"{name}=={version}"
            works[name] = Work(name=name, kind="import", requirements=(requirement,), script=script)
    return [works[name] for name in sorted(works)]


def _read(path: Path) -> Work:
    text = path.read_text()
    found = _METADATA.search(text)
    assert found, f"{path.name} has no script metadata"
    data = tomllib.loads("".join(line[2:] or "\n" for line in found[1].splitlines(keepends=True)))
    table = data["tool"]["trace"]
    return Work(
        name=path.stem,
        kind=table["kind"],
        requirements=tuple(data["dependencies"]),
        script=text,
        builds=table.get("builds", False),
        reason=table.get("reason", ""),
    )
