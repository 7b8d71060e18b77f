"""What builders of wheels are told of each wheel."""

from __future__ import annotations

from packaging.utils import canonicalize_name

from nixpy.analysis.nixpylock import Wheel, wheel_needs
from nixpy.environment.overrides import Override, overrides
from nixpy.libraries.match import Rules, match
from nixpy.needs.model import Needs
from opens import of_table

X86, ARM, MAC = "x86_64-linux", "aarch64-linux", "aarch64-darwin"


def wheel(
    name: str, *sonames: str, system: str = X86, tag: str = "cp313-cp313-manylinux_2_28_x86_64", **more: object
) -> Wheel:
    needs = Needs(sonames=tuple((soname, "a.so") for soname in sonames), known="index", **more)  # type: ignore[arg-type]
    return Wheel(
        system=system,
        name=canonicalize_name(name),
        version="1",
        filename=f"{name}-1-{tag}.whl",
        sha256=None,
        needs=needs,
    )


def told(*wheels: Wheel, rules: Rules | None = None) -> dict[str, Override]:
    """The overrides of these wheels by name."""
    rules = rules or Rules()
    libraries, _ = match(wheel_needs(wheels), rules, (X86, ARM, MAC))
    return {item.name: item for item in overrides(wheels, libraries)}


def test_each_wheel_is_told_its_own() -> None:
    """A wheel gets what nixpkgs has of what it links to on any Linux; those that ask for nothing are left out."""
    found = told(
        wheel("one", "libz.so.1"),
        wheel("one", "libgomp.so.1", system=ARM),
        wheel("two", "libodbc.so.2", "libnobody.so.7"),
        wheel("three"),
        wheel("four", "libz.so.1", system=MAC),
    )
    assert {name: item.sonames for name, item in found.items()} == {
        "one": ("libgomp.so.1", "libz.so.1"),
        "two": ("libodbc.so.2",),
    }


def test_a_sibling_is_named_for_what_it_ships() -> None:
    """What another wheel ships is not nixpkgs' to supply, and that wheel is named."""
    found = told(wheel("code", "libz.so.1", "libodbc.so.2"), wheel("libs", provides=("libz.so.1",)))
    assert found["code"].sonames == ("libodbc.so.2",)
    assert (found["code"].siblings, found["code"].shipped) == (("libs",), ("libz.so.1",))


def test_optional_needs_are_supplied_when_asked_for() -> None:
    """What only an optional part needs is left out, and there with `optional`; the wheel has an entry either way."""
    one = wheel("one", "libodbc.so.2", optional=("libodbc.so.2",))
    assert told(one)["one"].sonames == ()
    assert told(one, rules=Rules(optional=True))["one"].sonames == ("libodbc.so.2",)


def test_what_is_opened_by_name_gets_a_run_path() -> None:
    """Who opens libraries looks into the folder of all, or the driver's; a wheel of Python alone cannot be told."""
    one = wheel("one", opens=of_table("libGL.so.1"))
    host = wheel("host", "libcuda.so.1")
    pure = wheel("pure", opens=of_table("libGL.so.1"), tag="py3-none-any")
    found = told(one, host, pure)
    assert {name: item.places for name, item in found.items()} == {
        "one": ("libraries",),
        "host": ("driver",),
    }


def test_what_the_settings_add_is_found_by_all() -> None:
    """A library that the settings add is in reach of every wheel that asks for anything."""
    found = told(wheel("one", "libz.so.1"), rules=Rules(add=("libX11.so.6",)))
    assert found["one"].places == ("libraries",)
