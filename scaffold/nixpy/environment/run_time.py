"""Report modules and programs that packages or the project lack at run time."""

from __future__ import annotations

import json
from collections.abc import Collection, Iterator

from nixpy.diagnostics.diagnostic import Diagnostic, shorten
from nixpy.project.managers import FOLDER
from nixpy.styles.features import Feature, features
from nixpy.styles.run_time import RunTimeNeed, needs
from nixpy.styles.styles import Style, in_words


def diagnostics(
    names: Collection[str],
    imported: Collection[str],
    *,
    style: Style | None = None,
    enabled: Collection[str] = (),
    packages: Collection[str] = (),
) -> Iterator[Diagnostic]:
    """Yield diagnostics about needs at run time that no library satisfies.

    NIX228 is for missing modules, NIX229 for downloaded programs, and NIX230 for the driver of a graphics card.

    Args:
        names: The normalised names of the packages that are installed.
        imported: The modules of features that the sources of the project import.
        style: The style, or None if none is chosen.
        enabled: The names of the features of the project.
        packages: The packages in its settings.
    """
    if style and style.folder not in (FOLDER, ""):  # its Python and programs are not from nixpkgs
        return
    table = needs()
    asking = {name: table[name] for name in sorted(names) if name in table and not set(table[name].unless) & {*names}}
    for feature in features():
        who = [name for name, need in asking.items() if need.feature == feature.name]
        own = not {*feature.modules}.isdisjoint(imported)
        if feature.name not in enabled and (own or who):
            yield _for_feature(feature, who, style, own=own)
    for name, need in asking.items():
        if need.packages and not {*need.packages} & {*packages}:
            code = f"`packages = {json.dumps(sorted({*packages, *need.packages}))}` in [tool.nixpy]"
            yield Diagnostic(
                code="NIX229",
                package=name,
                message=_downloads([name], need),
                hint=f"Set {code}.{' ' if need.also else ''}{need.also}",
            )


def _for_feature(feature: Feature, who: list[str], style: Style | None, *, own: bool) -> Diagnostic:
    excluded = style and not feature.works_with(style.name)
    enable = f"Choose style {in_words(sorted(feature.styles))}, and enable" if excluded else "Enable"
    hint = f"{enable} feature {feature.name}: `nixpy init --feature {feature.name}`."
    package = who[0] if who else None
    suggested = None if excluded else feature.name
    if feature.reason:
        message = f"{shorten(who)} {feature.reason}"
        return Diagnostic(code="NIX230", package=package, message=message, hint=hint, feature=suggested)
    if not feature.modules:
        return Diagnostic(code="NIX229", package=package, message=_downloads(who, needs()[who[0]]), hint=hint)
    importing = [*(["the project"] if own else []), *who]
    verb = "imports" if len(importing) == 1 else "import"
    lacking = f"{feature.modules[0]}, which the Python of nixpkgs lacks"
    return Diagnostic(
        code="NIX228",
        package=package,
        message=f"{shorten(importing)} {verb} {lacking}",
        hint=hint,
        feature=suggested,
    )


def _downloads(who: list[str], need: RunTimeNeed) -> str:
    verb = "downloads" if len(who) == 1 else "download"
    return f"{shorten(who)} {verb} {need.need} at run time, and downloaded programs do not start on NixOS"
