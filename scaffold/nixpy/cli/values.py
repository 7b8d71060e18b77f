"""Complete values of options in a shell."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import TYPE_CHECKING

import click

if TYPE_CHECKING:
    from click.shell_completion import CompletionItem

    Complete = Callable[[click.Context, click.Parameter, str], list[CompletionItem]]


def _offer(known: Callable[[], Iterable[tuple[str, str | None]]]) -> Complete:
    """Return a callback for click that computes the values when they are completed."""

    def complete(_context: click.Context, _parameter: click.Parameter, typed: str) -> list[CompletionItem]:
        from click.shell_completion import CompletionItem

        found = [(name, told) for name, told in known() if name.lower().startswith(typed.lower())]
        return [CompletionItem(name, help=told) for name, told in found]

    return complete


def _offer_several(known: Callable[[], Iterable[tuple[str, str | None]]]) -> Complete:
    """Return a callback for values in a list with commas.

    It leaves out those that are already in the list.
    """

    def complete(context: click.Context, parameter: click.Parameter, typed: str) -> list[CompletionItem]:
        before, comma, last = typed.rpartition(",")
        named = before.split(",")
        items = _offer(lambda: (one for one in known() if one[0] not in named))(context, parameter, last)
        for item in items:
            item.value = f"{before}{comma}{item.value}"
        return items

    return complete


def _styles() -> Iterable[tuple[str, str | None]]:
    from nixpy.styles.styles import styles

    return ((style.name, style.title) for style in styles())


def _features() -> Iterable[tuple[str, str | None]]:
    from nixpy.styles.features import features

    return ((feature.name, feature.title) for feature in features())


def _branches() -> Iterable[tuple[str, str | None]]:
    from nixpy.nixpkgs.releases import releases

    return ((branch, release.state) for branch, release in releases().by_branch.items())


def _pythons() -> Iterable[tuple[str, str | None]]:
    from nixpy.nixpkgs.releases import current, release

    return ((version, None) for version in release(current()).pythons)


def _needs() -> Iterable[tuple[str, str | None]]:
    from nixpy.styles.promises import NEEDS

    return ((need.name, need.title) for need in NEEDS)


styles = _offer(_styles)
styles_and_features = _offer(lambda: (*_styles(), *_features()))
features = _offer(_features)
branches = _offer(_branches)
pythons = _offer(_pythons)
needs = _offer_several(_needs)
