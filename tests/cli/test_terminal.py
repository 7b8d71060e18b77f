"""nixpy in a real terminal: widths, colour, progress, help and Ctrl-C."""

from __future__ import annotations

import json
import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any
from xml.etree import ElementTree as ET

import pytest

import picture
import shop
from nixpy import __version__
from nixpy.cli import common
from nixpy.cli.layout import aligned
from nixpy.cli.main import COMMANDS
from runner import Nixpy
from suite import expected
from terminal import CTRL_C, Terminal, run

pytestmark = pytest.mark.slow  # each command is a process in a terminal of its own

RUN = [sys.executable, "-m", "nixpy"]
PACKAGES = ("alpha", "beta", "delta", "epsilon", "omega", "weasyprint")
# To a shell both are 130. Python itself chooses the second where a module was just made by exec(), as dataclasses are.
INTERRUPTED = (130, -signal.SIGINT)
REPORTS = (
    ["init"],
    ["init", "--all"],
    ["sync"],
    ["scan"],
    ["styles"],
    ["styles", "nix-ld"],
    ["styles", "cuda"],
    ["check", "--diff"],
    ["doctor"],
    ["new", "fresh", "--defaults"],
    ["package", "delta", "--force", "-o", "delta.nix"],
    ["patch"],
)


@pytest.fixture(scope="module")
def place() -> Iterator[Path]:
    """The folder of every project here, so that the same command says the same in each.

    Its path is as long in every run: pytest's own folders grow with the number of runs, and paths are in the reports.
    """
    with tempfile.TemporaryDirectory(dir="/tmp") as folder:
        yield Path(folder) / "place"


@pytest.fixture
def project(place: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A project whose report has all there is: libraries, problems, and what comes next in a repository."""
    monkeypatch.delenv("NO_COLOR")  # a terminal is asked here
    shutil.rmtree(place, ignore_errors=True)
    (place / ".git").mkdir(parents=True)
    # What the shell of style patched-venv hands over, and a file that cannot be patched.
    settings = {
        "libraries": str(place / ".git"),
        "loader": sys.executable,
        "patchelf": "",
        "driver": [],
        "opened": [],
    }
    (place / "settings.json").write_text(json.dumps(settings))
    monkeypatch.setenv("NIXPY_PATCH", str(place / "settings.json"))
    venv = place / "demo" / ".venv"
    (venv / "lib").mkdir(parents=True)
    (venv / "pyvenv.cfg").write_text("")
    (venv / "lib" / "damaged.so").write_bytes(b"\x7fELF")
    return shop.project(place / "demo", *PACKAGES)


@pytest.fixture
def initialised(project: Path, place: Path) -> Callable[[str], Path]:
    """The project after `nixpy init` with a style, which runs once for all tests."""

    def initialised(style: str) -> Path:
        kept = place.with_name(style)
        if not kept.exists():
            run([*RUN, "init", "--style", style], cwd=project)
            shutil.copytree(project, kept)
        return Path(shutil.copytree(kept, project, dirs_exist_ok=True))

    return initialised


@pytest.fixture(scope="module")
def said() -> dict[tuple[str, ...], Any]:
    """What commands wrote in a test before, in the initialised project of style nix-ld or loader."""
    return {}


def piped(project: Path, *arguments: str) -> list[str]:
    """Return what nixpy writes where there is no terminal, line by line."""
    shutil.rmtree(project / "fresh", ignore_errors=True)  # what `new` made before
    done = subprocess.run([*RUN, *arguments], cwd=project, check=False, capture_output=True, text=True)
    lines = (done.stdout + done.stderr).splitlines()
    return [line for line in lines if not re.fullmatch(r"opening \d+ wheel files", line)]


@pytest.mark.parametrize("width", [40, 60, 80, 120])
@pytest.mark.parametrize("arguments", REPORTS, ids=" ".join)
def test_it_fits_and_breaks_no_word(
    width: int, arguments: list[str], initialised: Callable[[str], Path], said: dict[tuple[str, ...], Any]
) -> None:
    """No line is wider than the terminal but for commands and longer words, and all words are those of a pipe."""
    project = initialised("nix-ld")
    _, terminal = run([*RUN, *arguments], columns=width, cwd=project)
    written = terminal.shown
    for line in written.split("\n"):
        command = line.strip().startswith(("git ", "cd ", "uv ", "python -m", "delta = ", "hint: rm -r "))
        longest = max(map(len, line.split()), default=0)
        assert len(line) <= width or longest > width - len("python  ") or command, line
    key = ("piped", *arguments)
    if key not in said:
        said[key] = piped(project, *arguments)
    words = sorted(word for line in said[key] for word in line.split() if word != "#")
    assert sorted(word for word in written.split() if word != "#") == words


@pytest.mark.parametrize("arguments", [*REPORTS, ["init", "--style", "lodaer"]], ids=" ".join)
def test_elsewhere_a_thing_is_a_line(
    arguments: list[str], initialised: Callable[[str], Path], said: dict[tuple[str, ...], Any]
) -> None:
    """In a pipe nothing is broken: no line goes on in the next one, and none has control sequences."""
    project = initialised("nix-ld")
    wide = run([*RUN, *arguments], columns=1000, cwd=project)[1].plain
    key = ("piped", *arguments)
    if key not in said:
        said[key] = piped(project, *arguments)
    lines = said[key]
    assert lines
    assert not any("\x1b" in line for line in lines)
    assert len(lines) <= len(wide.splitlines())


@pytest.mark.parametrize("width", [20, 40, 70])
def test_a_column_that_has_no_room_goes_below(width: int) -> None:
    """No cell is cut or lost where its words fit, and what stands on a line of its own is further in than its row."""
    rows = [("numpy 2.0", "libice.so.6", "(pkgs.libice or x)"), ("", "libz.so.1", ""), ("six", "", "needs nothing")]
    lines = list(aligned(rows, 2, width))
    assert max(map(len, lines)) <= width
    assert " ".join(" ".join(lines).split()) == " ".join(" ".join(cell for row in rows for cell in row).split())
    assert all(line.startswith("    ") for line in lines if not line.startswith(("  numpy", "  six")))


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
@pytest.mark.parametrize("arguments", [["check"], ["scan"], ["styles"], ["init", "--style", "lodaer"]], ids=" ".join)
def test_no_colour_where_none_is_wanted(
    setting: dict[str, str],
    arguments: list[str],
    initialised: Callable[[str], Path],
    said: dict[tuple[str, ...], Any],
) -> None:
    """NO_COLOR and terminals that can only go on writing get no colour, errors included; others do."""
    project = initialised("loader")
    _, terminal = run([*RUN, *arguments], cwd=project, env={**os.environ, **setting})
    assert not re.search(r"\x1b\[[0-9;]*m", terminal.text)
    key = ("coloured", *arguments)
    if key not in said:
        said[key] = run([*RUN, *arguments], cwd=project)[1].text
    assert re.search(r"\x1b\[[0-9;]*m", said[key])


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_a_terminal_that_is_read_aloud(setting: dict[str, str], project: Path) -> None:
    """There is a plain line instead of a bar: no control sequence, no line written twice, no line drawn."""
    status, terminal = run([*RUN, "init"], cwd=project, env={**os.environ, **setting})
    assert status == 0
    assert "\x1b" not in terminal.text
    assert "\r" not in terminal.text.replace("\r\n", "")
    assert re.search(r"^opening \d+ wheel files$", terminal.plain, re.MULTILINE)
    assert not re.search(r"[\u2500-\u259f]", terminal.plain)


def test_plain_progress_goes_on(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """What takes long is told of in lines, seldom enough to be read, and what is done at once in one."""
    clock = iter(range(0, 100, 4))
    monkeypatch.setattr(common, "monotonic", lambda: next(clock))
    plain = common.PlainProgress()
    plain.start(9)
    for _ in range(9):
        plain.step("numpy", "read")
    first, *others = capsys.readouterr().err.splitlines()
    assert first == "opening 9 wheel files"
    assert 2 <= len(others) <= 4
    assert all(re.fullmatch(r"opened \d of 9 wheel files", line) for line in others)


@pytest.mark.parametrize("setting", [{"NO_COLOR": "1"}, {"TERM": "dumb"}])
def test_questions_are_words(setting: dict[str, str], project: Path) -> None:
    """A question of `new` has no picture; left with Ctrl-C, nothing was made. `--help` tells the way without lists."""
    with Terminal([*RUN, "new", "fresh"], cwd=project, env={**os.environ, **setting}) as terminal:
        for question in ("What is the name of the project?", "What does it do, in one line?"):
            terminal.wait_for(question)
            terminal.press("\r")
        terminal.wait_for("How does Python find libraries from Nix?")
        terminal.press(CTRL_C)
        assert terminal.ended() in INTERRUPTED
    assert max(terminal.plain) <= "»"
    assert not (project / "fresh").exists()
    told = run([*RUN, "new", "--help"], cwd=project)[1].plain
    assert "With a screen reader or in a script, use --defaults and --data" in " ".join(told.split())


def test_the_bar_goes_away(project: Path) -> None:
    """On a terminal the bar tells what is opened and is taken away; the report begins a line of its own."""
    status, terminal = run([*RUN, "init"], cwd=project)
    assert status == 0
    assert re.search(r"opening wheel files \S+ +\d+/\d+ ", terminal.plain)
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


@pytest.mark.parametrize("path", picture.PICTURES, ids=lambda path: path.name)
def test_the_picture_is_of_today(path: Path, nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is what `tests/helpers/picture.py` draws of what init writes today, and needs no network for it."""
    monkeypatch.delenv("NO_COLOR")
    columns = picture.PICTURES[path]
    text = picture.written({**os.environ, "UV_OFFLINE": "1"}, columns)
    expected.hold(path.parent, {path.name: picture.drawn(text, columns)})
    shown = " ".join("".join(ET.fromstring(path.read_text()).itertext()).split())  # noqa: S314  (our own file)
    for word in ("nix develop", "libstdc++.so.6", "patched-venv", "flake.nix, nixpy.lock, nixpy.nix"):
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


@pytest.mark.parametrize("command", ["", *COMMANDS])
def test_help_on_a_narrow_terminal(command: str) -> None:
    """At 40 columns help fits, and says word for word what it says on a wide one."""
    narrow, wide = (run([*RUN, *command.split(), "--help"], columns=width)[1].plain for width in (40, 100))
    assert max(map(len, narrow.splitlines())) <= 40
    assert narrow.split() == wide.split()


def test_help_where_there_is_no_width(project: Path) -> None:
    """A terminal that calls itself one column wide gets a word a line."""
    assert run([*RUN, "check", "--help"], columns=1, cwd=project)[0] == 0


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
    assert terminal.plain.rstrip().endswith("\nnixpy: interrupted; unfinished files were not written")
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


@pytest.mark.parametrize(
    "arguments",
    [["chek"], ["check", "--formt", "json"], ["check", "--format", "pdf"], ["init", "--style"]],
    ids=" ".join,
)
def test_a_slip_fits_a_narrow_terminal(arguments: list[str], project: Path) -> None:
    """What is wrong with a command line is told between words too, with where to look, and status 2."""
    status, terminal = run([*RUN, *arguments], columns=40, cwd=project)
    assert status == 2
    assert terminal.plain.startswith("error[NIX702]: ")
    assert max(map(len, terminal.plain.splitlines())) <= 40
    assert "--help`" in " ".join(terminal.plain.split())


def test_lines_of_an_error_stay_lines(project: Path) -> None:
    """The lines of a message, as those of uv are, stay lines on a terminal: each wrapped with its own indent."""
    (project / "uv.toml").write_text('[pip]\nindex-url = "http://127.0.0.1:9/simple"\n')
    command = [*RUN, "scan", "--no-deps", "nobodyknows==1"]
    environ = {**os.environ, "UV_OFFLINE": "1", "COLUMNS": "60"}
    status, terminal = run(command, columns=60, cwd=project, env=environ)
    assert status == 2
    error = terminal.plain[terminal.plain.index("error[NIX7") :]
    assert re.match(r"error\[NIX7\d\d\]: uv cannot resolve the requirements:\n\S", error), error
    assert max(map(len, error.splitlines())) <= 60


def test_the_version(nixpy: Nixpy) -> None:
    """Its name and version in one line, on standard output."""
    ran = nixpy("--version")
    assert (ran.status, ran.out, ran.err) == (0, f"nixpy {__version__}\n", "")
