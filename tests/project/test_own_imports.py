"""Which modules the own sources of a project import or name: small projects, each with one property."""

from __future__ import annotations

import json
import os
from pathlib import Path

import pytest

from nixpy.core import limits
from nixpy.project.own_imports import OwnImports, own_imports

GIS, SPATIALITE, OTHER = "django.contrib.gis", "django.contrib.gis.db.backends.spatialite.base", "sdl2.sdlttf"
MODULES = (GIS, OTHER)


def found(root: Path, *modules: str) -> set[str]:
    """Return the modules that are found, with every file read."""
    result = own_imports([root], modules or MODULES)
    assert not result.unread
    return set(result.modules)


SOURCES = [
    ("import django.contrib.gis", GIS),
    ("from django.contrib import gis", GIS),
    ("from django.contrib.gis import forms", GIS),
    ("import django.contrib.gis.gdal as gdal", GIS),
    ("from django.contrib.gis.db import (\n    models,\n)", GIS),
    ("def f():\n    from django.contrib.gis import forms", GIS),
    ("try:\n    from django.contrib.gis import forms\nexcept ImportError:\n    pass", GIS),
    ("import importlib\nimportlib.import_module('django.contrib.gis.forms')", GIS),
    ('INSTALLED_APPS = ["django.contrib.admin", "django.contrib.gis"]', GIS),
    ('DATABASES = {"default": {"ENGINE": "django.contrib.gis.db.backends.postgis"}}', GIS),
    ("import sdl2.sdlttf", OTHER),
    ("from sdl2 import sdlttf", OTHER),
    ("import sdl2, sdl2.ext", None),
    ("from sdl2 import sdlttfs", None),
    ('NAME = "sdl2"', None),
    ("from django.contrib import admin", None),
    ('LOGGER = "django.contrib"', None),
    ('"""Use django.contrib.gis here."""', None),
    ("# import django.contrib.gis", None),
    ('"""\nimport django.contrib.gis\n"""', None),
    ("if TYPE_CHECKING:\n    from django.contrib.gis import forms", None),
    ("print 'Python 2'\nfrom django.contrib.gis import forms", GIS),
    ("from .django.contrib.gis import forms", None),
]


@pytest.mark.parametrize(("text", "expected"), SOURCES, ids=[text for text, _ in SOURCES])
def test_one_source(tmp_path: Path, text: str, expected: str | None) -> None:
    """An import at or below the module counts, and so does a string that names it."""
    (tmp_path / "main.py").write_text(text)
    assert found(tmp_path) == ({expected} if expected else set())


def test_a_string_may_name_the_package_of_the_module(tmp_path: Path) -> None:
    """Django imports `base` in the package that ENGINE names; an import of the package alone does not."""
    (tmp_path / "settings.py").write_text('ENGINE = "django.contrib.gis.db.backends.spatialite"')
    assert found(tmp_path, SPATIALITE) == {SPATIALITE}
    (tmp_path / "settings.py").write_text('INSTALLED_APPS = ["django.contrib.gis"]')
    assert found(tmp_path, SPATIALITE) == set()
    (tmp_path / "settings.py").write_text("import django.contrib.gis.db.backends.spatialite")
    assert found(tmp_path, SPATIALITE) == set()


@pytest.mark.parametrize(
    ("path", "counts"),
    [
        ("src/demo/deep/er/main.py", True),
        ("tests/test_main.py", True),
        ("main.pyw", True),
        ("main.txt", False),
        (".venv/lib/main.py", False),
        (".hidden/main.py", False),
        ("node_modules/x/main.py", False),
        ("build/lib/main.py", False),
        ("dist/main.py", False),
        ("env/main.py", False),
    ],
)
def test_files_of_the_project(tmp_path: Path, path: str, counts: bool) -> None:
    """Environments, hidden folders and build folders are no sources; tests are."""
    (tmp_path / "env").mkdir()
    (tmp_path / "env/pyvenv.cfg").touch()
    (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
    (tmp_path / path).write_text("import django.contrib.gis")
    assert found(tmp_path) == ({GIS} if counts else set())


def test_links_out_of_the_project_are_not_followed(tmp_path: Path) -> None:
    """A link to a file of the project counts."""
    root, outside = tmp_path / "project", tmp_path / "outside"
    root.mkdir()
    outside.mkdir()
    (outside / "main.py").write_text("import django.contrib.gis")
    (root / "linked").symlink_to(outside)
    (root / "main.py").symlink_to(outside / "main.py")
    (root / "circle").symlink_to(root)
    assert found(root) == set()
    (root / "real.txt").write_text("import sdl2.sdlttf")
    (root / "link.py").symlink_to("real.txt")
    assert found(root) == {OTHER}


def test_notebooks(tmp_path: Path) -> None:
    """Their code cells count, also next to lines for IPython and cells in other languages."""
    cells = [
        {"cell_type": "markdown", "source": ["import sdl2.sdlttf"]},
        {"cell_type": "code", "source": ["%%html\n", "<b>gis</b>"]},
        {"cell_type": "code", "source": ["!pip install django\n", "from django.contrib.gis import forms"]},
    ]
    (tmp_path / "work.ipynb").write_text(json.dumps({"cells": cells, "nbformat": 4}))
    assert found(tmp_path) == {GIS}


def test_without_modules_nothing_is_read(tmp_path: Path) -> None:
    """Most projects have no such module in their lock."""
    assert own_imports([tmp_path / "missing"], ()) == OwnImports()


def test_what_is_not_read_is_named(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A file that is too large, no regular file, or past the limit is reported, since it may import the module."""
    (tmp_path / "a.py").write_text("import sdl2.sdlttf")
    os.mkfifo(tmp_path / "b.py")
    (tmp_path / "c.py").symlink_to("missing.py")  # no import finds it
    (tmp_path / ".#a.py").symlink_to("someone@host")  # Emacs
    (tmp_path / "gis.ipynb").write_text("{django.contrib.gis")
    result = own_imports([tmp_path], MODULES)
    assert result.modules == {OTHER}
    assert [line.partition(":")[0] for line in result.unread] == ["b.py", "gis.ipynb"]
    monkeypatch.setattr(limits, "OWN_SOURCES", 1)
    assert own_imports([tmp_path], MODULES).unread == ("b.py and later files: the project has too many Python files",)
    monkeypatch.setattr(limits, "OWN_BYTES", 0)
    result = own_imports([tmp_path], MODULES)
    assert result == OwnImports(unread=("a.py and later files: the project has too many Python files",))


def test_strings_need_not_count(tmp_path: Path) -> None:
    """The name of a module may be a word: then only imports count."""
    (tmp_path / "main.py").write_text('ANIMALS = ["turtle"]')
    assert own_imports([tmp_path], ["turtle"], strings=False) == OwnImports()
    (tmp_path / "main.py").write_text("import turtle")
    assert own_imports([tmp_path], ["turtle"], strings=False) == OwnImports(modules=frozenset({"turtle"}))
