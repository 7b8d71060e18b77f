"""The page of the measurement, docs/explanation/trace.md."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from tracing.results import Results, Row

PAGE = Path(__file__).parents[2] / "docs/explanation/trace.md"

_TEXT = """\
# Measured: libraries that packages open at run time

A maintainer's command, `make trace`, writes this page. Last run: {date}.

For each package, the command installs the package, and gets from `nixpy scan` the sonames that nixpy supplies. Then it
runs the main work of the package on a machine without `/lib`: open a window, encode an image, query a database file,
list devices. The machine has glibc, CPython, an X server, a Wayland compositor, a sound server, and a folder with
exactly these sonames. After that it adds every library that the package tried to open and did not find, and runs the
work again. The trace of the loader (`LD_DEBUG=files`) shows which libraries were opened.

## Results

| | |
| --- | --- |
| packages | {packages} |
| packages that do their main work with what nixpy supplies | {works} of {judged} |
| libraries that packages open at run time, and nixpy supplies (recall) | {found} of {opened}, {recall} |
| libraries that packages open at run time, and nixpy lists without supplying them, since they are large | {offered} |
| libraries that nixpy supplies for run time, and the main work never opens | {never} of {rendered}, {share} |

- Libraries that nixpy lists without supplying them are not in the recall. A package that does its main work does so
  without them.
- Programs with a window run in two sessions: X11 with a sound server, and Wayland without one.
- A library counts once for each package that opens it.
- The libraries are those of Debian, not of nixpkgs. A library that Debian lacks does not count.
- A main work is only a part of a package. Another part may open a library that it never opens.
- Libraries to which a file of a package *links* are not in these numbers, since nixpy reads their names from the file.

## Packages

A *missed* library is opened at run time, and nixpy does not supply it. The package may do its main work without it,
since many packages try several libraries. nixpy lists a library that is *only listed*, and leaves it out. It supplies
a library that is *never opened*, and the main work does not open it.

{table}
{left}"""

_LEFT = """
## Not judged

These packages cannot do their main work on this machine, also with all libraries that Debian has.

{table}
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """The sums over all packages that do their main work with all libraries."""

    judged: int
    works: int
    opened: int
    missed: int
    offered: int
    rendered: int
    never: int

    @property
    def recall(self) -> float:
        """The share of the opened libraries that nixpy supplies."""
        return 1 - self.missed / self.opened if self.opened else 1.0

    @property
    def never_opened(self) -> float:
        """The share of the libraries supplied for run time that the main work never opens."""
        return self.never / self.rendered if self.rendered else 0.0


def totals(rows: Iterable[Row]) -> Totals:
    """Return the sums."""
    judged = [row for row in rows if row.judged]
    return Totals(
        judged=len(judged),
        works=sum(row.works for row in judged),
        opened=sum(len({*row.opened, *row.missed} - {*row.offered}) for row in judged),
        missed=sum(len(row.missed) for row in judged),
        offered=sum(len(row.offered) for row in judged),
        rendered=sum(len(row.rendered) - len({*row.rendered} & {*row.lacking}) for row in judged),
        never=sum(len(row.never) for row in judged),
    )


def document(results: Results) -> str:
    """Return the text of the page."""
    rows = sorted(results.packages, key=lambda row: row.name)
    sums = totals(rows)
    judged = [row for row in rows if row.judged]
    left = [(row.name, row.reason or f"`{_last_line(row.output)}`") for row in rows if not row.judged]
    head = ("package", "version", "kind", "main work", "opened", "missed", "only listed", "never opened")
    return _TEXT.format(
        date=results.date,
        packages=len(rows),
        judged=sums.judged,
        works=sums.works,
        found=sums.opened - sums.missed,
        opened=sums.opened,
        recall=f"{sums.recall:.1%}",
        offered=sums.offered,
        never=sums.never,
        rendered=sums.rendered,
        share=f"{sums.never_opened:.1%}",
        table=_table(head, map(_cells, judged)),
        left=_LEFT.format(table=_table(("package", "reason"), left)) if left else "",
    )


def write(results: Results) -> None:
    """Write the page."""
    PAGE.write_text(document(results))


def _cells(row: Row) -> Sequence[str]:
    name, _, version = row.wheels[0].partition("==")
    label = row.name if row.name.replace("-", "_") == name.lower() else f"{row.name} ({name})"
    opened = sorted({*row.opened} - {*row.missed, *row.offered})
    return (
        label,
        version,
        row.kind,
        "done" if row.works else "**fails**",
        *map(_codes, (opened, row.missed, row.offered, row.never)),
    )


def _codes(sonames: Iterable[str]) -> str:
    return " ".join(f"`{soname}`" for soname in sonames)


def _last_line(output: str) -> str:
    return output.strip().rpartition("\n")[2].replace("|", "/").replace("`", "'")[:120]


def _table(head: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    lines = [head, ["---"] * len(head), *rows]
    return "".join(f"| {' | '.join(line)} |\n".replace("|  |", "| |").replace("|  |", "| |") for line in lines)
