"""Names of wheels stand for a bounded number of tags."""

from __future__ import annotations

import pytest
from packaging import tags, utils

from nixpy.core import limits
from nixpy.core.wheel_name import parse_tag, parse_wheel_filename

PARTS = ".".join(f"p{number}" for number in range(11))


@pytest.mark.parametrize(
    "name",
    [
        "demo-1.0-py3-none-any.whl",
        "a.b-1.0.post1-1x-py2.py3-none-any.whl",
        "demo-1.0-cp312.cp313-abi3-manylinux_2_17_x86_64.manylinux2014_x86_64.whl",
    ],
)
def test_names_are_read_as_packaging_reads_them(name: str) -> None:
    """The limit is above what honest names have."""
    assert parse_wheel_filename(name) == utils.parse_wheel_filename(name)
    text = name.removesuffix(".whl").split("-", 2)[-1].rpartition("x-")[2]
    assert parse_tag(text) == tags.parse_tag(text)


def test_too_many_tags_are_no_name() -> None:
    """The parts of 4,000 characters are multiplied to millions of tags."""
    assert limits.TAGS < 11**3
    with pytest.raises(utils.InvalidWheelFilename):
        parse_wheel_filename(f"demo-1.0-{PARTS}-{PARTS}-{PARTS}.whl")
    with pytest.raises(utils.InvalidWheelFilename):
        parse_wheel_filename(f"demo-1.0-1-{PARTS}-{PARTS}-{PARTS}.whl")
    with pytest.raises(ValueError, match="too many"):
        parse_tag(f"{PARTS}-{PARTS}-{PARTS}")
