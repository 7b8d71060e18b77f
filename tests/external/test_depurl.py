"""External dependency specifiers, as PEP 725 has them."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from nixpy.core.errors import NixpyError
from nixpy.external.depurl import parse


@pytest.mark.parametrize(
    ("text", "shown", "kind"),
    [
        ("dep:generic/zlib", "dep:generic/zlib", "generic"),
        (" dep:generic/openssl@>=3 ", "dep:generic/openssl@>=3", "generic"),
        ("dep:pypi/NumPy@2.0", "dep:pypi/numpy@2.0", "pypi"),
        ("dep:pypi/numpy@==2.0", "dep:pypi/numpy@2.0", "pypi"),
        ("dep:generic/openjpeg@<3,>=2.0", "dep:generic/openjpeg@>=2.0,<3", "generic"),
        ("dep:generic/openjpeg@%3E%3D2.0", "dep:generic/openjpeg@>=2.0", "generic"),
        ("dep:virtual/compiler/c", "dep:virtual/compiler/c", "virtual"),
        ("dep:virtual/interface/lapack@>=3.7.1", "dep:virtual/interface/lapack@>=3.7.1", "virtual"),
        ("dep:github/Kitware/CMake", "dep:github/kitware/cmake", "github"),
        ("dep:golang/github.com/junegunn/fzf", "dep:golang/github.com/junegunn/fzf", "golang"),
        ("dep:generic/XCB; platform_system=='Linux'", 'dep:generic/XCB; platform_system == "Linux"', "generic"),
        (
            "dep:generic/cmake?repository_url=https://gitlab.kitware.com/cmake/cmake",
            "dep:generic/cmake?repository_url=https://gitlab.kitware.com/cmake/cmake",
            "generic",
        ),
        ("dep:generic/x@1?b=2&a=1#sub/path", "dep:generic/x@1?a=1&b=2", "generic"),
        ("dep:cran/nat.nblast", "dep:cran/nat.nblast", "cran"),
        ("dep:npm/%40angular/core", "dep:npm/%40angular/core", "npm"),
        ("pkg:generic/openssl@3.0", "dep:generic/openssl@3.0", "generic"),
        ("virtual:compiler/c", "dep:virtual/compiler/c", "virtual"),
    ],
)
def test_a_specifier_has_one_spelling(text: str, shown: str, kind: str) -> None:
    """Every form of PEP 725, and of its first draft, is read, and shown in one spelling."""
    found = parse(text)
    assert str(found) == shown
    assert found.type == kind
    assert (found.superseded is not None) == text.startswith(("pkg:", "virtual:"))


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("zlib", "does not begin with `dep:`"),
        ("apt:generic/zlib", "does not begin with `dep:`"),
        ("dep:zlib", "no type or no name"),
        ("dep:", "no type or no name"),
        ("dep:generic/", "no type or no name"),
        ("dep:generic//zlib", "characters that are not allowed"),
        ("dep:generic/zlib>=1.3", "characters that are not allowed"),
        ("dep:generic/zlib 1.3", "characters that are not allowed"),
        ("dep:generic/zlib@", "no version after `@`"),
        ("dep:generic/zlib@newest", "`newest` is not a version"),
        ("dep:generic/zlib@~=1.3", "`~=1.3` is not allowed"),
        ("dep:generic/zlib@!=1.3", "`!=1.3` is not allowed"),
        ("dep:generic/zlib@===1.3", "`===1.3` is not allowed"),
        ("dep:generic/zlib@==1.*", "`==1.*` is not allowed"),
        ("dep:generic/zlib; os_name = 'posix'", "not a marker"),
        ("dep:generic/zlib;", "not a marker"),
        ("dep:generic/zlib?nothing", "not qualifiers"),
        ("dep:virtual/c", "a compiler or an interface"),
        ("dep:virtual/thing/c", "a compiler or an interface"),
    ],
)
def test_what_is_none_is_told(text: str, message: str) -> None:
    """Each way to write one wrong is an error that quotes it, says why and how it is written."""
    with pytest.raises(NixpyError) as caught:
        parse(text)
    assert message in caught.value.message
    assert text in caught.value.message
    assert caught.value.hint


@given(st.text())
def test_any_text_is_read_or_refused(text: str) -> None:
    """Whatever is written is a dependency, whose spelling is read as the same one, or a NixpyError."""
    for given_text in (text, f"dep:generic/{text}", f"dep:generic/zlib@{text}", f"dep:generic/zlib;{text}"):
        try:
            found = parse(given_text)
        except NixpyError:
            continue
        again = parse(str(found))
        assert (again.id, again.version, again.qualifiers) == (found.id, found.version, found.qualifiers)
