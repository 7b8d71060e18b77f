"""Evaluate calls of functions and classes.

They are those of the package and of the standard library.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from fnmatch import fnmatchcase
from itertools import islice, product
from pathlib import PurePosixPath

from nixpy.needs.sources import facts
from nixpy.needs.sources.expressions import ITEMS, Expressions
from nixpy.needs.sources.machine import Raised, bases_of
from nixpy.needs.sources.names import OWN, own_path
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
    Method,
    Missing,
    Partial,
    Value,
    choice,
    options,
    truth,
)

CALLS = 24
"""Calls inside calls that are evaluated; each takes about 20 of the 1,000 that Python allows."""

_OPENING_METHODS = facts.OPENERS | {"LoadLibrary"}


class Calling(Expressions):
    """Evaluate calls."""

    def _call(self, node: ast.Call, frame: Frame) -> Value:
        function = self.evaluate(node.func, frame)
        args: list[Value] = []
        for arg in node.args:
            if isinstance(arg, ast.Starred):
                value = self.evaluate(arg.value, frame)
                args += [item for item, _ in self.items(value)] if self.is_iterable(value) else [UNKNOWN]
            else:
                args.append(self.evaluate(arg, frame))
        kwargs: dict[str, Value] = {}
        for keyword in node.keywords:
            value = self.evaluate(keyword.value, frame)
            if keyword.arg is not None:
                kwargs[keyword.arg] = value
            elif isinstance(value, dict):
                kwargs |= {key: item for key, item in value.items() if isinstance(key, str)}
        frame.at(node)
        if function is UNKNOWN:
            return self.unknown_call(node, tuple(args))
        if isinstance(function, External) and function.name == "builtins.super" and not args:
            return self._super(frame)
        return self.call(function, tuple(args), kwargs)

    def unknown_call(self, node: ast.Call, args: tuple[Value, ...]) -> Value:
        """Call a function that is not known.

        An object with the method `dlopen` is one of cffi.
        """
        name = node.func.attr if isinstance(node.func, ast.Attribute) else ""
        if name == "dlopen" and args:
            return self.open(args[0], cffi=True)
        if name in _OPENING_METHODS and args:
            return self.open(args[0])
        self.doubts += 1
        return UNKNOWN

    def call(self, function: Value, args: tuple[Value, ...], kwargs: dict[str, Value]) -> Value:
        """Call a function, a class or a method."""
        if isinstance(function, Choice):
            with self.doubtful():
                return choice([self._try_call(option, args, dict(kwargs)) for option in function.options[:8]])
        if isinstance(function, Function):
            return self.run(function, args, kwargs)
        if isinstance(function, Bound):
            return self.run(function.function, (function.receiver, *args), kwargs)
        if isinstance(function, Partial):
            return self.call(function.function, (*function.args, *args), {**function.kwargs, **kwargs})
        if isinstance(function, Class):
            return self.instantiate(function, args, kwargs)
        if isinstance(function, Instance):
            method = function.owner.find("__call__") if function.owner else UNKNOWN
            return self.run(method, (function, *args), kwargs) if isinstance(method, Function) else UNKNOWN
        if isinstance(function, Method):
            return self._method(function.receiver, function.name, args, kwargs)
        if isinstance(function, External):
            return self._external(function.name, args, kwargs)
        self.doubts += 1
        return UNKNOWN

    def _try_call(self, function: Value, args: tuple[Value, ...], kwargs: dict[str, Value]) -> Value:
        try:
            return self.call(function, args, kwargs)
        except Raised as raised:
            self.give_up(raised)
            return UNKNOWN

    def run(self, function: Function, args: tuple[Value, ...], kwargs: dict[str, Value]) -> Value:
        """Evaluate a function of the package with arguments."""
        raise NotImplementedError

    def instantiate(self, owner: Class, args: tuple[Value, ...], kwargs: dict[str, Value]) -> Value:
        """Make an object. A class derived from CDLL opens its first argument."""
        instance = Instance(owner)
        initialiser = owner.find("__init__")
        if isinstance(initialiser, Function):
            self.run(initialiser, (instance, *args), kwargs)
        elif any(facts.is_open(name) for name in owner.externals()) and (args or "name" in kwargs):
            self.open(args[0] if args else kwargs["name"])
        elif {"enum.Enum", "enum.IntEnum"} & {*owner.externals()}:
            return UNKNOWN
        else:
            for name, value in kwargs.items():  # as a dataclass and a named tuple have them
                instance.names[name] = value
        return instance

    def _super(self, frame: Frame) -> Value:
        receiver = next((value for value in frame.names.values() if isinstance(value, Instance)), None)
        owner = frame.names.get("__class__")
        if not isinstance(owner, Class) or receiver is None:
            return UNKNOWN
        return Instance(Class("super", owner.bases, {}), {"__self__": receiver})

    # --- functions of the standard library ----------------------------------------------------------------------------

    def _external(self, name: str, args: tuple[Value, ...], kwargs: dict[str, Value]) -> Value:
        if facts.is_open(name) and (args or "name" in kwargs):
            return self.open(args[0] if args else kwargs["name"])
        last = name.rpartition(".")[2]
        if args and last == "dlopen":
            return self.open(args[0], cffi=True)
        if args and last in _OPENING_METHODS and facts.importable(name) is None:
            return self.open(args[0])
        if name == "ctypes.util.find_library" and (args or "name" in kwargs):
            return self.find_library(args[0] if args else kwargs["name"])
        if name == "ctypes.LibraryLoader":
            return External("ctypes.cdll")
        if args and isinstance(args[0], Found) and name in {"builtins.str", "os.fspath", "os.fsencode", "pathlib.Path"}:
            return args[0]
        if name == "functools.partial" and args:
            return Partial(args[0], args[1:], kwargs)
        self.used_machine |= facts.uses_machine(name)
        simple = name.removeprefix("builtins.")
        if simple in {"list", "dict", "set", "collections.OrderedDict"} and not args:
            return [] if simple in {"list", "set"} else dict(kwargs)
        special = getattr(self, f"_do_{simple.replace('.', '_')}", None)
        if special is not None and args:
            return special(*args) if not kwargs else special(*args[:2])
        result = facts.call(name, args, kwargs, self.system)
        if any(isinstance(arg, Missing) for arg in args) and name.startswith(("os.path.", "os.fs", "pathlib.")):
            raise Raised(*bases_of("TypeError"))
        self.doubts += result is UNKNOWN
        return result

    def _do_isinstance(self, value: Value, kind: Value, *_: Value) -> Value:
        kinds: dict[str, type] = {
            "builtins.str": str,
            "builtins.list": list,
            "builtins.tuple": tuple,
            "builtins.dict": dict,
        }
        kinds |= {"builtins.int": int, "builtins.bytes": bytes}
        if isinstance(value, External) and kind == External("ctypes.LibraryLoader"):
            return value.name in {"ctypes.cdll", "ctypes.pydll"}
        several = kind if isinstance(kind, tuple) else (kind,)
        wanted = [one.name if isinstance(one, External) else "" for one in several]
        if not isinstance(value, CONCRETE) or not all(one in kinds for one in wanted):
            return UNKNOWN
        return isinstance(value, tuple(kinds[one] for one in wanted))

    def _do_getattr(self, value: Value, name: Value, default: Value = UNKNOWN, *_: Value) -> Value:
        if not isinstance(name, str):
            return UNKNOWN
        if isinstance(value, External) and facts.exists(f"{value.name}.{name}") is False:
            return default
        if isinstance(value, Instance) and not value.names.get(name) and value.owner and not value.owner.externals():
            found = self.attribute(value, name)
            return default if found is UNKNOWN else found
        return self.attribute(value, name)

    def _do_hasattr(self, value: Value, name: Value, *_: Value) -> Value:
        if isinstance(value, External) and isinstance(name, str):
            answer = facts.exists(f"{value.name}.{name}")
            return UNKNOWN if answer is None else answer
        return True if isinstance(value, Instance) and name in value.names else UNKNOWN

    def _do_next(self, value: Value, default: Value = UNKNOWN, *_: Value) -> Value:
        found: list[Value] = []
        for item, certain in islice(self.items(value), ITEMS):
            found.append(item)
            if certain:
                return choice(found)
        return choice([*found, default])

    def _do_iter(self, value: Value, *_: Value) -> Value:
        return self.items(value) if self.is_iterable(value) else UNKNOWN

    def _do_any(self, value: Value, *_: Value) -> Value:
        answers = []
        for item, certain in islice(self.items(value), ITEMS):
            answers.append(truth(item) if certain else None)
            if answers[-1]:
                return True
        return UNKNOWN if None in answers or not self.is_iterable(value) else False

    def _do_list(self, value: Value = (), *_: Value) -> Value:
        if isinstance(value, Choice):
            return choice(self._do_list(option) for option in value.options)
        return [item for item, _ in islice(self.items(value), ITEMS)] if self.is_iterable(value) else UNKNOWN

    _do_tuple = _do_set = _do_sorted = _do_frozenset = _do_list

    def _do_reversed(self, value: Value, *_: Value) -> Value:
        found = self._do_list(value)
        return found[::-1] if isinstance(found, list) else UNKNOWN

    def _do_dict(self, value: Value, *_: Value) -> Value:
        if isinstance(value, dict):
            return dict(value)
        pairs = self._do_list(value)
        if not isinstance(pairs, list) or not all(isinstance(pair, tuple | list) and len(pair) == 2 for pair in pairs):
            return UNKNOWN
        return {self.hashable(key): item for key, item in pairs}

    def _do_enumerate(self, value: Value, *_: Value) -> Value:
        found = self._do_list(value)
        return list(enumerate(found)) if isinstance(found, list) else UNKNOWN

    def _do_zip(self, *values: Value) -> Value:
        found = [self._do_list(value) for value in values]
        return list(zip(*found, strict=False)) if all(isinstance(one, list) for one in found) else UNKNOWN

    def _do_itertools_chain(self, *values: Value) -> Value:
        found = [self._do_list(value) for value in values]
        return [item for one in found if isinstance(one, list) for item in one][:ITEMS]

    def _do_itertools_product(self, *values: Value) -> Value:
        found = [self._do_list(value) for value in values]
        return list(islice(product(*found), ITEMS)) if all(isinstance(one, list) for one in found) else UNKNOWN

    def _do_map(self, function: Value, value: Value, *_: Value) -> Value:
        return ((self.call(function, (item,), {}), certain) for item, certain in self.items(value))

    def _do_filter(self, function: Value, value: Value, *_: Value) -> Value:
        return self._filtered(function, value)

    def _filtered(self, function: Value, value: Value) -> Iterator[tuple[Value, bool]]:
        for item, certain in self.items(value):
            answer = truth(item if function is None else self.call(function, (item,), {}))
            if answer is not False:
                yield item, certain and answer is True

    def _do_os_path_exists(self, value: Value, *_: Value) -> Value:
        return facts.file_exists(value, frozenset(self.members))

    _do_os_path_isfile = _do_os_path_isdir = _do_os_path_lexists = _do_os_path_exists

    def _do_glob_glob(self, value: Value, *_: Value) -> Value:
        own = own_path(str(value)) if isinstance(value, str | PurePosixPath) else None
        if own is None:
            return UNKNOWN
        return [f"{OWN}/{member}" for member in sorted(self.members) if fnmatchcase(member, own)][:ITEMS]

    def _do_os_listdir(self, value: Value, *_: Value) -> Value:
        own = own_path(str(value)) if isinstance(value, str | PurePosixPath) else None
        if own is None:
            return UNKNOWN
        start = own + "/"
        below = (member.removeprefix(start) for member in self.members if member.startswith(start))
        return sorted({path.partition("/")[0] for path in below})[:ITEMS]

    # --- methods of values of Python ----------------------------------------------------------------------------------

    def _method(self, receiver: Value, name: str, args: tuple[Value, ...], kwargs: dict[str, Value]) -> Value:
        if isinstance(receiver, list):
            return self._list_method(receiver, name, args)
        if isinstance(receiver, dict):
            return self._dict_method(receiver, name, args)
        if isinstance(receiver, PurePosixPath) and name in {"exists", "is_file", "is_dir"}:
            return facts.file_exists(receiver, frozenset(self.members))
        if isinstance(receiver, PurePosixPath) and name == "glob" and args and isinstance(args[0], str):
            return self._do_map(External("pathlib.Path"), self._do_glob_glob(receiver / args[0]))
        if name == "join" and args:
            args = (self._do_list(args[0]), *args[1:])
        return facts.method(receiver, name, args, kwargs)

    def _list_method(self, receiver: list[Value], name: str, args: tuple[Value, ...]) -> Value:
        if name == "pop":
            return receiver.pop(0 if args else -1) if receiver else UNKNOWN
        if len(receiver) < facts.LENGTH and args:
            if name == "append":
                receiver.append(args[0])
            elif name == "extend":
                receiver += self._do_list(args[0])[:ITEMS] if self.is_iterable(args[0]) else []
            elif name == "insert" and isinstance(args[0], int) and len(args) > 1:
                receiver.insert(args[0], args[1])
        if name == "reverse":
            receiver.reverse()
        return list(receiver) if name == "copy" else UNKNOWN if name in {"index", "count"} else None

    def _dict_method(self, receiver: dict[Value, Value], name: str, args: tuple[Value, ...]) -> Value:
        if name == "items":
            return list(receiver.items())
        if name in {"keys", "copy"}:
            return dict(receiver)
        if name == "values":
            return list(receiver.values())
        if name == "update" and args and len(receiver) < facts.LENGTH:
            receiver |= args[0] if isinstance(args[0], dict) else {UNKNOWN: UNKNOWN}
            return None
        if name in {"get", "setdefault", "pop"} and args:
            default = args[1] if len(args) > 1 else None
            found = [
                receiver[key] if self.hashable(key) is not UNKNOWN and key in receiver else default
                for key in options(args[0])
            ]
            unknown = [UNKNOWN] if UNKNOWN in receiver else []
            if any(self.hashable(key) is UNKNOWN for key in options(args[0])):
                return choice([*receiver.values(), default]) if len(receiver) < 20 else UNKNOWN
            if name == "setdefault" and self.hashable(args[0]) is not UNKNOWN:
                receiver.setdefault(args[0], default)
            return choice([*found, *unknown])
        return UNKNOWN


__all__ = ["CALLS", "LOADED", "MISSING", "Calling"]
