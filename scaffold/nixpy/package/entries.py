"""Compute the content of a package's Nix file.

It is data for `templates/package/default.nix.jinja`.

An entry is `name = value;`, a comment (`note`), or both, with the comment above. A value is one that the macro `value`
of `templates/_nix.jinja` prints, or a set of entries: `{"function": TEXT, "inherit": [NAME], "entries": [ENTRY]}`.
"""

from __future__ import annotations

import base64
import re
from collections.abc import Iterable, Iterator, Sequence
from typing import Any

from nixpy.nixpkgs.expression import quoted
from nixpy.nixpkgs.requirements import VERSION_VARIABLES, Needed
from nixpy.package.licences import licences, named
from nixpy.package.recipe import Recipe
from nixpy.package.recipe_inputs import Spelled

Entry = dict[str, Any]

# The reason why no tests run.
_OF_WHEEL = "A wheel contains no tests."
_OF_SDIST = "Metadata does not list the requirements of tests: add them to nativeCheckInputs, with pytestCheckHook."


def values(recipe: Recipe, *, nixpkgs: bool) -> dict[str, Any]:
    """Return the values for the template.

    They are in the form that nixpkgs requires, or for release 24.11 and later.
    """
    release, metadata = recipe.release, recipe.release.metadata
    function = "python3Packages" if recipe.application else "buildPythonPackage"
    uses_lib = bool(licences(metadata)) or nixpkgs or recipe.inputs.rust is not None
    inputs = recipe.spelled_inputs(nixpkgs=nixpkgs)
    # An application takes its Python packages from python3Packages.
    groups: list[tuple[str, Iterable[str]]] = [
        ("build-system", () if recipe.application else {need.attribute for need in recipe.build}),
        ("native dependencies", inputs.arguments),
        ("dependencies", () if recipe.application else {need.attribute for need in recipe.needs}),
        ("optional-dependencies", {need.attribute for _, needs in recipe.extras for need in needs}),
    ]
    return {
        "nixpkgs": nixpkgs,
        "application": recipe.application,
        "name": recipe.name,
        "version": metadata.version,
        "of_pypi": release.of_pypi,
        "arguments": [(None, [*["lib"] * uses_lib, function, "fetchPypi"]), *_arguments(groups)],
        "paragraphs": list(_paragraphs(recipe, inputs, nixpkgs=nixpkgs)),
    }


def _arguments(groups: Iterable[tuple[str, Iterable[str]]]) -> Iterator[tuple[str, list[str]]]:
    """Yield the arguments of each group that no earlier group has."""
    seen: set[str] = set()
    for title, wanted in groups:
        names = sorted({*wanted} - seen)
        seen.update(names)
        if names:
            yield title, names


def _paragraphs(recipe: Recipe, inputs: Spelled, *, nixpkgs: bool) -> Iterator[list[Entry]]:
    """Yield the paragraphs of the attribute set that describes a package."""
    release, metadata = recipe.release, recipe.release.metadata
    packages = _Packages(recipe.application, nixpkgs)
    build = {need.attribute for need in recipe.build}
    yield [
        _entry("pname", recipe.name),
        _entry("version", metadata.version),
        _entry("format", "wheel", note="The index has no sdist, so this installs the wheel.")
        if release.is_wheel
        else _entry("pyproject", value=True),
    ]
    other = None if release.of_pypi else "The index may not be a mirror of PyPI: if not, use fetchurl with the URL."
    yield [_entry("src", _source(recipe), note=other)]
    if recipe.build:
        unnamed = not release.is_wheel and (release.pyproject is None or release.pyproject.build is None)
        note = "The sdist names no build system; the default is setuptools (PEP 517)." if unnamed else None
        yield [_entry("build-system", packages.listed(recipe.build), note=note)]
    if recipe.inputs.rust:
        yield list(_cargo(recipe.inputs.rust.root))
    for name, expressions in (("nativeBuildInputs", inputs.native), ("buildInputs", inputs.host)):
        if expressions:
            yield [_entry(name, [{"nix": text} for text in expressions])]
    # The setup hooks of cmake and meson would configure before the build system does. That of ninja runs too late to do
    # so, and meson of the Python set has none (nixpkgs: pkgs/top-level/python-packages.nix).
    idle = {
        "Cmake": "cmake" in {*build, *inputs.native},
        "Meson": recipe.application and "meson" in inputs.native,
    }
    for name in (name for name, there in idle.items() if there):
        note = f"The build system calls {name.lower()} itself."
        yield [_entry(f"dontUse{name}Configure", value=True, note=note)]
    version = {"nix": "finalAttrs.version" if nixpkgs else "version"}
    for variable in (variable for name, variable in VERSION_VARIABLES.items() if name in build):
        yield [_entry(f"env.{variable}", version, note="The build cannot read the version from Git.")]
    if recipe.needs:
        yield [_entry("dependencies", packages.listed(recipe.needs))]
    if recipe.extras:
        yield [_entry("optional-dependencies", {extra: packages.listed(needs) for extra, needs in recipe.extras})]
    yield [_entry("doCheck", value=False, note=_OF_WHEEL if release.is_wheel else _OF_SDIST)]
    if release.modules:
        yield [_entry("pythonImportsCheck", list(release.modules))]
    yield [_entry("meta", {"entries": list(_meta(recipe, nixpkgs=nixpkgs))})]


def _entry(name: str, value: Any, note: str | None = None) -> Entry:
    return {"name": name, "value": value, **({"note": note} if note else {})}


def _source(recipe: Recipe) -> Entry:
    release = recipe.release
    stem, version, tag = _stem(release.filename)
    known = {"pname": recipe.name, "version": release.metadata.version}
    named = {"pname": stem, "version": version}
    extension = _extension(release.filename)
    details = {"extension": extension} if extension != "tar.gz" else {}
    if release.is_wheel:
        details = {"format": "wheel", "dist": tag, "python": tag}
    found = {name: text for name, text in named.items() if text != known[name]}
    found |= {**details, "hash": "sha256-" + base64.b64encode(bytes.fromhex(release.sha256)).decode()}
    return {
        "function": "fetchPypi",
        "inherit": [name for name in named if name not in found],
        "entries": [_entry(name, text) for name, text in found.items()],
    }


def _cargo(root: str | None) -> Iterator[Entry]:
    if root:
        yield _entry("cargoRoot", root)
    fake = {"nix": "lib.fakeHash", "comment": "replace it by the hash that Nix prints"}
    names = ["pname", "version", "src", *(["cargoRoot"] if root else [])]
    function = "rustPlatform.fetchCargoVendor"
    yield _entry("cargoDeps", {"function": function, "inherit": names, "entries": [_entry("hash", fake)]})


def _meta(recipe: Recipe, *, nixpkgs: bool) -> Iterator[Entry]:
    metadata = recipe.release.metadata
    if description := _description(metadata.summary or "", recipe.name):
        yield _entry("description", description)
    if metadata.homepage:
        yield _entry("homepage", metadata.homepage)
    found = [{"nix": f"lib.licenses.{attribute}"} for attribute in licences(metadata)]
    if found:
        yield _entry("license", found[0] if len(found) == 1 else found)
    else:
        yield {"note": f"license: {named(metadata) or 'none in its metadata'}; see lib.licenses"}
    if nixpkgs:
        yield _entry("maintainers", {"value": [], "comment": "add yourself"})
    if recipe.application and recipe.main:
        yield _entry("mainProgram", recipe.main)


def _description(summary: str, name: str) -> str:
    """Return a summary in the form of nixpkgs.

    It has no full stop, and no article or package name at its start.

    Source: pkgs/README.md of nixpkgs, "Meta attributes".
    """
    text = re.sub(rf"^{re.escape(name)}\s*(?:-|:|is)\s+", "", summary.strip(), flags=re.IGNORECASE)
    text = re.sub(r"^(?:an?|the)\s+", "", text, flags=re.IGNORECASE).rstrip(". ")
    return text[:1].upper() + text[1:]


def _stem(filename: str) -> tuple[str, str, str]:
    """Return name, version and Python tag as spelled in a file name.

    Only wheels have a tag.
    """
    if filename.endswith(".whl"):
        name, version, tag = filename.split("-")[:3]
        return name, version, tag
    name, _, version = filename.removesuffix(f".{_extension(filename)}").rpartition("-")
    return name, version, ""


def _extension(filename: str) -> str:
    return next((e for e in ("tar.gz", "tar.bz2", "tar.xz") if filename.endswith(e)), filename.rpartition(".")[2])


class _Packages:
    """Spells packages of nixpkgs' Python set.

    An `application` takes them from python3Packages.
    """

    def __init__(self, application: bool, nixpkgs: bool) -> None:
        self._set = "python3Packages." if application else ""
        # Another release may lack an extra.
        self._maybe = "" if nixpkgs else " or [ ]"

    def listed(self, needs: Sequence[Needed]) -> Any:
        """Return the packages as a list, followed by those of their extras."""
        items: list[dict[str, str]] = [
            {
                "nix": self._set + need.attribute,
                **({} if need.known else {"comment": "not known to be in nixpkgs"}),
            }
            for need in needs
        ]
        extras = [self._extra(need, extra) for need in needs for extra in need.extras]
        if len(items) == len(extras) == 1 and "comment" not in items[0]:
            return {"nix": f"[ {items[0]['nix']} ] ++ {extras[0]}"}
        more = [{"when": None, "value": {"nix": text}} for text in extras]
        return {"parts": [{"when": None, "value": items}, *more]} if extras else items

    def _extra(self, need: Needed, extra: str) -> str:
        return f"{self._set}{need.attribute}.optional-dependencies.{quoted(extra)}{self._maybe}"
