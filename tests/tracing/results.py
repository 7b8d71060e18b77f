"""What was measured: results.json."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import asdict, dataclass, fields
from pathlib import Path

FILE = Path(__file__).with_name("results.json")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What was seen of one package. Sonames are those of Debian where the package asks for `libz.so`."""

    name: str
    kind: str
    wheels: tuple[str, ...]  # NAME==VERSION, the package first
    works: bool  # with what nixpy renders
    works_with_all: bool  # with all that it asked for, as far as Debian has it
    linked: tuple[str, ...] = ()  # rendered, since a file links to it
    rendered: tuple[str, ...] = ()  # rendered, since it is opened at run time
    opened: tuple[str, ...] = ()  # opened at run time, where all was there
    missed: tuple[str, ...] = ()  # opened, and neither rendered nor offered
    offered: tuple[str, ...] = ()  # opened, and not rendered, but listed by nixpy
    never: tuple[str, ...] = ()  # of `rendered`, not opened
    lacking: tuple[str, ...] = ()  # rendered, and Debian lacks it
    unknown: tuple[str, ...] = ()  # asked for, not found, and Debian lacks it
    output: str = ""  # the end of what the failed program printed
    reason: str = ""  # why it cannot do its work here

    @property
    def judged(self) -> bool:
        """Whether the package does its main work on this machine with all libraries."""
        return self.works_with_all and not self.reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Results:
    """The rows of all packages, and the day of the newest."""

    date: str
    packages: tuple[Row, ...]


def read() -> Results:
    """Return what is recorded; nothing where the file does not exist."""
    if not FILE.exists():
        return Results(date="", packages=())
    data = json.loads(FILE.read_text())
    return Results(date=data["date"], packages=tuple(_row(row) for row in data["packages"]))


def write(date: str, rows: Iterable[Row]) -> Results:
    """Record the rows, one a line, without their empty values; return them."""
    packages = tuple(sorted(rows, key=lambda row: row.name))
    values = ({name: value for name, value in asdict(row).items() if value not in {(), ""}} for row in packages)
    lines = ",\n".join(map(json.dumps, values))
    FILE.write_text(f'{{"date": "{date}", "packages": [\n{lines}\n]}}\n')
    return Results(date=date, packages=packages)


def _row(data: dict[str, object]) -> Row:
    values = {name: tuple(value) if isinstance(value, list) else value for name, value in data.items()}
    assert set(values) <= {field.name for field in fields(Row)}, data
    return Row(**values)  # type: ignore[arg-type]
