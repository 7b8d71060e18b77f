"""Print the result of `check`: one function for each format."""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any, Literal

from nixpy import __version__
from nixpy.cli import markdown
from nixpy.cli.annotate import ERROR, RULES, Annotation, annotate
from nixpy.cli.common import diagnostics_data, print_diagnostics, print_json, print_message
from nixpy.cli.layout import tell
from nixpy.cli.output import SETTINGS, Styled, echo, print_document, stopped_commands
from nixpy.cli.output import command as workflow_command
from nixpy.commands.check import Outcome, Verdict, in_words
from nixpy.core.text import visible, visible_line
from nixpy.diagnostics.codes import explanations
from nixpy.diagnostics.diagnostic import counted
from nixpy.files.reconcile import State

_LINK = re.compile(r"\[([^\[\]]*)\]\(")
_PLACEHOLDER = re.compile(r"\{(\d+)\}")
_DIFF_LINES = 400  # GitHub accepts a summary of 1 MiB


def _text(outcomes: Sequence[Outcome], diff: bool) -> None:
    """Print the result as text; errors were printed before."""
    for outcome in outcomes:
        if outcome.verdict:
            _tell(outcome, outcome.verdict, diff)


def _tell(outcome: Outcome, verdict: Verdict, diff: bool) -> None:
    files = [file for file in verdict.files if SETTINGS.verbose or file.state is not State.FRESH]
    details = [*(f"{file.path}: {in_words(file.state)}" for file in files), *map(str, verdict.reasons)]
    if verdict.code:
        level: Literal["error", "warning"] = "error" if verdict.status else "warning"
        text = f"{outcome.folder}: {in_words(verdict.state)}"
        print_message(level, verdict.code, text, verdict.cure.sentence, details=[f"  {line}" for line in details])
    elif not SETTINGS.quiet:
        compared, against = _names(outcome, (file.path for file in verdict.files)), _names(outcome, _inputs(outcome))
        text = f" ({compared}; checked against {against})"
        tell(text, lead=(f"{outcome.folder}: ", Styled(in_words(verdict.state), fg="green")))
        for line in details:
            tell(line, lead="  ")
    if verdict.diagnostics and SETTINGS.verbose:
        print_diagnostics(verdict.diagnostics, err=True)
    elif warnings := [diagnostic for diagnostic in verdict.diagnostics if diagnostic.level == "warning"]:
        codes = ", ".join(sorted({diagnostic.code for diagnostic in warnings}))
        number = counted(len(warnings), "diagnostic")
        tell(f"{number} ({codes}); `nixpy check -v` shows them", lead="  ", err=True)
    if diff:
        for file in verdict.files:
            echo(file.diff, nl=False)
        if verdict.status and not any(file.diff for file in verdict.files):
            tell("`nixpy check` does not open wheels; run `nixpy sync --diff` to see what would change", lead="  ")


def _inputs(outcome: Outcome) -> tuple[Path, ...]:
    return outcome.project.inputs if outcome.project else ()


def _names(outcome: Outcome, paths: Iterable[Path]) -> str:
    """Return the files as the folder of the project has them."""
    return ", ".join(os.path.relpath(path, outcome.folder) for path in paths)


def _as_json(outcomes: Sequence[Outcome], diff: bool) -> None:
    """Print the result as JSON; schemas/check.json describes it."""
    print_json({"projects": [_project(outcome, diff) for outcome in outcomes]})


def _project(outcome: Outcome, diff: bool) -> dict[str, Any]:
    folder, verdict, error = str(outcome.folder), outcome.verdict, outcome.error
    if verdict is None:
        return {
            "folder": folder,
            "state": ERROR,
            "code": error and error.code,
            "remedy": error and error.hint,
            "reasons": [str(error)],
        }
    return {
        "folder": folder,
        "state": verdict.state.value,
        "code": verdict.code,
        "remedy": verdict.remedy or None,
        "files": [
            {"path": str(file.path), "state": file.state.value, **({"diff": file.diff} if diff else {})}
            for file in verdict.files
        ],
        "reasons": list(map(str, verdict.reasons)),
        "problems": diagnostics_data(verdict.diagnostics),
    }


def github(outcomes: Sequence[Outcome], diff: bool) -> None:
    """Print workflow commands, which GitHub shows at lines of a pull request.

    The state of each project is printed, too.
    """
    for outcome in outcomes:
        state = in_words(outcome.verdict.state) if outcome.verdict else ERROR
        echo(visible_line(f"nixpy: {outcome.folder}: {state}"))
        for one in annotate(outcome):
            place = {"file": one.path, "line": str(one.line)} if one.path else {}
            workflow_command(one.level, {**place, "title": f"nixpy: {one.rule}"}, one.message)
    diffs = [file.diff for outcome in outcomes if outcome.verdict for file in outcome.verdict.files if file.diff]
    if diff and diffs:
        with stopped_commands():
            for text in diffs:
                for line in text.removesuffix("\n").split("\n"):
                    echo(f"  {line}")


def _gitlab(outcomes: Sequence[Outcome], _diff: bool) -> None:
    """Print a code quality report; GitLab shows the entries that a merge request adds."""
    report = [
        {
            "description": visible(one.message),
            "check_name": f"nixpy/{one.rule}",
            "fingerprint": _fingerprint(one),
            "severity": {"error": "major", "notice": "info"}[one.level],
            "location": {"path": visible(one.path or "."), "lines": {"begin": one.line}},  # a required member
        }
        for one in _all(outcomes)
    ]
    print_document(report)


def _sarif(outcomes: Sequence[Outcome], _diff: bool) -> None:
    """Print a log of SARIF 2.1.0 (OASIS) with one run.

    Its paths are relative to the repository.
    """
    found = list(_all(outcomes))
    rules = sorted({*RULES, *(one.rule for one in found)})
    driver = {
        "name": "nixpy",
        "version": __version__,
        "rules": [
            {"id": name, "shortDescription": {"text": RULES.get(name) or explanations()[name].meaning}}
            for name in rules
        ],
    }
    run = {
        "tool": {"driver": driver},
        "columnKind": "unicodeCodePoints",
        "results": [_result(one, rules.index(one.rule)) for one in found],
    }
    print_document({"version": "2.1.0", "runs": [run]})


def _result(one: Annotation, index: int) -> dict[str, Any]:
    from urllib.parse import quote

    locations = []
    if one.path is not None:
        file = {"uri": quote(os.fsencode(one.path)), "uriBaseId": "%SRCROOT%"}
        locations = [{"physicalLocation": {"artifactLocation": file, "region": {"startLine": one.line}}}]
    return {
        "ruleId": one.rule,
        "ruleIndex": index,
        "level": {"error": "error", "notice": "note"}[one.level],
        "message": {"text": _sarif_text(one.message)},
        "locations": locations,
        "partialFingerprints": {"nixpy/v1": _fingerprint(one)},
    }


def _sarif_text(text: str) -> str:
    """Return a message without links and placeholders.

    Source: SARIF 2.1.0, sections 3.11.5 and 3.11.6.
    """
    return _PLACEHOLDER.sub(r"{{\1}}", _LINK.sub(r"\\[\1\\](", visible(text)))


def _markdown(outcomes: Sequence[Outcome], diff: bool) -> None:
    """Print a table of the projects and their diagnostics.

    With `diff`, each difference follows, folded: for the summary of a job.
    """
    echo("### nixpy\n\n| project | state | what to do |\n| --- | --- | --- |")
    for outcome in outcomes:
        verdict, error = outcome.verdict, outcome.error
        state, remedy = (in_words(verdict.state), verdict.remedy) if verdict else (ERROR, (error and error.hint) or "")
        echo(f"| {markdown.sentence(str(outcome.folder))} | {state} | {markdown.sentence(remedy)} |")
    echo("")
    for one in _all(outcomes):
        place = markdown.code(f"{one.path}:{one.line}") + " " if one.path else ""
        echo(f"- {place}{markdown.sentence(one.message)}")
    if diff:
        for file in (file for outcome in outcomes if outcome.verdict for file in outcome.verdict.files if file.diff):
            lines = file.diff.removesuffix("\n").split("\n")
            more = [f"… {len(lines) - _DIFF_LINES} more lines"] if len(lines) > _DIFF_LINES else []
            shown = "\n".join((*lines[:_DIFF_LINES], *more))
            summary = markdown.html(file.path.name)
            echo(f"\n<details><summary>{summary}</summary>\n\n{markdown.block(shown, 'diff')}\n\n</details>")


def _all(outcomes: Sequence[Outcome]) -> Iterator[Annotation]:
    return (one for outcome in outcomes for one in annotate(outcome))


def _fingerprint(one: Annotation) -> str:
    """Return a fingerprint of the annotation that does not depend on its line."""
    return hashlib.sha256(f"{one.rule}\n{one.path}\n{one.message}".encode("utf-8", "backslashreplace")).hexdigest()


FORMATS: Mapping[str, Callable[[Sequence[Outcome], bool], None]] = {
    "text": _text,
    "json": _as_json,
    "github": github,
    "gitlab": _gitlab,
    "sarif": _sarif,
    "markdown": _markdown,
}
