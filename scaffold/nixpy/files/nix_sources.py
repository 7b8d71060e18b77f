"""Read the user's Nix files: flake.nix, for example, and the files that it names.

nixpy does not evaluate Nix. A file counts as read by another one if that names its path, or its folder without a
default.nix. A function that loads whole folders, such as `readDir`, may read every Nix file of the project.
"""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

from nixpy.core import limits
from nixpy.core.errors import NixpyError
from nixpy.core.programs import checkout
from nixpy.core.read_file import is_file, is_folder, read_lossy, walk

_STRING = r""""(?:[^"\\]|\\.)*+(?:"|\Z)|(?<![\w'])''(?:[^']|'(?!')|''['$\\])*+(?:''|\Z)"""
_COMMENT = r"#[^\n]*+|/\*(?:[^*]|\*(?!/))*+(?:\*/|\Z)"
_TOKEN = re.compile(rf"(?P<string>{_STRING})|(?:{_COMMENT})", re.DOTALL)
_INK = re.compile(r"[^\n]")
_PATH = re.compile(r"(?<![\w./+-])\.{1,2}/[\w./+-]{0,255}")
# `"${self}/nix/shell.nix"`, `self + "/nix/shell.nix"`, `./${name}/nixpy.nix`
_TAIL = re.compile(r"""[}"]/(?P<tail>[\w./+-]{1,255})""")
_LOADERS = re.compile(r"\b(?:readDir|listFilesRecursive|import-tree|haumea|snowfall-lib|blueprint|flakelight)\b")
_MOST = 200  # files


@dataclass(frozen=True)
class NixSource:
    """A Nix file: `text` without its comments, and `code` also without its strings.

    Blanks replace what is left out, so that every offset and line stays.
    """

    path: Path
    original: str

    @cached_property
    def text(self) -> str:
        """The file with blanks for its comments."""
        return _TOKEN.sub(lambda match: match[0] if match["string"] else _INK.sub(" ", match[0]), self.original)

    @cached_property
    def code(self) -> str:
        """The file with blanks for its comments and strings."""
        return _TOKEN.sub(lambda match: _INK.sub(" ", match[0]), self.original)

    def line(self, offset: int) -> int:
        """Return the 1-based line of an offset."""
        return self.original.count("\n", 0, offset) + 1

    def names(self, file: Path) -> bool:
        """Return whether the file names `file`.

        It has the path of `file`, or a path that Nix computes and that ends in the same way.
        """
        return file in self._paths or (
            (file.name == "default.nix" and file.parent in self._paths)
            or any(_ends(file, match["tail"]) for match in _TAIL.finditer(self.text))
        )

    @cached_property
    def _paths(self) -> frozenset[Path]:
        here = self.path.parent
        return frozenset(Path(os.path.normpath(here / match[0])) for match in _PATH.finditer(self.text))

    def files(self, top: Path) -> Iterator[Path]:
        """Yield the Nix files that this one names.

        `top` is the folder of paths that Nix computes.
        """
        computed = (top / match["tail"] for match in _TAIL.finditer(self.text))
        for path in (*sorted(self._paths), *computed):
            if path.suffix == ".nix":
                yield path
            elif path != top and is_folder(path):
                default = path / "default.nix"
                yield from (default, path / "flake.nix") if is_file(default) else nix_files(path)
        if _LOADERS.search(self.text):
            yield from nix_files(top)


def read_sources(entry: Path, *, without: Path) -> tuple[NixSource, ...]:
    """Return `entry` and the Nix files that it names, in turn.

    `without` is the generated file, which is not read. Files outside the git tree are left out, and those that cannot
    be read.
    """
    entry, tree = absolute(entry), checkout(entry.parent)
    found: dict[Path, NixSource] = {}
    left = [entry]
    while left and len(found) < _MOST:
        path = left.pop(0)
        if path in found or path == without or not is_file(path) or not path.resolve().is_relative_to(tree):
            continue
        try:
            text = read_lossy(path)
        except (OSError, NixpyError):
            continue
        if len(text) <= limits.NIX_SIZE:
            found[path] = NixSource(path, text)
            left += found[path].files(entry.parent)
    return tuple(found.values())


def absolute(path: Path) -> Path:
    """Return the path of a file from the root, with the links in its folder resolved."""
    return path.parent.resolve() / path.name


def _ends(file: Path, tail: str) -> bool:
    return tail.rpartition("/")[2] == file.name and f"/{file.as_posix()}".endswith(f"/{tail}")


def nix_files(root: Path) -> list[Path]:
    """Return the Nix files in a folder, at most 200 of them."""
    found: list[Path] = []
    for folder, folders, names in walk(root):
        # A folder that begins with a dot belongs to a tool.
        folders[:] = sorted(name for name in folders if not name.startswith(".") and name != "node_modules")
        found += (Path(folder, name) for name in sorted(names) if name.endswith(".nix"))
        if len(found) > _MOST:
            break
    return found[:_MOST]
