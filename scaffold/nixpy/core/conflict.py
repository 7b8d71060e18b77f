"""Find the marks that git writes into a file for a merge conflict."""

from __future__ import annotations

import re
from pathlib import Path

from nixpy.core.errors import InputError

_MARK = re.compile(r"^<{7}(?=[ \r]|$)", re.MULTILINE)


def conflict_line(text: str) -> int | None:
    r"""Return the 1-based line of the first merge conflict, or None.

    Source: git-merge(1), "How conflicts are presented".

    >>> conflict_line("a\n<<<<<<< HEAD\nb\n=======\nc\n>>>>>>> other\n")
    2
    """
    match = _MARK.search(text)
    return text.count("\n", 0, match.start()) + 1 if match else None


def refuse_conflict(text: str, path: Path) -> None:
    """Raise InputError, with the line, for a merge conflict in `text`.

    `path` is the file, for the message.
    """
    if line := conflict_line(text):
        raise InputError(
            "this file contains an unresolved merge conflict",
            hint="Resolve the conflict; for a lock file, run its tool again.",
            path=path,
            line=line,
        )
