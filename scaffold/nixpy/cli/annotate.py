"""Turn the result of a check into annotations for CI.

Each is at the line that a reviewer needs to see.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

from nixpy.commands.check import Outcome, Reason, Verdict, in_words
from nixpy.core.read_file import read_bytes
from nixpy.core.toml_file import toml_line
from nixpy.diagnostics.diagnostic import Diagnostic, with_hint
from nixpy.files.reconcile import Comparison, State
from nixpy.project.config import PYPROJECT
from nixpy.project.project import Project

_Level = Literal["error", "notice"]  # a notice fails nothing
ERROR = "error"

# The meaning of each rule that has no diagnostic code.
RULES = {
    "older-library": "The Nix functions in the generated file are from another version of nixpy.",
    "stale": "The generated files are out of date: the project changed after nixpy wrote them.",
    "edited": "A generated file was edited by hand.",
    "merge-conflict": "A generated file contains the marks of a merge conflict.",
    "never-analysed": "The generated files do not exist yet.",
    "foreign": "A file that nixpy did not write has the name of a generated file.",
    "newer": "A newer version of nixpy wrote a generated file.",
}

# Both files begin with their own checksums, which change with everything and do not show the reason.
_DIGEST = re.compile(r'# nixpy format \d+, |# Text of the library below: |\s*"(digest|inputs)": ')
_HUNK = re.compile(r"@@ -(\d+)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Annotation:
    """One annotation at one line.

    `path` is relative to the repository, with forward slashes, or None.
    """

    rule: str
    level: _Level
    message: str
    path: str | None
    line: int


def _rule(state: State) -> str:
    """Return the name of a state as a rule, in one word."""
    return state.value.replace(" ", "-")


def annotate(outcome: Outcome) -> tuple[Annotation, ...]:
    """Return the annotations of one project.

    They are the reasons why its files are out of date, the files, and diagnostics.
    """
    return tuple(dict.fromkeys(_annotations(outcome)))


def _annotations(outcome: Outcome) -> Iterator[Annotation]:
    top = _repository(outcome.folder)
    if outcome.error is not None:
        error = outcome.error
        text = with_hint(error.message, error.hint)
        path = Path(error.path) if error.path else outcome.folder / PYPROJECT
        yield _at(top, error.code, "error", text, path, error.line)
        return
    project, verdict = outcome.project, outcome.verdict
    assert project is not None  # noqa: S101  (there is no error)
    assert verdict is not None  # noqa: S101
    level: _Level = "error" if verdict.status else "notice"
    for reason in verdict.reasons:
        if reason.path is not None:
            yield _at(top, _rule(verdict.state), level, f"{reason}; {verdict.remedy}", reason.path, _line(reason))
    for file in verdict.files:
        if file.state is State.OLDER:
            continue  # its reason is complete
        if file.diff or (file.state is verdict.state is not State.FRESH and not verdict.reasons):
            yield _file(top, file, project, verdict)
    for diagnostic in verdict.diagnostics:
        yield _diagnostic(top, diagnostic, project)


def _file(top: Path, file: Comparison, project: Project, verdict: Verdict) -> Annotation:
    name = _rule(file.state)
    if file.state is State.MISSING:  # the file has no lines, so the annotation is at the source of the dependencies
        return _at(top, name, "error", f"{file.path.name} does not exist; {verdict.remedy}", project.source, None)
    line, wanted = _first_change(file.diff)
    text = f"{file.path.name}: {in_words(file.state)}; {verdict.remedy}"
    return _at(top, name, "error", text + (f". nixpy would write: {wanted}" if wanted else ""), file.path, line)


def _diagnostic(top: Path, diagnostic: Diagnostic, project: Project) -> Annotation:
    text = with_hint(diagnostic.message, diagnostic.hint)
    line = _line(Reason(message=text, path=project.source, package=diagnostic.package))
    return _at(top, diagnostic.code, "notice", text, project.source, line)


def _at(top: Path, name: str, level: _Level, message: str, path: Path, line: int | None) -> Annotation:
    shown = Path(os.path.relpath(path, top)).as_posix()
    if not path.exists():
        return Annotation(rule=name, level=level, message=f"{path}: {message}", path=None, line=1)
    return Annotation(rule=name, level=level, message=message, path=shown, line=line or 1)


def _repository(folder: Path) -> Path:
    here = Path(os.path.abspath(folder))  # noqa: PTH100  (links are not resolved: git knows the file by this name)
    return next((parent for parent in (here, *here.parents) if (parent / ".git").exists()), Path.cwd())


def _line(reason: Reason) -> int | None:
    """Return the line of a file that names the package or setting of a reason."""
    try:
        text = read_bytes(reason.path).decode() if reason.path else ""
    except (OSError, UnicodeDecodeError):
        return None
    if reason.package and (line := _package_line(text, reason.package)):
        return line
    if not reason.setting:
        return None
    table = ("project",) if reason.setting == "dependencies" else ("tool", "nixpy")
    own = reason.path is not None and reason.path.name != PYPROJECT
    return toml_line(text, *(() if own else table), reason.setting)


def _package_line(text: str, package: str) -> int | None:
    """Return the line that begins with the package in a lock or requirements file.

    If there is none, return any line that names it.
    """
    name = "[-_.]+".join(map(re.escape, re.split(r"[-_.]+", package)))
    whole = rf"(?<![\w.-]){name}(?![\w-]|\.\w)"
    begins = re.search(
        rf"^[^\S\n]*+(\"?name\"?[^\S\n]*+[=:][^\S\n]*+)?[\"']?{whole}", text, re.IGNORECASE | re.MULTILINE
    )
    found = begins or re.search(whole, text, re.IGNORECASE)
    return text.count("\n", 0, found.end()) + 1 if found else None


def _first_change(diff: str) -> tuple[int, str | None]:
    """Return the first line of the old text that a unified diff changes.

    With it is its new text, if any.
    """
    runs = list(_runs(diff))
    telling = [run for run in runs if not all(_DIGEST.match(text) for _, _, text in run)] or runs
    if not telling:
        return 1, None
    run = [change for change in telling[0] if not _DIGEST.match(change[2])] or telling[0]
    return run[0][0], next((text.strip() for _, sign, text in run if sign == "+" and text.strip()), None)


def _runs(diff: str) -> Iterator[list[tuple[int, str, str]]]:
    """Yield neighbouring changed lines of a unified diff.

    Each has its number in the old text, its sign, and its text.

    Added lines have the number of the line before them.
    """
    at, run = 0, []
    for line in diff.removesuffix("\n").split("\n")[2:]:
        if line.startswith(("+", "-")):
            run.append((max(at - line.startswith("+"), 1), line[0], line[1:]))
        elif run:
            yield run
            run = []
        hunk = _HUNK.match(line)
        at = int(hunk[1]) if hunk else at + (not line.startswith("+"))
    if run:
        yield run
