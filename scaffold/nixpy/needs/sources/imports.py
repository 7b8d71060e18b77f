"""Find out how the modules of a wheel are imported, from its Python sources.

The search goes backwards from one module: which sources import it, which import these, until one of them is imported
by users. So nixpy parses only files that have the last component of a name which it looks for.
"""

from __future__ import annotations

import re
from collections import deque
from collections.abc import Collection, Iterator, Mapping
from dataclasses import dataclass, field, replace

from nixpy.core import limits
from nixpy.needs.sources.import_statements import ANY, DYNAMIC, Import, imports_of
from nixpy.needs.sources.modules import Modules, below, is_about, is_side
from nixpy.needs.sources.scan import Found, scan
from nixpy.needs.sources.systems import ALL, NONE, systems_of_name

_STUBS = re.compile(rb"attach_stub")
_PLATFORM = re.compile(rb"platform|os\.name")  # `if sys.platform != "linux": raise ImportError`
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
    """The imports among the modules of one wheel.

    One pass over all sources finds what they seem to import. A source is parsed when the search comes to it, and only
    if the beginnings of its lines do not show how it imports the module.

    Args:
        sources: The bytes of the Python files by their path in the wheel.
        programs: The modules of its programs.
        plugins: The modules of its other entry points, which other packages may import.
    """

    sources: Mapping[str, bytes]
    programs: Collection[str] = ()
    plugins: Collection[str] = ()
    modules: Modules = field(init=False)
    _left: int = field(init=False, default=limits.PARSED)
    _parsed: dict[str, tuple[Import, ...]] = field(init=False, default_factory=dict)
    _found: dict[str, tuple[Found, ...]] = field(init=False, default_factory=dict)  # by the importing module
    _candidates: dict[str, dict[str, None]] = field(init=False, default_factory=dict)  # by the imported module
    _conditional: set[str] = field(init=False, default_factory=set)
    _dynamic: list[str] = field(init=False, default_factory=list)
    _public: dict[str, frozenset[str]] = field(init=False, default_factory=dict)
    _certain: dict[str, frozenset[str]] = field(init=False, default_factory=dict)
    _certain_queue: deque[str] = field(init=False, default_factory=deque)

    def __post_init__(self) -> None:
        self.modules = Modules.of(self.sources)
        tops = b"|".join(re.escape(top.encode()) for top in sorted(self.modules.tops))
        named = re.compile(rb"(?:" + tops + rb")\.[\w.]+")
        for module, path in self.modules.paths.items():
            source = self.sources[path]
            found = tuple(scan(source, module, package=module in self.modules.packages))
            self._found[module] = found
            names = {one.name for one in found}
            names |= {
                match[0].decode("utf-8", "replace")
                for match in named.finditer(source)
                if source[match.start() - 1 : match.start()] in (b'"', b"'")
            }
            if _STUBS.search(source) and (stub := self.sources.get(path + "i")):
                names |= {one.name for one in scan(stub, module, package=True)}
            for target in {target for name in names for target in self._targets(name)}:
                self._candidates.setdefault(target, {})[module] = None
            if DYNAMIC.search(source):
                self._dynamic.append(module)
            if _PLATFORM.search(source):
                self._conditional.add(module)
        for start in self.modules.imported:
            if not start.startswith("_"):
                self._run(start, ALL)
        for program in self.programs:
            for target in self._targets(program):
                self._run(target, ALL)

    def reach(self, module: str, *, certain: bool = True) -> Reach:
        """Return how a module of the wheel is imported.

        Without `certain`, nixpy does not find out whether that is certain.
        """
        systems, visited = self._importing(module)
        if not self._left:  # not all sources were parsed, and any of them may import the module
            return Reach(systems=ALL)
        if not systems:
            return Reach(systems=NONE, modules=self.modules.entries(visited))
        return Reach(systems=systems, certain=self._certainly(module) if certain else NONE)

    def _importing(self, module: str) -> tuple[frozenset[str], Collection[str]]:
        """Return the systems on which users import a module, and what imports it."""
        found = NONE
        visited: dict[str, frozenset[str]] = {module: ALL}
        queue = deque([(module, ALL)])
        while queue and found != ALL:
            name, systems = queue.popleft()
            if self._is_start(name):
                found |= systems
                continue
            for importer, one in self.importers(name):
                if new := systems & one.systems - visited.get(importer, NONE):
                    visited[importer] = visited.get(importer, NONE) | new
                    queue.append((importer, new))
        return found, visited

    def _certainly(self, module: str) -> frozenset[str]:
        """Return the systems on which users always import a module.

        They import the package or start one of its programs. Two searches take turns, from the package and from the
        module: either may have to parse many more sources than the other one. The first one continues with the next
        module.
        """
        found = NONE
        visited: dict[str, frozenset[str]] = {module: ALL}
        queue = deque([(module, ALL)])
        while queue and self._certain_queue and found != ALL:
            name, systems = queue.popleft()
            found |= systems & self._certain.get(name, NONE)
            for importer, one in self.importers(name):
                new = systems & one.systems - visited.get(importer, NONE)
                if new and one.certain:
                    visited[importer] = visited.get(importer, NONE) | new
                    queue.append((importer, new))
            runner = self._certain_queue.popleft()
            for one in self._imports(runner):
                for target in self._targets(one.name) if one.certain else ():
                    self._run(target, self._certain[runner] & one.systems)
        return found | self._certain.get(module, NONE)

    def _run(self, module: str, systems: frozenset[str]) -> None:
        """Note the systems on which a module is always imported."""
        known = self._certain.get(module, NONE)
        if systems - known:
            self._certain[module] = known | systems
            self._certain_queue.append(module)

    def _is_start(self, module: str) -> bool:
        """Return whether users import a module, or start it as a program."""
        entries = (*self.programs, *self.plugins)
        if module in self.modules.imported or any(below(entry, module) for entry in entries):
            return True
        parent, _, name = module.rpartition(".")
        if name == "__main__":
            return parent in self.modules.imported
        # Of a package that is an entry point, frameworks load the parts by name, as triton does with its backends.
        if parent in self.plugins and parent in self.modules.packages:
            return True
        return not name.startswith("_") and not is_side(module) and self._is_public(module)

    def _is_public(self, module: str) -> bool:
        """Return whether users import a module directly.

        It is in a top-level package that imports few of its modules itself.
        """
        top = next((top for top in self.modules.imported if below(module, top)), "")
        if top not in self._public:
            self._public[top] = frozenset(self.modules.children(top) if self._imports_little(top) else ())
        return module in self._public[top]

    def _imports_little(self, top: str) -> bool:
        """Return whether importing a package runs few of its modules.

        Such a package has its functions in submodules: OpenGL.GL, kivy.app, django.db.
        """
        size = sum(below(module, top) for module in self.modules.paths)
        seen = {top}
        queue = [top]
        while queue and (len(seen) - 1) * 100 <= size * _FEW:
            for one in self._imports(queue.pop()):
                for target in self._targets(one.name) if not one.function else ():
                    if target not in seen and below(target, top) and not is_about(target):
                        seen.add(target)
                        queue.append(target)
        return (len(seen) - 1) * 100 <= size * _FEW

    def _targets(self, name: str) -> Iterator[str]:
        """Yield the modules that an import of a name runs: first the packages."""
        parts = name.split(".")
        names = (".".join(parts[: end + 1]) for end in range(len(parts)))
        return (name for name in names if name in self.modules.paths)

    def importers(self, module: str) -> Iterator[tuple[str, Import]]:
        """Yield the modules that import a module and are not in it, each with the import."""
        parts = module.split(".")
        computed = ".".join((*parts[:-1], ANY))
        # The strings of an `__init__.py` may name the modules in it, as in `__all__`.
        parents = [parent for end in range(1, len(parts)) if (parent := ".".join(parts[:end])) in self.modules.packages]
        for importer in dict.fromkeys((*self._candidates.get(module, ()), *parents, *self._dynamic)):
            if below(importer, module):
                continue
            if importer not in self._conditional and any(
                one.plain and below(one.name, module) for one in self._found[importer]
            ):
                yield importer, Import(name=module, certain=True)
                continue
            for one in self._imports(importer):
                if not (below(one.name, module) or one.name == computed):
                    continue
                # Of modules that the code chooses by name, those for other systems are not imported.
                named = one.string or one.name == computed
                yield importer, replace(one, systems=one.systems & systems_of_name(parts[-1])) if named else one

    def _imports(self, module: str) -> tuple[Import, ...]:
        if module not in self._parsed:
            path = self.modules.paths[module]
            found = self._statements(module, path)
            stub = path + "i"
            # lazy_loader's `attach_stub` takes the names from the stub file.
            if stub in self.sources and _STUBS.search(self.sources[path]):
                lazy = self._statements(module, stub)
                found += tuple(Import(name=one.name, certain=False, function=True, systems=one.systems) for one in lazy)
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
