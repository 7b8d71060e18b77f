"""What `check` prints for programs: each finding at its line, in the form that GitHub, GitLab and SARIF ask for."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import click
import pytest
import uv
from hypothesis import given
from hypothesis import strategies as st

import othernixpy
import shop
from ci.actionrunner import Ran as Job
from nixpy.cli import formats
from nixpy.cli.annotate import annotate
from nixpy.commands.check import Outcome
from nixpy.core.errors import InputError
from nixpy.core.text import visible
from runner import Nixpy, Ran

NAMES = st.text(alphabet=st.characters(exclude_characters="\0", exclude_categories=["Cs"]), min_size=1, max_size=30)


@pytest.fixture
def made(tmp_path: Path, nixpy: Nixpy) -> Path:
    """A project with its files and a uv.lock, in a folder of a repository."""
    (tmp_path / ".git").mkdir()
    project = shop.project(tmp_path / "some project", "alpha", "gamma")
    lock(project)
    assert nixpy("init", project, "--style", "loader").status == 0
    return project


def lock(project: Path, *options: str) -> None:
    subprocess.run([uv.find_uv_bin(), "lock", "--quiet", *options], cwd=project, check=True)


def found(nixpy: Nixpy, *folders: Path) -> list[tuple[str, str, str, int]]:
    """Return rule, level, path and line of every SARIF result, which has its fingerprints."""
    ran = nixpy("check", *folders, "--format", "sarif")
    (run,) = ran.json["runs"]
    for result in run["results"]:
        assert run["tool"]["driver"]["rules"][result["ruleIndex"]]["id"] == result["ruleId"]
    prints = [result["partialFingerprints"]["nixpy/v1"] for result in run["results"]]
    assert len(set(prints)) == len(prints)
    places = [result["locations"][0]["physicalLocation"] for result in run["results"]]
    return [
        (result["ruleId"], result["level"], place["artifactLocation"]["uri"], place["region"]["startLine"])
        for result, place in zip(run["results"], places, strict=True)
    ]


def line_of(path: Path, text: str) -> int:
    """Return the number of the one line that holds `text`."""
    (number,) = [at for at, line in enumerate(path.read_text().split("\n"), 1) if text in line]
    return number


def shown(text: str) -> str:
    """Return the text as it may stand inside a line of a job's log."""
    return visible(text).replace("##[", "#\\x23[")


def test_nothing_to_tell(made: Path, nixpy: Nixpy) -> None:
    """A fresh project has no result in any form."""
    assert found(nixpy, made) == []
    assert nixpy("check", made, "--format", "gitlab").json == []
    assert "::" not in nixpy("check", made, "--format", "github").out


def test_a_package_is_shown_where_the_lock_has_it(made: Path, nixpy: Nixpy) -> None:
    """A changed version is at the line of uv.lock that begins its package, not where another one names it."""
    lock(made, "--upgrade-package", "alpha<1.1")
    text = (made / "uv.lock").read_text().split("\n")
    assert ("stale", "error", "some%20project/uv.lock", text.index('name = "alpha"') + 1) in found(nixpy, made)


def test_a_package_that_left_is_shown_where_it_was_recorded(made: Path, nixpy: Nixpy) -> None:
    """What the lock does not have any more has its line in nixpy.lock."""
    shop.project(made, "gamma", extra=made.joinpath("pyproject.toml").read_text().partition("]\n\n")[2])
    lock(made)
    line = (made / "nixpy.lock").read_text().split("\n").index('     "name": "alpha",') + 1
    assert ("stale", "error", "some%20project/nixpy.lock", line) in found(nixpy, made)


def test_a_dependency_the_lock_lacks_is_shown_where_it_is_asked_for(made: Path, nixpy: Nixpy) -> None:
    """A uv.lock that is behind is told at the line of pyproject.toml that names the package."""
    path = made / "pyproject.toml"
    path.write_text(path.read_text().replace('  "gamma",', '  "gamma",\n  "delta>=2",'))
    assert ("stale", "error", "some%20project/pyproject.toml", line_of(path, "delta>=2")) in found(nixpy, made)


@pytest.mark.parametrize(("setting", "value"), [("python", "3.12"), ("nixpkgs", "nixos-25.05")])
def test_a_setting_is_shown_where_it_stands(setting: str, value: str, made: Path, nixpy: Nixpy) -> None:
    """A changed setting is told at its own line."""
    path = made / "pyproject.toml"
    lines = [
        f'{setting} = "{value}"' if line.startswith(setting + " =") else line for line in path.read_text().split("\n")
    ]
    path.write_text("\n".join(lines))
    at = line_of(path, f'{setting} = "{value}"')
    assert ("stale", "error", "some%20project/pyproject.toml", at) in found(nixpy, made)


def test_an_edit_is_shown_at_its_line(made: Path, nixpy: Nixpy) -> None:
    """Of an edited file the line is that of the edit, not of the digest, which changed as well."""
    path = made / "nixpy.nix"
    path.write_text(path.read_text().replace("pkgs.zlib", "pkgs.zlib-ng"))
    assert found(nixpy, made) == [("edited", "error", "some%20project/nixpy.nix", line_of(path, "pkgs.zlib-ng"))]
    ran = nixpy("check", made, "--format", "gitlab").json
    assert ran[0]["location"]["lines"]["begin"] == line_of(path, "pkgs.zlib-ng")


@pytest.mark.parametrize("change", ["first", "last", "only"])
def test_lines_that_came_or_went(change: str, made: Path, nixpy: Nixpy) -> None:
    """A line that was added is shown itself; one that was removed, by the line before it."""
    path = made / "nixpy.nix"
    lines = path.read_text().split("\n")
    only = lines.index("    sonames = lib.optionalAttrs isLinux {")
    at = {"first": 0, "last": len(lines) - 2, "only": only}[change]
    path.write_text("\n".join([*lines[: at + 1], "# more", *lines[at + 1 :]]))
    assert found(nixpy, made)[0][3] == at + 2
    path.write_text("\n".join([*lines[:at], *lines[at + 1 :]]))
    assert found(nixpy, made)[0][3] == max(at, 1)


def test_every_state_has_a_result(made: Path, nixpy: Nixpy) -> None:
    """A missing, a foreign and a damaged file, and a project that cannot be read, each with its rule and a line."""
    path = made / "nixpy.nix"
    text = path.read_text()
    path.write_text("{ }\n")
    assert [(rule, at) for rule, _, _, at in found(nixpy, made)] == [("foreign", 1)]
    path.unlink()
    assert {rule for rule, *_ in found(nixpy, made)} == {"never-analysed"}
    path.write_text(text)
    pyproject = made / "pyproject.toml"
    pyproject.write_text(pyproject.read_text().replace('style = "loader"', 'style = "lodaer"'))
    at = line_of(pyproject, "lodaer")
    assert found(nixpy, made) == [("NIX704", "error", "some%20project/pyproject.toml", at)]


@pytest.mark.parametrize(("strict", "status"), [((), 0), (("--strict",), 1)])
def test_an_older_library_is_a_note(strict: tuple[str, ...], status: int, made: Path, nixpy: Nixpy) -> None:
    """A library text of another nixpy is one note in every form, at the file, and fails nothing but --strict."""
    path = made / "nixpy.nix"
    path.write_text(othernixpy.older_library(path.read_text()))
    place = "some project/nixpy.nix"
    reason = "the Nix functions in nixpy.nix are from another nixpy; the facts are right"
    remedy = "run `nixpy sync` to use the functions of this nixpy"

    def ran(form: str) -> Ran:
        done = nixpy("check", made, "--format", form, *strict)
        assert done.status == status
        return done

    first, *others = ran("text").out.splitlines()
    assert first == f"warning[NIX416]: {made}: older library"
    assert f"  {reason}" in others
    assert others[-1] == f"  hint: {remedy.capitalize()}."
    (project,) = ran("json").json["projects"]
    assert (project["state"], project["remedy"], project["reasons"]) == ("older library", remedy, [reason])
    states = {Path(file["path"]).name: file["state"] for file in project["files"]}
    assert states == {"nixpy.lock": "fresh", "nixpy.nix": "older library"}
    (one,) = Job(log=ran("github").out).annotations
    assert (one.kind, one.file, one.line, one.message) == ("notice", place, 1, f"{reason}; {remedy}")
    (issue,) = ran("gitlab").json
    assert (issue["check_name"], issue["severity"]) == ("nixpy/older-library", "info")
    assert issue["location"] == {"path": place, "lines": {"begin": 1}}
    assert issue["description"] == f"{reason}; {remedy}"
    assert found(nixpy, made) == [("older-library", "note", "some%20project/nixpy.nix", 1)]
    rows = ran("markdown").out.splitlines()
    assert f"| {made} | older library | {remedy} |" in rows
    assert f"- `{place}:1` {reason}; {remedy}" in rows


def test_the_checksum_of_the_library_is_no_change(made: Path, nixpy: Nixpy) -> None:
    """Where the facts and the library changed, the line is that of the facts, not that of a checksum."""
    path, pyproject = made / "nixpy.nix", made / "pyproject.toml"
    path.write_text(othernixpy.older_library(path.read_text()))
    pyproject.write_text(pyproject.read_text() + "[tool.nixpy.libraries]\nignore = ['libz.so.1']\n")
    assert ("stale", "error", "some%20project/nixpy.nix", line_of(path, '"libz.so.1" = ')) in found(nixpy, made)


def test_known_problems_are_notes(tmp_path: Path, nixpy: Nixpy) -> None:
    """What `sync` tells anyway is told as a note, at the line that names the package, and fails nothing."""
    project = shop.project(tmp_path / "demo", "alpha", "omega")
    assert nixpy("init", project, "--style", "loader").status == 0
    assert nixpy("check", project, "--format", "sarif").status == 0
    at = line_of(project / "pyproject.toml", '"omega"')
    told = found(nixpy, project)
    assert {level for _, level, _, _ in told} == {"note"}
    assert any(rule.startswith("NIX") and line == at for rule, _, _, line in told)


@pytest.mark.parametrize("diff", [(), ("--diff",)])
def test_json_is_as_its_schema_says(diff: tuple[str, ...], made: Path, tmp_path: Path, nixpy: Nixpy) -> None:
    """Fresh, edited and unreadable projects alike."""
    broken = tmp_path / "broken"
    broken.mkdir()
    (broken / "pyproject.toml").write_text("[project\n")
    for text, state in (((made / "nixpy.nix").read_text(), "fresh"), ("edited @generated by nixpy", "edited")):
        (made / "nixpy.nix").write_text(text)
        states = [
            project["state"] for project in nixpy("check", made, broken, "--format", "json", *diff).json["projects"]
        ]
        assert states == [state, "error"]


@pytest.mark.parametrize("name", ["nowhere", "../nowhere"])
def test_what_is_not_there_is_no_file_to_show(name: str, made: Path, nixpy: Nixpy) -> None:
    """A folder that does not exist is named in the message alone: no annotation is put at a file that nobody has."""
    (one,) = Job(log=nixpy("check", name, "--format", "github", cwd=made).out).annotations
    assert (one.kind, one.file, one.line) == ("error", None, None)
    assert one.message.startswith(f"{name}: no such folder")


@given(message=NAMES, folder=NAMES)
def test_no_name_becomes_a_command_of_githubs(message: str, folder: str) -> None:
    """Whatever an error says and whatever a folder is called, GitHub reads one annotation with that message.

    What a terminal would obey is written as an escape.
    """
    outcome = Outcome(folder=Path(folder), error=InputError(message, path=Path(folder) / "uv.lock", line=3))
    printed: list[str] = []
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(click, "echo", lambda text, **_: printed.append(text))
        patch.setattr(Path, "exists", lambda _: True)
        formats.github([outcome], False)
        (expected,) = annotate(outcome)
    state, command = printed
    assert "\n" not in state
    assert not state.startswith("::")
    (one,) = Job(log=command).annotations
    told = shown(message.replace("\n", "\\n"))
    assert (one.message, one.file, one.line) == (told, shown(expected.path or ""), 3)
    assert len(Job(log="\n".join(printed)).commands) == 1


def test_all_finds_what_nixpy_manages(tmp_path: Path, nixpy: Nixpy) -> None:
    """With --all every project with settings is checked and no other; where there is none, that is an error."""
    for name in ("one", "two/deep"):
        assert nixpy("init", shop.project(tmp_path / name, "alpha")).status == 0
    shop.project(tmp_path / "unmanaged", "alpha")
    for hidden in (".venv", "node_modules"):
        shop.project(tmp_path / hidden / "x", "alpha", extra="[tool.nixpy]")
    shop.project(tmp_path / "env", "alpha", extra="[tool.nixpy]")
    (tmp_path / "env" / "pyvenv.cfg").touch()
    ran = nixpy("check", "--all", "--format", "json", cwd=tmp_path)
    assert [one["folder"] for one in ran.json["projects"]] == ["one", "two/deep"]
    nothing = nixpy("check", "--all", tmp_path / "unmanaged")
    assert nothing.status == 2
    assert "nixpy init" in nothing.err
    (tmp_path / "unmanaged" / "pyproject.toml").write_text("[tool.nixpy\n")
    assert nixpy("check", "--all", tmp_path / "unmanaged").status == 2
    assert "not valid TOML" in nixpy("check", "--all", tmp_path).err


def test_sync_all_goes_on_behind_an_error(tmp_path: Path, nixpy: Nixpy) -> None:
    """One project that is refused does not keep the others from being synced, and the status tells of it."""
    projects = [shop.project(tmp_path / name, "alpha") for name in "ab"]
    for project in projects:
        assert nixpy("init", project, "--style", "loader").status == 0
        path = project / "pyproject.toml"
        path.write_text(path.read_text().replace('"alpha"', '"alpha",\n  "epsilon"'))
    (projects[0] / "nixpy.nix").write_text("mine\n")
    ran = nixpy("sync", "--all", tmp_path)
    assert ran.status == 2
    assert "not written by nixpy" in ran.err
    assert nixpy("check", projects[1]).status == 0
    ran = nixpy("sync", "--all", projects[1], "--format", "json")
    assert [[file["state"] for file in one["files"]] for one in ran.json["projects"]] == [["fresh", "fresh"]]


def test_sync_all_names_the_project_of_an_error(tmp_path: Path, nixpy: Nixpy) -> None:
    """An error that is about no file names the project, as there are several."""
    for name in ("first", "second"):
        (tmp_path / name).mkdir()
        (tmp_path / name / "pyproject.toml").write_text(
            '[project]\nname = "p"\nversion = "1"\ndependencies = ["no-such-package"]\n[tool.nixpy]\nstyle = "loader"\n'
        )
    ran = nixpy("sync", "--all", tmp_path)
    assert ran.status == 2
    for name in ("first", "second"):
        assert f"error[NIX707]: {tmp_path / name}: uv cannot resolve" in ran.err


@pytest.mark.parametrize("form", ["gitlab", "sarif"])
def test_folder_that_is_not_utf8(tmp_path: Path, form: str) -> None:
    """A folder whose name has bytes that are no UTF-8 is shown with these bytes as escapes."""
    folder = tmp_path / os.fsdecode(b"bad\xff")
    folder.mkdir()
    (folder / "pyproject.toml").write_text("[tool.nixpy]\nstyle = 1\n")
    command = [sys.executable, "-m", "nixpy", "check", str(folder), "--format", form]
    ran = subprocess.run(command, capture_output=True, check=False)
    assert ran.returncode == 2
    assert {"gitlab": b"bad\\\\xff/", "sarif": b"bad%FF/"}[form] in ran.stdout
    assert b"Traceback" not in ran.stderr
