"""Return facts of a platform, and results of the standard library.

Only what has no effect is evaluated, on values that are known, and results have a bounded size.
"""

from __future__ import annotations

import builtins
import operator
import posixpath
import re
import sys
from collections.abc import Callable, Mapping
from pathlib import PurePosixPath
from types import SimpleNamespace

from nixpy.needs.sources.names import OWN, own_path
from nixpy.needs.sources.values import UNKNOWN, Choice, External, Instance, Value, choice, is_known, options

LENGTH = 10_000
"""Characters of a string, and items of a list. Lists of libraries have at most a hundred."""

OPENERS = frozenset({"CDLL", "PyDLL", "OleDLL", "WinDLL"})
_LOADERS = frozenset({"ctypes.cdll", "ctypes.pydll"})
_WINDOWS = frozenset({"_winreg", "_winapi", "msvcrt", "nt", "winreg", "winsound"})
_PATHS = frozenset({"pathlib.Path", "pathlib.PosixPath", "pathlib.PurePath", "pathlib.PurePosixPath"})
_VERSION = SimpleNamespace(major=3, minor=13, micro=0, releaselevel="final", serial=0)
_MACHINE = re.compile(r"platform\.(machine|processor|uname|platform)|os\.uname|sysconfig\.get_platform")
_UNSET_UNKNOWN = frozenset({"HOME", "LD_LIBRARY_PATH", "PATH", "USER", "VIRTUAL_ENV"})


def constant(name: str, system: str) -> Value:
    """Return the value of an attribute of the standard library.

    It is an External if it is a module, class or function.
    """
    darwin = system.endswith("-darwin")
    values: dict[str, Value] = {
        "sys.platform": "darwin" if darwin else "linux",
        "os.name": "posix",
        "sys.maxsize": 2**63 - 1,
        "sys.byteorder": "little",
        "sys.version_info": Instance(None, dict(vars(_VERSION)), (3, 13, 0, "final", 0)),
        "sys.hexversion": 0x030D00F0,
        "sys.implementation.name": "cpython",
        "sys.modules": {UNKNOWN: UNKNOWN},
        "os.sep": "/",
        "os.path.sep": "/",
        "os.pathsep": ":",
        "os.curdir": ".",
        "os.pardir": "..",
        "typing.TYPE_CHECKING": False,
        "builtins.__debug__": True,
        "ctypes.RTLD_GLOBAL": 256,
        "ctypes.RTLD_LOCAL": 0,
        "ctypes.DEFAULT_MODE": 0,
    }
    if name in values:
        return values[name]
    first, _, rest = name.partition(".")
    unknown = first in {"sys", "ctypes"} and rest.rpartition(".")[2] in {
        *("prefix", "base_prefix", "exec_prefix", "executable", "path", "argv", "version", "flags", "abiflags"),
        *("windll", "oledll", "WinDLL", "OleDLL", "WinError"),
    }
    return UNKNOWN if unknown else External(name)


def exists(name: str) -> bool | None:
    """Return whether an attribute of the standard library exists.

    The result is None if that is not known.
    """
    if name in {"ctypes.windll", "ctypes.WinDLL", "ctypes.oledll", "os.add_dll_directory", "sys.getwindowsversion"}:
        return False
    if name.startswith("sys.") and name.count(".") == 1:
        return hasattr(sys, name.removeprefix("sys."))
    return True if name.startswith("builtins.") and hasattr(builtins, name.removeprefix("builtins.")) else None


def importable(name: str) -> bool | None:
    """Return whether a module outside the package can be imported.

    The result is None if that is not known.
    """
    first = name.partition(".")[0]
    if first in _WINDOWS:
        return False
    return True if first in sys.stdlib_module_names else None


def uses_machine(name: str) -> bool:
    """Return whether the result of a function depends on the processor."""
    return _MACHINE.fullmatch(name) is not None


def is_open(name: str) -> bool:
    """Return whether a function or class opens its argument, as CDLL does."""
    module, _, last = name.rpartition(".")
    return (module in {"ctypes", "_ctypes"} and (last in OPENERS or last == "dlopen")) or (
        last == "LoadLibrary" and module in _LOADERS
    )


def call(name: str, args: tuple[Value, ...], kwargs: Mapping[str, Value], system: str) -> Value:
    """Return the result of a function of the standard library.

    It is UNKNOWN if the function is not one of those known here.
    """
    if name in _PATHS:
        parts = [str(arg) if isinstance(arg, PurePosixPath) else arg for arg in args]
        return PurePosixPath(*parts) if all(isinstance(part, str) for part in parts) else UNKNOWN
    if known := _platform(name, args, system):
        return known
    if name in {"os.environ.get", "os.getenv"} and args:
        default = args[1] if len(args) > 1 else kwargs.get("default")
        return choice((UNKNOWN, default)) if args[0] in _UNSET_UNKNOWN else default
    function = _FUNCTIONS.get(name.replace("posixpath.", "os.path."))
    if function is None:
        return UNKNOWN
    return lift(function, *args)


def lift(function: Callable[..., Value], *args: Value) -> Value:
    """Call a function with known values, once for each combination of choices.

    The result is UNKNOWN if something is not known.
    """
    combinations: list[tuple[Value, ...]] = [()]
    for arg in args:
        combinations = [(*before, option) for before in combinations for option in options(arg)][:64]
    results = []
    for combination in combinations:
        try:
            results.append(_bounded(function(*combination)) if all(map(is_known, combination)) else UNKNOWN)
        except Exception:  # noqa: BLE001  (what the code would raise is not known here)
            results.append(UNKNOWN)
    return choice(results)


def _bounded(value: Value) -> Value:
    if isinstance(value, str | bytes | list | tuple | dict | set) and len(value) > LENGTH:
        return UNKNOWN
    return UNKNOWN if isinstance(value, int) and value.bit_length() > 128 else value


def _platform(name: str, args: tuple[Value, ...], system: str) -> Value:
    kernel = "Darwin" if system.endswith("-darwin") else "Linux"
    machine = system.partition("-")[0]
    machine = "arm64" if kernel == "Darwin" else machine
    uname = (kernel, UNKNOWN, UNKNOWN, UNKNOWN, machine)
    words = {"system": kernel, "sysname": kernel, "machine": machine, "processor": machine}
    known: dict[str, Value] = {
        "platform.system": kernel,
        "platform.machine": machine,
        "platform.processor": machine,
        "platform.uname": Instance(None, dict(words), (*uname, machine)),
        "os.uname": Instance(None, dict(words), uname),
        "platform.python_implementation": "CPython",
        "platform.architecture": ("64bit", "ELF" if kernel == "Linux" else ""),
        "platform.platform": UNKNOWN,
        "sysconfig.get_platform": f"linux-{machine}" if kernel == "Linux" else "macosx-11.0-arm64",
        "sys.getfilesystemencoding": "utf-8",
    }
    if name == "struct.calcsize" and args:
        return {"P": 8, "@P": 8, "l": 8, "i": 4}.get(args[0], UNKNOWN) if isinstance(args[0], str) else UNKNOWN
    if name == "ctypes.sizeof" and args and isinstance(args[0], External):
        return 8 if args[0].name in {"ctypes.c_void_p", "ctypes.c_size_t", "ctypes.c_long"} else UNKNOWN
    return known.get(name)


def _text(value: Value) -> str:
    return str(value) if isinstance(value, PurePosixPath) else value


def _same_file(path: Value) -> Value:
    """Return an absolute path as it is; others depend on the current folder."""
    text = _text(path)
    return posixpath.normpath(text) if text.startswith("/") else UNKNOWN


def _normal(function: Callable[..., Value]) -> Callable[..., Value]:
    return lambda *args: function(*map(_text, args))


_FUNCTIONS: dict[str, Callable[..., Value]] = {
    "os.path.join": _normal(posixpath.join),
    "os.path.basename": _normal(posixpath.basename),
    "os.path.dirname": _normal(posixpath.dirname),
    "os.path.normpath": _normal(posixpath.normpath),
    "os.path.split": _normal(posixpath.split),
    "os.path.splitext": _normal(posixpath.splitext),
    "os.path.isabs": _normal(posixpath.isabs),
    "os.path.abspath": _same_file,
    "os.path.realpath": _same_file,
    "os.path.normcase": _text,
    "os.fspath": _text,
    "os.fsencode": _text,
    "os.fsdecode": _text,
    "importlib.resources.files": lambda package: PurePosixPath(OWN, *package.split(".")),
    "pkg_resources.resource_filename": lambda package, name: posixpath.join(OWN, *package.split("."), name),
    "sys.intern": _text,
    "builtins.str": str,
    "builtins.int": lambda value: int(value) if len(str(value)) < 20 else UNKNOWN,
    "builtins.bool": bool,
    "builtins.len": len,
    "builtins.range": lambda *args: list(range(*args)[:200]),
    "builtins.sorted": sorted,
    "builtins.tuple": tuple,
    "builtins.set": set,
    "builtins.frozenset": frozenset,
    "builtins.dict": dict,
    "builtins.bytes": lambda value, *_: value.encode() if isinstance(value, str) else UNKNOWN,
    "builtins.chr": chr,
    "builtins.ord": ord,
    "builtins.min": min,
    "builtins.max": max,
}

_STRING = frozenset(
    [
        "capitalize",
        "casefold",
        "count",
        "decode",
        "encode",
        "endswith",
        "find",
        "format",
        "index",
        "isdigit",
        "join",
        "lower",
        "lstrip",
        "partition",
        "removeprefix",
        "removesuffix",
        "replace",
        "rfind",
        "rpartition",
        "rsplit",
        "rstrip",
        "split",
        "splitlines",
        "startswith",
        "strip",
        "title",
        "upper",
    ]
)
_PATH = frozenset(["as_posix", "joinpath", "with_name", "with_stem", "with_suffix", "is_absolute", "relative_to"])
_OTHER = frozenset(["count", "index", "copy", "get", "union", "intersection", "difference"])
_DIGITS = re.compile(r"\d{4}|\{[^{}]*\{|\*")


def method(receiver: Value, name: str, args: tuple[Value, ...], kwargs: Mapping[str, Value]) -> Value:
    """Return the result of a method of a known value that has no effect.

    It is UNKNOWN if the method is not one of those known here.
    """
    if isinstance(receiver, PurePosixPath):
        if name in {"resolve", "absolute", "expanduser"}:
            return receiver if receiver.is_absolute() else UNKNOWN
        return lift(getattr(receiver, name), *args) if name in _PATH else UNKNOWN
    if isinstance(receiver, bytes):
        return UNKNOWN
    if isinstance(receiver, str):
        if name not in _STRING or (name == "format" and _DIGITS.search(str(receiver))):
            return UNKNOWN
        if name == "replace" and sum(len(arg) for arg in args if isinstance(arg, str)) > 200:
            return UNKNOWN
        if name == "format":
            keys = tuple(kwargs)
            count = len(args)
            return lift(
                lambda *values: receiver.format(*values[:count], **dict(zip(keys, values[count:], strict=True))),
                *args,
                *kwargs.values(),
            )
        if name == "encode":
            return receiver  # a path is the same in bytes
        return lift(getattr(receiver, name), *args)
    return lift(getattr(receiver, name), *args) if name in _OTHER else UNKNOWN


_OPERATORS: dict[str, Callable[[Value, Value], Value]] = {
    "Add": operator.add,
    "Sub": operator.sub,
    "Mult": lambda left, right: left * right if isinstance(left, int) and isinstance(right, int) else UNKNOWN,
    "Mod": lambda left, right: UNKNOWN if isinstance(left, str) and _DIGITS.search(left) else left % right,
    "FloorDiv": operator.floordiv,
    "Div": operator.truediv,
    "BitOr": operator.or_,
    "BitAnd": operator.and_,
    "Pow": lambda left, right: left**right if 0 <= left <= 16 and 0 <= right <= 64 else UNKNOWN,
    "LShift": lambda left, right: left << right if 0 <= right <= 64 else UNKNOWN,
    "RShift": operator.rshift,
    "Eq": operator.eq,
    "NotEq": operator.ne,
    "Lt": operator.lt,
    "LtE": operator.le,
    "Gt": operator.gt,
    "GtE": operator.ge,
}


def operate(name: str, left: Value, right: Value) -> Value:
    """Return the result of a binary operator, by the name of its class in `ast`."""
    if name not in _OPERATORS:
        return UNKNOWN
    plain = [value.items if isinstance(value, Instance) and value.items else value for value in (left, right)]
    return lift(_OPERATORS[name], *plain)


def file_exists(value: Value, members: frozenset[str]) -> Value:
    """Return whether a path exists: known for files and folders of the wheel."""
    results: list[Value] = []
    for option in options(value):
        own = own_path(str(option)) if isinstance(option, str | PurePosixPath) else None
        if own is None:
            results.append(UNKNOWN)
        else:
            results.append(own in members or any(member.startswith(own + "/") for member in members))
    return choice(results) if not isinstance(value, Choice) or UNKNOWN not in results else UNKNOWN
