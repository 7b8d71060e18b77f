"""setup.py and setup.cfg: what is written out is read, what would have to be run is known not to be known."""

from __future__ import annotations

import time
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import shop
from nixpy.core.errors import NixpyError
from nixpy.project import project, setup_files
from nixpy.project.managers import manager
from runner import Nixpy

WRITTEN_OUT = """\
import setuptools
from os import path

VERSION: str = "1.0"
REQUIRED = ["gamma>=1", "alpha; sys_platform == 'linux'"]
setuptools.setup(
    name="Demo.App",
    version=VERSION,
    install_requires=REQUIRED,
    extras_require={"more": "beta"},
    entry_points={"console_scripts": ["demo = demo.cli:main"]},
    long_description=open("README.md").read(),
)
"""


def write(folder: Path, **files: str) -> Path:
    for name, text in files.items():
        (folder / f"setup.{name}").write_text(text)
    return folder


def read(folder: Path, **files: str) -> setup_files.Setup:
    found = setup_files.read(write(folder, **files))
    assert found is not None
    return found


def test_what_is_written_out_is_read(tmp_path: Path) -> None:
    """Literals are read, also through a variable that is set once; code is opaque, and all else is not there."""
    found = read(tmp_path, py=WRITTEN_OUT)
    assert (found.text("name"), found.text("version"), found.text("url")) == ("Demo.App", "1.0", None)
    assert found.lines("install_requires") == ("gamma>=1", "alpha; sys_platform == 'linux'")
    assert found.table("extras_require") == {"more": ("beta",)}
    assert found.table("entry_points") == {"console_scripts": ("demo = demo.cli:main",)}
    assert found.opaque == {"long_description"}
    assert found.lines("scripts") == ()


@pytest.mark.parametrize(
    "text",
    [
        "from setuptools import setup\nsetup(install_requires=open('requirements.txt').read().split())\n",
        "from setuptools import setup\nsetup(**arguments)\n",
        "from setuptools import setup\nname = ['a']\nname += ['b']\nsetup(install_requires=name)\n",
        "from setuptools import setup\nif posix:\n    setup(install_requires=['a'])\nelse:\n    setup()\n",
        "from setuptools import setup\nsetup(install_requires={'a'})\n",
        "import helper\nhelper.run()\n",
        "from setuptools import setup\nsetup(install_requires={[]: 1})\n",
    ],
)
def test_what_a_program_works_out_is_not_guessed(tmp_path: Path, text: str) -> None:
    """Where the dependencies are code, or may be set out of sight, they are an error that names a way out."""
    with pytest.raises(NixpyError, match="only setuptools can compute") as caught:
        read(tmp_path, py=text).dependencies()
    assert f"uv pip compile --universal {tmp_path}/setup.py" in str(caught.value.hint)


def test_setup_py_comes_before_setup_cfg(tmp_path: Path) -> None:
    """What setup.py says or works out is not taken from setup.cfg, the rest is; `attr:` and `file:` tell no value."""
    config = """\
[metadata]
name = other
version = attr: demo.__version__
home-page = https://example.org
[options]
install_requires =
    # a comment
    gamma
    alpha>=1
scripts = bin/one, bin/two
[options.entry_points]
console_scripts =
    demo = demo:main
"""
    found = read(tmp_path, py="from setuptools import setup\nsetup(name='demo', description=words())\n", cfg=config)
    assert found.text("name") == "demo"
    assert found.is_opaque("description")
    assert found.is_opaque("version")
    assert found.elsewhere == {"version": "attr: demo.__version__"}
    assert found.text("url") == "https://example.org"
    assert found.lines("install_requires") == ("gamma", "alpha>=1")
    assert found.lines("scripts") == ("bin/one", "bin/two")
    assert found.table("entry_points") == {"console_scripts": ("demo = demo:main",)}


def test_nothing_is_run(tmp_path: Path) -> None:
    """A setup.py that would write a file when it is run does not."""
    trap = tmp_path / "trap"
    found = read(tmp_path, py=f"open({str(trap)!r}, 'w')\nfrom setuptools import setup\nsetup(name='demo')\n")
    assert found.text("name") == "demo"
    assert not trap.exists()


@pytest.mark.parametrize(
    ("files", "name", "line", "words"),
    [
        ({"py": "print 'hello'\n"}, "setup.py", 1, "not valid Python 3"),
        ({"py": "from setuptools import setup\nsetup(\n  install_requires=['a b'])\n"}, "setup.py", 3, "`a b` is not"),
        ({"cfg": "[options]\ninstall_requires =\n  a\n  b=1\n"}, "setup.cfg", 4, "`b=1` is not"),
        ({"cfg": "[options]\npython_requires = three\n"}, "setup.cfg", 2, "not a version specifier"),
        ({"cfg": "name = x\n"}, "setup.cfg", 1, "this file is not a valid setup.cfg"),
    ],
)
def test_what_is_wrong_is_named_with_its_line(
    tmp_path: Path, nixpy: Nixpy, files: dict[str, str], name: str, line: int, words: str
) -> None:
    """A file that cannot be read, or holds what is no requirement, is one error with its place; nothing is written."""
    write(tmp_path, **files)
    ran = nixpy("init", tmp_path, "--style", "loader")
    assert ran.status == 2
    assert f"{name}:{line}: " in ran.err
    assert words in ran.err
    assert {path.name for path in tmp_path.iterdir()} == {f"setup.{name}" for name in files}


@given(st.text())
def test_any_text_is_read_or_refused(tmp_path_factory: pytest.TempPathFactory, text: str) -> None:
    """Whatever stands in them, reading ends with a value or with nixpy's own error."""
    folder = tmp_path_factory.mktemp("any")
    for files in ({"py": text}, {"cfg": text}, {"py": f"setup(name={text!r})", "cfg": f"[metadata]\n{text}"}):
        for name, content in files.items():
            (folder / f"setup.{name}").write_bytes(content.encode("utf-8", "surrogatepass"))
        try:
            found = setup_files.read(folder)
            _ = found and found.dependencies()
        except NixpyError:
            continue


def test_such_a_project_has_a_shell(tmp_path: Path, nixpy: Nixpy) -> None:
    """With setup.py alone the project is analysed, installed into .venv in place, and stale once a dependency came."""
    write(tmp_path, py=WRITTEN_OUT)
    assert nixpy("init", tmp_path, "--style", "loader", "--python", shop.PYTHON).status == 0
    assert '"libstdc++.so.6" = pkgs.stdenv.cc.cc.lib; # alpha' in (tmp_path / "nixpy.nix").read_text()
    found = project.read(tmp_path)
    filled = manager(found, "uv")
    assert filled is not None
    assert (filled.fill[-2:], filled.files) == (("-e", "."), ("setup.py",))
    assert nixpy("check", tmp_path).status == 0
    write(tmp_path, py=WRITTEN_OUT.replace('"gamma>=1"', '"gamma>=1", "delta"'))
    ran = nixpy("check", tmp_path)
    assert ran.status == 1
    assert "the requirements in setup.py changed" in ran.out


def test_setup_files_take_linear_time(tmp_path: Path) -> None:
    """A setup.py of 20,000 assignments is read, and a setup.cfg with a long run of blanks is refused, in seconds."""
    start = time.thread_time()
    lines = [f"a{number} = {number}" for number in range(20_000)]
    (tmp_path / "setup.py").write_text("\n".join([*lines, "setup(name='demo', install_requires=['six'])"]))
    assert setup_files.read(tmp_path) is not None
    (tmp_path / "setup.cfg").write_text("[metadata]\nname" + " " * 100_000 + "x\n")
    with pytest.raises(NixpyError, match="blanks in a row") as caught:
        setup_files.read(tmp_path)
    assert (caught.value.path, caught.value.line) == (tmp_path / "setup.cfg", 2)
    assert time.thread_time() - start < 5
