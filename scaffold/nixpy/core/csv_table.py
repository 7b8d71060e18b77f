"""Read CSV tables strictly.

A mistake in a table is an error with its line, and no row is lost.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator
from pathlib import Path

from nixpy.core.errors import InternalError, NixpyError
from nixpy.core.toml_file import read_text


def rows(path: Path, *columns: str, keys: int = 1) -> Iterator[tuple[int, list[str]]]:
    """Yield the rows of a table, each with its 1-based line.

    Args:
        path: The CSV file, with the header in its first line.
        columns: The names in the header; every row has a field for each of them.
        keys: The rows are sorted by their first `keys` fields, by code point, and no two rows share them.
            0 is for a table in a meaningful order.

    Raises:
        NixpyError: The file is not UTF-8, not CSV, not sorted, or has other columns. The error has the line.
    """
    reader = csv.reader(io.StringIO(read_text(path), newline=""), strict=True)
    wanted = ",".join(columns)
    last: list[str] = []
    try:
        if next(reader, None) != list(columns):
            raise bad_row(path, 1, "the columns are not the expected ones", f"Write {wanted}.")
        for row in reader:
            if len(row) != len(columns):
                raise bad_row(
                    path, reader.line_num, f"{len(row)} columns instead of {len(columns)}", f"Write {wanted}."
                )
            if (key := row[:keys]) <= last and keys:
                raise _disorder(path, reader.line_num, key, last)
            last = key
            yield reader.line_num, row
    except csv.Error as error:
        raise bad_row(
            path, reader.line_num, f"not a table in CSV: {error}", "Correct the quotes on this line."
        ) from error


def bad_row(path: Path, line: int, message: str, hint: str) -> NixpyError:
    """Return the error for one line of a table."""
    return InternalError(message, hint=hint, path=path, line=line)


def _disorder(path: Path, line: int, key: list[str], last: list[str]) -> NixpyError:
    if key == last:
        return bad_row(path, line, f"{','.join(key)} occurs twice", "Keep one of the two rows.")
    message = f"{','.join(key)} comes after {','.join(last)}"
    return bad_row(path, line, message, "Sort the rows by their first columns, byte by byte.")
