"""A small runner of ours for GitHub's action and workflow files: as much of GitHub's as nixpy's own files use.

What it does not know, it refuses: a key of a step, an expression, an action that no test speaks for.
"""

from __future__ import annotations

import os
import re
import subprocess
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

_EXPRESSION = re.compile(r"\$\{\{\s*(.+?)\s*\}\}")
_LOOKUP = re.compile(r"[\w-]+(\.[\w-]+)+")
_COMPARISON = re.compile(r"(\S+) (==|!=) '([^']*)'")
_COMMAND = re.compile(r"::(?P<kind>[\w-]+)(?: (?P<properties>[^:]*))?::(?P<message>.*)", re.DOTALL)
_OLD_COMMAND = re.compile(r"##\[(?P<kind>[\w-]+)(?: (?P<properties>[^\]]*))?\](?P<message>.*)", re.DOTALL)
_ANNOTATIONS = {"error", "warning", "notice"}
_KNOWN = _ANNOTATIONS | {
    "add-mask",
    "add-matcher",
    "add-path",
    "debug",
    "echo",
    "endgroup",
    "group",
    "remove-matcher",
    "save-state",
    "set-env",
    "set-output",
    "stop-commands",
}
_STEP_KEYS = {"name", "id", "if", "shell", "env", "run", "uses", "with"}

Uses = Callable[[Mapping[str, str]], Mapping[str, str]]


@dataclass(frozen=True, slots=True)
class Annotation:
    """One annotation, as GitHub would show it."""

    kind: str
    file: str | None
    line: int | None
    title: str | None
    message: str


@dataclass(slots=True)
class Ran:
    """What a run came to."""

    status: int = 0
    log: str = ""
    outputs: dict[str, str] = field(default_factory=dict)

    @property
    def annotations(self) -> list[Annotation]:
        """The annotations of the log, with GitHub's escapes read."""
        return [_annotation(found) for found in self.commands if found["kind"] in _ANNOTATIONS]

    @property
    def commands(self) -> list[re.Match[str]]:
        """All commands that GitHub's runner obeys (ActionCommand.cs and ActionCommandManager.cs of actions/runner).

        It ends lines as .NET does, trims blanks of any kind before `::`, and finds `##[` anywhere in a line.
        """
        obeyed: list[re.Match[str]] = []
        token = None
        for line in re.split(r"\r\n|\r|\n", self.log):
            known = _KNOWN | ({token} if token else set())
            both = (_COMMAND.match(line.lstrip()), _OLD_COMMAND.search(line))
            found = next((one for one in both if one and one["kind"] in known), None)
            if found is None or (token and found["kind"] != token):
                continue
            if token is None and found["kind"] == "stop-commands":
                token = found["message"]
            else:
                token = None if found["kind"] == token else token
            obeyed.append(found)
        return obeyed


@dataclass(slots=True)
class Runner:
    """Runs the steps of one action or job in `workspace`, with the environment that GitHub documents."""

    workspace: Path
    temp: Path
    uses: Mapping[str, Uses]  # what stands for each action, by its name before the @
    environment: Mapping[str, str] = field(default_factory=dict)
    github: Mapping[str, str] = field(default_factory=dict)

    @property
    def summary(self) -> Path:
        """The job's summary."""
        return self.temp / "summary.md"

    def action(self, folder: Path, inputs: Mapping[str, str] | None = None) -> Ran:
        """Run the composite action in `folder`."""
        data = yaml.safe_load((folder / "action.yml").read_text())
        assert data["runs"]["using"] == "composite"
        given = dict(inputs or {})
        assert set(given) <= set(data["inputs"]), "an input that the action does not have"
        values = {name: given.get(name, item.get("default", "")) for name, item in data["inputs"].items()}
        known: dict[str, Any] = {"inputs": values, "steps": {}, "github": self.github}
        ran = self._steps(data["runs"]["steps"], known, action=folder)
        ran.outputs = {name: _filled(item["value"], known) for name, item in data.get("outputs", {}).items()}
        return ran

    def job(self, workflow: Path, name: str) -> Ran:
        """Run the job `name` of a workflow file."""
        data = yaml.safe_load(workflow.read_text())
        return self._steps(data["jobs"][name]["steps"], {"steps": {}, "github": self.github}, action=None)

    def _steps(self, steps: list[dict[str, Any]], known: dict[str, Any], action: Path | None) -> Ran:
        ran = Ran()
        for step in steps:
            assert set(step) <= _STEP_KEYS, f"unknown keys in {step}"
            if "if" in step and not _condition(step["if"], known):
                continue
            if "uses" in step:
                given = {key: _filled(str(value), known) for key, value in step.get("with", {}).items()}
                outputs = self.uses[step["uses"].partition("@")[0]](given)
            else:
                assert "${{" not in step["run"], "what GitHub fills in must not become part of a script"
                assert action is None or step["shell"] == "bash"
                outputs = self._run(step, known, action, ran)
            if "id" in step:
                known["steps"][step["id"]] = {"outputs": outputs}
            if ran.status:
                break
        return ran

    def _run(self, step: dict[str, Any], known: dict[str, Any], action: Path | None, ran: Ran) -> dict[str, str]:
        script, output = self.temp / "script.sh", self.temp / "output"
        script.write_text(step["run"])
        output.write_text("")
        environment = {
            "PATH": os.environ["PATH"],
            "HOME": str(self.temp),
            "CI": "true",
            "GITHUB_ACTIONS": "true",
            "GITHUB_WORKSPACE": str(self.workspace),
            "GITHUB_OUTPUT": str(output),
            "GITHUB_STEP_SUMMARY": str(self.summary),
            "GITHUB_REF_NAME": "main",
            "RUNNER_TEMP": str(self.temp),
            "RUNNER_OS": "Linux",
            "RUNNER_ARCH": "X64",
            **({"GITHUB_ACTION_PATH": str(action)} if action else {}),
            **self.environment,
            **{key: _filled(str(value), known) for key, value in step.get("env", {}).items()},
        }
        # As documented for `shell: bash`; the last two are of a terminal-less job.
        command = ["bash", "--noprofile", "--norc", "-eo", "pipefail", str(script)]
        done = subprocess.run(
            command,
            cwd=self.workspace,
            env=environment,
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            check=False,
        )
        ran.status, ran.log = done.returncode, ran.log + done.stdout
        return dict(line.split("=", 1) for line in output.read_text().splitlines())


def _filled(text: str, known: Mapping[str, Any]) -> str:
    return _EXPRESSION.sub(lambda found: _looked_up(found[1], known), text)


def _condition(text: str, known: Mapping[str, Any]) -> bool:
    found = _COMPARISON.fullmatch(text)
    assert found, f"an expression this runner does not know: {text}"
    return (_looked_up(found[1], known) == found[3]) == (found[2] == "==")


def _looked_up(path: str, known: Mapping[str, Any]) -> str:
    assert _LOOKUP.fullmatch(path), f"an expression this runner does not know: {path}"
    value: Any = known
    *parents, last = path.split(".")
    for name in parents:
        value = value[name]
    return str(value.get(last, ""))  # GitHub makes an empty string of an output that no step has set


def _annotation(found: re.Match[str]) -> Annotation:
    pairs = dict(part.split("=", 1) for part in (found["properties"] or "").split(",") if part)
    read = {key: _unescaped(value) for key, value in pairs.items()}
    line = read.get("line")
    return Annotation(
        found["kind"], read.get("file"), int(line) if line else None, read.get("title"), _unescaped(found["message"])
    )


def _unescaped(text: str) -> str:
    for code, char in (("%3A", ":"), ("%2C", ","), ("%0D", "\r"), ("%0A", "\n"), ("%25", "%")):
        text = text.replace(code, char)
    return text
