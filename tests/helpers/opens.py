"""What packages open at run time, made by hand."""

from __future__ import annotations

from nixpy.core.target import SYSTEMS
from nixpy.needs.model import Certainty, Evidence, RuntimeOpen


def opening(
    *names: str,
    evidence: Evidence = "source",
    certainty: Certainty = "certain",
    path: str = "pkg/__init__.py",
    line: int | None = 3,
    find_library: bool = False,
    module: str | None = None,
    modules: tuple[str, ...] = (),
    systems: tuple[str, ...] = SYSTEMS,
) -> RuntimeOpen:
    """Return an open that tries these names in turn."""
    return RuntimeOpen(
        names=names,
        evidence=evidence,
        certainty=certainty,
        path=path,
        line=line,
        find_library=find_library,
        module=module,
        modules=modules,
        systems=systems,
    )


def of_table(*sonames: str, system: str = "x86_64-linux") -> tuple[RuntimeOpen, ...]:
    """Return what rows of dlopen.csv with these sonames say on one system."""
    return tuple(
        RuntimeOpen(names=(soname,), evidence="table", certainty="likely", path="", systems=(system,))
        for soname in sorted(sonames)
    )
