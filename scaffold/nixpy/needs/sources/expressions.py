"""Evaluate expressions of Python sources as far as their values are certain."""

from __future__ import annotations

import ast
import builtins
from collections.abc import Iterator
from pathlib import PurePosixPath

from nixpy.needs.sources import facts
from nixpy.needs.sources.machine import Machine, Raised, bases_of
from nixpy.needs.sources.names import OWN
from nixpy.needs.sources.values import (
    CONCRETE,
    LOADED,
    MISSING,
    UNKNOWN,
    Bound,
    Choice,
    Class,
    External,
    Found,
    Frame,
    Function,
    Instance,
    Later,
    Method,
    Missing,
    Module,
    Value,
    choice,
    options,
    truth,
)

ITEMS = 500
"""Items of one loop that are evaluated. Lists of libraries have fewer than a hundred."""


class Expressions(Machine):
    """Evaluate expressions. The subclasses evaluate calls, statements and modules."""

    def call(self, function: Value, args: tuple[Value, ...], kwargs: dict[str, Value]) -> Value:
        """Call a function."""
        raise NotImplementedError

    def unknown_call(self, node: ast.Call, args: tuple[Value, ...]) -> Value:
        """Call a function that is not known."""
        raise NotImplementedError

    def module_attribute(self, module: Module, name: str) -> Value:
        """Return a variable or a submodule of a module of the package."""
        raise NotImplementedError

    def outside(self, name: str) -> Value:
        """Return an attribute of a module outside the package by its dotted name."""
        return facts.constant(name, self.system)

    def assign(self, target: ast.expr, value: Value, frame: Frame) -> None:
        """Assign a value to a variable, an attribute or several."""
        raise NotImplementedError

    def define(self, node: ast.Lambda, frame: Frame) -> Function:
        """Return the function of a lambda expression."""
        raise NotImplementedError

    def evaluate(self, node: ast.expr, frame: Frame) -> Value:
        """Return the value of an expression.

        Raises Raised, as the code does.
        """
        self.step()
        method = getattr(self, f"_{type(node).__name__.lower()}", None)
        if method is not None:
            return method(node, frame)
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.expr):
                self.evaluate(child, frame)
        return UNKNOWN

    # --- literals and variables ---------------------------------------------------------------------------------------

    def _constant(self, node: ast.Constant, _: Frame) -> Value:
        return node.value if isinstance(node.value, CONCRETE) else UNKNOWN

    def _name(self, node: ast.Name, frame: Frame) -> Value:
        scope: Frame | None = frame
        while scope is not None and node.id not in frame.declared_global:
            if node.id in scope.names:
                return self.now(scope.names, node.id)
            scope = scope.parent
        if node.id in frame.module.names:
            return self.now(frame.module.names, node.id)
        return self.global_name(node.id, frame.module)

    def now(self, names: dict[str, Value], name: str) -> Value:
        """Return the value of a variable, which evaluates its module if it is imported from one."""
        value = names[name]
        if isinstance(value, Later):
            value = self.module_attribute(value.module, value.name)
            names[name] = value
        return value

    def global_name(self, name: str, module: Module) -> Value:
        """Return a name that no statement of the module has assigned."""
        package = module.name if module.is_package else module.name.rpartition(".")[0]
        if name == "__file__":
            return f"{OWN}/{module.path}"
        if name in {"__name__", "__package__"}:
            return module.name if name == "__name__" else package
        if name == "__path__":
            return [f"{OWN}/{module.path.rpartition('/')[0]}"]
        return facts.constant(f"builtins.{name}", self.system) if hasattr(builtins, name) else UNKNOWN

    def _joinedstr(self, node: ast.JoinedStr, frame: Frame) -> Value:
        value: Value = ""
        for part in node.values:
            value = facts.operate("Add", value, self.evaluate(part, frame))
        return value

    def _formattedvalue(self, node: ast.FormattedValue, frame: Frame) -> Value:
        value = self.evaluate(node.value, frame)
        if node.format_spec is not None or node.conversion not in {-1, 115}:
            return UNKNOWN
        return facts.lift(str, value)

    def _sequence(self, elements: list[ast.expr], frame: Frame) -> list[Value]:
        values: list[Value] = []
        for element in elements:
            if isinstance(element, ast.Starred):
                values += [item for item, _ in self.items(self.evaluate(element.value, frame))]
            else:
                values.append(self.evaluate(element, frame))
        return values

    def _tuple(self, node: ast.Tuple, frame: Frame) -> Value:
        return tuple(self._sequence(node.elts, frame))

    def _list(self, node: ast.List, frame: Frame) -> Value:
        return self._sequence(node.elts, frame)

    _set = _list  # in its order, so that each evaluation has the same

    def _dict(self, node: ast.Dict, frame: Frame) -> Value:
        found: dict[Value, Value] = {}
        for key_node, value_node in zip(node.keys, node.values, strict=True):
            value = self.evaluate(value_node, frame)
            if key_node is None:
                found |= value if isinstance(value, dict) else {UNKNOWN: UNKNOWN}
            else:
                found[self.hashable(self.evaluate(key_node, frame))] = value
        return found

    def hashable(self, key: Value) -> Value:
        """Return a key of a dict, UNKNOWN for one that is not known."""
        if isinstance(key, tuple):
            return key if all(isinstance(item, str | int | float | None) for item in key) else UNKNOWN
        return key if isinstance(key, str | int | float | bytes | External | None) else UNKNOWN

    def _lambda(self, node: ast.Lambda, frame: Frame) -> Value:
        return self.define(node, frame)

    def _namedexpr(self, node: ast.NamedExpr, frame: Frame) -> Value:
        value = self.evaluate(node.value, frame)
        self.assign(node.target, value, frame)
        return value

    def _await(self, node: ast.Await, frame: Frame) -> Value:
        return self.evaluate(node.value, frame)

    def _yield(self, node: ast.Yield, frame: Frame) -> Value:
        frame.yields.append(self.evaluate(node.value, frame) if node.value else None)
        return UNKNOWN

    def _yieldfrom(self, node: ast.YieldFrom, frame: Frame) -> Value:
        frame.yields += [item for item, _ in self.items(self.evaluate(node.value, frame))]
        return UNKNOWN

    # --- attributes and items -----------------------------------------------------------------------------------------

    def _attribute(self, node: ast.Attribute, frame: Frame) -> Value:
        receiver = self.evaluate(node.value, frame)
        frame.at(node)
        return self.attribute(receiver, node.attr)

    def attribute(self, receiver: Value, name: str) -> Value:
        """Return an attribute of a value."""
        if isinstance(receiver, Choice):
            return choice(self.attribute(option, name) for option in receiver.options if option not in (None, MISSING))
        if isinstance(receiver, Module):
            return self.module_attribute(receiver, name)
        if isinstance(receiver, External):
            if receiver.name in {"ctypes.cdll", "ctypes.pydll"} and name != "LoadLibrary":
                return External("ctypes.CDLL") if name == "_dlltype" else self.open(name)
            self.used_machine |= facts.uses_machine(f"{receiver.name}.{name}")
            return self.outside(f"{receiver.name}.{name}")
        if isinstance(receiver, Instance):
            if name in receiver.names:
                return receiver.names[name]
            return self._of_class(receiver.owner, receiver, name) if receiver.owner else UNKNOWN
        if isinstance(receiver, Class):
            return receiver.name if name == "__name__" else self._of_class(receiver, receiver, name)
        if isinstance(receiver, Missing):
            raise Raised(*bases_of("AttributeError"))
        if isinstance(receiver, PurePosixPath) and name in {"parent", "name", "stem", "suffix"}:
            return getattr(receiver, name)
        if isinstance(receiver, PurePosixPath) and name == "parents":
            return tuple(receiver.parents)
        return Method(receiver, name) if isinstance(receiver, CONCRETE) and receiver is not None else UNKNOWN

    def _of_class(self, owner: Class, receiver: Value, name: str) -> Value:
        found = owner.find(name)
        if not isinstance(found, Function) or found.kind == "staticmethod":
            return found
        if found.kind == "classmethod":
            return Bound(found, owner)
        if receiver is owner:
            return found
        return self.call(Bound(found, receiver), (), {}) if found.kind == "property" else Bound(found, receiver)

    def _subscript(self, node: ast.Subscript, frame: Frame) -> Value:
        receiver = self.evaluate(node.value, frame)
        if isinstance(node.slice, ast.Slice):
            bounds = [
                self.evaluate(bound, frame) if bound else None
                for bound in (node.slice.lower, node.slice.upper, node.slice.step)
            ]
            receiver = receiver.items if isinstance(receiver, Instance) and receiver.items else receiver
            if all(isinstance(bound, int | None) for bound in bounds) and isinstance(receiver, str | tuple | list):
                return receiver[slice(*bounds)]
            return UNKNOWN
        frame.at(node)
        key = self.evaluate(node.slice, frame)
        return choice(self.item(one, two) for one in options(receiver) for two in options(key))

    def item(self, receiver: Value, key: Value) -> Value:
        """Return an item of a list, a tuple or a dict."""
        if isinstance(receiver, External):
            if receiver.name in {"ctypes.cdll", "ctypes.pydll"}:
                return self.open(key)
            if receiver.name == "os.environ" and facts.call("os.getenv", (key,), {}, self.system) is None:
                raise Raised(*bases_of("KeyError"))
            return UNKNOWN
        if isinstance(receiver, Instance):
            receiver = receiver.items
        if isinstance(receiver, dict):
            if self.hashable(key) is UNKNOWN:
                return UNKNOWN
            if key not in receiver and UNKNOWN not in receiver:
                raise Raised(*bases_of("KeyError"))
            return receiver.get(key, UNKNOWN)
        known = (
            isinstance(receiver, str | tuple | list) and isinstance(key, int) and -len(receiver) <= key < len(receiver)
        )
        return receiver[key] if known else UNKNOWN

    def items(self, value: Value) -> Iterator[tuple[Value, bool]]:
        """Yield the items of a value, and whether each is one for sure; nothing for a value that is not known."""
        if isinstance(value, Iterator):
            yield from value
            return
        for option in options(value):
            found = option.items if isinstance(option, Instance) else option
            if isinstance(found, list | tuple | dict | set | frozenset | str):
                for item in list(found)[:ITEMS]:
                    yield item, not isinstance(value, Choice)

    def is_iterable(self, value: Value) -> bool:
        """Return whether the items of a value are known."""
        return any(
            isinstance(option, list | tuple | dict | set | frozenset | str | Iterator)
            or (isinstance(option, Instance) and bool(option.items))
            for option in options(value)
        )

    # --- operators ----------------------------------------------------------------------------------------------------

    def _boolop(self, node: ast.BoolOp, frame: Frame) -> Value:
        ends = isinstance(node.op, ast.Or)
        found: list[Value] = []
        doubts = 0
        try:
            for part in node.values:
                value = self.evaluate(part, frame)
                answer = truth(value)
                if part is node.values[-1] or answer is ends:
                    found.append(value)
                    break
                if answer is None:
                    found += [option for option in options(value) if truth(option) is not (not ends)]
                    doubts += 1
                    self.uncertain += 1
        finally:
            self.uncertain -= doubts
        return choice(found)

    def _unaryop(self, node: ast.UnaryOp, frame: Frame) -> Value:
        value = self.evaluate(node.operand, frame)
        if isinstance(node.op, ast.Not):
            answer = truth(value)
            return UNKNOWN if answer is None else not answer
        if isinstance(node.op, ast.USub):
            return facts.operate("Sub", 0, value)
        return UNKNOWN

    def _binop(self, node: ast.BinOp, frame: Frame) -> Value:
        left, right = self.evaluate(node.left, frame), self.evaluate(node.right, frame)
        return self.operate(type(node.op).__name__, left, right)

    def operate(self, name: str, left: Value, right: Value) -> Value:
        """Return the result of a binary operator, by the name of its class in `ast`."""
        if isinstance(left, Missing) or (isinstance(right, Missing) and name in {"Add", "Div"}):
            raise Raised(*bases_of("TypeError"))
        if name == "Mod" and isinstance(left, str) and isinstance(right, tuple):
            return choice(facts.operate(name, left, one) for one in _combinations(right))
        return facts.operate(name, left, right)

    def _compare(self, node: ast.Compare, frame: Frame) -> Value:
        left = self.evaluate(node.left, frame)
        answers: list[bool | None] = []
        for op, part in zip(node.ops, node.comparators, strict=True):
            right = self.evaluate(part, frame)
            answers.append(
                truth(choice(self._compared(op, one, two) for one in options(left) for two in options(right)))
            )
            left = right
        if False in answers:
            return False
        return UNKNOWN if None in answers else True

    def _compared(self, op: ast.cmpop, left: Value, right: Value) -> Value:
        if isinstance(op, ast.In | ast.NotIn):
            answer = self._contains(right, left)
            return UNKNOWN if answer is None else answer is isinstance(op, ast.In)
        if isinstance(op, ast.Is | ast.IsNot | ast.Eq | ast.NotEq) and (left is None or right is None):
            other = right if left is None else left
            if other is UNKNOWN:
                return UNKNOWN
            return (other is None or other is MISSING) is isinstance(op, ast.Is | ast.Eq)
        if isinstance(op, ast.Is | ast.IsNot):
            if any(value is UNKNOWN for value in (left, right)):
                return UNKNOWN
            return (left is right) is isinstance(op, ast.Is)
        if isinstance(left, Found) and isinstance(right, Found):
            return (left.key == right.key) is isinstance(op, ast.Eq)
        if any(value is LOADED or isinstance(value, Found | Missing) for value in (left, right)):
            return UNKNOWN
        return facts.operate(type(op).__name__, left, right)

    def _contains(self, container: Value, item: Value) -> bool | None:
        if isinstance(container, External) and container.name == "os.environ":
            return False if facts.call("os.getenv", (item,), {}, self.system) is None else None
        if isinstance(container, str):
            return item in container if isinstance(item, str) else None
        if not isinstance(container, list | tuple | dict | set | frozenset) or self.hashable(item) is UNKNOWN:
            return None
        if item in container:
            return True
        return None if any(not isinstance(other, CONCRETE) for other in container) else False

    def _ifexp(self, node: ast.IfExp, frame: Frame) -> Value:
        answer = truth(self.evaluate(node.test, frame))
        if answer is not None:
            return self.evaluate(node.body if answer else node.orelse, frame)
        with self.doubtful():
            return choice([self._try_evaluate(node.body, frame), self._try_evaluate(node.orelse, frame)])

    def _try_evaluate(self, node: ast.expr, frame: Frame) -> Value:
        try:
            return self.evaluate(node, frame)
        except Raised as raised:
            self.give_up(raised)
            return UNKNOWN

    # --- comprehensions -----------------------------------------------------------------------------------------------

    def _listcomp(self, node: ast.ListComp | ast.SetComp, frame: Frame) -> Value:
        return [value for value, _ in self._produced(node.elt, node.generators, self._inner(frame))]

    _setcomp = _listcomp

    def _generatorexp(self, node: ast.GeneratorExp, frame: Frame) -> Value:
        return self._produced(node.elt, node.generators, self._inner(frame))

    def _dictcomp(self, node: ast.DictComp, frame: Frame) -> Value:
        pair = ast.Tuple(elts=[node.key, node.value], ctx=ast.Load())
        pairs = self._produced(pair, node.generators, self._inner(frame))
        return {self.hashable(key): value for (key, value), _ in pairs}

    def _inner(self, frame: Frame) -> Frame:
        return Frame(module=frame.module, names={}, parent=frame, line=frame.line)

    def _produced(
        self, element: ast.expr, generators: list[ast.comprehension], frame: Frame, *, sure: bool = True
    ) -> Iterator[tuple[Value, bool]]:
        """Yield the values of a comprehension, and whether each is one for sure."""
        if not generators:
            yield self.evaluate(element, frame), sure
            return
        first, *rest = generators
        iterable = self.evaluate(first.iter, frame)
        found = self.items(iterable) if self.is_iterable(iterable) else iter([(UNKNOWN, False)])
        for item, certain in found:
            self.assign(first.target, item, frame)
            answers = [truth(self.evaluate(test, frame)) for test in first.ifs]
            if False not in answers:
                yield from self._produced(element, rest, frame, sure=sure and certain and None not in answers)


def _combinations(parts: tuple[Value, ...]) -> list[tuple[Value, ...]]:
    found: list[tuple[Value, ...]] = [()]
    for part in parts:
        found = [(*before, option) for before in found for option in options(part)][:64]
    return found
