"""The options of every command: how much is printed, and whether in colour."""

from __future__ import annotations

import json
import logging
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import shop
from nixpy.cli import output
from nixpy.cli.main import COMMANDS
from runner import Nixpy

pytestmark = pytest.mark.slow  # each test runs uv or several commands

COLOUR = re.compile(r"\x1b\[[0-9;]*m")
FORCED = {"NO_COLOR": "1", "FORCE_COLOR": "1", "CLICOLOR_FORCE": "1"}


@pytest.fixture(autouse=True)
def environment(nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """No variable decides about colour, not even that of the fixture, and no setting outlives the test."""
    del nixpy
    for name in FORCED:
        monkeypatch.delenv(name, raising=False)
    yield
    output.reset()


@pytest.fixture
def project(tmp_path: Path, nixpy: Nixpy) -> Path:
    """A project with a diagnostic that is up to date."""
    project = shop.project(tmp_path / "demo", "alpha", "omega")
    assert nixpy("init", project, "--style", "loader").status == 0
    return project


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_has_them(command: str, nixpy: Nixpy) -> None:
    """The help of each command lists the three options."""
    assert {"--quiet", "--verbose", "--color"} <= set(re.findall(r"--\w+", nixpy(command, "--help").out))


@pytest.mark.parametrize("arguments", [("-q", "check"), ("check", "-q"), ("--quiet", "check"), ("check", "--quiet")])
def test_they_stand_before_or_after_the_name(arguments: tuple[str, ...], project: Path, nixpy: Nixpy) -> None:
    """An option has the same effect in both places."""
    ran = nixpy(*arguments, project)
    assert (ran.status, ran.out, ran.err) == (0, "", "")


@pytest.mark.parametrize(
    "arguments",
    [
        ("init", "--style", "loader"),
        ("sync",),
        ("sync", "--all"),
        ("sync", "--diff"),
        ("check",),
        ("check", "--all"),
        ("new", "fresh", "--defaults"),
    ],
    ids=" ".join,
)
def test_quiet_prints_nothing_about_success(arguments: tuple[str, ...], project: Path, nixpy: Nixpy) -> None:
    """A command that succeeds prints something, and with -q only its answer: here there is none."""
    ran = nixpy("-q", *arguments, cwd=project)
    assert (ran.status, ran.err) == (0, "")
    assert ran.out == "" or arguments[0] == "init"
    again = nixpy(*arguments, cwd=project)
    assert arguments[0] == "new" or again.out + again.err


def test_quiet_prints_errors_and_answers(project: Path, nixpy: Nixpy) -> None:
    """With -q an error has its hint, a file that is out of date is named, and a list is printed."""
    ran = nixpy("-q", "scan", "nowhere.lock", cwd=project)
    assert ran.status == 2
    assert re.fullmatch(r"error\[NIX702\]: nowhere.lock: .*\n  hint: .*\n", ran.err)
    assert nixpy("-q", "scan", project).out == nixpy("scan", project).out
    assert nixpy("-q", "styles", "loader").out == nixpy("styles", "loader").out
    settings = project / "pyproject.toml"
    settings.write_text(settings.read_text().replace('"alpha",', '"alpha", "beta",'))
    ran = nixpy("-q", "check", project)
    assert ran.status == 1
    assert ran.out.startswith(f"error[NIX416]: {project}: out of date\n")


def test_success_names_what_was_looked_at(project: Path, nixpy: Nixpy) -> None:
    """`check` and `sync` name the files that are up to date, and `check` those that it compared them with."""
    first, *_ = nixpy("check", cwd=project).out.splitlines()
    assert first == ".: up to date (nixpy.lock, nixpy.nix; checked against pyproject.toml)"
    assert "up to date (nixpy.lock, nixpy.nix)" in nixpy("sync", cwd=project).out
    assert nixpy("sync", "--diff", cwd=project).err.splitlines()[-1] == "no differences in nixpy.lock, nixpy.nix"


def test_verbose_says_what_was_read_and_run(project: Path, nixpy: Nixpy) -> None:
    """With -v standard error names the files and the programs with the time, and standard output has all diagnostics.

    No file is named that does not exist, and none of nixpy's own tables.
    """
    ran = nixpy("-v", "check", cwd=project)
    assert not (project / ".python-version").exists()
    read = re.findall(r"^debug: \d+\.\d{3} s: read (.+)$", ran.err, re.MULTILINE)
    assert {"pyproject.toml", "nixpy.lock", "nixpy.nix"} <= set(read)
    assert all((project / name).exists() and "sonames.csv" not in name for name in read)
    assert ran.err.splitlines()[-1].endswith(" s: finished")
    assert re.search(r"^warning\[NIX\d{3}\]: ", ran.err, re.MULTILINE)
    ran = nixpy("-v", "sync", "--upgrade", cwd=project)
    assert re.search(r"^debug: \d+\.\d{3} s: ran \S*uv for \d+\.\d\d s, status 0$", ran.err, re.MULTILINE)


def test_the_log_ends_with_the_command(project: Path, nixpy: Nixpy) -> None:
    """A command without -v after one with it prints no log: settings belong to one command."""
    assert "debug: " in nixpy("-v", "check", project).err
    assert "debug: " not in nixpy("check", project).err
    assert not logging.getLogger("nixpy").handlers


def test_quiet_and_verbose_exclude_each_other(nixpy: Nixpy) -> None:
    """Both together are an error, wherever they stand."""
    for arguments in (("-q", "-v", "styles"), ("-v", "styles", "-q")):
        ran = nixpy(*arguments)
        assert (ran.status, ran.out) == (2, "")
        assert ran.err.startswith("error[NIX702]: --quiet and --verbose exclude each other")


@pytest.mark.parametrize(
    ("option", "variables", "coloured"),
    [
        ((), (), False),  # the test is no terminal
        (("--color", "always"), (), True),
        (("--color", "always"), ("NO_COLOR",), True),
        (("--color", "never"), ("FORCE_COLOR",), False),
        (("--color", "auto"), ("FORCE_COLOR",), True),
        ((), ("CLICOLOR_FORCE",), True),
        ((), ("FORCE_COLOR", "NO_COLOR"), False),
    ],
)
def test_who_decides_about_colour(
    option: tuple[str, ...],
    variables: tuple[str, ...],
    coloured: bool,
    project: Path,
    nixpy: Nixpy,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """--color decides, then NO_COLOR, then FORCE_COLOR and CLICOLOR_FORCE."""
    for name in variables:
        monkeypatch.setenv(name, FORCED[name])
    assert bool(COLOUR.search(nixpy("check", project, *option).out)) is coloured
    assert bool(COLOUR.search(nixpy("scan", "nowhere.lock", *option).err)) is coloured


@pytest.mark.parametrize("form", ["json", "github", "gitlab", "sarif", "markdown"])
def test_reports_for_programs_have_no_colour(form: str, project: Path, nixpy: Nixpy) -> None:
    """No report that a program reads has colour, and it is the same with -q and -v; neither has a file."""
    plain = nixpy("check", project, "--format", form)
    for option in ("--color=always", "-q", "-v"):
        assert nixpy("check", project, "--format", form, option).out == plain.out
    assert not COLOUR.search(plain.out)
    assert nixpy("sync", project, "--force", "--color=always").status == 0
    assert not any(COLOUR.search((project / name).read_text()) for name in ("nixpy.nix", "nixpy.lock", "flake.nix"))


def test_json_has_the_code_of_an_error(tmp_path: Path, nixpy: Nixpy) -> None:
    """A project that cannot be read has the code of the error in the JSON of `check`, and it is the rule in SARIF."""
    project = shop.project(tmp_path / "demo", extra="[tool.nixpy]\nstyle = 'lodaer'")
    ran = nixpy("check", project, "--format", "json")
    assert ran.status == 2
    assert ran.project["code"] == "NIX704"
    (run,) = nixpy("check", project, "--format", "sarif").json["runs"]
    assert [result["ruleId"] for result in run["results"]] == ["NIX704"]
    assert json.loads(ran.out)["format"] == 1
