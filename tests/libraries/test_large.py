"""The table of large packages."""

from __future__ import annotations

from pathlib import Path

import pytest

from nixpy.core.errors import NixpyError
from nixpy.libraries import large

ATTRIBUTES = Path(__file__).parents[1] / "nixos/attributes.csv"


def test_every_row_is_an_attribute_of_nixpkgs() -> None:
    """Each row is an attribute that the table of nixpkgs has, or the set of such attributes."""
    known = [line.partition(",")[0] for line in ATTRIBUTES.read_text().splitlines()[1:]]
    rows = large.load(Path(large.__file__).with_name("large.csv"))
    assert [row for row in rows if not any(name == row or name.startswith(f"{row}.") for name in known)] == []


def test_a_row_stands_for_the_attributes_below_it() -> None:
    """A set of packages is large as a whole; a package whose name only begins alike is not."""
    assert large.is_large("cudaPackages.cudnn")
    assert large.is_large("llvmPackages.libllvm")
    assert not large.is_large("llvmPackages.libunwind")
    assert not large.is_large("gtk3x")


def test_a_row_needs_a_reason(tmp_path: Path) -> None:
    """A row without a note is refused with its line."""
    path = tmp_path / "large.csv"
    path.write_text("attribute,note\ngtk3,\n")
    with pytest.raises(NixpyError) as caught:
        large.load(path)
    assert caught.value.line == 2
