"""Which library is supplied for what a package opens at run time."""

from __future__ import annotations

import random
from typing import Literal

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from nixpy.commands.scan import evidence_data
from nixpy.libraries.catalogue import SonameEntry, catalogue
from nixpy.libraries.evidence import LibraryEvidence, strongest_first
from nixpy.libraries.match import Library, Rules, WheelNeeds, left_out, match
from nixpy.libraries.opened import is_affordable
from nixpy.needs.model import Certainty, Needs, RuntimeOpen
from opens import of_table, opening

LINUX, MAC = "x86_64-linux", "aarch64-darwin"
LARGE = "libgtk-3.so.0"


def wheel(name: str, *opens: RuntimeOpen, system: str = LINUX, linked: str = "", **more: object) -> WheelNeeds:
    """Return a wheel that opens these libraries and links to those of `linked`."""
    return WheelNeeds(
        system=system,
        name=canonicalize_name(name),
        filename=f"{name}-1.0-py3-none-any.whl",
        needs=Needs(
            opens=opens,
            sonames=tuple((soname, f"{name}/x.so") for soname in linked.split()),
            known="sha256",
            **more,  # type: ignore[arg-type]
        ),
    )


def supplied(*wheels: WheelNeeds, rules: Rules | None = None) -> dict[str, str | None]:
    """Return the wanted libraries, each with its expression."""
    libraries, _ = match(wheels, rules)
    return {library.soname: library.expression for library in libraries if library.wanted}


def only(*wheels: WheelNeeds, rules: Rules | None = None) -> Library:
    """Return the one library of these wheels."""
    (library,) = match(wheels, rules)[0]
    return library


# --- the name ---


@pytest.mark.parametrize(
    ("soname", "expected"),
    [("libz.so.1", True), (LARGE, False), ("libmimerapi.so", False), ("libcuda.so.1", True)],
)
def test_affordable(soname: str, expected: bool) -> None:
    """A library that is likely needed is supplied if it has a supplier and is not large."""
    entry = catalogue().find(soname) or SonameEntry(soname=soname, provider="none")
    assert is_affordable(entry) is expected


@pytest.mark.parametrize(
    ("opened", "soname"),
    [
        (opening("libnosuch.so.2", "libmagic.so.1", "libz.so.1"), "libmagic.so.1"),
        (opening("libz.so.1", "libmagic.so.1"), "libz.so.1"),
        (opening("libarchive.so", "libarchive.so.13"), "libarchive.so.13"),
        (opening("libarchive.so", find_library=True), "libarchive.so.13"),
        (opening("libarchive.so"), "libarchive.so libarchive.so.13"),
        (opening("libyaml.so", find_library=True), "libyaml.so"),
        (opening("libSDL2.so"), "libSDL2.so"),
        (opening("libyaml.so"), "libyaml.so"),
        (opening("libSDL2.so", "libSDL2-2.0.so.0"), "libSDL2-2.0.so.0"),
        (opening("libusb-1.0.so", "libusb.so", find_library=True), "libusb-1.0.so.0"),
        (opening("libgs.so", find_library=True), "libgs.so.10"),
        (opening("libgs.so"), "libgs.so libgs.so.10"),
        (opening("libcuda.so", "libcuda.so.1"), "libcuda.so.1"),
        (opening("libreadline.so", find_library=True), "libreadline.so.8"),
        (opening("libswresample.so", find_library=True), "libswresample.so.6"),
        (opening("/usr/lib/libz.so.1", "libmagic.so.1"), "libmagic.so.1"),
        (opening("/usr/lib/libz.so.1"), "libz.so.1"),
    ],
)
def test_one_of_the_names_has_a_supplier(opened: RuntimeOpen, soname: str) -> None:
    """The first name with a supplier counts; a name without a version comes after those with one, and means the
    highest version. Other code than find_library also needs the file of that name.
    """
    assert " ".join(supplied(wheel("a", opened))) == soname


def test_a_name_without_a_version_has_the_package_of_its_version() -> None:
    """The link `libarchive.so` is in the same package as the library."""
    found = supplied(wheel("a", opening("libarchive.so")))
    assert found == {"libarchive.so": "pkgs.libarchive", "libarchive.so.13": "pkgs.libarchive"}
    # On macOS, the farm has the links to all versions of a library.
    assert list(supplied(wheel("a", opening("libmagic.so"), system=MAC))) == ["libmagic.so.1"]


@pytest.mark.parametrize("names", [("libc.so.6",), ("libc.so",), ("libm.so", "libz.so.1"), ("libdl.so.2", "libz.so.1")])
def test_glibc_needs_no_supplier(names: tuple[str, ...]) -> None:
    """A library of glibc comes with the interpreter, by whatever name it is opened."""
    assert match([wheel("a", opening(*names, find_library=True))]) == ((), ())


def test_the_version_that_a_wheel_links_to_wins() -> None:
    """If a wheel links to an older version, a name without a version stands for that one."""
    names = {*supplied(wheel("a", opening("libavutil.so", find_library=True), linked="libavutil.so.58"))}
    assert names == {"libavutil.so.58"}


def test_a_wheel_of_the_lock_supplies_what_another_opens() -> None:
    """What another wheel ships is not put on a path, also under a name without a version."""
    for name in ("libnvrtc.so.12", "libnvrtc.so"):
        library = only(wheel("a", opening(name, find_library=True)), wheel("b", provides=("libnvrtc.so.12",)))
        assert (library.soname, library.provider, library.optional) == ("libnvrtc.so.12", "sibling-wheel", False)


def test_the_user_can_map_what_is_opened() -> None:
    """A mapped soname has a supplier, and a name without a version stands for it."""
    rules = Rules(map={"libfoo.so.3": "foo"})
    for opened in (opening("libfoo.so.3", certainty="likely"), opening("libfoo.so", find_library=True)):
        assert supplied(wheel("a", opened), rules=rules) == {"libfoo.so.3": "pkgs.foo"}


def test_an_ignored_name_has_no_substitute() -> None:
    """If the user ignores one of the names, none of the others is supplied."""
    opened = opening("libz.so.1", "libmagic.so.1")
    assert match([wheel("a", opened)], Rules(ignore=("libmagic.so.1",))) == ((), ())
    assert match([wheel("a", opening("libz.so"))], Rules(ignore=("libz.so.1",))) == ((), ())


def test_a_package_that_makes_an_open_needless() -> None:
    """With psycopg-binary, psycopg does not open libpq, whatever shows that it could."""
    opened = opening("libpq.so", find_library=True)
    assert supplied(wheel("psycopg", opened)) != {}
    assert match([wheel("psycopg", opened), wheel("psycopg-binary")]) == ((), ())


def test_macos_has_what_the_catalogue_has_for_it() -> None:
    """On macOS only libraries that nixpkgs has there are needs, and an unknown one is no diagnostic."""
    opens = (opening("libmagic.so.1"), opening("libasound.so.2"), opening("libfoo.dylib"), opening("libfoo.so.1"))
    libraries, diagnostics = match([wheel("a", *opens, system=MAC)])
    assert ([library.soname for library in libraries], diagnostics) == (["libmagic.so.1"], ())


# --- whether it is supplied ---


@pytest.mark.parametrize(
    ("certainty", "soname", "runtime", "wanted"),
    [
        ("certain", "libz.so.1", "likely", True),
        ("certain", "libz.so.1", "certain", True),
        ("certain", "libz.so.1", "none", False),
        ("likely", "libz.so.1", "likely", True),
        ("likely", "libz.so.1", "certain", False),
        ("likely", "libz.so.1", "none", False),
        ("possible", "libz.so.1", "likely", False),
        ("certain", LARGE, "likely", True),
        ("certain", LARGE, "certain", True),
        ("likely", LARGE, "likely", False),
        ("likely", "libnosuch.so.1", "likely", False),
    ],
)
def test_what_is_supplied(
    certainty: Certainty, soname: str, runtime: Literal["likely", "certain", "none"], wanted: bool
) -> None:
    """Certain libraries are supplied, likely ones if they are not large, and possible ones never."""
    opened = opening(soname, certainty=certainty)
    assert only(wheel("a", opened), rules=Rules(runtime=runtime)).wanted == wanted
    default = only(wheel("a", opened))
    assert default.optional != default.wanted


@pytest.mark.parametrize("rules", [Rules(add=(LARGE,)), Rules(map={LARGE: "gtk3"})])
def test_the_user_can_supply_a_large_library(rules: Rules) -> None:
    """A large library is supplied if the settings add or map it."""
    assert list(supplied(wheel("a", opening(LARGE, certainty="likely")), rules=rules)) == [LARGE]


def test_a_row_of_the_table_is_supplied_even_if_it_is_large() -> None:
    """A row says that the main work of the package needs the library."""
    assert list(supplied(wheel("a", *of_table("libvlc.so.5")))) == ["libvlc.so.5"]
    assert supplied(wheel("a", *of_table("libvlc.so.5")), rules=Rules(runtime="certain")) == {}


def test_a_linked_library_does_not_depend_on_the_setting() -> None:
    """Every library that a wheel links to is supplied, even a large one that the wheel also opens."""
    both = wheel("a", opening("libz.so.1", certainty="possible"), linked=f"libz.so.1 {LARGE}")
    assert list(supplied(both, rules=Rules(runtime="none"))) == [LARGE, "libz.so.1"]


def test_optional_libraries_are_those_that_files_link_to() -> None:
    """`optional = true` supplies what only plugins link to, not what is only offered."""
    optional = wheel("a", opening(LARGE, certainty="likely"), linked="libz.so.1", optional=("libz.so.1",))
    assert list(supplied(optional, rules=Rules(optional=True))) == ["libz.so.1"]


def test_an_open_beats_an_optional_part() -> None:
    """A library that a plugin links to and the package opens is not optional."""
    library = only(wheel("a", opening("libz.so.1"), linked="libz.so.1", optional=("libz.so.1",)))
    assert not library.optional


def test_a_module_that_nothing_imports_opens_nothing() -> None:
    """What only an unused module opens counts if that module is imported."""
    gis = wheel("django", opening("libz.so.1", module="django.contrib.gis"))
    assert match([gis]) == ((), ())
    libraries, _ = match([gis], imported=("django.contrib.gis",))
    assert [library.soname for library in libraries] == ["libz.so.1"]


def test_a_module_that_the_project_imports_may_need_a_large_library() -> None:
    """Who imports django.contrib.gis needs GDAL, which is left out if it is only likely."""
    libraries, _ = match([wheel("rasters", opening("libgdal.so", certainty="likely", find_library=True))])
    assert [(library.soname, library.wanted) for library in libraries] == [("libgdal.so", False)]
    gis = opening("libgdal.so", certainty="likely", find_library=True, module="django.contrib.gis")
    libraries, _ = match([wheel("django", gis)], imported=("django.contrib.gis",))
    assert [(library.soname, library.wanted) for library in libraries] == [("libgdal.so", True)]


# --- what is said ---


def test_all_evidence_is_kept_the_strongest_first() -> None:
    """Each fact about a library stands with its package, file and line; certainty comes before the kind."""
    library = only(
        wheel("table", *of_table("libz.so.1")),
        wheel("one", opening("libz.so.1", certainty="likely", path="b.py", line=7)),
        wheel("elf", opening("libz.so.1", evidence="note", certainty="likely", path="x.so", line=None)),
        wheel("sure", opening("libz.so.1", path="a.py")),
        wheel("link", linked="libz.so.1"),
    )
    names = ("libz.so.1",)
    assert library.evidence == (
        LibraryEvidence(kind="linked", certainty="certain", package="link", path="link/x.so"),
        LibraryEvidence(kind="source", certainty="certain", package="sure", path="a.py", line=3, names=names),
        LibraryEvidence(kind="note", certainty="likely", package="elf", path="x.so", names=names),
        LibraryEvidence(kind="source", certainty="likely", package="one", path="b.py", line=7, names=names),
        LibraryEvidence(kind="table", certainty="likely", package="table", names=names),
    )
    assert library.needed_by == ("elf", "link", "one", "sure", "table")
    assert [one.place for one in library.evidence] == ["link/x.so", "a.py:3", "x.so", "b.py:7", ""]


def test_json_has_each_place_once() -> None:
    """Two opens in one line, which try different names, are one item of the report."""
    library = only(wheel("a", opening("libz.so.1"), opening("libz.so", find_library=True)))
    assert len(library.evidence) == 2
    assert evidence_data(library) == [
        {"kind": "source", "certainty": "certain", "package": "a", "path": "pkg/__init__.py", "line": 3}
    ]


@pytest.mark.parametrize(
    ("opened", "code"),
    [
        (opening("libnosuch.so.1", "libneither.so"), "NIX101"),
        (opening("libssl.so.1.1"), "NIX102"),
        (opening("libtorch.so"), "NIX103"),
    ],
)
def test_only_a_certain_unknown_library_is_a_diagnostic(opened: RuntimeOpen, code: str) -> None:
    """A library that an import opens and nothing supplies is reported with its file; a likely one is left out."""
    _, (diagnostic,) = match([wheel("a", opened)])
    assert (diagnostic.code, diagnostic.package) == (code, "a")
    assert diagnostic.message.startswith(f"{opened.names[0]} is needed by a (pkg/__init__.py:3) on {LINUX}")
    assert match([wheel("a", opened)], Rules(runtime="none"))[1] == ()
    likely = opening(*opened.names, certainty="likely")
    libraries, diagnostics = match([wheel("a", likely)])
    assert diagnostics == ()
    assert [library.soname for library in left_out(libraries)] == [opened.names[0]]


def test_left_out_is_what_is_opened_and_not_supplied() -> None:
    """Large, possible and unknown libraries are left out; not those that a wheel ships or a plugin links to."""
    libraries, _ = match(
        [
            wheel("a", opening(LARGE, certainty="likely"), opening("libz.so.1", certainty="possible")),
            wheel("b", opening("libnosuch.so.1", certainty="likely"), opening("libmagic.so.1")),
            wheel("c", opening("libshipped.so.1", certainty="possible"), provides=("libshipped.so.1",)),
            wheel("d", linked="libexpat.so.1", optional=("libexpat.so.1",)),
        ]
    )
    assert [library.soname for library in left_out(libraries)] == [LARGE, "libnosuch.so.1", "libz.so.1"]


OPENS = st.lists(
    st.builds(
        opening,
        st.sampled_from(
            ["libz.so.1", "libz.so", LARGE, "libnosuch.so", "libavutil.so", "libc.so.6", "libavutil.so.58"]
        ),
        st.sampled_from(["libz.so.1", "libmagic.so", "libshipped.so.1"]),
        certainty=st.sampled_from(["certain", "likely", "possible"]),
        evidence=st.sampled_from(["note", "source", "strings"]),
        find_library=st.booleans(),
    ),
    max_size=4,
)
OPENING = st.lists(
    st.builds(
        lambda name, opens, system, provides: wheel(name, *opens, system=system, provides=provides),
        st.sampled_from(["a", "b", "c"]),
        OPENS,
        st.sampled_from([LINUX, MAC]),
        st.sampled_from([(), ("libshipped.so.1",), ("libz.so.1",)]),
    ),
    max_size=4,
)


@given(wheels=OPENING, runtime=st.sampled_from(["likely", "certain", "none"]), seed=st.integers())
def test_the_order_of_opens_does_not_matter(
    wheels: list[WheelNeeds], runtime: Literal["likely", "certain", "none"], seed: int
) -> None:
    """The answer depends on the set of wheels alone, and by default exactly what is not optional is wanted."""
    shuffled = random.Random(seed).sample(wheels, len(wheels))  # noqa: S311
    rules = Rules(runtime=runtime)
    assert match(wheels, rules) == match(shuffled, rules)
    for library in match(wheels)[0]:
        assert library.wanted != library.optional
        assert library.evidence == tuple(strongest_first(library.evidence))
    assert _wanted(match(wheels, rules)[0]) <= _wanted(match(wheels)[0])


def _wanted(libraries: tuple[Library, ...]) -> set[tuple[str, str]]:
    return {(one.soname, system) for one in libraries if one.wanted for system in one.systems}
