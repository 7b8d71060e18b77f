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
# What the tests saw on a machine without /lib

The tests write this page (`make proof`), and `make test` fails if it sees anything else.
{seen}

Real Nix built the files that `nixpy init` generates for one project, in each style. nixpkgs {release} was a stand-in,
whose libraries are those of Debian, moved into the store. The tests entered the shells with `nix develop` and with
direnv, in a sandbox with `/nix/store` and without `/lib`, `/lib64` and `/usr/lib`. They made virtual environments with
`python -m venv` and with `uv venv` and installed wheels. Each cell holds for all four combinations.

## Imports

**A soname**: the import works. With the same virtual environment and an empty list of libraries, it fails because this
library is missing. **nothing**: the import works without the list, too, so it says nothing about the style.

{imports}

## What else the shells do

{facts}

`with-packages` takes packages from nixpkgs and not wheels, so it is not in these tables. Virtual environments that are
made from it see its packages, on a nixpkgs with the fix for that and on one without it: `test_box_with_packages.py`.

## What the tests cannot show

- `buildFHSEnv` of nixpkgs: the tests use a stand-in with the same options and rules.
- nix-ld: a stand-in follows the documentation of version 2, but starts the loader as a program of its own.
- The channels of conda: micromamba and conda are stubs that accept the documented commands.
- macOS and aarch64: the files for them are evaluated and never run.
- Graphics drivers and CUDA: the tests have no GPU.
- Whether an attribute exists in *your* nixpkgs: `checks.<system>.libraries` in the generated file tests that.
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
        "child processes of Python have no LD_LIBRARY_PATH of nixpy",
        (all("LD_LIBRARY_PATH" not in report["environment"] for report in style.first.values()) for style in styles),
    )
    yield row(
        "a program that is linked to a newer libstdc++ runs when Python starts it",
        (style.newer.returncode == 0 for style in styles),
    )
    yield row("an IDE can start the Python of `.venv` outside of the shell", (style.works_outside for style in styles))
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
