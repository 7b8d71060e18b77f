"""The small wheels of the corpus; `make corpus` reads them all."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import nixpy
from corpus.corpus import FACTS, SMALL, bring, differences

WHEELS: list[dict[str, Any]] = [w for w in json.loads(FACTS.read_text()) if w["size"] < SMALL]


@pytest.fixture(scope="session")
def folder(network: None) -> Path:
    """The folder with all small wheels."""
    return bring(WHEELS)


@pytest.mark.parametrize("wheel", WHEELS, ids=[w["wheel"].partition("-")[0] for w in WHEELS])
def test_four_answers_are_one(folder: Path, wheel: dict[str, Any]) -> None:
    """Our reader, readelf, pyelftools and the recorded facts agree on every field."""
    assert list(differences(folder / wheel["wheel"], wheel)) == []


@pytest.mark.parametrize(
    ("field", "wrong"),
    [
        ("external", []),
        ("external", ["libgcc_s.so.1", "libm.so.6", "libstdc++.so.6"]),
        ("by_executables", ["libstdc++.so.6"]),
        ("executables", {}),
        ("glibc", "2.5"),
        ("elf_count", 2),
    ],
)
def test_a_wrong_fact_is_shown(folder: Path, field: str, wrong: object) -> None:
    """The comparison can fail: any field of ninja's facts changed is reported, by name, for every tool."""
    ninja = next(w for w in WHEELS if w["wheel"].startswith("ninja-"))
    lines = list(differences(folder / ninja["wheel"], {**ninja, field: wrong}))
    for tool in ("nixpy", "readelf", "pyelftools"):
        assert any(line.startswith(f"{field}: {tool} says") for line in lines)


def test_command_exits_with_1_on_a_difference(folder: Path, tmp_path: Path) -> None:
    """`python corpus.py` ends with 1 and shows the difference when the facts are wrong."""
    wrong = tmp_path / "wheels.json"
    wrong.write_text(json.dumps([{**WHEELS[0], "elf_count": 99}]))
    command = [sys.executable, str(FACTS.with_name("corpus.py")), "--facts", str(wrong)]
    path = str(Path(nixpy.__path__[0]).parent)
    ended = subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, "PYTHONPATH": path})
    assert ended.returncode == 1, ended.stderr
    assert "elf_count" in ended.stdout
