"""Who answers what, for whole locks."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st
from packaging.utils import canonicalize_name

from nixpy.core.errors import NixpyError
from nixpy.diagnostics.diagnostic import Diagnostic
from nixpy.libraries.evidence import LibraryEvidence
from nixpy.libraries.manylinux import allowed
from nixpy.libraries.match import Library, Rules, WheelNeeds, match
from nixpy.needs.model import Needs
from opens import of_table

LINUX, ARM, MAC = "x86_64-linux", "aarch64-linux", "aarch64-darwin"


def wheel(
    name: str,
    required: str = "",
    *,
    optional: str = "",
    likely: str = "",
    dlopen: str = "",
    provides: str = "",
    system: str = LINUX,
    tag: str = "manylinux_2_17_x86_64",
) -> WheelNeeds:
    """Return a wheel with these sonames, each list separated by blanks."""
    both = sorted({*required.split(), *likely.split(), *optional.split()})
    return WheelNeeds(
        system=system,
        name=canonicalize_name(name),
        filename=f"{name.replace('-', '_')}-1.0-cp312-cp312-{tag}.whl",
        needs=Needs(
            sonames=tuple((soname, f"{name}/x.so") for soname in both),
            likely=tuple(sorted(likely.split())),
            optional=tuple(sorted(optional.split())),
            opens=of_table(*dlopen.split(), system=system),
            provides=tuple(sorted(provides.split())),
            known="sha256",
        ),
    )


def by_soname(libraries: tuple[Library, ...]) -> dict[str, Library]:
    found = {library.soname: library for library in libraries}
    assert len(found) == len(libraries)
    return found


def codes(diagnostics: tuple[Diagnostic, ...]) -> list[tuple[str, str | None]]:
    return [(diagnostic.code, diagnostic.package) for diagnostic in diagnostics]


def test_a_needed_library_has_its_package_and_says_who_needs_it() -> None:
    """A soname of the table becomes one library with its expression, its needers sorted."""
    libraries, diagnostics = match([wheel("scipy", "libz.so.1"), wheel("pandas", "libz.so.1"), wheel("six")])
    assert libraries == (
        Library(
            soname="libz.so.1",
            provider="nixpkgs",
            attribute="zlib",
            expression="pkgs.zlib",
            needed_by=("pandas", "scipy"),
            optional=False,
            systems=(LINUX,),
            evidence=tuple(
                LibraryEvidence(kind="linked", certainty="certain", package=name, path=f"{name}/x.so")
                for name in ("pandas", "scipy")
            ),
        ),
    )
    assert diagnostics == ()


def test_no_wheels_need_nothing() -> None:
    """An empty lock has an empty answer, for whatever systems."""
    assert match([], systems=[LINUX, MAC]) == ((), ())


def test_glibcs_own_never_appear() -> None:
    """Even a wheel that asks for glibc by name, or opens it, gets no library for it."""
    assert match([wheel("a", "libc.so.6 libm.so.6 ld-linux-x86-64.so.2", dlopen="libdl.so.2")]) == ((), ())


def test_a_sibling_answers_before_the_catalogue_and_before_the_user() -> None:
    """What a wheel of the lock ships never goes on a path, since it could shadow the wheel's own copy."""
    wheels = [wheel("numba", "libtbb.so.12"), wheel("tbb", provides="libtbb.so.12 libtbb.so.12.14")]
    for rules in (Rules(), Rules(map={"libtbb.so.12": "onetbb"}), Rules(add=("libtbb.so.12",))):
        library = by_soname(match(wheels, rules)[0])["libtbb.so.12"]
        assert (library.provider, library.expression, library.attribute) == ("sibling-wheel", None, None)
    alone = by_soname(match(wheels[:1])[0])["libtbb.so.12"]
    assert (alone.provider, alone.attribute) == ("nixpkgs", "onetbb")


def test_a_sibling_answers_on_its_own_system_alone() -> None:
    """A wheel for another system ships nothing here."""
    wheels = [
        wheel("numba", "libtbb.so.12"),
        wheel("numba", "libtbb.so.12", system=ARM),
        wheel("tbb", provides="libtbb.so.12"),
    ]
    assert [(library.provider, library.systems) for library in match(wheels)[0]] == [
        ("nixpkgs", (ARM,)),
        ("sibling-wheel", (LINUX,)),
    ]


def test_a_missing_sibling_is_named() -> None:
    """A required library that only another package ships is a problem that names the package."""
    libraries, diagnostics = match([wheel("torchvision", "libtorch.so"), wheel("scipy", "libz.so.1")])
    assert by_soname(libraries)["libtorch.so"].provider == "none"
    assert codes(diagnostics) == [("NIX103", "torchvision")]
    assert "torch, which the lock does not have" in diagnostics[0].message
    assert diagnostics[0].hint


def test_an_unknown_library_is_a_problem_with_a_way_out() -> None:
    """A required soname of no table is reported with what to write, and does not stop the rest."""
    libraries, diagnostics = match([wheel("a", "libnosuch.so.1 libz.so.1"), wheel("b", "libnosuch.so.1")])
    unknown = by_soname(libraries)["libnosuch.so.1"]
    assert (unknown.provider, unknown.expression, unknown.needed_by) == ("none", None, ("a", "b"))
    assert "libz.so.1" in by_soname(libraries)
    assert codes(diagnostics) == [("NIX101", "a")]
    assert "libnosuch.so.1 is needed by a, b on x86_64-linux" in diagnostics[0].message
    assert "[tool.nixpy.libraries]" in str(diagnostics[0].hint)
    assert '"libnosuch.so.1" =' in str(diagnostics[0].hint)


def test_what_nixpkgs_lacks_is_a_problem_with_the_reason() -> None:
    """A soname that the table gives up on is reported with the table's note."""
    libraries, diagnostics = match([wheel("old", "libssl.so.1.1")])
    assert libraries[0].provider == "none"
    assert codes(diagnostics) == [("NIX102", "old")]
    assert "end of life" in diagnostics[0].message


@pytest.mark.parametrize("soname", ["libnosuch.so.1", "libmimerapi.so", "libtorch.so", "libcudart.so.12"])
def test_nobody_is_told_of_optional_libraries_that_nobody_has(soname: str) -> None:
    """Plugins that cannot load are no problem; the library is listed all the same."""
    libraries, diagnostics = match([wheel("plugins", optional=soname)])
    assert [(library.soname, library.provider, library.optional) for library in libraries] == [(soname, "none", True)]
    assert diagnostics == ()


@pytest.mark.parametrize(
    ("rules", "supplied"),
    [
        (Rules(), {"libtiff.so.6"}),
        (Rules(runtime="certain"), set()),
        (Rules(runtime="none"), set()),
        (Rules(optional=True), {"libtiff.so.6", "libgtk-3.so.0", "libnobody.so.9"}),
        (Rules(map={"libgtk-3.so.0": "gtk3"}), {"libtiff.so.6", "libgtk-3.so.0"}),
    ],
    ids=["likely", "certain", "none", "optional", "a large one that the user names"],
)
def test_likely_links_follow_the_settings(rules: Rules, supplied: set[str]) -> None:
    """What a plugin links to that the package opens is supplied like what it opens itself."""
    libraries, diagnostics = match([wheel("plugins", likely="libtiff.so.6 libgtk-3.so.0 libnobody.so.9")], rules)
    assert {library.soname for library in libraries if library.wanted} == supplied
    assert {library.evidence[0].certainty for library in libraries} == {"likely"}
    assert diagnostics == ()


def test_optional_means_that_nobody_requires_it() -> None:
    """One wheel that requires a library makes it required, and it alone is the reason."""
    wheels = [wheel("plugins", optional="libz.so.1 libodbc.so.2"), wheel("scipy", "libz.so.1")]
    found = by_soname(match(wheels)[0])
    assert (found["libz.so.1"].optional, found["libz.so.1"].needed_by) == (False, ("scipy",))
    assert (found["libodbc.so.2"].optional, found["libodbc.so.2"].needed_by) == (True, ("plugins",))


def test_names_opened_at_run_time_are_required() -> None:
    """A curated dlopen name counts as a need of its wheel, and beats an optional mention."""
    libraries, _ = match([wheel("python-magic", optional="libmagic.so.1", dlopen="libmagic.so.1")])
    assert [(library.attribute, library.optional) for library in libraries] == [("file", False)]


def test_a_driver_is_the_hosts() -> None:
    """A driver's library is answered by the host, without an expression and without a problem."""
    libraries, diagnostics = match([wheel("triton", dlopen="libcuda.so.1")])
    assert [(library.provider, library.expression) for library in libraries] == [("host-driver", None)]
    assert diagnostics == ()


@pytest.mark.parametrize(
    ("text", "expression", "attribute"),
    [
        ("zlib-ng", "pkgs.zlib-ng", "zlib-ng"),
        ("xorg.libX11", "pkgs.xorg.libX11", "xorg.libX11"),
        ("pkgs.zlib-ng", "pkgs.zlib-ng", "zlib-ng"),
        ("(pkgs.zlib-ng or pkgs.zlib)", "(pkgs.zlib-ng or pkgs.zlib)", "zlib-ng"),
    ],
)
@pytest.mark.parametrize("soname", ["libz.so.1", "libnosuch.so.1", "libcuda.so.1", "libmimerapi.so"])
def test_the_users_map_beats_the_catalogue(soname: str, text: str, expression: str, attribute: str) -> None:
    """Whatever the table says, or does not say, the user's word holds and leaves no problem."""
    libraries, diagnostics = match([wheel("a", soname)], Rules(map={soname: text}))
    assert [(lib.provider, lib.expression, lib.attribute) for lib in libraries] == [("nixpkgs", expression, attribute)]
    assert diagnostics == ()


def test_a_map_alone_adds_nothing() -> None:
    """A mapped soname that nobody asks for is not supplied."""
    assert match([wheel("a")], Rules(map={"libz.so.1": "zlib"})) == ((), ())


def test_the_user_adds_libraries_on_every_linux() -> None:
    """An added soname is required on each Linux system asked for, also where there is no wheel."""
    libraries, diagnostics = match([], Rules(add=("libz.so.1",)), systems=[LINUX, MAC, ARM])
    assert [(lib.soname, lib.needed_by, lib.optional, lib.systems) for lib in libraries] == [
        ("libz.so.1", ("[tool.nixpy]",), False, (ARM, LINUX))
    ]
    assert diagnostics == ()
    _, diagnostics = match([], Rules(add=("libnosuch.so.1",)), systems=[LINUX])
    assert codes(diagnostics) == [("NIX101", None)]


def test_the_user_ignores_libraries() -> None:
    """An ignored soname is gone whoever asks, and so is its problem."""
    rules = Rules(ignore=("libz.so.1", "libnosuch.so.1"), add=("libz.so.1",), mode="manylinux")
    libraries, diagnostics = match([wheel("a", "libz.so.1 libnosuch.so.1 libexpat.so.1")], rules)
    assert {"libz.so.1", "libnosuch.so.1"}.isdisjoint(by_soname(libraries))
    assert "libexpat.so.1" in by_soname(libraries)
    assert diagnostics == ()


@pytest.mark.parametrize(
    ("rules", "word"),
    [
        (Rules(map={"libz.so.1": "zlib; builtins.abort 1"}), "map: libz.so.1"),
        (Rules(map={"libz.so.1": ""}), "map: libz.so.1"),
        (Rules(map={"libz.so.1": "(pkgs.zlib)"}), "map: libz.so.1"),
        (Rules(map={"libz.so.1": "pkgs.${x}"}), "map: libz.so.1"),
        (Rules(map={"libz.so.1": "let"}), "map: libz.so.1"),
        (Rules(map={"lib z": "zlib"}), "map: 'lib z' is not a soname"),
        (Rules(add=("$(true)",)), "add: .* is not a soname"),
        (Rules(add=("",)), "add: '' is not a soname"),
        (Rules(ignore=("a/b",)), "ignore: 'a/b' is not a soname"),
        (Rules(map={"libc.so.6": "glibc"}), "map: libc.so.6 is part of glibc"),
        (Rules(add=("libm.so.6",)), "add: libm.so.6 is part of glibc"),
    ],
)
def test_a_wrong_rule_names_its_key_and_the_remedy(rules: Rules, word: str) -> None:
    """Nothing but attribute paths and sonames gets through, also where nobody asks for them."""
    with pytest.raises(NixpyError, match=word) as caught:
        match([], rules)
    assert "[tool.nixpy.libraries]" in str(caught.value)
    assert caught.value.hint


def test_manylinux_supplies_what_the_tags_allow_and_what_is_needed() -> None:
    """The set is the policy's, per system, beside the exact needs; glibc stays out."""
    wheels = [
        wheel("old", tag="manylinux1_x86_64"),
        wheel("new", "libodbc.so.2", system=ARM, tag="manylinux_2_28_aarch64"),
        wheel("pure", tag="any", system=MAC),
    ]
    libraries, diagnostics = match(wheels, Rules(mode="manylinux"))
    on = {system: {lib.soname for lib in libraries if system in lib.systems} for system in (LINUX, ARM, MAC)}
    assert on[LINUX] == allowed(["manylinux1_x86_64"])
    assert on[ARM] == allowed(["manylinux_2_28_aarch64"]) | {"libodbc.so.2"}
    assert on[MAC] == set()
    assert all(not library.optional for library in libraries)
    assert diagnostics == ()
    found = by_soname(libraries)
    assert found["libz.so.1"].needed_by == ("manylinux_2_28", "manylinux_2_5")
    assert {lib.soname for lib in match(wheels)[0]} == {"libodbc.so.2"}


def test_a_file_name_that_says_nothing_promises_nothing() -> None:
    """In manylinux mode a name that does not parse adds no set and breaks nothing."""
    odd = WheelNeeds(system=LINUX, name=canonicalize_name("odd"), filename="odd.whl", needs=Needs(known="tag"))
    assert match([odd], Rules(mode="manylinux")) == ((), ())


def test_darwin_is_answered_for_names_opened_at_run_time() -> None:
    """Wheels for macOS carry their libraries; packages that exist there supply what is opened by name."""
    wheels = [
        wheel("python-magic", "libodbc.so.2", dlopen="libmagic.so.1", system=MAC),
        wheel("pyopengl", dlopen="libGL.so.1 libcuda.so.1 libnosuch.so.1", system=MAC),
        wheel("mapped", dlopen="libmine.so.1", system=MAC),
    ]
    libraries, diagnostics = match(wheels, Rules(map={"libmine.so.1": "mine"}))
    assert [(lib.soname, lib.expression) for lib in libraries] == [
        ("libmagic.so.1", "pkgs.file"),
        ("libmine.so.1", "pkgs.mine"),
    ]
    assert diagnostics == ()


def test_systems_with_the_same_answer_share_one_library() -> None:
    """Needers are joined across systems, but required here and optional there stay apart."""
    wheels = [
        wheel("a", "libz.so.1", optional="libodbc.so.2"),
        wheel("b", "libz.so.1 libodbc.so.2", system=ARM),
    ]
    assert [(lib.soname, lib.needed_by, lib.optional, lib.systems) for lib in match(wheels)[0]] == [
        ("libodbc.so.2", ("b",), False, (ARM,)),
        ("libodbc.so.2", ("a",), True, (LINUX,)),
        ("libz.so.1", ("a", "b"), False, (ARM, LINUX)),
    ]


SONAMES = st.lists(
    st.sampled_from(
        [
            *("libz.so.1", "libX11.so.6", "libtbb.so.12", "libtorch.so", "libcuda.so.1", "libnosuch.so.1"),
            *("libssl.so.1.1", "libc.so.6"),
        ]
    ),
    max_size=4,
    unique=True,
).map(" ".join)
WHEELS = st.lists(
    st.builds(
        wheel,
        st.sampled_from(["a", "b", "c"]),
        SONAMES,
        optional=SONAMES,
        dlopen=SONAMES,
        provides=SONAMES,
        system=st.sampled_from([LINUX, ARM, MAC]),
        tag=st.sampled_from(["manylinux1_x86_64", "manylinux_2_28_x86_64", "any"]),
    ),
    max_size=6,
)


@given(wheels=WHEELS, mode=st.sampled_from(["exact", "manylinux"]), seed=st.integers())
def test_the_order_of_the_wheels_does_not_matter(wheels: list[WheelNeeds], mode: str, seed: int) -> None:
    """The answer depends on the set of wheels alone, and is sorted."""
    rules = Rules(mode="manylinux" if mode == "manylinux" else "exact", add=("libother.so.1",))
    shuffled = random.Random(seed).sample(wheels, len(wheels))  # noqa: S311
    libraries, diagnostics = match(wheels, rules, systems=[LINUX, ARM])
    assert (libraries, diagnostics) == match(shuffled, rules, systems=[ARM, LINUX])
    assert [lib.soname for lib in libraries] == sorted(lib.soname for lib in libraries)
    assert [diagnostic.code for diagnostic in diagnostics] == sorted(diagnostic.code for diagnostic in diagnostics)


@given(wheels=WHEELS)
def test_no_path_ever_holds_what_a_wheel_ships_or_glibc_owns(wheels: list[WheelNeeds]) -> None:
    """On each system, an expression is never given for a soname that a wheel there provides."""
    for library in match(wheels, Rules(mode="manylinux"))[0]:
        assert library.soname != "libc.so.6"
        assert (library.expression is not None) == (library.provider == "nixpkgs")
        for each in wheels:
            if each.system in library.systems and library.soname in each.needs.provides:
                assert library.provider == "sibling-wheel"


def test_unreadable_elf_files_are_one_line_for_each_wheel() -> None:
    """The first path, the number of them and the systems are named, and how to read the file."""
    one = replace(wheel("one"), needs=Needs(known="sha256", unreadable=("one/tool",)))
    arm = replace(one, system=ARM)
    many = replace(wheel("many"), needs=Needs(known="sha256", unreadable=("many/a", "many/b")))
    _, diagnostics = match([one, arm, many])
    assert codes(diagnostics) == [("NIX104", "many"), ("NIX104", "one")]
    assert diagnostics[0].message == (
        f"nixpy cannot read 2 ELF files such as many/a of many on {LINUX}, so it does not know which libraries they "
        "need"
    )
    assert diagnostics[1].message == (
        f"nixpy cannot read the ELF file one/tool of one on {ARM}, {LINUX}, so it does not know which libraries it "
        "needs"
    )
    assert "`readelf -d`" in str(diagnostics[0].hint)
