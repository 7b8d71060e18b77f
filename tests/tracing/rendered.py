"""What nixpy renders for installed packages, by `nixpy scan --format json`."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

_OPTIONS = ("--format", "json", "--python", "3.13", "--system", "x86_64-linux", "--no-deps")
_NIXPY = Path(sys.executable).with_name("nixpy")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rendered:
    """The sonames that the default renders of nixpkgs; `opened` are those to which no file links.

    `offered` are those that nixpy lists and leaves out.
    """

    linked: frozenset[str]
    opened: frozenset[str]
    offered: frozenset[str]
    codes: tuple[str, ...]  # of the diagnostics


class ScanError(Exception):
    """What nixpy said when it failed."""


def rendered(requirements: Iterable[str], script: str, project: Path, *, builds: bool = False) -> Rendered:
    """Ask nixpy what it renders for a project; ScanError where it fails.

    Args:
        requirements: The dependencies of the project, such as `mss==10.2.0`.
        script: The program of the project: some packages open a library only for a module that the project imports.
        project: The folder of the project, which is made.
        builds: A requirement has no wheel, and uv may build it to get its requirements.
    """
    project.mkdir(parents=True, exist_ok=True)
    dependencies = json.dumps(list(requirements))
    (project / "pyproject.toml").write_text(
        f'[project]\nname = "work"\nversion = "1"\nrequires-python = "==3.13.*"\ndependencies = {dependencies}\n'
    )
    (project / "work.py").write_text(script)
    command: list[str | Path] = [_NIXPY, "-q", "scan", project, *_OPTIONS, *(["--allow-build"] if builds else [])]
    return _ask(command)


def rendered_alone(requirement: str) -> Rendered:
    """Ask nixpy what it renders for one package without its dependencies; ScanError where it fails."""
    return _ask([_NIXPY, "-q", "scan", requirement, *_OPTIONS])


def _ask(command: Sequence[str | Path]) -> Rendered:
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    try:
        answer = json.loads(done.stdout)
    except json.JSONDecodeError as error:
        raise ScanError(done.stderr.strip()[-2000:]) from error
    linked = {soname for wheel in answer["wheels"] for soname in wheel["needs"]["sonames"]}
    sonames = {row["soname"] for row in answer["libraries"] if row["provider"] == "nixpkgs" and not row["optional"]}
    return Rendered(
        linked=frozenset(sonames & linked),
        opened=frozenset(sonames - linked),
        offered=frozenset(
            row["soname"] for row in answer["libraries"] if row["optional"] and row["provider"] != "none"
        ),
        codes=tuple(sorted({problem["code"] for problem in answer["problems"]})),
    )
