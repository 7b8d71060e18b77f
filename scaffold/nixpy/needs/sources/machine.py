"""Keep the attempts of one evaluation to open libraries, and its bounds.

An evaluation assumes that the attempts in `failing` fail and all others succeed. Thus the code itself shows what it
tries next.
"""

from __future__ import annotations

import builtins
from collections.abc import Callable, Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import PurePosixPath

from nixpy.needs.model import OWN
from nixpy.needs.sources.names import cffi_finds, found, is_always_there, opened, own_path
from nixpy.needs.sources.values import LOADED, MISSING, UNKNOWN, Found, Frame, Missing, Value, options

STEPS = 150_000
"""Expressions and statements of one evaluation. pyglet, which declares all of X11 and OpenGL, takes about as many."""


class Raised(Exception):
    """An exception of the code.

    It has the names of its class and of the bases of that, and the place of the statement.
    """

    def __init__(self, *names: str, place: object = None) -> None:
        super().__init__(*names)
        self.names = names
        self.place = place


class OutOfStepsError(Exception):
    """The evaluation takes too long; what it found holds."""


def bases_of(name: str) -> tuple[str, ...]:
    """Return the names of an exception of Python and of its bases.

    The result is the name alone if Python has no such exception.
    """
    found = getattr(builtins, name, None)
    return tuple(one.__name__ for one in found.__mro__[:-1]) if isinstance(found, type) else (name,)


OS_ERROR = bases_of("OSError")


def catches(caught: Collection[str] | None, names: Collection[str]) -> bool:
    """Return whether an `except` catches an exception.

    `caught` are the names that it has; None catches all.
    """
    return caught is None or any(bases_of(name)[0] in names for name in caught)


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """The place and the names, which distinguish an attempt from others."""

    path: str
    line: int
    column: int
    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Attempt:
    """An attempt to open a library. `failed` is the assumption of this evaluation."""

    key: Key
    root: str  # the module or function from which the evaluation began
    path: str  # of the last call in the module where the evaluation began
    line: int
    find_library: bool = False
    at_import: bool
    can_fail: bool  # the code handles the failure
    uncertain: bool  # something unknown decides whether the code is reached
    failed: bool = False
    after: Key | None = None  # the attempt of which this one is an alternative for sure


@dataclass(eq=False)
class Machine:
    """The state of one evaluation on one system."""

    system: str
    members: Collection[str]
    failing: Callable[[Key, str], bool]
    attempts: list[Attempt] = field(default_factory=list)
    own: list[Attempt] = field(default_factory=list)  # to open files of the wheel
    fatal: set[Key] = field(default_factory=set)
    frames: list[Frame] = field(default_factory=list)
    handlers: list[Collection[str] | None] = field(default_factory=list)
    expected: frozenset[object] = frozenset()  # the places of exceptions of the first evaluation
    ended: set[object] = field(default_factory=set)  # those of this evaluation
    used: set[Key | None] = field(default_factory=set)  # results of find_library that CDLL opened
    root: str = ""
    at_import: bool = True
    uncertain: int = 0
    exits: int = 0  # times that a loop or a function may have ended
    loops: list[tuple[int, int, int]] = field(default_factory=list)  # attempts, doubts and exits before each loop
    doubts: int = 0  # operations that may have raised an exception
    unknown_imports: int = 0
    sure: int = 0  # libraries that were opened and cannot fail
    steps: int = 0  # of the module or function that is evaluated
    left: int = STEPS
    used_machine: bool = False  # whether the processor was compared

    def step(self) -> None:
        """Count a step. Raises OutOfStepsError at the end."""
        self.steps -= 1
        if self.steps < 0:
            raise OutOfStepsError

    @contextmanager
    def doubtful(self) -> Iterator[None]:
        """Evaluate code of which it is unknown whether it runs."""
        self.uncertain += 1
        try:
            yield
        finally:
            self.uncertain -= 1

    def give_up(self, raised: Raised) -> None:
        """Note that the code does not go on after the last attempt, which failed.

        An exception that comes without a failure as well is not due to it.
        """
        self.ended.add((self.root, raised.place))
        if (self.root, raised.place) in self.expected:
            return
        if last := self._last_failed():
            self.fatal.add(last.key)

    def _last_failed(self) -> Attempt | None:
        """Return the last attempt if it failed."""
        last = next((one for one in reversed(self.attempts) if one.root == self.root), None)
        return last if last and last.failed else None

    def open(self, value: Value, *, cffi: bool = False) -> Value:
        """Open a library as CDLL does, or as dlopen of cffi.

        Raises Raised if the library is assumed to be missing.
        """
        names: list[tuple[str, bool]] = []
        after: Key | None = None
        known = False
        for option in options(value):
            name = str(option) if isinstance(option, PurePosixPath) else option
            name = name.decode("utf-8", "replace") if isinstance(name, bytes) else name
            if isinstance(name, str) and (file := self._file(name, cffi=cffi)):
                names.append(file)
            elif name is None or (isinstance(name, str) and self._is_there(name)):
                if name is not None and (own := own_path(name)) is not None:
                    self.own.append(self._new_attempt((OWN + own,), can_fail=self.catches_os_error()))
                if not names:
                    self.sure += 1
                    return LOADED
                break
            elif not isinstance(name, str | Missing):
                known = True
                if isinstance(option, Found):
                    after = after or option.key
                    self.used |= set() if self.uncertain else {option.key}
        if (names and self._attempt(names, after=after, finds=False)) or (known and not names):
            return LOADED
        if self.catches_os_error() or isinstance(value, Missing) or self._last_failed():
            raise Raised(*OS_ERROR, place=self.place())
        return LOADED

    def place(self) -> object:
        """Return the place of the code that is evaluated."""
        frame = self.frames[-1]
        return frame.module.path, frame.line, frame.column

    def _file(self, name: str, *, cffi: bool) -> tuple[str, bool] | None:
        """Return the file name that is opened, and whether find_library finds it."""
        if own_path(name) is not None or is_always_there(name, self.system):
            return None
        finds = cffi and cffi_finds(name)
        file = found(name, self.system) if finds else opened(name, self.system)
        return (file, finds) if file else None

    def _is_there(self, name: str) -> bool:
        """Return whether a library is a file of the wheel, or one of every system."""
        own = own_path(name)
        return own in self.members if own is not None else is_always_there(name, self.system)

    def find_library(self, value: Value) -> Value:
        """Return the result of ctypes.util.find_library."""
        names = []
        for option in options(value):
            if isinstance(option, str):
                if is_always_there(option, self.system):
                    return Found(None)
                if file := found(option, self.system):
                    names.append((file, True))
        if not names:
            return UNKNOWN if any(option is UNKNOWN for option in options(value)) else MISSING
        attempt = self._attempt(names, after=None, finds=True)
        return Found(attempt) if attempt else MISSING

    def _origin(self, files: tuple[str, ...]) -> Frame:
        """Return the frame that has the names.

        It is the innermost one with no part of them in its arguments.
        """
        for frame in reversed(self.frames):
            if not any(_is_part(text, file) for text in _texts(frame.given) for file in files):
                return frame if frame.line else self.frames[-1]
        return self.frames[0]

    def catches_os_error(self) -> bool:
        """Return whether a handler around the current code catches OSError."""
        return any(catches(caught, OS_ERROR) for caught in self.handlers)

    def _attempt(self, names: list[tuple[str, bool]], *, after: Key | None, finds: bool) -> Key | None:
        """Note an attempt, and return its key if it succeeds."""
        files = tuple(dict.fromkeys(name for name, _ in names))
        new = self._new_attempt(files, can_fail=finds or self.catches_os_error())
        key = new.key
        if after is None and self.loops and self.exits > self.loops[-1][2]:
            before = (one.key for one in self.attempts[self.loops[-1][0] :] if one.root == self.root)
            after = next((one for one in before if (one.path, one.line) == (key.path, key.line)), None)
        failed = new.can_fail and self.failing(key, self.root)
        by_name = all(by_find_library for _, by_find_library in names)
        self.attempts.append(replace(new, find_library=by_name, failed=failed, after=after))
        return None if failed else key

    def _new_attempt(self, files: tuple[str, ...], *, can_fail: bool) -> Attempt:
        """Return an attempt of the current code, which succeeds."""
        inner, outer = self.frames[-1], self._origin(files)
        return Attempt(
            key=Key(path=inner.module.path, line=inner.line, column=inner.column, names=files),
            root=self.root,
            path=outer.module.path,
            line=outer.line,
            at_import=self.at_import,
            can_fail=can_fail,
            uncertain=self.uncertain > 0,
        )


def _texts(values: tuple[Value, ...], depth: int = 0) -> Iterator[str]:
    """Yield the strings in arguments."""
    for value in values:
        for option in options(value):
            if isinstance(option, str):
                yield option
            elif isinstance(option, PurePosixPath):
                yield option.name
            elif isinstance(option, list | tuple | dict) and depth < 2:
                yield from _texts(tuple(option.values() if isinstance(option, dict) else option)[:50], depth + 1)


def _is_part(text: str, file: str) -> bool:
    """Return whether the name of a library has a text as its part."""
    stem = file.removeprefix("lib").partition(".so")[0]
    return text in {stem, file} or (len(text) > 2 and (text in file or file in text))
