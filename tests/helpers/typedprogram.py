"""A program of a user, with types: it uses each function of the public API; tests/api/test_api.py runs and checks it.

Started in a folder with the project `demo`.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import assert_type

import nixpy
from nixpy import NixpyError, State, Target


class Counter:
    """Counts the wheels that nixpy reads."""

    def __init__(self) -> None:
        self.total = 0

    def start(self, total: int) -> None:
        """Take note of how many wheels there are."""
        self.total = total

    def step(self, name: str, how: str) -> None:
        """Take note of one wheel."""


def states(folders: Sequence[str | Path]) -> dict[str, State]:
    """Return the state of each project that can be read."""
    found: dict[str, State] = {}
    for folder in folders:
        try:
            verdict = nixpy.check(nixpy.read_project(folder))
        except nixpy.ProjectError as error:
            assert_type(error.hint, str | None)
            continue
        except NixpyError as error:
            raise SystemExit(error.message) from error
        found[str(folder)] = verdict.state
    return found


def main() -> None:
    """Use all of it."""
    print({name: state.value for name, state in states(["demo", Path("nothing-here")]).items()})

    project = nixpy.read_project("demo")
    assert_type(project, nixpy.Project)
    counter: nixpy.Progress = Counter()
    plan = nixpy.plan(project, style="loader", systems=["x86_64-linux"], offline=True, progress=counter)
    assert_type(plan, nixpy.Plan)
    assert_type(plan.files, tuple[nixpy.OutputFile, ...])
    assert_type(plan.diagnostics, tuple[nixpy.Diagnostic, ...])
    assert_type(plan.libraries, tuple[nixpy.Library, ...])
    texts = {file.path.name: file.text for file in plan.files if file.generated}
    print(sorted(texts))

    verdict = nixpy.check(project)
    assert_type(verdict, nixpy.Verdict)
    assert_type(verdict.reasons, tuple[nixpy.Reason, ...])
    assert_type(verdict.files, tuple[nixpy.Comparison, ...])

    scan = nixpy.scan(project.root, python="3.13", systems=("x86_64-linux",), offline=True)
    assert_type(scan, nixpy.Scan)
    assert_type(scan.wheels, tuple[nixpy.Wheel, ...])
    for library in scan.libraries:
        assert_type(library.evidence, tuple[nixpy.LibraryEvidence, ...])
    for wheel in scan.wheels:
        assert_type(wheel.needs, nixpy.Needs)
        assert_type(wheel.needs.opens, tuple[nixpy.RuntimeOpen, ...])
        print(wheel.name, wheel.version)

    target = nixpy.make_target("x86_64-linux", python="3.13")
    assert_type(target, Target)
    lock = nixpy.read_lock(project.root / "poetry.lock")
    assert_type(lock, nixpy.LockFile)
    packages = lock.packages(target, extras=["unknown"][:0])
    assert_type(packages, tuple[nixpy.Package, ...])
    assert_type(packages[0].wheels, tuple[nixpy.WheelFile, ...])

    elf = nixpy.read_elf(b"", "empty.so")
    assert_type(elf, nixpy.ElfFile | None)
    entry = nixpy.find_soname("libz.so.1")
    assert_type(entry, nixpy.SonameEntry | None)
    if entry is not None:
        print(entry.provider, entry.expression)


def mistakes() -> None:
    """Misuse the API; a type checker reports each of these lines."""
    nixpy.check("demo")  # type: ignore[arg-type]
    nixpy.scan("demo", "3.13")  # type: ignore[call-arg]
    nixpy.find_soname(b"libz.so.1")  # type: ignore[arg-type]
    nixpy.plan(nixpy.read_project()).files.append(None)  # type: ignore[attr-defined]
    nixpy.no_such_name  # type: ignore[attr-defined]  # noqa: B018
    nixpy.find_soname("libz.so.1").expression  # type: ignore[union-attr]  # noqa: B018


if __name__ == "__main__":
    main()
