"""Files that a test expects, and one variable that rewrites them.

A case is a folder with its input and what is expected of it. `NIXPY_WRITE_EXPECTED=1` makes the tests that use this
module write what they see into the files; review the difference with git.
"""

from __future__ import annotations

import os
from collections.abc import Mapping
from pathlib import Path

VARIABLE = "NIXPY_WRITE_EXPECTED"


def hold(folder: Path, seen: Mapping[str, str]) -> None:
    """Assert that files of a folder have these texts, or with the variable write them.

    Args:
        folder: Where the expected files lie.
        seen: The text of each file, by its name in the folder.
    """
    if os.environ.get(VARIABLE):
        for name, text in seen.items():
            (folder / name).write_bytes(text.encode())
    expected = {name: (folder / name).read_bytes().decode() for name in seen if (folder / name).exists()}
    assert dict(seen) == expected, f"{VARIABLE}=1 writes what is seen"
