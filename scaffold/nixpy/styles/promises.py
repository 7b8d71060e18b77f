"""List the needs that a style may meet, and what each style promises.

Tests check the promises; docs/choosing.md lists the tested ones.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from nixpy.core.errors import ArgumentError, nearest
from nixpy.styles.styles import Style, styles


@dataclass(frozen=True, slots=True)
class Need:
    """One need. `promised` returns whether a style promises to meet it, or None.

    Returns None if the style does not state that.

    A string is the only condition under which the style meets the need.
    """

    name: str
    title: str
    promised: Callable[[Style], bool | str | None]


NEEDS = (
    Need("executables", "programs in wheels (ruff, node) run", lambda style: style.executables),
    Need("leak-free", "child processes do not inherit LD_LIBRARY_PATH", lambda style: style.leak_free),
    Need("no-nix-ld", "the host needs no nix-ld", lambda style: not style.uses_nix_ld),
    Need("ide", "an IDE can start its Python outside the shell", lambda style: style.ide),
    Need("direnv", "works when direnv enters the shell", lambda style: style.direnv),
    Need("darwin", "macOS", lambda style: style.darwin),
    # If packages are installed into a folder of the project, Nix does not build all of them.
    Need("deployment", "Nix builds the whole environment, for another machine", lambda style: not style.folder),
)


def in_words(promised: bool | str | None) -> str:
    """Return in words whether a need is met."""
    return promised if isinstance(promised, str) else {True: "yes", False: "no", None: "not stated"}[promised]


def find(name: str) -> Need:
    """Return the need `name`; NixpyError, with the nearest name, if it does not exist."""
    known = {need.name: need for need in NEEDS}
    if need := known.get(name):
        return need
    near = nearest(name, known)
    hint = f"Did you mean `{near}`? " if near else ""
    raise ArgumentError(f"there is no property `{name}`", hint=f"{hint}The properties are {', '.join(known)}.")


def serving(needs: Iterable[Need]) -> tuple[Style, ...]:
    """Return the styles that promise to meet all of `needs` unconditionally.

    They are in the order of recommendation.
    """
    wanted = tuple(needs)
    return tuple(style for style in styles() if all(need.promised(style) is True for need in wanted))
