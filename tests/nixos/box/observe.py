"""What is seen in the shell of each style: at first, once its libraries are taken away, and with them again."""

from __future__ import annotations

import itertools
import json
import re
import subprocess
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import patch_venv

from nixos.box.shells import ENTRIES, MAKERS, WORK, Maker, Shell, SonameEntry

Way = tuple[SonameEntry, Maker]
WAYS: tuple[Way, ...] = tuple(itertools.product(ENTRIES, MAKERS))

# What the loader finds by itself, and what is in every root of buildFHSEnv: a module that needs no more proves nothing.
GIVEN = frozenset({"libgcc_s.so.1"})
GIVEN_IN_A_ROOT = GIVEN | {"libstdc++.so.6"}

_MISSED = re.compile(r"(\S+): cannot open shared object file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Observed:
    """One style in the box. The reports are those of probe.py, one a way into the shell and kind of virtual
    environment; `first` is complete, the others are about the modules.
    """

    shell: Shell
    first: Mapping[Way, Mapping[str, Any]]
    without: Mapping[Way, Mapping[str, Any]]
    again: Mapping[Way, Mapping[str, Any]]
    kept: bool  # the same files lay in each .venv all the time
    ruff: subprocess.CompletedProcess[str]  # the program of ruff's wheel
    newer: subprocess.CompletedProcess[str]  # a program with a newer libstdc++, started by Python
    outside: Mapping[Maker, subprocess.CompletedProcess[str]]  # probe.py where no shell was entered

    @property
    def name(self) -> str:
        """The style's name."""
        return self.shell.style.name

    @property
    def given(self) -> frozenset[str]:
        """The sonames that are found without any list."""
        return GIVEN_IN_A_ROOT if self.name == "fhs" else GIVEN

    def imported(self, program: str) -> bool:
        """Whether the program worked in every way."""
        return all("file" in report["modules"][program] for report in self.first.values())

    @property
    def works_outside(self) -> bool:
        """Whether each `.venv`'s Python imports everything where no shell was entered."""
        return all(
            done.returncode == 0 and all("file" in module for module in json.loads(done.stdout)["modules"].values())
            for done in self.outside.values()
        )

    def missed(self, program: str) -> frozenset[str]:
        """The sonames whose lack ended the program once the list was empty; none where it did not end. AssertionError
        where it ended for anything else.
        """
        found = set()
        for way, report in self.without.items():
            error = report["modules"][program].get("error")
            if error is not None:
                soname = _MISSED.search(error)
                assert soname is not None, (way, program, error)
                found.add(soname[1])
        assert len(found) <= 1, (program, found)
        return frozenset(found)


def observe(shell: Shell, newer_program: str) -> Observed:
    """Everything there is to see of one style; the project is afterwards as it was."""

    def imports() -> dict[Way, dict[str, Any]]:
        return {(entry, maker): shell.imports(entry=entry, maker=maker) for entry, maker in WAYS}

    first = {(entry, maker): shell.probe(entry=entry, maker=maker) for entry, maker in WAYS}
    ruff = shell.run(".venv/bin/ruff --version", check=False)
    program = f"import subprocess; subprocess.run(['{newer_program}', '--version'], check=True)"
    newer = shell.run(f'.venv/bin/python -c "{program}"', check=False)
    outside = {maker: shell.outside(maker) for maker in MAKERS}
    files = _files(shell)
    everything = frozenset().union(*shell.sonames.values())
    shell.ignore(everything)
    without = imports()
    shell.ignore(())
    again = imports()
    return Observed(
        shell=shell,
        first=first,
        without=without,
        again=again,
        kept=_files(shell) == files,
        ruff=ruff,
        newer=newer,
        outside=outside,
    )


def _files(shell: Shell) -> dict[str, int]:
    """The inode of each installed file; where style patched-venv put another in its place, that of the original.

    nixpy's own file, which loads what packages open by name, is written again with the list.
    """
    found = {}
    for work in WORK.values():
        venv = shell.box.home / Path(work).name / ".venv"
        for path in (venv / "lib").rglob("*"):
            original = venv / patch_venv.FOLDER / "originals" / path.relative_to(venv)
            if "__pycache__" not in path.parts and path.name != patch_venv.PRELOAD:
                found[str(path)] = (original if original.is_file() else path).lstat().st_ino
    return found
