"""Evaluate the statements of Python sources; where a condition is not known, all branches are evaluated."""

from __future__ import annotations

import ast
from collections.abc import Callable, Collection, Sequence
from typing import Literal

from nixpy.needs.sources.calling import Calling
from nixpy.needs.sources.machine import Raised, bases_of, catches
from nixpy.needs.sources.values import (
    UNKNOWN,
    Choice,
    Class,
    External,
    Frame,
    Instance,
    Unknown,
    Value,
    choice,
    is_known,
    options,
    truth,
)

ROUNDS = 60
"""Times that the body of a `while` is evaluated."""

End = Literal["break", "continue", "return"] | None
"""How a block ends. The value of `return` is the last one of `Frame.returns`."""

_TYPES = frozenset({"argtypes", "errcheck", "restype"})
"""Attributes of functions of libraries: half of the statements of modules that declare them."""


class Statements(Calling):
    """Evaluate statements."""

    def block(self, body: Sequence[ast.stmt], frame: Frame) -> End:
        """Evaluate statements until one of them ends the block."""
        for statement in body:
            self.step()
            frame.line = statement.lineno
            method = getattr(self, f"_run_{type(statement).__name__.lower()}", None)
            if method is not None:
                end: End = method(statement, frame)
                if end:
                    return end
        return None

    # --- branches -----------------------------------------------------------------------------------------------------

    def either(self, frame: Frame, branches: Sequence[Callable[[], End]]) -> End:
        """Evaluate all branches, each from the same variables, and join the variables after them."""
        before = dict(frame.names)
        ends: list[tuple[End, dict[str, Value]]] = []
        raised: Raised | None = None
        with self.doubtful():
            for branch in branches:
                _restore(frame, before)
                try:
                    ends.append((branch(), dict(frame.names)))
                except Raised as error:
                    raised = error
                    self.give_up(error)
        if not ends and raised:
            raise raised
        return self._join(frame, ends)

    def _join(self, frame: Frame, ends: list[tuple[End, dict[str, Value]]]) -> End:
        """Set the variables to those of the branches that go on, and return how the block ends."""
        normal = [names for end, names in ends if end is None]
        for end, names in ends:
            if end == "break" and frame.breaks:
                frame.breaks[-1].append(names)
        if normal:
            _restore(frame, _joined(normal))
            self.uncertain += len(normal) < len(ends)  # until the function or the loop ends
            self.exits += any(end in {"break", "return"} for end, _ in ends)
            return None
        last = next((end for end in ("continue", "break", "return") if any(end == one for one, _ in ends)), None)
        _restore(frame, _joined([names for end, names in ends if end == last]))
        return last  # type: ignore[return-value]  # one of the three

    def _run_if(self, node: ast.If, frame: Frame) -> End:
        answer = truth(self.evaluate(node.test, frame))
        if answer is not None:
            return self.block(node.body if answer else node.orelse, frame)
        return self.either(frame, [lambda: self.block(node.body, frame), lambda: self.block(node.orelse, frame)])

    def _run_match(self, node: ast.Match, frame: Frame) -> End:
        subject = self.evaluate(node.subject, frame)
        branches: list[Callable[[], End]] = []
        for case in node.cases:
            answer = self._matches(case.pattern, subject, frame)
            if answer is True and case.guard is not None:
                answer = truth(self.evaluate(case.guard, frame))
            if answer is not False:
                branches.append(lambda case=case: self.block(case.body, frame))  # type: ignore[misc]
            if answer is True:
                break
        else:
            branches.append(lambda: None)
        return branches[0]() if len(branches) == 1 else self.either(frame, branches)

    def _matches(self, pattern: ast.pattern, subject: Value, frame: Frame) -> bool | None:
        if isinstance(pattern, ast.MatchValue):
            value = self.evaluate(pattern.value, frame)
            return subject == value if is_known(subject) and is_known(value) else None
        if isinstance(pattern, ast.MatchSingleton):
            return subject is pattern.value if is_known(subject) else None
        if isinstance(pattern, ast.MatchOr):
            answers = [self._matches(one, subject, frame) for one in pattern.patterns]
            return True if True in answers else None if None in answers else False
        if isinstance(pattern, ast.MatchSequence) and isinstance(subject, tuple | list):
            if len(pattern.patterns) != len(subject):
                return None if any(isinstance(one, ast.MatchStar) for one in pattern.patterns) else False
            answers = [self._matches(one, item, frame) for one, item in zip(pattern.patterns, subject, strict=True)]
            return False if False in answers else None if None in answers else True
        if isinstance(pattern, ast.MatchAs):
            if pattern.name:
                frame.names[pattern.name] = subject
            return self._matches(pattern.pattern, subject, frame) if pattern.pattern else True
        return None

    # --- loops --------------------------------------------------------------------------------------------------------

    def _run_for(self, node: ast.For | ast.AsyncFor, frame: Frame) -> End:
        iterable = self.evaluate(node.iter, frame)
        if not self.is_iterable(iterable):
            self.assign(node.target, UNKNOWN, frame)
            return self._loop_once(node, frame)
        frame.breaks.append([])
        self.loops.append((len(self.attempts), self.uncertain, self.exits))
        try:
            for item, _ in self.items(iterable):
                self.step()
                self.assign(node.target, item, frame)
                end = self.block(node.body, frame)
                if end == "return":
                    return end
                if end == "break":
                    return self._after(frame, None)
            return self._after(frame, node.orelse)
        finally:
            frame.breaks.pop()
            self.uncertain = self.loops.pop()[1]

    _run_asyncfor = _run_for

    def _run_while(self, node: ast.While, frame: Frame) -> End:
        frame.breaks.append([])
        try:
            for _ in range(ROUNDS):
                self.step()
                answer = truth(self.evaluate(node.test, frame))
                if answer is None:
                    return self._loop_once(node, frame)
                if answer is False:
                    return self._after(frame, node.orelse)
                end = self.block(node.body, frame)
                if end == "return":
                    return end
                if end == "break":
                    break
            return self._after(frame, None)
        finally:
            frame.breaks.pop()

    def _after(self, frame: Frame, orelse: list[ast.stmt] | None) -> End:
        """Evaluate what follows a loop: its `else`, which a `break` leaves out."""
        breaks = frame.breaks[-1]
        if orelse and not breaks:
            return self.block(orelse, frame)
        end = self.either(frame, [lambda: self.block(orelse, frame)]) if orelse and self._survives(orelse) else None
        if breaks:
            _restore(frame, _joined([*breaks, dict(frame.names)]))
        return None if breaks else end

    def _survives(self, orelse: list[ast.stmt]) -> bool:
        """Return whether the `else` of a loop that may have ended before does not end in an exception."""
        return not isinstance(orelse[-1], ast.Raise)

    def _loop_once(self, node: ast.For | ast.AsyncFor | ast.While, frame: Frame) -> End:
        """Evaluate the body of a loop once, since it is not known how often it runs."""

        def body() -> End:
            frame.breaks.append([])
            try:
                end = self.block(node.body, frame)
                if end != "return":
                    _restore(frame, _joined([*frame.breaks[-1], dict(frame.names)]))
                    return None
                return end
            finally:
                frame.breaks.pop()

        self.either(frame, [body, lambda: None])
        return self.either(frame, [lambda: self.block(node.orelse, frame), lambda: None]) if node.orelse else None

    def _run_break(self, _: ast.Break, __: Frame) -> End:
        return "break"

    def _run_continue(self, _: ast.Continue, __: Frame) -> End:
        return "continue"

    def _run_return(self, node: ast.Return, frame: Frame) -> End:
        frame.returns.append(self.evaluate(node.value, frame) if node.value else None)
        return "return"

    # --- exceptions ---------------------------------------------------------------------------------------------------

    def _run_try(self, node: ast.Try | ast.TryStar, frame: Frame) -> End:
        caught = [self._caught(handler.type, frame) for handler in node.handlers]
        before, attempts = dict(frame.names), len(self.attempts)
        doubts, imports, sure = self.doubts, self.unknown_imports, self.sure
        everything: Collection[str] | None = (
            None if None in caught else tuple(name for names in caught for name in names or ())
        )
        raised: Raised | None = None
        end: End = None
        self.handlers.append(everything)
        try:
            end = self.block(node.body, frame)
        except Raised as error:
            raised = error
        finally:
            self.handlers.pop()
        try:
            if raised is None:
                end = end or self.block(node.orelse, frame)
                if self.unknown_imports > imports:
                    possible: Collection[str] | None = bases_of("ModuleNotFoundError")
                elif self.doubts > doubts and (len(self.attempts), self.sure) == (attempts, sure):
                    possible = None
                else:
                    return end
                return self._maybe_raised(node, caught, possible, (end, before), frame)
            for handler, names in zip(node.handlers, caught, strict=True):
                if catches(names, raised.names):
                    return self._handle(handler, raised, frame)
            raise raised
        finally:
            if node.finalbody:
                self.block(node.finalbody, frame)

    _run_trystar = _run_try

    def _maybe_raised(
        self,
        node: ast.Try | ast.TryStar,
        caught: list[Collection[str] | None],
        possible: Collection[str] | None,
        ended: tuple[End, dict[str, Value]],
        frame: Frame,
    ) -> End:
        """Evaluate the handlers of a body that may have raised an exception of a kind that is not known."""
        end, before = ended
        ends = [(end, dict(frame.names))]
        with self.doubtful():
            for handler, names in zip(node.handlers, caught, strict=True):
                if possible is not None and not catches(names, possible):
                    continue
                _restore(frame, before)
                try:
                    ends.append((self._handle(handler, Raised(*bases_of("ImportError")), frame), dict(frame.names)))
                except Raised as raised:
                    self.give_up(raised)
        return self._join(frame, ends)

    def _handle(self, handler: ast.ExceptHandler, raised: Raised, frame: Frame) -> End:
        if handler.name:
            frame.names[handler.name] = UNKNOWN
        try:
            return self.block(handler.body, frame)
        except Raised as error:
            names = error.names or raised.names  # `raise` alone has none
            raise Raised(*names, place=error.place) from None

    def _caught(self, node: ast.expr | None, frame: Frame) -> Collection[str] | None:
        """Return the names of the exceptions that an `except` catches, None for all."""
        if node is None:
            return None
        names: list[str] = []
        if isinstance(node, ast.Tuple):
            for element in node.elts:
                names += self._caught(element, frame) or ()
            return names
        value = self.evaluate(node, frame)
        for one in value if isinstance(value, tuple | list) else (value,):
            if isinstance(one, External):
                names.append(one.name.rpartition(".")[2])
            elif isinstance(one, Class):
                names.append(one.name)
            elif isinstance(one, Unknown):
                names.append(node.attr if isinstance(node, ast.Attribute) else getattr(node, "id", ""))
        return names

    def _run_raise(self, node: ast.Raise, frame: Frame) -> End:
        if node.exc is None:
            raise Raised(place=self.place())
        called = node.exc.func if isinstance(node.exc, ast.Call) else node.exc
        names = self._chain(self.evaluate(called, frame))
        frame.at(node)
        raise Raised(*names, place=self.place())

    def _chain(self, value: Value, depth: int = 0) -> tuple[str, ...]:
        if isinstance(value, External):
            return bases_of(value.name.rpartition(".")[2])
        if isinstance(value, Class) and depth < 10:
            return (value.name, *(name for base in value.bases for name in self._chain(base, depth + 1)))
        return bases_of("Exception")

    def _run_assert(self, node: ast.Assert, frame: Frame) -> End:
        if truth(self.evaluate(node.test, frame)) is False:
            raise Raised(*bases_of("AssertionError"))
        return None

    def _run_with(self, node: ast.With | ast.AsyncWith, frame: Frame) -> End:
        return self._with(node.items, node.body, frame)

    _run_asyncwith = _run_with

    def _with(self, items: list[ast.withitem], body: list[ast.stmt], frame: Frame) -> End:
        if not items:
            return self.block(body, frame)
        first, *rest = items
        context = first.context_expr
        function = self.evaluate(context.func, frame) if isinstance(context, ast.Call) else UNKNOWN
        if isinstance(context, ast.Call) and function == External("contextlib.suppress"):
            caught = self._caught(ast.Tuple(elts=context.args, ctx=ast.Load()), frame)
            self.handlers.append(caught)
            try:
                return self._with(rest, body, frame)
            except Raised as raised:
                if not catches(caught, raised.names):
                    raise
                return None
            finally:
                self.handlers.pop()
        value = self.evaluate(context, frame)
        entered = self.attribute(value, "__enter__") if isinstance(value, Instance) else UNKNOWN
        if entered is not UNKNOWN:
            value = self.call(entered, (), {})
        elif isinstance(value, list) and len(value) == 1:
            value = value[0]  # a generator function with contextlib.contextmanager
        if first.optional_vars is not None:
            self.assign(first.optional_vars, value, frame)
        return self._with(rest, body, frame)

    # --- assignments --------------------------------------------------------------------------------------------------

    def _run_expr(self, node: ast.Expr, frame: Frame) -> End:
        if not isinstance(node.value, ast.Constant):
            self.evaluate(node.value, frame)
        return None

    def _run_assign(self, node: ast.Assign, frame: Frame) -> End:
        if isinstance(node.targets[0], ast.Attribute) and node.targets[0].attr in _TYPES:
            return None
        value = self.evaluate(node.value, frame)
        for target in node.targets:
            self.assign(target, value, frame)
        return None

    def _run_annassign(self, node: ast.AnnAssign, frame: Frame) -> End:
        if node.value is not None:
            self.assign(node.target, self.evaluate(node.value, frame), frame)
        return None

    def _run_augassign(self, node: ast.AugAssign, frame: Frame) -> End:
        read = ast.copy_location(_read(node.target), node.target)
        old = self.evaluate(read, frame)
        new = self.evaluate(node.value, frame)
        if isinstance(old, list) and isinstance(node.op, ast.Add):
            self.call(self.attribute(old, "extend"), (new,), {})
            return None
        self.assign(node.target, self.operate(type(node.op).__name__, old, new), frame)
        return None

    def _run_delete(self, _: ast.Delete, __: Frame) -> End:
        return None

    def _run_global(self, node: ast.Global, frame: Frame) -> End:
        frame.declared_global.update(node.names)
        return None

    def assign(self, target: ast.expr, value: Value, frame: Frame) -> None:
        """Assign a value to a variable, an attribute, an item or several of them."""
        if isinstance(target, ast.Name):
            names = frame.module.names if target.id in frame.declared_global else frame.names
            names[target.id] = value
        elif isinstance(target, ast.Tuple | ast.List):
            self._assign_several(target.elts, value, frame)
        elif isinstance(target, ast.Starred):
            self.assign(target.value, value, frame)
        elif isinstance(target, ast.Attribute):
            for receiver in options(self.evaluate(target.value, frame)):
                if isinstance(receiver, Instance | Class) or type(receiver).__name__ == "Module":
                    receiver.names[target.attr] = value
        elif isinstance(target, ast.Subscript):
            receiver, key = self.evaluate(target.value, frame), self.evaluate(target.slice, frame)
            if isinstance(receiver, dict):
                receiver[self.hashable(key)] = value
            elif isinstance(receiver, list) and isinstance(key, int) and -len(receiver) <= key < len(receiver):
                receiver[key] = value

    def _assign_several(self, targets: list[ast.expr], value: Value, frame: Frame) -> None:
        choices = [[item for item, _ in self.items(option)] for option in options(value) if self.is_iterable(option)]
        fitting = [items for items in choices if len(items) == len(targets)]
        starred = any(isinstance(target, ast.Starred) for target in targets)
        for number, target in enumerate(targets):
            known = fitting and not starred and (len(fitting) == len(options(value)) or isinstance(value, Choice))
            self.assign(target, choice(items[number] for items in fitting) if known else UNKNOWN, frame)


def _read(target: ast.expr) -> ast.expr:
    if isinstance(target, ast.Name):
        return ast.Name(id=target.id, ctx=ast.Load())
    if isinstance(target, ast.Attribute):
        return ast.Attribute(value=target.value, attr=target.attr, ctx=ast.Load())
    if isinstance(target, ast.Subscript):
        return ast.Subscript(value=target.value, slice=target.slice, ctx=ast.Load())
    return target


def _restore(frame: Frame, names: dict[str, Value]) -> None:
    """Set the variables of a frame; functions inside it hold the dict itself."""
    copy = dict(names)
    frame.names.clear()
    frame.names.update(copy)


def _joined(several: list[dict[str, Value]]) -> dict[str, Value]:
    """Return variables with the values that they have in one or another of several branches."""
    first, *others = several
    joined = dict(first)
    for names in others:
        for name, value in names.items():
            if name not in joined:
                joined[name] = value
            elif joined[name] is not value:
                joined[name] = choice([joined[name], value])
    return joined
