"""Evaluate modules, functions and classes of a package.

Each evaluation begins where a program may begin: with a module or with a function.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager, suppress
from dataclasses import replace

from nixpy.needs.sources import facts
from nixpy.needs.sources.calling import CALLS
from nixpy.needs.sources.machine import Key, OutOfStepsError, Raised, bases_of
from nixpy.needs.sources.package import Package
from nixpy.needs.sources.reach import Reach, absolute
from nixpy.needs.sources.statements import End, Statements
from nixpy.needs.sources.values import (
    UNKNOWN,
    Class,
    External,
    Frame,
    Function,
    Instance,
    Later,
    Module,
    Value,
    choice,
)

ROOT_STEPS = 15_000
"""Steps of one module or function."""

# The state of one beginning. A module that is evaluated when code comes to it has its own.
_CONTEXT = (
    *("frames", "handlers", "loops", "root", "at_import", "uncertain", "depth", "steps"),
    *("doubts", "unknown_imports", "sure", "exits"),
)
_CTYPES = ("CDLL", "PyDLL", "LibraryLoader", "cdll", "pydll", "sizeof", "c_void_p", "c_size_t")


class Evaluation(Statements):
    """One evaluation of a package."""

    def __init__(
        self,
        package: Package,
        reach: Reach,
        system: str,
        members: Collection[str],
        failing: Callable[[Key, str], bool],
    ) -> None:
        super().__init__(system=system, members=members, failing=failing)
        self.package = package
        self.reach = reach
        self.imported: set[str] = set()  # modules that other modules have imported
        self.modules: dict[str, Module] = {}
        self.broken: dict[str, Raised] = {}
        self.functions: list[Function] = []  # those that may open a library, as they are defined
        self.ran: set[int] = set()
        self.objects: dict[int, Instance] = {}
        self.depth = 0
        self._extensions = {member.partition(".")[0] for member in members if member.endswith((".so", ".pyd"))}

    def evaluate_all(self, only: Collection[str] | None = None) -> None:
        """Evaluate the modules that matter, then the functions that nothing has called.

        `only` are the roots to evaluate, None for all.
        """
        try:
            chosen = None if only is None else {root.partition(":")[0] for root in only}
            for name in self.reach.modules:
                if chosen is None or name in chosen:
                    self._import_safely(name)
            for function in self.functions:  # grows
                root = f"{function.module.name}:{function.node.lineno}:{function.node.col_offset}"
                if id(function.node) not in self.ran and (only is None or root in only):
                    self._run_alone(function, root)
        except OutOfStepsError:
            return

    def _import_safely(self, name: str) -> None:
        module = self.module(name)
        if module is not None:
            with suppress(Raised):
                self.begin(module)

    @contextmanager
    def _root(self, root: str, *, at_import: bool) -> Iterator[None]:
        """Evaluate from a new beginning.

        No exception leaves it, and no handler is around it.
        """
        saved = {name: getattr(self, name) for name in _CONTEXT}
        given = self.steps = min(ROOT_STEPS, self.left)
        self.frames, self.handlers, self.loops = [], [], []
        self.root, self.at_import, self.uncertain, self.depth = root, at_import, 0, 0
        try:
            yield
        except Raised as raised:
            self.give_up(raised)
        except OutOfStepsError:
            if self.left <= 0:
                raise
        except Exception:  # noqa: BLE001, S110  (odd code ends its own evaluation only)
            pass
        finally:
            self.left -= given - self.steps
            for name, value in saved.items():
                setattr(self, name, value)

    def _run_alone(self, function: Function, root: str) -> None:
        with self._root(root, at_import=False):
            self.frames = [Frame(module=function.module, names={})]
            if function.owner is None or function.kind == "staticmethod":
                self.run(function, (), {})
            elif function.kind == "classmethod":
                self.run(function, (function.owner,), {})
            else:
                self.run(function, (self._object(function.owner),), {})

    def _object(self, owner: Class) -> Instance:
        """Return an object of a class, made without arguments that are known."""
        if id(owner) not in self.objects:
            self.objects[id(owner)] = Instance(owner)
            initialiser = owner.find("__init__")
            if isinstance(initialiser, Function):
                try:
                    self.run(initialiser, (self.objects[id(owner)],), {})
                except Raised as raised:
                    self.give_up(raised)
        return self.objects[id(owner)]

    # --- modules ------------------------------------------------------------------------------------------------------

    def module(self, name: str) -> Module | None:
        """Return a module of the package, None if it has no such module.

        The evaluation of the module begins when a name of it is used.
        """
        if name not in self.modules:
            tree = self.package.tree(name)
            if tree is None:
                return None
            path, is_package = self.package.path(name), self.package.is_package(name)
            self.modules[name] = Module(name=name, path=path, tree=tree, is_package=is_package)
        return self.modules[name]

    def begin(self, module: Module) -> None:
        """Evaluate a module, once.

        Raises Raised if the module ends with an exception.
        """
        if not module.began:
            module.began = True
            frame = Frame(module=module, names=module.names)
            with self._root(module.name, at_import=True):
                self.frames = [frame]
                try:
                    self.block(module.tree.body, frame)
                except Raised as raised:
                    self.broken[module.name] = raised
                    raise
        if module.name in self.broken:
            raise Raised(*self.broken[module.name].names, place=self.broken[module.name].place)

    def module_attribute(self, module: Module, name: str) -> Value:
        """Return a variable or a submodule of a module of the package."""
        if f"{module.name}.{name}" in self.imported:
            return self.module(f"{module.name}.{name}") or UNKNOWN
        if module.is_package and name not in module.names and (full := self.package.find(f"{module.name}.{name}")):
            return self.module(full) or UNKNOWN
        if name.startswith("__") and name not in module.names:
            return self.global_name(name, module)
        with suppress(Raised):
            self.begin(module)
        return self.now(module.names, name) if name in module.names else UNKNOWN

    def _imported(self, name: str) -> Value:
        """Return a module by its dotted name.

        Raises Raised for one that Python lacks on the system, and for one that may open a library and then fails.
        """
        full = self.package.find(name)
        if full is not None:
            module = self.module(full)
            self.imported.add(full)
            if module is not None and full in self.reach.modules:
                self.begin(module)
            return module or UNKNOWN
        answer = facts.importable(name)
        if answer is False:
            raise Raised(*bases_of("ModuleNotFoundError"))
        if answer is None and not self._is_member(name):
            self.unknown_imports += 1
        return External(name)

    def outside(self, name: str) -> Value:
        """Return an attribute of a module outside the package.

        It may be a module in a folder without `__init__.py`.
        """
        full = self.package.find(name)
        return (self.module(full) or UNKNOWN) if full else super().outside(name)

    def _is_member(self, name: str) -> bool:
        """Return whether an extension module of the wheel has the dotted name."""
        return name.replace(".", "/") in self._extensions

    def _run_import(self, node: ast.Import, frame: Frame) -> End:
        for alias in node.names:
            value = self._imported(alias.name)
            if alias.asname or "." not in alias.name:
                self._bind(alias.asname or alias.name, value, frame)
            else:
                first = alias.name.partition(".")[0]
                full = self.package.find(first)
                self._bind(first, (self.module(full) if full else None) or External(first), frame)
        return None

    def _bind(self, name: str, value: Value, frame: Frame) -> None:
        (frame.module.names if name in frame.declared_global else frame.names)[name] = value

    def _run_importfrom(self, node: ast.ImportFrom, frame: Frame) -> End:
        name = absolute(node, frame.module.name, is_package=frame.module.is_package)
        source = self._imported(name)
        for alias in node.names:
            if alias.name == "*":
                self._import_all(source, frame)
            else:
                self._bind(alias.asname or alias.name, self._from(source, name, alias.name), frame)
        return None

    def _from(self, source: Value, name: str, attribute: str) -> Value:
        if not isinstance(source, Module):
            return self.attribute(source, attribute) if isinstance(source, External) else UNKNOWN
        if self.package.find(f"{source.name}.{attribute}") and attribute not in source.names:
            return self._imported(f"{source.name}.{attribute}")
        if self._is_member(f"{name}.{attribute}"):
            return UNKNOWN
        return Later(source, attribute)

    def _import_all(self, source: Value, frame: Frame) -> None:
        if isinstance(source, Module):
            with suppress(Raised):
                self.begin(source)
            exported = source.names.get("__all__")
            chosen = exported if isinstance(exported, list | tuple) else source.names.keys()
            for name in list(chosen):
                if isinstance(name, str) and name in source.names and (chosen is exported or not name.startswith("_")):
                    self._bind(name, source.names[name], frame)
        elif source == External("ctypes"):
            for name in _CTYPES:
                self._bind(name, External(f"ctypes.{name}"), frame)
        elif source == External("ctypes.util"):
            self._bind("find_library", External("ctypes.util.find_library"), frame)

    # --- functions and classes ----------------------------------------------------------------------------------------

    def _run_functiondef(self, node: ast.FunctionDef | ast.AsyncFunctionDef, frame: Frame) -> End:
        self._bind(node.name, self._function(node, frame, kind=function_kind(node)), frame)
        return None

    _run_asyncfunctiondef = _run_functiondef

    def define(self, node: ast.Lambda, frame: Frame) -> Function:
        """Return the function of a lambda expression."""
        return self._function(node, frame, kind="")

    def _function(
        self, node: ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda, frame: Frame, *, kind: str
    ) -> Function:
        arguments = node.args
        positional = [*arguments.posonlyargs, *arguments.args]
        defaults = {
            arg.arg: self.evaluate(default, frame)
            for arg, default in zip(reversed(positional), reversed(arguments.defaults), strict=False)
        }
        for arg, default in zip(arguments.kwonlyargs, arguments.kw_defaults, strict=True):
            if default is not None:
                defaults[arg.arg] = self.evaluate(default, frame)
        owner = frame.names.get("__class__")
        is_method = isinstance(owner, Class) and owner.names is frame.names
        function = Function(
            node=node,
            module=frame.module,
            closure=frame.parent if is_method else frame if frame.names is not frame.module.names else None,
            defaults=defaults,
            kind=kind,
            owner=owner if is_method else None,
        )
        if id(node) in self.reach.functions:
            self.functions.append(function)
        return function

    def _run_classdef(self, node: ast.ClassDef, frame: Frame) -> End:
        bases = tuple(self.evaluate(base, frame) for base in node.bases)
        names: dict[str, Value] = {}
        owner = Class(node.name, bases, names)
        names["__class__"] = owner
        is_class = isinstance(frame.names.get("__class__"), Class)
        inner = Frame(module=frame.module, names=names, parent=frame.parent if is_class else frame, line=node.lineno)
        if frame.names is frame.module.names:
            inner = replace(inner, parent=None)
        self.frames.append(inner)
        try:
            self.block(node.body, inner)
        finally:
            self.frames.pop()
        self._bind(node.name, owner, frame)
        return None

    def run(self, function: Function, args: tuple[Value, ...], kwargs: dict[str, Value]) -> Value:
        """Evaluate a function of the package with arguments.

        Arguments that are missing have their defaults, or are not known.
        """
        if self.depth >= CALLS or sum(function.node is node for node in self._running()) > 2:
            return UNKNOWN
        self.ran.add(id(function.node))
        frame = Frame(module=function.module, names=_arguments(function, args, kwargs), parent=function.closure)
        frame.names["\0node"] = function.node
        frame.given = (*args, *kwargs.values())
        if function.owner:
            frame.names["__class__"] = function.owner
        frame.line = function.node.lineno
        self.frames.append(frame)
        self.depth += 1
        uncertain, loops, self.loops = self.uncertain, self.loops, []
        try:
            if isinstance(function.node, ast.Lambda):
                return self.evaluate(function.node.body, frame)
            end = self.block(function.node.body, frame)
        except Raised:
            if not frame.returns:
                raise
            end = "return"  # it may have returned before
        finally:
            self.depth -= 1
            self.frames.pop()
            self.uncertain, self.loops = uncertain, loops
        if frame.yields:
            return frame.yields
        return choice([*frame.returns, *([] if end == "return" else [None])])

    def _running(self) -> list[Value]:
        return [frame.names.get("\0node") for frame in self.frames]


def _arguments(function: Function, args: tuple[Value, ...], kwargs: dict[str, Value]) -> dict[str, Value]:
    arguments = function.node.args
    positional = [arg.arg for arg in (*arguments.posonlyargs, *arguments.args)]
    names: dict[str, Value] = dict.fromkeys((*positional, *(arg.arg for arg in arguments.kwonlyargs)), UNKNOWN)
    names |= function.defaults
    names |= dict(zip(positional, args, strict=False))
    names |= {name: value for name, value in kwargs.items() if name in names}
    if arguments.vararg:
        names[arguments.vararg.arg] = args[len(positional) :]
    if arguments.kwarg:
        names[arguments.kwarg.arg] = {name: value for name, value in kwargs.items() if name not in names}
    return names


def function_kind(node: ast.FunctionDef | ast.AsyncFunctionDef) -> str:
    """Return the decorator that changes how a method is called."""
    for decorator in node.decorator_list:
        name = decorator.attr if isinstance(decorator, ast.Attribute) else getattr(decorator, "id", "")
        if name in {"classmethod", "staticmethod"}:
            return name
        if name in {"property", "cached_property"}:
            return "property"
    return ""
