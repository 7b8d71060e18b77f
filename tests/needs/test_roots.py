"""Which files of a wheel are opened: small made-up wheels, each with one kind of root."""

from __future__ import annotations

import pytest
from packaging.utils import NormalizedName

from nixpy.needs.derive import needs_of
from nixpy.needs.model import Certainty, ElfFile, Evidence, Needs, RuntimeOpen, WheelFacts
from nixpy.needs.sources.read import read_sources

X86 = 62
MODULE = "demo/_core.cpython-313-x86_64-linux-gnu.so"


def elf(path: str, *needed: str, soname: str | None = None, program: bool = False) -> ElfFile:
    """Return one file."""
    interpreter = "/lib64/ld-linux-x86-64.so.2" if program else None
    return ElfFile(path=path, machine=X86, needed=needed, soname=soname, interpreter=interpreter)


def opens(
    path: str, *names: str, evidence: Evidence = "strings", certainty: Certainty = "possible", module: str | None = None
) -> RuntimeOpen:
    """Return what a file opens."""
    return RuntimeOpen(
        names=names, evidence=evidence, certainty=certainty, path=path, module=module, systems=("x86_64-linux",)
    )


def needs(*found: ElfFile | RuntimeOpen, name: str = "demo") -> Needs:
    """Derive the needs of a wheel."""
    files = tuple(sorted((one for one in found if isinstance(one, ElfFile)), key=lambda file: file.path))
    opened = tuple(one for one in found if isinstance(one, RuntimeOpen))
    return needs_of(NormalizedName(name), WheelFacts(files=files, known="sha256", opens=opened), X86)


def required(found: Needs) -> set[str]:
    """Return the sonames that a wheel requires."""
    return {soname for soname, _ in found.sonames} - {*found.likely, *found.optional}


PLUGIN = elf("demo/libplugin.so", "libdeep.so", "libz.so.1")
DEEP = elf("demo/libdeep.so", "libbz2.so.1")


def test_a_library_that_nothing_names_is_optional() -> None:
    """Beside an extension module, a library that no file links to or names may never be opened."""
    assert needs(elf(MODULE), PLUGIN, DEEP).optional == ("libbz2.so.1", "libz.so.1")


def test_a_string_with_the_name_of_an_own_file_opens_it() -> None:
    """A file that is opened has the name of another file of the wheel: OpenVINO's plugins, torch's libcaffe2_nvrtc."""
    found = needs(elf(MODULE, "libengine.so"), elf("demo/libengine.so"), PLUGIN, DEEP, opens(MODULE, "libplugin.so"))
    assert (found.likely, found.optional, found.dlopen) == (("libbz2.so.1", "libz.so.1"), (), ())
    engine = opens("demo/libengine.so", "libplugin.so")
    assert needs(elf(MODULE, "libengine.so"), elf("demo/libengine.so"), PLUGIN, DEEP, engine).likely == found.likely
    # A file that nothing opens opens nothing.
    assert needs(elf(MODULE), elf("demo/libengine.so"), PLUGIN, DEEP, engine).likely == ()


def test_plugins_open_plugins() -> None:
    """A plugin that is opened opens the next one."""
    found = needs(
        elf(MODULE),
        elf("demo/libone.so"),
        elf("demo/libtwo.so", "libz.so.1"),
        opens(MODULE, "libone.so"),
        opens("demo/libone.so", "libtwo.so"),
    )
    assert found.likely == ("libz.so.1",)


def test_of_several_names_the_first_in_the_wheel_counts() -> None:
    """The alternatives of one open are one root."""
    others = (elf("demo/liba.so", "liba.so.1"), elf("demo/libb.so", "libb.so.1"))
    found = needs(elf(MODULE), *others, opens(MODULE, "libmissing.so", "liba.so", "libb.so", certainty="likely"))
    assert (found.likely, found.optional) == (("liba.so.1",), ("libb.so.1",))


@pytest.mark.parametrize(
    ("one", "expected"),
    [
        (opens("demo/a.py", "libplugin.so", evidence="source", certainty="certain"), "required"),
        (opens("demo/a.py", "libplugin.so", evidence="source", certainty="likely"), "likely"),
        (opens("demo/a.py", "libplugin.so", evidence="source", certainty="possible"), "optional"),
        (opens("demo/a.py", "libplugin.so", evidence="source", certainty="likely", module="demo.a"), "optional"),
        (opens("demo/a.py", "libother.so", evidence="source", certainty="certain"), "optional"),
        (opens(MODULE, "libplugin.so", evidence="note", certainty="likely"), "likely"),
    ],
    ids=["at import", "in a function", "in a script", "in a module that nothing imports", "another name", "note"],
)
def test_certainty_of_the_open_is_that_of_the_links(one: RuntimeOpen, expected: str) -> None:
    """What a file links to is as necessary as it is certain that the file is opened."""
    found = needs(elf(MODULE), PLUGIN, DEEP, one)
    parts = {"required": required(found), "likely": {*found.likely}, "optional": {*found.optional}}
    assert parts.pop(expected) == {"libbz2.so.1", "libz.so.1"}
    assert not set().union(*parts.values())


def test_what_a_module_links_to_stays_required() -> None:
    """A library that a plugin and a module need is required."""
    found = needs(elf(MODULE, "libz.so.1"), PLUGIN, DEEP, opens(MODULE, "libplugin.so"))
    assert (required(found), found.likely) == ({"libz.so.1"}, ("libbz2.so.1",))


def test_rows_of_a_package_win() -> None:
    """A file that a row calls optional is no root, even if a string or a folder says otherwise."""
    name = "numba/np/ufunc/tbbpool.cpython-313-x86_64-linux-gnu.so"
    found = needs(elf("numba/_x.abi3.so"), elf(name, "libtbb.so.12"), opens("numba/_x.abi3.so", name), name="numba")
    assert found.optional == ("libtbb.so.12",)


def test_plugins_by_their_folder() -> None:
    """The table of folders says what a loader opens; the plugins link to its library."""
    files = [
        elf("demo/lib/libloader.so"),
        elf("demo/lib/plugins/libfilter.so", "libfilter.so.1", "libloader.so"),
        elf("demo/lib/plugins/libother.so", "libother.so.1"),
        elf("demo/Qt/plugins/platforms/libqxcb.so", "libxcb.so.1"),
        elf("demo/Qt/plugins/imageformats/libqtiff.so", "libtiff.so.6", "libloader.so"),
        elf("demo/Qt/plugins/sqldrivers/libqsqlpsql.so", "libpq.so.5"),
    ]
    for found in (needs(*files), needs(elf(MODULE), *files)):
        assert required(found) == {"libxcb.so.1"}
        assert found.likely == ("libfilter.so.1", "libtiff.so.6")
        assert found.optional == ("libother.so.1", "libpq.so.5")


OPENING = """
import ctypes, os, pathlib, sys
folder = os.path.dirname(__file__)
{}
"""


@pytest.mark.parametrize(
    ("code", "expected"),
    [
        ("ctypes.CDLL(os.path.join(folder, 'libplugin.so'))", "required"),
        ("ctypes.CDLL(str(pathlib.Path(__file__).parent / 'libplugin.so'))", "required"),
        ("for name in ('deep', 'plugin'):\n    ctypes.CDLL(f'{folder}/lib{name}.so')", "required"),
        ("def start():\n    return ctypes.CDLL(folder + '/libplugin.so')", "likely"),
        ("try:\n    ctypes.CDLL(folder + '/libplugin.so')\nexcept OSError:\n    pass", "likely"),
        ("if sys.platform == 'darwin':\n    ctypes.CDLL(folder + '/libplugin.so')", "optional"),
        ("ctypes.CDLL(folder + '/libmissing.so')", "optional"),
    ],
    ids=["at import", "pathlib", "loop", "in a function", "guarded", "another system", "another file"],
)
def test_sources_open_files_of_the_wheel(code: str, expected: str) -> None:
    """The path in a call of ctypes is that of a library beside the source."""
    members = ["demo/__init__.py", MODULE, PLUGIN.path, DEEP.path]
    source = OPENING.format(code).encode()
    opened, _ = read_sources({"demo/__init__.py": source}, (), members)
    found = needs(elf(MODULE), PLUGIN, DEEP, *opened)
    parts = {"required": required(found), "likely": {*found.likely}, "optional": {*found.optional}}
    assert parts.pop(expected) == {"libbz2.so.1", "libz.so.1"}
    assert not set().union(*parts.values())
    assert found.opens == ()


def test_own_file_for_another_machine() -> None:
    """A file of the wheel that is none for this machine is no library that the wheel lacks."""
    one = opens("demo/a.py", "./demo/libwindows.so", evidence="source", certainty="certain")
    assert needs(elf(MODULE), one).opens == ()


def test_what_an_unopened_file_opens_is_possible() -> None:
    """A component in a library that nothing opens does no work."""
    one = opens(PLUGIN.path, "libX11.so.6", certainty="likely")
    assert [each.certainty for each in needs(elf(MODULE), PLUGIN, one).opens] == ["possible"]
    named = opens(MODULE, "libplugin.so")
    assert [each.certainty for each in needs(elf(MODULE), PLUGIN, one, named).opens] == ["likely"]


PYTHON = ["_bisect", "_bz2", "_csv", "_ctypes", "_curses", "_datetime", "_hashlib", "_json", "_socket", "_ssl", "_uuid"]


def test_a_copy_of_the_modules_of_python_is_no_part() -> None:
    """Panda3d ships them for the programs that its command makes, with the libraries that these need."""
    copies = [elf(f"deploy_libs/{name}.cpython-313-x86_64-linux-gnu.so", "libssl.so.3") for name in PYTHON]
    library = elf("deploy_libs/libgpm.so.2", "libgpm-deep.so", soname="libgpm.so.2")
    string = opens("deploy_libs/libgpm.so.2", "libsqlite3.so", certainty="likely")
    found = needs(elf(MODULE, "libz.so.1"), *copies, library, string)
    assert (found.sonames, found.optional, found.provides, found.opens) == ((("libz.so.1", MODULE),), (), (), ())
    # Some of these names are those of modules of a package, such as pyarrow._csv.
    assert required(needs(*copies[:5])) == {"libssl.so.3"}


@pytest.mark.parametrize(
    "file",
    [
        elf("demo/tests/data/libold.so", "libneeded.so.1"),
        elf("demo/test/_data.abi3.so", "libneeded.so.1"),
        elf("demo/tests/program", "libneeded.so.1", program=True),
        elf("demo/musl/libdemo.so", "libneeded.so.1", "libc.musl-x86_64.so.1"),
        elf("demo/musl/_core.abi3.so", "libneeded.so.1", "libc.musl-x86_64.so.1"),
    ],
    ids=["library of a test", "module of a test", "program of a test", "library for musl", "module for musl"],
)
def test_tests_and_other_systems_are_no_part(file: ElfFile) -> None:
    """A user of the package opens none of these files."""
    found = needs(elf(MODULE, "libz.so.1"), file)
    assert (found.sonames, found.optional) == ((("libz.so.1", MODULE),), ())


def test_a_shipped_file_that_a_module_links_to_is_a_part() -> None:
    """The loader opens it, wherever it is."""
    found = needs(elf(MODULE, "libold.so"), elf("demo/tests/libold.so", "libz.so.1"))
    assert required(found) == {"libz.so.1"}
