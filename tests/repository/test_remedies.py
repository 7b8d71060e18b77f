"""Each finding has one remedy: `check`, `sync` and `doctor` take its text from the same place."""

from __future__ import annotations

import ast
import re
from collections import defaultdict
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from packaging.utils import canonicalize_name

import nixpy
import shop
from doctor.world import HOST, LOADER, PROJECT, STDCXX, VENV, only
from nixpy.commands.check import Verdict
from nixpy.doctor.facts import Freshness, Supplier, WheelProgram
from nixpy.environment.programs import Programs
from nixpy.files.reconcile import REMEDIES, State
from nixpy.libraries.match import WheelNeeds, match
from nixpy.needs.model import Needs
from nixpy.styles.styles import find
from runner import Nixpy

PACKAGE = Path(nixpy.__file__).parent
# Codes that two modules report, with the remedy that both have.
SHARED = {
    "NIX104": ("doctor/package_checks.py", "libraries/match.py"),
    "NIX301": ("environment/lang2nix.py", "environment/python_set.py"),
    "NIX416": ("commands/check.py", "doctor/setting_checks.py"),
    "NIX430": ("commands/plan.py", "doctor/venv_checks.py"),
    "NIX602": ("external/build_inputs.py", "external/table.py"),
}
STATES = [state for state in State if state is not State.FRESH]


def modules() -> dict[str, tuple[str, ...]]:
    """Return the modules that report each code."""
    found: dict[str, set[str]] = defaultdict(set)
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Constant) and isinstance(node.value, str) and re.fullmatch(r"NIX\d{3}", node.value):
                found[node.value].add(path.relative_to(PACKAGE).as_posix())
    return {code: tuple(sorted(places)) for code, places in found.items()}


def test_a_code_is_reported_in_one_place() -> None:
    """Each code, and so the text of its remedy, is written in one module, for every command that reports it."""
    assert {code: places for code, places in modules().items() if len(places) > 1} == SHARED


def hints() -> Iterator[tuple[str, str]]:
    """Yield the remedy of each diagnostic as it is written in a call, with the module."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "Diagnostic":
                for keyword in node.keywords:
                    if keyword.arg == "hint":
                        yield path.name, ast.unparse(keyword.value)


def test_a_remedy_is_one() -> None:
    """No remedy offers a choice: what else is possible is on the page of the code."""
    found = list(hints())
    assert len(found) > 30
    assert [one for one in found if re.search(r", or \w|\bor (choose|run|set|use)\b", one[1])] == []


@pytest.mark.parametrize("state", STATES, ids=str)
def test_files_have_one_remedy(state: State) -> None:
    """For each state of the files, `check` and `doctor` name the remedy of one table, which `sync` names too."""
    remedy = REMEDIES[state]
    assert Verdict(state=state, files=()).remedy == remedy.words
    found = only(fresh=Freshness(state=state.value, reasons=()))
    assert found.code == "NIX416"
    if remedy.command:
        assert found.command == remedy.command
        assert f"`{remedy.command}`" in remedy.words
    else:
        assert found.message.endswith(f"; {remedy.words}")


@pytest.mark.parametrize("state", [State.EDITED, State.FOREIGN])
def test_sync_names_the_remedy_of_check(state: State, tmp_path: Path, nixpy: Nixpy) -> None:
    """What `sync` refuses, it refuses with the words of `check`."""
    project = shop.project(tmp_path / "demo", "alpha")
    assert nixpy("init", project).status == 0
    text = (project / "nixpy.nix").read_text()
    (project / "nixpy.nix").write_text(f"{text}# mine\n" if state is State.EDITED else "{ }\n")
    checked, synced = nixpy("check", project), nixpy("sync", project)
    words = REMEDIES[state].words
    sentence = f"{words[0].upper()}{words[1:]}."
    assert sentence in checked.out
    assert sentence in synced.err


@pytest.mark.parametrize("systems", [("x86_64-linux",), ("aarch64-darwin", "x86_64-linux")])
def test_programs_have_one_remedy(systems: tuple[str, ...]) -> None:
    """NIX302 of `check` and `sync` and NIX407 of `doctor` name the same command."""
    ruff = canonicalize_name("ruff")
    installed = WheelProgram(wheel=ruff, path=VENV.folder / "bin/ruff", loader=LOADER)
    command = only(
        venv=replace(VENV, programs=(installed,)),
        host=replace(HOST, at_loader="stub"),
        project=replace(PROJECT, systems=systems),
    ).command
    (ours,) = Programs(without_loader=(ruff,), native=(), substitutes={}).diagnostics(find("loader"), systems)
    assert f"`{command}`" in str(ours.hint)


def test_unknown_libraries_have_one_remedy() -> None:
    """NIX101 of `check` and `sync` and NIX409 of `doctor` name the same setting."""
    wheel = replace(STDCXX, soname="libnobody.so.7", wheel="omega")
    found = only(unfound=(wheel,), suppliers={wheel.soname: Supplier(provider="none", expression=None)})
    needs = Needs(known="installed", sonames=((wheel.soname, "omega.so"),))
    asking = WheelNeeds(system=HOST.system, name=canonicalize_name("omega"), filename="omega.whl", needs=needs)
    _, (ours,) = match([asking])
    assert (found.code, ours.code) == ("NIX409", "NIX101")
    assert found.message.endswith(f". {ours.hint}")


def test_check_and_sync_report_the_same(tmp_path: Path, nixpy: Nixpy) -> None:
    """A diagnostic has the same remedy whichever command reports it."""
    project = shop.project(tmp_path / "demo", "alpha", "beta", "omega")
    made = nixpy("init", project, "--style", "loader", "--format", "json").project["problems"]
    assert {one["code"] for one in made} >= {"NIX101", "NIX302"}
    for command in ("sync", "check"):
        assert nixpy(command, project, "--format", "json").project["problems"] == made
