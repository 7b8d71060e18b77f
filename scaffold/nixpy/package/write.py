"""Run the steps of `nixpy package`, and write its file."""

from __future__ import annotations

import os
from pathlib import Path

from nixpy.core.errors import ArgumentError, OutputError
from nixpy.core.target import Target
from nixpy.files.place import target
from nixpy.files.reconcile import OutputFile, reconcile
from nixpy.index.settings import IndexSettings
from nixpy.nixpkgs import releases
from nixpy.package.recipe import Recipe, recipe
from nixpy.sdists.release import SdistIndex

_SYSTEM = "x86_64-linux"
_TREE = "pkgs/top-level/python-packages.nix"  # a checkout of nixpkgs has this file


def describe(requested: str, *, root: Path, python: str | None, offline: bool, application: bool = False) -> Recipe:
    """Return the release `NAME[==VERSION]` in the names of nixpkgs.

    It is from the index, for a Python of the current release of nixpkgs.

    Raises NixpyError for a Python that the release lacks, and whenever `SdistIndex.read` does.
    """
    release = releases.release(releases.current())
    minor, _ = releases.choose_python(python, None, None, release)
    target = Target(system=_SYSTEM, python=release.full_version(minor), glibc=release.glibc)
    index = SdistIndex(root=root, target=target, offline=offline, settings=IndexSettings.load(root))
    return recipe(index.read(requested), target, application=application)


def place(found: Recipe, output: Path, *, nixpkgs: bool) -> Path:
    """Return the file for `-o`.

    It is `output`, or the package's file if `output` is a checkout of nixpkgs.
    """
    if not nixpkgs:
        if output.is_dir():
            hint = f"Name a file: `-o {output / found.name}.nix`."
            raise ArgumentError("this is a folder", hint=hint, path=output)
        if not output.parent.is_dir():
            raise ArgumentError("no such folder", hint="Create it, or choose another.", path=output.parent)
        return output
    if not (output / _TREE).is_file():
        raise ArgumentError(
            f"this is not a checkout of nixpkgs: it has no {_TREE}", hint="Name a checkout of nixpkgs.", path=output
        )
    return output / found.place


def write(path: Path, text: str, *, force: bool, tree: Path | None = None) -> None:
    """Write the file, if given into `tree`, a checkout of nixpkgs.

    Raises NixpyError, with nothing changed, if the file (or a dangling link) exists and `force` is not set, or if a
    link points outside of the file's folder or of `tree`.
    """
    output = OutputFile(path=path, text=text, generated=False)
    if os.path.lexists(path) and not force:
        raise OutputError("this file exists already", hint="Choose another, or overwrite it with --force.", path=path)
    target(path, tree, limit="the checkout" if tree else "the named folder")
    reconcile([output], write=True, root=tree)
