"""How the modules of small made-up wheels are imported: by users, by programs, or by nothing in the wheel."""

from __future__ import annotations

import warnings
from collections.abc import Sequence

import pytest

from nixpy.needs.sources.imports import ImportGraph, Reach
from nixpy.needs.sources.systems import ALL, DARWIN, LINUX, NONE

CERTAIN = Reach(systems=ALL, certain=ALL)
LIKELY = Reach(systems=ALL)


def unreached(*modules: str) -> Reach:
    """Return the result for a module that only these modules import."""
    return Reach(systems=NONE, modules=modules)


def reach(files: dict[str, str], *programs: str, module: str = "demo.lib", plugins: Sequence[str] = ()) -> Reach:
    """Return how `module` of a wheel with these sources is imported."""
    sources = {path: text.encode() for path, text in files.items()}
    return ImportGraph({f"{module.replace('.', '/')}.py": b"", **sources}, programs, plugins).reach(module)


# What demo/__init__.py has, and what follows for demo/lib.py. The package also has other modules, so that its
# `__init__.py` imports few of them.
STATEMENTS = [
    ("import demo.lib", CERTAIN),
    ("from demo.lib import f", CERTAIN),
    ("from demo import lib", CERTAIN),
    ("from . import lib", CERTAIN),
    ("from .lib import *", CERTAIN),
    ("from . import (\n    other,  # a comment\n    lib as _lib,\n)", CERTAIN),
    ("class A:\n    from . import lib", CERTAIN),
    ("with open('x'):\n    from . import lib", CERTAIN),
    ("import importlib\nlib = importlib.import_module('demo.lib')", CERTAIN),
    ("from importlib import import_module\nlib = import_module('.lib', __name__)", CERTAIN),
    ("lib = __import__('demo.lib')", CERTAIN),
    ("try:\n    from . import lib\nexcept ImportError as error:\n    raise RuntimeError from error", CERTAIN),
    ("try:\n    from . import lib\nfinally:\n    pass", CERTAIN),
    ("try:\n    from . import lib\nexcept KeyError:\n    pass", CERTAIN),
    ("try:\n    from . import lib\nexcept ImportError:\n    lib = None", LIKELY),
    ("try:\n    from . import lib\nexcept (KeyError, OSError):\n    lib = None", LIKELY),
    ("try:\n    from . import lib\nexcept:\n    lib = None", LIKELY),
    ("try:\n    import other\nexcept ImportError:\n    from . import lib", LIKELY),
    ("with suppress(ImportError):\n    from . import lib", LIKELY),
    ("def f():\n    from . import lib", LIKELY),
    ("async def f():\n    from . import lib", LIKELY),
    ("def __getattr__(name):\n    if name == 'lib':\n        from . import lib\n        return lib", LIKELY),
    ("__all__ = ['lib', 'other']", LIKELY),
    ("import lazy_loader\n__getattr__, _, _ = lazy_loader.attach(__name__, submodules={'lib'})", LIKELY),
    ("import lazy_loader\n__getattr__, _, _ = lazy_loader.attach(__name__, submod_attrs={'lib': ['f']})", LIKELY),
    ("BACKENDS = {'x11': 'demo.lib.Backend'}", LIKELY),
    ("BACKENDS = {'x11': 'demo.lib:Backend'}", LIKELY),
    ("if flag:\n    from . import lib", LIKELY),
    ("for name in names:\n    from . import lib", LIKELY),
    ("match name:\n    case 'x':\n        from . import lib", LIKELY),
    ("if __name__ == '__main__':\n    from . import lib", LIKELY),
    ("if not TYPE_CHECKING:\n    from . import lib", CERTAIN),
    ("if TYPE_CHECKING:\n    from . import lib", None),
    ("if typing.TYPE_CHECKING:\n    import demo.lib", None),
    ("if False:\n    import demo.lib", None),
    ("'''import demo.lib'''", None),
    ("# import demo.lib", None),
    ("from .. import lib", None),
    ("import lib", None),
    ("import demo.library", None),
    ("if sys.platform == 'linux':\n    from . import lib", Reach(systems=LINUX, certain=LINUX)),
    ("if sys.platform.startswith('linux'):\n    from . import lib", Reach(systems=LINUX, certain=LINUX)),
    ("if platform.system() == 'Darwin':\n    pass\nelse:\n    from . import lib", Reach(systems=LINUX, certain=LINUX)),
    ("if os.name == 'posix':\n    from . import lib", CERTAIN),
    ("if os.name == 'nt':\n    from . import lib", None),
    ("if sys.platform in ('win32', 'cygwin'):\n    from . import lib", None),
    ("if sys.platform == 'win32':\n    pass\nelif sys.platform == 'darwin':\n    from . import lib", "darwin"),
    ("if sys.platform != 'linux':\n    raise ImportError\nfrom . import lib", Reach(systems=LINUX, certain=LINUX)),
    ("if sys.platform == 'linux' and flag:\n    from . import lib", Reach(systems=LINUX)),
    ("if demo.compat_platform == 'linux':\n    from . import lib", Reach(systems=LINUX, certain=LINUX)),
    ("if IS_WINDOWS:\n    from . import lib", None),
    ("if is_macos():\n    from . import lib", "darwin"),
    ("def f():\n    if sys.platform != 'darwin':\n        return\n    from . import lib", Reach(systems=DARWIN)),
]


@pytest.mark.parametrize(("text", "expected"), STATEMENTS, ids=[text for text, _ in STATEMENTS])
def test_a_statement_of_the_package(text: str, expected: Reach | str | None) -> None:
    """Importing the package imports the module for certain, likely, on some systems, or not at all."""
    others = {"demo/other.py": "", "demo/more.py": "", "demo/big.py": "", "demo/main.py": ""}
    files = {"demo/__init__.py": f"import demo.other\n{text}\n", **others}
    darwin = Reach(systems=DARWIN, certain=DARWIN)
    assert reach(files) == (unreached("demo.lib") if expected is None else darwin if expected == "darwin" else expected)


def test_a_chain_of_certain_imports_is_certain() -> None:
    """Each source on the way imports the next one at its top level."""
    files = {
        "demo/__init__.py": "from .a import x",
        "demo/a.py": "from demo import b",
        "demo/b.py": "from . import lib",
    }
    assert reach(files) == CERTAIN


def test_one_likely_import_makes_the_chain_likely() -> None:
    """A function on the way may never be called."""
    files = {
        "demo/__init__.py": "from .a import x",
        "demo/a.py": "def f():\n    from demo import b",
        "demo/b.py": "from . import lib",
    }
    assert reach(files) == LIKELY


def test_one_of_two_ways_may_be_certain() -> None:
    """The module is certain if any way is."""
    files = {
        "demo/__init__.py": "from . import a\ndef f():\n    from . import lib",
        "demo/a.py": "from .b import x",
        "demo/b.py": "import demo.lib",
    }
    assert reach(files) == CERTAIN


def test_circles_end() -> None:
    """Modules that import each other are unreached together."""
    files = {
        "demo/__init__.py": "import demo.other",
        "demo/other.py": "",
        "demo/a.py": "from . import b",
        "demo/b.py": "from . import a, lib",
    }
    assert reach(files) == unreached("demo.a", "demo.b", "demo.lib")


def test_importing_a_module_imports_its_packages() -> None:
    """A call in an `__init__.py` runs when any module of the package is imported."""
    files = {
        "demo/__init__.py": "from demo.sub.inner import x",
        "demo/sub/__init__.py": "",
        "demo/sub/inner.py": "",
    }
    sources = {path: text.encode() for path, text in files.items()}
    assert ImportGraph(sources).reach("demo.sub") == CERTAIN


def test_tests_import_nothing() -> None:
    """What tests, conftest.py and setup.py import does not count."""
    files = {
        "demo/__init__.py": "import demo.other",
        "demo/other.py": "",
        "demo/tests/test_lib.py": "import demo.lib",
        "demo/conftest.py": "import demo.lib",
        "setup.py": "import demo.lib",
    }
    assert reach(files) == unreached("demo.lib")


def test_programs_import() -> None:
    """The module of an entry point starts the program."""
    files = {"demo/__init__.py": "import demo.other", "demo/other.py": "", "demo/cli.py": "from . import lib"}
    assert reach(files) == unreached("demo.cli", "demo.lib")
    assert reach(files, "demo.cli") == CERTAIN
    files["demo/cli.py"] = "def main():\n    from . import lib"
    assert reach(files, "demo.cli") == LIKELY


def test_a_package_may_be_an_entry_point() -> None:
    """Who loads it also loads its modules by name."""
    files = {"demo/__init__.py": "import demo.core", "demo/core.py": "", "demo/plugin/__init__.py": ""}
    assert reach(files, module="demo.plugin.driver") == unreached("demo.plugin.driver")
    assert reach(files, plugins=["demo.plugin"], module="demo.plugin.driver") == LIKELY


def test_plugins_are_likely() -> None:
    """Another package may import them, as pytest does."""
    files = {"demo/__init__.py": "import demo.core", "demo/core.py": "", "demo/plugin.py": "from . import lib"}
    assert reach(files, plugins=["demo.plugin"]) == LIKELY


def test_main_is_a_program() -> None:
    """`python -m demo` starts it."""
    files = {"demo/__init__.py": "import demo.other", "demo/other.py": "", "demo/__main__.py": "from . import lib"}
    assert reach(files) == LIKELY


def test_unreached_modules_are_those_that_lead_to_it() -> None:
    """They are the outermost ones: a package stands for the modules in it."""
    files = {
        "demo/__init__.py": "import demo.core",
        "demo/core.py": "",
        "demo/geo/__init__.py": "",
        "demo/geo/gdal/__init__.py": "from demo.geo.gdal.envelope import E",
        "demo/geo/gdal/envelope.py": "from . import libgdal",
        "demo/geo/forms/__init__.py": "from .fields import F",
        "demo/geo/forms/fields.py": "def f():\n    from demo.geo.gdal import E",
        "demo/geo/plain.py": "",
    }
    assert reach(files, module="demo.geo.gdal.libgdal") == unreached("demo.geo.forms", "demo.geo.gdal")


def test_users_import_the_modules_of_an_empty_package() -> None:
    """A package that imports nothing has its functions in submodules: those directly in it are likely."""
    files = {"demo/__init__.py": "from .version import __version__", "demo/version.py": ""}
    assert reach(files) == LIKELY
    assert reach(files, module="demo._lib") == unreached("demo._lib")
    assert reach({**files, "demo/sub/__init__.py": ""}, module="demo.sub.lib") == unreached("demo.sub.lib")
    assert reach(files, module="demo.examples.lib") == unreached("demo.examples.lib")


def test_modules_of_a_namespace_package_are_certain() -> None:
    """Its first regular packages and modules are what users import."""
    files = {"space/demo/__init__.py": "from . import lib"}
    assert reach(files, module="space.demo.lib") == CERTAIN
    assert reach({"space/other.py": ""}, module="space.lib") == CERTAIN


def test_a_single_module_is_certain() -> None:
    """`demo.py` is the whole package; `_demo.py` needs an import."""
    assert reach({}, module="demo") == CERTAIN
    assert reach({"demo.py": "import _demo"}, module="_demo") == CERTAIN
    assert reach({"demo.py": ""}, module="_demo") == LIKELY


def test_names_that_are_computed() -> None:
    """`import_module` of a name in a package may import each of its modules."""
    start = {"demo/__init__.py": "import demo.load", "demo/drivers/__init__.py": ""}
    for text in (
        "import importlib\nimportlib.import_module(f'demo.drivers.{name}')",
        "import importlib\nmodule = 'demo.drivers.%s' % name\nimportlib.import_module(module)",
        "import importlib\nimportlib.import_module('demo.drivers.{}'.format(name))",
        "import importlib\nimportlib.import_module('demo.drivers.' + name)",
        "import importlib\nimportlib.import_module('.' + name, 'demo.drivers')",
        "import importlib\nimportlib.import_module('.drivers.{}'.format(name), 'demo')",
    ):
        assert reach({**start, "demo/load.py": text}, module="demo.drivers.x11") == LIKELY, text
        assert reach({**start, "demo/load.py": text}, module="demo.drivers._darwin") == Reach(systems=DARWIN)
    start["demo/drivers/__init__.py"] = "DRIVERS = ['x11', 'win32', 'darwin']"
    assert reach({**start, "demo/load.py": "from . import drivers"}, module="demo.drivers.darwin").systems == DARWIN
    start["demo/drivers/__init__.py"] = ""
    nothing = {**start, "demo/load.py": "LOGGER = 'demo.drivers.%s' % name"}
    assert reach(nothing, module="demo.drivers.x11") == unreached("demo.drivers.x11")


def test_stub_files_of_lazy_loader() -> None:
    """`attach_stub` takes the names from `__init__.pyi`."""
    files = {
        "demo/__init__.py": "import lazy_loader, demo.other\n_ = lazy_loader.attach_stub(__name__, __file__)",
        "demo/__init__.pyi": "from .lib import f",
        "demo/other.py": "",
    }
    assert reach(files) == LIKELY


def test_the_source_tree_of_an_sdist() -> None:
    """Paths in an sdist begin with its folder, and `src` is no package."""
    files = {
        "demo-1.0/setup.py": b"import demo.other",
        "demo-1.0/src/demo/__init__.py": b"from . import lib",
        "demo-1.0/src/demo/lib.py": b"",
        "demo-1.0/docs/lib.py": b"",
    }
    graph = ImportGraph(files)
    assert graph.reach("demo.lib") == CERTAIN
    assert graph.modules.tops == {"demo"}


def test_warnings_about_sources_are_not_shown(recwarn: pytest.WarningsRecorder) -> None:
    """Python warns of an escape sequence that is not valid."""
    with warnings.catch_warnings():
        warnings.simplefilter("always")
        assert reach({"demo/__init__.py": "try:\n    from . import lib\nexcept ImportError:\n    '\\d'"}) == LIKELY
    assert not recwarn.list


DAMAGED = [b"\x00", b"\xff\xfe", b"def f(:", b"(" * 5000, b"-" * 100_000, b"x" * (5 << 20)]


@pytest.mark.parametrize("source", DAMAGED, ids=["nul", "not UTF-8", "syntax", "brackets", "operators", "long"])
def test_damaged_sources_import_nothing(source: bytes) -> None:
    """A source that Python cannot parse is ignored."""
    files = {"demo/__init__.py": source + b"\nfrom . import lib", "demo/other.py": b"", "demo/lib.py": b""}
    assert ImportGraph(files).reach("demo.lib") in (LIKELY, unreached("demo.lib"))
