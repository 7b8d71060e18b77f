"""Derive from the Python sources of a wheel what it opens and imports."""

from __future__ import annotations

import codecs
import io
import tokenize
from collections.abc import Collection, Iterator, Mapping, Sequence

from nixpy.core import limits
from nixpy.needs.model import RuntimeOpen
from nixpy.needs.sources.calls import Call, find_calls
from nixpy.needs.sources.foreign import foreign_imports
from nixpy.needs.sources.imports import ImportGraph, Reach
from nixpy.needs.sources.modules import is_test, module_name
from nixpy.needs.sources.systems import NONE


def read_sources(
    sources: Mapping[str, bytes],
    programs: Sequence[str],
    members: Collection[str] | None = None,
    plugins: Sequence[str] = (),
) -> tuple[tuple[RuntimeOpen, ...], tuple[str, ...]]:
    """Return what sources open at run time, and what they import of other packages.

    It never raises: files that Python 3 cannot decode or parse are ignored, and so are tests.

    Args:
        sources: The bytes of the Python files by their path in the wheel or sdist; stubs (`__init__.pyi`) may be
            among them.
        programs: The modules of the programs among the entry points, without the names of functions: `demo.cli`.
        members: The paths of all files of the wheel, which it need not find elsewhere.
        plugins: The modules of other entry points, which other packages import.

    Returns:
        The opens, sorted by path and line, and the dotted names of modules, sorted.
    """
    texts = {path: text for path, source in sources.items() if (text := _decode(path, source)) is not None}
    opens = tuple(opens_of(find_calls(texts, members, own=True), sources, programs, plugins)) if texts else ()
    return opens, foreign_imports(sources)


def opens_of(
    calls: Sequence[Call],
    sources: Mapping[str, bytes],
    programs: Collection[str] = (),
    plugins: Collection[str] = (),
) -> Iterator[RuntimeOpen]:
    """Yield what calls open, in their order, each with its certainty.

    The certainty depends on what imports the module of the call. A call that runs for certain on one system only gives
    two opens.

    Args:
        calls: The calls.
        sources: The bytes of all Python files of the wheel by path.
        programs: The modules of its programs.
        plugins: The modules of its other entry points.
    """
    if not calls:
        return
    graph = ImportGraph(sources, programs, plugins)
    sure = {call.path for call in calls if call.at_import and not call.guarded}
    known: dict[str, Reach] = {}
    for call in calls:
        module = module_name(call.path)
        if module is None or module not in graph.modules.paths:
            yield _script(call)
            continue
        if module not in known:
            known[module] = graph.reach(module, certain=call.path in sure)
        reach = known[module]
        every = frozenset(call.systems)
        certain = every & reach.certain if call.at_import and not call.guarded else NONE
        if reach.modules:
            yield _open(call, every, module=module, modules=reach.modules)
        if certain:
            yield _open(call, certain, certain=True)
        if likely := every & reach.systems - certain:
            yield _open(call, likely)


def _script(call: Call) -> RuntimeOpen:
    """Return what a call opens in a file that no import finds, such as a script."""
    if ".data/scripts/" not in call.path:
        return _open(call, frozenset(call.systems), possible=True)
    return _open(call, frozenset(call.systems), certain=call.at_import and not call.guarded)


def _open(
    call: Call,
    systems: Collection[str],
    *,
    certain: bool = False,
    possible: bool = False,
    module: str | None = None,
    modules: tuple[str, ...] = (),
) -> RuntimeOpen:
    return RuntimeOpen(
        names=call.names,
        evidence="source",
        certainty="possible" if possible else "certain" if certain else "likely",
        path=call.path,
        line=call.line,
        find_library=call.find_library,
        module=module,
        modules=modules,
        systems=tuple(sorted(systems)),
    )


def _decode(path: str, source: bytes) -> str | None:
    """Return the text of a Python file (PEP 263), or None if Python cannot read it."""
    if not path.endswith(".py") or is_test(path) or len(source) > limits.SOURCE:
        return None
    try:
        encoding, _ = tokenize.detect_encoding(io.BytesIO(source).readline)
        return codecs.decode(source, limits.codec(encoding)).removeprefix("\ufeff")
    except (SyntaxError, LookupError, ValueError):
        return None
