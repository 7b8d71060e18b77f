"""Diagnostics with one cause, which reports print in one line."""

from __future__ import annotations

from dataclasses import replace

from nixpy.diagnostics.diagnostic import Cause, Diagnostic
from nixpy.diagnostics.grouping import in_groups
from nixpy.doctor import machine_diagnostic
from nixpy.doctor.machine_diagnostic import MachineDiagnostic


def lacking(soname: str, package: str = "vtk", hint: str | None = "Search SONAME.") -> Diagnostic:
    """Return a diagnostic about one library."""
    cause = Cause(item=soname, message=f"{{items}} are needed by {package}", hint=hint)
    return Diagnostic(
        code="NIX101",
        package=package,
        message=f"{soname} is needed by {package}",
        hint=f"Search {soname}.",
        cause=cause,
    )


def test_one_cause_is_one_line() -> None:
    """The first three items are named, and how many there are; the text and the hint are those for several."""
    (one,) = in_groups(lacking(f"lib{number}.so") for number in range(38))
    assert one.message == "lib0.so, lib1.so, lib2.so and 35 more are needed by vtk"
    assert (one.hint, one.package, one.code) == ("Search SONAME.", "vtk", "NIX101")


def test_one_item_keeps_its_own_text() -> None:
    """A single diagnostic is unchanged, and so are two with the same item."""
    assert in_groups([lacking("liba.so")]) == (lacking("liba.so"),)
    assert in_groups([lacking("liba.so"), lacking("liba.so")]) == (lacking("liba.so"),)


def test_other_causes_stay_apart_and_in_order() -> None:
    """Another package, another hint, another code and no cause are other lines, in the order of their first."""
    other = lacking("libb.so", "qt")
    plain = Diagnostic(code="NIX301", message="plain")
    found = in_groups(
        [
            lacking("liba.so"),
            plain,
            other,
            plain,
            replace(other, code="NIX102"),
            lacking("libc.so"),
            lacking("libd.so", hint=None),
        ]
    )
    assert [one.message for one in found] == [
        "liba.so, libc.so are needed by vtk",
        "plain",
        "libb.so is needed by qt",
        "plain",
        "libb.so is needed by qt",
        "libd.so is needed by vtk",
    ]


def test_braces_in_names_are_text() -> None:
    """A name of a library with braces is not a place to fill in."""
    (one,) = in_groups([lacking("lib{0}.so"), lacking("lib{items}.so")])
    assert one.message == "lib{0}.so, lib{items}.so are needed by vtk"


def test_packages_of_doctor() -> None:
    """The packages of all diagnostics of a group are named once, sorted."""
    found = [
        MachineDiagnostic(
            code="NIX409",
            message=soname,
            command="nix develop",
            packages=packages,
            cause=Cause(item=soname, message="{items} are not found; {packages} need them", hint="nix develop"),
        )
        for soname, packages in (("liba.so", ("vtk",)), ("libb.so", ("qt", "vtk")))
    ]
    (one,) = machine_diagnostic.in_groups(found)
    assert one.message == "liba.so, libb.so are not found; qt, vtk need them"
    assert (one.packages, one.command) == (("qt", "vtk"), "nix develop")
