"""What a person may need of a style, and `nixpy styles --need`."""

from __future__ import annotations

import pytest

from nixpy.styles import promises
from nixpy.styles.promises import NEEDS, Need, serving
from nixpy.styles.styles import styles
from runner import Nixpy


@pytest.mark.parametrize("need", NEEDS, ids=lambda need: need.name)
def test_a_need_tells_styles_apart(need: Need, nixpy: Nixpy) -> None:
    """Some style serves it and some does not, and the command lists exactly those that do."""
    listed = [style["name"] for style in nixpy("styles", "--need", need.name, "--format", "json").json["styles"]]
    assert listed == [style.name for style in styles() if need.promised(style) is True]
    assert 0 < len(listed) < len(styles())


def test_several_needs_must_all_be_served(nixpy: Nixpy) -> None:
    """With commas or as several options, only styles that serve all of them are listed."""
    both = {style.name for style in serving([need for need in NEEDS if need.name in {"executables", "ide"}])}
    for options in (("--need", "executables,ide"), ("--need", "executables", "--need", "ide")):
        lines = nixpy("styles", *options).out.splitlines()
        assert {line.split()[0] for line in lines} == both
    assert "fhs" not in both


def test_what_nobody_serves_is_said(nixpy: Nixpy, monkeypatch: pytest.MonkeyPatch) -> None:
    """Where no style serves all of it, nothing is listed, and standard error says so."""
    monkeypatch.setattr(promises, "serving", lambda _needs: ())
    ran = nixpy("styles", "--need", "ide")
    assert ran.out == ""
    assert "no style has all of these properties" in ran.err


@pytest.mark.parametrize(
    ("arguments", "said"),
    [(("--need", "direv"), "Did you mean `direnv`?"), (("loader", "--need", "ide"), "leave out NAME")],
)
def test_a_wrong_need_is_an_error(arguments: tuple[str, ...], said: str, nixpy: Nixpy) -> None:
    """An unknown need is answered with the nearest, and a name with a need by what to leave out."""
    ran = nixpy("styles", *arguments)
    assert ran.status == 2
    assert said in ran.err
