"""Format `--help` like the reports, so that it fits narrow terminals, too."""

from __future__ import annotations

import re
import shutil
from collections.abc import Iterable

import click

from nixpy.cli.layout import PROSE, aligned, broken


class Formatter(click.HelpFormatter):
    """Replaces click's formatter on narrow terminals.

    That of click assumes at least 50 columns, breaks words at hyphens, and squeezes columns.
    """

    def __init__(self, indent_increment: int = 2, width: int | None = None, max_width: int | None = None) -> None:
        width = width or min(shutil.get_terminal_size().columns, max_width or PROSE) - 2
        super().__init__(indent_increment, max(width, 1))

    def write_text(self, text: str) -> None:
        """Write paragraphs.

        Text after click's mark for preformatted text is a table with columns two blanks apart.
        """
        written = []
        for paragraph in text.split("\n\n"):
            if paragraph.startswith("\b\n"):
                rows = [re.split(" {2,}", line, maxsplit=1) for line in paragraph.splitlines()[1:]]
                written.append("\n".join(aligned(rows, self.current_indent, self.width)))
            else:
                lines = broken(" ".join(paragraph.split()), self.width, self.current_indent)
                written.append(" " * self.current_indent + "\n".join(lines))
        self.write("\n\n".join(written) + "\n")

    def write_dl(self, rows: Iterable[tuple[str, str]], col_max: int = 30, col_spacing: int = 2) -> None:
        """Write terms with their definitions.

        On narrow terminals the definitions go below the terms.
        """
        for line in aligned(list(rows), self.current_indent, self.width):
            self.write(f"{line}\n")
