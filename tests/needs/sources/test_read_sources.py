"""What the sources of small made-up wheels open, and how certain that is."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixpy.core.target import SYSTEMS
from nixpy.needs.model import RuntimeOpen
from nixpy.needs.sources.calls import Call
from nixpy.needs.sources.read import opens_of, read_sources

LINUX = ("aarch64-linux", "x86_64-linux")


def call(path: str, *, at_import: bool = True, guarded: bool = False, systems: tuple[str, ...] = SYSTEMS) -> Call:
    """Return a call that opens libz.so.1."""
    return Call(names=("libz.so.1",), path=path, line=3, systems=systems, at_import=at_import, guarded=guarded)


def opened(path: str, certainty: str, systems: tuple[str, ...] = SYSTEMS, *modules: str) -> RuntimeOpen:
    """Return what the call gives."""
    return RuntimeOpen(
        names=("libz.so.1",),
        evidence="source",
        certainty=certainty,  # type: ignore[arg-type]
        path=path,
        line=3,
        module=path.removesuffix(".py").replace("/", ".") if modules else None,
        modules=modules,
        systems=systems,
    )


FILES = {
    "demo/__init__.py": b"from . import always, linux\ndef f():\n    from . import sometimes\n",
    "demo/always.py": b"",
    "demo/sometimes.py": b"",
    "demo/linux.py": b"import sys\nif sys.platform == 'linux':\n    from . import x11\n",
    "demo/x11.py": b"",
    "demo/geo.py": b"from . import gdal",
    "demo/gdal.py": b"",
    "demo-1.0.data/scripts/run": b"",
    "demo/my-file.py": b"",
}
PATHS = list(FILES)


@pytest.mark.parametrize(
    ("given_call", "expected"),
    [
        (call("demo/always.py"), [opened("demo/always.py", "certain")]),
        (call("demo/always.py", guarded=True), [opened("demo/always.py", "likely")]),
        (call("demo/always.py", at_import=False), [opened("demo/always.py", "likely")]),
        (call("demo/always.py", systems=LINUX), [opened("demo/always.py", "certain", LINUX)]),
        (call("demo/sometimes.py"), [opened("demo/sometimes.py", "likely")]),
        (call("demo/x11.py"), [opened("demo/x11.py", "certain", LINUX)]),
        (call("demo/x11.py", systems=("aarch64-darwin",)), []),
        (call("demo/gdal.py"), [opened("demo/gdal.py", "likely", SYSTEMS, "demo.gdal", "demo.geo")]),
        (call("demo-1.0.data/scripts/run"), [opened("demo-1.0.data/scripts/run", "certain")]),
        (call("demo/my-file.py"), [opened("demo/my-file.py", "possible")]),
    ],
)
def test_certainty(given_call: Call, expected: list[RuntimeOpen]) -> None:
    """It is certain if importing the package makes the call, likely if its code may, else modules are named."""
    assert list(opens_of([given_call], FILES)) == expected


def test_a_call_may_be_certain_on_one_system_only() -> None:
    """Then it gives two opens."""
    files = {"demo/__init__.py": b"from . import lib\nif sys.platform == 'linux':\n    lib.x", "demo/lib.py": b""}
    files["demo/__init__.py"] = b"if sys.platform == 'linux':\n    from . import lib\nelse:\n    f()\n"
    files["demo/__init__.py"] += b"def f():\n    from . import lib\n"
    assert list(opens_of([call("demo/lib.py")], files)) == [
        opened("demo/lib.py", "certain", LINUX),
        opened("demo/lib.py", "likely", ("aarch64-darwin",)),
    ]


def test_imports_of_other_packages() -> None:
    """They are listed for wheels without any call as well."""
    assert read_sources({"demo/__init__.py": b"from a.b import c"}, []) == ((), ("a.b.c",))


@given(st.dictionaries(st.sampled_from(PATHS), st.binary(max_size=50)), st.lists(st.text(max_size=5), max_size=2))
def test_any_bytes(sources: dict[str, bytes], programs: list[str]) -> None:
    """Whatever the files have, nothing is raised."""
    read_sources({path: b"import ctypes\n" + source for path, source in sources.items()}, programs)
    assert list(opens_of([call(path) for path in sources], sources, programs)) is not None
