"""List the libraries that a manylinux policy lets a wheel leave out.

They are the upper bound for a wheel that was not opened.

`manylinux.csv` names the first policy that allows each soname, from auditwheel's policy file. Policies only grow, so a
later one allows everything that an earlier one does. The sets are the same for x86_64 and for
aarch64, where policies begin with 2_17. Names and aliases of the tags: PEP 513, 571, 599, 600.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from functools import cache
from pathlib import Path

from nixpy.core.csv_table import bad_row, rows
from nixpy.needs.glibc import is_glibc

_TABLE = Path(__file__).with_name("manylinux.csv")
_ALIASES = {
    "manylinux1": "manylinux_2_5",
    "manylinux2010": "manylinux_2_12",
    "manylinux2014": "manylinux_2_17",
}
_POLICY = re.compile(r"manylinux_(\d+)_(\d+)")


def policy(platform_tags: Iterable[str]) -> str | None:
    """Return the name of the manylinux policy for these platform tags.

    The policy limits which libraries the wheel may leave out.

    Of several manylinux tags the newest decides, since it allows most; its name is that of PEP 600
    (`manylinux_2_17`). A wheel with only a `linux_*` tag promises nothing: `linux`. None for wheels that need no
    library of a glibc Linux: `any`, musllinux, and other systems.
    """
    tags = tuple(platform_tags)
    if versions := [version for tag in tags if (version := _version(tag))]:
        return "manylinux_{}_{}".format(*max(versions))
    return "linux" if any(tag.startswith("linux_") for tag in tags) else None


def allowed(platform_tags: Iterable[str]) -> frozenset[str]:
    """Return the sonames that a wheel with these platform tags may leave out.

    Those of glibc are not among them.

    For a `linux_*` wheel, which promises nothing, this is a guess: all that the newest policy allows.
    """
    name = policy(platform_tags)
    if name is None:
        return frozenset()
    return frozenset(soname for soname in policy_sonames(name) if not is_glibc(soname))


def policy_sonames(name: str) -> frozenset[str]:
    """Return every soname that the policy `name` allows.

    Those of glibc are among them. A name is `manylinux_2_28` or `linux`.
    """
    version = _version(name)
    return frozenset(soname for soname, since in _table().items() if version is None or since <= version)


def _version(tag: str) -> tuple[int, int] | None:
    """Return the glibc version of a manylinux tag, or None.

    The tag may end in a machine.
    """
    head, _, rest = tag.partition("_")
    match = _POLICY.match(_ALIASES.get(head, f"{head}_{rest}"))
    return (int(match[1]), int(match[2])) if match else None


@cache
def _table() -> Mapping[str, tuple[int, int]]:
    return load(_TABLE)


def load(path: Path) -> dict[str, tuple[int, int]]:
    """Return the policy version that first allows each soname.

    Raises NixpyError, with the line, for a malformed row.
    """
    table: dict[str, tuple[int, int]] = {}
    for line, (soname, since) in rows(path, "soname", "since"):
        version = _version(since)
        if version is None:
            raise bad_row(path, line, f"{since!r} is not a policy", "Write a policy such as manylinux_2_17.")
        table[soname] = version
    return table
