"""nixpy in a real terminal: widths, colour, progress, help and Ctrl-C."""

from __future__ import annotations

import os
import re
import signal
import socket
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from xml.etree import ElementTree as ET

import pytest

import picture
import shop
from nixpy import __version__
from nixpy.cli import COMMANDS
from runner import Nixpy
from terminal import CTRL_C, Terminal, run

RUN = [sys.executable, "-m", "nixpy"]
PACKAGES = ("alpha", "beta", "delta", "epsilon", "omega", "weasyprint")
# To a shell both are 130. Python itself chooses the second where a module was just made by exec(), as dataclasses are.
INTERRUPTED = (130, -signal.SIGINT)
REPORTS = (["init"], ["sync"], ["scan"], ["styles"], ["styles", "nix-ld"], ["check", "--diff"], ["doctor"])


@pytest.fixture
def project(tmp_path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose report has all there is: libraries, problems, and what comes next in a repository."""
    monkeypatch.delenv("NO_COLOR")  # a terminal is asked here
    (tmp_path / ".git").mkdir()
    return shop.project(tmp_path / "demo", *PACKAGES)


def piped(project: Path, *arguments: str) -> list[str]:
    """Return what nixpy writes where there is no terminal, line by line."""
    done = subprocess.run([*RUN, *arguments], cwd=project, check=False, capture_output=True, text=True)
    lines = (done.stdout + done.stderr).splitlines()
    return [line for line in lines if not re.fullmatch(r"opening \d+ wheels", line)]


@pytest.mark.parametrize("width", [60, 80, 120])
@pytest.mark.parametrize("arguments", REPORTS, ids=" ".join)
def test_it_fits_and_breaks_no_word(width: int, arguments: list[str], project: Path) -> None:
    """On a terminal no line is wider than it, but for single words and commands, and all words are those of a pipe."""
    run([*RUN, "init", "--style", "nix-ld"], cwd=project)
    _, terminal = run([*RUN, *arguments], columns=width, cwd=project)
    written = terminal.shown
    for line in written.split("\n"):
        whole = len(line.split()) <= 2 or line.strip().startswith(("git add", "cd ", "uv "))
        assert len(line) <= width or whole, line
    words = sorted(word for line in piped(project, *arguments) for word in line.split() if word != "#")
    assert sorted(word for word in written.split() if word != "#") == words


@pytest.mark.parametrize("arguments", [*REPORTS, ["init", "--style", "lodaer"]], ids=" ".join)
def test_elsewhere_a_thing_is_a_line(arguments: list[str], project: Path) -> None:
    """In a pipe nothing is broken: no line goes on in the next one, and none has control sequences."""
    run([*RUN, "init", "--style", "nix-ld"], cwd=project)
    wide = run([*RUN, *arguments], columns=1000, cwd=project)[1].plain
    lines = piped(project, *arguments)
    assert not any("\x1b" in line for line in lines)
    assert len(lines) <= len(wide.splitlines())


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
@pytest.mark.parametrize("arguments", [["check"], ["scan"], ["styles"], ["init", "--style", "lodaer"]], ids=" ".join)
def test_no_colour_where_none_is_wanted(setting: dict[str, str], arguments: list[str], project: Path) -> None:
    """NO_COLOR and terminals that can only go on writing get no colour, errors included; others do."""
    run([*RUN, "init", "--style", "loader"], cwd=project)
    _, terminal = run([*RUN, *arguments], cwd=project, env={**os.environ, **setting})
    assert not re.search(r"\x1b\[[0-9;]*m", terminal.text)
    assert re.search(r"\x1b\[[0-9;]*m", run([*RUN, *arguments], cwd=project)[1].text)


def test_a_terminal_that_is_read_aloud(project: Path) -> None:
    """With TERM=dumb there is a plain line instead of a bar: no control sequence, no line written twice."""
    status, terminal = run([*RUN, "init"], cwd=project, env={**os.environ, "TERM": "dumb"})
    assert status == 0
    assert "\x1b" not in terminal.text
    assert "\r" not in terminal.text.replace("\r\n", "")
    assert re.search(r"^opening \d+ wheels$", terminal.plain, re.MULTILINE)
    assert not re.search(r"[\u2500-\u259f]", terminal.plain)


def test_the_bar_goes_away(project: Path) -> None:
    """On a terminal the bar tells what is opened and is taken away; the report begins a line of its own."""
    status, terminal = run([*RUN, "init"], cwd=project)
    assert status == 0
    assert re.search(r"opening wheels \S+ +\d+/\d+ ", terminal.plain)
    assert "\x1b[2Kproject" in terminal.text


def test_it_ends_with_what_to_do_next(project: Path) -> None:
    """The last lines of init are commands that can be pasted, whatever the width."""
    for width in (40, 120):
        _, terminal = run([*RUN, "init"], columns=width, cwd=project)
        following = terminal.plain.partition("\nnext:\n")[2].splitlines()
        commands = [line.partition("   #")[0].strip() for line in following if not line.startswith("  #")]
        commands = [line for line in commands if not line.startswith("copies it")]
        assert commands[-1] == "nix develop"
        assert any(line.startswith("git add -N ") and line.endswith("nixpy.nix") for line in commands)
        assert "echo .venv/ >> .gitignore" in commands


def test_the_picture_is_of_today(nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """docs/init.svg is what `tests/picture.py` draws of what init writes today, and needs no network for it."""
    monkeypatch.delenv("NO_COLOR")
    text = picture.written({**os.environ, "UV_OFFLINE": "1"})
    assert picture.PICTURE.read_text() == picture.drawn(text)
    shown = "".join(ET.fromstring(picture.PICTURE.read_text()).itertext())  # noqa: S314  (our own file)
    for word in ("nix develop", "libstdc++.so.6", "nix-ld", "flake.nix, nixpy.lock, nixpy.nix"):
        assert word in shown


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_reads_well(command: str) -> None:
    """At 80 columns help fits, has a sentence for every option, and no column of it is squeezed."""
    status, terminal = run([*RUN, *command.split(), "--help"])
    assert status == 0
    lines = terminal.plain.splitlines()
    assert max(map(len, lines)) <= 80
    options = terminal.plain.partition("Options:\n")[2].partition("\n\n")[0]
    for option in re.split(r"\n(?=  -)", options.strip("\n")):
        names, _, told = option.strip().partition("  ")
        assert len(names) <= 22, names
        assert told.strip().endswith((".", "]")), option


@pytest.fixture
def silent(monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    """An index that takes every connection and never answers."""
    with socket.create_server(("127.0.0.1", 0)) as server:
        url = f"http://127.0.0.1:{server.getsockname()[1]}"
        monkeypatch.setenv("UV_DEFAULT_INDEX", f"{url}/simple/")
        yield url


@pytest.mark.parametrize(
    "arguments",
    [["init"], ["sync", "--upgrade"], ["sync", "--all", "--upgrade"], ["scan", "nobodyknows"]],
    ids=" ".join,
)
def test_ctrl_c(arguments: list[str], project: Path, silent: str) -> None:
    """Ctrl-C ends it at once with status 130 and one line; nothing changed, and the cursor is there again."""
    (project / "pyproject.toml").write_text(
        (project / "pyproject.toml").read_text() + '[tool.nixpy]\nstyle = "loader"\n'
    )
    before = {path: path.read_bytes() for path in project.rglob("*") if path.is_file()}
    with Terminal([*RUN, *arguments], cwd=project) as terminal:
        terminal.wait_for("looking for wheels")
        terminal.press(CTRL_C)
        assert terminal.ended() in INTERRUPTED, terminal.plain
    assert terminal.plain.rstrip().endswith("\nnixpy: interrupted; what was not finished was not written")
    assert "Traceback" not in terminal.plain
    assert terminal.text.rfind("\x1b[?25h") > terminal.text.rfind("\x1b[?25l")
    assert {path: path.read_bytes() for path in project.rglob("*") if path.is_file()} == before


def test_ctrl_c_while_it_starts(tmp_path: Path) -> None:
    """Even before there is a command line, Ctrl-C leaves no traceback."""
    (tmp_path / "click.py").write_text("import os, signal\nos.kill(os.getpid(), signal.SIGINT)\n")
    environment = {**os.environ, "PYTHONPATH": str(tmp_path)}
    status, terminal = run(RUN, env=environment)
    assert status in INTERRUPTED
    assert terminal.plain == ""


@pytest.mark.parametrize(
    ("arguments", "near"),
    [
        (["chek"], "check"),
        (["check", "--formt", "json"], "--format"),
        (["init", "--style", "loder"], "loader"),
        (["init", "--feature", "cud"], "cuda"),
    ],
)
def test_a_slip_gets_a_suggestion(arguments: list[str], near: str, project: Path, nixpy: Nixpy) -> None:
    """A command, option or value that does not exist is refused with the one that was meant."""
    ran = nixpy(*arguments, cwd=project)
    assert ran.status == 2
    assert re.search(rf"[Dd]id you mean\W+{near}\b", ran.err)


def test_the_version(nixpy: Nixpy) -> None:
    """Its name and version in one line, on standard output."""
    ran = nixpy("--version")
    assert (ran.status, ran.out, ran.err) == (0, f"nixpy {__version__}\n", "")
