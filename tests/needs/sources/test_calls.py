"""The calls in Python sources that open libraries are found, and the sources are never run."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixpy.needs.sources.calls import Call, find_calls

LINUX = "x86_64-linux"
HEAD = """\
import ctypes, ctypes.util, os, platform, sys
from ctypes import CDLL, cdll
from ctypes.util import find_library
from pathlib import Path
"""

FIRST = """\
def first(names):
    for name in names:
        try:
            return CDLL(name)
        except Exception:
            continue
"""
SUPPRESS = """\
import contextlib
for n in ('liba.so.2', 'liba.so.1'):
    with contextlib.suppress(OSError):
        """


def calls(source: str, system: str = LINUX) -> list[Call]:
    """Return the calls of one module on a system."""
    return [call for call in find_calls({"demo/__init__.py": HEAD + source}) if system in call.systems]


def names(source: str, system: str = LINUX) -> list[str]:
    """Return the names of each call, with a space between alternatives."""
    return [" ".join(call.names) for call in calls(source, system)]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        # The ways to open a library.
        ("CDLL('libz.so.1')", ["libz.so.1"]),
        ("ctypes.CDLL(name='libz.so.1', mode=ctypes.RTLD_GLOBAL)", ["libz.so.1"]),
        ("ctypes.PyDLL('libz.so.1')", ["libz.so.1"]),
        ("cdll.LoadLibrary('libz.so.1')", ["libz.so.1"]),
        ("ctypes.pydll.LoadLibrary('libz.so.1')", ["libz.so.1"]),
        ("ctypes.cdll['libz.so.1']", ["libz.so.1"]),
        ("getattr(ctypes, 'CDLL')('libz.so.1')", ["libz.so.1"]),
        ("find_library('z')", ["libz.so"]),
        ("import ctypes.util as u\nu.find_library('z')", ["libz.so"]),
        ("from ctypes import util\nutil.find_library('z')", ["libz.so"]),
        ("from ctypes.util import find_library as f\nCDLL(f('z'))", ["libz.so"]),
        ("from ctypes import *\nCDLL('libz.so.1')", ["libz.so.1"]),
        ("import cffi\nffi = cffi.FFI()\nffi.dlopen('libz.so.1')", ["libz.so.1"]),
        ("from demo._cffi import ffi\nffi.dlopen('z')", ["libz.so"]),
        ("from demo._cffi import ffi\nffi.dlopen(find_library('z'))", ["libz.so"]),
        ("import functools\nload = functools.partial(CDLL, use_errno=True)\nload('libz.so.1')", ["libz.so.1"]),
        ("class Library(CDLL): pass\nLibrary('libz.so.1')", ["libz.so.1"]),
        # Not a library, or one that every system has.
        ("CDLL(None)", []),
        ("CDLL('libc.so.6'); CDLL(find_library('c')); find_library('m')", []),
        ("ffi.dlopen(None)", []),
        ("ctypes.cdll.msvcrt; CDLL('user32.dll'); find_library('kernel32')", []),
        ("CDLL('libz.dylib'); CDLL('libz'); CDLL('./libz.so')", []),
        ("find_library('CoreFoundation')", []),
        ("CDLL(input())", []),
        ("name = sys.argv[1]\nCDLL(name)", []),
        ("# CDLL('libz.so.1')\n'''CDLL('libz.so.1')'''", []),
        # Values.
        ("NAME = 'z'\nCDLL(f'lib{NAME}.so.{1}')", ["libz.so.1"]),
        ("CDLL('lib%s.so.%d' % ('z', 1))", ["libz.so.1"]),
        ("CDLL('lib{}.so.{v}'.format('z', v=1))", ["libz.so.1"]),
        ("CDLL('lib' + 'z' + '.so')", ["libz.so"]),
        ("CDLL('.'.join(['libz', 'so', '1']))", ["libz.so.1"]),
        ("CDLL('LIBZ.SO.1'.lower())", ["libz.so.1"]),
        ("CDLL(os.path.join('/usr/lib', 'libz.so.1'))", ["libz.so.1"]),
        ("CDLL('/usr/lib/x86_64-linux-gnu/libz.so.1')", ["libz.so.1"]),
        ("CDLL(Path('/usr/lib') / 'libz.so.1')", ["libz.so.1"]),
        ("CDLL(os.environ.get('ZLIB', 'libz.so.1'))", ["libz.so.1"]),
        ("CDLL(os.getenv('ZLIB') or 'libz.so.1')", ["libz.so.1"]),
        ("CDLL('libz.so.2' if sys.version_info >= (3, 8) else 'libz.so.1')", ["libz.so.2"]),
        ("CDLL({'Linux': 'libz.so.1', 'Darwin': 'libz.dylib'}[platform.system()])", ["libz.so.1"]),
        ("CDLL({'win32': 'z.dll'}.get(sys.platform, 'libz.so.1'))", ["libz.so.1"]),
        ("N = {'a': 'liba.so'}\nfor k, v in N.items(): CDLL(v)", ["liba.so"]),
        ("for n in ('a', 'b'): CDLL(f'lib{n}.so')", ["liba.so", "libb.so"]),
        ("libs = [CDLL(n) for n in ('liba.so', 'libb.so')]", ["liba.so", "libb.so"]),
        ("libs = {n: CDLL(f'lib{n}.so') for n in ['a', 'b']}", ["liba.so", "libb.so"]),
        ("n = 1\nwhile n < 3:\n    CDLL(f'liba.so.{n}')\n    n += 1", ["liba.so.1", "liba.so.2"]),
        ("names = []\nnames.append('liba.so')\nfor n in names: CDLL(n)", ["liba.so"]),
        ("a, b = 'liba.so', 'libb.so'\nCDLL(b)", ["libb.so"]),
        # Functions of the package.
        ("def load(name, version=1): return CDLL(f'lib{name}.so.{version}')\nload('z')", ["libz.so.1"]),
        ("load = lambda name: CDLL(name)\nload('libz.so.1')", ["libz.so.1"]),
        ("def load(*names):\n    for n in names: CDLL(n)\nload('liba.so', 'libb.so')", ["liba.so", "libb.so"]),
        ("def name(): return 'libz.so.1'\nCDLL(name())", ["libz.so.1"]),
        ("class L:\n    N = 'libz.so.1'\n    def __init__(self): self.lib = CDLL(self.N)", ["libz.so.1"]),
        ("class L:\n    def __init__(s, n): s.n = n\n    def go(s): CDLL(s.n)\nL('libz.so.1').go()", ["libz.so.1"]),
        ("class L:\n    @classmethod\n    def go(cls, n): return CDLL(n)\nL.go('libz.so.1')", ["libz.so.1"]),
        ("class L:\n    @staticmethod\n    def go(n='libz.so.1'): return CDLL(n)", ["libz.so.1"]),
        ("def never(): CDLL('libz.so.1')", ["libz.so.1"]),
        ("def paths():\n    yield 'liba.so'\n    yield 'libb.so'\nfor p in paths(): CDLL(p)", ["liba.so", "libb.so"]),
        # Alternatives are one need.
        ("CDLL(find_library('z') or 'libz.so.1')", ["libz.so libz.so.1"]),
        ("try: CDLL('liba.so.2')\nexcept OSError: CDLL('liba.so.1')", ["liba.so.2 liba.so.1"]),
        (
            "for n in ('liba.so.2', 'liba.so.1'):\n    try:\n        CDLL(n)\n        break\n    except OSError: pass",
            ["liba.so.2 liba.so.1"],
        ),
        (FIRST + "first(['liba.so.2', 'liba.so.1'])", ["liba.so.2 liba.so.1"]),
        (FIRST + "first(['liba.so.2', 'liba.so.1'])\nfirst(['libb.so'])", ["liba.so.2 liba.so.1", "libb.so"]),
        ("p = find_library('a')\nif p is None: p = find_library('b')\nCDLL(p)", ["liba.so libb.so"]),
        ("p = next((p for p in map(find_library, ('a', 'b')) if p), None)", ["liba.so libb.so"]),
        (SUPPRESS + "CDLL(n)\n        break", ["liba.so.2 liba.so.1"]),
        ("CDLL('liba.so.2' if input() else 'liba.so.1')", ["liba.so.2 liba.so.1"]),
        # Separate libraries.
        ("for n in ('liba.so', 'libb.so'):\n    try: CDLL(n)\n    except OSError: pass", ["liba.so", "libb.so"]),
        ("try: CDLL('liba.so')\nexcept OSError: pass\nCDLL('libb.so')", ["liba.so", "libb.so"]),
        ("find_library('a')\nfind_library('b')", ["liba.so", "libb.so"]),
        # Branches.
        ("if sys.platform == 'win32': CDLL('liba.so')\nelse: CDLL('libb.so')", ["libb.so"]),
        ("if sys.platform.startswith('linux'): CDLL('liba.so')", ["liba.so"]),
        ("if os.name == 'nt': CDLL('liba.so')\nelif os.name == 'posix': CDLL('libb.so')", ["libb.so"]),
        ("if sys.maxsize > 2**32: CDLL('liba.so')\nelse: CDLL('libb.so')", ["liba.so"]),
        ("import struct\nif struct.calcsize('P') * 8 == 64: CDLL('liba.so')\nelse: CDLL('libb.so')", ["liba.so"]),
        ("match sys.platform:\n    case 'linux': CDLL('liba.so')\n    case _: CDLL('libb.so')", ["liba.so"]),
        ("if platform.uname().system == 'Linux': CDLL('liba.so')", ["liba.so"]),
        ("if input(): CDLL('liba.so')\nelse: CDLL('libb.so')", ["liba.so", "libb.so"]),
        ("try: import winreg\nexcept ImportError: CDLL('liba.so')", ["liba.so"]),
        ("if sys.platform != 'linux': raise ImportError\nCDLL('liba.so')", ["liba.so"]),
        ("if sys.platform == 'linux': raise ImportError\nCDLL('liba.so')", []),
        ("if __name__ == '__main__': CDLL('liba.so')", []),
    ],
)
def test_names(source: str, expected: list[str]) -> None:
    """Each way to write a name of a library is understood; names that are not certain are no call."""
    assert names(source) == expected


@pytest.mark.parametrize(
    ("source", "at_import", "guarded"),
    [
        ("CDLL('libz.so.1')", True, False),
        ("def load(): CDLL('libz.so.1')\nload()", True, False),
        ("def load(): CDLL('libz.so.1')", False, False),
        ("try: CDLL('libz.so.1')\nexcept OSError: pass", True, True),
        ("try: CDLL('libz.so.1')\nexcept: pass", True, True),
        ("try: CDLL('libz.so.1')\nexcept ValueError: pass", True, False),
        ("def load(): CDLL('libz.so.1')\ntry: load()\nexcept Exception: pass", True, True),
        ("try: CDLL('libz.so.1')\nexcept OSError as e: raise ImportError('no zlib') from e", True, False),
        ("CDLL(find_library('z'))", True, False),
        ("p = find_library('z')\nif not p: raise ImportError", True, False),
        ("p = find_library('z')\nlib = CDLL(p) if p else None", True, True),
        ("if input(): CDLL('libz.so.1')", True, True),
        ("class E(OSError): pass\ntry:\n    if not find_library('z'): raise E\nexcept E: pass", True, True),
    ],
)
def test_what_happens_without_the_library(source: str, at_import: bool, guarded: bool) -> None:
    """The code reaches the call on import or later, and goes on without the library or not."""
    (call,) = calls(source)
    assert (call.at_import, call.guarded) == (at_import, guarded)


def test_find_library_is_only_that() -> None:
    """A call with another name does not depend on find_library."""
    assert [call.find_library for call in calls("find_library('a')\nCDLL(find_library('b') or 'libb.so.1')")] == [
        True,
        False,
    ]


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("CDLL(f'lib{platform.machine()}.so')", ["libx86_64.so", "libaarch64.so", "libarm64.so"]),
        ("CDLL('libz.dylib' if sys.platform == 'darwin' else 'libz.so.1')", ["libz.so.1", "libz.so.1", "libz.dylib"]),
        ("CDLL('/usr/lib/libSystem.dylib')", ["", "", ""]),
        ("CDLL(find_library('z'))", ["libz.so", "libz.so", "libz.so"]),
    ],
)
def test_each_system_has_its_branches(source: str, expected: list[str]) -> None:
    """The names are those for the processor and the kernel of the system."""
    systems = (LINUX, "aarch64-linux", "aarch64-darwin")
    found = [" ".join(names(source, system)) for system in systems]
    assert found == expected


def test_systems_with_the_same_call_share_it() -> None:
    """A call that does not depend on the system occurs once."""
    (call,) = calls("CDLL('libz.so.1')")
    assert call.systems == ("aarch64-darwin", "aarch64-linux", "x86_64-linux")
    assert (call.path, call.line) == ("demo/__init__.py", 5)


@pytest.mark.parametrize(
    "path",
    [
        "os.path.join(os.path.dirname(__file__), 'libown.so')",
        "os.path.join(os.path.abspath(os.path.dirname(__file__)), '..', 'demo', 'libown.so')",
        "str(Path(__file__).parent / 'libown.so')",
        "f'{os.path.dirname(__file__)}/libown.so'",
    ],
)
def test_own_libraries_are_no_need(path: str) -> None:
    """A library that the wheel has is not needed from elsewhere, nor is the alternative to it."""
    source = f"try: input(); CDLL({path})\nexcept OSError: CDLL('libz.so.1')"
    assert [call.names for call in find_calls({"demo/__init__.py": HEAD + source}, ["demo/libown.so"])] == []
    assert names(source) == ["libz.so.1"]


def test_a_wrapper_of_another_module_has_the_names_of_its_callers() -> None:
    """The call is where the name is: a relative import, an alias, or a method of an object of another module."""
    found = find_calls(
        {
            "demo/_load.py": "import ctypes\ndef load(name):\n    return ctypes.CDLL('lib' + name + '.so')\n",
            "demo/names.py": "NAME = 'c' + 'd'\n",
            "demo/one.py": "from ._load import load\nlib = load('one')\n",
            "demo/two.py": "import demo._load as loader\nfrom demo.names import NAME\nlib = loader.load(NAME)\n",
            "demo/three.py": "from demo import _load\n\ndef start():\n    return _load.load('three')\n",
            "demo/other.py": "def load(name):\n    return name\nload('other')\n",
        }
    )
    assert [(call.path, call.line, call.names, call.at_import) for call in found] == [
        ("demo/one.py", 2, ("libone.so",), True),
        ("demo/three.py", 4, ("libthree.so",), False),
        ("demo/two.py", 3, ("libcd.so",), True),
    ]


def test_a_folder_above_the_package_does_not_matter() -> None:
    """The sources of an sdist may be below `src`."""
    found = find_calls(
        {
            "src/demo/__init__.py": "from demo.load import load\nload('a')\n",
            "src/demo/load.py": "from ctypes import CDLL\ndef load(n): return CDLL(f'lib{n}.so.1')\n",
        }
    )
    assert [(call.path, call.names) for call in found] == [("src/demo/__init__.py", ("liba.so.1",))]


@pytest.mark.parametrize(
    "source",
    [
        "CDLL('libz.so.1'\n",  # not Python
        "print 'CDLL'\n",  # Python 2
        "CDLL('\0')",
        "CDLL" + "(" * 5000,
        "x = " + "-" * 50_000 + "1\nCDLL(x)",
        "x = a" + ".b" * 50_000 + "\nCDLL(x)",
        "x = " + "1+" * 20_000 + "1\nCDLL(x)",
        "def f(): f(); CDLL('x')\nf()",
        "while True: CDLL('x')",
        "x = [1]\nwhile 1: x = x + x\nCDLL(x)",
        "x = 'a'\nwhile 1: x += x\nCDLL(x)",
        "CDLL('%1000000000d' % 1); CDLL('{:>1000000000}'.format(1)); CDLL(f'{1:1000000000}')",
        "CDLL('a' * 10**12); CDLL([0] * 10**12); CDLL(9 ** 9 ** 9 ** 9); CDLL(1 << 10 ** 9)",
        "x = []\nx.append(x)\nfor y in x: CDLL(y)\nCDLL(f'{x}')",
        "class A(A): pass\nclass B: pass\nB.__bases__ = (B,)\nCDLL(B().x)",
        "for i in range(10**12): CDLL(f'lib{i}.so')",
        "from . import demo\nfrom .demo import *\nimport demo.demo\nCDLL(demo)",
        "def f(n):\n  for a in range(99):\n    for b in range(99):\n      for c in range(99): f(n)\nf(CDLL)",
    ],
    ids=lambda source: source[:12],
)
@pytest.mark.filterwarnings("error")
def test_odd_sources_end(source: str) -> None:
    """The evaluation is bounded, and no source raises an exception or a warning."""
    assert len(find_calls({"demo/__init__.py": HEAD + source, "demo/good.py": "CDLL('x')"})) <= 600


def test_sources_are_not_run(tmp_path: Path) -> None:
    """The evaluation has no effect."""
    target = tmp_path / "made"
    path = str(target)
    assert names(f"open({path!r}, 'w'); os.mkdir({path!r}); Path({path!r}).touch()\nCDLL('libz.so.1')")
    assert not target.exists()


def test_the_result_does_not_depend_on_the_order() -> None:
    """The same sources in another order have the same calls."""
    sources = {f"demo/m{n}.py": f"from ctypes import CDLL\nCDLL('lib{n}.so')\n" for n in range(20)}
    assert find_calls(sources) == find_calls(dict(reversed(sources.items())))
    assert len(find_calls(sources)) == 20
