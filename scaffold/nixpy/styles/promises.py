"""What a person may need of a style, and what each style promises of it.

That a promise is kept is held by tests; docs/choosing.md says of each which was seen to hold, and where.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from nixpy.core.errors import ArgumentError, nearest
from nixpy.styles.styles import Style, styles


@dataclass(frozen=True, slots=True)
class Need:
    """One need: `promised` tells whether a style says that it serves it, None where the style does not say.

    Text says by what alone it does.
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
    # Where packages are installed into a folder of the project, what Nix builds is not all of it.
    Need("deployment", "Nix builds the whole environment, for another machine", lambda style: not style.folder),
)


def in_words(promised: bool | str | None) -> str:
    """Return in words whether a need is served."""
    return promised if isinstance(promised, str) else {True: "yes", False: "no", None: "not stated"}[promised]


def find(name: str) -> Need:
    """Return the need called `name`; NixpyError, with the nearest name, where there is none."""
    known = {need.name: need for need in NEEDS}
    if need := known.get(name):
        return need
    near = nearest(name, known)
    hint = f"Did you mean `{near}`? " if near else ""
    raise ArgumentError(f"there is no property `{name}`", hint=f"{hint}The properties are {', '.join(known)}.")


def serving(needs: Iterable[Need]) -> tuple[Style, ...]:
    """Return the styles that promise all of `needs` without reserve, in the order in which they are recommended."""
    wanted = tuple(needs)
    return tuple(style for style in styles() if all(need.promised(style) is True for need in wanted))
