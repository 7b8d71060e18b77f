"""The examples are what `nixpy init` makes of their own files, and the index has them all."""

from __future__ import annotations

import json
import re
import shutil
import tomllib
from pathlib import Path

import pytest

from nixpy.project.project import NIXPY_LOCK
from nixpy.styles.styles import find
from runner import Nixpy
from suite import expected

TOP = Path(__file__).parents[2] / "examples"
EXAMPLES = sorted(path.parent for path in TOP.glob("*/nixpy.lock"))
# `init` writes these; uv.lock is the reader's to make, and without it there is no `init` of that style.
WRITTEN = ("flake.nix", "nixpy.nix", "environment.yml")
INITIATED = [path for path in EXAMPLES if path.name != "uv2nix"]
OWN = {"package": {"flake.nix"}}  # with the lines that `nixpy package` printed


def settings(example: Path) -> dict[str, object]:
    """The settings of an example."""
    file = example / "nixpy.toml"
    if file.exists():
        return tomllib.loads(file.read_text())
    found: dict[str, object] = tomllib.loads((example / "pyproject.toml").read_text())["tool"]["nixpy"]
    return found


@pytest.mark.parametrize("example", INITIATED, ids=lambda path: path.name)
def test_a_stranger_s_init_writes_the_same(example: Path, tmp_path: Path, nixpy: Nixpy) -> None:
    """From the example's own files and the wheels that it records, `init` writes what lies there, to the byte, and all
    that it writes lies there; the rest it leaves alone.
    """
    project = shutil.copytree(example, tmp_path / example.name, ignore=shutil.ignore_patterns(".venv", "result"))
    for name in WRITTEN:
        (project / name).unlink(missing_ok=True)
    made = nixpy("init", project, "--offline")
    assert made.status == 0, made.err
    own = OWN.get(example.name, set())
    written = {path.name: path.read_bytes() for path in project.iterdir() if path.is_file() and path.name not in own}
    expected.hold(example, {name: text.decode() for name, text in written.items()})
    assert written.keys() == {path.name for path in example.iterdir() if path.is_file()} - own


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.name)
def test_what_a_wheel_requires_was_read(example: Path) -> None:
    """Where a lock records what a wheel requires, the wheel's metadata was read: nothing of it is told by the name of
    the file alone.
    """
    for system, found in json.loads((example / NIXPY_LOCK).read_text())["systems"].items():
        for wheel in found["wheels"]:
            assert "requires" not in wheel or wheel["known"] != "tag", (system, wheel["name"])


def test_the_index_has_them_all() -> None:
    """examples/README.md has one row a folder, in their order, which names its style and its features."""
    rows = re.findall(
        r"^\| \[([\w-]+)\]\(([\w-]+)\) \| (.+) \| (.+) \|$", (TOP / "README.md").read_text(), re.MULTILINE
    )
    assert [name for name, *_ in rows] == [path.name for path in EXAMPLES]
    assert {path.parent.name for path in TOP.glob("*/README.md")} == {path.name for path in EXAMPLES}
    for name, link, what, shows in rows:
        said = settings(TOP / name)
        style, features = find(str(said["style"])).name, said.get("features", [])
        assert link == name
        assert len(what) > 12
        assert isinstance(features, list)
        assert [word for word in (style, *features) if f"`{word}`" not in shows] == [], name
