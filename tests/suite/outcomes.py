"""The outcome of every test of a run, and what it saw of styles, for the tests that judge the others.

Those tests have the marker `last`. In one process they run after all others and know their outcomes. Several processes
do not know each other's outcomes: there the first run writes them to a file and leaves the tests marked `last` out,
and a second run, of those alone, reads the file.

    pytest -n 2 --write-outcomes=FILE
    pytest --read-outcomes=FILE

Without the `=`, pytest takes FILE for a test before it has read the conftest that knows the options.
"""

from __future__ import annotations

import json
import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

SAW = "saw"  # the name of the property of a test's report: [style, need, whether it is served]

Seen = tuple[str, str, bool | str]


@dataclass(slots=True)
class Outcomes:
    """How each test of a run ended, by its node id, and what it saw; `whole` where no test was left out by options."""

    whole: bool
    ended: dict[str, str] = field(default_factory=dict)
    seen: dict[str, list[Seen]] = field(default_factory=dict)

    def add(self, report: pytest.TestReport) -> None:
        """Take in the report on one phase of a test."""
        if report.when == "call" or report.outcome != "passed":
            self.ended[report.nodeid] = report.outcome
        if report.when == "teardown":  # which has the properties of all phases
            found: list[Any] = [value for name, value in report.user_properties if name == SAW]
            if found:
                self.seen[report.nodeid] = [(style, need, served) for style, need, served in found]

    def of(self, proof: str) -> dict[str, str]:
        """How each form of a proof ended: a proof is the beginning of a test's node id."""
        return {name: outcome for name, outcome in self.ended.items() if name.startswith(proof)}

    def seen_by(self, proof: str) -> set[Seen]:
        """What the forms of a proof saw of styles."""
        return {one for name, found in self.seen.items() if name.startswith(proof) for one in found}

    def write(self, path: Path) -> None:
        """Write them as JSON."""
        path.write_text(json.dumps({"whole": self.whole, "ended": self.ended, "seen": self.seen}, indent=1))


def read(path: Path) -> Outcomes:
    """Return what `write` wrote."""
    data = json.loads(path.read_text())
    seen = {name: [(style, need, served) for style, need, served in found] for name, found in data["seen"].items()}
    return Outcomes(whole=data["whole"], ended=data["ended"], seen=seen)


def add_options(parser: pytest.Parser) -> None:
    """Add the two options for runs in several processes."""
    group = parser.getgroup("outcomes")
    group.addoption("--write-outcomes", type=Path, help="leave out the tests marked `last`, and write what they judge")
    group.addoption("--read-outcomes", type=Path, help="run only the tests marked `last`, on what an earlier run wrote")


class Plugin:
    """Collects the reports of a run, also those of other processes, and chooses which tests run."""

    def __init__(self, config: pytest.Config) -> None:
        self._written: Path | None = config.option.write_outcomes
        self._read: Path | None = config.option.read_outcomes
        options = config.option
        whole = not (options.keyword or options.markexpr) and config.args == config.getini("testpaths")
        self.outcomes = read(self._read) if self._read else Outcomes(whole=whole)

    def pytest_collection_modifyitems(self, config: pytest.Config, items: list[pytest.Item]) -> None:
        """Put the tests that judge the others behind them, or leave out what belongs to the other run."""
        others = [item for item in items if item.get_closest_marker("last") is None]
        judges = [item for item in items if item.get_closest_marker("last") is not None]
        chosen, left_out = [*others, *judges], list[pytest.Item]()
        if self._written:
            chosen, left_out = others, judges
        elif self._read:
            chosen, left_out = judges, others
        items[:] = chosen
        config.hook.pytest_deselected(items=left_out)

    def pytest_runtest_logreport(self, report: pytest.TestReport) -> None:
        """Take in one report."""
        self.outcomes.add(report)

    def pytest_sessionfinish(self) -> None:
        """Write all outcomes, in the process that has them."""
        if self._written and "PYTEST_XDIST_WORKER" not in os.environ:
            self.outcomes.write(self._written)
