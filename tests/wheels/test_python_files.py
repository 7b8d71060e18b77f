"""Which Python sources of a wheel are read, and what comes of them."""

from __future__ import annotations

import pytest

from nixpy.core import limits
from nixpy.needs.sources.read import read_sources
from nixpy.wheels import python_files
from nixpy.wheels.archive import Member
from nixpy.wheels.facts import read_facts
from wheels.test_elf_files import Memory

OPENS = b"import ctypes\n\nctypes.CDLL('libdemo.so.1')\n"


def member(path: str, size: int = 1) -> Member:
    return Member(path, size, executable=False)


def test_sources_stubs_and_entry_points_are_read() -> None:
    """Sources, the stubs of packages and entry points are read; tests and other files are not."""
    read = ["a/__init__.py", "a/__init__.pyi", "a/b.py", "a-1.data/purelib/c.py", "a-1.dist-info/entry_points.txt"]
    other = ["a/b.pyi", "a/tests/test_b.py", "a/b.txt", "a/\x1b.py", "entry_points.txt", "a/entry_points.txt", "b.pyc"]
    found = python_files.candidates(map(member, [*read, *other]))
    assert (found.paths, found.size, found.past_limits) == (frozenset(read), len(read), ())


def test_source_past_the_limit() -> None:
    """A source that is too large is not read, and named as a file that nixpy cannot read; others are only left out."""
    size = limits.SOURCE + 1
    large = ["a.py", "a/__init__.pyi", "test_a.py", "a-1.dist-info/entry_points.txt"]
    found = python_files.candidates([*(member(path, size) for path in large), member("b.py")])
    assert (found.paths, found.past_limits) == (frozenset({"b.py"}), ("a.py",))


def test_too_many_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """Sources that are too large together are read up to the limit, and the rest is named."""
    monkeypatch.setattr(limits, "SOURCES", 100)
    archive = Memory({f"{name}.py": b"import six.moves\n" * 2 for name in "abcd"})
    facts = read_facts(archive, sources=True)
    assert sorted(archive.reads) == ["a.py", "b.py"]
    assert (facts.unreadable, facts.imports) == (("c.py", "d.py"), ("six.moves",))


def test_facts_of_sources(monkeypatch: pytest.MonkeyPatch) -> None:
    """The reader gets all sources with the modules of the programs, and its answer is among the facts."""
    files = {
        "a/__init__.py": OPENS,
        "a/cli.py": b"from six import moves\n",
        "a-1.dist-info/entry_points.txt": b"[console_scripts]\na = a.cli:main\n[gui_scripts]\nb=a.gui : main [x]\n"
        b"[other]\nc = a.other:main\n",
    }
    asked = []

    def remember(*arguments: object) -> object:
        asked.append(arguments)
        return read_sources(*arguments)  # type: ignore[arg-type]

    monkeypatch.setattr("nixpy.wheels.python_files.read_sources", remember)
    facts = read_facts(Memory(files), sources=True)
    ((sources, programs, members, plugins),) = asked
    assert sources == {path: data for path, data in files.items() if path.endswith(".py")}
    assert programs == ["a.cli", "a.gui"]
    assert plugins == ["a.other"]
    assert members == list(files)
    assert facts.imports == ("six.moves",)


def test_sources_are_not_asked_for() -> None:
    """Without `sources`, no source is read and none is known."""
    archive = Memory({"a/__init__.py": OPENS})
    facts = read_facts(archive)
    assert (archive.reads, facts.opens, facts.imports) == ([], (), ())


@pytest.mark.parametrize(
    "content",
    [b"\xff\xfe\x00", b"# coding: no-such\n", b"(" * 100_000, b"import ctypes\n" + b"x = " + b"-" * 100_000 + b"1\n"],
    ids=["bytes", "codec", "brackets", "operators"],
)
def test_hostile_source(content: bytes) -> None:
    """A source that Python cannot read opens nothing and stops nothing."""
    facts = read_facts(Memory({"a.py": content, "b.py": b"import six.moves\n"}), sources=True)
    assert (facts.opens, facts.imports) == ((), ("six.moves",))
