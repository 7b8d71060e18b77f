"""Find out how the modules of a wheel are imported, from its Python sources.

The search goes backwards from one module: which sources import it, which import these, until one of them is imported
by users. So nixpy parses only files that have the last component of a name which it looks for.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field

from nixpy.core import limits
from nixpy.needs.sources.import_statements import ANY, Import, imports_of
from nixpy.needs.sources.modules import Modules, below, is_about, is_side, outermost
from nixpy.needs.sources.systems import ALL, NONE

_DYNAMIC = re.compile(rb"import_module|__import__|import_string")
_STUBS = re.compile(rb"attach_stub")
_FEW = 10  # percent of the modules of a package


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """How a module of a wheel is imported.

    `certain` are the systems on which importing the package or starting one of its programs always imports it, and
    `systems` those on which code of the package may import it. `modules` are those with which it is imported if these
    are none: the outermost of its importers in the package.
    """

    systems: frozenset[str]
    certain: frozenset[str] = NONE
    modules: tuple[str, ...] = ()


@dataclass(slots=True)
class ImportGraph:
    """The imports among the modules of one wheel, found as they are needed.

    Args:
        sources: The bytes of the Python files by their path in the wheel.
        programs: The modules of its entry points.
    """

    sources: Mapping[str, bytes]
    programs: Collection[str] = ()
    modules: Modules = field(init=False)
    _left: int = field(init=False, default=limits.PARSED)
    _parsed: dict[str, tuple[Import, ...]] = field(init=False, default_factory=dict)
    _importers: dict[str, tuple[tuple[str, Import], ...]] = field(init=False, default_factory=dict)
    _dynamic: tuple[str, ...] = field(init=False)
    _public: dict[str, bool] = field(init=False, default_factory=dict)

    def __post_init__(self) -> None:
        self.modules = Modules.of(self.sources)
        self._dynamic = tuple(
            module for module, path in self.modules.paths.items() if _DYNAMIC.search(self.sources[path])
        )

    def reach(self, module: str) -> Reach:
        """Return how a module of the wheel is imported."""
        systems, visited = self._search(module, certain=False)
        if not self._left:  # not all sources were parsed, and any of them may import the module
            return Reach(systems=ALL)
        if not systems:
            return Reach(systems=NONE, modules=outermost(visited))
        return Reach(systems=systems, certain=self._search(module, certain=True)[0])

    def _search(self, module: str, *, certain: bool) -> tuple[frozenset[str], Collection[str]]:
        """Return the systems on which users import a module, and the modules that import it."""
        found = NONE
        visited: dict[str, frozenset[str]] = {module: ALL}
        queue = deque([(module, ALL)])
        while queue:
            name, systems = queue.popleft()
            if self._is_start(name, certain=certain):
                found |= systems
                if found == ALL:
                    break
                continue
            for importer, one in self.importers(name):
                new = systems & one.systems - visited.get(importer, NONE)
                if new and (one.certain or not certain):
                    visited[importer] = visited.get(importer, NONE) | new
                    queue.append((importer, new))
        return found, visited

    def _is_start(self, module: str, *, certain: bool) -> bool:
        """Return whether users import a module, or start it as a program.

        With `certain`, this is a module that importing the package always runs.
        """
        if any(below(program, module) for program in self.programs):
            return True
        name = module.rpartition(".")[2]
        if module in self.modules.imported:
            return not certain or not module.startswith("_")
        if certain:
            return False
        parent = module.rpartition(".")[0]
        if name == "__main__":
            return parent in self.modules.imported
        return not name.startswith("_") and not is_side(module) and self._is_public(module)

    def _is_public(self, module: str) -> bool:
        """Return whether users import a module directly: it is in a top-level package that imports little itself."""
        top = next((top for top in self.modules.imported if below(module, top)), None)
        if top is None or module not in self.modules.children(top):
            return False
        if top not in self._public:
            self._public[top] = self._imports_little(top)
        return self._public[top]

    def _imports_little(self, top: str) -> bool:
        """Return whether importing a package runs few of its modules.

        Such a package has its functions in submodules: OpenGL.GL, kivy.app, django.db.
        """
        size = sum(below(module, top) for module in self.modules.paths)
        seen = {top}
        queue = [top]
        while queue and (len(seen) - 1) * 100 <= size * _FEW:
            for one in self._imports(queue.pop()):
                for target in self._targets(one) if not one.function else ():
                    if target not in seen and below(target, top) and not is_about(target):
                        seen.add(target)
                        queue.append(target)
        return (len(seen) - 1) * 100 <= size * _FEW

    def _targets(self, one: Import) -> Iterator[str]:
        """Yield the modules of the wheel that an import runs: packages run before their modules."""
        parts = one.name.split(".")
        names = (".".join(parts[: end + 1]) for end in range(len(parts)))
        return (name for name in names if name in self.modules.paths)

    def importers(self, module: str) -> tuple[tuple[str, Import], ...]:
        """Return the modules that import a module, from outside of it, each with the import."""
        if module not in self._importers:
            self._importers[module] = tuple(self._find_importers(module))
        return self._importers[module]

    def _find_importers(self, module: str) -> Iterator[tuple[str, Import]]:
        parent, _, last = module.rpartition(".")
        word = last.encode()
        pattern = re.compile(rb"\b" + re.escape(word) + rb"\b")
        computed = f"{parent}.{ANY}"
        names = [
            name
            for name, path in self.modules.paths.items()
            if (word in (data := self.sources[path]) and pattern.search(data)) or _STUBS.search(data)
        ]
        for importer in dict.fromkeys((*names, *self._dynamic)):
            if below(importer, module):
                continue
            for one in self._imports(importer):
                if below(one.name, module) or one.name == computed:
                    yield importer, one

    def _imports(self, module: str) -> tuple[Import, ...]:
        if module not in self._parsed:
            path = self.modules.paths[module]
            found = self._statements(module, path)
            stub = path + "i"
            # lazy_loader's `attach_stub` takes the names from the stub file.
            if stub in self.sources and _STUBS.search(self.sources[path]):
                lazy = self._statements(module, stub)
                found += tuple(
                    Import(name=one.name, certain=False, function=True, systems=one.systems) for one in lazy
                )
            self._parsed[module] = found
        return self._parsed[module]

    def _statements(self, module: str, path: str) -> tuple[Import, ...]:
        source = self.sources[path]
        if len(source) > limits.SOURCE:
            return ()
        if len(source) > self._left:
            self._left = 0
            return ()
        self._left -= len(source)
        return imports_of(source, module, package=module in self.modules.packages, tops=self.modules.tops)
