"""Find out which modules of packages the project's own sources import or name.

nixpy looks only for certain modules: those that open libraries, and that nothing in their package imports. It reads
the files and runs none.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from nixpy.core import limits
from nixpy.core.errors import InputError
from nixpy.core.read_file import read_bytes, walk
from nixpy.needs.sources.import_statements import Import, imports_of
from nixpy.needs.sources.modules import below

_SKIPPED = frozenset(("build", "dist", "node_modules", "site-packages", "__pycache__", "__pypackages__", "venv"))
_SUFFIXES = (".py", ".pyw", ".ipynb")
# Components of a package that a string may name for a module in it: `"django.contrib"` may be the name of a logger.
_NAMED = 3
_NO_NOTEBOOK = "not a notebook of Jupyter"
_MAGIC = re.compile(r"^[ \t]*[%!?].*", re.MULTILINE)  # lines for the shell or IPython in a notebook


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnImports:
    """The modules that the project's own sources import or name.

    They are some of those that nixpy looked for. `unread` says which sources nixpy did not read, each with the reason:
    they may import others.
    """

    modules: frozenset[str] = frozenset()
    unread: tuple[str, ...] = ()


def own_imports(folders: Sequence[Path], modules: Collection[str], *, strings: bool = True) -> OwnImports:
    """Return the modules that the sources of a project import or name.

    These are Python files and notebooks, tests too. An import of a module below one of `modules` counts, and so does a
    literal string: frameworks take the names of modules from settings, such as `INSTALLED_APPS =
    ["django.contrib.gis"]`. A string may also name the package that directly contains the module, as `ENGINE` of Django
    does.

    Args:
        folders: The folder of the project, and those of other members of its workspace. Virtual environments, hidden
            folders, build folders and links to other places are left out.
        modules: Dotted names. Without any, nixpy reads nothing.
        strings: Whether a literal string counts; not for modules with a name that is also a word.

    Returns:
        The modules of these, and the files that were not read.
    """
    if not modules:
        return OwnImports()
    words = {module: _words(module) for module in modules}
    tops = {module.partition(".")[0] for module in modules}
    found: set[str] = set()
    unread = []
    left = limits.OWN_BYTES
    for count, path in enumerate(path for folder in _outermost(folders) for path in _sources(folder)):
        if count == limits.OWN_SOURCES or left <= 0:
            unread.append(f"{_shown(path, folders)} and later files: the project has too many Python files")
            break
        try:
            source = read_bytes(path)
            others = (module for module in modules if module not in found)
            named = [module for module in others if all(word in source for word in words[module])]
            texts = _cells(source) if named and path.suffix == ".ipynb" else [source]
        except (OSError, InputError, ValueError) as error:
            reason = error.strerror if isinstance(error, OSError) else getattr(error, "message", _NO_NOTEBOOK)
            unread.append(f"{_shown(path, folders)}: {reason}")
            continue
        left -= len(source)
        for text in texts if named else ():
            imports = imports_of(text, "", package=False, tops=tops)
            found.update(_matching([one for one in imports if strings or not one.string], named))
    return OwnImports(modules=frozenset(found), unread=tuple(unread))


def _words(module: str) -> list[bytes]:
    """Return the words of which every source that imports or names a module has all."""
    parts = module.encode().split(b".")
    return parts[:-1] if len(parts) > _NAMED else parts


def _outermost(folders: Iterable[Path]) -> Iterator[Path]:
    """Yield the folders that are in no other of them."""
    resolved = {folder.resolve(): folder for folder in folders}
    return (folder for path, folder in resolved.items() if resolved.keys().isdisjoint(path.parents))


def _shown(path: Path, folders: Sequence[Path]) -> str:
    return os.path.relpath(path, folders[0])


def _sources(root: Path) -> Iterator[Path]:
    """Yield the Python files of a project, sorted in each folder."""
    for folder, folders, names in walk(root):
        here = Path(folder)
        folders[:] = sorted(
            name
            for name in folders
            if name not in _SKIPPED
            and not name.startswith(".")
            and not (here / name).is_symlink()
            and not (here / name / "pyvenv.cfg").exists()
        )
        for name in sorted(names):
            path = here / name
            if name.endswith(_SUFFIXES) and not name.startswith(".") and not _leaves(path, root):
                yield path


def _leaves(path: Path, root: Path) -> bool:
    """Return whether a path is a link out of the project, or to no file."""
    return path.is_symlink() and not (path.exists() and path.resolve().is_relative_to(root.resolve()))


def _cells(source: bytes) -> list[bytes]:
    """Return the code of each cell of a notebook (nbformat 3 and later).

    Raises ValueError if it is none.
    """
    document = limits.parse_json(source)
    try:
        sheets = document.get("worksheets") or [document]
        cells = [cell for sheet in sheets for cell in sheet["cells"] if cell["cell_type"] == "code"]
        texts = ["".join(cell.get("source", cell.get("input", ""))) for cell in cells]
    except (TypeError, KeyError, AttributeError):
        raise ValueError from None
    return [_MAGIC.sub("", text).encode() for text in texts]


def _matching(imports: Iterable[Import], modules: Collection[str]) -> Iterator[str]:
    for one in imports:
        named = one.string and one.name.count(".") + 1 >= _NAMED
        for module in modules:
            if below(one.name, module) or (named and one.name == module.rpartition(".")[0]):
                yield module
