"""Measure what packages open at run time against what nixpy renders; a maintainer's command, `make trace`.

python -m tracing.run            # every package, then results.json and the page
python -m tracing.run mss kivy   # these, in the place of their rows
python -m tracing.run --failed   # those that did not do their work
"""

from __future__ import annotations

import argparse
import contextlib
import datetime as dt
import sys
import time

from tracing import machine, page, results
from tracing.debian import Debian
from tracing.measure import measure
from tracing.works import SAMPLE, all_works


def main() -> int:
    """Measure the packages; the exit status is 1 where one could not be measured."""
    parser = argparse.ArgumentParser(description="Measure what packages open at run time.")
    parser.add_argument("names", nargs="*")
    parser.add_argument("--failed", action="store_true", help="only those that did not do their work before")
    parser.add_argument("--new", action="store_true", help="only those that have no row")
    parser.add_argument("--page", action="store_true", help="only write the page")
    arguments = parser.parse_args()
    works = {work.name: work for work in all_works()}
    recorded = results.read()
    date = recorded.date
    rows = {row.name: row for row in recorded.packages if row.name in works}
    names = arguments.names or [
        name
        for name in works
        if not arguments.page
        and not (arguments.new and name in rows)
        and not (arguments.failed and name in rows and rows[name].works)
    ]
    debian, broken = Debian(), []
    debian.bring_contents()
    with machine.servers() if names else contextlib.nullcontext():
        for name in names:
            start = time.monotonic()
            try:
                row = measure(works[name], debian)
            except Exception as error:  # noqa: BLE001 - the others go on
                broken.append(name)
                sys.stderr.write(f"{name}: {type(error).__name__}: {error}\n")
                continue
            rows[name] = row
            date = dt.datetime.now(tz=dt.UTC).date().isoformat()
            results.write(date, rows.values())
            word = {True: "works", False: "FAILS"}
            sys.stderr.write(
                f"{name}: {word[row.works]}, with all {word[row.works_with_all]}; missed {' '.join(row.missed) or '-'};"
                f" never {' '.join(row.never) or '-'}; unknown {' '.join(row.unknown) or '-'}"
                f" ({time.monotonic() - start:.0f} s)\n"
            )
            if not row.works_with_all:
                sys.stderr.write(row.output + "\n")
    sample = [rows[name] for name in SAMPLE if name in rows]
    debian.record(soname for row in sample for soname in (*row.rendered, *row.linked, *row.missed))
    page.write(results.write(date, rows.values()))
    return 1 if broken else 0


if __name__ == "__main__":
    sys.exit(main())
