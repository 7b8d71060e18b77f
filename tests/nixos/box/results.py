"""The table of what was seen in the box, as it stands in docs/nixos-box.md."""

from __future__ import annotations

import csv
import datetime as dt
from collections.abc import Iterable, Sequence

from nixos.box.observe import Observed
from nixos.box.shells import PROGRAMS
from nixos.box.store import RELEASE
from nixos.realnix import CURRENT, HERE

SEEN = "Seen on "  # begins the one line that differs from run to run

_HEAD = """\
# What was seen on a machine without /lib

Written by the tests (`make proof`); `make test` fails when it sees anything else.
{seen}

Real Nix built what `nixpy init` renders for one project, in each style, against a stand-in for nixpkgs {release} whose
libraries are Debian's, moved into the store. The shells were entered in a sandbox with `/nix/store` and no `/lib`,
`/lib64` or `/usr/lib`, by `nix develop` and by direnv; virtual environments were made by `python -m venv` and by
`uv venv` and filled from wheels. A cell is about all four.

## Imports

**A soname**: the package is imported, and with the same virtual environment and an empty list of libraries it fails on
that one. **nothing**: it is imported, and without the list too, so it proves nothing about the style.

{imports}

## What else the shells do

{facts}

`with-packages` takes the packages from nixpkgs instead of wheels, and so is not among these. Virtual environments made
from it see its packages, on a nixpkgs that has the fix for that and on one that has not: `test_box_with_packages.py`.

## What cannot be shown here

- nixpkgs' own `buildFHSEnv`, whose root a program of its own builds: the stand-in's has the same options and rules.
- nix-ld: a stand-in follows what version 2 documents, but starts the loader as a program of its own.
- conda's channels: micromamba and conda are stubs that take the documented commands.
- Darwin and aarch64: rendered for them and evaluated, never run.
- Graphics drivers and CUDA: no GPU.
- That an attribute exists in *your* nixpkgs: `checks.<system>.libraries` as rendered shows that on your machine.
"""


def document(styles: Sequence[Observed]) -> str:
    """The whole page."""
    (python,) = {report["version"] for style in styles for report in style.first.values()}
    nix = CURRENT.run("nix", "--version").stdout.split()[-1]
    today = dt.datetime.now(tz=dt.UTC).date()
    return _HEAD.format(
        seen=f"{SEEN}{today} with Nix {nix} and CPython {python}.",
        release=RELEASE,
        imports=_table(("package", "version", *(f"`{style.name}`" for style in styles)), _imports(styles)),
        facts=_table(("", *(f"`{style.name}`" for style in styles)), _facts(styles)),
    )


def stable(text: str) -> str:
    """The page without what differs from run to run."""
    return "".join(line for line in text.splitlines(keepends=True) if not line.startswith(SEEN))


def _imports(styles: Sequence[Observed]) -> Iterable[Sequence[str]]:
    with (HERE / "box/wheels.csv").open(newline="") as file:
        versions = {row["name"]: row["version"] for row in csv.DictReader(file)}
    for program in PROGRAMS:
        yield (program, versions[program.split(",")[0]], *(_cell(style, program) for style in styles))


def _cell(style: Observed, program: str) -> str:
    if not style.imported(program):
        return "**fails**"
    return ", ".join(f"`{soname}`" for soname in style.missed(program)) or "nothing"


def _facts(styles: Sequence[Observed]) -> Iterable[Sequence[str]]:
    def row(what: str, holds: Iterable[bool]) -> Sequence[str]:
        return (what, *("yes" if yes else "no" for yes in holds))

    yield row("a program of a wheel (ruff) starts", (style.ruff.returncode == 0 for style in styles))
    yield row(
        "what Python starts has no LD_LIBRARY_PATH of ours",
        (all("LD_LIBRARY_PATH" not in report["environment"] for report in style.first.values()) for style in styles),
    )
    yield row(
        "a program linked to a newer libstdc++ lives when Python starts it",
        (style.newer.returncode == 0 for style in styles),
    )
    yield row("an IDE can start the Python of `.venv`, outside of the shell", (style.works_outside for style in styles))
    yield row(
        "an old `.venv` sees a library that was added later",
        (
            all("error" not in module for r in style.again.values() for module in r["modules"].values())
            for style in styles
        ),
    )
    yield row(
        "`multiprocessing` (spawn) and `sys.executable` stay in the `.venv`",
        (all(r["spawned"][1] == r["started"] == r["prefix"] for r in style.first.values()) for style in styles),
    )


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, tuple("---" for _ in head), *rows]
    return "\n".join(f"| {' | '.join(line)} |".replace("|  |", "| |") for line in lines)
