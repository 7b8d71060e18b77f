"""Write down what fuzzing reached, for `docs/fuzzing.md`: the noted runs of each reader, and what is left of them.

    PYTHONPATH=tests .venv/bin/python -m fuzz.figures

The runs are those of `.fuzz/results.csv`, which `run.py` writes.
"""

from __future__ import annotations

import csv
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path

from fuzz import readers, replay, run

FIGURES = Path(__file__).with_name("figures.csv")
COLUMNS = (
    *("reader", "runs", "seconds", "found", "left", "megabytes", "files", "bytes"),
    *("date", "nixpy", "python", "atheris"),
)


def figures(rows: Sequence[Mapping[str, str]]) -> Iterator[dict[str, object]]:
    """Yield a row for each reader, also for one that was never run."""
    for name in readers.READERS:
        own = [row for row in rows if row["reader"] == name]
        sizes = [path.stat().st_size for path in replay.kept(name)]
        last = own[-1] if own else {"date": "", "nixpy": "", "python": "", "atheris": ""}
        yield {
            "reader": name,
            "runs": sum(int(row["runs"]) for row in own),
            "seconds": sum(int(row["seconds"]) for row in own),
            "found": len({place for row in own for place in row["found"].split("; ") if place}),
            "left": left(name),
            "megabytes": max((int(row["megabytes"]) for row in own), default=0),
            "files": len(sizes),
            "bytes": sum(sizes),
            **{column: last[column] for column in ("date", "nixpy", "python", "atheris")},
        }


def left(name: str) -> int:
    """Return how many of the inputs that were found still cause a fault."""
    folder = run.HOME / "findings" / name
    found = (path.read_bytes() for path in sorted(folder.iterdir())) if folder.is_dir() else iter(())
    return len(list(replay.faults(name, found)))


def main() -> None:
    """Write the table."""
    with FIGURES.open("w", newline="") as file:
        writer = csv.DictWriter(file, COLUMNS, lineterminator="\n")
        writer.writeheader()
        writer.writerows(figures(run.results()))


if __name__ == "__main__":
    main()
