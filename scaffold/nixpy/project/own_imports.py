"""Find modules that the Python files of a project import."""

from __future__ import annotations

import ast
import warnings
from collections.abc import Collection, Iterator
from itertools import islice
from pathlib import Path

from nixpy.core.errors import NixpyError
from nixpy.core.read_file import read_bytes
from nixpy.project.discover import source_folders

_MOST_FILES = 5000
_LARGEST = 1 << 20  # bytes; a larger file is generated


def importing(root: Path, modules: Collection[str]) -> Path | None:
    """Return the first Python file below `root` that imports one of `modules`.

    A part of a module counts, and an import in a function. Files of other projects, of environments and of builds are
    not read. No file is run, and one that is not valid Python is left out.
    """
    words = [module.encode() for module in modules]
    for path in islice(_python_files(root), _MOST_FILES):
        try:
            if path.stat().st_size > _LARGEST:
                continue
            data = read_bytes(path)
            if any(word in data for word in words) and not _imported(data).isdisjoint(modules):
                return path
        except (NixpyError, OSError, SyntaxError, ValueError, RecursionError, MemoryError):
            continue
    return None


def _python_files(root: Path) -> Iterator[Path]:
    for folder, names in source_folders(root):
        yield from (Path(folder, name) for name in sorted(names) if name.endswith(".py"))


def _imported(data: bytes) -> frozenset[str]:
    """Return the dotted names of imported modules and of their packages."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # about invalid escapes in the file
        tree = ast.parse(data)
    found: set[str] = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            found.update(alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module and not node.level:
            found.add(node.module)
    parts = (name.split(".") for name in found)
    return frozenset(".".join(part[:end]) for part in parts for end in range(1, len(part) + 1))
