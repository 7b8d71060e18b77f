"""Read how the source tree of a path dependency is built, without running it."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

from packaging.requirements import InvalidRequirement, Requirement
from packaging.utils import canonicalize_name

from nixpy.core import limits
from nixpy.core.errors import NixpyError
from nixpy.core.toml_file import load_toml, read_text
from nixpy.locks.model import SdistFacts

COMPILED = (".c", ".cc", ".cpp", ".cu", ".cxx", ".f", ".f90", ".go", ".m", ".mm", ".pyx", ".rs")
"""The suffixes of files that a build compiles."""

NOT_BUILT = frozenset({"benchmarks", "doc", "docs", "examples", "test", "testing", "tests"})
"""The folders with files that a build does not compile."""

# Build requirements that compile, also if their sources are in another folder.
_COMPILERS = frozenset(
    {
        *("cffi", "cmake", "cython", "maturin", "meson-python", "nanobind", "pybind11"),
        *("scikit-build", "scikit-build-core", "setuptools-rust", "swig"),
    }
)
_GENERATED = frozenset({"build", "dist", "node_modules", "target", "venv", "__pycache__"})


def source_facts(folder: Path) -> SdistFacts | None:
    """Return the build requirements of a folder, and whether it compiles files.

    Returns None if this cannot be known: the folder does not exist, has no project, or cannot be read.
    """
    pyproject, setup = folder / "pyproject.toml", folder / "setup.py"
    try:
        if not (pyproject.is_file() or setup.is_file() or (folder / "setup.cfg").is_file()):
            return None
        table = load_toml(pyproject).get("build-system") if pyproject.is_file() else None
        requires = table.get("requires") if isinstance(table, dict) else None
        build = {canonicalize_name(Requirement(one).name) for one in (["setuptools"] if requires is None else requires)}
        compiled = (
            not build.isdisjoint(_COMPILERS)
            or (setup.is_file() and "ext_modules" in read_text(setup))
            or any(name.endswith(COMPILED) for name in _files(folder))
        )
    except (NixpyError, OSError, InvalidRequirement, TypeError, limits.PastLimitError):
        return None
    return SdistFacts(build=tuple(sorted(build)), compiled=compiled)


def _files(folder: Path) -> Iterator[str]:
    """Yield the names of the files that a build may compile.

    Raises PastLimitError for more files than any package has.
    """
    count = 0
    for _, folders, names in os.walk(folder):
        folders[:] = [one for one in folders if not one.startswith(".") and one not in NOT_BUILT | _GENERATED]
        count += len(names) + len(folders)
        if count > limits.MEMBERS:
            raise limits.PastLimitError("it has an absurd number of files")
        yield from names
