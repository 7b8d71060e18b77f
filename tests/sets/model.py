"""The requirement sets, nixpy's answer to one, and the recorded answers of nixpy, uv and pip."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import asdict, dataclass, field
from pathlib import Path

from nixpy.core.errors import BuildNeededError, NixpyError
from nixpy.core.target import Target
from nixpy.index.resolve import resolve
from nixpy.locks.model import ExtrasAndGroups
from nixpy.locks.pylock import PyLock
from nixpy.locks.requirements import read

HERE = Path(__file__).parent
SETS, ANSWERS, CANDIDATES, RESULTS = (
    HERE / name for name in ("sets.csv", "answers.jsonl", "candidates.jsonl", "results.csv")
)
DATE = "2026-11-01T00:00:00Z"
"""The tools see no file that was uploaded later."""

NO_SOLUTION, BUILD, TIME, OTHER = "no solution", "build", "time", "other"
"""The errors of a tool: no versions fit; a package must be built, or its build failed; it took too long; another."""

_NO_ANSWER: dict[str | None, str] = {BUILD: "cannot build a package", TIME: "does not end in time"}

_NEEDS_BUILD = re.compile(r"([\w.-]+) (\d\S*?)(?:,| ha(?:s|ve) )")


@dataclass(frozen=True, slots=True, kw_only=True)
class RequirementSet:
    """The lines of a requirements file, its kind, and the Python that it is resolved for."""

    name: str
    kind: str
    python: str
    lines: tuple[str, ...]

    def write(self, folder: Path) -> Path:
        """Write the requirements file into a folder, and return its path."""
        path = folder / "requirements.txt"
        path.write_text("\n".join(self.lines) + "\n")
        return path


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """The answer of one tool: the versions of packages by name, or an error.

    `sdists` are the packages without a wheel: of the answer, or those that an error of nixpy names.
    """

    packages: dict[str, str] = field(default_factory=dict)
    sdists: tuple[str, ...] = ()
    error: str | None = None


def sets() -> list[RequirementSet]:
    """Return all sets."""
    with SETS.open(newline="") as file:
        return [
            RequirementSet(
                name=row["name"],
                kind=row["kind"],
                python=row["python"],
                lines=tuple(line.strip() for line in row["requirements"].split(" | ")),
            )
            for row in csv.DictReader(file)
        ]


def by_nixpy(requirements: RequirementSet, python: str, folder: Path) -> tuple[Answer, str]:
    """Return nixpy's answer for x86_64-linux, and the text of the lock for all systems.

    Args:
        requirements: The requirements.
        python: The full version of Python, such as 3.13.0.
        folder: An empty folder for the requirements file.
    """
    target = Target(system="x86_64-linux", python=python, glibc=(2, 40))
    try:
        text = resolve([read(requirements.write(folder))], root=folder, python=requirements.python, targets=[target])
    except BuildNeededError as error:
        if "--allow-build" not in str(error.hint):
            return Answer(error=OTHER), ""
        named: dict[str, str] = dict(_NEEDS_BUILD.findall(error.message))
        return Answer(packages=named, sdists=tuple(sorted(named)), error=BUILD), ""
    except NixpyError as error:
        return Answer(error=NO_SOLUTION if "nsatisfiable" in str(error) else OTHER), ""
    found = PyLock.parse(text, folder / "pylock.toml").packages(target, ExtrasAndGroups())
    return answer(
        {package.name: str(package.version) for package in found}, {p.name for p in found if not p.wheels}
    ), text


def answer(packages: dict[str, str], sdists: set[str]) -> Answer:
    """Return an answer that does not depend on the order of the packages."""
    return Answer(packages=dict(sorted(packages.items())), sdists=tuple(sorted(sdists)))


def judge(nixpy: Answer, uv: Answer, pip: Answer) -> str:
    """Return `equal`, `equal to uv`, `right error` or `different`, with the reason after a colon.

    A tool that could not build a package, or did not end in time, has no answer to compare.
    """
    tools = {"uv": uv, "pip": pip}
    answered = {name: one for name, one in tools.items() if one.error not in _NO_ANSWER}
    remarks = "".join(f"; {name} {_NO_ANSWER[one.error]}" for name, one in tools.items() if one.error in _NO_ANSWER)
    if nixpy.error == BUILD:
        right = all(
            one.packages.get(name) == version and name in one.sdists
            for one in answered.values()
            for name, version in nixpy.packages.items()
        )
        return f"{'right error' if nixpy.packages and right else 'different'}: only a build shows requirements{remarks}"
    differ = [name for name, one in answered.items() if (one.packages, one.error) != (nixpy.packages, nixpy.error)]
    if differ == ["pip"] and "uv" in answered:
        return f"equal to uv: pip has {pip.error or 'other versions'}"
    if differ or not answered:
        return f"different: {' and '.join(differ) or 'no answer'}{remarks}"
    return f"{'right error: no versions fit' if nixpy.error else 'equal'}{remarks}"


def load(path: Path = ANSWERS) -> dict[str, dict[str, Answer]]:
    """Return the recorded answers by the name of the set and of the tool."""
    rows = (json.loads(line) for line in path.read_text().splitlines())
    return {
        row["set"]: {
            tool: Answer(packages=row[tool]["packages"], sdists=tuple(row[tool]["sdists"]), error=row[tool]["error"])
            for tool in ("nixpy", "uv", "pip")
        }
        for row in rows
    }


def save(answers: dict[str, dict[str, Answer]], path: Path = ANSWERS) -> None:
    """Write the answers, one set a line."""
    rows = ({"set": name, **{tool: asdict(one) for tool, one in tools.items()}} for name, tools in answers.items())
    path.write_text("".join(json.dumps(row, separators=(",", ":")) + "\n" for row in rows))
