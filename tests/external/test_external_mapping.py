"""The mapping from external dependencies to nixpkgs."""

from __future__ import annotations

import json
from pathlib import Path

import jsonschema
import pytest

from nixpy.external import builds, mapping
from nixpy.external.depurl import VIRTUAL, parse
from nixpy.libraries.catalogue import catalogue
from nixpy.needs.glibc import is_glibc

TABLE = Path(mapping.__file__).with_name("nix.mapping.json")
DOCUMENT = json.loads(TABLE.read_text())

# What PEP 804 says of a mapping, of which nothing else may be in it.
_TEXTS = {"oneOf": [{"type": "string", "minLength": 1}, {"type": "array", "items": {"type": "string", "minLength": 1}}]}
SCHEMA = {
    "type": "object",
    "additionalProperties": False,
    "required": ["name", "mappings", "package_managers"],
    "properties": {
        "schema_version": {"const": 1},
        "name": {"type": "string"},
        "description": {"type": "string"},
        "package_managers": {"type": "array"},
        "mappings": {
            "type": "array",
            "items": {
                "type": "object",
                "additionalProperties": False,
                "required": ["id", "specs"],
                "properties": {
                    "id": {"type": "string", "pattern": "^dep:.+$"},
                    "description": {"type": "string"},
                    "specs": {
                        "anyOf": [
                            *_TEXTS["oneOf"],
                            {
                                "type": "object",
                                "additionalProperties": False,
                                "properties": dict.fromkeys(("build", "host", "run"), _TEXTS),
                            },
                        ]
                    },
                    "extra_metadata": {
                        "type": "object",
                        "additionalProperties": False,
                        "properties": {
                            "nixpy": {
                                "type": "object",
                                "additionalProperties": False,
                                "properties": {
                                    "sonames": {"type": "array", "items": {"type": "string"}},
                                    "given": {"const": True},
                                },
                            }
                        },
                    },
                },
            },
        },
    },
}

# The registry's ids (PEP 804) that nixpkgs has an answer to; of those left out, some are Windows', some nixpkgs has in
# sets of their own (cuda, .NET) and some have no package (typescript's compiler is one of npm).
REGISTRY = """
arrow clang cmake freetype gmp lcms2 libffi libimagequant libjpeg libpq libraqm libsodium libtiff libwebp libxcb libxml2
libxslt libyaml llvm make ninja openblas openjpeg openssl pkg-config python tk zlib
"""
VIRTUALS = """
compiler/c compiler/cxx compiler/fortran compiler/go compiler/javascript compiler/ocaml compiler/rust compiler/zig
interface/blas interface/lapack interface/mpi interface/openmp
"""


def test_it_has_the_form_of_pep_804() -> None:
    """It is a mapping as PEP 804 says, sorted by id, and each id is spelled as it is looked up."""
    jsonschema.validate(DOCUMENT, SCHEMA)
    ids = [entry["id"] for entry in DOCUMENT["mappings"]]
    assert ids == sorted(ids)
    assert [parse(one).qualified for one in ids] == ids


@pytest.mark.parametrize(
    "text",
    [*(f"dep:generic/{name}" for name in REGISTRY.split()), *(f"dep:virtual/{name}" for name in VIRTUALS.split())],
)
def test_what_the_registry_has_is_known(text: str) -> None:
    """Whoever builds on the registry's names finds them."""
    assert mapping.find(parse(text))


def test_a_name_with_qualifiers_is_the_plain_one() -> None:
    """What the registry tells apart by qualifiers is found without them."""
    assert mapping.find(parse("dep:generic/cmake?repository_url=https://gitlab.kitware.com/cmake/cmake"))


def test_sonames_agree_with_the_catalogue() -> None:
    """A soname of the mapping is none of glibc's; where the catalogue knows it, it is of the same package there."""
    others = {"libpq.so.5": "pkgs.postgresql.lib", "libgomp.so.1": "pkgs.stdenv.cc.cc.lib"}
    for mapping_entries in mapping.mapping_entries().values():
        for provider in mapping_entries:
            for soname in provider.sonames:
                assert not is_glibc(soname)
                if entry := catalogue().find(soname):
                    assert entry.provider == "nixpkgs", soname
                    assert entry.expression in provider.expressions["run"] or others[soname] in str(entry.expression)
                else:
                    # What the catalogue has no row for is the link without a version, or of a provider of its own.
                    assert soname.endswith(".so") or soname == "libopenblas.so.0"


def test_the_tables_of_builds_are_mapped() -> None:
    """All that packages and build systems need is in the mapping, and none of it is a version."""
    rows = [*builds.sdists().values(), *builds.build_systems().values()]
    needs = [one for row in rows for one in (*row.build, *row.host)]
    assert len(builds.sdists()) > 30
    for dependency in needs:
        assert mapping.find(dependency), dependency.id
        assert not dependency.version
    # What is linked to is a library, and a compiler or an interface where it is virtual.
    for row in builds.sdists().values():
        assert all(one.type == "generic" or "interface" in one.id for one in row.host)
        assert all(one.type != VIRTUAL or "compiler" in one.id for one in row.build)


@pytest.mark.parametrize("text", ["zlib; rm", "pkgs.a or pkgs.b", "with", "", "dep:generic/zlib"])
def test_only_attributes_are_expressions(text: str) -> None:
    """Nothing but attribute paths and their alternatives gets into Nix."""
    with pytest.raises(ValueError, match=r"is not pkgs\.a\.b|a word of the Nix"):
        mapping.expression(text)
