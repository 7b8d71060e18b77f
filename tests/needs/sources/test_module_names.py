"""The names of modules, and which of them stand for a wheel, from paths alone."""

from __future__ import annotations

import pytest

from nixpy.needs.sources.modules import Modules, is_test, module_name, outermost

NAMES = [
    ("demo/__init__.py", "demo"),
    ("demo/sub/lib.py", "demo.sub.lib"),
    ("demo.py", "demo"),
    ("demo-1.0.data/purelib/demo/lib.py", "demo.lib"),
    ("demo-1.0.data/platlib/demo.py", "demo"),
    ("demo-1.0.data/scripts/demo.py", None),
    ("demo-1.0.data/data/share/demo.py", None),
    ("demo-1.0/demo/lib.py", "demo.lib"),
    ("demo-1.0/src/demo/lib.py", "demo.lib"),
    ("demo-1.0/setup.py", None),
    ("demo-1.0/docs/conf.py", None),
    ("demo/my-script.py", None),
    ("demo/lib.so", None),
    ("__init__.py", None),
]


@pytest.mark.parametrize(("path", "name"), NAMES)
def test_name_of_a_path(path: str, name: str | None) -> None:
    """It is that of the module which Python finds there once the wheel is installed."""
    assert module_name(path) == name


@pytest.mark.parametrize("path", ["demo/tests/lib.py", "demo/test_lib.py", "demo/conftest.py", "setup.py", "test/a.py"])
def test_tests(path: str) -> None:
    """Tests and build scripts are no modules of the package."""
    assert is_test(path)
    assert not Modules.of([path]).paths


@pytest.mark.parametrize("path", ["demo/testing.py", "demo/latest.py", "demo/setup.py", "demo/testing/lib.py"])
def test_other_names_are_modules(path: str) -> None:
    """A module for the tests of users is one that they import."""
    assert not is_test(path)


def test_outermost_modules() -> None:
    """Modules below others are left out; a common beginning of the name is not enough."""
    assert outermost(["a.b.c", "a.b", "a.bc", "a.b.d.e", "d"]) == ("a.b", "a.bc", "d")


def test_modules_that_users_import() -> None:
    """They are the top-level ones, and those directly in namespace packages."""
    found = Modules.of(["a/__init__.py", "a/b.py", "space/x/__init__.py", "space/x/y.py", "space/z.py", "single.py"])
    assert found.imported == ("a", "single", "space.x", "space.z")
    assert found.tops == {"a", "single", "space"}
    assert Modules.of(["a/__init__.py", "examples/b.py"]).imported == ("a",)
    assert Modules.of(["tools/__init__.py"]).imported == ("tools",)
    assert found.children("space") == ("space.x", "space.z")


def test_a_package_stands_for_most_of_its_modules() -> None:
    """If three of four modules lead there, the package is named; what users import first is never named for others."""
    paths = [f"demo/geo/{name}.py" for name in ("__init__", "a", "b", "c", "plain")]
    found = Modules.of(["demo/__init__.py", "demo/x.py", *paths, "demo/few/__init__.py", "demo/few/a.py"])
    assert found.entries(["demo.geo.a", "demo.geo.b", "demo.geo.c", "demo.few.a"]) == ("demo.few.a", "demo.geo")
    assert found.entries(["demo.geo.a", "demo.geo.b"]) == ("demo.geo.a", "demo.geo.b")
    assert found.entries(["demo.geo", "demo.few", "demo.x"]) == ("demo.few", "demo.geo", "demo.x")
