"""Find programs in wheels that do not start on NixOS, and replacements.

The style decides which programs start.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Sequence
from dataclasses import dataclass

from packaging.utils import NormalizedName

from nixpy.analysis.nixpylock import Wheel
from nixpy.diagnostics.diagnostic import Diagnostic, bring_programs
from nixpy.nixpkgs.executables import Substitute, substitutes
from nixpy.styles import styles
from nixpy.styles.features import Feature
from nixpy.styles.styles import Style


@dataclass(frozen=True, slots=True, kw_only=True)
class Programs:
    """The treatment of programs in wheels.

    `without_loader` are wheels with programs that do not start on NixOS. `native` are wheels with programs that the
    settings take from nixpkgs, so that the shell finds these first. `substitutes` are, by wheel, the programs of
    nixpkgs with which a feature replaces others.
    """

    without_loader: tuple[NormalizedName, ...]
    native: tuple[NormalizedName, ...]
    substitutes: dict[NormalizedName, Substitute]

    def diagnostics(self, style: Style, systems: Collection[str]) -> Iterator[Diagnostic]:
        """Yield NIX302 if some do not start.

        Args:
            style: The style under which they do not start.
            systems: The systems that another style must work on.
        """
        if self.without_loader:
            yield Diagnostic(
                code="NIX302",
                message=f"{bring_programs(self.without_loader)} that do not start on NixOS under style {style.name}",
                hint=f"Run `{styles.command_for_programs(self.without_loader, systems)}`: this style starts them.",
            )


def programs(wheels: Iterable[Wheel], style: Style, features: Sequence[Feature], packages: Sequence[str]) -> Programs:
    """Return the treatment of programs in `wheels`.

    The shell has `packages` of nixpkgs.
    """
    names = {wheel.name for wheel in wheels if wheel.needs.executables}
    replacing = any(feature.replaces_executables for feature in features)
    replaced = {name: substitutes()[name] for name in sorted(names) if name in substitutes()} if replacing else {}
    idle = set() if style.executables else names
    return Programs(
        without_loader=tuple(sorted(idle - {*packages} - replaced.keys())),
        native=tuple(sorted(idle & {*packages})),
        substitutes=replaced,
    )
