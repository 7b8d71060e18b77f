"""`nixpy completion`: the tab key, pressed in real shells."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from nixpy.styles.features import features
from nixpy.styles.promises import NEEDS
from nixpy.styles.styles import styles
from runner import Nixpy
from terminal import TAB, Terminal

pytestmark = pytest.mark.slow  # each key is pressed in a shell of its own

SETUP = {
    "bash": 'eval "$(nixpy completion bash)"',
    "zsh": 'autoload -Uz compinit && compinit -D && eval "$(nixpy completion zsh)"',
    "fish": "nixpy completion fish | source",
}
START = {"bash": ["--norc", "--noprofile", "-i"], "zsh": ["-f", "-i"], "fish": ["--no-config", "-i"]}


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """A home without anybody's settings, and nixpy on PATH."""
    program = tmp_path / "bin" / "nixpy"
    program.parent.mkdir()
    program.write_text(f'#!/bin/sh\nexec {sys.executable} -m nixpy "$@"\n')
    program.chmod(0o755)
    return {"PATH": f"{program.parent}:{os.environ['PATH']}", "HOME": str(tmp_path), "LANG": "C.UTF-8", "PS1": "$ "}


@pytest.mark.parametrize("shell", SETUP)
@pytest.mark.parametrize(
    ("typed", "completed"),
    [
        ("nixpy docto", "nixpy doctor"),
        ("nixpy init --style nix-ld-i", "nixpy init --style nix-ld-interpreter"),
        ("nixpy init --feature find", "nixpy init --feature find-library"),
        ("nixpy init --manager poe", "nixpy init --manager poetry"),
        ("nixpy scan --system x86", "nixpy scan --system x86_64-linux"),
        ("nixpy init --nixpkgs nixos-u", "nixpy init --nixpkgs nixos-unstable"),
        ("nixpy styles loa", "nixpy styles loader"),
        ("nixpy styles --need exec", "nixpy styles --need executables"),
        ("nixpy styles --need executables,lea", "nixpy styles --need executables,leak-free"),
        ("nixpy check --format sa", "nixpy check --format sarif"),
        ("nixpy check --resc", "nixpy check --rescan"),
    ],
)
def test_the_tab_key(shell: str, typed: str, completed: str, environment: dict[str, str]) -> None:
    """In a shell that was told so, the tab key completes commands, options and their values."""
    program = shutil.which(shell)
    assert program, f"{shell} is missing; tests/nixos/setup brings it"
    with Terminal([program, *START[shell]], columns=120, env=environment) as terminal:
        terminal.press(f"{SETUP[shell]}; echo rea''dy\r")
        terminal.wait_for(r"[\r\n]ready")
        terminal.press(typed + TAB)
        terminal.wait_for(completed)


def offered(typed: str, environment: dict[str, str]) -> list[str]:
    """Return what fish, which can be asked, lists: a value, a tab, and what it is."""
    fish = shutil.which("fish")
    assert fish
    script = f'{SETUP["fish"]}; complete -C "{typed}"'
    done = subprocess.run(
        [fish, "--no-config", "-c", script], env=environment, check=True, capture_output=True, text=True
    )
    return sorted(done.stdout.splitlines())


def test_every_style_and_feature_is_offered(environment: dict[str, str]) -> None:
    """All values are listed, each with the whole sentence that tells what it is."""
    for typed, known in (("init --style", styles()), ("init --feature", features()), ("styles --need", NEEDS)):
        assert offered(f"nixpy {typed} ", environment) == sorted(f"{one.name}\t{one.title}" for one in known)


def test_behind_a_comma_the_others_are_offered(environment: dict[str, str]) -> None:
    """A need that is named already is not offered again behind it."""
    listed = [line.partition("\t")[0] for line in offered("nixpy styles --need ide,darwin,", environment)]
    assert listed == sorted(f"ide,darwin,{one.name}" for one in NEEDS if one.name not in ("ide", "darwin"))


def test_another_shell(nixpy: Nixpy) -> None:
    """A shell that nixpy has no words for is refused, with those it has."""
    ran = nixpy("completion", "tcsh")
    assert ran.status == 2
    assert "fish" in ran.err
