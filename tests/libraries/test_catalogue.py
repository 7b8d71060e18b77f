"""The table of sonames is strict, and it answers what real wheels ask."""

from __future__ import annotations

from itertools import pairwise
from pathlib import Path

import pytest

from nixpy.core.errors import NixpyError
from nixpy.libraries.catalogue import Catalogue, catalogue, load_patterns, load_sonames
from nixpy.nixpkgs.expression import attributes

SONAMES = "soname,provider,expression,darwin,note\n"
PATTERNS = "regex,provider,expression,note\n"


def write(path: Path, text: str) -> Path:
    path.write_text(text, encoding="utf-8")
    return path


@pytest.mark.parametrize(
    ("row", "line", "message"),
    [
        ("liba.so.1,nixpkgs,pkgs.a,,\nliba.so.1,nixpkgs,pkgs.b,,\n", 3, "twice"),
        ("libb.so.1,nixpkgs,pkgs.b,,\nliba.so.1,nixpkgs,pkgs.a,,\n", 3, "comes after"),
        ("libZ.so,nixpkgs,pkgs.a,,\nlib_.so,nixpkgs,pkgs.a,,\nliba.so,apt,,,\n", 4, "unknown provider 'apt'"),
        ("libc.so.6,glibc,,,\n", 2, "is part of glibc"),
        ("liba.so.1,glibc,,,\n", 2, "unknown provider"),
        ("liba.so.1,nixpkgs,pkgs.a,\n", 2, "4 columns instead of 5"),
        ("liba.so.1,nixpkgs,pkgs.a,,,\n", 2, "6 columns instead of 5"),
        ("liba.so.1,nixpkgs,pkgs.a\n\n", 2, "3 columns instead of 5"),
        ("liba.so.1,nixpkgs,,,\n", 2, "nixpkgs"),
        ("liba.so.1,none,pkgs.a,,gone\n", 2, "none"),
        ("liba.so.1,none,,,\n", 2, "without a note"),
        ("liba.so.1,sibling-wheel,,,\n", 2, "without a note"),
        ("liba.so.1,nixpkgs,zlib,,\n", 2, "'zlib' is not pkgs.a.b"),
        ("liba.so.1,nixpkgs,pkgs.a or pkgs.b,,\n", 2, "is not pkgs.a.b"),
        ("liba.so.1,nixpkgs,pkgs.with,,\n", 2, "a word of the Nix language"),
        ("lib a.so,nixpkgs,pkgs.a,,\n", 2, "is not a soname"),
        ("/lib/liba.so,nixpkgs,pkgs.a,,\n", 2, "is not a soname"),
        (",nixpkgs,pkgs.a,,\n", 2, "is not a soname"),
        ("liba.so.1,nixpkgs,pkgs.a,no,\n", 2, "darwin is 'no'"),
    ],
)
def test_a_bad_row_is_named_by_file_and_line(tmp_path: Path, row: str, line: int, message: str) -> None:
    """Each way to write a row wrong is an error that names the file, the line and the way out."""
    path = write(tmp_path / "sonames.csv", SONAMES + row)
    with pytest.raises(NixpyError, match=message) as caught:
        load_sonames(path)
    assert (caught.value.path, caught.value.line) == (path, line)
    assert caught.value.hint


@pytest.mark.parametrize("text", ["", "soname,provider,expression,note\n", "liba.so.1,nixpkgs,pkgs.a,,\n"])
def test_a_table_with_other_columns_is_refused(tmp_path: Path, text: str) -> None:
    """A missing, renamed or absent header is an error of the first line."""
    with pytest.raises(NixpyError, match="columns") as caught:
        load_sonames(write(tmp_path / "sonames.csv", text))
    assert caught.value.line == 1


def test_a_table_that_is_no_csv_is_refused(tmp_path: Path) -> None:
    """An unclosed quote and bytes outside UTF-8 are errors, not half a table."""
    with pytest.raises(NixpyError, match="CSV"):
        load_sonames(write(tmp_path / "quote.csv", SONAMES + 'liba.so.1,none,,,"gone\n'))
    (tmp_path / "latin.csv").write_bytes(SONAMES.encode() + b"liba.so.1,none,,,gr\xfc\xdfe\n")
    with pytest.raises(NixpyError, match="UTF-8"):
        load_sonames(tmp_path / "latin.csv")


@pytest.mark.parametrize(
    ("row", "message"),
    [
        (r"liba\.so$,none,,gone", "matches parts"),
        (r"^liba\.so,none,,gone", "matches parts"),
        (r"^lib(a$,none,,gone", "not a regular expression"),
        (r"^liba$,apt,,", "unknown provider"),
        (r"^liba$,nixpkgs,,", "nixpkgs"),
        (r"^liba$,none,pkgs.a,gone", "none"),
        (r"^liba$,none,,", "without a note"),
        (r"^lib(\d)$,nixpkgs,pkgs.a\2,", "group"),
        (r"^liba$,nixpkgs,pkgs.a\1,", "group"),
        (r"^lib(\d)$,nixpkgs,a\1,", "is not pkgs.a.b"),
        (r"^liba$,none,gone", "3 columns"),
    ],
)
def test_a_bad_pattern_is_named_by_file_and_line(tmp_path: Path, row: str, message: str) -> None:
    """Each way to write a pattern wrong is an error that names the file and the line."""
    path = write(tmp_path / "patterns.csv", PATTERNS + "^libfine$,none,,gone\n" + row + "\n")
    with pytest.raises(NixpyError, match=message) as caught:
        load_patterns(path)
    assert (caught.value.path, caught.value.line) == (path, 3)


def test_a_row_wins_over_patterns_and_the_first_pattern_over_later_ones(tmp_path: Path) -> None:
    """The more precise statement is believed, and among patterns the order decides."""
    table = Catalogue(
        write(tmp_path / "sonames.csv", SONAMES + "libqa.so,nixpkgs,pkgs.a,yes,\n"),
        write(
            tmp_path / "patterns.csv",
            PATTERNS + "^libq[a-m]\\.so$,sibling-wheel,,first\n^libq([a-z])\\.so$,nixpkgs,pkgs.q\\1,second\n",
        ),
    )
    row, first, second = table.find("libqa.so"), table.find("libqb.so"), table.find("libqz.so")
    assert row
    assert (row.provider, row.expression, row.attribute, row.darwin) == ("nixpkgs", "pkgs.a", "a", True)
    assert first
    assert (first.provider, first.expression, first.note) == ("sibling-wheel", None, "first")
    assert second
    assert (second.provider, second.expression, second.attribute) == ("nixpkgs", "pkgs.qz", "qz")
    assert table.find("libqa.so.1") is None
    assert table.find("xlibqb.so") is None


@pytest.mark.parametrize(
    ("expression", "paths"),
    [
        ("pkgs.zlib", ("zlib",)),
        ("pkgs.stdenv.cc.cc.lib", ("stdenv.cc.cc.lib",)),
        ("(pkgs.libx11 or pkgs.xorg.libX11)", ("libx11", "xorg.libX11")),
        ("(pkgs.a or pkgs.b or pkgs.c-d_1)", ("a", "b", "c-d_1")),
    ],
)
def test_an_expression_is_read_as_its_attribute_paths(expression: str, paths: tuple[str, ...]) -> None:
    """The attributes are those that Nix would try, in its order."""
    assert attributes(expression) == paths


@pytest.mark.parametrize(
    "expression",
    [
        "",
        "pkgs",
        "pkgs.",
        "pkgs.a.",
        "pkgs..a",
        "(pkgs.a)",
        "(pkgs.a or b)",
        "(pkgs.a  or pkgs.b)",
        "((pkgs.a or pkgs.b))",
        "pkgs.a; rm",
        "pkgs.a ++ pkgs.b",
        "pkgs.${a}",
        'pkgs."a"',
        "pkgs.1a",
        "pkgs.a\n",
        "import ./x",
        "pkgs.let",
    ],
)
def test_nothing_but_attribute_paths_is_an_expression(expression: str) -> None:
    """No other Nix gets through, so a table or a setting cannot smuggle any into a generated file."""
    with pytest.raises(ValueError, match=r"is not pkgs|a word of"):
        attributes(expression)


def test_every_row_and_every_pattern_that_we_ship_is_well_formed() -> None:
    """Both tables pass the strict loaders, and every expression is one of the grammar."""
    table = catalogue()
    assert len(table.entries) > 400
    assert all(earlier < later for earlier, later in pairwise(table.entries))
    for soname, entry in table.entries.items():
        assert entry.soname == soname
        assert (entry.expression is not None) == (entry.provider == "nixpkgs")
        if entry.expression:
            assert entry.attribute == attributes(entry.expression)[0]
    assert len(table.patterns) > 10


def test_the_old_xorg_names_come_last() -> None:
    """The xorg set gives warnings on newer releases, so its names stand after `or` alone."""
    for soname, entry in catalogue().entries.items():
        first, *rest = attributes(entry.expression) if entry.expression else ("",)
        assert not first.startswith("xorg."), soname
        if any(path.startswith("xorg.") for path in rest):
            assert first == first.lower(), soname


# What the newest wheels of well-known packages ask of the system, read from their ELF headers by other tools.
ASKED = {
    "numpy scipy pandas and most others": "libgcc_s.so.1 libstdc++.so.6",
    "psycopg2-binary pillow h5py opencv-python-headless": "libz.so.1",
    "fiona rasterio": "libexpat.so.1",
    "opencv-python pygame": "libGL.so.1 libglib-2.0.so.0 libgthread-2.0.so.0 libX11.so.6 libxcb.so.1",
    "opencv-python's plugins": "libSM.so.6 libICE.so.6 libXext.so.6",
    "playwright": "libatomic.so.1",
    "numba": "libtbb.so.12 libgomp.so.1 libgomp.so.1.0.0",
    "pyside6": "libEGL.so.1 libdbus-1.so.3 libfontconfig.so.1 libfreetype.so.6 libgssapi_krb5.so.2"
    " libzstd.so.1 libbrotlidec.so.1 libbrotlicommon.so.1 libpcsclite.so.1 libpulse.so.0 libxkbcommon.so.0",
    "qt's plugins": "libxcb-cursor.so.0 libxcb-icccm.so.4 libxcb-image.so.0 libxcb-keysyms.so.1"
    " libxcb-util.so.1 libxcb-render-util.so.0 libxcb-xkb.so.1 libxkbcommon-x11.so.0 libwayland-client.so.0"
    " libgtk-3.so.0 libcups.so.2 libodbc.so.2 libpq.so.5 libdrm.so.2 libgbm.so.1"
    " libspeechd.so.2 libfbclient.so.2",
    "pyodbc mpi4py gmsh": "libodbc.so.2 libmpi.so.12 libmpi.so.40 libGLU.so.1 libXft.so.2 libXinerama.so.1",
    "weasyprint cairocffi python-magic pyusb sounddevice by dlopen": "libgobject-2.0.so.0 libpango-1.0.so.0"
    " libpangoft2-1.0.so.0 libharfbuzz.so.0 libcairo.so.2 libmagic.so.1 libusb-1.0.so.0 libportaudio.so.2",
}


@pytest.mark.parametrize("sonames", ASKED.values(), ids=ASKED)
def test_what_real_wheels_ask_of_the_system_comes_from_nixpkgs(sonames: str) -> None:
    """Every library that well-known wheels leave to the system has a package."""
    for soname in sonames.split():
        entry = catalogue().find(soname)
        assert entry, soname
        assert entry.provider == "nixpkgs", soname


@pytest.mark.parametrize(
    ("soname", "provider", "word"),
    [
        ("libQt6Core.so.6", "sibling-wheel", "PyQt6"),
        ("libQt5WebEngineCore.so.5", "sibling-wheel", "PyQt5"),
        ("libshiboken6.abi3.so.6.12", "sibling-wheel", "shiboken6"),
        ("libpyside6.abi3.so.6.12", "sibling-wheel", "PySide6"),
        ("libtorch_cuda.so", "sibling-wheel", "torch"),
        ("libc10.so", "sibling-wheel", "torch"),
        ("libtensorflow_framework.so.2", "sibling-wheel", "tensorflow"),
        ("libsvml.so", "sibling-wheel", "intel"),
        ("libmkl_rt.so.2", "sibling-wheel", "mkl"),
        ("libcudart.so.12", "sibling-wheel", "nvidia"),
        ("libcublasLt.so.13", "sibling-wheel", "nvidia"),
        ("libnvrtc-builtins.so.12.8", "sibling-wheel", "nvidia"),
        ("libhipblas.so.2", "sibling-wheel", "ROCm"),
        ("libcuda.so.1", "host-driver", ""),
        ("libnvidia-ml.so.1", "host-driver", ""),
        ("libGLX_mesa.so.0", "host-driver", ""),
        ("libgfortran-040039e1-0352e75f.so.5.0.0", "none", "incomplete"),
        ("libopenblas64_p-r0-0cf96a72.3.23.dev.so", "none", "incomplete"),
        ("libc.musl-x86_64.so.1", "none", "musllinux"),
        ("libssl.so.1.1", "none", "end of life"),
        ("libmysqlclient.so.21", "none", "MySQL"),
        ("libc.so.6", "glibc", ""),
    ],
)
def test_families_are_answered_by_who_ships_them(soname: str, provider: str, word: str) -> None:
    """Siblings, drivers, grafted copies and lost causes are told apart, and the note says what to know."""
    entry = catalogue().find(soname)
    assert entry
    assert entry.provider == provider
    assert entry.expression is None
    assert word in entry.note


@pytest.mark.parametrize(
    ("soname", "expression"),
    [
        ("libxml2.so.2", "(pkgs.libxml2_13 or pkgs.libxml2)"),  # libxml2 2.14 changed the soname
        ("libcrypt.so.1", "pkgs.libxcrypt-legacy"),  # libxcrypt alone has .so.2
        ("libpq.so.5", "(pkgs.libpq or pkgs.postgresql.lib)"),
        ("libgfortran.so.5", "pkgs.gfortran.cc.lib"),
        ("libX11.so.6", "(pkgs.libx11 or pkgs.xorg.libX11)"),
        ("libicuuc.so.74", "(pkgs.icu74 or pkgs.icu)"),
        ("libpython3.13.so.1.0", "(pkgs.python313 or pkgs.python3)"),
        ("libavcodec.so.60", "pkgs.ffmpeg_6"),
    ],
)
def test_the_known_traps_of_nixpkgs_are_avoided(soname: str, expression: str) -> None:
    """Where the obvious attribute has another soname, the right one stands in the table."""
    entry = catalogue().find(soname)
    assert entry
    assert entry.expression == expression


def test_what_throws_or_is_insecure_or_unfree_is_not_an_answer() -> None:
    """What an ordinary nixpkgs refuses to evaluate (icu69, openssl_1_1, Oracle's client) is no answer."""
    assert catalogue().find("libicuuc.so.69") is None
    for soname in ("libcrypto.so.1.1", "libclntsh.so.23.1"):
        entry = catalogue().find(soname)
        assert entry
        assert entry.provider == "none"


def test_an_unknown_name_is_unknown() -> None:
    """A soname in no table is no guess."""
    assert catalogue().find("libnosuchthing.so.1") is None
