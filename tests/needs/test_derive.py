"""What needs follow from the ELF files of a wheel: small made-up wheels, each with one property."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import NormalizedName, canonicalize_name

from nixpy.needs.derive import format_glibc, needs_of
from nixpy.needs.glibc import is_glibc
from nixpy.needs.model import ElfFile, Needs, RuntimeOpen, WheelFacts, reached
from nixpy.needs.roots import is_executable, is_extension
from opens import of_table, opening

X86, ARM = 62, 183
LOADER = "/lib64/ld-linux-x86-64.so.2"
MODULE = "demo/_core.cpython-312-x86_64-linux-gnu.so"


def elf(
    path: str,
    *needed: str,
    soname: str | None = None,
    program: bool = False,
    machine: int = X86,
    glibc: tuple[int, ...] | None = None,
) -> ElfFile:
    """Return one file; every real one needs libc too."""
    return ElfFile(
        path=path,
        machine=machine,
        needed=(*needed, "libc.so.6"),
        soname=soname,
        interpreter=LOADER if program else None,
        glibc=glibc,
    )


def needs(*files: ElfFile, name: str = "demo", machine: int | None = X86) -> Needs:
    """Derive the needs of a wheel with these files."""
    facts = WheelFacts(files=tuple(sorted(files, key=lambda f: f.path)), known="sha256")
    return needs_of(NormalizedName(name), facts, machine)


def names(found: Needs) -> list[str]:
    """Return the sonames without their first files."""
    return [soname for soname, _ in found.sonames]


def test_first_file_that_needs_a_soname() -> None:
    """Sonames are sorted, each with the first file by path that needs it; glibc's own are left out."""
    found = needs(elf("b.abi3.so", "libz.so.1", "libm.so.6"), elf("a.abi3.so", "libz.so.1", "libbz2.so.1"))
    assert found.sonames == (("libbz2.so.1", "a.abi3.so"), ("libz.so.1", "a.abi3.so"))
    assert found.optional == ()


def test_wheel_supplies_itself_by_soname_and_by_file_name() -> None:
    """A library in the wheel answers to its DT_SONAME and to its file name, wherever it lies."""
    found = needs(
        elf(MODULE, "libfoo.so.1", "libbar.so"),
        elf("demo.libs/libfoo-0123abcd.so.1.2", soname="libfoo.so.1"),
        elf("demo/deep/libbar.so"),
    )
    assert found.sonames == ()


def test_required_is_the_closure_of_modules_and_programs() -> None:
    """What a module or program reaches inside the wheel is required; what only a plugin needs is optional."""
    found = needs(
        elf(MODULE, "libone.so"),
        elf("demo/libone.so", "libtwo.so", "liba.so.1"),
        elf("demo/libtwo.so", "libone.so", "libb.so.1"),
        elf("demo/bin/tool", "libthree.so", program=True),
        elf("demo/libthree.so", "libc3.so.1"),
        elf("demo/plugins/sqldrivers/libqsqlmimer.so", "libmimerapi.so", "liba.so.1"),
    )
    assert names(found) == ["liba.so.1", "libb.so.1", "libc3.so.1", "libmimerapi.so"]
    assert found.optional == ("libmimerapi.so",)


@pytest.mark.parametrize(
    "files",
    [
        pytest.param([elf("lightgbm/lib/lib_lightgbm.so", "libgomp.so.1")], id="ctypes"),
        pytest.param([elf("nvidia/nvtx/lib/nvtx.so.1", "libgomp.so.1")], id="version in the name"),
        pytest.param([elf("x/lib/libx.so", "libgomp.so.1"), elf("x/bin/tool", program=True)], id="beside a program"),
    ],
)
def test_wheel_without_module_needs_its_libraries(files: list[ElfFile]) -> None:
    """Without extension module a wheel's libraries are opened by ctypes or a sibling: required."""
    found = needs(*files)
    assert names(found) == ["libgomp.so.1"]
    assert found.optional == ()


def test_wheel_with_modules_spares_libraries_that_nothing_links() -> None:
    """Beside extension modules, a library that none of them links is a plugin (onnxruntime's CUDA provider)."""
    found = needs(elf(MODULE, "libz.so.1"), elf("demo/libprovider_cuda.so", "libcudart.so.12"))
    assert found.optional == ("libcudart.so.12",)


def test_wheel_without_module_spares_plugins() -> None:
    """Of a wheel that only carries Qt, libraries and the window system are required, other plugins not."""
    files = [
        elf("PyQt6/Qt6/lib/libQt6Gui.so.6", "libEGL.so.1", soname="libQt6Gui.so.6"),
        elf("PyQt6/Qt6/plugins/sqldrivers/libqsqlpsql.so", "libpq.so.5"),
        elf("PyQt6/Qt6/qml/Qt/libdeclarative.so", "libqmlthing.so.1"),
        elf("PyQt6/Qt6/plugins/platforms/libqxcb.so", "libxcb-cursor.so.0"),
    ]
    found = needs(*files)
    assert found.likely == ()
    assert found.optional == ("libpq.so.5", "libqmlthing.so.1")
    assert {"libQt6Gui.so.6", "libqxcb.so"} <= set(found.provides)


def test_curated_patterns_make_modules_optional() -> None:
    """Numba works without its OpenMP and TBB pools, so what only these need is optional, in numba alone."""
    files = [
        elf("numba/_dispatcher.cpython-312-x86_64-linux-gnu.so", "libstdc++.so.6"),
        elf("numba/np/ufunc/omppool.cpython-312-x86_64-linux-gnu.so", "libgomp.so.1.0.0", "libstdc++.so.6"),
        elf("numba/np/ufunc/tbbpool.cpython-312-x86_64-linux-gnu.so", "libtbb.so.12"),
    ]
    assert needs(*files, name="numba").optional == ("libgomp.so.1.0.0", "libtbb.so.12")
    assert needs(*files, name="other").optional == ()


def test_an_optional_file_that_a_module_links_is_required() -> None:
    """A pattern only removes a root: what the loader must load for another module stays required."""
    pool = "numba/np/ufunc/omppool.cpython-312-x86_64-linux-gnu.so"
    found = needs(elf("numba/_x.abi3.so", pool.rpartition("/")[2]), elf(pool, "libgomp.so.1.0.0"), name="numba")
    assert found.optional == ()


def test_names_opened_at_run_time() -> None:
    """A package's curated sonames are listed, sorted, and not optional; one that the wheel ships is not."""
    assert needs(name="python-magic").dlopen == ("libmagic.so.1",)
    opened = needs(name="weasyprint").dlopen
    assert "libgobject-2.0.so.0" in opened
    assert list(opened) == sorted(opened)
    others = ("libSDL2_image-2.0.so.0", "libSDL2_ttf-2.0.so.0")
    assert needs(name="pysdl2").dlopen == ("libSDL2-2.0.so.0", *others)
    assert needs(elf("pysdl2/libSDL2-2.0.so.0"), name="pysdl2").dlopen == others
    plugin = [elf(MODULE), elf("magic/plugins/libp.so", "libmagic.so.1")]
    assert needs(*plugin).optional == ("libmagic.so.1",)
    assert needs(*plugin, name="python-magic").optional == ()


def _opened(*opens: RuntimeOpen, name: str = "demo", machine: int | None = X86) -> tuple[tuple[str, ...], ...]:
    files = (elf("demo/libown.so.1.2", soname="libown.so.1"),)
    facts = WheelFacts(files=files, known="sha256", opens=opens)
    return tuple(one.names for one in needs_of(canonicalize_name(name), facts, machine).opens)


def test_opens_of_other_systems_are_left_out() -> None:
    """The needs have what the code opens on this system, which is the only one they name."""
    opens = (opening("liba.so.1", systems=("x86_64-linux",)), opening("libb.so.1", systems=("aarch64-darwin",)))
    assert _opened(*opens) == (("liba.so.1",),)
    assert _opened(*opens, machine=ARM) == ()
    assert _opened(*opens, machine=None) == (("libb.so.1",),)
    (found,) = needs_of(canonicalize_name("a"), WheelFacts(files=(), known="sha256", opens=opens), X86).opens
    assert found.systems == ("x86_64-linux",)


@pytest.mark.parametrize("names", [("libown.so.1",), ("libown.so.1.2",), ("libz.so.1", "libown.so.1")])
def test_a_copy_in_the_wheel_serves(names: tuple[str, ...]) -> None:
    """A wheel needs no library of which it ships one of the names, by soname or file name, in whatever order."""
    assert _opened(opening(*names)) == ()


def test_rows_of_the_table_complete_the_files() -> None:
    """Sources and the table both stay; a row adds what no file shows."""
    opens = (opening("libmagic.so", "libmagic.so.1", path="magic/loader.py"), opening("libfoo.so.1"))
    assert _opened(*opens, name="python-magic") == (
        ("libmagic.so.1",),
        ("libmagic.so", "libmagic.so.1"),
        ("libfoo.so.1",),
    )


def test_what_counts_as_opened() -> None:
    """`dlopen` has the first name of each open, without possible ones and those of modules that nothing imports."""
    opens = (
        opening("libb.so.1", "libc.so.1"),
        opening("liba.so.1", certainty="likely"),
        opening("libd.so.1", certainty="possible"),
        opening("libe.so.1", module="demo.unused"),
        opening("libf.so.1", module="demo.low", modules=("demo.high", "demo.other")),
    )
    assert Needs(known="sha256", opens=opens).dlopen == ("liba.so.1", "libb.so.1")
    assert reached(opens) == opens[:3]
    assert reached(opens, {"demo.unused"}) == opens[:4]
    assert reached(opens, {"demo.low", "demo.highest"}) == opens[:3]
    assert reached(opens, {"demo.high.below"}) == (*opens[:3], opens[4])


def test_executables_are_programs_with_an_interpreter() -> None:
    """Programs are listed by path; libraries that carry an interpreter and static programs are not."""
    found = needs(
        elf("tool-1.data/scripts/tool", program=True),
        elf("demo/node", program=True),
        elf("demo/libQt6Core.so.6", program=True),
        elf("demo/libc.so", program=True),
        elf("demo/static"),
    )
    assert found.executables == ("demo/node", "tool-1.data/scripts/tool")


def test_provides_public_libraries() -> None:
    """Siblings find a library by DT_SONAME and file name; never a module, a program or a grafted copy."""
    found = needs(
        elf(MODULE, soname="libnot.so.1"),
        elf("demo/lib/libtbb.so.12.20", soname="libtbb.so.12"),
        elf("shiboken6/libshiboken6.abi3.so.6.12"),
        elf("demo/tool", program=True),
        elf("demo.libs/libz-0123abcd.so.1.3", soname="libz-0123abcd.so.1.3"),
        elf("demo.libs/libgfortran-040039e1-0352e75f.so.5.0.0"),
        elf("demo.libs/libopenblasp-r0-0123abcd.3.21.so"),
        elf("demo.libs/libpng16.0123abcd.so.16", soname="libpng16.so.16"),
    )
    assert found.provides == ("libshiboken6.abi3.so.6.12", "libtbb.so.12", "libtbb.so.12.20")


def test_machines_apart() -> None:
    """Only files of the machine asked for count, as needers, as suppliers and for the glibc floor."""
    files = (
        elf(MODULE, "libfoo.so.1", glibc=(2, 17)),
        elf("demo/libfoo.so.1", "libarm.so.1", machine=ARM, glibc=(2, 39)),
    )
    assert names(needs(*files)) == ["libfoo.so.1"]
    assert needs(*files).glibc == (2, 17)
    assert names(needs(*files, machine=ARM)) == ["libarm.so.1"]
    assert needs(*files, machine=3) == Needs(known="sha256")


def test_darwin_knows_only_what_is_opened() -> None:
    """Without ELF machine nothing but the curated names is told."""
    found = needs(elf(MODULE, "libz.so.1", glibc=(2, 17)), name="python-magic", machine=None)
    assert found == Needs(known="sha256", opens=of_table("libmagic.so.1", system="aarch64-darwin"))


def test_glibc_floor_is_the_highest_as_numbers() -> None:
    """2.2.5 < 2.9 < 2.14, and files without any do not count."""
    files = [elf(f"{n}.abi3.so", glibc=glibc) for n, glibc in enumerate([(2, 9), (2, 14), (2, 2, 5), None])]
    assert needs(*files).glibc == (2, 14)
    assert needs(elf(MODULE)).glibc is None
    assert format_glibc((2, 28)) == "2.28"
    assert format_glibc((2, 2, 5)) == "2.2.5"


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("numpy/_core.cpython-312-x86_64-linux-gnu.so", True),
        ("mpi4py/MPI.openmpi.cpython-312-x86_64-linux-gnu.so", True),
        ("30fcd23745efe32ce681__mypyc.cpython-313t-aarch64-linux-gnu.so", True),
        ("pkg/_rust.abi3.so", True),
        ("pkg/_rust.abi3t.so", True),
        ("pkg/_ext.pypy311-pp73-x86_64-linux-gnu.so", True),
        ("libfoo.cpython-312-x86_64-linux-gnu.so", True),
        ("_jpype.so", True),
        ("PySide6/QtCore.abi3.so", True),
        ("lightgbm/lib_lightgbm.so", False),
        ("pkg/libfoo.so", False),
        ("shiboken6/libshiboken6.abi3.so.6.12", False),
        ("nvidia/lib/nvtx.so.1", False),
        ("pkg/not-a-module.so", False),
        ("pkg/ELF", False),
    ],
)
def test_extension_modules_by_name(path: str, expected: bool) -> None:
    """Tagged names and plain importable names are modules; `lib…` and versioned names are libraries."""
    assert is_extension(path) is expected


def test_unreadable_files() -> None:
    """A file that nixpy cannot read is named, except on macOS, and supplies its file name to the others."""
    facts = WheelFacts(files=(elf(MODULE, "libown.so.1"),), known="sha256", unreadable=("demo/libown.so.1",))
    found = needs_of(NormalizedName("demo"), facts, X86)
    assert (found.unreadable, found.sonames) == (("demo/libown.so.1",), ())
    assert needs_of(NormalizedName("demo"), facts, None).unreadable == ()


@st.composite
def wheels(draw: st.DrawFn) -> tuple[ElfFile, ...]:
    """Small wheels in which names meet often."""
    paths = ["_a.abi3.so", "_b.so", "libc1.so", "plugins/libd.so.1", "bin/tool", "x.libs/libz-0123abcd.so.1"]
    sonames = ["libc1.so", "libd.so.1", "libz.so.1", "libz-0123abcd.so.1", "libm.so.6", "libx.so.2"]
    return tuple(
        ElfFile(
            path=path,
            machine=draw(st.sampled_from((X86, ARM))),
            needed=tuple(draw(st.lists(st.sampled_from(sonames), max_size=4))),
            soname=draw(st.none() | st.sampled_from(sonames)),
            interpreter=draw(st.none() | st.just(LOADER)),
        )
        for path in sorted(draw(st.sets(st.sampled_from(paths))))
    )


@given(wheels())
def test_laws(files: tuple[ElfFile, ...]) -> None:
    """Always: nothing of glibc or of the wheel is asked for, optional is a part, and the needer needs it."""
    found = needs(*files)
    mine = [file for file in files if file.machine == X86]
    own = {file.path.rpartition("/")[2] for file in mine} | {file.soname for file in mine}
    by_path = {file.path: file for file in mine}
    for soname, path in found.sonames:
        assert soname not in own
        assert not is_glibc(soname)
        assert soname in by_path[path].needed
    assert set(found.optional) <= set(names(found))
    assert list(found.sonames) == sorted(found.sonames)
    assert set(found.provides) <= own
    assert set(found.executables) == {file.path for file in mine if is_executable(file)}


def test_a_file_that_the_package_works_without_opens_nothing_likely() -> None:
    """A row `optional-files` of the table makes what such a file opens possible; other files keep theirs."""
    opens = (
        opening("libusb-0.1.so.4", certainty="likely", path="usb/backend/libusb0.py"),
        opening("libusb-1.0.so.0", certainty="likely", path="usb/backend/libusb1.py"),
    )
    facts = WheelFacts(files=(), known="sha256", opens=opens)
    found = needs_of(canonicalize_name("pyusb"), facts, X86).opens
    shown = {one.names[0]: one.certainty for one in found if one.evidence == "source"}
    assert shown == {"libusb-0.1.so.4": "possible", "libusb-1.0.so.0": "likely"}
